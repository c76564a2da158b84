//! A real proxy: `tinyproxy`, which `scripts/test` installs.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

/// A running proxy, with the lines of its log. It ends with this.
pub(crate) struct Tinyproxy {
    child: Child,
    pub(crate) port: u16,
    lines: mpsc::Receiver<String>,
    _folder: TempDir,
}

impl Tinyproxy {
    pub(crate) fn start(more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let file = folder.path().join("tinyproxy.conf");
        let text = format!("Port {port}\nListen 127.0.0.1\nTimeout 20\nMaxClients 20\nLogLevel Info\n{more}\n");
        std::fs::write(&file, text).unwrap();
        let mut child = Command::new("tinyproxy")
            .args(["-d", "-c"])
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program `tinyproxy` is needed: `scripts/test --install`, or Debian's package tinyproxy-bin");
        let (sender, lines) = mpsc::sync_channel(1_000);
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let proxy = Self {
            child,
            port,
            lines,
            _folder: folder,
        };
        proxy.wait_for("Accepting connections");
        proxy
    }

    /// Waits for a line of its log.
    pub(crate) fn wait_for(&self, part: &str) {
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(20)) {
            if line.contains(part) {
                return;
            }
        }
        panic!("tinyproxy did not log `{part}`");
    }

    /// The lines of its log that nobody has waited for.
    pub(crate) fn rest(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Tinyproxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
