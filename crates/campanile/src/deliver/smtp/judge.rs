//! What a refusal means: for this address, for this mail, or for everything that goes to this relay. Pure.
//!
//! A 5xx to `RCPT` is about the address; the codes of mox and of the field decide whether it shall be left alone from
//! now on. A refusal of the greeting, `AUTH` or `MAIL` has nothing to do with who gets the mail: it burns nobody's
//! attempt.

use super::reply::Reply;

/// What is to become of a mail that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This recipient later; `slow` if the relay wants to be asked less often.
    Retry { slow: bool },
    /// Never; `suppress` if the address is at fault.
    Dead { suppress: bool },
    /// The relay has trouble, or trouble with us.
    Relay,
}

/// A refusal of `MAIL`. Only "too big" is about this mail.
pub(super) fn mail(reply: &Reply) -> Verdict {
    if is_too_big(reply) {
        Verdict::Dead { suppress: false }
    } else {
        Verdict::Relay
    }
}

/// A refusal of `RCPT`.
pub(super) fn rcpt(reply: &Reply) -> Verdict {
    if reply.is_goodbye() {
        return Verdict::Relay;
    }
    // 552 once meant "too many recipients", and means "mailbox full" (RFC 5321, section 4.5.3.1.10).
    if reply.is_temporary() || reply.code == 552 && !is_too_big(reply) {
        return Verdict::Retry { slow: is_slow(reply) };
    }
    Verdict::Dead {
        suppress: is_of_address(reply, true),
    }
}

/// A refusal of `DATA`, or of the mail behind it. A basic code alone is about the text there, not about the address.
pub(super) fn content(reply: &Reply) -> Verdict {
    if reply.is_goodbye() {
        return Verdict::Relay;
    }
    if reply.is_temporary() {
        return Verdict::Retry { slow: is_slow(reply) };
    }
    Verdict::Dead {
        suppress: is_of_address(reply, false),
    }
}

fn is_too_big(reply: &Reply) -> bool {
    matches!(reply.enhanced, Some((5, 3, 4) | (5, 2, 3))) || reply.code == 552 && reply.enhanced.is_none()
}

/// 4.7.x and 4.4.x: the relay, or its policy, has had enough of us for now (decision 36).
const fn is_slow(reply: &Reply) -> bool {
    matches!(reply.enhanced, Some((4, 4 | 7, _)))
}

/// Whether the address does not exist or never will take mail. An enhanced code decides where it says anything; 5.7.x
/// is policy, often about the sender, and says nothing of the address.
const fn is_of_address(reply: &Reply, by_basic_code: bool) -> bool {
    match reply.enhanced {
        None | Some((5, 0, 0)) => by_basic_code && matches!(reply.code, 521 | 550 | 551 | 553 | 556),
        Some(enhanced) => is_bad_address(enhanced),
    }
}

/// Whether an enhanced code (RFC 3463) says that an address does not exist or never will take mail.
pub(in crate::deliver) const fn is_bad_address(enhanced: (u8, u16, u16)) -> bool {
    matches!(enhanced, (5, 1, 1 | 2 | 3 | 6 | 10) | (5, 2, 1))
}

#[cfg(test)]
mod tests {
    use super::super::reply::{Read, read};
    use super::*;

    fn reply(text: &str) -> Reply {
        match read(format!("{text}\r\n").as_bytes()) {
            Read::Whole(reply, _) => reply,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refused_recipient_is_dead_and_suppressed_by_code() {
        for (text, suppress) in [
            ("550 5.1.1 no such user", true),
            ("550 no such user", true),
            ("550 5.0.0 no", true),
            ("553 5.1.3 bad syntax", true),
            ("556 5.1.10 null MX", true),
            ("550 5.2.1 disabled", true),
            ("550 5.7.1 policy", false),
            ("554 5.7.1 relay access denied", false),
            ("554 no", false),
            ("550 5.4.1 no route", false),
            ("501 5.5.4 syntax", false),
            ("552 5.3.4 too big", false),
        ] {
            assert_eq!(rcpt(&reply(text)), Verdict::Dead { suppress }, "{text}");
        }
    }

    #[test]
    fn a_recipient_may_be_taken_later_and_policy_slows() {
        for (text, slow) in [
            ("450 4.2.0 greylisted", false),
            ("451 4.7.1 try later", true),
            ("452 4.2.2 full", false),
            ("451 4.4.2 timeout", true),
            ("450 later", false),
            ("552 5.2.2 mailbox full", false),
        ] {
            assert_eq!(rcpt(&reply(text)), Verdict::Retry { slow }, "{text}");
        }
    }

    #[test]
    fn what_is_not_about_the_recipient_burns_nobody() {
        for text in ["421 4.3.2 shutting down", "421 too many connections"] {
            assert_eq!(rcpt(&reply(text)), Verdict::Relay, "{text}");
            assert_eq!(content(&reply(text)), Verdict::Relay, "{text}");
        }
        for text in [
            "550 5.7.1 sender refused",
            "530 5.7.0 log in first",
            "451 4.3.0 queue full",
            "421 bye",
        ] {
            assert_eq!(mail(&reply(text)), Verdict::Relay, "{text}");
        }
        assert_eq!(mail(&reply("552 5.3.4 too big")), Verdict::Dead { suppress: false });
    }

    #[test]
    fn a_refused_text_says_nothing_of_the_address() {
        assert_eq!(
            content(&reply("550 looks like spam")),
            Verdict::Dead { suppress: false }
        );
        assert_eq!(content(&reply("554 5.7.1 spam")), Verdict::Dead { suppress: false });
        assert_eq!(
            content(&reply("550 5.1.1 unknown after all")),
            Verdict::Dead { suppress: true }
        );
        assert_eq!(content(&reply("451 4.3.0 later")), Verdict::Retry { slow: false });
    }
}
