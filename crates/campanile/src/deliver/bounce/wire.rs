//! The formats of a session, pure: commands, their addresses, and where a mail ends.

/// A command, its verb in upper case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// `LHLO` (RFC 2033), `EHLO`, `HELO`.
    Hello(&'static str),
    /// `MAIL FROM:<…>`: the sender, empty for `<>`, and the announced size.
    Mail {
        from: String,
        size: Option<u64>,
    },
    /// `RCPT TO:<…>`.
    Rcpt(String),
    Data,
    Reset,
    Nothing,
    Verify,
    Quit,
    /// A verb that we know, and what is wrong after it, as a reply.
    Wrong(&'static str),
    /// No verb of ours.
    Unknown,
}

/// Reads a command; without the line break.
pub(super) fn command(line: &str) -> Command {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let bare = |command| {
        if rest.trim().is_empty() {
            command
        } else {
            Command::Wrong("501 5.5.4 there is nothing to be said after this command")
        }
    };
    let hello = |name| {
        if rest.trim().is_empty() {
            Command::Wrong("501 5.5.4 say who you are")
        } else {
            Command::Hello(name)
        }
    };
    match verb.to_ascii_uppercase().as_str() {
        "LHLO" => hello("LHLO"),
        "EHLO" => hello("EHLO"),
        "HELO" => hello("HELO"),
        "MAIL" => mail(rest),
        "RCPT" => match path(rest, "TO:") {
            Some((to, "")) if !to.is_empty() => Command::Rcpt(to.to_owned()),
            _ => Command::Wrong("501 5.5.4 say RCPT TO:<address>"),
        },
        "DATA" => bare(Command::Data),
        "RSET" => bare(Command::Reset),
        "QUIT" => bare(Command::Quit),
        "NOOP" => Command::Nothing,
        "VRFY" => Command::Verify,
        _ => Command::Unknown,
    }
}

fn mail(rest: &str) -> Command {
    let Some((from, parameters)) = path(rest, "FROM:") else {
        return Command::Wrong("501 5.5.4 say MAIL FROM:<address>");
    };
    let mut size = None;
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
            ("SIZE", _) => match value.parse() {
                Ok(bytes) => size = Some(bytes),
                Err(_) => return Command::Wrong("501 5.5.4 SIZE takes a number"),
            },
            ("BODY", "7BIT" | "8BITMIME") | ("SMTPUTF8", "") => {}
            _ => return Command::Wrong("555 5.5.4 this parameter is not known here"),
        }
    }
    Command::Mail {
        from: from.to_owned(),
        size,
    }
}

/// The address between `<` and `>` after a word, without a source route, and what stands behind it.
fn path<'a>(rest: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let (own, rest) = rest.split_at_checked(word.len())?;
    let (address, behind) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    let is_parted = behind.is_empty() || behind.starts_with(' ');
    // Source routes are to be ignored (RFC 5321, appendix C).
    let address = match address.strip_prefix('@') {
        Some(route) => route.split_once(':')?.1,
        None => address,
    };
    let is_clean = !address.contains(|c: char| c.is_control() || c == '<');
    (own.eq_ignore_ascii_case(word) && is_parted && is_clean).then_some((address, behind.trim()))
}

/// Finds the end of a mail, CRLF `.` CRLF and nothing else, and undoes the doubled dots. A line feed or carriage return
/// that stands alone is no line break: who takes it for one can be made to see a second mail in this one.
#[derive(Debug, Default)]
pub(super) struct Content {
    at: At,
    /// The beginning of the mail, as much as is kept.
    pub(super) kept: Vec<u8>,
    /// Bytes of the whole.
    pub(super) size: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    #[default]
    Start,
    Inside,
    Return,
    Dot,
    DotReturn,
}

impl Content {
    /// Takes bytes, and keeps no more than `most` of all. How many of them belong to the mail, once it is whole.
    pub(super) fn take(&mut self, bytes: &[u8], most: usize) -> Option<usize> {
        for (index, byte) in bytes.iter().enumerate() {
            self.at = match (self.at, byte) {
                (At::Start, b'.') => At::Dot,
                (At::Dot, b'\r') => At::DotReturn,
                (At::DotReturn, b'\n') => return Some(index + 1),
                (At::DotReturn, _) => {
                    self.keep(b'\r', most);
                    self.inside(*byte, most)
                }
                (At::Return, b'\n') => {
                    self.keep(b'\n', most);
                    At::Start
                }
                _ => self.inside(*byte, most),
            };
        }
        None
    }

