//! What is sent, read by others: Python's email package and dkimpy; and sent to Postfix's sink.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use campanile::deliver::mail::{Brand, Letter, Logo, Mailbox, Reader, Signer, Stationery, message_id, unsubscriber};
use campanile::deliver::smtp::{Lane, Mail, Options, Outcome, Pool, Relay, Times, verifying};
use campanile_core::id::{MessageId, PersonId};
use campanile_core::markup::Format;
use campanile_core::message::Importance;
use campanile_core::secret::InstallationKey;
use campanile_core::time::Moment;
use proptest::prelude::*;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::outside;

const ANN: Reader<'static> = Reader {
    person: PersonId(42),
    name: "Ann \"the\" O'Neil, PhD",
    address: "ann@example.org",
};

fn key() -> InstallationKey {
    InstallationKey::from_text(&"k".repeat(32)).unwrap()
}

fn stationery(change: impl FnOnce(&mut Stationery)) -> Arc<Stationery> {
    let mut stationery = Stationery {
        from: Mailbox::parse("Die Glocke <bell@example.com>").unwrap(),
        origin: "https://bell.example.com".into(),
        brand: Brand::default(),
        bounce_domain: Some("bounce.example.com".into()),
        key: key(),
        signer: None,
    };
    change(&mut stationery);
    Arc::new(stationery)
}

fn letter() -> Letter<'static> {
    Letter {
        message: MessageId(7),
        opens: MessageId(7),
        title: "Wartung heute Nacht – 🔔 22:00",
        text: "Guten Abend,\n\nab **22:00** antwortet das <Gateway> mit 503.\n\n- kurz\n- *schön*\n\n\
               [Status](https://status.example.com/?a=1&b=2)\n\n.\n.dots at the beginning",
        format: Format::Markdown,
        sender: "Betrieb, Köln",
        importance: Importance::Low,
        at: Moment::parse("2026-11-22T10:00:00Z").unwrap(),
        list: "Default",
        language: None,
    }
}

fn mail(stationery: &Arc<Stationery>, letter: &Letter<'_>, reader: &Reader<'_>) -> Vec<u8> {
    stationery.write(letter).to(reader).unwrap().content
}

/// The head of a mail: names and values, unfolded.
fn head(content: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(content);
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    head.split("\r\n")
        .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{line:?}")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn value(content: &[u8], name: &str) -> Option<String> {
    head(content)
        .into_iter()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value)
}

/// What Python's email package makes of a mail.
#[derive(Debug, Deserialize)]
struct Read {
    headers: Vec<(String, String)>,
    parts: Vec<(String, String)>,
    defects: usize,
}

fn read_by_python(content: &[u8]) -> Option<Read> {
    let script = r"
import sys, json, email
from email import policy
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=policy.default)
parts, defects = [], len(m.defects)
for p in m.walk():
    defects += len(p.defects) + sum(len(v.defects) for v in p.values())
    if not p.is_multipart():
        c = p.get_content()
        parts.append([p.get_content_type(), c if isinstance(c, str) else p.get('Content-ID')])
print(json.dumps({'headers': [[k, str(v)] for k, v in m.items()], 'parts': parts, 'defects': defects}))
";
    let text = outside::python(script, &[], content)?;
    Some(serde_json::from_str(&text.replace("\\r\\n", "\\n")).unwrap())
}

#[test]
fn another_reader_sees_what_was_typed() {
    let content = mail(&stationery(|_| ()), &letter(), &ANN);
    let Some(read) = read_by_python(&content) else { return };
    assert_eq!(read.defects, 0, "{read:?}");
    let headers: BTreeMap<_, _> = read
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(headers["Subject"], "Wartung heute Nacht – 🔔 22:00");
    assert_eq!(headers["From"], "\"Betrieb, Köln\" <bell@example.com>");
    assert_eq!(headers["To"], "\"Ann \\\"the\\\" O'Neil, PhD\" <ann@example.org>");
    assert_eq!(headers["Date"], "Sun, 22 Nov 2026 10:00:00 +0000");
    let kinds: Vec<&str> = read.parts.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["text/plain", "text/html"]);
    let (text, html) = (&read.parts[0].1, &read.parts[1].1);
    assert!(
        text.contains("ab 22:00 antwortet das <Gateway> mit 503.\n\n- kurz\n- schön\n"),
        "{text}"
    );
    assert!(text.contains("\n.\n.dots at the beginning\n"), "{text}");
    assert!(
        html.contains("<strong>22:00</strong> antwortet das &lt;Gateway&gt;"),
        "{html}"
    );
}

