//! What a relay says: replies with their codes (RFC 5321, section 4.2; RFC 3463) and its extensions (EHLO).

/// A reply, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// 220 to 599.
    pub(super) code: u16,
    /// The enhanced code (`5.1.1`), if it says one of the same class.
    pub(super) enhanced: Option<(u8, u16, u16)>,
    /// The text of all lines, without codes, separated by line breaks.
    pub(super) text: String,
}

/// Bytes of the longest reply that is read. RFC 5321 asks for 512 a line; some say much more.
pub(super) const REPLY_BYTES: usize = 64 * 1024;

/// What is at the beginning of the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A reply of that many bytes.
    Whole(Reply, usize),
    /// The beginning of one.
    More,
    /// No SMTP.
    Nonsense,
}

/// Reads one reply. Every line of it has the same code; the last one has a space after it, or nothing.
pub(super) fn read(bytes: &[u8]) -> Read {
    let mut at = 0;
    let mut text = String::new();
    let mut code = None;
    while let Some(end) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[at..at + end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at += end + 1;
        let Some((digits, rest)) = line.split_at_checked(3) else {
            return Read::Nonsense;
        };
        let Some(own) = number(digits).filter(|own| (200..600).contains(own)) else {
            return Read::Nonsense;
        };
        if *code.get_or_insert(own) != own {
            return Read::Nonsense;
        }
        let (is_last, said) = match rest.split_first() {
            None => (true, rest),
            Some((b' ', said)) => (true, said),
            Some((b'-', said)) => (false, said),
            Some(_) => return Read::Nonsense,
        };
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&String::from_utf8_lossy(said));
        if is_last {
            let enhanced = enhanced(own, &text);
            return Read::Whole(
                Reply {
                    code: own,
                    enhanced,
                    text,
                },
                at,
            );
        }
    }
    if bytes.len() > REPLY_BYTES {
        Read::Nonsense
    } else {
        Read::More
    }
}

fn number(digits: &[u8]) -> Option<u16> {
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}

/// `5.1.1` at the beginning of a text, if its class is that of the code.
fn enhanced(code: u16, text: &str) -> Option<(u8, u16, u16)> {
    let word = text.split([' ', '\n']).next()?;
    let mut parts = word.split('.');
    let class: u8 = parts.next()?.parse().ok()?;
    let subject = parts.next()?.parse().ok()?;
    let detail = parts.next()?.parse().ok()?;
    (parts.next().is_none() && u16::from(class) == code / 100).then_some((class, subject, detail))
}

impl Reply {
    /// Whether it is a yes.
    pub(super) const fn is_good(&self) -> bool {
        self.code < 300
    }

    /// Whether it may be otherwise later.
    pub(super) const fn is_temporary(&self) -> bool {
        self.code / 100 == 4
    }

    /// Whether the relay says goodbye with it.
    pub(super) const fn is_goodbye(&self) -> bool {
        self.code == 421
    }

    /// For people: code and text in one line without control characters, cut at a length.
    pub(super) fn said(&self) -> String {
        const LONGEST: usize = 400;
        let line = self.text.replace(|c: char| c.is_control(), " ");
        let mut said = format!("{} {}", self.code, line.trim());
        if let Some((at, _)) = said.char_indices().nth(LONGEST) {
            said.truncate(at);
            said.push('…');
        }
        said
    }

    /// The name that the relay gave the mail, where it says one in a known way (Postfix, Exim and others).
    pub(super) fn queue_id(&self) -> Option<String> {
        let after = |mark: &str| self.text.split_once(mark).map(|(_, rest)| rest);
        let rest = after("queued as ").or_else(|| after("id="))?;
        let id: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_.@".contains(*c))
            .take(100)
            .collect();
        let id = id.trim_end_matches('.');
        (!id.is_empty()).then(|| id.to_owned())
    }
}

/// What a relay can do, by its answer to `EHLO`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is there or is not, by itself")]
pub(super) struct Extensions {
    /// Commands may be sent without waiting for each reply (RFC 2920).
    pub(super) pipelining: bool,
    /// It takes bytes above 127 in the mail (RFC 6152).
    pub(super) eight_bit: bool,
    /// It takes addresses that are not ASCII (RFC 6531).
    pub(super) utf8: bool,
    /// It begins TLS when asked (RFC 3207).
    pub(super) starttls: bool,
    /// It wants to know the size beforehand (RFC 1870), and takes at most this many bytes; 0 is no limit.
    pub(super) size: Option<u64>,
    /// Of the ways to log in (RFC 4954) those we know.
    pub(super) plain: bool,
    /// The same.
    pub(super) login: bool,
}

