//! What a mail that came in says: a delivery report (RFC 3464), a complaint (RFC 5965), or neither. Pure.
//!
//! mail-parser takes the mail apart; the fields inside the two kinds of report are read here. Nothing is guessed from
//! the text that is for people: what is in no report may be anybody's automatic answer, which comes in the same way.

use mail_parser::{Message, MessageParser, MimeHeaders as _};

use crate::deliver::smtp::is_bad_address;

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The mail that it is about was given up, or is late.
    Delivery(Delivery),
    /// A reader says that a mail was not wanted.
    Complaint(Complaint),
    /// Neither; whether it calls itself an automatic answer (RFC 3834).
    Nothing { is_answer: bool },
}

/// A delivery report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    /// Given up, else late.
    pub(super) is_failed: bool,
    /// The code of the refusal.
    pub(super) code: Option<i64>,
    /// Why, in plain words and those of the mail system.
    pub(super) reason: String,
    /// Whether the address is at fault.
    pub(super) bad_address: bool,
    /// The addresses that it is about, in lower case.
    pub(super) about: Vec<String>,
}

/// A complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// In words.
    pub(super) reason: String,
    /// Addresses and ids of the mail that it is about, by which we may know it.
    pub(super) marks: Vec<String>,
}

/// More headers of this name have no report; each nests what is in it one deeper.
const CONTENT_TYPES: usize = 100;
/// Characters of a mail system's words that are kept.
const WORDS: usize = 300;

/// Reads a mail; its end may be missing.
pub(super) fn read(mail: &[u8]) -> Said {
    let nothing = Said::Nothing { is_answer: false };
    let deep = mail
        .windows(12)
        .filter(|word| word.eq_ignore_ascii_case(b"content-type"))
        .count();
    if deep > CONTENT_TYPES {
        return nothing;
    }
    let parser = MessageParser::new().with_mime_headers();
    let Some(mail) = parser.parse(mail) else {
        return nothing;
    };
    let of_kind = |wanted: &[&str]| {
        mail.parts.iter().position(|part| {
            let kind = part
                .content_type()
                .filter(|kind| kind.ctype().eq_ignore_ascii_case("message"));
            let kind = kind.and_then(|kind| kind.subtype());
            kind.is_some_and(|kind| wanted.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted)))
        })
    };
    let status = of_kind(&["delivery-status", "global-delivery-status"]);
    if let Some(delivery) = status.and_then(|at| delivery(mail.parts[at].contents())) {
        return Said::Delivery(delivery);
    }
    if let Some(complaint) = of_kind(&["feedback-report"]).and_then(|at| complaint(&mail, at)) {
        return Said::Complaint(complaint);
    }
    let answers = mail.header_raw("Auto-Submitted").unwrap_or_default().trim();
    let is_answer = answers.to_ascii_lowercase().starts_with("auto-replied");
    Said::Nothing { is_answer }
}

/// A block of fields, as in the head of a mail.
type Fields = Vec<(String, String)>;

/// The blocks of fields of a report, separated by empty lines.
fn blocks(bytes: &[u8]) -> Vec<Fields> {
    let text = String::from_utf8_lossy(bytes);
    let mut blocks = vec![Fields::new()];
    for line in text.lines() {
        let block = blocks.last_mut().expect("there is a first one, and none is taken away");
        if line.trim().is_empty() {
            if !block.is_empty() {
                blocks.push(Fields::new());
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = block.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            block.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

fn field<'a>(block: &'a Fields, name: &str) -> &'a str {
    let found = block.iter().find(|(own, _)| own == name);
    found.map_or("", |(_, value)| value.as_str())
}

/// What stands behind the type of a field: `rfc822; ann@example.org`, `smtp; 550 …`.
fn typed(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, rest)| rest).trim()
}

fn address(value: &str) -> Option<String> {
    let address = typed(value).trim_matches(['<', '>']).to_lowercase();
    address.contains('@').then_some(address)
}

