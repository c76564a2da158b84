//! Mail from the queue to its recorded outcome: through the whole server to Postfix's `smtp-sink`, an own mail each,
//! beside Postfix's `smtp-source` with as many sessions and mails of the same size.

use std::path::Path;
use std::time::{Duration, Instant};

use campanile::deliver::mail::{self, Letter, Reader};
use campanile_core::id::{MessageId, PersonId};
use campanile_core::markup::Format;
use campanile_core::message::Importance;
use campanile_core::time::Moment;
use campanile_store::Sql;

use crate::client::{drive, post};
use crate::house::House;
use crate::postfix::{Postfix, Sink};
use crate::posting::id;
use crate::{Choice, print, process, row};

static STANDS: Sql = Sql::new(
    "bench::MAILS",
    "SELECT state, recipients, sent FROM run WHERE message = $1 AND channel = 4",
);
static ROWS: Sql = Sql::new(
    "bench::MAIL_ROWS",
    "SELECT (SELECT COUNT(*) FROM run WHERE message = $1) + (SELECT COUNT(*) FROM chunk WHERE message = $1)
        + (SELECT COUNT(*) FROM delivery WHERE message = $1) + (SELECT COUNT(*) FROM attempt WHERE message = $1)",
);

/// Connections to the relay.
const SESSIONS: usize = 16;
/// Memory that may come and go by itself.
const SLACK: u64 = 8 << 20;

pub(crate) const TITLE: &str = "Maintenance tonight";
pub(crate) const TEXT: &str = "From **22:00** to 23:00 UTC the gateway answers 503 for about ten minutes. \
                               Retry as usual.\n\n[Status](https://status.example.com)";

pub(crate) fn bench(choice: &Choice) {
    let postfix = Postfix::find();
    let sink = postfix.sink();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let of = |people: usize, name: &str| Choice {
        names: Vec::new(),
        people: people as u64,
        messages: 0,
        mails: people,
        postgres: choice.postgres,
        file: Some(folder.path().join(name)),
    };
    let tenth = sent(&of(choice.mails / 10, "tenth.db"), &sink, None);
    let many = of(choice.mails, "all.db");
    let whole = measured(&postfix, &sink, &many, None, "email end to end", 0.5);
    memory(&tenth, &whole);
    rows(&whole);
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/relay/dkim-ed25519.pem");
    let key = std::fs::read_to_string(key).expect("a key of the tests");
    measured(&postfix, &sink, &many, Some(&key), "email end to end, Ed25519", 0.4);
}

/// A message that was mailed.
struct Sent {
    mails: usize,
    took: Duration,
    cpu: Duration,
    rows: i64,
    /// Bytes of one.
    size: usize,
    /// Resident memory before, and at most.
    memory: (u64, u64),
}

impl Sent {
    fn rate(&self) -> f64 {
        self.mails as f64 / self.took.as_secs_f64()
    }
}

fn measured(postfix: &Postfix, sink: &Sink, choice: &Choice, key: Option<&str>, what: &str, bar: f64) -> Sent {
    let size = size(&settings(sink.port, key));
    let source = || postfix.by_source(sink, SESSIONS, choice.mails.min(20_000), size);
    let before = source();
    let sent = sent(choice, sink, key);
    let reference = f64::midpoint(before, source());
    let ratio = sent.rate() / reference;
    row(
        what,
        &format!("{} mails of {} B, {SESSIONS} connections", sent.mails, sent.size),
        &format!("{:.0}/s = {:.0} %", sent.rate(), ratio * 100.0),
        &format!("smtp-source {reference:.0}/s"),
        &format!("≥ {:.0} %", bar * 100.0),
        ratio >= bar,
    );
    let each = sent.cpu.as_secs_f64() * 1e6 / sent.mails as f64;
    print(&format!("| {what}: CPU | | {each:.0} µs each | without the sink | | |"));
    sent
}

fn memory(tenth: &Sent, whole: &Sent) {
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let grown = |sent: &Sent| sent.memory.1 - sent.memory.0;
    row(
        "email: memory while it is sent",
        &format!("{} mails", whole.mails),
        &format!(
            "{:.1} MiB more than the {:.1} before",
            mebibytes(grown(whole)),
            mebibytes(whole.memory.0)
        ),
        &format!("{} mails: {:.1} MiB more", tenth.mails, mebibytes(grown(tenth))),
        "flat",
        grown(whole) <= grown(tenth) + SLACK,
    );
}

