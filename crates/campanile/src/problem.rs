//! How the API says no: problem details (RFC 9457), one list of kinds, one conversion from the errors of the core.
//!
//! A problem turned into a response also stays in its extensions: [`crate::pass`] writes the request's id into it and
//! logs the cause, and an API with an error shape of its own can find it there and say it in its own way.

use axum::response::{IntoResponse, Response};
use campanile_core::{Error, Fault};
use http::{HeaderValue, StatusCode, header};
use serde::{Serialize, Serializer};

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Every kind of problem there is. Its `type` is `/problems/` and its id; ids do not change once released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is not what it says it is: syntax, types, fields that do not exist.
    Malformed,
    /// The request can be read, and a rule refuses its values.
    Invalid,
    /// Nobody is signed in, or the credentials are no good.
    Unauthenticated,
    /// A right is missing.
    Denied,
    /// A page of another site tried to act for the person signed in.
    CrossSite,
    /// There is no such thing, or the caller may not know of it.
    Missing,
    /// The address exists, and does not know this method.
    Method,
    /// The client stopped sending in the middle of its request.
    SlowRequest,
    /// The present state does not allow it.
    Conflict,
    /// The body is larger than allowed here.
    TooLarge,
    /// The body is of a type that is not understood here.
    MediaType,
    /// Too many failed attempts.
    Throttled,
    /// A defect of the server.
    Internal,
    /// The database, or something else that is needed, is away.
    Unavailable,
    /// The server took too long.
    Timeout,
}

impl Kind {
    /// All kinds, for the OpenAPI document and its page.
    pub const ALL: [Self; 15] = [
        Self::Malformed,
        Self::Invalid,
        Self::Unauthenticated,
        Self::Denied,
        Self::CrossSite,
        Self::Missing,
        Self::Method,
        Self::SlowRequest,
        Self::Conflict,
        Self::TooLarge,
        Self::MediaType,
        Self::Throttled,
        Self::Internal,
        Self::Unavailable,
        Self::Timeout,
    ];

    /// The last part of the problem's `type`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.row().0
    }

    /// What the problem is called.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// The status that it is answered with.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.row().1
    }

    const fn row(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::Malformed => ("malformed", S::BAD_REQUEST, "The request cannot be read"),
            Self::Invalid => ("invalid", S::UNPROCESSABLE_ENTITY, "The request is not valid"),
            Self::Unauthenticated => ("unauthenticated", S::UNAUTHORIZED, "Signing in is needed"),
            Self::Denied => ("denied", S::FORBIDDEN, "A right is missing"),
            Self::CrossSite => ("cross-site", S::FORBIDDEN, "The request comes from another site"),
            Self::Missing => ("missing", S::NOT_FOUND, "There is no such thing"),
            Self::Method => ("method", S::METHOD_NOT_ALLOWED, "The method is not known here"),
            Self::SlowRequest => ("slow-request", S::REQUEST_TIMEOUT, "The request did not arrive in time"),
            Self::Conflict => ("conflict", S::CONFLICT, "The present state does not allow it"),
            Self::TooLarge => ("too-large", S::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::MediaType => (
                "media-type",
                S::UNSUPPORTED_MEDIA_TYPE,
                "The type of the body is not understood",
            ),
            Self::Throttled => ("throttled", S::TOO_MANY_REQUESTS, "Too many failed attempts"),
            Self::Internal => (
                "internal",
                S::INTERNAL_SERVER_ERROR,
                "Something went wrong in the server",
            ),
            Self::Unavailable => (
                "unavailable",
                S::SERVICE_UNAVAILABLE,
                "The server cannot work at the moment",
            ),
            Self::Timeout => ("timeout", S::SERVICE_UNAVAILABLE, "The server took too long"),
        }
    }
}

