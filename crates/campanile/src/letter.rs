//! A look at the mail of a message before it is sent.

use campanile_core::Error;
use campanile_core::id::MessageId;
use campanile_core::markup::Format;
use campanile_core::message::Importance;

use crate::app::App;
use crate::deliver::mail;
use crate::problem::Problem;

/// How a mail of a message looks, as HTML and as text.
///
/// # Errors
/// `Conflict` where this server sends no mail.
pub fn mail(
    app: &App,
    title: &str,
    text: &str,
    sender: &str,
    importance: Importance,
    language: Option<&str>,
) -> Result<(String, String), Problem> {
    let office = mail::office(&app.settings.mail, &app.origin, &app.key).map_err(Problem::internal)?;
    let Some(office) = office else {
        return Err(Error::Conflict("email is off: this server has no mail relay (CAMPANILE_SMTP_URL)".into()).into());
    };
    Ok(office.stationery.preview(&mail::Letter {
        message: MessageId(0),
        opens: MessageId(0),
        title,
        text,
        format: Format::Markdown,
        sender,
        importance,
        at: app.clock.now(),
        list: "preview",
        language,
    }))
}
