//! The ways out of the house as a sender sees them before SEND, for every interface: which channels are on, and what a
//! POST would be.

use campanile_core::Error;
use campanile_core::id::PersonId;
use campanile_core::message::Channel;
use campanile_core::message::draft::{self, Draft};
use campanile_core::outbox::destination::Destination;
use campanile_core::outbox::request::{self, Request};
use campanile_core::rights::Rights;
use campanile_store::Tx;
use serde::Serialize;

use crate::app::App;
use crate::problem::Problem;
use crate::sending::may_send;

/// A way to people, and whether this server has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ChannelState)]
pub struct Way {
    /// The channel.
    pub channel: Channel,
    /// Whether messages go by it.
    pub on: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Of `http`: whether there is a system proxy that a sender may ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_proxy: Option<bool>,
}

/// Which channels this server has, and why not the others.
#[must_use]
pub fn channels(app: &App) -> Vec<Way> {
    let outlets = app.outlets();
    let policy = outlets.http.map(|posting| posting.policy);
    let posts = policy.as_ref().is_some_and(|policy| policy.enabled);
    let way = |channel, on: bool, why: &str| Way {
        channel,
        on,
        why: (!on).then(|| why.to_owned()),
        system_proxy: None,
    };
    vec![
        way(Channel::Portal, true, ""),
        way(Channel::Banner, true, ""),
        way(
            Channel::Email,
            outlets.email,
            "this server has no mail relay (CAMPANILE_SMTP_URL)",
        ),
        Way {
            system_proxy: Some(policy.is_some_and(|policy| policy.proxy)),
            ..way(
                Channel::Http,
                posts,
                "POST is switched off on this server (CAMPANILE_HTTP_ENABLED)",
            )
        },
    ]
}

/// The POSTs of a message that is being written, as they would be made.
///
/// # Errors
/// What the rules say of them: `Denied` at their home, `Invalid` with every fault.
pub async fn preview_posts(
    app: &App,
    person: PersonId,
    posts: Vec<Destination>,
    text: String,
    environment: Option<String>,
    api: Option<String>,
) -> Result<Vec<Request>, Problem> {
    let (now, outlets) = (app.clock.now(), app.outlets());
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let draft = Draft {
            channels: vec![Channel::Http],
            environment,
            api,
            posts,
            ..Draft::new("", text, Vec::new())
        };
        draft::check_for(tx, &draft, "-", &outlets, now, &may_send(&rights))?;
        let posting = outlets
            .http
            .as_ref()
            .ok_or_else(|| Error::Conflict("nothing can be posted here".into()))?;
        request::preview(tx, &draft.posts, &draft.text, posting, now)
    };
    Ok(app.db.read(work).await?)
}