/// A refusal as the client reads it.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What sort of refusal.
    pub kind: Kind,
    /// What happened this time, in a sentence or two; for people. Fixed text where the fault is the server's.
    pub detail: String,
    /// The faults of the request, one by one; empty where no field is to blame.
    pub errors: Vec<Fault>,
    /// The request's id, as in `X-Request-Id` and in the log.
    pub request_id: Option<String>,
    /// Whole seconds after which another attempt makes sense.
    pub retry_after: Option<i64>,
    /// What really happened, where that is not for the client: for the log.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem of a kind, with what happened this time.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            request_id: None,
            retry_after: None,
            cause: None,
        }
    }

    /// A problem with one field to blame; an empty name is the whole input.
    pub fn at(kind: Kind, field: impl Into<String>, reason: impl Into<String>) -> Self {
        let fault = Fault {
            field: field.into(),
            reason: reason.into(),
        };
        Self {
            errors: vec![fault.clone()],
            ..Self::new(kind, fault.to_string())
        }
    }

    /// A defect of the server: the client reads a fixed text, the log the cause.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let detail = "the cause is in the server's log, under the id of this request";
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(Kind::Internal, detail)
        }
    }

    /// The document's bytes.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers always serialise")
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Invalid(errors) => Self {
                errors,
                ..Self::new(Kind::Invalid, text)
            },
            Error::Unauthenticated => Self::new(Kind::Unauthenticated, text),
            Error::Throttled { retry_after_s } => Self {
                retry_after: Some(retry_after_s.max(1)),
                ..Self::new(Kind::Throttled, text)
            },
            Error::Denied(_) => Self::new(Kind::Denied, text),
            Error::Missing(_) => Self::new(Kind::Missing, text),
            Error::Conflict(_) => Self::new(Kind::Conflict, text),
            Error::Store(campanile_store::Error::Unavailable(_)) => Self {
                retry_after: Some(1),
                cause: Some(text),
                ..Self::new(
                    Kind::Unavailable,
                    "the database is away or has too much to do; nothing was changed, try again",
                )
            },
            Error::Store(campanile_store::Error::Unknown(_)) => Self {
                retry_after: Some(1),
                cause: Some(text),
                ..Self::new(
                    Kind::Unavailable,
                    "the database went away at that moment; it may have been done: look, or repeat it with the same \
                     Idempotency-Key",
                )
            },
            Error::Store(campanile_store::Error::Timeout) => Self {
                retry_after: Some(1),
                cause: Some(text),
                ..Self::new(Kind::Timeout, "the database took too long; nothing was changed")
            },
            Error::Store(_) => Self::internal(text),
        }
    }
}

