//! How big the binary is, how soon it serves, how much memory it holds when idle.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use campanile_store::testing::{self, Durable};

use crate::client::{drive, get};
use crate::house::{House, SECRET_KEY};
use crate::{human, row};

const BINARY: &str = env!("CARGO_BIN_EXE_campanile");

/// Measures the binary on an empty database and on the house's; the house is closed for it.
pub(crate) fn measure(house: House) {
    let bytes = std::fs::metadata(BINARY).map_or(0, |at| at.len());
    let megabytes = bytes as f64 / 1e6;
    row(
        "footprint: binary",
        "",
        &format!("{megabytes:.1} MB"),
        "",
        "≤ 25 MB",
        megabytes <= 25.0,
    );
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let empty = if house.file.is_some() {
        url(&folder.path().join("empty.db"))
    } else {
        testing::start_server(Durable::Yes)
    };
    // The first start makes the database and the administrator; the second is what is measured.
    start(&empty).stop();
    one("empty", &empty, Duration::from_millis(100), 16.0);
    let people = house.people;
    house.rt.block_on(house.app.stop());
    let full = format!("{people} people");
    let Some(file) = house.file.clone() else {
        one(&full, &house.url, Duration::from_secs(1), 64.0);
        return;
    };
    let copy = folder.path().join("full.db");
    std::fs::copy(&file, &copy).expect("the database can be copied");
    let mut log = file.into_os_string();
    log.push("-wal");
    if Path::new(&log).exists() {
        std::fs::copy(&log, folder.path().join("full.db-wal")).expect("the log can be copied");
    }
    let copy = url(&copy);
    start(&copy).stop();
    one(&full, &copy, Duration::from_secs(1), 64.0);
    drop(house);
}

fn url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

fn one(name: &str, database: &str, soon: Duration, mebibytes: f64) {
    let server = start(database);
    row(
        "footprint: start to healthy",
        name,
        &human(server.healthy),
        "",
        &human(soon),
        server.healthy <= soon,
    );
    // What stands in memory is read after the start; idle begins when it has been.
    let mut last = 0.0;
    for _ in 0..100 {
        std::thread::park_timeout(Duration::from_millis(100));
        let now = server.mebibytes();
        if (now - last).abs() < 0.1 && last > 0.0 {
            break;
        }
        last = now;
    }
    let memory = server.mebibytes();
    let bar = format!("≤ {mebibytes:.0} MiB");
    row(
        "footprint: idle memory",
        name,
        &format!("{memory:.1} MiB"),
        "",
        &bar,
        memory <= mebibytes,
    );
    server.stop();
}

struct Server {
    child: Child,
    healthy: Duration,
}

fn start(database: &str) -> Server {
    let started = Instant::now();
    let mut child = Command::new(BINARY)
        .args(["serve", "--listen", "127.0.0.1:0", "--database", database])
        .env("CAMPANILE_SECRET_KEY", SECRET_KEY)
        .env("CAMPANILE_ADMIN_PASSWORD", "the tower of bells")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.split("listening on http://").nth(1).map(str::to_owned))
        .expect("it says where it listens");
    let run = drive(
        address.trim().parse().expect("an address"),
        vec![get("/health", "")],
        1,
        1,
    );
    assert_eq!(run.status, 200);
    Server {
        child,
        healthy: started.elapsed(),
    }
}

impl Server {
    /// Resident memory.
    fn mebibytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap_or("0 kB");
        line.split_whitespace()
            .next()
            .and_then(|at| at.parse::<f64>().ok())
            .unwrap_or(0.0)
            / 1024.0
    }

    fn stop(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
