//! Fills the database of the demonstration: the directory as it was before the first message, then the stories.

use campanile_core::directory::{Edit, Entry, Known, prepare};
use campanile_core::time::Moment;
use campanile_core::{Error, Result};
use campanile_store::Tx;

use super::messages;
use super::tell::tell;
use crate::app::App;
use crate::chance::Chance;
use crate::exit::Failure;
use crate::world::{self, Size};

/// What the directory of the demonstration is made of.
const SEED: u64 = 1;
/// Lines of one write.
const BATCH: usize = 500;

/// Fills an empty database. The app's clock stands [`messages::REACH_MS`] before `now`.
pub(super) async fn fill(app: &App, now: Moment) -> std::result::Result<(), Failure> {
    app.ensure_administrator().await?;
    let start = app.clock.now();
    // A slow hash for each account; nobody is served yet whom that could keep waiting.
    let mut entries = entries(&app.chance)?.into_iter();
    loop {
        let batch: Vec<Entry> = entries.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        app.db.write(move |tx| import(tx, &batch, start)).await?;
    }
    tell(app, &messages::messages(now), now).await?;
    Ok(())
}

/// The lines of the sample directory, passwords hashed.
fn entries(chance: &Chance) -> Result<Vec<Entry>> {
    let parsed = world::lines(Size::demo(), SEED).map(|line| {
        let mut entry: Entry = serde_json::from_str(&line).map_err(|error| Error::field("", error.to_string()))?;
        prepare(&mut entry, None, &chance.salt())?;
        Ok(entry)
    });
    parsed.collect()
}

fn import(tx: &mut Tx<'_>, entries: &[Entry], now: Moment) -> Result<()> {
    let mut edit = Edit::begin(tx, Known::default(), now)?;
    for entry in entries {
        edit.apply(entry)?;
    }
    // What it looked up is of no use to anybody.
    let _known = edit.finish();
    Ok(())
}
