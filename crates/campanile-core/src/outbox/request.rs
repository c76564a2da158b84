//! A POST as it would be made, for a sender who looks before SEND. Values of headers that may be secrets are left out.

use campanile_store::Tx;
use serde::{Deserialize, Serialize};

use super::destination::{Destination, Posting};
use super::endpoint;
use super::post::{self, Post, Proxy};
use crate::error::{Error, Result};
use crate::time::Moment;

/// A header as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PreviewHeader)]
pub struct Line {
    /// The name.
    pub name: String,
    /// The value; absent where it is set and not shown, or known only when it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What it is for, of those that the server adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// A POST as it would be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PreviewPost)]
pub struct Request {
    /// `POST`.
    pub method: String,
    /// Where to, without user and password.
    pub url: String,
    /// The name of the saved endpoint, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// In the order in which they are sent.
    pub headers: Vec<Line>,
    /// Every byte, as typed.
    pub body: String,
    /// Whether it goes through the system proxy; as the server has it where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_system_proxy: Option<bool>,
    /// Whether it is signed.
    pub signed: bool,
    /// What would keep it from leaving: the endpoint is paused or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<endpoint::State>,
}

const TYPE: &str = "content-type";

/// The requests of checked destinations, in their order. The endpoints are those that a check has found.
///
/// # Errors
/// `Missing` for an endpoint that is not there any more.
pub fn preview(
    tx: &mut Tx<'_>,
    destinations: &[Destination],
    text: &str,
    posting: &Posting,
    now: Moment,
) -> Result<Vec<Request>> {
    destinations
        .iter()
        .map(|destination| match destination.endpoint {
            Some(id) => saved(tx, id, text, posting, now),
            None => typed(destination, text, posting),
        })
        .collect()
}

fn saved(tx: &mut Tx<'_>, id: i64, text: &str, posting: &Posting, now: Moment) -> Result<Request> {
    let of = endpoint::find(tx, &posting.key, id, now)?;
    let own = of.headers.iter().map(|name| (name.as_str(), None)).collect();
    Ok(Request {
        headers: lines(own, of.signed),
        url: of.url,
        endpoint: Some(of.name),
        use_system_proxy: of.use_system_proxy,
        signed: of.signed,
        waits: Some(of.state).filter(|state| *state != endpoint::State::Active),
        method: "POST".into(),
        body: text.to_owned(),
    })
}

fn typed(from: &Destination, text: &str, posting: &Posting) -> Result<Request> {
    let url = from
        .url
        .as_deref()
        .ok_or_else(|| Error::field("url", "give either a URL or a saved endpoint"))?;
    let pairs: Vec<(String, String)> = from
        .headers
        .iter()
        .map(|header| (header.name.clone(), header.value.clone()))
        .collect();
    let proxy = Proxy::chosen(from.use_system_proxy);
    let Post { url, headers, .. } = post::check(url, &pairs, proxy, &posting.policy)?;
    let own = headers.shown().map(|shown| (shown.name, shown.value)).collect();
    Ok(Request {
        headers: lines(own, from.secret.is_some()),
        url: url.into(),
        endpoint: None,
        use_system_proxy: from.use_system_proxy,
        signed: from.secret.is_some(),
        waits: None,
        method: "POST".into(),
        body: text.to_owned(),
    })
}

/// The sender's headers, and what is added to them.
fn lines(own: Vec<(&str, Option<&str>)>, signed: bool) -> Vec<Line> {
    let has_type = own.iter().any(|(name, _)| name.eq_ignore_ascii_case(TYPE));
    let mut lines: Vec<Line> = own
        .into_iter()
        .map(|(name, value)| Line {
            name: name.to_owned(),
            value: value.map(str::to_owned),
            about: None,
        })
        .collect();
    let mut add = |name: &str, value: Option<&str>, about: &str| {
        lines.push(Line {
            name: name.to_owned(),
            value: value.map(str::to_owned),
            about: Some(about.to_owned()),
        });
    };
    if !has_type {
        add("Content-Type", Some("application/json"), "unless you set it");
    }
    add(
        "webhook-id",
        None,
        "the same at every try: a receiver knows a repeat by it",
    );
    add("webhook-timestamp", None, "seconds since 1970 of the try");
    if signed {
        add(
            "webhook-signature",
            None,
            "v1 and the HMAC-SHA256 of webhook-id.webhook-timestamp.body, by each good secret (Standard Webhooks)",
        );
    }
    lines
}
