//! How the contract says no (its section 1.2): a message, the status once more, and where the contract has one a
//! technical code with parameters. The one place where a [`Problem`] takes that shape.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use campanile_core::Error;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::place::Interface;
use crate::problem::{Kind, Problem};

/// A refusal of a handler: a problem, which the contract may know by a code of its own.
#[derive(Debug)]
pub(super) struct Refusal {
    problem: Box<Problem>,
    code: Option<Code>,
}

/// What the contract calls a refusal; beside the problem in the extensions of the answer.
#[derive(Debug, Clone)]
struct Code {
    technical: &'static str,
    parameters: Parameters,
}

#[derive(Debug, Clone, Default)]
struct Parameters(Vec<(&'static str, String)>);

impl Refusal {
    /// A refusal that the contract knows by a code, in its words.
    pub(super) fn new(kind: Kind, technical: &'static str, message: impl Into<String>) -> Self {
        Self {
            problem: Box::new(Problem::new(kind, message)),
            code: Some(Code {
                technical,
                parameters: Parameters::default(),
            }),
        }
    }

    /// The same with a parameter.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Some(code) = &mut self.code {
            code.parameters.0.push((name, value.into()));
        }
        self
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            code: None,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Problem::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.problem.into_response();
        if let Some(code) = self.code {
            response.extensions_mut().insert(code);
        }
        response
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The body of a refusal of the management interface.
#[derive(Serialize)]
struct Management<'a> {
    message: &'a str,
    http_status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a Parameters>,
    #[serde(rename = "technicalCode", skip_serializing_if = "Option::is_none")]
    technical_code: Option<&'a str>,
}

/// The body of a refusal of the portal.
#[derive(Serialize)]
struct Portal<'a> {
    errors: [PortalError<'a>; 1],
}

#[derive(Serialize)]
struct PortalError<'a> {
    message: &'a str,
    status: String,
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a Parameters>,
}

/// The status of a problem here: the contract knows one for whatever is wrong with a request.
fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        kind => kind.status(),
    }
}

/// The words and the code of a problem for which the handler has named none.
fn usual(problem: &Problem) -> (&str, Option<&'static str>) {
    match problem.kind {
        Kind::Unauthenticated => (
            "You must be authenticated to access this resource",
            Some("unauthorized"),
        ),
        Kind::Denied => (
            "You do not have sufficient rights to access this resource",
            Some("forbidden"),
        ),
        Kind::Internal => (&problem.detail, Some("unexpected")),
        _ => (&problem.detail, None),
    }
}

/// Puts the answer that a problem has made into the shape of the contract.
pub(crate) fn into_shape(response: &mut Response, problem: &Problem, interface: Interface) {
    let code = response.extensions_mut().remove::<Code>();
    let (message, technical) = match &code {
        Some(code) => (problem.detail.as_str(), Some(code.technical)),
        None => usual(problem),
    };
    let parameters = code.as_ref().map(|code| &code.parameters);
    let parameters = parameters.filter(|parameters| !parameters.0.is_empty());
    let status = status(problem.kind);
    let json = match interface {
        Interface::Management => serde_json::to_vec(&Management {
            message,
            http_status: status.as_u16(),
            parameters,
            technical_code: technical,
        }),
        Interface::Portal => serde_json::to_vec(&Portal {
            errors: [PortalError {
                message,
                status: status.as_u16().to_string(),
                code: format!("errors.{}", technical.unwrap_or("unexpected")),
                parameters,
            }],
        }),
    };
    let json = json.expect("texts and numbers always serialise");
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, json.len().into());
    *response.body_mut() = Body::from(json);
}
