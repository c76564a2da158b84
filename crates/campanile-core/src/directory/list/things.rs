//! Lists of environments, groups, APIs and applications.

use std::collections::HashMap;

use campanile_store::{Param, Row, Sql, Tx, sql};
use serde::Serialize;

use super::ended::{self, ended, last_first};
use super::{Arm, PAGE_LIMIT, Page, Paging, looked, prefix, run};
use crate::directory::check::folded;
use crate::error::{Error, Result};
use crate::id::{ApiId, EnvironmentId, PersonId};
use crate::place::{kind, place};
use crate::time::Moment;

/// The statements of a kind: all by id, found by id, found by name, what has ended, one; and where those end that look.
///
/// $1 to $5 are as an arm has them. Where nothing is searched $6 and $7 are the filters; else $6 to $7 are the range of
/// texts that begin as the search does, and the filters follow: only active or inactive ones, only those of an
/// environment (its id).
macro_rules! texts {
    (item $kind:literal $environment:literal) => {
        concat!("t.key, t.name, ", $environment, ",
            EXISTS (SELECT 1 FROM life l WHERE l.kind = ", $kind, " AND l.object = t.id
                AND l.until = 9223372036854775807),
            (SELECT MIN(l.since_at) FROM life l WHERE l.kind = ", $kind, " AND l.object = t.id)")
    };
    (filter $kind:literal $environment:literal $active:literal $of:literal) => {
        concat!(" AND (CAST(", $active, " AS BOOLEAN) IS NULL OR ", $active, " = EXISTS (SELECT 1 FROM life l
                WHERE l.kind = ", $kind, " AND l.object = t.id AND l.until = 9223372036854775807))
            AND (CAST(", $of, " AS TEXT) IS NULL OR ", $of, " = ", $environment, ")")
    };
    (all $table:literal $kind:literal $environment:literal) => {
        concat!("SELECT t.key, t.id, ", texts!(item $kind $environment), " FROM ", $table, " t
            WHERE (t.key, t.id) > ($1, $2) AND (t.key, t.id) <= ($4, $5)",
            texts!(filter $kind $environment "$6" "$7"), " ORDER BY t.key, t.id LIMIT $3")
    };
    (all_edge $table:literal) => {
        concat!("SELECT t.key, t.id FROM ", $table, " t WHERE (t.key, t.id) > ($1, $2)
            ORDER BY t.key, t.id LIMIT 1 OFFSET $3")
    };
    (found $column:literal $but:literal $table:literal $kind:literal $environment:literal
        $active:literal $of:literal) => {
        concat!("SELECT t.", $column, ", t.id, ", texts!(item $kind $environment), " FROM ", $table, " t
            WHERE t.", $column, " >= $6 AND t.", $column, " < $7
                AND (t.", $column, ", t.id) > ($1, $2) AND (t.", $column, ", t.id) <= ($4, $5)", $but,
            texts!(filter $kind $environment $active $of), " ORDER BY t.", $column, ", t.id LIMIT $3")
    };
    (key $table:literal $kind:literal $environment:literal) => {
        texts!(found "key" "" $table $kind $environment "$8" "$9")
    };
    (name $table:literal $kind:literal $environment:literal) => {
        texts!(found "name_key" " AND NOT (t.key >= $8 AND t.key < $9)" $table $kind $environment "$10" "$11")
    };
    (edge $column:literal $table:literal) => {
        concat!("SELECT t.", $column, ", t.id FROM ", $table, " t
            WHERE t.", $column, " >= $4 AND t.", $column, " < $5 AND (t.", $column, ", t.id) > ($1, $2)
            ORDER BY t.", $column, ", t.id LIMIT 1 OFFSET $3")
    };
    (ended $table:literal $kind:literal $environment:literal) => {
        concat!("SELECT l.until, t.id, ", texts!(item $kind $environment), ended!($table $kind), "t.id
            AND (CAST($6 AS TEXT) IS NULL OR $6 = ", $environment, ")", last_first!())
    };
    (seen $from:expr, $kind:literal $environment:literal) => {
        concat!("SELECT t.key, t.id, ", texts!(item $kind $environment), " FROM ", $from, " AND t.environment = $1
            AND EXISTS (SELECT 1 FROM life l
                WHERE l.kind = ", $kind, " AND l.object = t.id AND l.until = 9223372036854775807)")
    };
    (one $table:literal $kind:literal $environment:literal) => {
        concat!("SELECT t.key, t.id, ", texts!(item $kind $environment), " FROM ", $table, " t WHERE t.key = $1")
    };
}

/// The applications on which a person ($2) holds a role, directly or lent by a group.
macro_rules! applications {
    () => {
        "(SELECT m.object FROM membership m
            WHERE m.person = $2 AND m.place = 4 AND m.until = 9223372036854775807
            UNION
            SELECT a.object FROM membership m CROSS JOIN attachment a
            WHERE m.person = $2 AND m.place = 5 AND m.until = 9223372036854775807
                AND a.grp = m.object AND a.place = 4 AND a.until = 9223372036854775807) own"
    };
}

sql! {
    ALL_ENVIRONMENTS = texts!(all "environment" "3" "''");
    ALL_ENVIRONMENTS_EDGE = texts!(all_edge "environment");
    KEY_ENVIRONMENTS = texts!(key "environment" "3" "''");
    KEY_ENVIRONMENTS_EDGE = texts!(edge "key" "environment");
    ENDED_ENVIRONMENTS = texts!(ended "environment t" "3" "''");
    ONE_ENVIRONMENT = texts!(one "environment" "3" "''");
    ALL_GROUPS = texts!(all "grp" "4" "''");
    ALL_GROUPS_EDGE = texts!(all_edge "grp");
    KEY_GROUPS = texts!(key "grp" "4" "''");
    KEY_GROUPS_EDGE = texts!(edge "key" "grp");
    NAME_GROUPS = texts!(name "grp" "4" "''");
    NAME_GROUPS_EDGE = texts!(edge "name_key" "grp");
    ENDED_GROUPS = texts!(ended "grp t" "4" "''");
    ONE_GROUP = texts!(one "grp" "4" "''");
    ALL_APIS = texts!(all "api" "5" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    ALL_APIS_EDGE = texts!(all_edge "api");
    KEY_APIS = texts!(key "api" "5" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    KEY_APIS_EDGE = texts!(edge "key" "api");
    NAME_APIS = texts!(name "api" "5" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    NAME_APIS_EDGE = texts!(edge "name_key" "api");
    ENDED_APIS = texts!(ended "api t" "5" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    ONE_API = texts!(one "api" "5" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    ALL_APPLICATIONS = texts!(all "application" "6" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    ALL_APPLICATIONS_EDGE = texts!(all_edge "application");
    KEY_APPLICATIONS = texts!(key "application" "6" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    KEY_APPLICATIONS_EDGE = texts!(edge "key" "application");
    NAME_APPLICATIONS = texts!(name "application" "6" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    NAME_APPLICATIONS_EDGE = texts!(edge "name_key" "application");
    ENDED_APPLICATIONS = texts!(ended "application t" "6"
        "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    ONE_APPLICATION = texts!(one "application" "6" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    // Of an environment ($1), those that are there.
    SOME_APIS = texts!(seen concat!("api t WHERE t.id IN ", hundred!()),
        "5" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    // $3: after this key.
    APPLICATIONS_OF = concat!(texts!(seen concat!(applications!(), " CROSS JOIN application t WHERE t.id = own.object"),
        "6" "(SELECT e.key FROM environment e WHERE e.id = t.environment)"), " AND t.key > $3 ORDER BY t.key LIMIT $4");
    IS_MEMBER = concat!("SELECT EXISTS (SELECT 1 FROM application t CROSS JOIN ", applications!(), "
        WHERE t.key = $1 AND own.object = t.id)");
    GROUPS_OF = concat!("SELECT a.object, g.key FROM attachment a CROSS JOIN grp g
        WHERE a.place = $1 AND a.object IN ", hundred!(), " AND a.until = 9223372036854775807 AND g.id = a.grp
        ORDER BY a.object, g.key");
}

/// What has a key, a name and a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Environments.
    Environment,
    /// Groups.
    Group,
    /// APIs.
    Api,
    /// Applications.
    Application,
}

/// An environment, group, API or application as the directory shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Thing {
    /// The id in the directory file.
    pub id: String,
    /// The name.
    pub name: String,
    /// The environment of an API or application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The groups attached to an API or application now, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Whether it is there now.
    pub active: bool,
    /// When it first came.
    pub created_at: Moment,
}

/// Which of them.
#[derive(Debug, Clone, Default)]
pub struct ThingFilter {
    /// The beginning of an id, or of a name in any case of letters.
    pub q: Option<String>,
    /// Of an environment, by its id; for APIs and applications.
    pub environment: Option<String>,
    /// Only active or only inactive ones.
    pub active: Option<bool>,
}

impl Kind {
    const fn all(self) -> Arm {
        match self {
            Self::Environment => Arm(&ALL_ENVIRONMENTS, &ALL_ENVIRONMENTS_EDGE),
            Self::Group => Arm(&ALL_GROUPS, &ALL_GROUPS_EDGE),
            Self::Api => Arm(&ALL_APIS, &ALL_APIS_EDGE),
            Self::Application => Arm(&ALL_APPLICATIONS, &ALL_APPLICATIONS_EDGE),
        }
    }

    const fn by_key(self) -> Arm {
        match self {
            Self::Environment => Arm(&KEY_ENVIRONMENTS, &KEY_ENVIRONMENTS_EDGE),
            Self::Group => Arm(&KEY_GROUPS, &KEY_GROUPS_EDGE),
            Self::Api => Arm(&KEY_APIS, &KEY_APIS_EDGE),
            Self::Application => Arm(&KEY_APPLICATIONS, &KEY_APPLICATIONS_EDGE),
        }
    }

    /// Environments are few and are found by their ids alone.
    const fn by_name(self) -> Option<Arm> {
        match self {
            Self::Environment => None,
            Self::Group => Some(Arm(&NAME_GROUPS, &NAME_GROUPS_EDGE)),
            Self::Api => Some(Arm(&NAME_APIS, &NAME_APIS_EDGE)),
            Self::Application => Some(Arm(&NAME_APPLICATIONS, &NAME_APPLICATIONS_EDGE)),
        }
    }

    const fn ended(self) -> (&'static Sql, i64) {
        match self {
            Self::Environment => (&ENDED_ENVIRONMENTS, kind::ENVIRONMENT),
            Self::Group => (&ENDED_GROUPS, kind::GROUP),
            Self::Api => (&ENDED_APIS, kind::API),
            Self::Application => (&ENDED_APPLICATIONS, kind::APPLICATION),
        }
    }

    fn one(self) -> (&'static Sql, &'static str) {
        match self {
            Self::Environment => (&ONE_ENVIRONMENT, "environment"),
            Self::Group => (&ONE_GROUP, "group"),
            Self::Api => (&ONE_API, "API"),
            Self::Application => (&ONE_APPLICATION, "application"),
        }
    }

    /// Where groups are attached to it.
    const fn place(self) -> Option<i64> {
        match self {
            Self::Environment | Self::Group => None,
            Self::Api => Some(place::API),
            Self::Application => Some(place::APPLICATION),
        }
    }
}

/// An item with its number.
fn read(row: &Row<'_>) -> campanile_store::Result<(i64, Thing)> {
    let environment: String = row.get(4)?;
    let thing = Thing {
        id: row.get(2)?,
        name: row.get(3)?,
        environment: Some(environment).filter(|at| !at.is_empty()),
        groups: None,
        active: row.get(5)?,
        created_at: Moment(row.get::<Option<i64>>(6)?.unwrap_or(0)),
    };
    Ok((row.get(1)?, thing))
}

/// One of them, by the id of the directory file.
pub fn thing(tx: &mut Tx<'_>, kind: Kind, id: &str) -> Result<Thing> {
    let (sql, word) = kind.one();
    let found = tx.first(sql, &[&id], read)?.ok_or(Error::Missing(word))?;
    let mut found = [found];
    add_groups(tx, kind, &mut found)?;
    let [(_, thing)] = found;
    Ok(thing)
}

/// A page of them, by id; found by id and then by name where something is searched; the last to end first where only
/// inactive ones are asked for.
pub fn things(tx: &mut Tx<'_>, kind: Kind, filter: &ThingFilter, paging: &Paging) -> Result<Page<Thing>> {
    let filters: [&dyn Param; 2] = [&filter.active, &filter.environment];
    let keys = prefix(filter.q.as_deref())?;
    let names = prefix(filter.q.as_deref().map(folded).as_deref())?;
    let mut found = match keys.as_ref().zip(names.as_ref()) {
        None if filter.active == Some(false) => ended::list(tx, paging, kind.ended(), &filters[1..], read)?,
        None => looked(paging, 1, |place, limit| {
            run(tx, &kind.all(), (place, limit), (&[], &filters), read)
        })?,
        Some((keys, names)) => {
            let by_name = kind.by_name();
            looked(paging, 1 + usize::from(by_name.is_some()), |place, limit| {
                let at = (place, limit);
                match &by_name {
                    Some(arm) if place.arm == 1 => {
                        let but = [&[&keys.0 as &dyn Param, &keys.1], &filters[..]].concat();
                        run(tx, arm, at, (&[&names.0, &names.1], &but), read)
                    }
                    _ => run(tx, &kind.by_key(), at, (&[&keys.0, &keys.1], &filters), read),
                }
            })?
        }
    };
    add_groups(tx, kind, &mut found.items)?;
    Ok(Page {
        items: found.items.into_iter().map(|(_, thing)| thing).collect(),
        next: found.next,
    })
}

/// Those of some APIs, by number, that are there in an environment; in no order.
pub fn some_apis(tx: &mut Tx<'_>, environment: EnvironmentId, apis: &[ApiId]) -> Result<Vec<Thing>> {
    let mut out = Vec::new();
    for page in apis.chunks(PAGE_LIMIT as usize) {
        let mut params: Vec<&dyn Param> = vec![&environment.0];
        let numbers = page.iter().chain(std::iter::repeat(&page[0]));
        params.extend(numbers.take(PAGE_LIMIT as usize).map(|api| &api.0 as &dyn Param));
        let mut found = tx.rows(&SOME_APIS, &params, read)?;
        add_groups(tx, Kind::Api, &mut found)?;
        out.extend(found.into_iter().map(|(_, thing)| thing));
    }
    Ok(out)
}

/// The applications of an environment on which a person holds a role, directly or lent by a group, by id; so many at
/// most.
pub fn applications_of(
    tx: &mut Tx<'_>,
    environment: EnvironmentId,
    person: PersonId,
    most: usize,
) -> Result<Vec<Thing>> {
    let mut out: Vec<Thing> = Vec::new();
    loop {
        let limit = PAGE_LIMIT.min((most - out.len()) as i64);
        let after = out.last().map_or("", |thing| thing.id.as_str());
        let mut found = tx.rows(&APPLICATIONS_OF, &[&environment.0, &person.0, &after, &limit], read)?;
        add_groups(tx, Kind::Application, &mut found)?;
        let is_last = (found.len() as i64) < PAGE_LIMIT;
        out.extend(found.into_iter().map(|(_, thing)| thing));
        if is_last || out.len() >= most {
            return Ok(out);
        }
    }
}

/// Whether a person holds a role on an application, directly or lent by a group.
pub fn is_member(tx: &mut Tx<'_>, application: &str, person: PersonId) -> Result<bool> {
    Ok(tx.one(&IS_MEMBER, &[&application, &person.0], |row| row.get(0))?)
}

/// Fills in the groups attached to the items of a page.
fn add_groups(tx: &mut Tx<'_>, kind: Kind, items: &mut [(i64, Thing)]) -> Result<()> {
    let (Some(place), Some((last, _))) = (kind.place(), items.last()) else {
        return Ok(());
    };
    let mut params: Vec<&dyn Param> = vec![&place];
    let numbers = items.iter().map(|(number, _)| number).chain(std::iter::repeat(last));
    params.extend(numbers.take(PAGE_LIMIT as usize).map(|number| number as &dyn Param));
    let mut groups: HashMap<i64, Vec<String>> = HashMap::new();
    tx.each(&GROUPS_OF, &params, |row| {
        groups.entry(row.get(0)?).or_default().push(row.get(1)?);
        Ok::<(), campanile_store::Error>(())
    })?;
    for (number, thing) in items {
        thing.groups = Some(groups.remove(number).unwrap_or_default());
    }
    Ok(())
}
