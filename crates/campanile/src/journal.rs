//! The journal, as operators read it: a page of it, or all of it as a file. For every interface; each asks the policy.

use std::sync::Arc;

use bytes::Bytes;
use campanile_core::directory::list::{PAGE_LIMIT, Page, Paging};
use campanile_core::id::PersonId;
use campanile_core::journal::{self, Action, Deed, Filter, Item, Kind, Who};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_store::Tx;
use futures_util::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::Principal;
use crate::csv;
use crate::problem::Problem;

/// A page of it, the newest first.
///
/// # Errors
/// `Denied` without ORGANIZATION:ADMIN; `Invalid` names a field of the filter, the limit or the cursor.
pub async fn list(app: &App, person: PersonId, filter: Filter, paging: Paging) -> Result<Page<Item>, Problem> {
    let work = move |tx: &mut Tx<'_>| {
        policy::may(&Rights::load(tx, person)?, &Act::Operate)?;
        journal::list(tx, &filter, &paging)
    };
    Ok(app.db.scan(work).await?)
}

/// How it is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JournalFormat)]
pub enum Format {
    /// A line of JSON each, as the list has it.
    #[default]
    Ndjson,
    /// CSV (RFC 4180); before and after are JSON.
    Csv,
}

/// The columns of CSV.
const HEAD: &str =
    "id,at,actor,actor_name,acting_for,address,via,token,action,also,kind,object,name,revision,before,after\r\n";

/// Where an export stands.
struct Export {
    app: Arc<App>,
    person: PersonId,
    filter: Filter,
    format: Format,
    cursor: Option<String>,
    ended: bool,
}

/// All of it that a filter leaves, the newest first, in pieces of a page each, so that a million take no more memory
/// than a hundred. An error in the middle ends the stream with it.
///
/// That it was taken along is noted before any of it is given, and stands in the next one.
///
/// # Errors
/// As [`list()`], before the first piece.
pub async fn export(
    app: &Arc<App>,
    by: &Principal,
    filter: Filter,
    format: Format,
) -> Result<impl Stream<Item = Result<Bytes, std::io::Error>> + Send + use<>, Problem> {
    let mut export = Export {
        app: Arc::clone(app),
        person: by.person,
        filter,
        format,
        cursor: None,
        ended: false,
    };
    let head = if format == Format::Csv { HEAD } else { "" };
    let first = export.piece().await?.unwrap_or_default();
    taken(app, by, (Kind::Journal, ""), export.told()).await?;
    let first = Bytes::from(format!("{head}{first}"));
    let rest = futures_util::stream::unfold(export, |mut export| async {
        let piece = export.piece().await.transpose()?;
        let broken = |problem: Problem| std::io::Error::other(problem.cause.unwrap_or(problem.detail));
        Some((piece.map(Bytes::from).map_err(broken), export))
    });
    Ok(futures_util::stream::iter([Ok(first)]).chain(rest))
}

/// Notes that somebody took a list along, and what of it; before they get it.
///
/// # Errors
/// Those of the database.
pub async fn taken(app: &App, by: &Principal, (kind, object): (Kind, &str), told: Value) -> Result<(), Problem> {
    let (by, now) = (by.by(), app.clock.now());
    let deed = Deed::new(Action::Exported, kind, object).after(told);
    app.db.jot(move |tx| journal::record(tx, &by, &deed, now)).await?;
    Ok(())
}

impl Export {
    /// What was asked for, as the journal has it.
    fn told(&self) -> Value {
        let Filter {
            actor,
            action,
            kind,
            object,
            from,
            to,
            q,
        } = &self.filter;
        let asked = json!({"format": self.format, "actor": actor, "action": action, "kind": kind, "object": object,
            "from": from, "to": to, "q": q});
        let Value::Object(mut asked) = asked else {
            return asked;
        };
        asked.retain(|_, value| !value.is_null());
        Value::Object(asked)
    }

    /// The next lines; `None` at the end.
    async fn piece(&mut self) -> Result<Option<String>, Problem> {
        if self.ended {
            return Ok(None);
        }
        let paging = Paging {
            limit: Some(PAGE_LIMIT),
            cursor: self.cursor.take(),
        };
        let page = list(&self.app, self.person, self.filter.clone(), paging).await?;
        self.ended = page.next.is_none();
        self.cursor = page.next;
        let mut text = String::with_capacity(page.items.len() * 256);
        for item in &page.items {
            match self.format {
                Format::Ndjson => {
                    let line = serde_json::to_string(item).map_err(Problem::internal)?;
                    text.push_str(&line);
                    text.push('\n');
                }
                Format::Csv => csv::line(&mut text, &cells(item)),
            }
        }
        Ok(Some(text))
    }
}

fn cells(item: &Item) -> [String; 16] {
    let login = |who: &Option<Who>| who.as_ref().map(|who| who.login.clone()).unwrap_or_default();
    let json = |value: &Option<Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    [
        item.id.clone(),
        item.at.to_string(),
        login(&item.actor),
        item.actor.as_ref().map(|who| who.name.clone()).unwrap_or_default(),
        login(&item.acting_for),
        item.address.clone().unwrap_or_default(),
        item.via.map(journal::Via::name).unwrap_or_default().to_owned(),
        item.token.clone().unwrap_or_default(),
        item.action.name().to_owned(),
        item.also.iter().map(|also| also.name()).collect::<Vec<_>>().join(" "),
        item.kind.name().to_owned(),
        item.object.clone(),
        item.name.clone().unwrap_or_default(),
        item.revision.map(|revision| revision.0.to_string()).unwrap_or_default(),
        json(&item.before),
        json(&item.after),
    ]
}
