//! How the contract says no (its section 1.5): `{"Message": …}`, and with `ModelState` where fields are to blame. The
//! one place where a [`Problem`] takes that shape; handlers return problems as elsewhere.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::problem::{Kind, Problem};

/// What is said of the whole where single fields are told apart.
const INVALID: &str = "The request is invalid.";

#[derive(Serialize)]
struct Refusal<'a> {
    #[serde(rename = "Message")]
    message: &'a str,
    #[serde(rename = "ModelState", skip_serializing_if = "Option::is_none")]
    model_state: Option<ModelState<'a>>,
}

/// Reasons by field, in the order in which they were found.
struct ModelState<'a>(Vec<(String, Vec<&'a str>)>);

impl Serialize for ModelState<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (field, reasons) in &self.0 {
            map.serialize_entry(field, reasons)?;
        }
        map.end()
    }
}

impl<'a> ModelState<'a> {
    /// Fields are called as they stand in the body of the resource, whose name comes first: `message.text`.
    fn of(problem: &'a Problem, body: &str) -> Option<Self> {
        if problem.errors.is_empty() {
            return None;
        }
        let mut fields: Vec<(String, Vec<&str>)> = Vec::new();
        for fault in &problem.errors {
            let field = match (body, fault.field.as_str()) {
                ("", field) => field.to_owned(),
                (body, "") => body.to_owned(),
                (body, field) => format!("{body}.{field}"),
            };
            match fields.iter_mut().find(|(known, _)| *known == field) {
                Some((_, reasons)) => reasons.push(&fault.reason),
                None => fields.push((field, vec![&fault.reason])),
            }
        }
        Some(Self(fields))
    }
}

/// The status of a problem here: the contract knows one for whatever is wrong with a request.
fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        kind => kind.status(),
    }
}

/// Puts the answer that a problem has made into the shape of the contract; `body` is what the request's is called
/// there.
pub(crate) fn into_shape(response: &mut Response, problem: &Problem, body: &str) {
    let model_state = ModelState::of(problem, body);
    let message = if model_state.is_some() {
        INVALID
    } else {
        &problem.detail
    };
    let json = serde_json::to_vec(&Refusal { message, model_state }).expect("texts always serialise");
    *response.status_mut() = status(problem.kind);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, json.len().into());
    *response.body_mut() = Body::from(json);
}