#[test]
fn the_same_mail_as_text() {
    let content = mail(
        &stationery(|s| s.brand.footer = "Beispiel AG\nKöln".into()),
        &letter(),
        &ANN,
    );
    let Some(read) = read_by_python(&content) else { return };
    let text = read.parts[0].1.replace(&unsubscribe_token(&content), "TOKEN");
    insta::assert_snapshot!(text);
}

#[test]
fn the_same_mail_as_a_page() {
    let letter = Letter {
        importance: Importance::High,
        language: Some("de-AT"),
        ..letter()
    };
    let content = mail(
        &stationery(|s| s.brand.footer = "Beispiel <AG>\nKöln".into()),
        &letter,
        &ANN,
    );
    let Some(read) = read_by_python(&content) else { return };
    let html = read.parts[1].1.replace(&unsubscribe_token(&content), "TOKEN");
    insta::assert_snapshot!(html);
}

fn unsubscribe_token(content: &[u8]) -> String {
    let link = value(content, "List-Unsubscribe").unwrap();
    let token = link.split("/u/").nth(1).unwrap().split('>').next().unwrap();
    token.to_owned()
}

#[test]
fn the_headers_of_each_importance() {
    let stationery = stationery(|_| ());
    let all = [Importance::Low, Importance::High, Importance::Critical].map(|importance| {
        let content = mail(&stationery, &Letter { importance, ..letter() }, &ANN);
        let lines = head(&content)
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}\n"));
        format!("{importance:?}\n{}", lines.collect::<String>())
    });
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_critical_mail_cannot_be_unsubscribed_from_and_others_in_both_ways() {
    let stationery = stationery(|_| ());
    let content = mail(&stationery, &letter(), &ANN);
    assert_eq!(unsubscriber(&key(), &unsubscribe_token(&content)), Some(ANN.person));
    let link = value(&content, "List-Unsubscribe").unwrap();
    assert!(
        link.contains(", <mailto:u+") && link.ends_with("@bounce.example.com?subject=unsubscribe>"),
        "{link}"
    );
    assert_eq!(
        value(&content, "List-Unsubscribe-Post").as_deref(),
        Some("List-Unsubscribe=One-Click")
    );
    let critical = Letter {
        importance: Importance::Critical,
        ..letter()
    };
    let content = mail(&stationery, &critical, &ANN);
    assert!(
        head(&content)
            .iter()
            .all(|(name, _)| !name.starts_with("List-") && name != "Precedence")
    );
    assert!(!String::from_utf8_lossy(&content).contains("/u/"));
}

#[test]
fn every_try_is_the_same_mail_and_readers_differ_in_what_is_theirs() {
    let stationery = stationery(|_| ());
    let written = stationery.write(&letter());
    let ann = written.to(&ANN).unwrap();
    assert_eq!(ann, stationery.write(&letter()).to(&ANN).unwrap());
    let bob = written
        .to(&Reader {
            person: PersonId(43),
            name: "",
            address: "bob@example.org",
        })
        .unwrap();
    assert_ne!(ann.from, bob.from);
    assert_eq!(bob.to, "bob@example.org");
    let ids = [&ann, &bob].map(|mail| value(&mail.content, "Message-ID").unwrap());
    assert_eq!(
        ids[0],
        format!("<{}>", message_id(&key(), MessageId(7), ANN.person, "example.com"))
    );
    assert_ne!(ids[0], ids[1]);
    // Both bodies name their own reader's token, in the text and in the page, and nobody else's.
    let tokens = [&ann, &bob].map(|mail| unsubscribe_token(&mail.content));
    let plain = |content: &[u8]| String::from_utf8(content.to_vec()).unwrap().replace("=\r\n", "");
    assert_eq!(plain(&ann.content).matches(&tokens[0]).count(), 4);
    assert_eq!(plain(&bob.content).matches(&tokens[1]).count(), 4);
    assert!(!plain(&bob.content).contains(&tokens[0]));
}

