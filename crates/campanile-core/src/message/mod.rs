//! Messages: what a sender sends, from draft to recall.
//!
//! A message is one row and a handful of `audience` rows, whatever the number of people. [`draft`] checks what was sent
//! and turns names into ids; [`publish`] stores it; [`change`] corrects, recalls and opens; [`sent`] answers the
//! sender's questions afterwards.

pub mod announced;
pub mod change;
pub mod draft;
pub(crate) mod edition;
pub mod funnel;
pub(crate) mod judged;
pub(crate) mod kept;
pub mod label;
pub(crate) mod leniency;
pub mod preview;
pub mod publish;
pub mod remind;
pub mod sent;
pub(crate) mod sight;
pub mod someone;
pub mod target;
pub mod timeline;

use std::borrow::Cow;

use campanile_store::{Row, Tx, sql};
use serde::{Deserialize, Serialize};

use crate::audience::{Addressed, Key, Rule, Selector};
use crate::error::{Error, Result};
use crate::id::{ApiId, EnvironmentId, MessageId, PersonId};
use crate::markup::{self, Format};
use crate::time::{Moment, OPEN};

/// Characters of a title at most (decision 23).
pub const TITLE_CHARS: usize = 1_000;
/// Bytes of a text at most (decision 23).
pub const TEXT_BYTES: usize = 64 * 1024;
/// Characters of a sender's name at most (decision 23).
pub const SENDER_CHARS: usize = 200;
/// Selectors of one audience at most.
pub const AUDIENCE_PARTS: usize = 50;

/// How much it matters. Never told by colour alone.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Importance {
    /// An ordinary message.
    #[default]
    Low,
    /// It stands out.
    High,
    /// It comes first.
    Critical,
}

impl Importance {
    /// As stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// From storage.
    #[must_use]
    pub const fn from_code(code: i64) -> Self {
        match code {
            2 => Self::Critical,
            1 => Self::High,
            _ => Self::Low,
        }
    }
}

/// Where a message is shown or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Bell and inbox.
    Portal = 1,
    /// At the top of every page, during its window.
    Banner = 2,
    /// A mail of their own to everybody in the audience who has an address.
    Email = 4,
    /// A POST to each destination of the message.
    Http = 8,
}

impl Channel {
    /// All there are, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Portal, Self::Banner, Self::Email, Self::Http];

    /// Its name, as the API has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Banner => "banner",
            Self::Email => "email",
            Self::Http => "http",
        }
    }

    /// Its bit in `message.channels`.
    #[must_use]
    pub const fn bit(self) -> i64 {
        self as i64
    }
}

/// When a message may be seen: whole seconds, both ends inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From here; [`Moment`] 0 for no start.
    pub opens: Moment,
    /// To the end of this second; [`Moment::NEVER`] for no end.
    pub closes: Moment,
}

impl Window {
    /// Cuts both ends to whole seconds.
    #[must_use]
    pub fn new(opens: Option<Moment>, closes: Option<Moment>) -> Self {
        Self {
            opens: opens.map_or(Moment(0), Moment::second),
            closes: closes.map_or(Moment::NEVER, Moment::second),
        }
    }

    /// Whether a time is inside.
    #[must_use]
    pub fn contains(&self, now: Moment) -> bool {
        let second = now.second();
        self.opens <= second && second <= self.closes
    }

    /// Whether it has closed.
    #[must_use]
    pub fn is_past(&self, now: Moment) -> bool {
        self.closes < now.second()
    }

    /// The start, where there is one.
    #[must_use]
    pub fn opens_at(&self) -> Option<Moment> {
        (self.opens.0 != 0).then_some(self.opens)
    }

    /// The end, where there is one.
    #[must_use]
    pub fn closes_at(&self) -> Option<Moment> {
        (self.closes.0 != OPEN).then_some(self.closes)
    }
}