fn delivery(bytes: &[u8]) -> Option<Delivery> {
    let blocks = blocks(bytes);
    // The first block is about the mail, and has none of these.
    let recipients: Vec<&Fields> = blocks
        .iter()
        .filter(|block| !field(block, "final-recipient").is_empty() || !field(block, "action").is_empty())
        .collect();
    let action = |block: &Fields| -> String {
        let word = field(block, "action").split([' ', '(']).next().unwrap_or_default();
        match (word.to_ascii_lowercase(), field(block, "status").chars().next()) {
            (word, Some('5')) if word.is_empty() => "failed".into(),
            (word, Some('4')) if word.is_empty() => "delayed".into(),
            (word, _) => word,
        }
    };
    let of = |wanted: &str| recipients.iter().find(|block| action(block) == wanted);
    let (block, is_failed) = of("failed")
        .map(|block| (*block, true))
        .or_else(|| of("delayed").map(|block| (*block, false)))?;
    let words = typed(field(block, "diagnostic-code"));
    let (code, said) = reply(words);
    let status = enhanced(field(block, "status"));
    // Exim writes 5.0.0 whatever it was told.
    let status = match (status, said) {
        (None | Some((_, 0, 0)), Some(said)) => Some(said),
        (status, _) => status,
    };
    let reason = reason(is_failed, status, words);
    let about = ["final-recipient", "original-recipient"];
    Some(Delivery {
        is_failed,
        code,
        reason,
        bad_address: is_failed && status.is_some_and(is_bad_address),
        about: about.iter().filter_map(|name| address(field(block, name))).collect(),
    })
}

/// The code at the beginning of a reply, and its enhanced code.
fn reply(words: &str) -> (Option<i64>, Option<(u8, u16, u16)>) {
    let code = words.get(..3).and_then(|code| code.parse::<i64>().ok());
    let Some(code) = code.filter(|code| (400..600).contains(code)) else {
        return (None, None);
    };
    let said = enhanced(words[3..].trim_start_matches(['-', ' ', '#']));
    (Some(code), said.filter(|(class, ..)| i64::from(*class) == code / 100))
}

/// `5.1.1` at the beginning of a text (RFC 3463).
fn enhanced(text: &str) -> Option<(u8, u16, u16)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let mut numbers = text[..end].trim_end_matches('.').split('.');
    let class: u8 = numbers.next()?.parse().ok()?;
    let (subject, detail) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    (numbers.next().is_none() && matches!(class, 2 | 4 | 5)).then_some((class, subject, detail))
}

/// For people: what happened, and what the mail system said.
fn reason(is_failed: bool, status: Option<(u8, u16, u16)>, words: &str) -> String {
    let words = one_line(words);
    let said = match status {
        _ if !words.is_empty() => words,
        Some((class, subject, detail)) => format!("{class}.{subject}.{detail}"),
        None => "no reason was given".into(),
    };
    if !is_failed {
        return format!("it is late; the mail system of the address is still trying: {said}");
    }
    let cause = match status.map(|(_, subject, detail)| (subject, detail)) {
        Some((1, 2)) => "the domain of the address takes no mail",
        Some((1, 6)) => "the mailbox has moved",
        Some((1, 3)) => "the address is not well-formed",
        Some((1, 1 | 10)) => "the address does not exist",
        Some((2, 1)) => "the mailbox is switched off",
        Some((2, 2)) => "the mailbox is full",
        Some((2, 3) | (3, 4)) => "the mail is too big for the mailbox",
        Some((4, _)) => "the mail system of the address could not be reached",
        Some((7, _)) => "the mail system of the address refuses it by its rules",
        _ => "it could not be delivered",
    };
    format!("it came back, {cause}: {said}")
}

/// Without what is not to be shown, in one line, cut at a length.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(WORDS).collect()
}

