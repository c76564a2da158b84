//! `campanile token`: the personal tokens and the ticket of a user, straight from the database, also beside a server.

use std::io::Write;

use campanile_core::account::{self, ticket, token};
use campanile_core::id::PersonId;
use campanile_core::journal::{Action, By};
use campanile_core::time::Moment;
use campanile_store::Tx;

use super::{Existing, Token};
use crate::app::App;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::{Flags, Settings};
use crate::exit::Failure;
use crate::own;
use crate::words::printable;

/// Does what was asked for: a value stands alone on standard output.
pub(super) fn run(flags: Flags, args: &Token) -> Result<(), Failure> {
    let settings = Settings::load(flags)?;
    // Making an empty one would hide a wrong path: nobody has a token there.
    if super::embedded_is_missing(&settings) {
        return Err(Failure::Away(format!(
            "there is no database {}; `campanile serve` or `campanile import` makes one",
            settings.database
        )));
    }
    let origin = settings.origin(settings.listen);
    let app = App::open(settings, origin, Clock::system(), Chance::system())?;
    let mut out = std::io::stdout();
    match &args.existing {
        None => writeln!(out, "{}", super::block_on(value(&app, args))?)?,
        Some(Existing::List { user, json }) => {
            let tokens = super::block_on(list(&app, user))?;
            if *json {
                writeln!(out, "{}", as_json(&tokens))?;
            } else if tokens.is_empty() {
                writeln!(std::io::stderr(), "{user} has no personal tokens")?;
            } else {
                write!(out, "{}", as_table(&tokens, app.clock.now()))?;
            }
        }
        Some(Existing::Revoke { which, user }) => {
            let revoked = super::block_on(revoke(&app, user, which))?;
            writeln!(out, "revoked the token {} of {user}", printable(&revoked.name))?;
        }
    }
    Ok(())
}

/// The active user of a login.
async fn person(app: &App, login: &str) -> Result<PersonId, Failure> {
    let key = login.to_owned();
    let found = app.db.read(move |tx| account::candidate(tx, &key)).await?;
    let found = found.ok_or_else(|| Failure::Work(format!("there is no active user with the login {login}")))?;
    Ok(found.person)
}

/// The token or ticket. It is valid when this comes back.
async fn value(app: &App, args: &Token) -> Result<String, Failure> {
    let login = args.user.as_deref().unwrap_or_default();
    let person = person(app, login).await?;
    let Some(name) = args.name.clone() else {
        let key = app.key.clone();
        return Ok(app.db.jot(move |tx| ticket::current(tx, &key, person)).await?);
    };
    let (random, now) = (app.chance.bytes(), app.clock.now());
    let expires_at = args.expires.map(|after| now.plus_ms(after.as_millis() as i64));
    let made = app
        .db
        .jot(move |tx| {
            let made = token::create(tx, person, &name, expires_at, &random, now)?;
            own::note_token(tx, &in_the_name_of(person), Action::Created, &made.0, now)?;
            Ok(made)
        })
        .await;
    match made {
        Ok((_, text)) => Ok(text),
        // Said to the person, it says "you".
        Err(campanile_core::Error::Invalid(faults)) if faults.iter().any(|fault| fault.reason.contains("already")) => {
            Err(Failure::Work(format!(
                "{login} has a token of this name already: take another name, or `campanile token revoke` it"
            )))
        }
        Err(error) => Err(error.into()),
    }
}

async fn list(app: &App, login: &str) -> Result<Vec<token::Token>, Failure> {
    let person = person(app, login).await?;
    Ok(app.db.read(move |tx| token::list(tx, person)).await?)
}

/// Revokes a token by its name, or else by its id.
async fn revoke(app: &App, login: &str, which: &str) -> Result<token::Token, Failure> {
    let person = person(app, login).await?;
    let mut tokens = app.db.read(move |tx| token::list(tx, person)).await?;
    let named = tokens.iter().position(|token| token.name == which);
    let at = named.or_else(|| tokens.iter().position(|token| token.id == which));
    let at = at.ok_or_else(|| {
        Failure::Work(format!(
            "{login} has no token with the name or id {which}; `campanile token list --user {login}` lists them"
        ))
    })?;
    let found = tokens.swap_remove(at);
    let (gone, now) = (found.clone(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        token::revoke(tx, person, &gone.id)?;
        own::note_token(tx, &in_the_name_of(person), Action::Ended, &gone, now)
    };
    app.db.jot(work).await?;
    Ok(found)
}

/// Whoever has the shell, for somebody.
fn in_the_name_of(person: PersonId) -> By {
    By {
        acting_for: Some(person),
        ..By::shell()
    }
}

fn as_json(tokens: &[token::Token]) -> serde_json::Value {
    let one = |token: &token::Token| {
        serde_json::json!({
            "id": token.id,
            "name": token.name,
            "created_at": token.created_at,
            "used_at": token.used_at,
            "expires_at": token.expires_at,
        })
    };
    tokens.iter().map(one).collect()
}

/// A line a token below a line of heads, in columns.
fn as_table(tokens: &[token::Token], now: Moment) -> String {
    let heads = ["NAME", "ID", "MADE", "LAST USED", "EXPIRES"].map(str::to_owned);
    let to_second = |at: Moment| Moment(at.0 - at.0.rem_euclid(1_000)).to_string();
    let row = |token: &token::Token| {
        [
            printable(&token.name).replace('\n', " "),
            token.id.clone(),
            to_second(token.created_at),
            token.used_at.map_or_else(|| "never".to_owned(), to_second),
            match token.expires_at {
                None => "never".to_owned(),
                Some(at) if at <= now => format!("{} (over)", to_second(at)),
                Some(at) => to_second(at),
            },
        ]
    };
    let rows: Vec<_> = std::iter::once(heads).chain(tokens.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_in_columns() {
        let token = |name: &str, used_at, expires_at| token::Token {
            id: "ab12".into(),
            name: name.into(),
            created_at: Moment(1_700_000_000_123),
            used_at,
            expires_at,
        };
        let tokens = [
            token("ci", None, None),
            token(
                "nightly job",
                Some(Moment(1_700_000_060_000)),
                Some(Moment(1_700_000_100_000)),
            ),
            token("ops", None, Some(Moment(1_800_000_000_000))),
        ];
        insta::assert_snapshot!(as_table(&tokens, Moment(1_750_000_000_000)));
    }
}
