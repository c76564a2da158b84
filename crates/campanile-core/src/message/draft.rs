//! What a sender hands in, and the checks that turn it into something that can be stored.

use campanile_store::Tx;
use serde::{Deserialize, Serialize};

pub use super::leniency::Leniency;
use super::target::{self, Target};
use super::{AUDIENCE_PARTS, Channel, Importance, SENDER_CHARS, TEXT_BYTES, TITLE_CHARS, Window};
use crate::audience::{Rule, Selector};
use crate::error::{Error, Faults, Result};
use crate::id::{ApiId, EnvironmentId};
use crate::markup::{Format, breaks_line};
use crate::outbox::destination::{self, Destination, Outlets};
use crate::place::DEFAULT_ENVIRONMENT;
use crate::policy::Part;
use crate::time::Moment;

/// A message before it is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
pub struct Draft {
    /// 1 to 1,000 characters, one line. A banner alone needs none.
    #[serde(default)]
    pub title: String,
    /// At most 64 KiB. Bold, italic, links, lists and line breaks as typed; HTML is shown as typed.
    #[serde(default)]
    pub text: String,
    /// How the text is read.
    #[serde(default = "markdown", skip_serializing_if = "is_markdown")]
    pub format: Format,
    /// Who it says it is from; your own name where absent. At most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// How much it matters.
    #[serde(default)]
    pub importance: Importance,
    /// Who gets it: everybody who matches any part, each person once.
    pub audience: Vec<Target>,
    /// Where it is shown or sent.
    #[serde(default = "portal")]
    pub channels: Vec<Channel>,
    /// Nobody but those who may edit it sees it before; at once where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Moment>,
    /// It leaves bell and inbox after this second; never where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Moment>,
    /// `false` stores it without showing it to anybody.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What people get who come to match later; `at_send` where absent, of a banner `while_active`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_joiners: Option<Rule>,
    /// Its banner may be dismissed even where it is critical; others always may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dismissible: bool,
    /// People have to say that they have read it; a banner stands until they do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_acknowledge: bool,
    /// Of the UI messages contract; it has no effect where the audience is everyone, and is kept as sent.
    #[serde(skip)]
    pub sub_customers: bool,
    /// What the interface that hands it in does not ask for.
    #[serde(skip)]
    pub leniency: Leniency,
    /// The home of a message to groups and users; `DEFAULT` where absent. Not for other audiences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The API that a message without audience is about, which is only posted; not for other messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// Where it is posted to, by the channel `http`: at most 20 destinations. The body is the text as typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub posts: Vec<Destination>,
}

impl Draft {
    /// A message to bell and inbox, at once and for good.
    #[must_use]
    pub fn new(title: impl Into<String>, text: impl Into<String>, audience: Vec<Target>) -> Self {
        Self {
            title: title.into(),
            text: text.into(),
            format: Format::Markdown,
            sender_name: None,
            importance: Importance::default(),
            audience,
            channels: portal(),
            opens_at: None,
            closes_at: None,
            enabled: true,
            late_joiners: None,
            dismissible: false,
            must_acknowledge: false,
            sub_customers: false,
            leniency: Leniency::default(),
            environment: None,
            api: None,
            posts: Vec::new(),
        }
    }

    /// What people get who come to match later.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.late_joiners
            .unwrap_or(if self.channels.contains(&Channel::Banner) {
                Rule::WhileActive
            } else {
                Rule::AtSend
            })
    }

    fn channel_bits(&self) -> i64 {
        self.channels.iter().fold(0, |bits, channel| bits | channel.bit())
    }

    /// Whether it has no people: it is posted, and that is all.
    #[must_use]
    pub fn is_post_alone(&self) -> bool {
        self.channels.iter().all(|channel| *channel == Channel::Http) && self.audience.is_empty()
    }

    /// Whether its home is said by itself, because no audience says it.
    fn has_own_home(&self) -> bool {
        self.is_post_alone() || self.leniency.nobody && self.audience.is_empty()
    }
}

fn portal() -> Vec<Channel> {
    vec![Channel::Portal]
}

