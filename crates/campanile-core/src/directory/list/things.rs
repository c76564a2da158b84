//! Lists of environments, groups, APIs and applications.

use std::collections::HashMap;

use campanile_store::{Param, Row, Sql, Tx, sql};
use serde::Serialize;

use super::{Arm, PAGE_LIMIT, Page, Paging, page, prefix, run};
use crate::directory::check::folded;
use crate::error::{Error, Result};
use crate::place::place;
use crate::time::Moment;

/// The statements of a kind: all by id, found by id, found by name, one.
///
/// $1, $2: after this text and number. $3: so many. $4: only active or inactive ones. $5: only those of an environment
/// (its id). $6 to $7: the range of ids, $8 to $9 that of folded names, that begin as the search does.
macro_rules! texts {
    (item $kind:literal $environment:literal) => {
        concat!("t.key, t.name, ", $environment, ",
            EXISTS (SELECT 1 FROM life l WHERE l.kind = ", $kind, " AND l.object = t.id
                AND l.until = 9223372036854775807),
            (SELECT MIN(l.since_at) FROM life l WHERE l.kind = ", $kind, " AND l.object = t.id)")
    };
    (filter $kind:literal $own:literal) => {
        concat!(" AND (CAST($4 AS BOOLEAN) IS NULL OR $4 = EXISTS (SELECT 1 FROM life l
                WHERE l.kind = ", $kind, " AND l.object = t.id AND l.until = 9223372036854775807))
            AND (CAST($5 AS TEXT) IS NULL", $own, ")")
    };
    (all $table:literal $kind:literal $environment:literal $own:literal) => {
        concat!("SELECT t.key, t.id, ", texts!(item $kind $environment), " FROM ", $table, " t
            WHERE (t.key, t.id) > ($1, $2)", texts!(filter $kind $own), " ORDER BY t.key, t.id LIMIT $3")
    };
    (key $table:literal $kind:literal $environment:literal $own:literal) => {
        concat!("SELECT t.key, t.id, ", texts!(item $kind $environment), " FROM ", $table, " t
            WHERE t.key >= $6 AND t.key < $7 AND (t.key, t.id) > ($1, $2)", texts!(filter $kind $own), "
            ORDER BY t.key, t.id LIMIT $3")
    };
    (name $table:literal $kind:literal $environment:literal $own:literal) => {
        concat!("SELECT t.name_key, t.id, ", texts!(item $kind $environment), " FROM ", $table, " t
            WHERE t.name_key >= $8 AND t.name_key < $9 AND (t.name_key, t.id) > ($1, $2)
                AND NOT (t.key >= $6 AND t.key < $7)", texts!(filter $kind $own), "
            ORDER BY t.name_key, t.id LIMIT $3")
    };
    (one $table:literal $kind:literal $environment:literal) => {
        concat!("SELECT t.key, t.id, ", texts!(item $kind $environment), " FROM ", $table, " t WHERE t.key = $1")
    };
}

/// The numbers of a page's items, from $2 on.
macro_rules! hundred {
    () => {
        "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
          $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45,
          $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65, $66,
          $67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80, $81, $82, $83, $84, $85, $86, $87,
          $88, $89, $90, $91, $92, $93, $94, $95, $96, $97, $98, $99, $100, $101)"
    };
}

sql! {
    ALL_ENVIRONMENTS = texts!(all "environment" "3" "''" "");
    KEY_ENVIRONMENTS = texts!(key "environment" "3" "''" "");
    ONE_ENVIRONMENT = texts!(one "environment" "3" "''");
    ALL_GROUPS = texts!(all "grp" "4" "''" "");
    KEY_GROUPS = texts!(key "grp" "4" "''" "");
    NAME_GROUPS = texts!(name "grp" "4" "''" "");
    ONE_GROUP = texts!(one "grp" "4" "''");
    ALL_APIS = texts!(all "api" "5" "(SELECT e.key FROM environment e WHERE e.id = t.environment)"
        " OR t.environment = (SELECT e.id FROM environment e WHERE e.key = $5)");
    KEY_APIS = texts!(key "api" "5" "(SELECT e.key FROM environment e WHERE e.id = t.environment)"
        " OR t.environment = (SELECT e.id FROM environment e WHERE e.key = $5)");
    NAME_APIS = texts!(name "api" "5" "(SELECT e.key FROM environment e WHERE e.id = t.environment)"
        " OR t.environment = (SELECT e.id FROM environment e WHERE e.key = $5)");
    ONE_API = texts!(one "api" "5" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
    ALL_APPLICATIONS = texts!(all "application" "6" "(SELECT e.key FROM environment e WHERE e.id = t.environment)"
        " OR t.environment = (SELECT e.id FROM environment e WHERE e.key = $5)");
    KEY_APPLICATIONS = texts!(key "application" "6" "(SELECT e.key FROM environment e WHERE e.id = t.environment)"
        " OR t.environment = (SELECT e.id FROM environment e WHERE e.key = $5)");
    NAME_APPLICATIONS = texts!(name "application" "6" "(SELECT e.key FROM environment e WHERE e.id = t.environment)"
        " OR t.environment = (SELECT e.id FROM environment e WHERE e.key = $5)");
    ONE_APPLICATION = texts!(one "application" "6" "(SELECT e.key FROM environment e WHERE e.id = t.environment)");
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
    fn all(self) -> Arm {
        match self {
            Self::Environment => Arm(&ALL_ENVIRONMENTS, 5),
            Self::Group => Arm(&ALL_GROUPS, 5),
            Self::Api => Arm(&ALL_APIS, 5),
            Self::Application => Arm(&ALL_APPLICATIONS, 5),
        }
    }

    /// Environments are few and are found by their ids alone.
    fn search(self) -> Vec<Arm> {
        match self {
            Self::Environment => vec![Arm(&KEY_ENVIRONMENTS, 7)],
            Self::Group => vec![Arm(&KEY_GROUPS, 7), Arm(&NAME_GROUPS, 9)],
            Self::Api => vec![Arm(&KEY_APIS, 7), Arm(&NAME_APIS, 9)],
            Self::Application => vec![Arm(&KEY_APPLICATIONS, 7), Arm(&NAME_APPLICATIONS, 9)],
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

/// A page of them, by id; found by id and then by name where something is searched.
pub fn things(tx: &mut Tx<'_>, kind: Kind, filter: &ThingFilter, paging: &Paging) -> Result<Page<Thing>> {
    let ids = prefix(filter.q.as_deref())?;
    let names = prefix(filter.q.as_deref().map(folded).as_deref())?;
    let arms = if ids.is_some() { kind.search() } else { vec![kind.all()] };
    let ((id_from, id_to), (name_from, name_to)) = (ids.unwrap_or_default(), names.unwrap_or_default());
    let mut found = page(paging, arms.len(), |place, limit| {
        let params: [&dyn Param; 9] = [
            &place.text,
            &place.numbers.0,
            &limit,
            &filter.active,
            &filter.environment,
            &id_from,
            &id_to,
            &name_from,
            &name_to,
        ];
        run(tx, &arms[place.arm], place.arm, &params, read)
    })?;
    add_groups(tx, kind, &mut found.items)?;
    Ok(Page {
        items: found.items.into_iter().map(|(_, thing)| thing).collect(),
        next: found.next,
    })
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
