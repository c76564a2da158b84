//! Server processes on one database, each of which may be killed, stopped and started again.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use campanile::world;

use super::load;
use super::plan::Plan;

/// The password of the administrator.
pub(crate) const PASSWORD: &str = "the tower of bells";

/// All of them.
pub(crate) struct Servers {
    binary: String,
    environment: Vec<(String, String)>,
    all: Vec<Mutex<Child>>,
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Servers {
    /// Fills the database and starts them, one after the other.
    pub(crate) fn start(plan: &Plan, more: &[(&str, String)], folder: &Path) -> Self {
        let mut environment = vec![
            ("CAMPANILE_DATABASE".to_owned(), plan.database.clone()),
            ("CAMPANILE_ADMIN_PASSWORD".to_owned(), PASSWORD.to_owned()),
            (
                "CAMPANILE_SECRET_KEY".to_owned(),
                "0123456789abcdef0123456789abcdef".to_owned(),
            ),
            ("CAMPANILE_LOG_LEVEL".to_owned(), "warn".to_owned()),
        ];
        environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        environment.extend(plan.environment.iter().cloned());
        let mut servers = Self {
            binary: plan.binary.clone(),
            environment,
            all: Vec::new(),
            addresses: Vec::new(),
        };
        if plan.people > 0 {
            servers.import(plan.people, &folder.join("directory.ndjson"));
        }
        for _ in 0..plan.servers {
            let (child, address) = servers.spawn("127.0.0.1:0").expect("a server starts");
            servers.all.push(Mutex::new(child));
            servers.addresses.push(address);
        }
        servers
    }

    /// Imports a made-up directory, the same every time.
    fn import(&self, people: u64, file: &Path) {
        let mut out = BufWriter::new(File::create(file).expect("the folder takes a file"));
        for line in world::lines(world::Size::people(people), 1) {
            writeln!(out, "{line}").expect("the folder has room");
        }
        out.flush().expect("the folder has room");
        let mut command = Command::new(&self.binary);
        command.arg("import").arg(file).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let status = command.stdout(Stdio::null()).status().expect("the binary is there");
        assert!(status.success(), "the import ended with {status}");
    }

    /// A server, once it listens; `None` where it ends before.
    fn spawn(&self, listen: &str) -> Option<(Child, SocketAddr)> {
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--listen", listen]).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the binary is there");
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        let Some(address) = listening(&mut out) else {
            let _ = child.wait();
            return None;
        };
        // What it says later is read, or it would wait.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Some((child, address))
    }

    /// Of the processes.
    pub(crate) fn ids(&self) -> Vec<u32> {
        let all = self.all.iter();
        all.map(|child| child.lock().unwrap_or_else(PoisonError::into_inner).id())
            .collect()
    }

    /// Kills one without a word, and starts it again at its place; how long it took to listen again.
    pub(crate) fn kill(&self, which: usize) -> Duration {
        let mut child = self.all[which].lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
        let begun = Instant::now();
        // While the database is away it ends before it listens.
        while begun.elapsed() < Duration::from_mins(2) {
            if let Some((again, _)) = self.spawn(&self.addresses[which].to_string()) {
                *child = again;
                return begun.elapsed();
            }
            load::wait(Duration::from_millis(200));
        }
        panic!("a server does not start again");
    }

    /// Lets one stand still for a while.
    pub(crate) fn pause(&self, which: usize, time: Duration) {
        let child = self.all[which].lock().unwrap_or_else(PoisonError::into_inner);
        signal(&child, "-STOP");
        load::wait(time);
        signal(&child, "-CONT");
    }
}

/// Where a server says that it listens; `None` where it ends before.
fn listening(out: &mut BufReader<ChildStdout>) -> Option<SocketAddr> {
    loop {
        let mut line = String::new();
        if out.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(url) = line.trim().strip_prefix("listening on http://") {
            return url.parse().ok();
        }
    }
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "it takes {signal}");
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &self.all {
            let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
