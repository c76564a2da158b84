//! Messages: to the roles of an environment, or to the consumers of an API (the contract, sections 1.1, 1.2 and 2). The
//! answer is a number: people, addresses, or 1 for a POST.
//!
//! Names of roles that nobody knows, and scopes that have no recipients here, are left out; a message of which nothing
//! remains is stored, and reaches nobody (decision 8).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, RawQuery, State};
use axum::routing::post;
use axum::{Json, Router};
use campanile_core::id::MessageId;
use campanile_core::message::draft::{Draft, Leniency};
use campanile_core::message::target::{self, Target};
use campanile_core::message::{AUDIENCE_PARTS, Channel};
use campanile_core::outbox::delivery;
use campanile_core::outbox::destination::{Destination, Header};
use campanile_core::place::Scope;
use campanile_core::policy::{self, Act, Part};
use campanile_core::time::Moment;
use http::request::Parts;
use serde::{Deserialize, Deserializer};

use super::caller::Caller;
use super::place::{Environment, Id};
use super::refusal::Refusal;
use super::scalar::{Flag, Text};
use crate::api::extract::SomeJson;
use crate::app::App;
use crate::problem::{Kind, Problem};
use crate::sending;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/messages", post(to_platform))
        .route("/apis/{api}/messages", post(to_api))
}

/// Names of roles that one message may have; most that many are known is another limit.
const NAMES: usize = 1_000;

/// The name that stands for whoever subscribed to the API, unless a role is called so.
const SUBSCRIBERS: &str = "API_SUBSCRIBERS";

/// A first try is waited for no longer than this part of the time that a request may take.
const PATIENCE: (u32, u32) = (9, 10);

// ---------------------------------------------------------------- as it is sent

/// What a client sends; what it sends beside that is nothing to us.
#[derive(Debug, Default, Deserialize)]
struct Input {
    #[serde(default, deserialize_with = "channel")]
    channel: Option<Channel>,
    title: Option<Text>,
    text: Option<Text>,
    recipient: Option<Recipient>,
    params: Option<BTreeMap<String, Option<Text>>>,
    #[serde(rename = "useSystemProxy")]
    use_system_proxy: Option<Flag>,
}

#[derive(Debug, Default, Deserialize)]
struct Recipient {
    role_scope: Option<Text>,
    role_value: Option<Vec<Option<Text>>>,
    url: Option<Text>,
}

/// A channel by its name here, in any case of letters.
fn channel<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Channel>, D::Error> {
    let Some(name) = Option::<String>::deserialize(from)? else {
        return Ok(None);
    };
    let named = [
        ("MAIL", Channel::Email),
        ("PORTAL", Channel::Portal),
        ("HTTP", Channel::Http),
    ];
    let found = named.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
    let wrong = || serde::de::Error::custom("must be MAIL, PORTAL or HTTP");
    found.map(|(_, channel)| Some(channel)).ok_or_else(wrong)
}

// ---------------------------------------------------------------- refusing

fn empty() -> Refusal {
    Refusal::new(Kind::Invalid, "message.empty", "Message (title+text) is empty.")
}

fn without_recipients() -> Refusal {
    let message = "Message recipients selection is missing or wrong.";
    Refusal::new(Kind::Invalid, "message.recipient.invalid", message)
}

fn switched_off() -> Refusal {
    let message = "This notifier is disabled. Please, contact your administrator.";
    Refusal::new(Kind::Invalid, "notifier.disabled", message)
}

pub(super) fn unknown_api(api: &str) -> Refusal {
    Refusal::new(Kind::Missing, "api.notFound", format!("Api [{api}] cannot be found.")).with("api", api)
}

/// What the rules refuse, by the names that the contract has. `headers` are those of the request, in their order.
fn named(problem: Problem, headers: &[String]) -> Refusal {
    let reason = |field: &str| {
        let fault = problem.errors.iter().find(|fault| fault.field.starts_with(field));
        fault.map(|fault| fault.reason.clone())
    };
    if let Some(reason) = reason("posts[0].url") {
        let message = "This url is forbidden. Please, contact your administrator";
        return Refusal::new(Kind::Invalid, "messageUrl.forbidden", message).with("reason", reason);
    }
    if let Some(fault) = problem
        .errors
        .iter()
        .find(|fault| fault.field.starts_with("posts[0].headers"))
    {
        let at = fault.field.trim_end_matches(']').rsplit('[').next();
        let name = at.and_then(|at| headers.get(at.parse::<usize>().ok()?));
        let field = name.map_or_else(|| "params".to_owned(), |name| format!("params.{name}"));
        let message = format!("{field}: {}", fault.reason);
        return Refusal::new(Kind::Invalid, "message.header.invalid", message);
    }
    if let Some(reason) = reason("posts[0].use_system_proxy") {
        return Problem::at(Kind::Invalid, "useSystemProxy", reason).into();
    }
    problem.into()
}

