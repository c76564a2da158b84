//! Events as bytes: written once, whoever gets them. Each is a chunk of its own (RFC 9112, section 7.1), since HTTP has
//! left the stream by then.

use std::fmt::Write as _;

use bytes::Bytes;
use campanile_core::inbox::live::Tally;
use campanile_core::inbox::{Counted, Counts, Listed};
use campanile_core::markup;
use campanile_core::message::Importance;
use serde::Serialize;

/// Characters of a text that an event brings along.
const EXCERPT_CHARS: usize = 160;

/// A message that moved.
#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    /// Which.
    id: i64,
    /// `there`: it stands in inbox or at the top of pages, new or changed. `gone`: it does not any more.
    change: &'static str,
    #[serde(flatten)]
    there: Option<There<'a>>,
}

/// What is told of a message that is there.
#[derive(Debug, Serialize)]
struct There<'a> {
    /// The bell rings for it: it is new, or its sender wants it looked at again.
    rings: bool,
    title: &'a str,
    /// The beginning of the text, without formatting.
    excerpt: String,
    sender_name: &'a str,
    importance: Importance,
    edition: i64,
    /// It has a banner.
    banner: bool,
    /// It is in no inbox.
    banner_only: bool,
}

impl<'a> Message<'a> {
    pub(super) fn there(listed: &'a Listed, rings: bool) -> Self {
        let (shown, state) = (listed.shared(), listed.state());
        Self {
            id: shown.id.0,
            change: "there",
            there: Some(There {
                rings,
                title: &shown.title,
                excerpt: markup::excerpt(shown.format, &shown.text, EXCERPT_CHARS),
                sender_name: &shown.sender_name,
                importance: listed.importance(),
                edition: shown.edition,
                banner: state.has_banner,
                banner_only: state.banner_only,
            }),
        }
    }

    pub(super) const fn gone(id: i64) -> Self {
        Self {
            id,
            change: "gone",
            there: None,
        }
    }
}

/// A person's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Numbers {
    #[serde(flatten)]
    counts: Counts,
    /// Banners that stand.
    banners: usize,
}

impl Numbers {
    pub(super) fn of(counted: &Counted) -> Self {
        Self {
            counts: counted.counts,
            banners: counted.banners.as_ref().map_or(0, |banners| banners.total),
        }
    }

    pub(super) const fn tallied(tally: &Tally) -> Self {
        Self {
            counts: tally.counts,
            banners: tally.banners,
        }
    }
}

/// The first event.
#[derive(Debug, Serialize)]
pub(super) struct Hello {
    /// Everything that was missed since `Last-Event-ID` follows; else what is shown has to be asked for again.
    pub(super) resumed: bool,
    #[serde(flatten)]
    pub(super) numbers: Numbers,
}

/// The last event.
#[derive(Debug, Serialize)]
struct Bye {
    after_ms: u64,
}

/// An event; with an id where what follows it can be asked for.
pub(super) fn event(name: &str, id: Option<i64>, data: &impl Serialize) -> Bytes {
    let mut text = String::with_capacity(256);
    if let Some(id) = id {
        let _ = writeln!(text, "id: {id}");
    }
    let json = serde_json::to_string(data).expect("texts and numbers always serialise");
    let _ = write!(text, "event: {name}\ndata: {json}\n\n");
    chunk(&text)
}

/// Says when to come back, also to a client that knows no such event, and ends the body.
pub(super) fn bye(after_ms: u64) -> Bytes {
    let json = serde_json::to_string(&Bye { after_ms }).expect("numbers always serialise");
    let mut bytes = chunk(&format!("retry: {after_ms}\nevent: bye\ndata: {json}\n\n")).to_vec();
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes.into()
}

/// A comment: it keeps proxies from ending what is quiet, and finds out who has gone.
pub(super) fn beat() -> Bytes {
    Bytes::from_static(b"3\r\n:\n\n\r\n")
}

fn chunk(text: &str) -> Bytes {
    format!("{:x}\r\n{text}\r\n", text.len()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_chunk_of_its_length() {
        let bytes = event("counts", Some(7), &serde_json::json!({"a": "é\n"}));
        let body = "id: 7\nevent: counts\ndata: {\"a\":\"é\\n\"}\n\n";
        assert_eq!(bytes, format!("{:x}\r\n{body}\r\n", body.len()));
    }

    #[test]
    fn the_last_event_ends_the_body() {
        let bytes = bye(1_500);
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(
            text.starts_with("30\r\nretry: 1500\nevent: bye\ndata: {\"after_ms\":1500}\n\n\r\n"),
            "{text}"
        );
        assert!(text.ends_with("\r\n0\r\n\r\n"), "{text}");
    }
}
