//! Entity tags of what belongs to one person (RFC 9110, section 8.8.3).
//!
//! A tag says two things: which content it was, and at which state of the database it was computed and until when that
//! stands without a write. Where the database has not moved since, 304 costs no read at all; where it has, the content
//! is computed and compared.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use campanile_core::id::PersonId;
use campanile_core::time::Moment;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use crate::app::App;
use crate::bell;

/// A tag, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    content: String,
    boot: u64,
    version: u64,
    person: i64,
    place: u64,
    stands_until: i64,
}

/// What an answer is about and rests on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Basis {
    /// Whose it is.
    pub(super) person: PersonId,
    /// Which list, and which page of it.
    pub(super) place: u64,
    /// [`bell::state`], read before the content.
    pub(super) version: Option<u64>,
    /// Without a write the content stands until then.
    pub(super) stands_until: Moment,
}

impl Tag {
    fn parse(text: &str) -> Option<Self> {
        let inside = text
            .trim()
            .strip_prefix("W/")
            .unwrap_or(text.trim())
            .strip_prefix('"')?
            .strip_suffix('"')?;
        let mut parts = inside.split('.');
        let tag = Self {
            content: parts.next()?.to_owned(),
            boot: u64::from_str_radix(parts.next()?, 16).ok()?,
            version: parts.next()?.parse().ok()?,
            person: parts.next()?.parse().ok()?,
            place: u64::from_str_radix(parts.next()?, 16).ok()?,
            stands_until: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(tag)
    }

    fn text(&self) -> String {
        let Self {
            content,
            boot,
            version,
            person,
            place,
            stands_until,
        } = self;
        format!("W/\"{content}.{boot:x}.{version}.{person}.{place:x}.{stands_until}\"")
    }

    /// Whether nothing was written since, and no window opened or closed.
    pub(super) fn stands(&self, app: &App, now: Moment) -> bool {
        self.boot == app.boot
            && bell::state(app, PersonId(self.person)) == Some(self.version)
            && now.0 < self.stands_until
    }
}

/// The tags that the client has.
#[derive(Debug)]
pub(super) struct Given(Option<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for Given {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.headers.get(header::IF_NONE_MATCH).cloned()))
    }
}

impl Given {
    /// The tag of this person and place.
    pub(super) fn of(&self, person: PersonId, place: u64) -> Option<Tag> {
        let tags = self.0.as_ref()?.to_str().ok()?;
        tags.split(',')
            .filter_map(Tag::parse)
            .find(|tag| tag.person == person.0 && tag.place == place)
    }
}

/// 304 with the tag.
pub(super) fn not_modified(tag: &Tag) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    put(&mut response, tag);
    response
}

/// Headers of an answer, with those that every one has: room is made once.
const HEADERS: usize = 8;

/// The body as JSON, or 304 where the client has just that. `content` is a number for what the body says.
pub(super) fn answer(
    app: &App,
    json: impl FnOnce() -> Vec<u8>,
    content: u64,
    known: Option<&Tag>,
    basis: Basis,
) -> Response {
    let tag = Tag {
        content: format!("{content:016x}"),
        boot: app.boot,
        version: basis.version.unwrap_or(0),
        person: basis.person.0,
        place: basis.place,
        stands_until: basis.stands_until.0,
    };
    if known.is_some_and(|known| known.content == tag.content) {
        return not_modified(&tag);
    }
    let media_type = HeaderValue::from_static("application/json");
    let mut response = ([(header::CONTENT_TYPE, media_type)], json()).into_response();
    put(&mut response, &tag);
    response
}

/// A number for what is hashed: it tells contents apart for one person, and nobody gains by making two alike.
pub(super) fn content_of(hash: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash.hash(&mut hasher);
    hasher.finish()
}

fn put(response: &mut Response, tag: &Tag) {
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(tag.text())) {
        headers.insert(header::ETAG, value);
    }
    // The person's own; to be asked for again each time.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Authorization, Cookie"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_reads_what_it_wrote() {
        let tag = Tag {
            content: "0a1b".into(),
            boot: 7,
            version: 12,
            person: 3,
            place: 9,
            stands_until: i64::MAX,
        };
        assert_eq!(Tag::parse(&tag.text()), Some(tag));
    }

    #[test]
    fn somebody_elses_tag_is_none() {
        for text in [
            "*",
            "\"abc\"",
            "W/\"a.b.c.d.e\"",
            "",
            "\"a.1.1.1.1\"",
            "\"a.1.1.1.1.1.1\"",
        ] {
            assert_eq!(Tag::parse(text), None, "{text}");
        }
    }
}
