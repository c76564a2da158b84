//! What is kept of a person: taken along as a file, and erased. The API and the console share it.

use std::sync::Arc;

use bytes::Bytes;
use campanile_core::directory::list::{self, User};
use campanile_core::journal::Kind;
use campanile_core::policy::{self, Act};
use campanile_core::retention::export::{self, Place};
use campanile_core::retention::person;
use campanile_core::rights::Rights;
use campanile_store::Tx;
use futures_util::{Stream, StreamExt as _};
use serde_json::json;

use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;
use crate::{directory, journal};

/// Everything that is kept of the person with an id in the directory, as lines of JSON, in pieces. Anybody may take
/// along what is theirs; of others, who may change the directory. That it was taken along is noted before any of it is
/// given.
///
/// # Errors
/// `Denied`, `Missing`, before the first piece. An error in the middle ends the stream with it.
pub(crate) async fn take(
    app: &Arc<App>,
    by: &Principal,
    key: String,
) -> Result<impl Stream<Item = Result<Bytes, std::io::Error>> + Send + use<>, Problem> {
    let (reader, of) = (by.person, key.clone());
    let may = app.db.read(move |tx| {
        let rights = Rights::load(tx, reader)?;
        match list::user(tx, &of) {
            Ok(user) if user.number == reader.0 => Ok(()),
            Ok(_) => policy::may(&rights, &Act::EditDirectory),
            // Whoever may not look learns nothing by the refusal.
            Err(missing) => policy::may(&rights, &Act::EditDirectory).and(Err(missing)),
        }
    });
    may.await?;
    journal::taken(app, by, (Kind::User, &key), json!({"format": "ndjson"})).await?;
    let begin = Some((Arc::clone(app), key, Place::default()));
    Ok(futures_util::stream::unfold(begin, |at| async {
        let (app, key, place) = at?;
        Some(match piece(&app, key.clone(), place).await {
            Ok((text, next)) => (Ok(text), next.map(|next| (app, key, next))),
            Err(problem) => {
                let cause = problem.cause.unwrap_or(problem.detail);
                (Err(std::io::Error::other(cause)), None)
            }
        })
    })
    .boxed())
}

async fn piece(app: &App, key: String, place: Place) -> Result<(Bytes, Option<Place>), Problem> {
    let (lists, now) = (Arc::clone(&app.lists), app.clock.now());
    let look = move |tx: &mut Tx<'_>| export::piece(tx, &lists, &key, &place, now);
    let (lines, next) = app.db.scan(look).await?;
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.to_string());
        text.push('\n');
    }
    Ok((Bytes::from(text), next))
}

/// Erases a person, for good; what is left of them.
///
/// # Errors
/// `Denied`, `Missing`; `Invalid` for the last administrator.
pub(crate) async fn erase(app: &App, by: &Principal, key: String) -> campanile_core::Result<User> {
    let (editor, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        directory::begin(tx, editor)?;
        let new = person::erase(tx, &by, &key, now)?;
        list::user(tx, &new)
    };
    app.db.write(work).await
}
