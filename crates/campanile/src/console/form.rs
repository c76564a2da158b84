//! What a page is asked with: the parameters of its address, and the fields of a form.
//!
//! Both are texts by name, several of a name allowed. What they mean is for the rules to say, in words for people.

use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::header;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::{Kind, Problem};

/// Texts by name, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

/// Fields of one form at most: a form of ours has fewer.
const MOST: usize = 2_000;

impl Fields {
    /// Out of `application/x-www-form-urlencoded`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let fields: Vec<(String, String)> = form_urlencoded::parse(bytes).into_owned().take(MOST + 1).collect();
        if fields.len() > MOST {
            return Err(Problem::new(Kind::TooLarge, "the form has too many fields"));
        }
        if fields
            .iter()
            .any(|(name, value)| name.contains('\0') || value.contains('\0'))
        {
            return Err(Problem::new(
                Kind::Malformed,
                "a field holds the character U+0000, which is not allowed",
            ));
        }
        Ok(Self(fields))
    }

    /// Out of names and texts.
    #[must_use]
    pub(super) fn of<const N: usize>(fields: [(&str, String); N]) -> Self {
        Self(fields.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// Puts one text in the place of all of a name.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(at, _)| at != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// The first text of a name, trimmed; empty where there is none.
    #[must_use]
    pub(super) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default().trim()
    }

    /// The same; `None` where it is empty.
    #[must_use]
    pub(super) fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// A text as it was typed, with the line breaks of a form (CR LF) as plain ones.
    #[must_use]
    pub(super) fn text(&self, name: &str) -> String {
        self.all(name).next().unwrap_or_default().replace("\r\n", "\n")
    }

    /// All texts of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let of_name = self.0.iter().filter(move |(at, _)| at == name);
        of_name.map(|(_, value)| value.as_str())
    }

    /// All of them, as they came.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a box is ticked, or a button of that name was pressed.
    #[must_use]
    pub(super) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

/// The parameters after `?`.
#[derive(Debug, Clone)]
pub(super) struct Asked(pub(super) Fields);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Fields::read(parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }
}

/// The fields of a form that was sent. Its size is limited by the router.
#[derive(Debug, Clone)]
pub(super) struct Form(pub(super) Fields);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_form = request.headers().get(header::CONTENT_TYPE).is_some_and(|value| {
            value
                .as_bytes()
                .to_ascii_lowercase()
                .starts_with(b"application/x-www-form-urlencoded")
        });
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|_| Problem::new(Kind::TooLarge, "the form did not arrive whole, or is too large"))?;
        if !is_form && !body.is_empty() {
            return Err(Problem::new(Kind::MediaType, "send the fields of a form"));
        }
        Fields::read(&body).map(Self)
    }
}

/// The variable parts of a page's address. Where they are none that such an address has, there is no such page.
#[derive(Debug, Clone)]
pub(super) struct Path<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        let missing = |_| Problem::new(Kind::Missing, "there is nothing at this address");
        read.map(|axum::extract::Path(read)| Self(read)).map_err(missing)
    }
}

/// Whether an address is one of this server's own pages, so that a log-in may lead there.
#[must_use]
pub(super) fn is_own(address: &str) -> bool {
    let mut chars = address.chars();
    chars.next() == Some('/') && !matches!(chars.next(), Some('/' | '\\')) && !address.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_texts_by_name() {
        let fields = Fields::read(b"to=a&to=b+c&text=x%0D%0Ay&empty=+").unwrap();
        assert_eq!(fields.all("to").collect::<Vec<_>>(), ["a", "b c"]);
        assert_eq!(fields.text("text"), "x\ny");
        assert_eq!(
            (fields.some("empty"), fields.has("empty"), fields.has("other")),
            (None, true, false)
        );
    }

    #[test]
    fn what_no_form_of_ours_sends_is_refused() {
        assert!(Fields::read(b"a=%00").is_err());
        assert!(Fields::read("a&".repeat(3_000).as_bytes()).is_err());
    }

    #[test]
    fn only_own_addresses_are_led_to() {
        assert!(is_own("/inbox?view=unread"));
        for foreign in [
            "",
            "inbox",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\n/x",
        ] {
            assert!(!is_own(foreign), "{foreign}");
        }
    }
}
