//! `campanile send`: a message from the shell, through a running server.
//!
//! What is sent carries a key, so that an attempt can be repeated when an answer got lost.

mod args;
mod client;
mod posts;
mod wait;

#[cfg(test)]
mod tests;

use std::io::{BufRead, Write};
use std::time::Duration;

use bytes::Bytes;
use campanile_core::message::Status;
use campanile_core::message::draft::Draft;
use campanile_core::message::preview::Preview;
use campanile_core::time::Moment;
use http::{HeaderValue, Method};
use serde::Deserialize;

pub use args::Args;
use client::{Call, Client};

use crate::exit::Failure;
use crate::words::{counted, printable, thousands};

/// The server where none is named.
const DEFAULT_URL: &str = "http://127.0.0.1:8480";
/// Between two looks at how far a message got.
pub const LOOK: Duration = Duration::from_millis(500);
/// People of the sample who are named.
const NAMED: usize = 5;

/// What surrounds the command: the environment, chance, and whoever sits before it.
pub struct Around<'a> {
    /// A variable of the environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// A key that nobody else has, should none be given: 1 to 255 visible ASCII characters.
    pub key: String,
    /// Standard output: results.
    pub out: &'a mut dyn Write,
    /// Standard error: questions.
    pub notes: &'a mut dyn Write,
    /// Standard input, if somebody sits there who can be asked.
    pub answers: Option<&'a mut dyn BufRead>,
    /// Between attempts; none is one attempt alone.
    pub pauses: Vec<Duration>,
    /// Between two looks at how far it got.
    pub look: Duration,
}

impl Around<'_> {
    /// The usual pauses between attempts.
    #[must_use]
    pub fn usual_pauses() -> Vec<Duration> {
        client::PAUSES.to_vec()
    }
}

/// What the server says of a message; the rest is of no interest here.
#[derive(Debug, Deserialize)]
struct Sent {
    id: i64,
    status: Status,
    opens_at: Option<Moment>,
    /// Only where its audience has been counted.
    funnel: Option<Reach>,
}

/// Where a message would be posted to.
#[derive(Debug, Deserialize)]
struct Requests {
    items: Vec<To>,
}

/// One of them; the rest is of no interest here.
#[derive(Debug, Deserialize)]
struct To {
    url: String,
}

/// How far a message got.
#[derive(Debug, Deserialize)]
struct Reach {
    people: u64,
}

/// Sends, or only counts the audience. An answer that is not yes sends nothing, and is [`Failure::Work`].
pub async fn run(args: &Args, around: &mut Around<'_>) -> Result<(), Failure> {
    let mut draft = args.draft()?;
    let origin = origin(args, around.env)?;
    let client = Client::new(origin, authorization(args, around.env)?, around.pauses.clone())?;
    draft.posts.extend(args.posts.saved(&client).await?);
    let asked = !args.yes && around.answers.is_some();
    if (args.preview || asked) && draft.is_post_alone() {
        if !before_posting(args, around, &client, &draft).await? {
            return Ok(());
        }
    } else if args.preview || asked {
        let mut body = serde_json::json!({ "audience": draft.audience });
        if let Some(environment) = &draft.environment {
            body["environment"] = environment.as_str().into();
        }
        let answer = post(&client, "/api/v1/messages/preview", to_bytes(&body), None).await?;
        if args.preview && args.json {
            return print(around.out, &answer);
        }
        let preview: Preview = parse(&answer)?;
        let lines = described(&preview);
        if args.preview {
            return Ok(writeln!(around.out, "{lines}")?);
        }
        writeln!(around.notes, "{lines}")?;
        ask(around, &counted(preview.people))?;
    }
    let key = args.what.idempotency_key.clone().unwrap_or_else(|| around.key.clone());
    let accepted = post(&client, "/api/v1/messages", to_bytes(&draft), Some(&key)).await?;
    report(args, around, &client, &accepted, &draft).await
}

