//! Programs of others that tests ask: Python with dkimpy or with a library, and Postfix's sink for mail. `scripts/test`
//! sees to it that they are there. A test without its program fails and names it, unless
//! `CAMPANILE_TEST_WITHOUT_MAIL_TOOLS=1` leaves those of mail out.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

#[expect(
    clippy::disallowed_methods,
    reason = "where the tools of the tests are, which is no setting of the server"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The tool, or `None` if such tests are to be left out.
fn or_left_out<T>(tool: Option<T>, what: &str) -> Option<T> {
    let is_left_out = tool.is_none() && variable("CAMPANILE_TEST_WITHOUT_MAIL_TOOLS").as_deref() == Some("1");
    assert!(
        tool.is_some() || is_left_out,
        "{what} is missing. scripts/test installs it; CAMPANILE_TEST_WITHOUT_MAIL_TOOLS=1 leaves these tests out"
    );
    tool
}

/// Python with dkimpy: what a script prints that has these bytes as its input. `None` if left out.
pub(crate) fn python(script: &str, arguments: &[&str], input: &[u8]) -> Option<String> {
    let named = variable("CAMPANILE_TEST_DKIM_PYTHON");
    let candidates = named.iter().map(String::as_str).chain(["python3", "/usr/bin/python3"]);
    let python = candidates.into_iter().find(|python| {
        let asked = Command::new(python)
            .args(["-c", "import dkim, nacl"])
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    });
    let python = or_left_out(python, "Python 3 with dkimpy and PyNaCl (Debian: python3-dkim)")?;
    let mut child = Command::new(python)
        .args(["-c", script])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A Python that has a library: what a script prints that has this text as its input.
pub(crate) fn python_with(library: &str, script: &str, input: &str) -> String {
    let needed = format!(
        "Python with `{library}` is needed: run scripts/test, which makes one, or set CAMPANILE_TEST_PYTHON to a \
         Python after `pip install {library}`"
    );
    let named = variable("CAMPANILE_TEST_PYTHON");
    let child = Command::new(named.unwrap_or_else(|| "python3".into()))
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{needed} ({error})"));
    // Where it ends at once, because the library is missing, its words are on standard error.
    let written = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && written.is_ok(), "{needed}");
    String::from_utf8(output.stdout).unwrap()
}

/// Where Postfix's package is, installed or only unpacked. `None` if left out.
pub(crate) fn postfix() -> Option<PathBuf> {
    let named = variable("CAMPANILE_TEST_POSTFIX").map(PathBuf::from);
    let roots = named.into_iter().chain([PathBuf::from("/")]);
    let root = roots.into_iter().find(|root| root.join("usr/sbin/smtp-sink").is_file());
    or_left_out(root, "Postfix (Debian: postfix; only unpacked)")
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

/// Postfix's `smtp-sink`, ready to be started: a package unpacked somewhere is enough.
pub(crate) fn smtp_sink() -> Option<Command> {
    let root = postfix()?;
    let mut command = Command::new(root.join("usr/sbin/smtp-sink"));
    command.env("LD_LIBRARY_PATH", root.join("usr/lib/postfix"));
    // It refuses to stay root.
    if is_root() {
        command.args(["-u", "nobody"]);
    }
    Some(command)
}

/// A program that ends with the test.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
