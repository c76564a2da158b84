//! What a handler takes from a request, and how it says that something was made.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, Uri, header};
use serde::Serialize;

use crate::app::App;
use crate::problem::{Kind, Problem};

/// The parameters after `?`, their names in whatever case; pairs of nothing are no parameters.
#[derive(Debug, Clone)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Of an address.
    pub(super) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The first parameter of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(at, _)| at.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter that is `true` or `false`, in whatever case. Anything else is refused.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        let flag = |value: &str| match value {
            value if value.eq_ignore_ascii_case("true") => Some(true),
            value if value.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        };
        self.read(name, flag, "must be true or false")
    }

    /// A parameter that is a whole number, not below 0. Anything else is refused.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.read(name, number, "must be a whole number")
    }

    fn read<T>(&self, name: &str, read: impl Fn(&str) -> Option<T>, why: &str) -> Result<Option<T>, Problem> {
        let wrong = || Problem::new(Kind::Malformed, format!("{name} {why}"));
        self.get(name).map(|value| read(value).ok_or_else(wrong)).transpose()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri))
    }
}

fn number(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// The number in a path. What is no id of 31 bits is of nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Id(pub(super) i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Text(text) = Text::from_request_parts(parts, state).await?;
        let id = number(&text).filter(|id| (1..=i64::from(i32::MAX)).contains(id));
        id.map(Self).ok_or_else(nothing)
    }
}

/// The one parameter of a path.
#[derive(Debug, Clone)]
pub(super) struct Text(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Text {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| nothing())
    }
}

fn nothing() -> Problem {
    Problem::new(Kind::Missing, "there is nothing at this address")
}

/// The answer to what was made: 201, with its address.
pub(super) fn created(app: &App, path: &str, body: &impl Serialize) -> Response {
    let location = format!("{}{path}", app.origin);
    (StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::of(&format!("/v3/messages?{text}").parse().unwrap())
    }

    #[test]
    fn names_are_of_any_case_and_pairs_of_nothing_are_none() {
        let query = query("&&CustomerID=7&Active=TRUE&");
        assert_eq!(query.number("customerId").unwrap(), Some(7));
        assert_eq!(query.flag("active").unwrap(), Some(true));
        assert_eq!(query.get("auth_ticket"), None);
        assert_eq!(query.0.len(), 2);
    }

    #[test]
    fn what_is_no_flag_and_no_number_is_refused() {
        for text in ["active=", "active=1", "active=yes", "active=true%00"] {
            let told = query(text).flag("active").unwrap_err();
            assert_eq!(
                (told.kind, told.detail.as_str()),
                (Kind::Malformed, "active must be true or false")
            );
        }
        for text in [
            "id=",
            "id=-1",
            "id=+1",
            "id=1.5",
            "id=99999999999999999999",
            "id=%C3%A9",
        ] {
            assert_eq!(query(text).number("id").unwrap_err().kind, Kind::Malformed, "{text}");
        }
    }
}
