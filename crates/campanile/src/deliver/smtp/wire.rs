//! The bytes of a mail as SMTP carries them, and of the commands before it. Pure.

use std::fmt::Write as _;

use super::reply::Extensions;

/// A mail as it follows `DATA`, with the final dot: every line break as CRLF, a dot at the beginning of a line doubled.
///
/// A lone CR or LF becomes CRLF: some servers take it for the end of a line and some do not, and between two that
/// disagree a second mail can hide in the first (CVE-2023-51764).
pub(super) fn framed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + content.len() / 32 + 8);
    let mut rest = content;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let (line, after) = end.map_or((rest, &rest[rest.len()..]), |end| {
            let skip = if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
            (&rest[..end], &rest[end + skip..])
        });
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        rest = after;
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// Whether an address can stand between `<` and `>` of a command: nothing in it ends the address or the line.
pub(super) fn is_safe(address: &str) -> bool {
    !address.contains(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>')) && address.len() <= 320
}

/// What a mail is to its envelope.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    /// Bytes of the mail as it is sent.
    pub(super) size: usize,
    /// Whether there are bytes above 127 in it.
    pub(super) eight_bit: bool,
}

impl Envelope<'_> {
    /// Whether only a relay with SMTPUTF8 can take it.
    pub(super) fn needs_utf8(&self) -> bool {
        !self.from.is_ascii() || !self.to.is_ascii()
    }

    /// `MAIL FROM`, with what the relay wants to know.
    pub(super) fn mail(&self, can: &Extensions) -> String {
        let mut line = format!("MAIL FROM:<{}>", self.from);
        if can.size.is_some() {
            write!(line, " SIZE={}", self.size).expect("a string takes everything");
        }
        if can.eight_bit && self.eight_bit {
            line.push_str(" BODY=8BITMIME");
        }
        if can.utf8 && self.needs_utf8() {
            line.push_str(" SMTPUTF8");
        }
        line.push_str("\r\n");
        line
    }

    /// `RCPT TO`.
    pub(super) fn rcpt(&self) -> String {
        format!("RCPT TO:<{}>\r\n", self.to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dots_are_doubled_and_line_breaks_are_crlf() {
        let cases: [(&[u8], &[u8]); 8] = [
            (b"", b".\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b".a\n..b\rc\n", b"..a\r\n...b\r\nc\r\n.\r\n"),
            (b"a\n.\r\nMAIL FROM:<x>", b"a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n"),
            (b"a\r\n.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"\n\r", b"\r\n\r\n.\r\n"),
            (b"\r\r\n", b"\r\n\r\n.\r\n"),
        ];
        for (content, wire) in cases {
            assert_eq!(framed(content), wire, "{}", content.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn no_content_ends_the_mail_early(content in "[a.\r\n]{0,40}") {
            let wire = framed(content.as_bytes());
            let text = std::str::from_utf8(&wire).unwrap();
            let inside = text.strip_suffix(".\r\n").unwrap();
            // No line is a dot alone, and none ends in anything but CRLF.
            let lines: Vec<&str> = inside.split("\r\n").collect();
            prop_assert!(lines.iter().all(|line| *line != "." && !line.contains(['\r', '\n'])));
            // What a receiver makes of it is what was there, but for the kind of line break.
            let received: String = lines.iter().map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
            prop_assert_eq!(received, content.replace(['\r', '\n'], ""));
        }
    }

    #[test]
    fn parameters_are_sent_to_who_knows_them() {
        let envelope = Envelope {
            from: "a@example.com",
            to: "jörg@example.com",
            size: 7,
            eight_bit: true,
        };
        assert_eq!(envelope.mail(&Extensions::default()), "MAIL FROM:<a@example.com>\r\n");
        let can = Extensions {
            size: Some(0),
            eight_bit: true,
            utf8: true,
            ..Extensions::default()
        };
        assert_eq!(
            envelope.mail(&can),
            "MAIL FROM:<a@example.com> SIZE=7 BODY=8BITMIME SMTPUTF8\r\n"
        );
        let plain = Envelope {
            to: "j@example.com",
            eight_bit: false,
            ..envelope
        };
        assert_eq!(plain.mail(&can), "MAIL FROM:<a@example.com> SIZE=7\r\n");
        assert_eq!(plain.rcpt(), "RCPT TO:<j@example.com>\r\n");
    }

    #[test]
    fn an_address_that_breaks_a_command_is_not_safe() {
        assert!(is_safe("") && is_safe("a+b@example.com") && is_safe("\"a\"@example.com"));
        for odd in ["a@b>\r\nDATA", "a b@c", "a@b>", "<a@b", "a@b\0", "a@b\u{85}"] {
            assert!(!is_safe(odd), "{odd:?}");
        }
    }
}
