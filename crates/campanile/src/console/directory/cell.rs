//! What tables and facts are made of, so that every list of the directory looks the same.

use campanile_core::directory::entry::{On, Status};
use campanile_core::directory::list::{Membership, Subscription, User};
use campanile_core::policy::Act;
use campanile_core::time::Moment;

use super::super::page::Reader;
use super::{Kind, address, query};

/// Since when there is what comes with the platform, such as the first environment: nothing that a page tells.
pub(super) const BEGINNING: Moment = Moment(0);

/// What stands in one place: a text, perhaps a link, with a second line, or as a pill, or a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) to: Option<String>,
    pub(super) hint: Option<String>,
    pub(super) pill: Option<&'static str>,
    pub(super) time: Option<Moment>,
    pub(super) is_id: bool,
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// An id, in the letters of ids.
    pub(super) fn id(text: impl Into<String>) -> Self {
        Self {
            is_id: true,
            ..Self::text(text)
        }
    }

    pub(super) fn link(to: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            to: Some(to.into()),
            ..Self::text(text)
        }
    }

    pub(super) fn time(at: Moment) -> Self {
        Self {
            time: (at != BEGINNING).then_some(at),
            ..Self::default()
        }
    }

    /// A word in a pill of a class of the stylesheet; the empty class is a plain one.
    pub(super) fn pill(class: &'static str, text: impl Into<String>) -> Self {
        Self {
            pill: Some(class),
            ..Self::text(text)
        }
    }

    /// With a second line.
    pub(super) fn with(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The word for what is no longer there.
pub(super) fn state_word(reader: &Reader, kind: Kind) -> String {
    reader.t(if kind == Kind::Users { "deactivated" } else { "removed" })
}

/// A column: its name, and its class: `more` goes on narrow screens, `n` is a number.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) class: &'static str,
}

/// A table, and where its next page is.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) more: Option<String>,
    /// What it says when it is empty.
    pub(super) empty: String,
}

impl Table {
    /// A table with these columns: `column-…`, and their classes.
    pub(super) fn new(reader: &Reader, columns: &[(&str, &'static str)], empty: &str) -> Self {
        let column = |(name, class): &(&str, &'static str)| Column {
            name: reader.t(&format!("column-{name}")),
            class,
        };
        Self {
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
            more: None,
            empty: reader.t(empty),
        }
    }

    /// Without a column that says the same in each row.
    pub(super) fn without(mut self, column: usize) -> Self {
        self.columns.remove(column);
        for row in &mut self.rows {
            row.remove(column);
        }
        self
    }
}

/// A table under a heading, with a button that adds to it.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) table: Table,
    pub(super) add: Option<(String, String)>,
}

/// A fact: its name and what it says.
pub(super) type Fact = (String, Cell);

/// The path of the list, the id, and the name of a place in forms.
pub(super) const fn place(on: &On) -> (&'static str, &String) {
    match on {
        On::Organization(id) => ("organization", id),
        On::Environment(id) => ("environment", id),
        On::Api(id) => ("api", id),
        On::Application(id) => ("application", id),
        On::Group(id) => ("group", id),
    }
}

/// The page of a place, if it has one.
pub(super) fn place_address(on: &On) -> Option<String> {
    Some(match on {
        On::Organization(_) => return None,
        On::Environment(id) => Kind::Environments.at(id),
        On::Api(id) => Kind::Apis.at(id),
        On::Application(id) => Kind::Applications.at(id),
        On::Group(id) => Kind::Groups.at(id),
    })
}

/// A place as a link with its kind above it.
pub(super) fn place_cell(reader: &Reader, on: &On, name: &str) -> Cell {
    let kind = reader.t(&format!("place-{}", place(on).0));
    match place_address(on) {
        Some(to) => Cell::link(to, name).with(kind),
        None => Cell::text(kind),
    }
}

/// A role, with its page for who may look at roles.
pub(super) fn role_cell(reader: &Reader, membership: &Membership) -> Cell {
    let scope = membership.scope.name();
    let to = format!(
        "{}/{}",
        address("roles", scope),
        crate::directory::segment(&membership.role)
    );
    let cell = if reader.may(&Act::ListRoles) {
        Cell::link(to, &membership.role)
    } else {
        Cell::text(&membership.role)
    };
    cell.with(scope)
}

/// The address that asks whether a membership shall end.
pub(super) fn membership_end(membership: &Membership) -> String {
    let (on, id) = place(&membership.on);
    query(
        "/directory/memberships/end",
        &[
            ("user", &membership.user),
            ("on", on),
            ("id", id),
            ("scope", membership.scope.name()),
            ("role", &membership.role),
        ],
    )
}

/// A user by name and login.
pub(super) fn user_cell(user: &User) -> Cell {
    Cell::link(Kind::Users.at(&user.id), &user.name).with(&user.login)
}

/// The name of a status in addresses and names of texts.
pub(super) const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Accepted => "accepted",
        Status::Rejected => "rejected",
        Status::Closed => "closed",
        Status::Paused => "paused",
    }
}

/// How a subscription stands, in a word.
pub(super) fn status_cell(reader: &Reader, subscription: &Subscription) -> Cell {
    if !subscription.active {
        return Cell::pill("", reader.t("removed"));
    }
    let class = match subscription.status {
        Status::Accepted => "good",
        Status::Pending => "low",
        Status::Paused => "high",
        Status::Rejected | Status::Closed => "",
    };
    Cell::pill(class, reader.t(&format!("status-{}", status_name(subscription.status))))
}
