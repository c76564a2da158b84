//! A message to its writer alone, to look at it before SEND.

use campanile_core::Error;
use campanile_core::audience::Rule;
use campanile_core::id::MessageId;
use campanile_core::message::Channel;
use campanile_core::message::draft::{self, Draft};
use campanile_core::message::publish::Idempotency;
use campanile_core::message::sent;
use campanile_core::message::target::Target;
use campanile_core::policy;
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::Tx;

use super::{before, may_send, publish};
use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;

/// Sends what is being written to its writer alone, at once. Whoever may send it to its audience may do so, as may
/// whoever may send anything where there is no audience yet.
///
/// # Errors
/// As [`super::send`].
pub async fn to_myself(
    app: &App,
    by: &Principal,
    draft: Draft,
    idempotency: Option<Idempotency>,
) -> Result<MessageId, Problem> {
    let (person, key, outlets) = (by.person, idempotency.clone(), app.outlets());
    let check = move |tx: &mut Tx<'_>, now: Moment| {
        if let Some(known) = before(tx, person, key.as_ref())? {
            return Ok(Err(known));
        }
        let rights = Rights::load(tx, person)?;
        if draft.audience.is_empty() {
            if !policy::may_send_anything(&rights) {
                return Err(Error::Denied("you lack: the right to send a message".into()));
            }
        } else {
            draft::check_audience(tx, &draft.audience, draft.environment.as_deref(), &may_send(&rights))?;
        }
        let user = sent::person_key(tx, person)?;
        let alone = Draft {
            audience: vec![Target::User { user }],
            // Nothing is posted for a look at it.
            channels: channels_for_oneself(&draft.channels),
            posts: Vec::new(),
            api: None,
            opens_at: None,
            // A banner that was only tried out goes by itself, and can be taken away before.
            closes_at: draft.channels.contains(&Channel::Banner).then(|| now.plus_ms(TRIED_MS)),
            dismissible: true,
            must_acknowledge: false,
            enabled: true,
            late_joiners: Some(Rule::AtSend),
            ..draft.clone()
        };
        let name = sent::person_name(tx, person)?;
        // Without a home nobody else finds it among the messages of an environment.
        let mut checked = draft::check(tx, &alone, &name, &outlets, now)?;
        checked.environment = None;
        Ok(Ok(checked))
    };
    publish(app, by, check, idempotency).await
}

/// How long a banner stands that somebody sent to themselves.
const TRIED_MS: i64 = 60 * 60 * 1_000;

fn channels_for_oneself(channels: &[Channel]) -> Vec<Channel> {
    let own: Vec<Channel> = channels
        .iter()
        .copied()
        .filter(|channel| *channel != Channel::Http)
        .collect();
    if own.is_empty() { vec![Channel::Portal] } else { own }
}