/// Shows where a message would be posted to, and asks whether it shall be, unless that was all.
async fn before_posting(args: &Args, around: &mut Around<'_>, client: &Client, draft: &Draft) -> Result<bool, Failure> {
    let body = serde_json::json!({
        "posts": draft.posts, "text": draft.text, "environment": draft.environment, "api": draft.api,
    });
    let answer = post(client, "/api/v1/messages/preview/post", to_bytes(&body), None).await?;
    if args.preview && args.json {
        print(around.out, &answer)?;
        return Ok(false);
    }
    let Requests { items } = parse(&answer)?;
    let lines: Vec<_> = items.iter().map(|to| printable(&format!("POST {}", to.url))).collect();
    if args.preview {
        writeln!(around.out, "{}", lines.join("\n"))?;
        return Ok(false);
    }
    writeln!(around.notes, "{}", lines.join("\n"))?;
    ask(around, &destinations(items.len()))?;
    Ok(true)
}

fn destinations(count: usize) -> String {
    format!("{count} {}", if count == 1 { "destination" } else { "destinations" })
}

/// Says what became of an accepted message. It has been sent: whatever fails from here on is no failure of that.
async fn report(
    args: &Args,
    around: &mut Around<'_>,
    client: &Client,
    accepted: &Bytes,
    draft: &Draft,
) -> Result<(), Failure> {
    let sent: Sent = parse(accepted)?;
    let id = sent.id;
    let progress = if args.wait {
        wait::wait(client, id, around.look).await?
    } else {
        Vec::new()
    };
    let path = format!("/api/v1/messages/{}", sent.id);
    let call = Call {
        method: Method::GET,
        path: &path,
        body: Vec::new(),
        key: None,
    };
    let seen = client.call(&call).await;
    let looked = seen
        .as_ref()
        .ok()
        .and_then(|answer| parse::<Sent>(answer).ok())
        .unwrap_or(sent);
    let is_post = draft.is_post_alone();
    let reaches_nobody = matches!(
        (looked.status, &looked.funnel),
        (Status::Active, Some(Reach { people: 0 }))
    );
    if reaches_nobody && !is_post {
        writeln!(around.notes, "warning: the audience holds nobody; nobody was told")?;
    }
    if args.json {
        print(around.out, seen.as_ref().unwrap_or(accepted))?;
        return wait::verdict(id, &progress);
    }
    if is_post && looked.status == Status::Active {
        let count = destinations(draft.posts.len());
        writeln!(around.out, "message {id}: accepted for {count}")?;
    } else {
        writeln!(around.out, "message {id}: {}", state(&looked))?;
    }
    for of in &progress {
        writeln!(around.out, "{}", wait::line(of))?;
    }
    wait::verdict(id, &progress)
}

fn state(sent: &Sent) -> String {
    match (sent.status, &sent.funnel, sent.opens_at) {
        (Status::Scheduled, _, Some(at)) => format!("waits until {at}"),
        (Status::Scheduled, _, None) => "waits".to_owned(),
        (Status::Active, Some(reach), _) => format!("sent to {}", counted(reach.people)),
        (Status::Active, None, _) => "sent; it is not known yet to how many people".to_owned(),
        // A repeat of a key that was used before.
        (Status::Disabled, ..) => "was sent before, and is switched off now".to_owned(),
        (Status::Expired, ..) => "was sent before, and its time is over".to_owned(),
        (Status::Recalled, ..) => "was sent before, and has been taken back".to_owned(),
        (Status::Missed, ..) => "was sent before, and its time passed unopened".to_owned(),
    }
}