/// A message as it is stored, without its audience.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
pub struct Message {
    /// Which.
    pub id: MessageId,
    /// Of publication; `None` before it, or where the window passed unopened.
    pub revision: Option<i64>,
    /// When it was published.
    pub published_at: Option<Moment>,
    /// Late joiners.
    pub rule: Rule,
    /// Its home environment; customer messages have none (decision 11).
    pub environment: Option<EnvironmentId>,
    /// The API that all of its audience is about.
    pub api: Option<ApiId>,
    /// That API's name at publication, shown before the title (decision 24).
    pub api_name: Option<String>,
    /// As typed.
    pub title: String,
    /// As typed.
    pub text: String,
    /// How the text is read.
    pub format: Format,
    /// Shown as the sender.
    pub sender_name: String,
    /// How much it matters.
    pub importance: Importance,
    /// Bits of [`Channel`].
    pub channels: i64,
    /// When it may be seen.
    pub window: Window,
    /// Switched on.
    pub enabled: bool,
    /// Its banner may be dismissed even where it is critical.
    pub dismissible: bool,
    /// Its banner stands until the person says that they have read it.
    pub must_acknowledge: bool,
    /// See the schema.
    pub sub_customers: bool,
    /// The message of which it reminds those who had not acknowledged it.
    pub reminds: Option<MessageId>,
    /// Who sent it.
    pub author: PersonId,
    /// When it was accepted.
    pub created_at: Moment,
    /// Grows with every correction of content, from 1.
    pub edition: i64,
    /// Of the last correction.
    pub edited_at: Option<Moment>,
    /// When it was recalled.
    pub recalled_at: Option<Moment>,
    /// Its window passed unopened.
    pub missed: bool,
    /// People in its audience at publication, once counted.
    pub people: Option<i64>,
    /// Those of them without an email address, once counted.
    pub without_email: Option<i64>,
    /// The last revision at which it came up for everybody.
    pub arrival: i64,
    /// The last revision at which the bell rang for it.
    pub ring: i64,
}

/// Where a message stands, for those who may edit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for its window, or to be enabled.
    Scheduled,
    /// Its audience sees it.
    Active,
    /// Switched off after it was published.
    Disabled,
    /// Its window has closed.
    Expired,
    /// Taken back.
    Recalled,
    /// Its window passed unopened, or before it was ever enabled.
    Missed,
}

impl Message {
    /// Where it stands now.
    #[must_use]
    pub fn status(&self, now: Moment) -> Status {
        if self.recalled_at.is_some() {
            Status::Recalled
        } else if self.missed || self.revision.is_none() && self.window.is_past(now) {
            Status::Missed
        } else if self.revision.is_none() {
            Status::Scheduled
        } else if self.window.is_past(now) {
            Status::Expired
        } else if !self.enabled {
            Status::Disabled
        } else if self.window.contains(now) {
            Status::Active
        } else {
            Status::Scheduled
        }
    }

    /// Whether it goes out by a channel.
    #[must_use]
    pub const fn has(&self, channel: Channel) -> bool {
        self.channels & channel.bit() != 0
    }

    /// The channels by which it goes out.
    pub fn ways(&self) -> impl Iterator<Item = Channel> + '_ {
        Channel::ALL.into_iter().filter(|channel| self.has(*channel))
    }

    /// From when to when it stands: without a start, since it was published or, before that, since it was written.
    #[must_use]
    pub fn stands(&self) -> Window {
        let since = self.published_at.unwrap_or(self.created_at);
        Window {
            opens: self.window.opens_at().unwrap_or(since),
            closes: self.window.closes,
        }
    }

    /// The title as it is shown: an API message carries the API's name.
    #[must_use]
    pub fn shown_title(&self) -> String {
        shown_title(self.api_name.as_deref(), &self.title)
    }
}

/// Characters of a text that stand for its title where it has none, as a banner may.
const NAME_CHARS: usize = 80;

