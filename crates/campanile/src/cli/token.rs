//! `campanile token`: a personal token or the ticket of a user, straight from the database, also beside a server.

use std::io::Write as _;

use campanile_core::account::{self, ticket, token};
use campanile_core::id::PersonId;

use super::Token;
use crate::app::App;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::{Flags, Settings};
use crate::exit::Failure;

/// Prints the value alone on standard output (decision 28).
pub(super) fn print(flags: Flags, args: &Token) -> Result<(), Failure> {
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
    let value = super::block_on(value(&app, args))?;
    Ok(writeln!(std::io::stdout(), "{value}")?)
}

/// The token or ticket. It is valid when this comes back.
pub(super) async fn value(app: &App, args: &Token) -> Result<String, Failure> {
    let login = args.user.clone();
    let found = app.db.read(move |tx| account::candidate(tx, &login)).await?;
    let person: PersonId = found
        .ok_or_else(|| Failure::Work(format!("there is no active user with the login {}", args.user)))?
        .person;
    let Some(name) = args.name.clone() else {
        let key = app.key.clone();
        return Ok(app.db.jot(move |tx| ticket::current(tx, &key, person)).await?);
    };
    let (random, now) = (app.chance.bytes(), app.clock.now());
    let expires_at = args.expires.map(|after| now.plus_ms(after.as_millis() as i64));
    let made = app
        .db
        .jot(move |tx| token::create(tx, person, &name, expires_at, &random, now))
        .await?;
    Ok(made.1)
}
