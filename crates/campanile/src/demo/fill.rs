//! Fills the database of the demonstration: the directory as it was before the first message, then the stories.

use campanile_core::time::Moment;

use super::messages;
use super::tell::tell;
use crate::app::App;
use crate::exit::Failure;
use crate::import::{self, Manner};
use crate::world::{self, Size};

/// What the directory of the demonstration is made of.
const SEED: u64 = 1;

/// Fills an empty database. The app's clock stands [`messages::REACH_MS`] before `now`.
pub(super) async fn fill(app: &App, now: Moment) -> Result<(), Failure> {
    app.ensure_administrator().await?;
    let lines = import::lines(world::lines(Size::demo(), SEED));
    let report = import::run(app, None, lines, false, Manner::Polite, &mut |_| {}).await?;
    if let Some(bad) = report.errors.first() {
        return Err(Failure::Work(format!(
            "the sample directory: line {}: {}",
            bad.line, bad.reason
        )));
    }
    tell(app, &messages::messages(now), now).await?;
    Ok(())
}
