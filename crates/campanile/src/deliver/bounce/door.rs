//! Which addresses are ours, and what is done with what comes to them.

use std::sync::Arc;

use campanile_core::id::PersonId;
use campanile_core::outbox::bounce::{self, Report, Taken};
use campanile_core::outbox::wish;

use super::listen::{Limits, Protocol};
use super::report::{self, Said};
use crate::app::App;
use crate::deliver::mail::{Bounced, bounced, mailed, unsubscriber};

/// Where the feedback loops of mail providers write to: they know one address for all mails.
const COMPLAINTS: &str = "complaints";

/// What all connections share.
pub(super) struct Desk {
    pub(super) app: Arc<App>,
    pub(super) protocol: Protocol,
    /// The domain that mail is taken in for, in lower case.
    pub(super) domain: String,
    pub(super) limits: Limits,
}

/// An address of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// The return path of a mail.
    Returned(Bounced),
    /// Somebody unsubscribes.
    Unsubscribing(PersonId),
    /// For complaints about any mail.
    Complaints,
}

/// What is stored for one recipient.
enum Work {
    Report(Bounced, Report),
    Unsubscribe(PersonId),
    Nothing,
}

impl Desk {
    /// What an address is to us; `None` for all that we did not make.
    pub(super) fn door(&self, address: &str) -> Option<Door> {
        let (local, domain) = address.rsplit_once('@')?;
        if !domain.eq_ignore_ascii_case(&self.domain) {
            return None;
        }
        let token = local
            .split_at_checked(2)
            .filter(|(sign, _)| sign.eq_ignore_ascii_case("u+"));
        let key = &self.app.key;
        if let Some((_, token)) = token {
            return unsubscriber(key, token).map(Door::Unsubscribing);
        }
        if local.eq_ignore_ascii_case(COMPLAINTS) {
            return Some(Door::Complaints);
        }
        bounced(key, address).map(Door::Returned)
    }

    /// Takes a mail in: one reply for each recipient, in their order, when what it says is committed.
    pub(super) async fn take_in(&self, from: &str, to: &[Door], mail: &[u8]) -> Vec<&'static str> {
        let said = report::read(mail);
        let mut replies = Vec::with_capacity(to.len());
        for door in to {
            let work = self.work(*door, from, &said);
            replies.push(self.store(work).await);
        }
        replies
    }

    fn work(&self, door: Door, from: &str, said: &Said) -> Work {
        match (door, said) {
            (Door::Unsubscribing(person), _) => Work::Unsubscribe(person),
            (Door::Returned(mail), Said::Delivery(delivery)) => {
                let (code, reason) = (delivery.code, delivery.reason.clone());
                let report = if delivery.is_failed {
                    Report::Failed {
                        code,
                        reason,
                        bad_address: delivery.bad_address,
                        about: delivery.about.clone(),
                    }
                } else {
                    Report::Noted { code, reason }
                };
                Work::Report(mail, report)
            }
            (Door::Returned(_) | Door::Complaints, Said::Complaint(complaint)) => {
                let own = match door {
                    Door::Returned(mail) => Some(mail),
                    _ => self.marked(&complaint.marks),
                };
                let reason = complaint.reason.clone();
                own.map_or(Work::Nothing, |mail| Work::Report(mail, Report::Complained { reason }))
            }
            // A notice of a mail system in words of its own (some old ones), or somebody's automatic answer without the
            // header that says so. Which of both, nobody can tell, so it counts as neither; it is told.
            (Door::Returned(mail), Said::Nothing { is_answer: false }) if from.is_empty() => Work::Report(
                mail,
                Report::Noted {
                    code: None,
                    reason: "the mail system of the address answered, without saying whether it arrived".into(),
                },
            ),
            // A person's answer, a vacation notice, a complaint about nothing of ours.
            _ => Work::Nothing,
        }
    }

    /// The mail of ours that a complaint is about, by what is in it that only we can make.
    fn marked(&self, marks: &[String]) -> Option<Bounced> {
        let key = &self.app.key;
        marks
            .iter()
            .find_map(|mark| bounced(key, mark).or_else(|| mailed(key, mark)))
    }

    async fn store(&self, work: Work) -> &'static str {
        const TAKEN: &str = "250 2.0.0 taken in";
        let now = self.app.clock.now();
        let stored = match work {
            Work::Nothing => {
                tracing::info!("a mail came in that is no report on one of ours; nothing is kept of it");
                return TAKEN;
            }
            Work::Unsubscribe(person) => {
                let done = self.app.db.jot(move |tx| wish::unsubscribe(tx, person, now)).await;
                match done {
                    // Nobody of that number is there any more.
                    Ok(_) | Err(campanile_core::Error::Missing(_)) => Ok(Taken::Done),
                    Err(error) => Err(error),
                }
            }
            Work::Report(Bounced { message, person }, report) => {
                let kind = match &report {
                    Report::Failed { .. } => "failed",
                    Report::Noted { .. } => "noted",
                    Report::Complained { .. } => "complained",
                };
                tracing::info!(%message, %person, kind, "a report on a mail came in");
                self.app
                    .db
                    .jot(move |tx| bounce::take_in(tx, message, person, &report, now))
                    .await
            }
        };
        match stored {
            Ok(Taken::Done) => TAKEN,
            Ok(Taken::Later) => "451 4.3.0 this mail is still being sent; come again",
            Err(error) => {
                tracing::error!(%error, "a report on a mail could not be stored; it is to come again");
                "451 4.3.0 it cannot be stored now; come again"
            }
        }
    }
}