impl Extensions {
    /// Reads the answer to `EHLO`: its first line is a greeting, each other one an extension.
    pub(super) fn of(reply: &Reply) -> Self {
        let mut all = Self::default();
        for line in reply.text.split('\n').skip(1) {
            let line = line.to_ascii_uppercase();
            // Old servers wrote AUTH=LOGIN.
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some("PIPELINING") => all.pipelining = true,
                Some("8BITMIME") => all.eight_bit = true,
                Some("SMTPUTF8") => all.utf8 = true,
                Some("STARTTLS") => all.starttls = true,
                Some("SIZE") => all.size = Some(words.next().and_then(|size| size.parse().ok()).unwrap_or(0)),
                Some("AUTH") => {
                    for way in words {
                        all.plain |= way == "PLAIN";
                        all.login |= way == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &str) -> Reply {
        match read(text.as_bytes()) {
            Read::Whole(reply, length) if length == text.len() => reply,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn replies_have_one_line_or_several() {
        let reply = whole("550-5.1.1 no such\r\n550 5.1.1 user\r\n");
        assert_eq!((reply.code, reply.enhanced), (550, Some((5, 1, 1))));
        assert_eq!(reply.said(), "550 5.1.1 no such 5.1.1 user");
        assert_eq!(whole("250\r\n").code, 250);
        assert_eq!(whole("250 ok\n").text, "ok");
        assert_eq!(whole("250 5.1.1 of another class\r\n").enhanced, None);
    }

    #[test]
    fn replies_that_follow_one_another_are_read_one_by_one() {
        let Read::Whole(first, length) = read(b"250 a\r\n550 b\r\n354 c") else {
            panic!()
        };
        assert_eq!((first.text.as_str(), length), ("a", 7));
        assert_eq!(read(b"354 c"), Read::More);
        assert_eq!(read(b"250-a\r\n"), Read::More);
    }

    #[test]
    fn what_is_no_smtp_is_told_apart() {
        for wrong in [
            "HTTP/1.1 400 Bad Request\r\n",
            "25\r\n",
            "250-a\r\n550 b\r\n",
            "250xa\r\n",
            "999 a\r\n",
            "١٢٣ a\r\n",
        ] {
            assert_eq!(read(wrong.as_bytes()), Read::Nonsense, "{wrong}");
        }
        assert_eq!(read(&vec![b'2'; REPLY_BYTES + 1]), Read::Nonsense);
    }

    #[test]
    fn extensions_are_read_in_any_case() {
        let reply = whole(
            "250-mx.example.com says size 7\r\n250-Pipelining\r\n250-SIZE 10240000\r\n250-8bitmime\r\n\
             250-AUTH=LOGIN\r\n250-AUTH CRAM-MD5 plain\r\n250-STARTTLS\r\n250 SMTPUTF8\r\n",
        );
        let all = Extensions {
            pipelining: true,
            eight_bit: true,
            utf8: true,
            starttls: true,
            size: Some(10_240_000),
            plain: true,
            login: true,
        };
        assert_eq!(Extensions::of(&reply), all);
        assert_eq!(Extensions::of(&whole("250 PIPELINING\r\n")), Extensions::default());
    }

    #[test]
    fn the_relays_name_of_a_mail_is_found() {
        let id = |text: &str| whole(text).queue_id();
        assert_eq!(id("250 2.0.0 Ok: queued as 4XyZ12\r\n").as_deref(), Some("4XyZ12"));
        assert_eq!(id("250 OK id=1sAbCd-000-2f\r\n").as_deref(), Some("1sAbCd-000-2f"));
        assert_eq!(id("250 2.0.0 Ok\r\n"), None);
    }

    #[test]
    fn what_is_shown_of_a_reply_is_one_short_line() {
        let reply = whole(&format!("550 a\u{1b}[2J\tb{}\r\n", "x".repeat(1_000)));
        assert!(reply.said().starts_with("550 a [2J b") && reply.said().chars().count() == 401);
    }

    /// Bytes of a relay: lines of replies, broken ones, and anything.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let line = "[2-6]?[0-9]{1,3}[ -]?[a-zA-Z0-9.<>@ =\u{e4}]{0,12}\r?\n?".prop_map(String::into_bytes);
        let piece = prop_oneof![6 => line, 1 => proptest::collection::vec(any::<u8>(), 0..20)];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_reply_is_the_same_however_it_comes_in_pieces(bytes in bytes()) {
            let whole = read(&bytes);
            for end in 0..bytes.len() {
                match (read(&bytes[..end]), &whole) {
                    (Read::More, _) => {}
                    (part, whole) => prop_assert_eq!(&part, whole),
                }
            }
            if let Read::Whole(reply, took) = whole {
                prop_assert!(took <= bytes.len() && bytes[took - 1] == b'\n');
                prop_assert!((200..600).contains(&reply.code));
                prop_assert!(!reply.said().contains(|c: char| c.is_control()) && reply.said().chars().count() <= 401);
            }
        }
    }
}
