//! From a reader to a mail on the wire, and from what the relay says to what is written down. Pure.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use campanile_core::outbox::delivery::{End, Settled, Taken};
use campanile_core::outbox::reader::{Reader, WhyNot};
use campanile_core::outbox::run::Lane;
use campanile_core::time::Moment;

use crate::deliver::mail;
use crate::deliver::smtp::{self, Mail};

/// Where a mail comes from.
#[derive(Clone, Copy)]
pub(super) enum From {
    /// A chunk in hand, by its number, and the place of the person.
    Chunk(u64, usize),
    /// A row.
    Row(Taken),
}

impl From {
    /// Tries before this one that count.
    pub(super) const fn attempts(self) -> i64 {
        match self {
            Self::Chunk(..) => 0,
            Self::Row(taken) => taken.attempts,
        }
    }
}

/// A recipient who is not tried.
pub(super) fn untried(person: i64, why_not: WhyNot, now: Moment) -> Settled {
    Settled {
        target: person,
        end: match why_not {
            WhyNot::Suppressed(_) => End::Suppressed,
            WhyNot::Deactivated | WhyNot::WithoutAddress | WhyNot::Acknowledged => End::Gone,
        },
        code: None,
        reason: Some(why_not.reason().to_owned()),
        doubtful: false,
        address: None,
        at: now,
        took_ms: 0,
    }
}

pub(super) fn failed(reader: &Reader, code: Option<i64>, reason: String, at: Moment, took_ms: i64) -> Settled {
    Settled {
        target: reader.person.0,
        end: End::Failed,
        code,
        reason: Some(reason),
        doubtful: false,
        address: Some(reader.email.clone()),
        at,
        took_ms,
    }
}

/// The letter for one reader; where signing takes long, not on a thread that serves.
pub(super) async fn addressed(
    letter: Arc<mail::Written>,
    reader: &Reader,
    is_slow: bool,
) -> Result<mail::Addressed, String> {
    if !is_slow {
        return letter.to(&of(reader));
    }
    let reader = reader.clone();
    let made = tokio::task::spawn_blocking(move || letter.to(&of(&reader))).await;
    made.unwrap_or_else(|_| Err("the mail could not be written".into()))
}

fn of(reader: &Reader) -> mail::Reader<'_> {
    mail::Reader {
        person: reader.person,
        name: &reader.name,
        address: &reader.email,
    }
}

pub(super) fn smtp_mail(mail: mail::Addressed, lane: Lane) -> Mail {
    Mail {
        from: mail.from,
        to: mail.to,
        content: mail.content,
        lane: match lane {
            Lane::Critical => smtp::Lane::Critical,
            Lane::Normal => smtp::Lane::Normal,
            Lane::Bulk => smtp::Lane::Bulk,
        },
        dot: Arc::new(AtomicBool::new(false)),
    }
}
