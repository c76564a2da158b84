//! What is sent: one message as a mail for each of its readers.
//!
//! A [`Letter`] is written once for each language ([`Stationery::write`]), and addressed to each reader
//! ([`Written::to`]): only the address, the ids and the unsubscribe link are theirs, so that a million mails do not
//! render a million pages. The text is that of the inbox (`campanile_core::markup`), and nothing a sender typed
//! reaches a header uncleaned (`clean`).

mod address;
mod clean;
mod dkim;
mod head;
mod page;
mod setup;
mod splice;
pub(super) mod words;

use std::sync::Arc;

use campanile_core::id::{MessageId, PersonId};
use campanile_core::markup::Format;
use campanile_core::message::Importance;
use campanile_core::outbox::token;
use campanile_core::secret::InstallationKey;
use campanile_core::time::Moment;
use lettre::message::{Attachment, Body, MultiPart, SinglePart, header};

pub use address::{Mailbox, routable};
pub use campanile_core::outbox::token::{Bounced, bounced, mailed, message_id, return_path, unsubscribe, unsubscriber};
pub use dkim::Signer;
pub use page::{Brand, Colour, Logo};
pub use setup::{Office, office};

/// What all mails of an installation share.
#[derive(Debug, Clone)]
pub struct Stationery {
    /// The sender's address (`mail_from`); its name stands where a message has no sender name.
    pub from: Mailbox,
    /// `https://host`: for links.
    pub origin: String,
    /// How it looks.
    pub brand: Brand,
    /// The domain at which bounces and unsubscribing mails are taken in, if they are.
    pub bounce_domain: Option<String>,
    /// Derives ids and tokens.
    pub key: InstallationKey,
    /// Signs, if we sign and not the relay.
    pub signer: Option<Arc<Signer>>,
}

/// A message as it is to be mailed.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// The message.
    pub message: MessageId,
    /// Its title, as typed.
    pub title: &'a str,
    /// Its text, as typed.
    pub text: &'a str,
    /// How the text was typed.
    pub format: Format,
    /// The sender name of the message; may be empty.
    pub sender: &'a str,
    /// How much it matters. A critical one cannot be unsubscribed from.
    pub importance: Importance,
    /// When it was published: the date of the mail, the same at every try.
    pub at: Moment,
    /// What its link opens: the message itself, or the one of which it reminds.
    pub opens: MessageId,
    /// What sorts it at the reader's (`List-Id`): the environment, or the customer.
    pub list: &'a str,
    /// The readers' language, where known.
    pub language: Option<&'a str>,
}

/// A letter in one language, without a reader.
#[derive(Debug)]
pub struct Written {
    stationery: Arc<Stationery>,
    message: MessageId,
    at: Moment,
    is_critical: bool,
    /// Headers that are the same for all.
    head: String,
    body: splice::Body,
}

/// Somebody who gets a letter.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The person.
    pub person: PersonId,
    /// Their name; may be empty.
    pub name: &'a str,
    /// Their address, as stored.
    pub address: &'a str,
}

/// A mail, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// The return path.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// The mail itself, with CRLF.
    pub content: Vec<u8>,
}

/// The title of a mail that reminds of a message with a title.
#[must_use]
pub fn reminder(language: Option<&str>, title: &str) -> String {
    words::Words::of(language).text("mail-reminder", title)
}

impl Stationery {
    /// Writes a letter once for all readers of a language: a millisecond or less.
    #[must_use]
    pub fn write(self: &Arc<Self>, letter: &Letter<'_>) -> Written {
        let is_critical = letter.importance == Importance::Critical;
        let marker = token::marker(&self.key, letter.message);
        let link = (!is_critical).then(|| self.unsubscribe_link(&marker));
        let page = page::Page::new(self, letter, link.as_deref());
        let parts = self.parts(letter, &page);
        let formatted = parts.formatted();
        // The headers of the outermost part stand among those of the mail.
        let split = formatted.windows(4).position(|four| four == b"\r\n\r\n");
        let split = split.expect("a part has headers") + 4;
        let mut head = head::of_letter(self, letter);
        head.push_str(std::str::from_utf8(&formatted[..split - 2]).expect("lettre writes ASCII headers"));
        Written {
            stationery: Arc::clone(self),
            message: letter.message,
            at: letter.at,
            is_critical,
            head,
            body: splice::Body::new(&formatted[split..], &marker),
        }
    }

