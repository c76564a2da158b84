//! What a handler takes from a request: JSON, query and path, each refused as a [`Problem`] that names the field.
//!
//! Sizes are limited by the router's `DefaultBodyLimit`; the pace of a body by [`crate::serve`]. U+0000 is refused
//! everywhere, since PostgreSQL cannot store it and nobody means it.

use axum::extract::rejection::{BytesRejection, FailedToBufferBody, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

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
        let path = axum::extract::Path::from_request_parts(parts, state)
            .await
            .map_err(path_problem)?;
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
    if body.is_empty() {
        return Err(Problem::at(Kind::Malformed, "", "the body is empty; JSON is expected"));
    }
    if has_escaped_nul(body) {
        return Err(Problem::at(
            Kind::Malformed,
            "",
            "a text contains the character U+0000, which is not allowed",
        ));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| Problem::at(Kind::Malformed, field_of(error.path()), error.inner().to_string()))?;
    json.end()
        .map_err(|error| Problem::at(Kind::Malformed, "", error.to_string()))?;
    Ok(value)
}

/// A path as a fault names it: the whole document is `.` to the reader, and a place between two fields is `?`.
fn field_of(path: &serde_path_to_error::Path) -> String {
    let path = path.to_string();
    if path == "." || path.ends_with('?') {
        String::new()
    } else {
        path
    }
}

/// Whether a JSON text holds the escape `\u0000`: four zeros after an `\u` whose backslash is not itself escaped.
#[must_use]
pub fn has_escaped_nul(json: &[u8]) -> bool {
    let found = json.windows(6).enumerate().filter(|(_, six)| six == b"\\u0000");
    found
        .into_iter()
        .any(|(at, _)| json[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0)
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
        Some(located) => Problem::at(Kind::Malformed, field_of(located.path()), located.inner().to_string()),
        None => Problem::at(Kind::Malformed, "", "the parameters after `?` cannot be read"),
    }
}

fn path_problem(rejection: PathRejection) -> Problem {
    use axum::extract::path::ErrorKind;
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return Problem::internal("a handler takes path parameters, and its route has none");
    };
    match failed.into_kind() {
        ErrorKind::ParseErrorAtKey { key, expected_type, .. } => {
            Problem::at(Kind::Malformed, key, format!("is not a value of type {expected_type}"))
        }
        ErrorKind::ParseError { expected_type, .. } | ErrorKind::ParseErrorAtIndex { expected_type, .. } => {
            Problem::at(
                Kind::Malformed,
                "",
                format!("the path holds something that is no {expected_type}"),
            )
        }
        ErrorKind::DeserializeError { key, message, .. } => Problem::at(Kind::Malformed, key, message),
        ErrorKind::InvalidUtf8InPathParam { key } => Problem::at(Kind::Malformed, key, "is not UTF-8"),
        ErrorKind::Message(message) => Problem::at(Kind::Malformed, "", message),
        other => Problem::internal(other),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Draft {
        #[expect(dead_code, reason = "only read into")]
        title: String,
        #[expect(dead_code, reason = "only read into")]
        #[serde(default)]
        audience: Vec<Selector>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Selector {
        #[expect(dead_code, reason = "only read into")]
        customer: i64,
    }

    fn complaint(body: &[u8]) -> String {
        let problem = read_json::<Draft>(body).expect_err("must be refused");
        assert_eq!(problem.kind, Kind::Malformed);
        problem.detail
    }

    #[test]
    fn the_field_is_named() {
        let wrong = [
            r#"{"title":"t","audience":[{"customer":1},{"customer":"x"}]}"#,
            r#"{"title":"t","audience":[{"customer":1,"role":"x"}]}"#,
            r#"{"title":"t","colour":1}"#,
            r#"{"audience":[]}"#,
            r#"{"title":"t","title":"u"}"#,
            "[]",
        ];
        insta::assert_snapshot!(wrong.map(|body| complaint(body.as_bytes())).join("\n"), @r#"
        audience[1].customer: invalid type: string "x", expected i64 at line 1 column 55
        audience[0].role: unknown field `role`, expected `customer` at line 1 column 45
        colour: unknown field `colour`, expected `title` or `audience` at line 1 column 21
        missing field `title` at line 1 column 15
        duplicate field `title` at line 1 column 20
        invalid length 0, expected struct Draft with 2 elements at line 1 column 2
        "#);
    }

    #[test]
    fn what_is_not_json_is_told_apart() {
        let wrong: [&[u8]; 7] = [
            b"",
            b"{",
            b"{} x",
            b"{\"title\":\"a\nb\"}",
            b"{\"title\":\"\xff\"}",
            b"{\"title\":\"\\ud800\"}",
            b"nul",
        ];
        insta::assert_snapshot!(wrong.map(complaint).join("\n"), @r"
        the body is empty; JSON is expected
        EOF while parsing an object at line 1 column 1
        missing field `title` at line 1 column 2
        title: control character (\u0000-\u001F) found while parsing a string at line 2 column 0
        title: invalid unicode code point at line 1 column 11
        title: unexpected end of hex escape at line 1 column 17
        EOF while parsing a value at line 1 column 3
        ");
    }

    #[test]
    fn u0000_is_refused_and_its_spelling_is_not() {
        assert!(complaint(br#"{"title":"a\u0000b"}"#).contains("U+0000"));
        assert!(complaint(br#"{"title":"a\\\u0000b"}"#).contains("U+0000"));
        assert!(read_json::<Draft>(br#"{"title":"a\\u0000b"}"#).is_ok());
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(read_json::<serde_json::Value>("[".repeat(100_000).as_bytes()).is_err());
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
