//! Through a real mail system: Postfix takes what leaves the queue, puts it into mailboxes, and sends back what it
//! cannot, to where our mail system takes mail in.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use campanile::deliver::bounce::{Limits, Listen, listen};
use campanile::deliver::mail::Signer;
use campanile_core::outbox::run::{Progress, State};
use campanile_core::schema::SCHEMA;
use campanile_store::testing::each_database;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use crate::outbox::House;
use crate::outside;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Who has a mailbox. Beside them one is refused at once, and one is found not to exist later.
const PEOPLE: usize = 999;
const BOUNCES: &str = "bounce.example.com";

/// A mail system of its own in a temporary folder, and the lines of its log. It ends with this.
struct Postfix {
    port: u16,
    mails: PathBuf,
    lines: mpsc::Receiver<String>,
    log: Option<JoinHandle<()>>,
    master: Child,
    _folder: TempDir,
}

impl Postfix {
    /// Starts one for the users of `example.org` who have a mailbox, which hands what comes back to us. `None` if such
    /// tests are left out.
    async fn start(port: u16, ours: SocketAddr) -> Option<Self> {
        let root = outside::postfix()?;
        assert!(
            outside::is_root(),
            "Postfix starts as root alone; CAMPANILE_TEST_WITHOUT_MAIL_TOOLS=1 leaves this test out"
        );
        let folder = TempDir::new().unwrap();
        lay_out(folder.path(), &root, port, ours);
        let mut master = Command::new(root.join("usr/lib/postfix/sbin/master"))
            .args(["-s", "-c"])
            .arg(folder.path().join("conf"))
            .env("LD_LIBRARY_PATH", root.join("usr/lib/postfix"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel(10_000);
        let out = BufReader::new(master.stdout.take().unwrap());
        let log = std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // Nobody may be listening any more.
                let _ = sender.try_send(line);
            }
        });
        let mut postfix = Self {
            port,
            mails: folder.path().join("mails"),
            lines,
            log: Some(log),
            master,
            _folder: folder,
        };
        postfix.wait_for("daemon started").await;
        Some(postfix)
    }

    /// Waits for a line of its log.
    async fn wait_for(&mut self, part: &str) -> String {
        let mut before = Vec::new();
        loop {
            match tokio::time::timeout(PATIENCE, self.lines.recv()).await {
                Ok(Some(line)) if line.contains(part) => return line,
                Ok(Some(line)) => before.push(line),
                _ => panic!("Postfix did not log `{part}`: {before:#?}"),
            }
        }
    }

    /// The one mail in somebody's mailbox.
    fn mail_of(&self, who: &str) -> Vec<u8> {
        let files: Vec<_> = std::fs::read_dir(self.mails.join(who).join("new"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        assert_eq!(files.len(), 1, "{files:?}");
        std::fs::read(&files[0]).unwrap()
    }

    /// Hands it a mail, as the mail program of somebody does.
    #[expect(clippy::disallowed_methods, reason = "a test connects to what it started")]
    async fn submit(&self, from: &str, to: &str, content: &str) {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let mut stream = tokio::io::BufStream::new(stream);
        let (mail, rcpt) = (format!("MAIL FROM:<{from}>\r\n"), format!("RCPT TO:<{to}>\r\n"));
        let content = format!("{content}\r\n.\r\n");
        for said in ["", "EHLO localhost\r\n", &mail, &rcpt, "DATA\r\n", &content, "QUIT\r\n"] {
            stream.write_all(said.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            let mut line = String::new();
            while line.get(3..4) != Some(" ") {
                line.clear();
                stream.read_line(&mut line).await.unwrap();
            }
            assert!(line.starts_with(['2', '3']), "{said}: {line}");
        }
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let pid = self.master.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.master.wait();
        // The log ends when the last of those that it has started is gone.
        if let Some(log) = self.log.take() {
            let _ = log.join();
        }
    }
}

fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// The folders and settings of a mail system.
fn lay_out(folder: &Path, root: &Path, port: u16, ours: SocketAddr) {
    let id = |flag: &str, name: &str| -> u32 {
        let said = Command::new("id").args([flag, name]).output().unwrap();
        String::from_utf8(said.stdout).unwrap().trim().parse().unwrap()
    };
    // Users that every system has; Postfix wants one of its own for the queue, and another one for what it delivers.
    let (owner, nobody) = (id("-u", "daemon"), id("-u", "nobody"));
    let make = |name: &str, mode: u32, user: u32| {
        let made = folder.join(name);
        std::fs::create_dir(&made).unwrap();
        std::fs::set_permissions(&made, PermissionsExt::from_mode(mode)).unwrap();
        chown(&made, Some(user), None).unwrap();
    };
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o711)).unwrap();
    make("conf", 0o755, 0);
    make("queue", 0o755, 0);
    make("queue/pid", 0o755, 0);
    make("queue/public", 0o710, owner);
    make("data", 0o700, owner);
    make("mails", 0o700, nobody);
    for name in [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "trace",
    ] {
        make(&format!("queue/{name}"), 0o700, owner);
    }
    let mailboxes: Vec<String> = (0..PEOPLE)
        .map(|at| format!("{{p{at}@example.org = p{at}/}}"))
        .collect();
    let mailboxes = mailboxes.join(", ");
    let (at, root) = (folder.display(), root.display());
    let main = format!(
        "compatibility_level = 3.7
queue_directory = {at}/queue
data_directory = {at}/data
daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
mail_owner = daemon
setgid_group = mail
default_privs = nobody
import_environment = MAIL_CONFIG LD_LIBRARY_PATH POSTLOG_SERVICE POSTLOG_HOSTNAME TZ LANG=C
maillog_file = /dev/stdout
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
myhostname = mta.example.org
mynetworks = 127.0.0.0/8
mydestination =
local_recipient_maps =
alias_maps =
notify_classes =
smtpd_relay_restrictions = permit_mynetworks, reject
# One is refused at once; whom nobody knows is found out only later, as where mail is forwarded.
smtpd_recipient_restrictions =
    check_recipient_access inline:{{ {{refused@example.org = 550 5.1.1 no such mailbox}} }}
smtpd_reject_unlisted_recipient = no
virtual_mailbox_domains = example.org
virtual_mailbox_base = {at}/mails
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
transport_maps = inline:{{ {{{BOUNCES} = lmtp:inet:127.0.0.1:{}}} }}
",
        ours.port()
    );
    std::fs::write(folder.join("conf/main.cf"), main).unwrap();
    let master = format!(
        "127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"
    );
    std::fs::write(folder.join("conf/master.cf"), master).unwrap();
}