const fn markdown() -> Format {
    Format::Markdown
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_markdown(format: &Format) -> bool {
    *format == Format::Markdown
}

const fn yes() -> bool {
    true
}

/// A message that holds together, by ids. Made by [`check`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
pub struct Checked {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) format: Format,
    pub(super) sender_name: String,
    pub(super) importance: Importance,
    pub(super) channels: i64,
    pub(super) window: Window,
    pub(super) enabled: bool,
    pub(super) rule: Rule,
    pub(super) dismissible: bool,
    pub(super) must_acknowledge: bool,
    pub(super) sub_customers: bool,
    /// It asked for email where there is none.
    pub(super) is_email_off: bool,
    /// Who gets it.
    pub selectors: Vec<Selector>,
    /// Its home environment.
    pub environment: Option<EnvironmentId>,
    pub(super) api: Option<(ApiId, String)>,
    /// Where it is posted to.
    pub(super) posts: Vec<destination::Checked>,
}

/// Says whether somebody may address these parts; `Ok` for a caller who decides elsewhere.
pub type May<'m> = &'m dyn Fn(&[Part]) -> Result<()>;

/// Checks a draft and resolves its names. Every fault is named at once. `author_name` stands where no sender is given;
/// `outlets` are the ways out that this server has.
pub fn check(tx: &mut Tx<'_>, draft: &Draft, author_name: &str, outlets: &Outlets, now: Moment) -> Result<Checked> {
    check_for(tx, draft, author_name, outlets, now, &|_| Ok(()))
}

/// As [`check`], for somebody: what they may not address is refused before any fault of its names, so that a foreign
/// name and an unknown one look the same.
pub fn check_for(
    tx: &mut Tx<'_>,
    draft: &Draft,
    author_name: &str,
    outlets: &Outlets,
    now: Moment,
    may: May<'_>,
) -> Result<Checked> {
    let mut faults = Faults::default();
    let channels = draft.channel_bits();
    let may_be_untitled = draft.leniency.untitled || needs_no_title(channels);
    check_words(&draft.title, &draft.text, channels, may_be_untitled, &mut faults);
    check_text(&draft.text, &mut faults);
    check_acknowledgement(draft.must_acknowledge, channels, &mut faults);
    let sender_name = draft.sender_name.clone().unwrap_or_else(|| author_name.to_owned());
    check_sender(&sender_name, &mut faults);
    let window = check_window(draft, now, &mut faults);
    faults.require(
        !draft.channels.is_empty(),
        "channels",
        "name at least one channel, such as \"portal\"",
    );
    let (resolved, environment) = if draft.has_own_home() {
        own_home(tx, draft, &mut faults, may)?
    } else {
        faults.require(
            draft.api.is_none(),
            "api",
            "is only for a message without audience; the audience says it",
        );
        let environment = draft.environment.as_deref();
        address(
            tx,
            &draft.audience,
            environment,
            draft.leniency.unknown_roles,
            &mut faults,
            may,
        )?
    };
    check_channels(draft, outlets, &mut faults);
    let api = resolved.api.as_ref().map(|(api, _, _)| *api);
    let home = destination::Home { environment, api };
    let posts = check_posts(tx, draft, home, outlets, &mut faults)?;
    faults.finish()?;
    Ok(Checked {
        title: draft.title.clone(),
        text: draft.text.clone(),
        format: draft.format,
        sender_name,
        importance: draft.importance,
        channels,
        window,
        enabled: draft.enabled,
        rule: draft.rule(),
        dismissible: draft.dismissible,
        must_acknowledge: draft.must_acknowledge,
        sub_customers: draft.sub_customers,
        is_email_off: channels & Channel::Email.bit() != 0 && !outlets.email,
        selectors: resolved.selectors,
        environment,
        api: resolved.api.map(|(api, name, _)| (api, name)),
        posts,
    })
}

fn check_posts(
    tx: &mut Tx<'_>,
    draft: &Draft,
    home: destination::Home,
    outlets: &Outlets,
    faults: &mut Faults,
) -> Result<Vec<destination::Checked>> {
    if draft.channels.contains(&Channel::Http) {
        faults.require(!draft.text.is_empty(), "text", "is empty: it is the body of the POST");
        return destination::check(tx, &draft.posts, home, outlets.http.as_ref(), faults);
    }
    faults.require(draft.posts.is_empty(), "posts", "is only for the channel \"http\"");
    Ok(Vec::new())
}