    fn inside(&mut self, byte: u8, most: usize) -> At {
        self.keep(byte, most);
        if byte == b'\r' { At::Return } else { At::Inside }
    }

    fn keep(&mut self, byte: u8, most: usize) {
        self.size += 1;
        if self.kept.len() < most {
            self.kept.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_read_strictly() {
        let from = |text: &str, size| Command::Mail {
            from: text.into(),
            size,
        };
        assert_eq!(command("mail from:<>"), from("", None));
        assert_eq!(
            command("MAIL FROM:<a@b> SIZE=12 BODY=8BITMIME SMTPUTF8"),
            from("a@b", Some(12))
        );
        assert_eq!(
            command("RCPT TO: <@relay.example,@b:u+1@c>"),
            Command::Rcpt("u+1@c".into())
        );
        assert_eq!(command("Quit"), Command::Quit);
        assert_eq!(command("EHLO mx.example.com"), Command::Hello("EHLO"));
        for wrong in [
            "MAIL FROM:a@b",
            "MAIL FROM:<a@b",
            "MAIL FROM:<a@b>SIZE=1",
            "MAIL FROM:<> RET=HDRS",
            "MAIL FROM:<> SIZE=x",
            "RCPT TO:<>",
            "RCPT TO:<a@b> NOTIFY=NEVER",
            "RCPT TÖ:<a@b>",
            "DATA now",
            "EHLO",
        ] {
            assert!(matches!(command(wrong), Command::Wrong(_)), "{wrong}");
        }
        assert_eq!(command("EXPN staff"), Command::Unknown);
    }

    /// What is kept of a mail, and how much of the bytes it took; fed at once and byte by byte.
    fn read(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
        let mut whole = Content::default();
        let end = whole.take(bytes, 1_000);
        let mut pieces = Content::default();
        let at = bytes
            .iter()
            .position(|byte| pieces.take(&[*byte], 1_000).is_some())
            .map(|at| at + 1);
        assert_eq!((end, &whole.kept), (at, &pieces.kept));
        end.map(|end| (whole.kept, end))
    }

    #[test]
    fn a_mail_ends_at_one_place_only() {
        assert_eq!(read(b".\r\n"), Some((b"".to_vec(), 3)));
        assert_eq!(read(b"a\r\n.\r\nQUIT"), Some((b"a\r\n".to_vec(), 6)));
        assert_eq!(read(b"..a\r\n.b\r\n.\r\n"), Some((b".a\r\nb\r\n".to_vec(), 12)));
        for smuggled in [
            &b"a\n.\n"[..],
            b"a\n.\r\n",
            b"a\r\n.\n",
            b"a\r.\r",
            b"a\r\n.\r",
            b"a\r.\r\n",
            b"a\r\n\r.\r\n",
            b"a\r\n.\r\r\n",
        ] {
            assert_eq!(read(smuggled), None, "{}", smuggled.escape_ascii());
        }
    }

    #[test]
    fn a_long_mail_is_counted_and_not_kept() {
        let mut content = Content::default();
        assert_eq!(content.take(&[b'a'; 10_000], 100), None);
        assert_eq!((content.kept.len(), content.size), (100, 10_000));
    }

    proptest! {
        #[test]
        fn what_follows_a_command_is_an_address_or_refused(
            verb in "(?i)(mail from:|rcpt to:|mail|ehlo|data|x)", rest in any::<String>(),
        ) {
            for line in [format!("{verb}{rest}"), format!("{verb} <{rest}>"), format!("{verb}<{rest}> SIZE=1")] {
                let (Command::Rcpt(address) | Command::Mail { from: address, .. }) = command(&line) else {
                    continue;
                };
                prop_assert!(!address.contains(|c: char| c.is_control() || c == '<' || c == '>'), "{line:?}");
            }
        }

        #[test]
        fn a_mail_ends_at_the_same_byte_however_it_comes_in_pieces(
            bytes in "[.a\r\n]{0,30}(\r\n\\.\r\n)?", cut in 0_usize..40, most in 0_usize..20,
        ) {
            let bytes = bytes.as_bytes();
            let mut whole = Content::default();
            let end = whole.take(bytes, most);
            let (first, rest) = bytes.split_at(cut.min(bytes.len()));
            let mut pieces = Content::default();
            let end_in_pieces = match pieces.take(first, most) {
                Some(end) => Some(end),
                None => pieces.take(rest, most).map(|end| first.len() + end),
            };
            prop_assert_eq!(end, end_in_pieces);
            prop_assert_eq!((&whole.kept, whole.size), (&pieces.kept, pieces.size));
            prop_assert!(whole.kept.len() <= most);
        }
    }
}
