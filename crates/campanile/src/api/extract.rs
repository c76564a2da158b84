//! What a handler takes from a request: JSON, query and path, each refused as a [`Problem`] that names the field.
//!
//! Sizes are limited by the router's `DefaultBodyLimit`; the pace of a body by [`crate::serve`]. What is wrong is
//! said in the words of [`crate::misread`]. U+0000 is refused everywhere.

use axum::extract::rejection::{BytesRejection, FailedToBufferBody, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use campanile_core::Error;
use http::request::Parts;
use http::{HeaderMap, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::misread;
use crate::problem::{Kind, Problem};
use crate::serve::BodyStalled;

/// A JSON body (RFC 8259), read into `T`; as an answer, `T` written as JSON.
///
/// Refused with 415 unless its type is `application/json` or ends in `+json`, 413 when too large, 408 when it stops
/// arriving, and 400 with the path of the field when it is not JSON or not a `T`.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "send the body as JSON, with the header `Content-Type: application/json`";
            return Err(Problem::new(Kind::MediaType, detail));
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|error| body_problem(&error))?;
        read_json(&body).map(Json)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A JSON body as the contracts of others take it, read into `T`. Its type may be spelt in any case, and left away;
/// another one is refused with 415.
///
/// Fields that `T` does not know are nothing to it. One that may be left out is an `Option`, and null is as good as
/// left out.
#[derive(Debug, Clone, Copy)]
pub struct LooseJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for LooseJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read_json(&loose_bytes(request, state).await?).map(Self)
    }
}

/// As [`LooseJson`], where a body that is left out, or null, is nothing that is refused here.
#[derive(Debug, Clone, Copy)]
pub struct SomeJson<T>(pub Option<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for SomeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = loose_bytes(request, state).await?;
        if body.trim_ascii().is_empty() {
            return Ok(Self(None));
        }
        read_json(&body).map(Self)
    }
}

async fn loose_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let is_json = is_loosely_json(request.headers());
    let body = Bytes::from_request(request, state).await;
    let body = body.map_err(|error| body_problem(&error))?;
    if !is_json && !body.is_empty() {
        let detail = "send the body as JSON, with the header Content-Type: application/json";
        return Err(Problem::new(Kind::MediaType, detail));
    }
    Ok(body)
}

/// Whether a body is JSON by its type, or says none.
fn is_loosely_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    let essence = essence.trim();
    essence.eq_ignore_ascii_case("application/json") || essence.eq_ignore_ascii_case("text/json")
}

/// The parameters after `?`, read into `T`; refused with 400 and the parameter's name.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        no_nul_in(parts.uri.query().unwrap_or_default())?;
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|error| query_problem(&error))
    }
}

/// The parameters in the path, read into `T`; refused with 400 and the parameter's name.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        no_nul_in(parts.uri.path())?;
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        let path = path.map_err(|error| {
            let route = parts.extensions.get::<MatchedPath>();
            path_problem(error, route.and_then(|route| only_parameter(route.as_str())))
        })?;
        Ok(Self(path.0))
    }
}

/// What became of a body that could not be read whole: 413 when it is too large, and else as [`body_error_problem`].
#[must_use]
pub fn body_problem(rejection: &BytesRejection) -> Problem {
    if let BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) = rejection {
        return Problem::new(Kind::TooLarge, "the body is larger than this address takes");
    }
    body_error_problem(rejection)
}

/// What became of a body that is read as a stream, piece by piece: 408 when it stopped arriving, else 400.
#[must_use]
pub fn body_error_problem(error: &(dyn std::error::Error + 'static)) -> Problem {
    if causes(error).any(<dyn std::error::Error>::is::<BodyStalled>) {
        Problem::new(Kind::SlowRequest, "the rest of the body did not arrive in time")
    } else {
        Problem::new(Kind::Malformed, "the body did not arrive whole")
    }
}

/// An error, what caused it, what caused that.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// Reads JSON into `T`, as [`Json`] does.
///
/// # Errors
/// A [`Problem`] of kind [`Kind::Malformed`], with the path of the field.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    misread::json(body).map_err(|wrong| {
        let reason = wrong.with_place();
        if wrong.field.is_empty() {
            Problem::at(Kind::Malformed, "", format!("the body {reason}"))
        } else {
            Problem::at(Kind::Malformed, wrong.field, reason)
        }
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence
        .strip_prefix("application/")
        .is_some_and(|subtype| subtype == "json" || subtype.strip_suffix("+json").is_some_and(|name| !name.is_empty()))
}

fn no_nul_in(encoded: &str) -> Result<(), Problem> {
    if encoded.contains("%00") {
        Err(Problem::at(
            Kind::Malformed,
            "",
            "the address contains the character U+0000, which is not allowed",
        ))
    } else {
        Ok(())
    }
}

fn query_problem(rejection: &QueryRejection) -> Problem {
    type Located = serde_path_to_error::Error<serde::de::value::Error>;
    match causes(rejection).find_map(|cause| cause.downcast_ref::<Located>()) {
        Some(located) => {
            let mut wrong = misread::misfit(misread::path_of(located.path()), &located.inner().to_string());
            if wrong.field == "limit" && wrong.reason.contains("number") {
                wrong.reason = limit_words(PAGE_MOST);
            }
            Problem::at(Kind::Malformed, wrong.field, wrong.reason)
        }
        None => Problem::at(Kind::Malformed, "", "the parameters after `?` cannot be read"),
    }
}