fn check_channels(draft: &Draft, outlets: &Outlets, faults: &mut Faults) {
    for (at, channel) in draft.channels.iter().enumerate() {
        let field = || format!("channels[{at}]");
        if draft.channels[..at].contains(channel) {
            faults.add(field(), "is named twice");
        }
        if *channel == Channel::Email && !outlets.email && !draft.leniency.without_relay {
            faults.add(
                field(),
                "email is off: this server has no mail relay (CAMPANILE_SMTP_URL)",
            );
        }
        // What leaves the house leaves at publication; late joiners are for what stays.
        let stays = draft
            .channels
            .iter()
            .any(|one| matches!(one, Channel::Portal | Channel::Banner));
        if at == 0 && draft.rule() == Rule::WhileActive && !stays {
            faults.add(
                "late_joiners",
                "email and POST go to those of the moment of publication",
            );
        }
    }
}

/// The home of a message without audience: its API's environment, or one that is named, or `DEFAULT`. Who may send to
/// the consumers of the API, or to the roles of the environment, may post for it.
fn own_home(
    tx: &mut Tx<'_>,
    draft: &Draft,
    faults: &mut Faults,
    may: May<'_>,
) -> Result<(target::Resolved, Option<EnvironmentId>)> {
    let mut resolved = target::Resolved::default();
    let (part, home) = if let Some(key) = &draft.api {
        faults.require(
            draft.environment.is_none(),
            "environment",
            "is that of the API; leave it out",
        );
        let found = target::api(tx, key)?;
        faults.require(found.is_some(), "api", "there is no such API");
        resolved.api.clone_from(&found);
        let api = found.as_ref().map_or(ApiId(0), |(api, _, _)| *api);
        (Part::Api { api }, found.map(|(_, _, environment)| environment))
    } else {
        let key = draft.environment.as_deref();
        let found = match key {
            Some(key) => target::environment(tx, key)?,
            None => Some(EnvironmentId(DEFAULT_ENVIRONMENT)),
        };
        faults.require(found.is_some(), "environment", "there is no such environment");
        let environment = found.unwrap_or(EnvironmentId(0));
        (Part::EnvironmentRole { environment }, found)
    };
    may(&[part])?;
    Ok((resolved, home))
}

/// Checks an audience alone, for somebody, as [`check_for`] does.
pub fn check_audience(
    tx: &mut Tx<'_>,
    targets: &[Target],
    environment: Option<&str>,
    may: May<'_>,
) -> Result<Vec<Selector>> {
    let mut faults = Faults::default();
    let (resolved, _) = address(tx, targets, environment, false, &mut faults, may)?;
    faults.finish()?;
    Ok(resolved.selectors)
}

/// Checks another audience for a message, for somebody, as [`check_for`] does: groups and people are judged at the
/// message's home, which stays.
pub fn check_readdress(tx: &mut Tx<'_>, targets: &[Target], home: Option<EnvironmentId>, may: May<'_>) -> Result<()> {
    let mut faults = Faults::default();
    let resolved = audience(tx, targets, false, &mut faults)?;
    may_address(&resolved, home_of(&resolved, home), may)?;
    faults.finish()
}

fn address(
    tx: &mut Tx<'_>,
    targets: &[Target],
    environment: Option<&str>,
    unknown_roles: bool,
    faults: &mut Faults,
    may: May<'_>,
) -> Result<(target::Resolved, Option<EnvironmentId>)> {
    let resolved = audience(tx, targets, unknown_roles, faults)?;
    let home = home(tx, environment, &resolved, faults)?;
    may_address(&resolved, home, may)?;
    Ok((resolved, home))
}

/// A union needs the right to every part (decision 12); the refusal names the first part that is not allowed.
fn may_address(resolved: &target::Resolved, home: Option<EnvironmentId>, may: May<'_>) -> Result<()> {
    let parts = target::at_home(resolved.parts.clone(), home);
    for (at, part) in parts.iter().enumerate() {
        may(std::slice::from_ref(part)).map_err(|error| match error {
            Error::Denied(lack) => Error::Denied(format!("audience[{at}]: {lack}")),
            other => other,
        })?;
    }
    Ok(())
}

/// Resolves the parts of an audience; at least one and not too many. Roles that there are not are faults, or nobody.
pub fn audience(tx: &mut Tx<'_>, to: &[Target], unknown_roles: bool, faults: &mut Faults) -> Result<target::Resolved> {
    faults.require(
        !to.is_empty(),
        "audience",
        "name at least one part, such as {\"kind\":\"everyone\"}",
    );
    if to.len() > AUDIENCE_PARTS {
        faults.add(
            "audience",
            format!("at most {AUDIENCE_PARTS} parts; a group or a customer says more in one"),
        );
        return Ok(target::Resolved::default());
    }
    target::resolve(tx, to, unknown_roles, faults)
}

