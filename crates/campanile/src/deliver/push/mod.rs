//! What is told to a device, and the headers of RFC 8030. Pure, but for the encryption's key pair.
//!
//! The shape is that of Declarative Web Push (webkit.org/blog/16535). Safari alone gets the number by which that is
//! known, and shows it by itself: it ends subscriptions whose service worker shows nothing. Any other browser hands it
//! to our service worker, which does what no declaration can: take away, gather, and show nothing to who is looking.
//!
//! Each message has a topic of its own, so that a push service that still holds an older word on it drops that, and a
//! tag of the same name, by which the device replaces what it shows. A device that was not heard of while several
//! messages came gets a summary instead of the next, under one topic: whoever comes back finds a few notifications and
//! not a hundred. (Google's service keeps four topics a device.) Critical messages are never part of it.

pub mod encrypt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use campanile_core::id::MessageId;
use campanile_core::markup;
use campanile_core::message::{self, Importance};
use campanile_core::outbox::push::ToPush;
use campanile_core::secret::InstallationKey;
use campanile_core::time::Moment;
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use super::mail::words::Words;

/// Messages that a device is told one by one; after these, while it was not heard of, a summary.
pub const ONE_BY_ONE: i64 = 3;
/// Safari's push service is below this name.
const SAFARI: &str = ".push.apple.com";
/// Characters of a title and of a text.
const TITLE_CHARS: usize = 120;
const BODY_CHARS: usize = 240;

/// A push message, not yet encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What the device gets: JSON.
    pub text: String,
    /// Replaces what the push service holds of the same topic.
    pub topic: String,
    /// Whether it may wake the device: `normal` or `high`.
    pub urgency: &'static str,
    /// Seconds for which the push service keeps it.
    pub ttl: i64,
}

/// The note for a push. `origin` is where the pages of this installation are.
#[must_use]
pub fn note(key: &InstallationKey, origin: &str, message: MessageId, to_push: &ToPush, now: Moment) -> Note {
    let words = Words::of(to_push.language.as_deref());
    let own_topic = topic(key, &message.0.to_be_bytes());
    let is_declared = to_push.endpoint.domain().is_some_and(|name| name.ends_with(SAFARI));
    let ttl = (to_push.until.0 - now.0).div_euclid(1_000).max(0);
    // Also for a device that finds several that waited for it.
    let summary = words.text("push-more", &to_push.unread.to_string());
    let said = |title: &str, body: &str, navigate: String, tag: &str, kind: &str, stays: bool| {
        let mut said = json!({
            "notification": {
                "title": title,
                "body": body,
                "navigate": navigate,
                "tag": tag,
                "lang": words.tag(),
                "requireInteraction": stays,
                "data": {"kind": kind, "message": message, "sent_at": now, "summary": summary},
            },
            // Where the Push API's draft has it.
            "app_badge": to_push.unread,
        });
        if is_declared {
            said["web_push"] = json!(8030);
            // Where webkit.org has it.
            said["notification"]["app_badge"] = json!(to_push.unread.to_string());
        }
        said.to_string()
    };
    let Some(shown) = &to_push.shown else {
        let title = words.text("push-recalled", "");
        return Note {
            text: said(&title, "", format!("{origin}/inbox"), &own_topic, "recalled", false),
            topic: own_topic,
            urgency: "normal",
            ttl,
        };
    };
    let title = message::name(&shown.title, shown.format, &shown.text);
    let title: String = title.chars().take(TITLE_CHARS).collect();
    let is_critical = shown.importance == Importance::Critical;
    let urgency = if shown.importance == Importance::Low {
        "normal"
    } else {
        "high"
    };
    if to_push.pushed >= ONE_BY_ONE && to_push.unread > 1 && !is_critical {
        let more = topic(key, b"more");
        return Note {
            text: said(&summary, &title, format!("{origin}/inbox"), &more, "more", false),
            topic: more,
            urgency,
            ttl,
        };
    }
    let body = if shown.title.is_empty() {
        String::new()
    } else {
        markup::excerpt(shown.format, &shown.text, BODY_CHARS)
    };
    let navigate = format!("{origin}/inbox/{message}");
    Note {
        text: said(&title, &body, navigate, &own_topic, "message", is_critical),
        topic: own_topic,
        urgency,
        ttl,
    }
}

/// A name of 22 characters that tells push services nothing (RFC 8030, section 5.4: at most 32 of base64url).
fn topic(key: &InstallationKey, of: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&key.derive("push topic", &[of])[..16])
}

/// The headers of a push.
#[must_use]
pub fn headers(note: &Note, authorization: &str) -> Option<HeaderMap> {
    let value = |text: &str| HeaderValue::from_str(text).ok();
    let mut headers = HeaderMap::with_capacity(8);
    let mut authorization = value(authorization)?;
    authorization.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, authorization);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"));
    headers.insert("ttl", value(&note.ttl.to_string())?);
    headers.insert("urgency", HeaderValue::from_static(note.urgency));
    headers.insert("topic", value(&note.topic)?);
    Some(headers)
}
