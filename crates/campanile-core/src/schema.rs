//! The schema's files, in order, and every statement of the crate.

use campanile_store::{Migration, Schema, Sql};

/// The database that this crate needs.
pub static SCHEMA: Schema = Schema {
    migrations: &[
        Migration {
            number: 1,
            name: "0001_start.sql",
            sql: include_str!("../schema/0001_start.sql"),
            oldest: 1,
        },
        Migration {
            number: 2,
            name: "0002_outbox.sql",
            sql: include_str!("../schema/0002_outbox.sql"),
            oldest: 2,
        },
        // An older binary would let in who is locked out.
        Migration {
            number: 3,
            name: "0003_portal.sql",
            sql: include_str!("../schema/0003_portal.sql"),
            oldest: 3,
        },
        Migration {
            number: 4,
            name: "0004_journal.sql",
            sql: include_str!("../schema/0004_journal.sql"),
            oldest: 3,
        },
        Migration {
            number: 5,
            name: "0005_changes.sql",
            sql: include_str!("../schema/0005_changes.sql"),
            oldest: 3,
        },
        Migration {
            number: 6,
            name: "0006_push.sql",
            sql: include_str!("../schema/0006_push.sql"),
            oldest: 3,
        },
        Migration {
            number: 7,
            name: "0007_sites.sql",
            sql: include_str!("../schema/0007_sites.sql"),
            oldest: 3,
        },
        // An older binary would look for messages that are gone.
        Migration {
            number: 8,
            name: "0008_retention.sql",
            sql: include_str!("../schema/0008_retention.sql"),
            oldest: 8,
        },
    ],
};

/// Indexes that an import into an empty database makes last. No rule of an import reads by them, but those that end
/// what belongs to a thing: see [`Entry::ends_others`](crate::directory::Entry::ends_others).
pub const INDEXES_MADE_LAST: &[&str] = &[
    "membership_begun",
    "membership_place",
    "person_changed",
    "person_email",
    "person_name",
    "residence_customer",
];

/// The table that has rows as soon as anything was done: the first thing that is made is an administrator.
pub const TELLTALE: &str = "person";

/// Columns that mean something only in the database that wrote them, each with its table: in which order rows came to
/// be seen there (see "Marks" in ARCHITECTURE.md). A copy begins anew with 0, as its own numbers may be less.
pub const LOCAL_COLUMNS: &[(&str, &str)] = &[("engagement", "written"), ("mark", "written")];

/// Every statement, so that a test can prepare them all on both databases.
pub fn statements() -> impl Iterator<Item = &'static Sql> {
    LISTS
        .iter()
        .copied()
        .flatten()
        .copied()
        .chain(crate::directory::statements())
}

static LISTS: &[&[&Sql]] = &[
    crate::account::STATEMENTS,
    crate::account::profile::STATEMENTS,
    crate::account::session::STATEMENTS,
    crate::account::ticket::STATEMENTS,
    crate::account::token::STATEMENTS,
    crate::audience::crowd::STATEMENTS,
    crate::audience::crowd::recent::STATEMENTS,
    crate::audience::crowd::then::STATEMENTS,
    crate::audience::concerned::STATEMENTS,
    crate::audience::holding::STATEMENTS,
    crate::first::STATEMENTS,
    crate::inbox::act::STATEMENTS,
    crate::inbox::texts::STATEMENTS,
    crate::journal::STATEMENTS,
    crate::journal::list::STATEMENTS,
    crate::journal::story::STATEMENTS,
    crate::lists::STATEMENTS,
    crate::message::STATEMENTS,
    crate::message::announced::STATEMENTS,
    crate::message::change::STATEMENTS,
    crate::message::edition::STATEMENTS,
    crate::message::funnel::STATEMENTS,
    crate::message::judged::STATEMENTS,
    crate::message::kept::STATEMENTS,
    crate::message::label::STATEMENTS,
    crate::message::preview::STATEMENTS,
    crate::message::publish::STATEMENTS,
    crate::message::remind::STATEMENTS,
    crate::message::sent::STATEMENTS,
    crate::message::sight::STATEMENTS,
    crate::message::someone::STATEMENTS,
    crate::message::target::STATEMENTS,
    crate::outbox::bounce::STATEMENTS,
    crate::outbox::chunk::STATEMENTS,
    crate::outbox::delivery::STATEMENTS,
    crate::outbox::destination::STATEMENTS,
    crate::outbox::device::STATEMENTS,
    crate::outbox::endpoint::STATEMENTS,
    crate::outbox::endpoint::change::STATEMENTS,
    crate::outbox::endpoint::health::STATEMENTS,
    crate::outbox::lease::STATEMENTS,
    crate::outbox::list::STATEMENTS,
    crate::outbox::look::STATEMENTS,
    crate::outbox::look::walk::STATEMENTS,
    crate::outbox::push::STATEMENTS,
    crate::outbox::reader::STATEMENTS,
    crate::outbox::run::STATEMENTS,
    crate::outbox::run::sweep::STATEMENTS,
    crate::outbox::suppression::STATEMENTS,
    crate::outbox::vapid::STATEMENTS,
    crate::outbox::wish::STATEMENTS,
    crate::portal::customer::STATEMENTS,
    crate::portal::user::STATEMENTS,
    crate::restored::STATEMENTS,
    crate::revision::STATEMENTS,
    crate::rights::STATEMENTS,
    crate::retention::export::STATEMENTS,
    crate::retention::history::STATEMENTS,
    crate::retention::message::STATEMENTS,
    crate::retention::outcome::STATEMENTS,
    crate::retention::person::STATEMENTS,
    crate::site::STATEMENTS,
    crate::site::door::STATEMENTS,
    crate::site::key::STATEMENTS,
];
