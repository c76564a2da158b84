//! `campanile doctor`, run as a person at a shell does, with a relay and a DNS server on this machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use campanile::deliver::mail::Signer;
use hickory_resolver::proto::op::{Message, OpCode};
use hickory_resolver::proto::rr::rdata::{A, MX, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use serde_json::Value;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use crate::relay::{Act, At, Manner, Server, certificate};

const KEY: &str = include_str!("relay/dkim-ed25519.pem");

/// What the DNS says, by name.
type Zone = BTreeMap<&'static str, Vec<RData>>;

/// A DNS server that knows a few names, until it is dropped.
struct Dns {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Dns {
    async fn start(zone: Zone) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut bytes = [0; 4096];
            loop {
                let (length, from) = socket.recv_from(&mut bytes).await.unwrap();
                let asked = Message::from_vec(&bytes[..length]).unwrap();
                socket
                    .send_to(&answer(&zone, &asked).to_vec().unwrap(), from)
                    .await
                    .unwrap();
            }
        });
        Self { address, _task: task }
    }
}

fn answer(zone: &Zone, asked: &Message) -> Message {
    let query = asked.queries[0].clone();
    let name = query.name().to_ascii().to_ascii_lowercase();
    let kind: RecordType = query.query_type();
    let mut said = Message::response(asked.metadata.id, OpCode::Query);
    let known = zone.get(name.trim_end_matches('.')).into_iter().flatten();
    for data in known.filter(|data| data.record_type() == kind) {
        said.add_answer(Record::from_rdata(query.name().clone(), 60, data.clone()));
    }
    said.add_query(query);
    said
}

fn text(text: &str) -> RData {
    // Longer than a piece may be.
    let pieces = text
        .as_bytes()
        .chunks(200)
        .map(|piece| String::from_utf8(piece.to_vec()).unwrap());
    RData::TXT(TXT::new(pieces.collect()))
}

/// The DNS of a domain in which all is well.
fn well() -> Zone {
    let (_, key) = Signer::new("example.com", "bell", KEY).unwrap().record();
    let exchange = Name::from_ascii("mx.example.com.").unwrap();
    [
        (
            "bounce.example.com",
            vec![RData::MX(MX::new(10, exchange)), text("v=spf1 a:mx.example.com -all")],
        ),
        ("mx.example.com", vec![RData::A(A::new(192, 0, 2, 25))]),
        ("bell._domainkey.example.com", vec![text(&key)]),
        ("_dmarc.example.com", vec![text("v=DMARC1; p=none")]),
    ]
    .into()
}

/// What was found: the exit code, and level and text by what it is about.
struct Found {
    code: i32,
    findings: BTreeMap<String, (String, String)>,
}

impl Found {
    fn at(&self, about: &str) -> (&str, &str) {
        let (level, text) = &self.findings[about];
        (level, text)
    }
}

fn settings(relay: &Server, dns: &Dns) -> Vec<(&'static str, String)> {
    vec![
        (
            "CAMPANILE_SMTP_URL",
            format!("smtp://bell:secret@{}?tls=required", relay.address),
        ),
        ("CAMPANILE_SMTP_CA_FILE", certificate().display().to_string()),
        ("CAMPANILE_MAIL_FROM", "Bell <bell@example.com>".into()),
        ("CAMPANILE_PUBLIC_URL", "https://bell.example.com".into()),
        ("CAMPANILE_BOUNCE_DOMAIN", "bounce.example.com".into()),
        ("CAMPANILE_BOUNCE_LISTEN", "lmtp://127.0.0.1:8424".into()),
        ("CAMPANILE_DKIM_SELECTOR", "bell".into()),
        ("CAMPANILE_DKIM_KEY", KEY.into()),
        ("CAMPANILE_DNS", dns.address.to_string()),
    ]
}