    /// How a letter looks to who writes it: HTML and text. The link to unsubscribe leads nowhere.
    #[must_use]
    pub fn preview(&self, letter: &Letter<'_>) -> (String, String) {
        let link = (letter.importance != Importance::Critical).then(|| self.unsubscribe_link("preview"));
        let page = page::Page::new(self, letter, link.as_deref());
        (page.html(), page.text())
    }

    /// Text first, then HTML, with the logo beside it where that is a file.
    fn parts(&self, letter: &Letter<'_>, page: &page::Page<'_>) -> MultiPart {
        // Nobody who types a message can know the boundary, nor write it.
        let boundary = |kind: &str| token::boundary(&self.key, letter.message, kind);
        let part = |kind, text: String| {
            // Quoted-printable whatever the text: it survives every relay, and only there a token can be replaced.
            let body = Body::new_with_encoding(text, header::ContentTransferEncoding::QuotedPrintable);
            let body = body.expect("quoted-printable takes every text");
            SinglePart::builder().header(kind).body(body)
        };
        let text = part(header::ContentType::TEXT_PLAIN, page.text());
        let html = part(header::ContentType::TEXT_HTML, page.html());
        let both = MultiPart::alternative()
            .boundary(boundary("alternative"))
            .singlepart(text);
        let Some(Logo::File { bytes, kind }) = &self.brand.logo else {
            return both.singlepart(html);
        };
        let kind = kind.parse().expect("a constant of ours");
        let logo = Attachment::new_inline(page::LOGO_ID.to_owned()).body(bytes.clone(), kind);
        let related = MultiPart::related().boundary(boundary("related"));
        both.multipart(related.singlepart(html).singlepart(logo))
    }

    fn unsubscribe_link(&self, token: &str) -> String {
        format!("{}/u/{token}", self.origin)
    }

    /// Whether [`Written::to`] takes about a millisecond, to sign (RSA), and should not run on a thread that serves.
    #[must_use]
    pub fn signs_slowly(&self) -> bool {
        self.signer.as_ref().is_some_and(|signer| signer.is_slow())
    }
}

impl Written {
    /// The letter for one reader: some microseconds, and the signature.
    ///
    /// # Errors
    /// Why no mail can be sent to this address, for people.
    pub fn to(&self, reader: &Reader<'_>) -> Result<Addressed, String> {
        let stationery = &*self.stationery;
        let to = routable(reader.address)?;
        let token = token::unsubscribe(&stationery.key, reader.person);
        let mut head = head::of_reader(stationery, self.message, reader, &to);
        if !self.is_critical {
            head::unsubscribing(
                &mut head,
                &stationery.unsubscribe_link(&token),
                &token,
                stationery.bounce_domain.as_deref(),
            );
        }
        head.push_str(&self.head);
        let body = self.body.with(&token);
        let mut content = Vec::with_capacity(head.len() + body.len() + 1024);
        if let Some(signer) = &stationery.signer {
            content.extend_from_slice(signer.sign(&head, &body, self.at).as_bytes());
        }
        content.extend_from_slice(head.as_bytes());
        content.extend_from_slice(b"\r\n");
        content.extend_from_slice(&body);
        let from = match &stationery.bounce_domain {
            Some(domain) => return_path(&stationery.key, self.message, reader.person, domain),
            None => stationery.from.address.clone(),
        };
        Ok(Addressed { from, to, content })
    }
}
