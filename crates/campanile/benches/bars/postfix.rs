//! Postfix's own sink and source of mail, as the measure of ours: installed, or its package unpacked in the folder that
//! `CAMPANILE_TEST_POSTFIX` names (`scripts/test` unpacks it into `target/test-tools/postfix`).

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Where Postfix is.
pub(crate) struct Postfix(PathBuf);

/// A running `smtp-sink`, on a port of the loopback address. It ends with this.
pub(crate) struct Sink {
    pub(crate) port: u16,
    child: Child,
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Postfix {
    #[expect(
        clippy::disallowed_methods,
        reason = "where Postfix is, which is no setting of the server"
    )]
    pub(crate) fn find() -> Self {
        let named = std::env::var_os("CAMPANILE_TEST_POSTFIX").map(PathBuf::from);
        let unpacked = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/test-tools/postfix");
        let places = named.into_iter().chain([PathBuf::from("/"), PathBuf::from(unpacked)]);
        let found = places
            .into_iter()
            .find(|root| root.join("usr/sbin/smtp-sink").is_file());
        Self(found.expect("Postfix is missing: install it, or see the head of this file"))
    }

    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.0.join("usr/sbin").join(name));
        command.env("LD_LIBRARY_PATH", self.0.join("usr/lib/postfix"));
        command
    }

    pub(crate) fn sink(&self) -> Sink {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        let mut command = self.tool("smtp-sink");
        if Command::new("id")
            .arg("-u")
            .output()
            .is_ok_and(|id| id.stdout.trim_ascii() == b"0")
        {
            command.args(["-u", "nobody"]);
        }
        let child = command.arg(format!("127.0.0.1:{port}")).arg("1000").spawn();
        let sink = Sink {
            port,
            child: child.expect("the sink starts"),
        };
        // Sends one mail after the other until one is taken.
        let mut probe = self.tool("smtp-source");
        probe
            .args(["-m", "1"])
            .arg(format!("127.0.0.1:{port}"))
            .stderr(Stdio::null());
        while !probe.status().expect("the source starts").success() {}
        sink
    }

    /// What `smtp-source` sends in a second: so many mails, over so many connections, of so many bytes.
    pub(crate) fn by_source(&self, sink: &Sink, sessions: usize, mails: usize, size: usize) -> f64 {
        let mut source = self.tool("smtp-source");
        for (flag, number) in [("-m", mails), ("-s", sessions), ("-l", size)] {
            source.arg(flag).arg(number.to_string());
        }
        // -d: a connection carries many mails, as ours do.
        source
            .args(["-d", "-f", "bell@example.com", "-t", "ann@example.org"])
            .arg(format!("127.0.0.1:{}", sink.port));
        let begin = Instant::now();
        assert!(source.status().expect("the source starts").success());
        mails as f64 / begin.elapsed().as_secs_f64()
    }
}