fn complaint(mail: &Message<'_>, at: usize) -> Option<Complaint> {
    let fields: Fields = blocks(mail.parts[at].contents()).concat();
    let kind = field(&fields, "feedback-type").to_ascii_lowercase();
    // `not-spam` takes one back, `auth-failure` (RFC 6591) is about signatures, `virus` about neither.
    let kind = match kind.as_str() {
        "abuse" | "fraud" | "opt-out" | "opt-out-list" | "miscategorized" | "complaint" => kind,
        _ => return None,
    };
    let mut marks = vec![field(&fields, "original-mail-from").to_owned()];
    // The mail itself, or its head, stands behind.
    for part in &mail.parts[at + 1..] {
        let head = blocks(part.contents()).into_iter().next().unwrap_or_default();
        for name in ["return-path", "message-id", "x-original-message-id"] {
            marks.push(field(&head, name).to_owned());
        }
    }
    let bare = |mark: &String| mark.trim_matches(['<', '>', ' ']).to_owned();
    let marks = marks.iter().map(bare).filter(|mark| mark.contains('@')).collect();
    let who = one_line(field(&fields, "user-agent"));
    let by = if who.is_empty() {
        String::new()
    } else {
        format!(" ({who})")
    };
    Some(Complaint {
        reason: format!("its reader told the mail provider that a mail was not wanted: {kind}{by}"),
        marks,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_nested_without_end_is_no_report() {
        let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(7_000);
        assert_eq!(read(nested.as_bytes()), Said::Nothing { is_answer: false });
        let digests = (0..90).fold(String::new(), |mail, at| {
            format!("{mail}Content-Type: multipart/digest; boundary=b{at}\r\n\r\n--b{at}\r\n\r\n")
        });
        assert_eq!(read(digests.as_bytes()), Said::Nothing { is_answer: false });
    }

    #[test]
    fn enhanced_codes_are_found_in_what_servers_write() {
        for (words, code, status) in [
            ("550 5.1.1 <a@b>: no such user", Some(550), Some((5, 1, 1))),
            ("550-5.1.1 The account that you tried", Some(550), Some((5, 1, 1))),
            ("550 #5.1.0 Address rejected.", Some(550), Some((5, 1, 0))),
            ("550 5.1.10 RESOLVER.ADR.NotFound", Some(550), Some((5, 1, 10))),
            ("550 no such user", Some(550), None),
            ("451 5.1.1 odd", Some(451), None),
            ("unknown user: \"ann\"", None, None),
            ("550", Some(550), None),
            ("", None, None),
        ] {
            assert_eq!(reply(words), (code, status), "{words}");
        }
    }

    /// Mails that are something like reports, with fields as others write them, and anything between.
    fn mail() -> impl Strategy<Value = Vec<u8>> {
        let field = prop_oneof![
            Just("Final-Recipient: rfc822; "),
            Just("Original-Recipient: "),
            Just("Action: failed"),
            Just("Action: "),
            Just("Status: 5.1.1"),
            Just("Status: "),
            Just("Diagnostic-Code: smtp; 550 "),
            Just("Feedback-Type: abuse"),
            Just("Original-Mail-From: "),
            Just("Content-Type: message/delivery-status\r\n"),
            Just("\r\n"),
            Just("\r\n--b\r\n"),
            Just("--b--\r\n"),
        ];
        let junk = proptest::collection::vec(any::<u8>(), 0..30);
        let piece = (field, junk, any::<bool>()).prop_map(|(field, junk, ends)| {
            let end: &[u8] = if ends { b"\r\n" } else { b"" };
            [field.as_bytes(), &junk, end].concat()
        });
        let kind = prop_oneof![
            Just("delivery-status"),
            Just("feedback-report"),
            Just("global-delivery-status")
        ];
        (kind, proptest::collection::vec(piece, 0..12)).prop_map(|(kind, pieces)| {
            let head = format!(
                "From: a@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\
                 Content-Type: message/{kind}\r\n\r\n"
            );
            [head.into_bytes(), pieces.concat()].concat()
        })
    }

    proptest! {
        #[test]
        fn what_a_report_says_is_short_and_on_one_line(mail in mail()) {
            let reason = match read(&mail) {
                Said::Delivery(said) => said.reason,
                Said::Complaint(said) => said.reason,
                Said::Nothing { .. } => String::new(),
            };
            prop_assert!(!reason.contains(|c: char| c.is_control()), "{reason:?}");
            prop_assert!(reason.chars().count() <= WORDS + 100, "{reason:?}");
        }

        #[test]
        fn anything_that_comes_as_a_mail_can_be_read(mail in proptest::collection::vec(any::<u8>(), 0..400)) {
            let said = read(&mail);
            prop_assert!(matches!(said, Said::Nothing { .. }), "{said:?}");
        }
    }
}