/// A header of a mail, unfolded.
fn header(mail: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(mail).replace("\r\n", "\n").replace("\n ", " ");
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
}

/// What stands between the angle brackets of `List-Unsubscribe` and begins so.
fn way_out(mail: &[u8], begin: &str) -> String {
    let ways = header(mail, "List-Unsubscribe");
    let found = ways.split(['<', '>']).find_map(|way| way.strip_prefix(begin));
    found.unwrap_or_else(|| panic!("no {begin} in {ways}")).to_owned()
}

fn is_verified(mail: &[u8], record: &(String, String)) -> Option<bool> {
    let script = r"
import sys, dkim
name, record = sys.argv[1].encode(), sys.argv[2].encode()
dns = lambda asked, timeout=5: record if asked.rstrip(b'.') == name else None
print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=dns))
";
    let said = outside::python(script, &[&record.0, &record.1], mail)?;
    Some(said.trim() == "True")
}

#[test]
fn a_real_mail_system_delivers_bounces_and_unsubscribes() {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let pem = include_str!("relay/dkim-rsa.pem");
            let more = [
                ("CAMPANILE_BOUNCE_DOMAIN", BOUNCES.to_owned()),
                ("CAMPANILE_DKIM_SELECTOR", "bell".to_owned()),
                ("CAMPANILE_DKIM_KEY", pem.to_owned()),
            ];
            let port = free_port();
            let house = House::with(database.db.clone(), &format!("smtp://127.0.0.1:{port}"), &more).await;
            let at = Listen::parse("lmtp://127.0.0.1:0").unwrap();
            let ours = listen(&house.world.app, at, BOUNCES, Limits::default()).await.unwrap();
            if let Some(mut postfix) = Postfix::start(port, ours).await {
                let record = Signer::new("example.com", "bell", pem).unwrap().record();
                goes_through(&house, &mut postfix, &record).await;
            }
            house.world.app.stop().await;
        });
    });
}

