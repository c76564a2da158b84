//! The console messaging contract: its exchanges as clients of the original see them, on both databases.

mod directory;
mod login;
mod messages;
mod notifications;
mod places;
mod platform;
mod posts;
mod recipients;
mod rights;
mod senders;
mod site;
mod tokens;

use serde_json::{Value, json};

use crate::world::Said;

/// Where an organization is.
const ORG: &str = "/management/organizations/DEFAULT";
/// Where an environment is.
const ENV: &str = "/management/organizations/DEFAULT/environments/DEFAULT";
/// Where an environment is for the portal.
const PORTAL: &str = "/portal/environments/DEFAULT";

/// The whole of a refusal of the management interface.
#[track_caller]
fn refused(said: Said, status: u16, code: &str, message: &str) {
    let said = said.is(status);
    let mut wanted = json!({"message": message, "http_status": status});
    if !code.is_empty() {
        wanted["technicalCode"] = json!(code);
    }
    let mut body = said.json();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("parameters");
    }
    assert_eq!(body, wanted);
    assert_eq!(said.header("content-type"), "application/json");
}

/// The refusal of who is nobody.
#[track_caller]
fn is_nobody(said: Said) {
    let text = "You must be authenticated to access this resource";
    refused(said, 401, "unauthorized", text);
}

/// The refusal of who lacks a right.
#[track_caller]
fn is_forbidden(said: Said) {
    let text = "You do not have sufficient rights to access this resource";
    refused(said, 403, "forbidden", text);
}

/// What a refusal of the portal says: status, code and message.
#[track_caller]
fn portal_refusal(said: &Said) -> (u16, Value, Value) {
    let body = said.json();
    let errors = body["errors"].as_array().expect(&said.body);
    assert_eq!(errors.len(), 1);
    let status = said.status.as_u16();
    assert_eq!(errors[0]["status"], json!(status.to_string()));
    (status, errors[0]["code"].clone(), errors[0]["message"].clone())
}