#[test]
fn without_a_bounce_domain_the_sender_is_the_return_path() {
    let mail = stationery(|s| s.bounce_domain = None)
        .write(&letter())
        .to(&ANN)
        .unwrap();
    assert_eq!(mail.from, "bell@example.com");
    assert!(!value(&mail.content, "List-Unsubscribe").unwrap().contains("mailto:"));
}

#[test]
fn domains_are_written_in_ascii_and_names_before_them_as_they_are() {
    let written = stationery(|_| ()).write(&letter());
    let to = |address: &'static str| {
        written.to(&Reader {
            address,
            name: "",
            ..ANN
        })
    };
    assert_eq!(to("ann@bücher.example").unwrap().to, "ann@xn--bcher-kva.example");
    let mail = to("jörg@bücher.example").unwrap();
    assert_eq!(
        value(&mail.content, "To").as_deref(),
        Some("jörg@xn--bcher-kva.example")
    );
    for wrong in [
        "ann",
        "ann@",
        "a@b@c.example",
        "ann@example.org>\r\nRCPT TO:<x@example.org",
        "a\r\nBcc: b@example.org",
    ] {
        assert!(to(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_logo_travels_with_the_mail_or_is_linked() {
    let png = b"\x89PNG\r\n\x1a\nnot much of a picture".to_vec();
    let content = mail(
        &stationery(|s| s.brand.logo = Some(Logo::of_bytes(png).unwrap())),
        &letter(),
        &ANN,
    );
    let Some(read) = read_by_python(&content) else { return };
    assert_eq!(read.defects, 0);
    assert_eq!(read.parts[2], ("image/png".into(), "<logo@campanile>".into()));
    assert!(read.parts[1].1.contains("src=\"cid:logo@campanile\""));
    let link = Logo::Link("https://example.com/a.png?x=\"><script>".into());
    let content = mail(&stationery(|s| s.brand.logo = Some(link)), &letter(), &ANN);
    assert!(!read_by_python(&content).unwrap().parts[1].1.contains("<script>"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_that_is_typed_becomes_a_header(
        title in typed(), sender in typed(), name in typed(), list in typed(), product in typed(), text in typed(),
    ) {
        let stationery = stationery(|s| {
            s.brand.name.clone_from(&product);
            s.brand.footer.clone_from(&text);
        });
        let letter = Letter { title: &title, sender: &sender, list: &list, text: &text, ..letter() };
        let content = mail(&stationery, &letter, &Reader { name: &name, ..ANN });
        let names: Vec<String> = head(&content).into_iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names, [
            "To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "From", "Subject", "Date", "MIME-Version",
            "Auto-Submitted", "X-Auto-Response-Suppress", "List-Id", "Precedence", "Content-Type",
        ]);
        // Every line is short, ends in CRLF, and is ASCII without controls.
        let text = String::from_utf8(content).unwrap();
        for line in text.split("\r\n") {
            prop_assert!(line.len() <= 998 && line.is_ascii(), "{:?}", line);
            prop_assert!(!line.contains(|c: char| c.is_control() && c != '\t'), "{:?}", line);
        }
    }
}

/// Texts as somebody types them who wants to break out.
fn typed() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\nBcc: victim@example.com\r\n".to_owned()),
        Just("\n\n<script>".to_owned()),
        Just("=?utf-8?q?=0D=0ABcc:_x?=".to_owned()),
        Just("\0\u{85}\u{2028}".to_owned()),
        Just("\" <a@b.example>, ".to_owned()),
        "[a-zäß€ .,;:@<>()\"\\\\]{0,30}",
        "[a-z]{0,400}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

// ------------------------------------------------------------------------------------------------ DKIM

fn signer(file: &str) -> Signer {
    let folder = crate::relay::certificate();
    let pem = std::fs::read_to_string(folder.with_file_name(file)).unwrap();
    Signer::new("example.com", "bell", &pem).unwrap()
}

/// Whether dkimpy finds the signature good, with this record in the DNS.
fn is_verified(content: &[u8], record: &(String, String)) -> Option<bool> {
    let script = r"
import sys, dkim
name, record = sys.argv[1].encode(), sys.argv[2].encode()
dns = lambda asked, timeout=5: record if asked.rstrip(b'.') == name else None
print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=dns))
";
    let said = outside::python(script, &[&record.0, &record.1], content)?;
    Some(said.trim() == "True")
}

#[test]
fn signatures_are_good_to_an_independent_library_until_something_changes() {
    for file in ["dkim-rsa.pem", "dkim-ed25519.pem"] {
        let record = signer(file).record();
        let stationery = stationery(|s| s.signer = Some(Arc::new(signer(file))));
        let content = mail(&stationery, &letter(), &ANN);
        let Some(verified) = is_verified(&content, &record) else {
            return;
        };
        assert!(verified, "{file}");
        let signature = value(&content, "DKIM-Signature").unwrap();
        assert!(
            signature.contains("List-Unsubscribe:  List-Unsubscribe-Post"),
            "{signature}"
        );
        let text = String::from_utf8(content).unwrap();
        for (from, to) in [
            ("bell@example.com>", "bell@example.net>"),
            ("One-Click", "No-Click"),
            ("Guten Abend", "Guten Morgen"),
            ("MIME-Version: 1.0", "MIME-Version: 1.1"),
        ] {
            assert!(text.contains(from), "{from}");
            assert_eq!(
                is_verified(text.replacen(from, to, 1).as_bytes(), &record),
                Some(false),
                "{file} {from}"
            );
        }
        // What a relay may do to it: other folds, and empty lines at the end.
        let relayed = text.replacen("MIME-Version: 1.0", "MIME-Version:  1.0 ", 1) + "\r\n\r\n";
        assert_eq!(is_verified(relayed.as_bytes(), &record), Some(true), "{file}");
    }
}

#[test]
fn a_critical_mail_without_unsubscribing_is_signed_too() {
    let stationery = stationery(|s| s.signer = Some(Arc::new(signer("dkim-ed25519.pem"))));
    let critical = Letter {
        importance: Importance::Critical,
        ..letter()
    };
    let content = mail(&stationery, &critical, &ANN);
    let record = signer("dkim-ed25519.pem").record();
    assert_ne!(is_verified(&content, &record), Some(false));
    assert!(!stationery.signs_slowly() && signer("dkim-rsa.pem").is_slow());
}

// ------------------------------------------------------------------------------------------------ Postfix

/// A free port of the loopback address.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::test]
async fn postfixs_sink_takes_them_all() {
    let port = free_port();
    let Some(mut sink) = outside::smtp_sink() else { return };
    let _sink = outside::Running::start(sink.args([&format!("127.0.0.1:{port}"), "100"]));
    let relay = Relay::parse(&format!("smtp://127.0.0.1:{port}")).unwrap();
    let options = Options {
        relay,
        times: Times::default(),
        hello: "campanile.test".into(),
        tls: verifying(None).unwrap(),
        connections: 8,
        reserved: 2,
    };
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let pool = Pool::new(options, tasks.clone(), stop.clone());
    let written = stationery(|_| ()).write(&letter());
    let people: Vec<String> = (0..1_000).map(|number| format!("p{number}@example.org")).collect();
    let mut now = Moment(0);
    let mut left: Vec<usize> = (0..people.len()).collect();
    // Until it listens the relay is in trouble, and everybody is asked to come again: so they do.
    let all = async {
        while !left.is_empty() {
            let sending = left.iter().map(|number| {
                let reader = Reader {
                    person: PersonId(*number as i64),
                    name: "",
                    address: &people[*number],
                };
                let mail = written.to(&reader).unwrap();
                pool.send(
                    Mail {
                        from: mail.from,
                        to: mail.to,
                        content: mail.content,
                        lane: Lane::Normal,
                        dot: Arc::default(),
                    },
                    now,
                )
            });
            let outcomes = futures_util::future::join_all(sending).await;
            let mut again = Vec::new();
            for (number, outcome) in left.iter().zip(outcomes) {
                match outcome {
                    Outcome::Done { .. } => {}
                    Outcome::Relay { retry_at, .. } => {
                        now = now.max(retry_at);
                        again.push(*number);
                    }
                    other => panic!("{other:?}"),
                }
            }
            left = again;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), all)
        .await
        .expect("all are taken");
    stop.cancel();
    tasks.close();
    tasks.wait().await;
}
