//! How a mail looks: as HTML and as text, from the same words.

use askama::Template;
use campanile_core::markup;
use campanile_core::message::Importance;

use super::words::Words;
use super::{Letter, Stationery};

/// The name under which a logo that travels with the mail is called by its page (RFC 2392).
pub(super) const LOGO_ID: &str = "logo@campanile";

/// What a deployment can make its own, without touching code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// The name of the product.
    pub name: String,
    /// The picture at the top; without one the name stands there.
    pub logo: Option<Logo>,
    /// Links and the button, on a light ground.
    pub colour: Colour,
    /// The same on a dark ground.
    pub colour_dark: Colour,
    /// The last lines: who writes, and where they can be reached. May be empty.
    pub footer: String,
}

impl Default for Brand {
    /// The console's look.
    fn default() -> Self {
        Self {
            name: "Campanile".into(),
            logo: None,
            colour: Colour([0x8a, 0x5a, 0x00]),
            colour_dark: Colour([0xe0, 0xb0, 0x4c]),
            footer: String::new(),
        }
    }
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logo {
    /// At an `https` address; many programs show it only when asked.
    Link(String),
    /// Sent along with each mail.
    File {
        /// The file.
        bytes: Vec<u8>,
        /// `image/png`, `image/jpeg` or `image/gif`.
        kind: &'static str,
    },
}

impl Logo {
    /// The picture in these bytes.
    ///
    /// # Errors
    /// What would be right.
    pub fn of_bytes(bytes: Vec<u8>) -> Result<Self, String> {
        const MOST: usize = 64 * 1024;
        let kinds: [(&[u8], &str); 3] = [
            (b"\x89PNG\r\n", "image/png"),
            (b"\xff\xd8\xff", "image/jpeg"),
            (b"GIF8", "image/gif"),
        ];
        let kind = kinds
            .iter()
            .find(|(magic, _)| bytes.starts_with(magic))
            .map(|(_, kind)| *kind);
        match kind {
            Some(kind) if bytes.len() <= MOST => Ok(Self::File { bytes, kind }),
            Some(_) => Err("the picture must have at most 64 KiB: it travels with every mail".into()),
            None => Err("must be a PNG, JPEG or GIF: mail programs show no other".into()),
        }
    }
}

/// A colour: red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// Reads `#rrggbb`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let number = digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then(|| u32::from_str_radix(digits, 16))?;
        let [_, red, green, blue] = number.ok()?.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// Black or white, whichever is easier to read on it (WCAG 2.2, relative luminance).
    fn ink(self) -> &'static str {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = self.0.map(linear);
        let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        // White on it has (1.05) / (l + 0.05), black (l + 0.05) / 0.05.
        if 1.05 * 0.05 > (luminance + 0.05) * (luminance + 0.05) {
            "#ffffff"
        } else {
            "#1b1f27"
        }
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// The parts of a mail that a reader sees.
#[derive(Template)]
#[template(path = "mail.html")]
pub(super) struct Page<'a> {
    language: &'static str,
    brand: &'a Brand,
    logo: String,
    accent_ink: &'static str,
    accent_ink_dark: &'static str,
    title: &'a str,
    /// `Important`, `Critical`, or nothing.
    level: String,
    is_critical: bool,
    /// `From …`, or nothing.
    sender: String,
    body: String,
    plain: String,
    link: String,
    open: String,
    why: String,
    unsubscribe: Option<(&'a str, String)>,
}

impl<'a> Page<'a> {
    pub(super) fn new(stationery: &'a Stationery, letter: &Letter<'a>, unsubscribe: Option<&'a str>) -> Self {
        let words = Words::of(letter.language);
        let brand = &stationery.brand;
        let is_critical = letter.importance == Importance::Critical;
        let level = match letter.importance {
            Importance::Low => String::new(),
            Importance::High => words.text("mail-high", ""),
            Importance::Critical => words.text("mail-critical", ""),
        };
        let sender = letter.sender.trim();
        Self {
            language: words.tag(),
            brand,
            logo: match &brand.logo {
                None => String::new(),
                Some(Logo::Link(link)) => link.clone(),
                Some(Logo::File { .. }) => format!("cid:{LOGO_ID}"),
            },
            accent_ink: brand.colour.ink(),
            accent_ink_dark: brand.colour_dark.ink(),
            title: letter.title,
            level,
            is_critical,
            sender: if sender.is_empty() {
                String::new()
            } else {
                words.text("mail-from", sender)
            },
            body: styled(&markup::html(letter.format, letter.text), brand.colour),
            plain: markup::plain(letter.format, letter.text),
            link: format!("{}/inbox/{}", stationery.origin, letter.opens),
            open: words.text("mail-open", &brand.name),
            why: words.text(if is_critical { "mail-why-critical" } else { "mail-why" }, &brand.name),
            unsubscribe: unsubscribe.map(|link| (link, words.text("mail-unsubscribe", &brand.name))),
        }
    }

    pub(super) fn html(&self) -> String {
        self.render().expect("a page of strings renders into a string")
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n", self.title.split_whitespace().collect::<Vec<_>>().join(" "));
        let about: Vec<&str> = [&self.level, &self.sender]
            .into_iter()
            .map(String::as_str)
            .filter(|s| !s.is_empty())
            .collect();
        for part in [
            &about.join(" · "),
            "",
            &self.plain,
            "",
            &format!("{}: {}", self.open, self.link),
            "",
            "-- ",
            &self.why,
        ] {
            if !(part.is_empty() && text.ends_with("\n\n")) {
                text.push_str(part);
                text.push('\n');
            }
        }
        if let Some((link, label)) = &self.unsubscribe {
            text.push_str(&[label, ": ", link, "\n"].concat());
        }
        for line in self.brand.footer.lines() {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    fn footer(&self) -> impl Iterator<Item = &str> {
        self.brand.footer.lines()
    }
}

/// The fragment of `markup` with the styles in place: some programs drop a style sheet. Text in it is escaped, so each
/// of these is an element.
fn styled(fragment: &str, colour: Colour) -> String {
    fragment
        .replace("<p>", "<p style=\"margin:0 0 16px\">")
        .replace("<a href", &format!("<a class=\"accent\" style=\"color:{colour}\" href"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_and_have_a_legible_ink() {
        let read = |text: &str| Colour::parse(text).map(|colour| (colour.to_string(), colour.ink()));
        assert_eq!(read("#8A5a00"), Some(("#8a5a00".into(), "#ffffff")));
        assert_eq!(read("#e0b04c"), Some(("#e0b04c".into(), "#1b1f27")));
        assert_eq!(read("#ffffff").unwrap().1, "#1b1f27");
        for wrong in ["8a5a00", "#8a5a0", "#8a5a0g", "#+8a5a0", "red", "#é5a00"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_logo_is_a_picture_that_mail_programs_show() {
        assert!(matches!(
            Logo::of_bytes(b"\x89PNG\r\n\x1a\n".to_vec()),
            Ok(Logo::File { kind: "image/png", .. })
        ));
        assert!(Logo::of_bytes(b"<svg/>".to_vec()).unwrap_err().contains("PNG"));
        let big = [b"GIF89a".to_vec(), vec![0; 64 * 1024]].concat();
        assert!(Logo::of_bytes(big).unwrap_err().contains("64 KiB"));
    }
}