/// Where the server is: `scheme://host[:port]`.
fn origin(args: &Args, env: &dyn Fn(&str) -> Option<String>) -> Result<String, Failure> {
    let (url, from) = match &args.server.url {
        Some(url) => (url.clone(), "--url"),
        None => (
            env("CAMPANILE_URL").unwrap_or_else(|| DEFAULT_URL.to_owned()),
            "CAMPANILE_URL",
        ),
    };
    crate::config::value::public_url(url.trim_end_matches('/')).map_err(|why| Failure::Usage(format!("{from}: {why}")))
}

/// Who asks: a login, if one is given, else a token.
fn authorization(args: &Args, env: &dyn Fn(&str) -> Option<String>) -> Result<HeaderValue, Failure> {
    let text = if let Some(user) = &args.server.user {
        let password = secret(env, "CAMPANILE_PASSWORD")?.ok_or_else(|| {
            Failure::Usage("--user needs the password in CAMPANILE_PASSWORD or CAMPANILE_PASSWORD_FILE".into())
        })?;
        if user.contains(':') {
            return Err(Failure::Usage(
                "--user: a login with a colon cannot be sent; use a token".into(),
            ));
        }
        format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
    } else {
        let given = args.server.token.clone();
        let token = given.map_or_else(|| secret(env, "CAMPANILE_TOKEN"), |token| Ok(Some(token)))?;
        let needed =
            "a token is needed, in CAMPANILE_TOKEN or as --token: `campanile token NAME --user LOGIN` makes one";
        format!("Bearer {}", token.ok_or_else(|| Failure::Usage(needed.into()))?.trim())
    };
    let mut header = HeaderValue::from_str(&text)
        .map_err(|_| Failure::Usage("the token holds a character that cannot be".into()))?;
    header.set_sensitive(true);
    Ok(header)
}

/// A secret out of the environment, directly or by the file that `…_FILE` names.
fn secret(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Result<Option<String>, Failure> {
    if let Some(value) = env(name) {
        return Ok(Some(value));
    }
    let Some(path) = env(&format!("{name}_FILE")) else {
        return Ok(None);
    };
    let text =
        std::fs::read_to_string(&path).map_err(|error| Failure::Usage(format!("{name}_FILE: {path}: {error}")))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

async fn post(client: &Client, path: &str, body: Vec<u8>, key: Option<&str>) -> Result<Bytes, Failure> {
    let method = Method::POST;
    client
        .call(&Call {
            method,
            path,
            body,
            key,
        })
        .await
}

fn to_bytes(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts, numbers and times always serialise")
}

fn parse<T: for<'de> Deserialize<'de>>(answer: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(answer)
        .map_err(|error| Failure::Work(format!("the server's answer is not what it should be: {error}")))
}

/// What the server answered, on a line of its own.
fn print(out: &mut dyn Write, answer: &[u8]) -> Result<(), Failure> {
    out.write_all(answer.trim_ascii_end())?;
    Ok(writeln!(out)?)
}

/// Who would get it, in a line or two.
fn described(preview: &Preview) -> String {
    let without = match preview.without_email {
        0 => String::new(),
        some => format!(", {} of them without an email address", thousands(some)),
    };
    let sample = preview.sample.iter().take(NAMED);
    let sample: Vec<_> = sample.map(|one| format!("{} ({})", one.name, one.login)).collect();
    let example = if sample.is_empty() {
        String::new()
    } else {
        format!("\nfor example {}", sample.join(", "))
    };
    printable(&format!("{}{without}{example}", counted(preview.people)))
}

/// Asks before sending.
fn ask(around: &mut Around<'_>, whom: &str) -> Result<(), Failure> {
    let Some(answers) = &mut around.answers else {
        return Ok(());
    };
    write!(around.notes, "Send to {whom}? [y/N] ")?;
    around.notes.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(Failure::Work("nothing was sent".into()))
    }
}

/// Base 64 with padding (RFC 4648, section 4), for Basic credentials.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            if place > chunk.len() {
                text.push('=');
            } else {
                text.push(char::from(SIGNS[(bits >> (18 - 6 * place) & 63) as usize]));
            }
        }
    }
    text
}
