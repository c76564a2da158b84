//! The binary as a person at a shell, and a service manager, find it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

const PASSWORD: &str = "campanile-demo";

pub(crate) fn campanile(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_campanile"));
    // What surrounds the test sets nothing.
    command
        .env_clear()
        .env("TMPDIR", folder)
        .env("CAMPANILE_ADMIN_PASSWORD", PASSWORD)
        .env("CAMPANILE_PASSWORD", PASSWORD)
        .current_dir(folder)
        .args(arguments);
    command
}

pub(crate) fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// A server in the background; it ends with the test.
pub(crate) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) url: String,
    /// What was printed before it listened.
    told: String,
}

impl Server {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut told = String::new();
        let url = loop {
            let mut line = String::new();
            assert_ne!(
                out.read_line(&mut line).unwrap(),
                0,
                "it ended before it listened: {told}"
            );
            match line.strip_prefix("listening on ") {
                Some(url) => break url.trim().to_owned(),
                None => told.push_str(&line),
            }
        };
        Self { child, out, url, told }
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn end(mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already, where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_directory_is_imported_a_message_sent_and_the_server_drained() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| campanile(folder.path(), arguments);
    let lines = folder.path().join("directory.ndjson");
    let user = |login: &str| format!(r#"{{"kind":"user","id":"u-{login}","login":"{login}","name":"{login}"}}"#);
    std::fs::write(&lines, [user("ann"), user("ben")].join("\n")).unwrap();
    let (code, out, _) = output(&mut run(&["import", "directory.ndjson"]));
    assert_eq!(
        (code, out.as_str()),
        (Some(0), "2 lines: 2 created, 0 changed, 0 as before, 0 bad\n")
    );

    let server = Server::start(&mut run(&["serve", "--listen", ":0"]));
    assert_eq!(server.told, "created the user admin\n");
    let url = server.url.clone();
    let (code, token, _) = output(&mut run(&["token", "ci", "--user", "admin"]));
    assert_eq!((code, token.lines().count()), (Some(0), 1));
    let send = [
        "send",
        "--url",
        &url,
        "--token",
        token.trim(),
        "--everyone",
        "--title",
        "Tonight",
    ];
    let (code, out, err) = output(&mut run(&send));
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (Some(0), "message 1: sent to 3 people\n", "")
    );

    // Beside the running server.
    let mut import = run(&["import", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(user("eve").as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
    let preview = [
        "send",
        "--url",
        &url,
        "--user",
        "admin",
        "--everyone",
        "--title",
        "x",
        "--preview",
    ];
    let (_, out, _) = output(&mut run(&preview));
    assert!(out.starts_with("4 people, "), "{out}");

    // By login in any case, and by id.
    for who in ["Ann", "u-ann"] {
        let to = [
            "send",
            "--url",
            &url,
            "--user",
            "admin",
            "--to-user",
            who,
            "--title",
            "x",
            "--preview",
        ];
        let (_, out, err) = output(&mut run(&to));
        assert!(out.ends_with("for example ann (ann)\n"), "{out}{err}");
    }

    assert_eq!(server.end("-TERM"), Some(0));
    let (code, _, err) = output(&mut run(&send));
    assert_eq!(code, Some(3), "{err}");
}

/// An answer on a connection that stays open: its head and body.
fn ask(stream: &mut BufReader<std::net::TcpStream>, path: &str) -> (String, String) {
    write!(stream.get_mut(), "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).unwrap(), 0, "closed after {head}");
    }
    let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

#[test]
fn sigterm_is_told_to_the_load_balancer_before_the_server_stops_and_a_second_one_ends_the_wait() {
    let folder = tempfile::tempdir().unwrap();
    let mut serve = campanile(folder.path(), &["serve", "--listen", ":0"]);
    let server = Server::start(serve.env("CAMPANILE_DRAIN_DELAY", "1 h"));
    let address = server.url.replace("http://", "");
    #[expect(clippy::disallowed_methods, reason = "the client of this test, on loopback")]
    let connect = || BufReader::new(std::net::TcpStream::connect(&address).unwrap());
    let (mut kept, mut probe) = (connect(), connect());
    assert!(!ask(&mut kept, "/api/v1/openapi.json").0.contains("connection: close"));
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    // A signal takes a moment to arrive; each answer is a turn.
    let told = (0..100_000)
        .map(|_| ask(&mut probe, "/ready"))
        .find(|(head, _)| head.starts_with("HTTP/1.1 503 "));
    assert!(told.unwrap().1.contains(r#""server":"is stopping""#));
    assert!(ask(&mut kept, "/api/v1/openapi.json").0.contains("connection: close"));
    assert_eq!(kept.read(&mut [0; 1]).unwrap(), 0, "the connection is closed");
    assert!(
        ask(&mut connect(), "/health").0.starts_with("HTTP/1.1 200 "),
        "others are taken"
    );
    assert_eq!(server.end("-TERM"), Some(0));
}

#[test]
fn tokens_are_made_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| output(&mut campanile(folder.path(), arguments));
    let user = r#"{"kind":"user","id":"u-ann","login":"ann","name":"Ann"}"#;
    std::fs::write(folder.path().join("directory.ndjson"), user).unwrap();
    assert_eq!(run(&["import", "directory.ndjson"]).0, Some(0));
    assert_eq!(
        run(&["token", "list", "--user", "ann"]).2,
        "ann has no personal tokens\n"
    );
    for name in ["ci", "night"] {
        assert_eq!(run(&["token", name, "--user", "ann"]).0, Some(0));
    }
    let (code, _, err) = run(&["token", "ci", "--user", "ann"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("ann has a token of this name already"), "{err}");
    let listed = || -> Vec<serde_json::Value> {
        serde_json::from_str(&run(&["token", "list", "--user", "ann", "--json"]).1).unwrap()
    };
    let names = |tokens: &[serde_json::Value]| tokens.iter().map(|token| token["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&listed()), ["ci", "night"]);
    let night = listed()[1]["id"].as_str().unwrap().to_owned();
    let (code, out, _) = run(&["token", "revoke", "ci", "--user", "ann"]);
    assert_eq!((code, out.as_str()), (Some(0), "revoked the token ci of ann\n"));
    assert_eq!(run(&["token", "revoke", &night, "--user", "ann"]).0, Some(0));
    assert_eq!(listed(), [] as [serde_json::Value; 0]);
    let (code, _, err) = run(&["token", "revoke", "ci", "--user", "ann"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("campanile token list --user ann"), "{err}");
}

#[test]
fn a_misspelt_variable_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = campanile(folder.path(), &["openapi"]);
    let (code, _, err) = output(command.env("CAMPANILE_LISTN", ":0"));
    assert_eq!(code, Some(0));
    assert!(
        err.contains("CAMPANILE_LISTN") && err.contains("did you mean CAMPANILE_LISTEN?"),
        "{err}"
    );
}

#[test]
fn bad_lines_are_told_by_number_and_good_ones_kept() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("directory.ndjson");
    let good = r#"{"kind":"group","id":"g-1","name":"Team"}"#;
    std::fs::write(
        &lines,
        format!("{good}\nnonsense\n{{\"kind\":\"group\",\"id\":\"g-2\"}}\n"),
    )
    .unwrap();
    let run = || output(&mut campanile(folder.path(), &["import", "directory.ndjson"]));
    let (code, out, err) = run();
    assert_eq!(
        (code, out.as_str()),
        (Some(1), "3 lines: 1 created, 0 changed, 0 as before, 2 bad\n")
    );
    assert!(err.contains("line 2: ") && err.contains("line 3: name: "), "{err}");
    let (_, out, _) = run();
    assert!(out.contains("0 created, 0 changed, 1 as before"), "{out}");
}

#[test]
fn a_rehearsal_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("directory.ndjson");
    std::fs::write(&lines, r#"{"kind":"group","id":"g-1","name":"Team"}"#).unwrap();
    let (code, out, _) = output(&mut campanile(
        folder.path(),
        &["import", "--dry-run", "directory.ndjson"],
    ));
    assert_eq!(code, Some(0));
    assert!(
        out.ends_with("1 created, 0 changed, 0 as before, 0 bad; nothing was written\n"),
        "{out}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_demonstration_serves_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Server::start(&mut campanile(folder.path(), &["demo", "--listen", ":0"]));
    for told in [
        &demo.url,
        "una",
        PASSWORD,
        "campanile send",
        "/api/v1/inbox/counts",
        "/api/v1/messages",
    ] {
        assert!(demo.told.contains(told), "{told} is not in: {}", demo.told);
    }
    let send = [
        "send",
        "--url",
        &demo.url,
        "--user",
        "ada",
        "--role",
        "ADMIN",
        "--title",
        "x",
        "--preview",
    ];
    let (code, out, err) = output(&mut campanile(folder.path(), &send));
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("Ada Fairbairn"), "{out}");
    assert_eq!(demo.end("-INT"), Some(0));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_exit_code_says_which_sort_of_failure_it_was() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code) in [
        (&["openapi"][..], 0),
        (&["completions", "zsh"], 0),
        (&["ring"], 2),
        (&["serve", "--listen", "here"], 2),
        (&["serve", "--database", "postgres://localhost/x"], 2), // without the key that servers share
        (&["send", "--everyone", "--title", "x"], 2),            // without a token
        (&["demo", "--database", "sqlite://precious.db"], 2),
        (&["token", "ci", "--user", "admin"], 3),
    ] {
        let (found, _, err) = output(&mut campanile(folder.path(), arguments));
        assert_eq!(found, Some(code), "{arguments:?}: {err}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
