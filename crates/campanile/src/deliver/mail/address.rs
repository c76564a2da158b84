//! Addresses: what is configured, and what can be reached.

/// An address with a name, as `mail_from` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name; may be empty.
    pub name: String,
    /// The address, its domain in ASCII.
    pub address: String,
}

impl Mailbox {
    /// Reads `Name <address>`, `"Name" <address>` or `address`.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "must be an address, or Name <address>, such as Bell <bell@example.com>".to_owned();
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"'), address),
            None => ("", text),
        };
        if name.contains(|c: char| c.is_control() || "<>\"\\".contains(c)) {
            return Err(wrong());
        }
        let address = routable(address.trim()).map_err(|_| wrong())?;
        // Every relay must take mail from us, and DKIM names this domain.
        if !address.is_ascii() {
            return Err("must have no letters beyond ASCII before the @".into());
        }
        Ok(Self {
            name: name.to_owned(),
            address,
        })
    }

    /// What stands behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// The address as SMTP and headers can have it: its domain in ASCII (RFC 5890). Before the `@` it stays as it is; what
/// is not ASCII there needs a relay that takes such (RFC 6531).
///
/// # Errors
/// Why no mail can be sent there, for people.
pub fn routable(address: &str) -> Result<String, String> {
    let (local, domain) = address.rsplit_once('@').ok_or("the address has no @")?;
    let odd = |c: char| c.is_control() || c.is_whitespace() || "<>()[]\\,;:\"@".contains(c);
    if local.is_empty() || local.len() > 64 || local.contains(odd) {
        return Err("the address has characters before the @ that no mail system takes".into());
    }
    let ascii = idna::domain_to_ascii(domain).map_err(|_| "the domain of the address is none")?;
    let is_label = |label: &str| {
        let fits = (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
        fits && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if ascii.len() > 253 || !ascii.split('.').all(is_label) {
        return Err("the domain of the address is none".into());
    }
    Ok(format!("{local}@{ascii}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_has_a_name_or_none() {
        let read = |text: &str| Mailbox::parse(text).map(|one| (one.name, one.address)).unwrap();
        let (name, address) = ("Die Glocke".to_owned(), "bell@example.com".to_owned());
        assert_eq!(read("Die Glocke <bell@example.com>"), (name.clone(), address.clone()));
        assert_eq!(read("\"Die Glocke\" <bell@example.com>"), (name, address.clone()));
        assert_eq!(read(" bell@example.com "), (String::new(), address.clone()));
        assert_eq!(read("<bell@bücher.example>").1, "bell@xn--bcher-kva.example");
        for wrong in [
            "",
            "bell",
            "a\r\nBcc: b <a@b.example>",
            "<a@b.example> c",
            "a@b@c.example",
            "jörg@b.example",
        ] {
            assert!(Mailbox::parse(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(Mailbox::parse("a@b.example").unwrap().domain(), "b.example");
    }

    #[test]
    fn domains_become_ascii_and_what_is_before_stays() {
        assert_eq!(
            routable("Ann.O'Neil+x@Example.COM").unwrap(),
            "Ann.O'Neil+x@example.com"
        );
        assert_eq!(routable("jörg@müller.example").unwrap(), "jörg@xn--mller-kva.example");
        for wrong in [
            "",
            "a",
            "@b.example",
            "a@",
            "a@b..c",
            "a b@c.example",
            "a@b c",
            "a@-b.example",
            "a\r\n@b.example",
        ] {
            assert!(routable(wrong).is_err(), "{wrong:?}");
        }
        assert!(routable("a@b.example\r\nDATA").is_err());
    }
}