fn rows(whole: &Sent) {
    let each = whole.rows as f64 * 1e3 / whole.mails as f64;
    row(
        "email: rows without failures",
        &format!("{} mails", whole.mails),
        &format!("{} rows, {each:.3} for a thousand", whole.rows),
        "",
        "≤ 1,100 for 1 million",
        each <= 1.1,
    );
}

pub(crate) fn settings(port: u16, key: Option<&str>) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("CAMPANILE_SMTP_URL", format!("smtp://127.0.0.1:{port}")),
        ("CAMPANILE_SMTP_CONNECTIONS", SESSIONS.to_string()),
        ("CAMPANILE_MAIL_FROM", "Bell <bell@example.com>".to_owned()),
        ("CAMPANILE_BOUNCE_DOMAIN", "bounce.example.com".to_owned()),
        ("CAMPANILE_PUBLIC_URL", "https://bell.example.com".to_owned()),
    ];
    if let Some(key) = key {
        settings.push(("CAMPANILE_DKIM_SELECTOR", "bell".to_owned()));
        settings.push(("CAMPANILE_DKIM_KEY", key.to_owned()));
    }
    settings
}

/// Bytes of a mail as the bench sends it.
fn size(settings: &[(&str, String)]) -> usize {
    let env = |name: &str| {
        let found = settings.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| value.clone())
    };
    let flags = campanile::config::Flags::default();
    let settings = campanile::config::Settings::from_sources(None, &env, flags).expect("the settings hold");
    let key = campanile_core::secret::InstallationKey::from_text(crate::house::SECRET_KEY).expect("long enough");
    let office = mail::office(&settings.mail, "https://bell.example.com", &key).expect("the settings hold");
    let letter = Letter {
        message: MessageId(1_000),
        opens: MessageId(1_000),
        title: TITLE,
        text: TEXT,
        format: Format::Markdown,
        sender: "admin",
        importance: Importance::Low,
        at: Moment(1_800_000_000_000),
        list: "all",
        language: None,
    };
    let reader = Reader {
        person: PersonId(10_000),
        name: "Ann Example",
        address: "ann.example.10000@mail.example",
    };
    let written = office.expect("there is a relay").stationery.write(&letter);
    written.to(&reader).expect("an address").content.len()
}

/// Mails one message to everybody, and waits until every outcome is recorded.
fn sent(choice: &Choice, sink: &Sink, key: Option<&str>) -> Sent {
    let settings = settings(sink.port, key);
    let house = House::with(choice, &settings);
    let token = house.token(PersonId(1), &format!("email {}", house.app.clock.now().0));
    let (before, cpu) = (process::memory(), process::cpu());
    let (mut most, begun) = (before, Instant::now());
    let message = publish(&house, &token);
    let (took, mails) = loop {
        let (state, recipients, sent) = stands(&house, message);
        most = most.max(process::memory());
        if state == 2 {
            assert_eq!(recipients, sent, "not all were taken");
            break (begun.elapsed(), sent as usize);
        }
        std::thread::park_timeout(Duration::from_millis(20));
    };
    let cpu = process::cpu().saturating_sub(cpu);
    let rows = house.read(move |tx| tx.one(&ROWS, &[&message], |row| row.get(0)));
    house.stop();
    Sent {
        mails,
        took,
        cpu,
        rows,
        size: size(&settings),
        memory: (before, most),
    }
}

/// Hands a mail to everybody in; its number.
pub(crate) fn publish(house: &House, token: &str) -> i64 {
    let body = serde_json::json!({
        "title": TITLE, "text": TEXT, "audience": [{"kind": "everyone"}], "channels": ["portal", "email"],
    });
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let asked = vec![post("/api/v1/messages", &bearer, &body.to_string())];
    let made = drive(house.address, asked, 1, 1);
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    id(&made.body)
}

/// The state of a mail run, its recipients, and how many of them have their mail.
pub(crate) fn stands(house: &House, message: i64) -> (i64, i64, i64) {
    house.read(move |tx| tx.one(&STANDS, &[&message], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))))
}