/// The home environment: of the API, else of the first environment role, else, for groups and users, as given or
/// `DEFAULT`, else none (decision 11). One that is given and is not the home is a fault: it would change nothing.
fn home(
    tx: &mut Tx<'_>,
    given: Option<&str>,
    resolved: &target::Resolved,
    faults: &mut Faults,
) -> Result<Option<EnvironmentId>> {
    let Some(key) = given else {
        return Ok(home_of(resolved, None));
    };
    let given = target::environment(tx, key)?;
    faults.require(given.is_some(), "environment", "there is no such environment");
    let home = home_of(resolved, given);
    if faults.is_empty() && home != given {
        let reason = if home.is_some() {
            "is not that of the audience's API or role, which decides; leave it out"
        } else {
            "is only for groups and users; a message to customers or everyone belongs to none: leave it out"
        };
        faults.add("environment", reason);
    }
    Ok(home)
}

/// See [`home`]. What the audience itself says comes first: whoever may see what is sent there must see this.
pub(super) fn home_of(resolved: &target::Resolved, given: Option<EnvironmentId>) -> Option<EnvironmentId> {
    let needs_home = resolved.parts.iter().any(|part| matches!(part, Part::Directory { .. }));
    let fallback = needs_home.then(|| given.unwrap_or(EnvironmentId(DEFAULT_ENVIRONMENT)));
    let of_api = resolved.api.as_ref().map(|(_, _, environment)| *environment);
    of_api.or(resolved.environment).or(fallback)
}

/// Whether these channels show no title: a banner has none, and a POST no place for one (contract "console messaging",
/// section 1.1).
pub(super) const fn needs_no_title(channels: i64) -> bool {
    channels != 0 && channels & (Channel::Portal.bit() | Channel::Email.bit()) == 0
}

/// A title, or where it may be left out, a text that stands for it, as it does on every banner; what is only posted has
/// no need of either.
pub(super) fn check_words(title: &str, text: &str, channels: i64, may_be_untitled: bool, faults: &mut Faults) {
    if !(title.is_empty() && may_be_untitled) {
        check_title(title, faults);
    }
    let is_shown = channels & !Channel::Http.bit() != 0;
    let is_told_by_text = may_be_untitled && is_shown || channels & Channel::Banner.bit() != 0;
    if title.is_empty() && is_told_by_text {
        faults.require(!text.trim().is_empty(), "text", "is empty; say what it is about");
    }
}

/// Only what people can look at can be acknowledged.
pub(super) fn check_acknowledgement(must: bool, channels: i64, faults: &mut Faults) {
    let stays = channels & (Channel::Portal.bit() | Channel::Banner.bit()) != 0;
    if must && !stays {
        faults.add(
            "must_acknowledge",
            "is for messages in bell and inbox, or with a banner",
        );
    }
}

fn check_title(title: &str, faults: &mut Faults) {
    if title.trim().is_empty() {
        faults.add("title", "is empty; say in a few words what it is about");
    } else if title.chars().count() > TITLE_CHARS {
        faults.add("title", format!("is longer than {TITLE_CHARS} characters"));
    } else if title.contains(breaks_line) {
        faults.add("title", "holds a control character or a line break");
    }
}

pub(super) fn check_text(text: &str, faults: &mut Faults) {
    if text.len() > TEXT_BYTES {
        faults.add("text", format!("is longer than {TEXT_BYTES} bytes"));
    } else if text
        .chars()
        .any(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t'))
    {
        faults.add("text", "holds a control character other than tab and line break");
    }
}

pub(super) fn check_sender(name: &str, faults: &mut Faults) {
    if name.trim().is_empty() {
        faults.add("sender_name", "is empty");
    } else if name.chars().count() > SENDER_CHARS {
        faults.add("sender_name", format!("is longer than {SENDER_CHARS} characters"));
    } else if name.contains(breaks_line) {
        faults.add("sender_name", "holds a control character or a line break");
    }
}

fn check_window(draft: &Draft, now: Moment, faults: &mut Faults) -> Window {
    let window = Window::new(draft.opens_at, draft.closes_at);
    check_order(&window, faults);
    faults.require(
        draft.leniency.past || !window.is_past(now),
        "closes_at",
        "has passed already; nobody would see the message",
    );
    window
}

pub(super) fn check_order(window: &Window, faults: &mut Faults) {
    faults.require(window.opens <= window.closes, "closes_at", "is before opens_at");
    faults.require(window.opens.0 >= 0, "opens_at", "is before 1970");
}
