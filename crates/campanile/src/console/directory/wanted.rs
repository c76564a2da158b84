//! What a form says: an entry of the directory file; and what a thing says in a form.

use campanile_core::Fault;
use campanile_core::directory::Entry;
use campanile_core::directory::entry::{self, Patch, Secret};
use campanile_core::rights::AsmRole;
use campanile_core::time::Moment;

use super::super::form::Fields;
use super::super::when::Zone;
use super::Kind;
use super::cell::status_name;
use super::lists::status_of;
use super::raw::Raw;

/// Reads the fields of a form. What is as it was before is left out, so that nobody else's change is undone and a time
/// keeps its seconds.
struct Form<'a> {
    values: &'a Fields,
    was: Option<&'a Fields>,
    zone: &'a Zone,
    faults: Vec<Fault>,
}

impl Form<'_> {
    fn is_same(&self, name: &str) -> bool {
        self.was.is_some_and(|was| was.get(name) == self.values.get(name))
    }

    /// A text that cannot be left empty: the rules say so.
    fn text(&self, name: &str) -> Patch<String> {
        if self.is_same(name) {
            Patch::Absent
        } else {
            Patch::Set(self.values.get(name).to_owned())
        }
    }

    /// A text that is none where it is empty.
    fn some(&self, name: &str) -> Patch<String> {
        match self.values.some(name) {
            _ if self.is_same(name) => Patch::Absent,
            Some(value) => Patch::Set(value.to_owned()),
            None => Patch::Null,
        }
    }

    fn number(&mut self, name: &str) -> Patch<i64> {
        match self.some(name) {
            Patch::Absent => Patch::Absent,
            Patch::Null => Patch::Null,
            Patch::Set(value) => match value.parse() {
                Ok(number) => Patch::Set(number),
                Err(_) => self.fault(name, "is not a number"),
            },
        }
    }

    fn time(&mut self, name: &str) -> Patch<Moment> {
        match self.some(name) {
            Patch::Absent => Patch::Absent,
            Patch::Null => Patch::Null,
            Patch::Set(value) => match self.zone.parse(&value) {
                Some(at) => Patch::Set(at),
                None => self.fault(name, "is not a time"),
            },
        }
    }

    fn fault<T>(&mut self, name: &str, reason: &str) -> Patch<T> {
        self.faults.push(Fault {
            field: name.to_owned(),
            reason: reason.to_owned(),
        });
        Patch::Absent
    }
}

/// The entry that a form wants; `id` is that of a thing that is there, `was` what its form held before.
pub(super) fn entry(
    kind: Kind,
    id: Option<&str>,
    values: &Fields,
    was: Option<&Fields>,
    zone: &Zone,
) -> Result<Entry, Vec<Fault>> {
    let mut form = Form {
        values,
        was,
        zone,
        faults: Vec::new(),
    };
    let key = Some(id.unwrap_or_else(|| values.get("id")).to_owned());
    let entry = match kind {
        Kind::Customers => Entry::Customer(entry::Customer {
            id: customer_id(&mut form, id),
            name: form.text("name"),
            parent: form.number("parent"),
        }),
        Kind::Users => Entry::User(user(&mut form, key)),
        Kind::Groups => Entry::Group(entry::Group {
            id: key,
            name: form.text("name"),
        }),
        Kind::Environments => Entry::Environment(entry::Environment {
            id: key,
            name: form.text("name"),
        }),
        Kind::Apis => Entry::Api(entry::Api {
            id: key,
            name: form.text("name"),
            environment: form.text("environment"),
            groups: Patch::Absent,
        }),
        Kind::Applications => Entry::Application(entry::Application {
            id: key,
            name: form.text("name"),
            environment: form.text("environment"),
            groups: Patch::Absent,
        }),
        Kind::Subscriptions => Entry::Subscription(subscription(&mut form, key)),
    };
    if form.faults.is_empty() {
        Ok(entry)
    } else {
        Err(form.faults)
    }
}

fn customer_id(form: &mut Form<'_>, id: Option<&str>) -> Option<i64> {
    match id {
        Some(id) => id.parse().ok(),
        None => form.number("id").value().copied(),
    }
}

fn user(form: &mut Form<'_>, id: Option<String>) -> entry::User {
    let asm_role = match form.values.get("asm_role") {
        _ if form.is_same("asm_role") => Patch::Absent,
        "CustomerAdmin" => Patch::Set(AsmRole::CustomerAdmin),
        "RootAdmin" => Patch::Set(AsmRole::RootAdmin),
        _ => Patch::Set(AsmRole::User),
    };
    let password = match form.values.text("password") {
        empty if empty.is_empty() => Patch::Absent,
        password => Patch::Set(Secret(password)),
    };
    entry::User {
        id,
        login: form.text("login"),
        name: form.text("name"),
        email: form.some("email"),
        customer: form.number("customer"),
        locale: form.some("locale"),
        password,
        asm_role,
        password_hash: Patch::Absent,
    }
}

fn subscription(form: &mut Form<'_>, id: Option<String>) -> entry::Subscription {
    let end = |name: &str| match form.values.some(name) {
        Some(id) if form.was.is_none() => Patch::Set(id.to_owned()),
        _ => Patch::Absent,
    };
    let (api, application) = (end("api"), end("application"));
    let status = match status_of(form.values.get("status")) {
        Some(status) if !form.is_same("status") => Patch::Set(status),
        _ => Patch::Absent,
    };
    entry::Subscription {
        id,
        api,
        application,
        status,
        subscribed_by: form.some("subscribed_by"),
        starting_at: form.time("starting_at"),
        ending_at: form.time("ending_at"),
    }
}

/// What the form of a thing holds.
pub(super) fn values(raw: &Raw, zone: &Zone) -> Fields {
    let time = |at: Option<Moment>| at.map(|at| zone.input(at)).unwrap_or_default();
    let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    match raw {
        Raw::Customer { item, .. } => Fields::of([("name", item.name.clone()), ("parent", number(item.parent))]),
        Raw::User { item, .. } => Fields::of([
            ("name", item.name.clone()),
            ("login", item.login.clone()),
            ("email", item.email.clone().unwrap_or_default()),
            ("customer", number(item.customer)),
            ("locale", item.locale.clone().unwrap_or_default()),
            ("asm_role", format!("{:?}", item.asm_role)),
        ]),
        Raw::Group { item, .. } | Raw::Environment { item, .. } | Raw::Placed { item, .. } => {
            Fields::of([("name", item.name.clone())])
        }
        Raw::Subscription { item, .. } => Fields::of([
            ("status", status_name(item.status).to_owned()),
            ("subscribed_by", item.subscribed_by.clone().unwrap_or_default()),
            ("starting_at", time(item.starting_at)),
            ("ending_at", time(item.ending_at)),
        ]),
    }
}