/// A problem as it stands in a response.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem, description = "Why a request was refused (RFC 9457).")]
pub struct Document<'a> {
    /// Which kind of problem: `/problems/` and an id of the list of problems.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid")]
    r#type: String,
    /// The kind in words.
    title: &'a str,
    /// The status of the response.
    status: u16,
    /// What happened this time.
    detail: &'a str,
    /// The faults of the request, one by one.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [Fault],
    /// The id of the request, as in the header `X-Request-Id` and in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    request_id: Option<&'a str>,
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Document {
            r#type: format!("/problems/{}", self.kind.id()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            errors: &self.errors,
            request_id: self.request_id.as_deref(),
        }
        .serialize(to)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let media_type = HeaderValue::from_static(MEDIA_TYPE);
        let mut response = (self.kind.status(), [(header::CONTENT_TYPE, media_type)], self.to_json()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if matches!(self.kind, Kind::SlowRequest | Kind::TooLarge) {
            // The rest of the body is not waited for, so this connection has no next request.
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(problem: Problem) -> String {
        let json: serde_json::Value = serde_json::from_slice(&problem.to_json()).unwrap();
        let response = problem.into_response();
        let headers: Vec<_> = response
            .headers()
            .iter()
            .map(|(n, v)| format!("{n}: {}", v.to_str().unwrap()))
            .collect();
        format!("{}\n{}\n{json:#}", response.status().as_u16(), headers.join("\n"))
    }

    #[test]
    fn every_fault_of_an_input_is_named() {
        let mut faults = campanile_core::error::Faults::default();
        faults.add("title", "must not be empty");
        faults.add("audience[0].role", "there is no such role");
        insta::assert_snapshot!(shown(faults.finish().unwrap_err().into()), @r#"
        422
        content-type: application/problem+json
        {
          "detail": "title: must not be empty; audience[0].role: there is no such role",
          "errors": [
            {
              "field": "title",
              "reason": "must not be empty"
            },
            {
              "field": "audience[0].role",
              "reason": "there is no such role"
            }
          ],
          "status": 422,
          "title": "The request is not valid",
          "type": "/problems/invalid"
        }
        "#);
    }

    #[test]
    fn throttling_tells_when_to_come_back() {
        insta::assert_snapshot!(shown(Error::Throttled { retry_after_s: 30 }.into()), @r#"
        429
        content-type: application/problem+json
        retry-after: 30
        {
          "detail": "too many failed attempts; try again in 30 s",
          "status": 429,
          "title": "Too many failed attempts",
          "type": "/problems/throttled"
        }
        "#);
    }

    #[test]
    fn refusals_keep_their_words() {
        let statuses = [
            Error::Unauthenticated,
            Error::Denied("you lack API_MESSAGE[C] on pets".into()),
            Error::Missing("message"),
            Error::Conflict("the message is published".into()),
        ]
        .map(|error| {
            let problem = Problem::from(error);
            format!(
                "{} {} {}",
                problem.kind.status().as_u16(),
                problem.kind.id(),
                problem.detail
            )
        });
        insta::assert_snapshot!(statuses.join("\n"), @r"
        401 unauthenticated you must be signed in
        403 denied you lack API_MESSAGE[C] on pets
        404 missing no such message
        409 conflict the message is published
        ");
    }

    #[test]
    fn a_failing_database_is_not_described_to_the_client() {
        use campanile_store::Error as Store;
        let secret = || "relation secrets does not exist".to_owned();
        let shown: Vec<_> = [
            Store::Unavailable(secret()),
            Store::Timeout,
            Store::Panicked,
            Store::Internal(secret()),
        ]
        .into_iter()
        .map(|error| {
            let problem = Problem::from(Error::Store(error));
            assert!(!String::from_utf8(problem.to_json()).unwrap().contains("secrets"));
            let Problem {
                kind,
                detail,
                retry_after,
                cause,
                ..
            } = problem;
            format!(
                "{} {}, {retry_after:?}\n  told: {detail}\n  logged: {}",
                kind.status().as_u16(),
                kind.id(),
                cause.unwrap()
            )
        })
        .collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        503 unavailable, Some(1)
          told: the database is away or has too much to do; nothing was changed, try again
          logged: the database is unavailable: relation secrets does not exist
        503 timeout, Some(1)
          told: the database took too long; nothing was changed
          logged: the statement took too long
        500 internal, None
          told: the cause is in the server's log, under the id of this request
          logged: the operation panicked and was rolled back
        500 internal, None
          told: the cause is in the server's log, under the id of this request
          logged: relation secrets does not exist
        ");
    }

    #[test]
    fn the_schema_is_that_of_the_document() {
        use utoipa::PartialSchema;
        let schema = serde_json::to_value(Document::schema()).unwrap();
        let problem = Problem {
            request_id: Some("1".into()),
            ..Problem::at(Kind::Invalid, "title", "is empty")
        };
        let json = serde_json::to_value(&problem).unwrap();
        let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&schema["properties"]), names(&json));
        assert_eq!(
            schema["required"],
            serde_json::json!(["type", "title", "status", "detail"])
        );
    }

    #[test]
    fn kinds_have_ids_of_their_own() {
        let ids: std::collections::HashSet<_> = Kind::ALL.iter().map(|kind| kind.id()).collect();
        assert_eq!(ids.len(), Kind::ALL.len());
    }
}
