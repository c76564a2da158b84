//! Where an address lies: below which interface, in which organization and environment, and what it is about.
//!
//! Organization and environment are looked at before anybody is asked who they are: a handler takes them before its
//! `Caller`.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, OriginalUri};
use campanile_core::id::EnvironmentId;
use campanile_core::message::target;
use http::HeaderValue;
use http::request::Parts;
use url::Url;

use super::ORGANIZATION;
use super::refusal::Refusal;
use crate::app::App;
use crate::percent;
use crate::problem::{Kind, Problem};

/// One of the two interfaces. They refuse in different shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interface {
    /// Of the console: `/management`.
    Management,
    /// Of the developer portal: `/portal`.
    Portal,
}

impl Interface {
    /// The interface of a path, be there something or not.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let below = |root| {
            path.strip_prefix(root)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match () {
            () if below("/management") => Some(Self::Management),
            () if below("/portal") => Some(Self::Portal),
            () => None,
        }
    }

    /// What a 401 asks for.
    pub(crate) const fn challenge(self) -> HeaderValue {
        match self {
            Self::Management => HeaderValue::from_static("Basic realm=\"Gravitee.io Management API\", Bearer"),
            Self::Portal => HeaderValue::from_static("Basic realm=\"Gravitee.io Portal API\", Bearer"),
        }
    }
}

/// The organization of the address, which is there.
#[derive(Debug, Clone)]
pub(super) struct Organization {
    /// The environment, where the address names one.
    pub(super) environment: Option<Environment>,
}

/// The environment of the address.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    /// Its id.
    pub(super) id: EnvironmentId,
    /// Its name outside.
    pub(super) key: String,
}

impl Environment {
    /// The address of who is signed in, at the portal.
    pub(super) fn user_at_portal(&self, origin: &str) -> String {
        let mut url = Url::parse(origin).expect("an origin, as checked when the settings were read");
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(["portal", "environments", &self.key, "user"]);
        }
        url.into()
    }
}

/// The last parameter of an address, what it is about: an API, a notification, a token.
#[derive(Debug, Clone)]
pub(super) struct Id(pub(super) String);

impl FromRequestParts<Arc<App>> for Organization {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let environment = match params(parts)?.environment {
            Some(key) => Some(found(app, key).await?),
            None => None,
        };
        Ok(Self { environment })
    }
}

impl FromRequestParts<Arc<App>> for Environment {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let key = params(parts)?.environment.ok_or_else(invalid)?;
        found(app, key).await
    }
}

impl FromRequestParts<Arc<App>> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Refusal> {
        let params = params(parts)?;
        params.last.map(Self).ok_or_else(invalid)
    }
}

/// What stands in an address.
struct Params {
    environment: Option<String>,
    last: Option<String>,
}

/// Reads an address whose organization is there.
fn params(parts: &Parts) -> Result<Params, Refusal> {
    let (Some(route), Some(OriginalUri(uri))) = (
        parts.extensions.get::<MatchedPath>(),
        parts.extensions.get::<OriginalUri>(),
    ) else {
        return Err(invalid());
    };
    let mut params = Params {
        environment: None,
        last: None,
    };
    for (name, value) in named(route.as_str(), uri.path()) {
        if name == "org" && value != ORGANIZATION {
            return Err(invalid());
        }
        if name == "env" {
            params.environment = Some(value.clone());
        }
        params.last = Some(value);
    }
    Ok(params)
}

/// What stands for a value that is not UTF-8, or that PostgreSQL's texts cannot hold: nothing is called so.
const NOTHING: &str = "\u{fffd}";

/// The parameters of a route with their values in a path.
fn named<'r>(route: &'r str, path: &str) -> impl Iterator<Item = (&'r str, String)> {
    let segments = route.split('/').zip(path.split('/'));
    segments.filter_map(|(name, value)| {
        let name = name.strip_prefix('{')?.strip_suffix('}')?;
        let value = percent::decoded(value).filter(|value| !value.contains('\0'));
        Some((name, value.unwrap_or_else(|| NOTHING.to_owned())))
    })
}

async fn found(app: &App, key: String) -> Result<Environment, Refusal> {
    let name = key.clone();
    let id = app.db.read(move |tx| target::environment(tx, &name)).await?;
    Ok(Environment {
        id: id.ok_or_else(invalid)?,
        key,
    })
}

fn invalid() -> Refusal {
    Problem::new(Kind::Malformed, "Invalid organization or environment").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_whatever_they_hold() {
        let read = |path: &str| {
            let named = named("/management/organizations/{org}/user/tokens/{token}", path);
            named.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        for (last, value) in [
            ("a%20b", "a b"),
            ("%FF", "\u{fffd}"),
            ("%00", "\u{fffd}"),
            ("%", "%"),
            ("%2F", "/"),
        ] {
            let found = read(&format!("/management/organizations/DEFAULT/user/tokens/{last}"));
            assert_eq!(found, ["org=DEFAULT".to_owned(), format!("token={value}")]);
        }
    }

    #[test]
    fn an_interface_is_known_by_its_first_segment() {
        for (path, interface) in [
            ("/management", Some(Interface::Management)),
            ("/management/", Some(Interface::Management)),
            ("/management/v1/x", Some(Interface::Management)),
            ("/portal/environments/DEFAULT", Some(Interface::Portal)),
            ("/Management", None),
            ("/managements", None),
            ("/portals/x", None),
            ("/api/portal", None),
            ("/", None),
        ] {
            assert_eq!(Interface::of(path), interface, "{path}");
        }
    }
}
