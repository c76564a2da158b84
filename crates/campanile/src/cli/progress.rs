//! The bars of commands that take long.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::exit::Failure;

/// How often a bar moves by itself.
const TICK: Duration = Duration::from_millis(200);

/// A bar on standard error; nothing where that is no terminal. `rate` is indicatif's word for what is counted a second.
pub(super) fn bar(length: Option<u64>, rate: &str) -> Result<ProgressBar, Failure> {
    let template = match length {
        Some(_) => format!("{{bar:32}} {{percent:>3}} %  {{msg}}, {{{rate}}}, {{eta}} left"),
        None => format!("{{spinner}} {{msg}}, {{{rate}}}"),
    };
    let style = ProgressStyle::with_template(&template).map_err(|error| Failure::Work(error.to_string()))?;
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.set_style(style);
    bar.enable_steady_tick(TICK);
    Ok(bar)
}