async fn goes_through(house: &House, postfix: &mut Postfix, record: &(String, String)) {
    let mut people: Vec<String> = (0..PEOPLE).map(|at| format!("p{at}")).collect();
    people.extend(["refused".to_owned(), "gone".to_owned()]);
    house.users(&people).await;
    let id = house.mail().await;
    // One fails at once, the other one when its report has come.
    let is_through = |progress: Progress| progress.state == State::Ended && progress.failed == 2;
    let progress = house.until(id, is_through).await;
    assert_eq!((progress.recipients, progress.sent), (PEOPLE as i64 + 2, PEOPLE as i64));
    let reasons = reasons(house, id.0).await;
    assert_eq!(
        reasons["refused"],
        "550 5.1.1 <refused@example.org>: Recipient address rejected: no such mailbox"
    );
    assert_eq!(
        reasons["gone"],
        "it came back, the address does not exist: unknown user: \"gone@example.org\""
    );
    for _ in 0..PEOPLE {
        postfix.wait_for("status=sent (delivered to maildir)").await;
    }
    for at in 0..PEOPLE {
        let (name, mail) = (format!("p{at}"), postfix.mail_of(&format!("p{at}")));
        assert!(header(&mail, "To").ends_with(&format!("<{name}@example.org>")));
        assert!(header(&mail, "Return-Path").ends_with(&format!("@{BOUNCES}>")));
        assert_eq!(header(&mail, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        let signed = header(&mail, "DKIM-Signature").to_ascii_lowercase();
        assert!(
            signed.contains("list-unsubscribe:") && signed.contains("list-unsubscribe-post"),
            "{signed}"
        );
    }
    let mail = postfix.mail_of("p3");
    assert_ne!(is_verified(&mail, record), Some(false));
    let changed = String::from_utf8(mail).unwrap().replace("Some", "None").into_bytes();
    assert_ne!(is_verified(&changed, record), Some(true));
    unsubscribe(house, postfix).await;
    let again = house.mail().await;
    let progress = house.until(again, |progress| progress.state == State::Ended).await;
    assert_eq!(
        (progress.sent, progress.suppressed, progress.failed),
        (PEOPLE as i64 - 3, 5, 0)
    );
}

/// Three people want no more mail: by the one click of a mail program, by the page, and by a mail.
async fn unsubscribe(house: &House, postfix: &mut Postfix) {
    const ORIGIN: &str = "http://campanile.test";
    let form = "application/x-www-form-urlencoded";
    let world = &house.world;
    let click = way_out(&postfix.mail_of("p0"), ORIGIN);
    let ask = world.post(&click).header("content-type", form);
    ask.body("List-Unsubscribe=One-Click").send().await.is(200);
    let page = way_out(&postfix.mail_of("p1"), ORIGIN);
    let seen = world.get(&page).send().await.is(200).body;
    assert!(seen.contains(&format!("method=\"post\" action=\"{page}\"")), "{seen}");
    let ask = world.post(&page).header("content-type", form);
    ask.header("sec-fetch-site", "same-origin")
        .body("")
        .send()
        .await
        .is(200);
    let mail = way_out(&postfix.mail_of("p2"), "mailto:");
    let (to, subject) = mail.split_once("?subject=").unwrap();
    postfix
        .submit("p2@example.org", to, &format!("Subject: {subject}\r\n\r\n"))
        .await;
    let line = postfix.wait_for(&format!("to=<{to}>")).await;
    assert!(line.contains("status=sent"), "{line}");
}

/// Why it failed, by login.
async fn reasons(house: &House, message: i64) -> BTreeMap<String, String> {
    let path = format!("/api/v1/messages/{message}/deliveries?channel=email&state=failed");
    let page = house.world.get(&path).bearer(&house.token).send().await.is(200).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|one| (text(&one["person"]["login"]), text(&one["reason"])))
        .collect()
}