async fn output(folder: &Path, arguments: &[&str], settings: &[(&'static str, String)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_campanile"));
    command.env_clear().current_dir(folder).arg("doctor").args(arguments);
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

async fn examine(folder: &Path, settings: &[(&'static str, String)]) -> Found {
    let output = output(folder, &["--json"], settings).await;
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let findings = said["findings"].as_array().unwrap().iter();
    let part = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let found = Found {
        code: output.status.code().unwrap(),
        findings: findings
            .map(|finding| (part(finding, "about"), (part(finding, "level"), part(finding, "text"))))
            .collect(),
    };
    assert_eq!(said["ok"], found.code == 0);
    found
}

fn manner(script: impl Fn(At<'_>) -> Act + Send + Sync + 'static) -> Manner {
    Manner::new(script).with(&["STARTTLS", "AUTH PLAIN"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_is_well_it_says_so_changes_nothing_and_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Server::start(manner(|_| Act::Usual)).await;
    let dns = Dns::start(well()).await;
    let found = examine(folder.path(), &settings(&relay, &dns)).await;
    let bad: Vec<_> = found.findings.iter().filter(|(_, (level, _))| level != "ok").collect();
    assert!(bad.is_empty() && found.code == 0, "{bad:#?}");
    let about: Vec<&str> = found.findings.keys().map(String::as_str).collect();
    let all = [
        "DKIM",
        "DMARC",
        "SPF",
        "bounces",
        "configuration",
        "database",
        "key",
        "public URL",
        "push",
        "relay",
    ];
    assert_eq!(about, all);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let commands = relay.commands().join(" ");
    assert!(
        commands.contains("AUTH PLAIN") && commands.ends_with("QUIT") && !commands.contains("MAIL"),
        "{commands}"
    );
    // For people: a line each.
    let told = output(folder.path(), &[], &settings(&relay, &dns)).await.stdout;
    assert_eq!(
        String::from_utf8(told)
            .unwrap()
            .lines()
            .filter(|line| line.starts_with("ok  "))
            .count(),
        10
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_in_the_dns_is_told_with_what_to_publish() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Server::start(manner(|_| Act::Usual)).await;
    let (name, key) = Signer::new("example.com", "bell", KEY).unwrap().record();
    let dns = Dns::start(Zone::new()).await;
    let output = output(folder.path(), &[], &settings(&relay, &dns)).await;
    assert_eq!(output.status.code(), Some(1));
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(
        out.contains(&format!("mend: publish a TXT record at {name}: {key}\n")),
        "{out}"
    );
    assert!(
        out.contains("FAULT    SPF") && out.contains("warning  DMARC") && out.contains("FAULT    bounces"),
        "{out}"
    );
    assert_eq!(err, "campanile: 3 faults, 1 warning\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_are_wrong_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Server::start(manner(|_| Act::Usual)).await;
    let mut zone = well();
    zone.insert("bell._domainkey.example.com", vec![text("v=DKIM1; k=ed25519; p=AAAA")]);
    zone.insert("_dmarc.example.com", vec![text("v=DMARC1; p=maybe")]);
    let nowhere = RData::MX(MX::new(0, Name::root()));
    zone.insert(
        "bounce.example.com",
        vec![nowhere, text("v=spf1 -all"), text("v=spf1 mx -all")],
    );
    let dns = Dns::start(zone).await;
    let found = examine(folder.path(), &settings(&relay, &dns)).await;
    for (about, part) in [
        ("DKIM", "is not that of dkim_key"),
        ("DMARC", "no policy that counts"),
        ("SPF", "has 2 SPF records"),
        ("bounces", "takes no mail at all"),
    ] {
        let (level, text) = found.at(about);
        assert!(level == "fault" && text.contains(part), "{about}: {level}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_refuses_us_and_one_that_is_not_there_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    let dns = Dns::start(well()).await;
    let refusing = manner(|at| match at {
        At::Auth(_) => Act::Say("535 5.7.8 wrong password"),
        _ => Act::Usual,
    });
    let relay = Server::start(refusing).await;
    let mut settings = settings(&relay, &dns);
    let found = examine(folder.path(), &settings).await;
    let (level, text) = found.at("relay");
    assert!(
        level == "fault" && text.contains("535 5.7.8 wrong password") && !text.contains("secret"),
        "{text}"
    );
    // Without trust in its certificate.
    settings.retain(|(name, _)| *name != "CAMPANILE_SMTP_CA_FILE");
    let found = examine(folder.path(), &settings).await;
    assert!(
        found.at("relay").1.contains("TLS with the relay failed"),
        "{:?}",
        found.at("relay")
    );
    drop(relay);
    let found = examine(folder.path(), &settings).await;
    assert_eq!((found.code, found.at("relay").0), (1, "fault"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_database_and_key_are_looked_at_first() {
    let folder = tempfile::tempdir().unwrap();
    let found = examine(folder.path(), &[]).await;
    assert_eq!(found.code, 0, "a new installation without mail");
    assert_eq!((found.at("mail").0, found.at("public URL").0), ("warning", "warning"));
    let found = examine(folder.path(), &[("CAMPANILE_LISTEN", "here".into())]).await;
    assert!(found.code == 1 && found.at("configuration").1.contains("listen"));
    let needed = [("CAMPANILE_SMTP_URL", "smtp://localhost".to_owned())];
    let found = examine(folder.path(), &needed).await;
    assert!(found.code == 1 && found.at("mail").1.contains("mail_from"));
    let only = [("CAMPANILE_HTTP_ONLY", "https://hooks.example.com/".to_owned())];
    let found = examine(folder.path(), &only).await;
    assert!(found.code == 0 && found.at("push").1.contains("web.push.apple.com"));
    // A file that is no database, and one whose folder is not there.
    std::fs::write(
        folder.path().join("campanile.db"),
        "no database at all, but long enough to be looked at".repeat(20),
    )
    .unwrap();
    let found = examine(folder.path(), &[]).await;
    assert_eq!(
        (found.code, found.at("database").0, found.at("key").0),
        (1, "fault", "fault")
    );
    let away = [("CAMPANILE_DATABASE", "sqlite://away/campanile.db".to_owned())];
    assert_eq!(examine(folder.path(), &away).await.at("database").0, "fault");
    let nobody = [("CAMPANILE_DATABASE", "postgres://nobody@127.0.0.1:1/none".to_owned())];
    let found = examine(folder.path(), &nobody).await;
    assert_eq!((found.at("database").0, found.at("key").0), ("fault", "fault"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_use_is_looked_at_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("campanile.db").display());
    let opened = tokio::task::spawn_blocking(move || {
        let settings = campanile::config::Settings {
            database: campanile::config::Settings::from_sources(
                Some(&format!("database = '{url}'")),
                &|_| None,
                campanile::config::Flags::default(),
            )
            .unwrap()
            .database,
            ..campanile::config::Settings::default()
        };
        let clock = campanile::clock::Clock::system();
        let chance = campanile::chance::Chance::seeded(1);
        campanile::app::App::open(settings, "http://x".into(), clock, chance).unwrap()
    });
    let app: Arc<campanile::app::App> = opened.await.unwrap();
    let found = examine(folder.path(), &[]).await;
    assert_eq!((found.code, found.at("database").0, found.at("key").0), (0, "ok", "ok"));
    assert!(
        found.at("database").1.contains("has schema"),
        "{:?}",
        found.at("database")
    );
    tokio::task::spawn_blocking(move || drop(app)).await.unwrap();
}
