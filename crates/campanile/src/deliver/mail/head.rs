//! The headers of a mail. What a person typed passes `clean` first; lettre encodes it (RFC 2047) and folds the lines.

use std::time::{Duration, UNIX_EPOCH};

use campanile_core::id::MessageId;
use campanile_core::message::Importance;
use campanile_core::time::Moment;
use lettre::Address;
use lettre::message::header::{self, HeaderName, HeaderValue, Headers};
use lettre::message::{Mailbox, Mailboxes};

use super::{Letter, Reader, Stationery, clean, token};

/// Characters of a subject and of a name at most. A header's line is broken between words alone, and has at most 998
/// bytes (RFC 5322, section 2.1.1).
const SUBJECT_CHARS: usize = 250;
const NAME_CHARS: usize = 120;

/// The headers that are the same for all readers, but for those of the body.
pub(super) fn of_letter(stationery: &Stationery, letter: &Letter<'_>) -> String {
    let own = &stationery.from;
    let sender = [letter.sender, &own.name, &stationery.brand.name];
    let sender = sender
        .iter()
        .map(|name| clean::line(name, NAME_CHARS))
        .find(|name| !name.is_empty());
    let mut headers = Headers::new();
    headers.set(header::From::from(mailboxes(sender, &own.address)));
    headers.set(header::Subject::from(subject(letter.title)));
    headers.set(header::Date::from(UNIX_EPOCH + since_epoch(letter.at)));
    headers.set(header::MIME_VERSION_1_0);
    let mut raw = |name: &'static str, value: String| {
        headers.insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
    };
    // Answering machines, ours among them, leave it alone (RFC 3834; the second is Exchange's).
    raw("Auto-Submitted", "auto-generated".into());
    raw("X-Auto-Response-Suppress", "All".into());
    let (importance, priority) = match letter.importance {
        Importance::Low => ("", ""),
        Importance::High => ("high", "2 (High)"),
        Importance::Critical => ("high", "1 (Highest)"),
    };
    if !importance.is_empty() {
        raw("Importance", importance.into());
        raw("X-Priority", priority.into());
    }
    if letter.importance != Importance::Critical {
        let list = clean::label(letter.list, "all");
        raw("List-Id", format!("<announcements.{list}.{}>", own.domain()));
        raw("Precedence", "bulk".into());
    }
    headers.to_string()
}

fn subject(title: &str) -> String {
    let subject = clean::line(title, SUBJECT_CHARS);
    if subject.is_empty() { "–".into() } else { subject }
}

fn since_epoch(at: Moment) -> Duration {
    // The year 9999 ends here: a date of a mail has four digits.
    const LAST_MS: i64 = 253_402_300_799_000;
    Duration::from_millis(at.0.clamp(0, LAST_MS) as u64)
}

fn mailboxes(name: Option<String>, address: &str) -> Mailboxes {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    // `routable` has judged it; lettre would refuse what some providers give out (two dots in a row).
    let address = Address::new_dangerous(local, domain);
    Mailboxes::new().with(Mailbox::new(name, address))
}

/// The headers that are the reader's own.
pub(super) fn of_reader(stationery: &Stationery, message: MessageId, reader: &Reader<'_>, to: &str) -> String {
    let name = clean::line(reader.name, NAME_CHARS);
    let mut headers = Headers::new();
    headers.set(header::To::from(mailboxes(
        Some(name).filter(|name| !name.is_empty()),
        to,
    )));
    let mut head = headers.to_string();
    let id = token::message_id(&stationery.key, message, reader.person, stationery.from.domain());
    for part in ["Message-ID: <", &id, ">\r\n"] {
        head.push_str(part);
    }
    head
}

/// How to unsubscribe: by a page, by one click without it (RFC 8058), and by mail where mail is taken in (RFC 2369).
pub(super) fn unsubscribing(head: &mut String, link: &str, token: &str, mail_domain: Option<&str>) {
    head.push_str("List-Unsubscribe: <");
    head.push_str(link);
    head.push('>');
    if let Some(domain) = mail_domain {
        for part in [",\r\n <mailto:u+", token, "@", domain, "?subject=unsubscribe>"] {
            head.push_str(part);
        }
    }
    head.push_str("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
}