/// What a message is called in a list: its title as it is shown, else the beginning of its text.
#[must_use]
pub fn name<'t>(shown_title: &'t str, format: Format, text: &str) -> Cow<'t, str> {
    if shown_title.is_empty() {
        return Cow::Owned(markup::excerpt(format, text, NAME_CHARS));
    }
    Cow::Borrowed(shown_title)
}

/// The title as it is shown (decision 24).
#[must_use]
pub fn shown_title(api_name: Option<&str>, title: &str) -> String {
    match api_name.filter(|_| !title.is_empty()) {
        Some(name) => format!("[{name}] {title}"),
        None => title.to_owned(),
    }
}

macro_rules! columns {
    () => {
        columns!("title, body")
    };
    // Title and text are large, and not everybody needs them.
    (without text) => {
        columns!("'', ''")
    };
    ($text:literal) => {
        concat!(
            "id, revision, published_at, rule, environment, api, api_name, ",
            $text,
            ", format, sender_name, importance, channels, opens_at, closes_at, enabled, author, created_at, edition,
             edited_at, recalled_at, missed, people, without_email, arrival, ring, dismissible, must_acknowledge,
             sub_customers, reminds"
        )
    };
}
pub(crate) use columns;

sql! {
    FIND = concat!("SELECT ", columns!(), " FROM message WHERE id = $1");
    SELECTORS = "SELECT kind, object, role FROM audience WHERE message = $1 AND until = 9223372036854775807
        ORDER BY kind, object, role";
    ADDRESSED = "SELECT kind, object, role, since, until, since_at, until_at FROM audience WHERE message = $1";
}

/// Reads the columns of `columns!`.
pub(crate) fn message(row: &Row<'_>) -> campanile_store::Result<Message> {
    Ok(Message {
        id: MessageId(row.get(0)?),
        revision: row.get(1)?,
        published_at: row.get::<Option<i64>>(2)?.map(Moment),
        rule: Rule::from_code(row.get(3)?),
        environment: row.get::<Option<i64>>(4)?.map(EnvironmentId),
        api: row.get::<Option<i64>>(5)?.map(ApiId),
        api_name: row.get(6)?,
        title: row.get(7)?,
        text: row.get(8)?,
        format: Format::from_code(row.get(9)?).unwrap_or(Format::Markdown),
        sender_name: row.get(10)?,
        importance: Importance::from_code(row.get(11)?),
        channels: row.get(12)?,
        window: Window {
            opens: Moment(row.get(13)?),
            closes: Moment(row.get(14)?),
        },
        enabled: row.get(15)?,
        author: PersonId(row.get(16)?),
        created_at: Moment(row.get(17)?),
        edition: row.get(18)?,
        edited_at: row.get::<Option<i64>>(19)?.map(Moment),
        recalled_at: row.get::<Option<i64>>(20)?.map(Moment),
        missed: row.get(21)?,
        people: row.get(22)?,
        without_email: row.get(23)?,
        arrival: row.get(24)?,
        ring: row.get(25)?,
        dismissible: row.get(26)?,
        must_acknowledge: row.get(27)?,
        sub_customers: row.get(28)?,
        reminds: row.get::<Option<i64>>(29)?.map(MessageId),
    })
}

/// A message by id, whoever asks; who may see it is the caller's business.
pub fn find(tx: &mut Tx<'_>, id: MessageId) -> Result<Message> {
    tx.first(&FIND, &[&id.0], message)?.ok_or(Error::Missing("message"))
}

/// To whom a message is and was addressed.
pub(crate) fn addressed(tx: &mut Tx<'_>, id: MessageId) -> Result<Vec<Addressed>> {
    Ok(tx.rows(&ADDRESSED, &[&id.0], |row| Addressed::read(row, 0))?)
}

/// The selectors of a message.
pub fn selectors(tx: &mut Tx<'_>, id: MessageId) -> Result<Vec<Selector>> {
    let keys = tx.rows(&SELECTORS, &[&id.0], |row| {
        Ok::<Key, _>((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(keys.into_iter().filter_map(Selector::from_key).collect())
}
