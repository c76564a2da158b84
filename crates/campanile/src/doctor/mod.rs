//! `campanile doctor`: whether an installation can do its work, and what to mend. Changes nothing, sends no mail.
//!
//! `house`: configuration, database, key, public address; `mail`: relay, signature, what comes back; `records`: what
//! the DNS has to say of the sending domain; `dns` asks it.

mod dns;
mod house;
mod mail;
mod records;

use std::io::Write as _;

use serde::Serialize;

use crate::config::{Flags, Settings};
use crate::exit::Failure;
use crate::words::{printable, several};

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warning,
    Fault,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    level: Level,
    /// What it is about, in a word or two.
    about: &'static str,
    /// How it is.
    text: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Finding {
    fn ok(about: &'static str, text: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            about,
            text: text.into(),
            mend: None,
        }
    }

    fn warning(about: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            mend: Some(mend.into()),
            ..Self::ok(about, text)
        }
    }

    fn fault(about: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            level: Level::Fault,
            ..Self::warning(about, text, mend)
        }
    }
}

/// Looks at everything, and prints what it found.
///
/// # Errors
/// [`Failure::Work`] where something is at fault.
pub(crate) fn run(flags: Flags, json: bool) -> Result<(), Failure> {
    let findings = match Settings::load(flags) {
        Ok(settings) => examine(&settings)?,
        Err(error) => vec![Finding::fault(
            "configuration",
            error.to_string(),
            "set it as the text says; the rest is looked at when the settings can be read",
        )],
    };
    let mut out = std::io::stdout();
    let count = |level| findings.iter().filter(|finding| finding.level == level).count() as u64;
    let (faults, warnings) = (count(Level::Fault), count(Level::Warning));
    if json {
        let all = serde_json::json!({"ok": faults == 0, "findings": findings});
        writeln!(out, "{all:#}")?;
    } else {
        for finding in &findings {
            write!(out, "{}", line(finding))?;
        }
    }
    if faults == 0 {
        return Ok(());
    }
    let told = [
        several(faults, "fault", "faults"),
        several(warnings, "warning", "warnings"),
    ];
    Err(Failure::Work(told.join(", ")))
}

fn examine(settings: &Settings) -> Result<Vec<Finding>, Failure> {
    let mut findings = house::examine(settings);
    // The databases have threads and runtimes of their own; from here on it is one thing after the other.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    findings.extend(runtime.block_on(mail::examine(settings)));
    Ok(findings)
}

/// A finding for a terminal; what came from outside is made harmless.
fn line(finding: &Finding) -> String {
    let level = match finding.level {
        Level::Ok => "ok",
        Level::Warning => "warning",
        Level::Fault => "FAULT",
    };
    let text = printable(&finding.text).replace('\n', "; ");
    let mut line = format!("{level:<8} {:<14} {text}\n", finding.about);
    if let Some(mend) = &finding.mend {
        let mend = printable(mend).replace('\n', " ");
        line.extend(["                        mend: ", &mend, "\n"]);
    }
    line
}