// ---------------------------------------------------------------- sending

/// When a request began to be answered, before its body was read.
struct Begun(Moment);

impl FromRequestParts<Arc<App>> for Begun {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self(app.clock.now()))
    }
}

/// Where a message is sent from: an environment, or one of its APIs.
enum Home {
    Platform(String),
    Api(String),
}

async fn to_platform(
    State(app): State<Arc<App>>,
    begun: Begun,
    environment: Environment,
    caller: Caller,
    RawQuery(query): RawQuery,
    body: Result<SomeJson<Input>, Problem>,
) -> Result<Json<u64>, Refusal> {
    let part = Part::EnvironmentRole {
        environment: environment.id,
    };
    policy::may(&caller.rights, &Act::Send(&[part]))?;
    let home = Home::Platform(environment.key);
    let asked = (query.as_deref(), begun);
    send(&app, &caller, home, body?.0, asked).await.map(Json)
}

async fn to_api(
    State(app): State<Arc<App>>,
    begun: Begun,
    environment: Environment,
    caller: Caller,
    Id(key): Id,
    RawQuery(query): RawQuery,
    body: Result<SomeJson<Input>, Problem>,
) -> Result<Json<u64>, Refusal> {
    let name = key.clone();
    let found = app.db.read(move |tx| target::api(tx, &name)).await?;
    let found = found.filter(|(_, _, home)| *home == environment.id);
    let (api, _, _) = found.ok_or_else(|| unknown_api(&key))?;
    policy::may(&caller.rights, &Act::Send(&[Part::Api { api }]))?;
    let asked = (query.as_deref(), begun);
    send(&app, &caller, Home::Api(key), body?.0, asked).await.map(Json)
}

/// Sends what a client means; the number that it is answered with.
async fn send(
    app: &Arc<App>,
    caller: &Caller,
    home: Home,
    input: Option<Input>,
    (query, Begun(begun)): (Option<&str>, Begun),
) -> Result<u64, Refusal> {
    let input = input.unwrap_or_default();
    let is_blank = |text: &Option<Text>| text.as_ref().is_none_or(|text| text.0.trim().is_empty());
    if is_blank(&input.title) && is_blank(&input.text) {
        return Err(empty());
    }
    let channel = input.channel.ok_or_else(without_recipients)?;
    let mut draft = match channel {
        Channel::Http => posted(app, input)?,
        _ => addressed(app, &home, channel, input).await?,
    };
    // What has an audience is where that is.
    if draft.audience.is_empty() {
        match home {
            Home::Platform(environment) => draft.environment = Some(environment),
            Home::Api(api) => draft.api = Some(api),
        }
    }
    if channel == Channel::Http {
        let headers: Vec<String> = draft
            .posts
            .iter()
            .flat_map(|to| &to.headers)
            .map(|header| header.name.clone())
            .collect();
        let sent = sending::send(app, &caller.principal, draft, None).await;
        let id = sent.map_err(|problem| named(problem, &headers))?;
        if app.settings.compat.http_wait || asks_to_wait(query) {
            wait(app, caller, id, begun).await?;
        }
        return Ok(1);
    }
    // Counted before as well: once it is sent, no failure may make a client send it again.
    let expected = sending::expected(app, draft.audience.clone()).await?;
    let id = sending::send(app, &caller.principal, draft, None).await?;
    let reached = match sending::reached(app, caller.person(), id).await {
        Ok(reached) => reached,
        Err(problem) => {
            let cause = &problem.cause;
            tracing::warn!(
                sent = id.0,
                ?cause,
                "a message is answered with the number of the moment before"
            );
            expected
        }
    };
    Ok(if channel == Channel::Email {
        reached.addresses
    } else {
        reached.people
    })
}

/// What all that comes in here has in common: it is taken as the contract takes it.
fn drafted(channel: Channel, title: Option<Text>, text: Option<Text>, audience: Vec<Target>) -> Draft {
    // A title of nothing but blanks is none.
    let title = title.map(|Text(title)| title).filter(|title| !title.trim().is_empty());
    let text = text.map(|Text(text)| text);
    Draft {
        channels: vec![channel],
        leniency: Leniency {
            nobody: true,
            unknown_roles: true,
            untitled: true,
            without_relay: true,
            ..Leniency::default()
        },
        ..Draft::new(title.unwrap_or_default(), text.unwrap_or_default(), audience)
    }
}

