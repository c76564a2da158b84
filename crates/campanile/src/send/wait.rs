//! Waits until a message that leaves the house has left, with a bar where somebody looks.

use std::time::Duration;

use campanile_core::message::Channel;
use campanile_core::outbox::run::{Progress, State};
use http::Method;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;

use super::client::{Call, Client};
use super::parse;
use crate::exit::Failure;
use crate::words::thousands;

#[derive(Deserialize)]
struct Body {
    items: Vec<Progress>,
    relay: Option<Trouble>,
}

/// What keeps mails waiting.
#[derive(Deserialize)]
struct Trouble {
    said: String,
}

/// How far a message got by each channel, once nothing of it is under way by itself any more. Nothing for a message
/// that is not published yet.
pub(super) async fn wait(client: &Client, id: i64, pause: Duration) -> Result<Vec<Progress>, Failure> {
    let path = format!("/api/v1/messages/{id}/progress");
    let bar = bar(id)?;
    loop {
        let call = Call {
            method: Method::GET,
            path: &path,
            body: Vec::new(),
            key: None,
        };
        let Body { items, relay } = parse(&client.call(&call).await?)?;
        let total: i64 = items.iter().map(|of| of.recipients).sum();
        let open: i64 = items.iter().map(|of| of.queued).sum();
        bar.set_length(total.max(0) as u64);
        bar.set_position((total - open).max(0) as u64);
        let said = items.iter().map(line).chain(relay.map(|trouble| trouble.said));
        bar.set_message(said.collect::<Vec<_>>().join("; "));
        if !items.iter().any(|of| of.state.is_moving()) {
            bar.finish_and_clear();
            return Ok(items);
        }
        tokio::time::sleep(pause).await;
    }
}

/// A bar on standard error; nothing where that is no terminal.
fn bar(id: i64) -> Result<ProgressBar, Failure> {
    let style = ProgressStyle::with_template("{prefix} {bar:32} {percent:>3} %  {msg}")
        .map_err(|error| Failure::Work(error.to_string()))?;
    let bar = ProgressBar::new(0);
    bar.set_style(style);
    bar.set_prefix(format!("message {id}"));
    Ok(bar)
}

/// One channel in a line: what is not 0.
pub(super) fn line(of: &Progress) -> String {
    let channel = if of.channel == Channel::Http { "http" } else { "email" };
    let numbers = [
        (of.sent, "sent"),
        (of.failed, "failed"),
        (of.suppressed, "suppressed"),
        (of.gone, "gone"),
        (of.cancelled, "cancelled"),
        (of.queued - of.retrying, "queued"),
        (of.retrying, "to be tried again"),
        (of.in_doubt, "tries in doubt"),
    ];
    let said: Vec<_> = numbers
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", thousands(number as u64)))
        .collect();
    let said = if said.is_empty() {
        "nobody to send it to".to_owned()
    } else {
        said.join(", ")
    };
    let held = if of.state == State::Held { " (switched off)" } else { "" };
    format!("{channel}: {said}{held}")
}

/// Exit code 1 where anything failed.
pub(super) fn verdict(id: i64, progress: &[Progress]) -> Result<(), Failure> {
    let failed: i64 = progress.iter().map(|of| of.failed).sum();
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::Work(format!(
        "{} failed; GET /api/v1/messages/{id}/deliveries?state=failed says why",
        thousands(failed as u64)
    )))
}
