//! Mail on the wire: our client beside Postfix's own `smtp-source`, both to Postfix's `smtp-sink` on the loopback
//! address, with the same sessions and sizes, one after the other several times.
//!
//! `cargo bench --bench email`; the way from the queue to its outcome is in `bars`. Both need Postfix: see `postfix`.

#[path = "bars/postfix.rs"]
mod postfix;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile::deliver::mail::{Brand, Letter, Mailbox, Reader, Signer, Stationery};
use campanile::deliver::smtp::{Lane, Mail, Options, Outcome, Pool, Relay, Times, verifying};
use campanile_core::id::{MessageId, PersonId};
use campanile_core::markup::Format;
use campanile_core::message::Importance;
use campanile_core::secret::InstallationKey;
use campanile_core::time::Moment;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::postfix::{Postfix, Sink};

/// Mails of one measurement.
const MAILS: usize = 20_000;
const ROUNDS: usize = 3;
/// Bytes of a mail.
const SIZE: usize = 2_048;

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(line: &str) {
    println!("{line}");
}

/// Sends mails that `make` makes, with as many under way as keep every connection busy.
fn by_us(port: u16, sessions: usize, make: impl Fn(usize) -> Mail + Send + Sync + 'static) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let options = Options {
            relay: Relay::parse(&format!("smtp://127.0.0.1:{port}")).expect("a relay"),
            times: Times::default(),
            hello: "campanile.test".into(),
            tls: verifying(None).expect("the system's authorities"),
            connections: sessions,
            reserved: 0,
        };
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let pool = Pool::new(options, tasks.clone(), stop.clone());
        let make = Arc::new(make);
        let begin = Instant::now();
        let lines = sessions * 3;
        let workers = TaskTracker::new();
        for line in 0..lines {
            let (pool, make) = (pool.clone(), Arc::clone(&make));
            workers.spawn(async move {
                for number in (line..MAILS).step_by(lines) {
                    let outcome = pool.send(make(number), Moment(0)).await;
                    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
                }
            });
        }
        workers.close();
        workers.wait().await;
        let rate = MAILS as f64 / begin.elapsed().as_secs_f64();
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        rate
    })
}

fn mail(from: String, to: String, content: Vec<u8>) -> Mail {
    Mail {
        from,
        to,
        content,
        lane: Lane::Bulk,
        dot: Arc::default(),
    }
}

/// As many bytes as the source sends.
fn plain(number: usize) -> Mail {
    let line = b"a line of a mail that says nothing, and says it at length\r\n";
    let mut content = b"Subject: x\r\n\r\n".to_vec();
    while content.len() + line.len() <= SIZE {
        content.extend_from_slice(line);
    }
    mail("bell@example.com".into(), format!("p{number}@example.org"), content)
}

fn stationery(signer: Option<Signer>) -> Arc<Stationery> {
    Arc::new(Stationery {
        from: Mailbox::parse("Bell <bell@example.com>").expect("an address"),
        origin: "https://bell.example.com".into(),
        brand: Brand::default(),
        bounce_domain: Some("bounce.example.com".into()),
        key: InstallationKey::from_text(&"k".repeat(32)).expect("long enough"),
        signer: signer.map(Arc::new),
    })
}

/// A message as it really is sent: made, signed where there is a key, and sent.
fn real(signer: Option<Signer>) -> impl Fn(usize) -> Mail + Send + Sync + 'static {
    let letter = Letter {
        message: MessageId(1),
        opens: MessageId(1),
        title: "Maintenance tonight",
        text: "From **22:00** to 23:00 UTC the gateway answers 503 for about ten minutes. Retry as usual.\n\n\
               [Status](https://status.example.com)",
        format: Format::Markdown,
        sender: "Operations",
        importance: Importance::Low,
        at: Moment(1_800_000_000_000),
        list: "default",
        language: None,
    };
    let written = stationery(signer).write(&letter);
    move |number| {
        let address = format!("p{number}@example.org");
        let reader = Reader {
            person: PersonId(number as i64),
            name: "Ann",
            address: &address,
        };
        let one = written.to(&reader).expect("an address");
        mail(one.from, one.to, one.content)
    }
}

fn signer(file: &str) -> Signer {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/relay");
    let pem = std::fs::read_to_string(folder.join(file)).expect("a key of the tests");
    Signer::new("example.com", "bell", &pem).expect("a key")
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn main() {
    let postfix = Postfix::find();
    let sink = postfix.sink();
    print("| what | sessions | mails/s | smtp-source, same run | of it | bar | |");
    print("|---|---|---|---|---|---|---|");
    for sessions in [1, 8, 16, 32] {
        compare(&postfix, &sink, sessions, "wire, 2 KiB", 1.0, &|| Box::new(plain));
    }
    compare(&postfix, &sink, 16, "made and sent, 4.5 KiB", 0.5, &|| {
        Box::new(real(None))
    });
    compare(&postfix, &sink, 16, "and signed, Ed25519", 0.4, &|| {
        Box::new(real(Some(signer("dkim-ed25519.pem"))))
    });
    compare(&postfix, &sink, 16, "and signed, RSA 2048", 0.0, &|| {
        Box::new(real(Some(signer("dkim-rsa.pem"))))
    });
    making();
}

type Make = Box<dyn Fn(usize) -> Mail + Send + Sync>;

fn compare(postfix: &Postfix, sink: &Sink, sessions: usize, what: &str, bar: f64, make: &dyn Fn() -> Make) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(postfix.by_source(sink, sessions, MAILS, SIZE));
        ours.push(by_us(sink.port, sessions, make()));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = ours / theirs;
    let (bar_text, met) = match bar {
        0.0 => (String::new(), ""),
        bar => (
            format!("≥ {:.0} %", bar * 100.0),
            if ratio >= bar { "met" } else { "NOT MET" },
        ),
    };
    print(&format!(
        "| {what} | {sessions} | {ours:.0} | {theirs:.0} | {:.0} % | {bar_text} | {met} |",
        ratio * 100.0
    ));
}

/// What making a mail alone takes.
fn making() {
    let makers: [(&str, Option<&str>); 3] = [
        ("not signed", None),
        ("Ed25519", Some("dkim-ed25519.pem")),
        ("RSA 2048", Some("dkim-rsa.pem")),
    ];
    for (name, file) in makers {
        let make = real(file.map(signer));
        let begin = Instant::now();
        let bytes: usize = (0..2_000).map(|number| make(number).content.len()).sum();
        let each: Duration = begin.elapsed() / 2_000;
        print(&format!(
            "| making a mail of {} B, {name} | | {} µs | | | | |",
            bytes / 2_000,
            each.as_micros()
        ));
    }
}
