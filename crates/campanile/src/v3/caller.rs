//! Who asks: by the ticket in the address, else by the header `Authorization`. Never by a cookie, so that no page of
//! another site can ask in somebody's name.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use campanile_core::id::PersonId;
use campanile_core::rights::Rights;
use http::request::Parts;

use super::asked::Query;
use crate::app::App;
use crate::auth::{self, Principal};
use crate::person;
use crate::problem::{Kind, Problem};

/// The parameter that holds a ticket.
const TICKET: &str = "auth_ticket";

const NEEDED: &str = "sign in: send the parameter auth_ticket, or login and password as Basic";
const UNKNOWN: &str = "there is no such ticket: it is mistyped, or was renewed";

/// Who makes a request, and what they hold. What is decided inside a write is decided by rights read there: these may
/// have been taken while it waited.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The person, and how they showed it.
    pub(super) principal: Principal,
    /// What they hold.
    pub(super) rights: Arc<Rights>,
}

impl Caller {
    /// The person.
    pub(super) const fn person(&self) -> PersonId {
        self.principal.person
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let principal = principal(parts, app).await?;
        let person = person::asking(app, principal.person).await?;
        Ok(Self {
            principal,
            rights: person.rights,
        })
    }
}

/// A ticket wins, also a wrong one: whoever sends both means the ticket.
async fn principal(parts: &Parts, app: &Arc<App>) -> Result<Principal, Problem> {
    let nobody = |why| Problem::new(Kind::Unauthenticated, why);
    if let Some(ticket) = Query::of(&parts.uri).get(TICKET) {
        let found = auth::by_ticket(app, ticket).await?.ok_or_else(|| nobody(UNKNOWN))?;
        return Ok(found.at(auth::address_of(app, &parts.extensions, &parts.headers)));
    }
    auth::by_header(app, parts).await?.ok_or_else(|| nobody(NEEDED))
}