/// `only` is the name of the parameter where the route has one: of one alone the reader forgets the name.
fn path_problem(rejection: PathRejection, only: Option<&str>) -> Problem {
    use axum::extract::path::ErrorKind;
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return Problem::internal("a handler takes path parameters, and its route has none");
    };
    let wrong = |field: &str, words: &str| {
        let wrong = misread::misfit(field.to_owned(), words);
        Problem::at(Kind::Malformed, wrong.field, wrong.reason)
    };
    let of_type = |field: &str, expected: &str| wrong(field, &format!("invalid type: string, expected {expected}"));
    let only = only.unwrap_or_default();
    match failed.into_kind() {
        ErrorKind::ParseErrorAtKey { key, expected_type, .. } => of_type(&key, expected_type),
        ErrorKind::ParseError { expected_type, .. } | ErrorKind::ParseErrorAtIndex { expected_type, .. } => {
            of_type(only, expected_type)
        }
        ErrorKind::DeserializeError { key, message, .. } => wrong(&key, &message),
        ErrorKind::InvalidUtf8InPathParam { key } => Problem::at(Kind::Malformed, key, "is not UTF-8"),
        ErrorKind::Message(message) => wrong(only, &message),
        other => Problem::internal(other),
    }
}

/// The name of a route's parameter, where it has one alone.
fn only_parameter(route: &str) -> Option<&str> {
    let mut names = route.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let only = names.next();
    only.filter(|_| names.next().is_none())
}

/// How many items a page shall have: what is asked for, or `usual`. It is told where it is not from 1 to `most`.
///
/// # Errors
/// [`Error::Invalid`] of the field `limit`.
pub fn limit(asked: Option<i64>, usual: usize, most: usize) -> Result<usize, Error> {
    let Some(asked) = asked else { return Ok(usual) };
    let fits = usize::try_from(asked).ok().filter(|limit| (1..=most).contains(limit));
    fits.ok_or_else(|| Error::field("limit", limit_words(most)))
}

/// Items of a page at most, of every list.
const PAGE_MOST: usize = 100;

fn limit_words(most: usize) -> String {
    format!("must be a whole number from 1 to {most}")
}

/// The number that a list gave as `next`.
///
/// # Errors
/// [`Error::Invalid`] of the field `cursor`: no list has given it.
pub fn cursor(given: Option<&str>) -> Result<Option<i64>, Error> {
    let number = |text: &str| text.parse().ok().filter(|number| *number >= 0);
    given
        .map(|text| number(text).ok_or_else(|| Error::field("cursor", NOT_GIVEN)))
        .transpose()
}

/// Of a cursor that no list has given.
const NOT_GIVEN: &str = "is not one that a list has given: send the `next` of the page before, as it is";

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Draft {
        #[expect(dead_code, reason = "only read into")]
        title: String,
    }

    #[test]
    fn a_body_that_cannot_be_read_is_told_as_a_whole_or_by_its_field() {
        let wrong = ["", "[", "7", "{}", r#"{"title":1}"#].map(|body| {
            let problem = read_json::<Draft>(body.as_bytes()).expect_err("must be refused");
            assert_eq!(problem.kind, Kind::Malformed);
            problem.detail
        });
        insta::assert_snapshot!(wrong.join("\n"));
    }

    #[test]
    fn a_page_is_held_to_its_bounds() {
        for (asked, page) in [(None, Some(20)), (Some(1), Some(1)), (Some(100), Some(100))] {
            assert_eq!(limit(asked, 20, 100).ok(), page);
        }
        for asked in [0, -1, 101, i64::MAX, i64::MIN] {
            let told = limit(Some(asked), 20, 100).unwrap_err().to_string();
            assert_eq!(told, "limit: must be a whole number from 1 to 100");
        }
    }

    #[test]
    fn a_cursor_is_one_that_was_given() {
        assert_eq!(cursor(None).ok(), Some(None));
        assert_eq!(cursor(Some("17")).ok(), Some(Some(17)));
        for garbage in ["", "-1", "x", "1.5", "99999999999999999999"] {
            let told = cursor(Some(garbage)).unwrap_err().to_string();
            assert!(told.starts_with("cursor: is not one that a list has given"), "{told}");
        }
    }

    #[test]
    fn a_parameter_that_is_alone_is_known_by_its_route() {
        assert_eq!(only_parameter("/a/{id}/b"), Some("id"));
        assert_eq!(only_parameter("/a/{id}/{action}"), None);
        assert_eq!(only_parameter("/a"), None);
    }

    #[test]
    fn json_is_known_by_its_type() {
        let of_type = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            is_json(&headers)
        };
        for yes in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/merge-patch+json",
        ] {
            assert!(of_type(yes), "{yes}");
        }
        for no in [
            "",
            "text/json",
            "application/jsonp",
            "application/+json",
            "application/x-www-form-urlencoded",
        ] {
            assert!(!of_type(no), "{no}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
