//! Who a mail goes to, as it is right before it leaves: name, address, language; and why it does not leave after all.

use campanile_store::{Row, Tx, sql};

use super::suppression::Source;
use crate::audience::Selector;
use crate::directory::addressable::{fifty, fifty_numbers};
use crate::error::Result;
use crate::id::{MessageId, PersonId};
use crate::message::{self, Importance, Message};
use crate::time::Moment;

sql! {
    READERS = concat!("SELECT p.id, p.name, p.email, p.email_key, p.locale,
            EXISTS (SELECT 1 FROM life l WHERE l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807),
            (SELECT MIN(s.source) FROM suppression s WHERE s.address = p.email_key AND s.until > $51)
        FROM person p WHERE p.id IN ", fifty_numbers!(), " ORDER BY p.id");
    RUN = "SELECT state, held, tried_from FROM run WHERE message = $1 AND channel = $2";
    ACKNOWLEDGED = "SELECT acknowledged_at FROM engagement
        WHERE person = $1 AND message = $2 AND acknowledged_at IS NOT NULL";
    ENVIRONMENT = "SELECT key FROM environment WHERE id = $1";
}

/// People that are looked up in one statement.
const AT_ONCE: usize = 50;

/// Somebody who is to get a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub person: PersonId,
    /// Their display name.
    pub name: String,
    /// Their address; empty where [`Reader::why_not`] says so.
    pub email: String,
    /// The address, normalised.
    pub email_key: String,
    /// Their language, where they chose one.
    pub language: Option<String>,
    /// Why no mail is sent.
    pub why_not: Option<WhyNot>,
}

/// Why somebody gets no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNot {
    /// Deactivated, or not there any more.
    Deactivated,
    /// No address any more.
    WithoutAddress,
    /// The address is on the suppression list, put there by this.
    Suppressed(Source),
    /// They have acknowledged what they were to be reminded of.
    Acknowledged,
}

impl WhyNot {
    /// In words.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Deactivated => "the user was deactivated before it was sent",
            Self::WithoutAddress => "the user has no email address any more",
            Self::Acknowledged => "the user had acknowledged the message before the reminder was sent",
            Self::Suppressed(Source::Bounced) => "mails to this address came back before",
            Self::Suppressed(Source::Complained) => "the owner of this address reported a mail as unwanted",
            Self::Suppressed(Source::Added) => "an administrator put this address on the suppression list",
            Self::Suppressed(Source::Unsubscribed) => "the owner of this address unsubscribed from mail",
        }
    }
}

/// The people of these ids, in the order of ids. Critical mail goes to those who only unsubscribed (decision 36).
pub fn readers(tx: &mut Tx<'_>, people: &[u32], importance: Importance, now: Moment) -> Result<Vec<Reader>> {
    let mut out = Vec::with_capacity(people.len());
    for some in people.chunks(AT_ONCE) {
        let ids: Vec<i64> = some.iter().copied().map(i64::from).collect();
        let mut params = fifty(&ids);
        params.push(&now.0);
        out.extend(tx.rows(&READERS, &params, |row| reader(row, importance))?);
    }
    Ok(out)
}

fn reader(row: &Row<'_>, importance: Importance) -> campanile_store::Result<Reader> {
    let (email, email_key): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
    let source = row.get::<Option<i64>>(6)?.map(Source::from_code);
    let source = source.filter(|source| *source != Source::Unsubscribed || importance != Importance::Critical);
    let why_not = if !row.get::<bool>(5)? {
        Some(WhyNot::Deactivated)
    } else if email.is_none() {
        Some(WhyNot::WithoutAddress)
    } else {
        source.map(WhyNot::Suppressed)
    };
    Ok(Reader {
        person: PersonId(row.get(0)?),
        name: row.get(1)?,
        email: email.unwrap_or_default(),
        email_key: email_key.unwrap_or_default(),
        language: row.get(4)?,
        why_not,
    })
}

/// Marks those of a reminder's readers who have acknowledged the message by now.
pub fn acknowledged(tx: &mut Tx<'_>, message: &Message, readers: &mut [Reader]) -> Result<()> {
    let Some(of) = message.reminds else { return Ok(()) };
    for reader in readers.iter_mut().filter(|reader| reader.why_not.is_none()) {
        let given = tx.first(&ACKNOWLEDGED, &[&reader.person.0, &of.0], |row| row.get::<i64>(0))?;
        reader.why_not = given.map(|_| WhyNot::Acknowledged);
    }
    Ok(())
}

/// A message as it is to be mailed now.
#[derive(Debug, Clone)]
pub struct ToMail {
    /// The message.
    pub message: Message,
    /// What sorts it at its readers: the environment's id, or `customer-` and a number, or `all`.
    pub list: String,
    /// From here the time counts after which no more is tried.
    pub tried_from: Moment,
    /// Nothing of it may leave now: it is switched off, recalled, or taken back.
    pub is_stopped: bool,
}

/// Reads a message that is on its way by mail. What reminds of another says what that says now.
pub fn to_mail(tx: &mut Tx<'_>, id: MessageId) -> Result<ToMail> {
    let mut message = message::find(tx, id)?;
    if let Some(of) = message.reminds {
        let now = message::find(tx, of)?;
        (message.title, message.text, message.format) = (now.title, now.text, now.format);
        (message.sender_name, message.edition) = (now.sender_name, now.edition);
    }
    let email = message::Channel::Email.bit();
    let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<bool>(1)?, row.get::<i64>(2)?));
    let (state, held, tried_from) = tx.one(&RUN, &[&id.0, &email], read)?;
    let list = match message.environment {
        Some(environment) => tx.one(&ENVIRONMENT, &[&environment.0], |row| row.get(0))?,
        None => list_of(&message::selectors(tx, id)?),
    };
    Ok(ToMail {
        message,
        list,
        tried_from: Moment(tried_from),
        is_stopped: held || state > 2,
    })
}

fn list_of(selectors: &[Selector]) -> String {
    let customer = selectors.iter().find_map(|selector| match selector {
        Selector::Customer { customer } | Selector::Subtree { customer } => Some(customer),
        _ => None,
    });
    customer.map_or_else(|| "all".to_owned(), |customer| format!("customer-{customer}"))
}
