//! The server is killed with SIGKILL at instants that chance chooses, while messages come in and leave. Afterwards the
//! books must be right: what was accepted has arrived, and what arrived twice is no more than the server says is in
//! doubt, each time with the same id.
//!
//! A dozen kills on each database; `CAMPANILE_TEST_KILLS=200` for as many as one likes:
//! `CAMPANILE_TEST_KILLS=200 cargo test -p campanile --test it -- --nocapture outbox::kills`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use campanile_store::testing;
use serde_json::{Value, json};

use super::posts::{Hook, hook};
use crate::relay::{Act, Manner, Server as Relay};

/// Kills on each database, where nothing else is asked for.
const KILLS: usize = 12;
const PEOPLE: usize = 20;
/// What is left when the last kill has been is sent within this: leases of the dead end after half a minute.
const PATIENCE: Duration = Duration::from_mins(3);

#[expect(clippy::disallowed_methods, reason = "how often is no setting of the server")]
fn kills() -> usize {
    let asked = std::env::var("CAMPANILE_TEST_KILLS").ok();
    asked.and_then(|count| count.parse().ok()).unwrap_or(KILLS)
}

/// The server as a process of its own.
struct Killed {
    child: Child,
    address: SocketAddr,
}

impl Drop for Killed {
    fn drop(&mut self) {
        // SIGKILL: nothing is finished, nothing said goodbye to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How the server is run.
struct Setup<'s> {
    folder: &'s Path,
    database: String,
    relay: SocketAddr,
}

impl Setup<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_campanile"));
        command
            .args(arguments)
            .current_dir(self.folder)
            .env_clear()
            .env("CAMPANILE_DATABASE", &self.database)
            .env("CAMPANILE_SECRET_KEY", "k".repeat(32))
            .env("CAMPANILE_ADMIN_PASSWORD", "the tower of bells")
            .env("CAMPANILE_LISTEN", "127.0.0.1:0")
            .env("CAMPANILE_LOG_LEVEL", "error")
            .env("CAMPANILE_SMTP_URL", format!("smtp://{}", self.relay))
            .env("CAMPANILE_MAIL_FROM", "bell@example.com")
            .env("CAMPANILE_HTTP_ALLOW", "127.0.0.1");
        command
    }

    fn serve(&self) -> Killed {
        let mut child = self.command(&["serve"]).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut addresses = lines.map_while(Result::ok).filter_map(|line| {
            let address = line.strip_prefix("listening on http://")?.to_owned();
            Some(address.parse().unwrap())
        });
        let address = addresses.next().expect("the server says where it listens");
        Killed { child, address }
    }

    /// Makes the administrator and the people; a token.
    fn prepare(&self) -> String {
        drop(self.serve());
        let lines = (0..PEOPLE).map(|at| {
            let name = format!("p{at}");
            json!({"kind": "user", "id": name, "login": name, "name": name, "email": format!("{name}@example.org")})
                .to_string()
        });
        std::fs::write(self.folder.join("people.ndjson"), lines.collect::<Vec<_>>().join("\n")).unwrap();
        assert!(
            self.command(&["import", "people.ndjson"])
                .output()
                .unwrap()
                .status
                .success()
        );
        let made = self.command(&["token", "kills", "--user", "admin"]).output().unwrap();
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }
}

/// Asks the server; nothing where it died meanwhile.
#[expect(
    clippy::disallowed_methods,
    reason = "a client of the test, to the server that it started"
)]
fn ask(address: SocketAddr, token: &str, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let code = answer.get(9..12)?.parse().ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some((code, serde_json::from_str(body).ok()?))
}

/// Sends messages until the server is gone; the ids of those that it accepted.
fn send_on(address: SocketAddr, token: &str, hook: &str) -> Vec<i64> {
    let message = json!({
        "title": "Killed", "text": "the body", "audience": [{"kind": "everyone"}],
        "channels": ["portal", "email", "http"], "posts": [{"url": hook}],
    })
    .to_string();
    let mut accepted = Vec::new();
    while let Some((code, said)) = ask(address, token, "POST", "/api/v1/messages", &message) {
        assert_eq!(code, 201, "{said}");
        accepted.push(said["id"].as_i64().unwrap());
    }
    accepted
}

/// Chance, by a seed.
fn next(dice: &mut u64) -> u64 {
    *dice = dice
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *dice >> 33
}

/// How often each id came.
fn counted(ids: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for id in ids {
        *counts.entry(id).or_default() += 1;
    }
    counts
}

