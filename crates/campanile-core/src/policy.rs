//! Who may do what: one table, no SQL. Every operation of every interface asks here, and only here.

use crate::error::{Error, Result};
use crate::id::{ApiId, CustomerId, EnvironmentId, PersonId};
use crate::rights::{Letter, Permission, Rights};

/// One part of a message's audience, or its home, as far as rights go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// A role of an environment; also the home of a message that has no people, such as a POST of the platform.
    EnvironmentRole {
        /// The environment.
        environment: EnvironmentId,
    },
    /// The subscribers of an API, or a role on its applications; also the home of a POST of that API.
    Api {
        /// The API.
        api: ApiId,
    },
    /// A customer, with or without those below it.
    Customer {
        /// The customer.
        customer: CustomerId,
    },
    /// All active people.
    Everyone,
    /// A group or a person, judged at the message's home; one without a home is ORGANIZATION:ADMIN's.
    Directory {
        /// The home.
        environment: Option<EnvironmentId>,
    },
}

/// Everything that somebody may want to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Act<'a> {
    /// What is one's own: inbox, profile, password, sessions, tokens, ticket.
    Own,
    /// Publish a message to the union of the parts, see how many people they hold and a sample, or send it to oneself.
    Send(&'a [Part]),
    /// List sent messages: those that one may see.
    ListSent,
    /// See a sent message, its recipients and what became of it. Its author always does.
    See(PersonId, &'a [Part]),
    /// Change a message, enable or disable it.
    Correct(&'a [Part]),
    /// Recall a message.
    Recall(&'a [Part]),
    /// See a saved destination of POSTs, at its home.
    SeeEndpoint(Part),
    /// Save one, and post a test to it.
    CreateEndpoint(Part),
    /// Change, pause and resume one, and give it another secret.
    ChangeEndpoint(Part),
    /// Remove one.
    RemoveEndpoint(Part),
    /// List the roles of a scope.
    ListRoles,
    /// Find people and groups by name, to address them.
    FindPeople,
    /// Read the whole directory: people with addresses, memberships, subscriptions.
    ReadDirectory,
    /// Change the directory, by hand or by import.
    EditDirectory,
    /// Set the password of a person without knowing the old one.
    ResetPassword(PersonId),
    /// Ask what a person could see at a time, and whether they did.
    ReadVisibility(PersonId),
    /// Settings, relay, deliveries of everybody, the journal, sites.
    Operate,
    /// People and customers, as the UI messages contract has them.
    Portal(PortalAct<'a>),
}

/// What somebody may want to do with people and customers of the UI messages contract: root administrators with all, a
/// customer administrator with their own customer and those below it, everybody else with themselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PortalAct<'a> {
    /// See a person of this customer. Everybody sees themselves.
    SeeUser(PersonId, Option<CustomerId>),
    /// Change anything of anybody, or of any customer: who may not is told so before a name is looked up.
    EditAnybody,
    /// Make a person of this customer, or move one there.
    MakeUser(Option<CustomerId>),
    /// Change a person who holds this, or keep them out.
    EditUser(&'a Rights),
    /// Set the password of a person who holds this, and so be able to come as them.
    SetPassword(&'a Rights),
    /// See a customer.
    SeeCustomer(CustomerId),
    /// Make a customer below this one, or a root.
    MakeCustomer(Option<CustomerId>),
    /// Change a customer's subscription.
    EditCustomer(CustomerId),
}

/// Whether the holder of these rights may do this; `Denied` names what is missing.
///
/// Decision 12: a union needs the right to every part. Decision 13: the letters of MESSAGE. ORGANIZATION:ADMIN may do
/// everything.
pub fn may(rights: &Rights, act: &Act<'_>) -> Result<()> {
    if rights.is_organization_admin {
        return Ok(());
    }
    match *act {
        Act::Own => Ok(()),
        Act::Send(parts) => every(rights, parts, Letter::Create),
        Act::ListSent => holds(
            rights.is_sender(),
            "MESSAGE on any environment or API, root administrator, or customer administrator",
        ),
        Act::See(author, _) if author == rights.person => Ok(()),
        Act::See(_, parts) => every(rights, parts, Letter::Read),
        Act::Correct(parts) => every(rights, parts, Letter::Update),
        Act::Recall(parts) => every(rights, parts, Letter::Delete),
        Act::SeeEndpoint(home) => one(rights, home, Letter::Read),
        Act::CreateEndpoint(home) => one(rights, home, Letter::Create),
        Act::ChangeEndpoint(home) => one(rights, home, Letter::Update),
        Act::RemoveEndpoint(home) => one(rights, home, Letter::Delete),
        Act::ListRoles => holds(
            rights.on_organization(Permission::Role, Letter::Read)
                || rights.on_any_environment(Permission::Message, Letter::Create)
                || rights.on_any_api(Permission::Message, Letter::Create),
            "ORGANIZATION_ROLE[READ], or ENVIRONMENT_MESSAGE[CREATE], or API_MESSAGE[CREATE] on any API",
        ),
        Act::FindPeople => holds(
            rights.on_organization(Permission::User, Letter::Read)
                || rights.on_any_environment(Permission::Message, Letter::Create),
            "ORGANIZATION_USER[READ], or ENVIRONMENT_MESSAGE[CREATE] on any environment",
        ),
        Act::ReadDirectory => holds(
            rights.on_organization(Permission::User, Letter::Read),
            "ORGANIZATION_USER[READ]",
        ),
        Act::EditDirectory | Act::ResetPassword(_) | Act::ReadVisibility(_) | Act::Operate => {
            holds(false, "ORGANIZATION:ADMIN")
        }
        Act::Portal(act) => portal(rights, &act),
    }
}

/// Who may do what with people and customers of the UI messages contract. Nobody may become by a password what they are
/// not, and nobody but an ORGANIZATION:ADMIN may keep one out.
fn portal(rights: &Rights, act: &PortalAct<'_>) -> Result<()> {
    let on = |customer: Option<CustomerId>| match customer {
        Some(customer) => one(rights, Part::Customer { customer }, Letter::Update),
        None => holds(rights.is_root(), "root administrator, for what is of no customer"),
    };
    match *act {
        PortalAct::SeeUser(person, _) if person == rights.person => Ok(()),
        PortalAct::SeeUser(_, customer) | PortalAct::MakeUser(customer) | PortalAct::MakeCustomer(customer) => {
            on(customer)
        }
        PortalAct::SeeCustomer(customer) | PortalAct::EditCustomer(customer) => on(Some(customer)),
        PortalAct::EditAnybody => holds(
            rights.is_root() || !rights.subtree.is_empty(),
            "root administrator, or customer administrator",
        ),
        PortalAct::EditUser(held) => {
            on(held.customer)?;
            holds(!held.is_organization_admin, "ORGANIZATION:ADMIN, as this user is one")?;
            holds(
                rights.is_root() || !held.is_root(),
                "root administrator, as this user is one",
            )
        }
        PortalAct::SetPassword(held) => {
            portal(rights, &PortalAct::EditUser(held))?;
            holds(
                rights.covers(held),
                "something that this user holds: who has their password has that too",
            )
        }
    }
}

/// Whether there is any audience at all that [`Act::Send`] allows somebody.
#[must_use]
pub fn may_send_anything(rights: &Rights) -> bool {
    may_send_outside_apis(rights) || rights.on_any_api(Permission::Message, Letter::Create)
}

/// Whether there is such an audience that is no API's: an environment, customers, everyone.
#[must_use]
pub fn may_send_outside_apis(rights: &Rights) -> bool {
    rights.is_root() || !rights.subtree.is_empty() || rights.on_any_environment(Permission::Message, Letter::Create)
}

/// Whether somebody may announce anything: to a customer at least. Who may looks after announcements.
#[must_use]
pub fn may_announce(rights: &Rights) -> bool {
    reach_of_customers(rights) != Reach::Only(None)
}

/// Letters of MESSAGE on an API with which one knows of it.
const KNOWING: [Letter; 2] = [Letter::Create, Letter::Read];

/// Whether somebody may know of an API: who writes to its consumers, sees what was written, or reads the directory.
#[must_use]
pub fn may_see_api(rights: &Rights, api: ApiId) -> bool {
    let holds = |letter| rights.on_api(api, Permission::Message, letter);
    KNOWING.into_iter().any(holds) || may(rights, &Act::ReadDirectory).is_ok()
}

/// Whether there is any API that [`may_see_api`] allows.
#[must_use]
pub fn may_see_any_api(rights: &Rights) -> bool {
    let holds = |letter| rights.on_any_api(Permission::Message, letter);
    KNOWING.into_iter().any(holds) || may(rights, &Act::ReadDirectory).is_ok()
}

/// The APIs that somebody may know of by what they hold themselves: those that [`may_see_api`] allows who does not read
/// the directory.
#[must_use]
pub fn seen_apis(rights: &Rights) -> Vec<ApiId> {
    let held = rights.apis.keys().copied();
    held.filter(|api| may_see_api(rights, *api)).collect()
}

/// Whether somebody may know of an application: who holds a role on it, directly or lent, or reads the directory.
#[must_use]
pub fn may_see_application(rights: &Rights, is_member: bool) -> bool {
    is_member || may(rights, &Act::ReadDirectory).is_ok()
}

/// Whether there can be any saved destination that [`Act::SeeEndpoint`] allows.
#[must_use]
pub fn may_see_any_endpoint(rights: &Rights) -> bool {
    on_any_home(rights, Letter::Read)
}

/// Whether there is anything that [`Act::CreateEndpoint`] allows a saved destination for.
#[must_use]
pub fn may_create_any_endpoint(rights: &Rights) -> bool {
    on_any_home(rights, Letter::Create)
}

fn on_any_home(rights: &Rights, letter: Letter) -> bool {
    rights.on_any_environment(Permission::Message, letter) || rights.on_any_api(Permission::Message, letter)
}

/// What somebody may address, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach<T> {
    /// All there are.
    All,
    /// These.
    Only(T),
}

/// The APIs that [`Act::Send`] allows somebody to address, in the order of their ids.
#[must_use]
pub fn reach_of_apis(rights: &Rights) -> Reach<Vec<ApiId>> {
    if rights.is_organization_admin {
        return Reach::All;
    }
    let held = rights.apis.keys().copied();
    Reach::Only(
        held.filter(|api| one(rights, Part::Api { api: *api }, Letter::Create).is_ok())
            .collect(),
    )
}

/// The customers that [`Act::Send`] allows somebody to address: one with all below it, where these are not all.
#[must_use]
pub fn reach_of_customers(rights: &Rights) -> Reach<Option<CustomerId>> {
    if rights.is_root() {
        return Reach::All;
    }
    let own = rights.customer;
    Reach::Only(own.filter(|customer| one(rights, Part::Customer { customer: *customer }, Letter::Create).is_ok()))
}

fn every(rights: &Rights, parts: &[Part], letter: Letter) -> Result<()> {
    // Nothing to be judged by is not the same as nothing against it.
    holds(
        !parts.is_empty(),
        "ORGANIZATION:ADMIN, for a message without audience and home",
    )?;
    parts.iter().try_for_each(|part| one(rights, *part, letter))
}

fn one(rights: &Rights, part: Part, letter: Letter) -> Result<()> {
    match part {
        Part::EnvironmentRole { environment }
        | Part::Directory {
            environment: Some(environment),
        } => {
            if rights.on_environment(environment, Permission::Message, letter) {
                return Ok(());
            }
            denied(&format!("ENVIRONMENT_MESSAGE[{}] on this environment", letter.name()))
        }
        Part::Directory { environment: None } => holds(
            false,
            "ORGANIZATION:ADMIN, for groups and people in a message without environment",
        ),
        Part::Api { api } => {
            if rights.on_api(api, Permission::Message, letter) {
                return Ok(());
            }
            denied(&format!("API_MESSAGE[{}] on this API", letter.name()))
        }
        Part::Customer { customer } if rights.on_customer(customer) => Ok(()),
        // The text names no id: what is foreign and what is unknown are refused in the same words.
        Part::Customer { .. } => {
            denied("root administrator, or customer administrator of this customer or of one above it")
        }
        Part::Everyone => holds(rights.is_root(), "root administrator"),
    }
}

fn holds(holds: bool, missing: &str) -> Result<()> {
    if holds { Ok(()) } else { denied(missing) }
}

fn denied(missing: &str) -> Result<()> {
    Err(Error::Denied(format!("you lack: {missing}")))
}