/// A message to people.
async fn addressed(app: &App, home: &Home, channel: Channel, input: Input) -> Result<Draft, Refusal> {
    let recipient = input.recipient.ok_or_else(without_recipients)?;
    let scope = recipient.role_scope.filter(|scope| !scope.0.is_empty());
    let (Some(Text(scope)), Some(names)) = (scope, recipient.role_value) else {
        return Err(without_recipients());
    };
    if names.is_empty() {
        return Err(without_recipients());
    }
    let mut names: Vec<String> = names.into_iter().flatten().map(|Text(name)| name).collect();
    names.sort_unstable();
    names.dedup();
    let too_many = |most: usize| {
        let reason = format!("at most {most} roles");
        Err(Problem::at(Kind::Invalid, "recipient.role_value", reason).into())
    };
    if names.len() > NAMES {
        return too_many(NAMES);
    }
    let audience = audience(app, home, &scope, names).await?;
    if audience.len() > AUDIENCE_PARTS {
        return too_many(AUDIENCE_PARTS);
    }
    Ok(drafted(channel, input.title, input.text, audience))
}

/// Those of the recipients that there are.
async fn audience(app: &App, home: &Home, scope: &str, names: Vec<String>) -> Result<Vec<Target>, Refusal> {
    let of = match home {
        Home::Platform(_) => Scope::Environment,
        Home::Api(_) => Scope::Application,
    };
    if scope != of.name() {
        return Ok(Vec::new());
    }
    let asked = names.clone();
    let known = app.db.read(move |tx| target::known_roles(tx, of, &asked)).await?;
    let target = |name: String| match home {
        Home::Platform(environment) if known.contains(&name) => Some(Target::EnvironmentRole {
            environment: environment.clone(),
            role: name,
        }),
        Home::Api(api) if known.contains(&name) => Some(Target::ApiRole {
            api: api.clone(),
            role: name,
        }),
        Home::Api(api) if name == SUBSCRIBERS => Some(Target::Subscribers {
            api: api.clone(),
            any_status: app.settings.compat.any_subscribers,
        }),
        _ => None,
    };
    Ok(names.into_iter().filter_map(target).collect())
}

/// A message to a URL. It has no title, and what else is said of recipients does not count.
fn posted(app: &App, input: Input) -> Result<Draft, Refusal> {
    if !app.settings.http.enabled {
        return Err(switched_off());
    }
    let url = input.recipient.and_then(|recipient| recipient.url);
    let Text(url) = url.filter(|url| !url.0.is_empty()).ok_or_else(without_recipients)?;
    let params = input.params.unwrap_or_default().into_iter();
    let headers = params.filter_map(|(name, value)| value.map(|Text(value)| Header { name, value }));
    Ok(Draft {
        posts: vec![Destination {
            url: Some(url),
            headers: headers.collect(),
            use_system_proxy: Some(input.use_system_proxy.is_some_and(|Flag(flag)| flag)),
            ..Destination::default()
        }],
        ..drafted(Channel::Http, None, input.text, Vec::new())
    })
}

/// Whether a client wants to hear what came of a POST: `?wait`, or `?wait=true`.
fn asks_to_wait(query: Option<&str>) -> bool {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.any(|(name, value)| name == "wait" && (value.is_empty() || value.eq_ignore_ascii_case("true")))
}

/// Waits for the first try of a POST: 500 where that failed, in words that hold nothing of what the target said. Time
/// is counted from when the request began to be answered.
async fn wait(app: &App, caller: &Caller, id: MessageId, begun: Moment) -> Result<(), Refusal> {
    let limit: Duration = app.settings.limits.request_timeout * PATIENCE.0 / PATIENCE.1;
    let until = begun.plus_ms(limit.as_millis() as i64);
    let first = sending::first_try(app, caller.person(), id, until).await?;
    let again = match &first {
        Some(one) if one.state == delivery::State::Sent => return Ok(()),
        Some(one) if one.next_at.is_none() => "it is not tried again",
        _ => "it is tried again",
    };
    let reason = first.and_then(|one| one.reason);
    let reason = reason.unwrap_or_else(|| "its first try is not over yet".to_owned());
    let message = format!("Message {id} was not delivered: {reason}; {again}");
    Err(Refusal::new(Kind::Internal, "unexpected", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_waits_that_says_so() {
        for (query, waits) in [
            (None, false),
            (Some(""), false),
            (Some("wait"), true),
            (Some("a=b&wait=TRUE"), true),
            (Some("wait=false"), false),
            (Some("waits"), false),
        ] {
            assert_eq!(asks_to_wait(query), waits, "{query:?}");
        }
    }
}