fn repeats(counts: &BTreeMap<String, usize>) -> usize {
    counts.values().map(|count| count - 1).sum()
}

/// Kills, and then looks at the books.
async fn kill_often(database: String) {
    let folder = tempfile::tempdir().unwrap();
    let relay = Relay::start(Manner::new(|_| Act::Usual)).await;
    let hook = hook(&[204]).await;
    let (address, url, path) = (relay.address, hook.url(), folder.path().to_owned());
    // Apart from the relay and the receiver, which go on answering.
    let work = tokio::task::spawn_blocking(move || {
        let setup = Setup {
            folder: &path,
            database,
            relay: address,
        };
        let token = setup.prepare();
        let (mut accepted, mut dice) = (Vec::new(), 7);
        for _ in 0..kills() {
            let server = setup.serve();
            let (to, secret, hook) = (server.address, token.clone(), url.clone());
            let sender = std::thread::spawn(move || send_on(to, &secret, &hook));
            let life = Duration::from_millis(30 + next(&mut dice) % 400);
            // The instant of the kill is what is tested.
            let (_never, wait) = std::sync::mpsc::sync_channel::<()>(1);
            let _ = wait.recv_timeout(life);
            drop(server);
            accepted.extend(sender.join().unwrap());
        }
        let server = setup.serve();
        let progress = settle(server.address, &token);
        (accepted, progress)
    });
    let (accepted, progress) = work.await.unwrap();
    check(&accepted, &progress, &relay, &hook);
}

/// Waits until nothing is under way; the progress of every message, those included of which nobody heard.
fn settle(address: SocketAddr, token: &str) -> BTreeMap<i64, Vec<Value>> {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut found = BTreeMap::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/messages?limit=100{cursor}");
            let (code, page) = ask(address, token, "GET", &path, "").expect("the server lives");
            assert_eq!(code, 200, "{page}");
            for message in page["items"].as_array().unwrap() {
                let progress = message["progress"].as_array().cloned().unwrap_or_default();
                found.insert(message["id"].as_i64().unwrap(), progress);
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let is_over = |progress: &Vec<Value>| progress.iter().all(|one| one["state"] == "ended");
        if found.values().all(is_over) {
            return found;
        }
        assert!(Instant::now() < until, "it never ends: {found:?}");
        let (_never, wait) = std::sync::mpsc::sync_channel::<()>(1);
        let _ = wait.recv_timeout(Duration::from_millis(200));
    }
}

#[expect(clippy::print_stdout, reason = "a harness says what it found")]
fn check(accepted: &[i64], progress: &BTreeMap<i64, Vec<Value>>, relay: &Relay, hook: &Hook) {
    let doubts = |channel: &str| -> usize {
        let all = progress.values().flatten().filter(|one| one["channel"] == channel);
        all.map(|one| one["in_doubt"].as_u64().unwrap() as usize).sum()
    };
    let mails = counted(relay.taken().into_iter().map(|mail| {
        let line = mail.content.lines().find(|line| line.starts_with("Message-ID:"));
        line.unwrap().trim_start_matches("Message-ID: <").to_owned()
    }));
    let posts = counted(hook.header("webhook-id"));
    println!(
        "accepted {}, mails {} ({} twice, {} in doubt), posts {} ({} twice, {} in doubt)",
        accepted.len(),
        mails.len(),
        repeats(&mails),
        doubts("email"),
        posts.len(),
        repeats(&posts),
        doubts("http"),
    );
    assert!(!accepted.is_empty());
    for id in accepted {
        let start = format!("{id}.");
        let people: BTreeSet<&str> = mails
            .keys()
            .filter_map(|mail| mail.strip_prefix(&start)?.split('.').next())
            .collect();
        assert_eq!(people.len(), PEOPLE, "mails of message {id}");
        let post = format!("msg_{id}_1_");
        assert_eq!(
            posts.keys().filter(|one| one.starts_with(&post)).count(),
            1,
            "post of {id}"
        );
        for one in &progress[id] {
            assert_eq!(one["sent"], one["recipients"], "{one}");
        }
    }
    assert!(repeats(&mails) <= doubts("email"), "mails that came twice are in doubt");
    assert!(repeats(&posts) <= doubts("http"), "posts that came twice are in doubt");
}

#[test]
fn a_killed_server_loses_nothing_and_knows_what_is_in_doubt() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(kill_often("sqlite://campanile.db".into()));
}

#[test]
fn a_killed_server_loses_nothing_on_postgresql_either() {
    let Some(url) = testing::postgres_url() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(kill_often(url));
}
