//! Every text of the console, in one place a language: the Fluent files of `locales/`, one a part of the console.
//!
//! Refusals of the rules come in English; [`Words::refusal`] finds their translation by the English text itself: its
//! words in lower case, with `n` in the place of a number (`is longer than 1,000 characters` is found as
//! `is-longer-than-n-characters`; the numbers are `$n` and `$m`). Where a text holds a name, its key has `x`, `y` or
//! `z` in that place (`there-is-no-role-x-of-scope-y`), and the text may use `$x`, `$y`, `$z`, with the signs that
//! stand around the name. What stands there may be a text of ours itself, as the cause of a failure is, and is
//! translated too. A test collects what the rules say out of their sources, and fails where a language lacks one;
//! another one what deliveries say. What a parser says of JSON stays English, and so does what a mail system answered.

mod dates;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock, PoisonError, RwLock};

use campanile_core::markup;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use rustc_hash::FxHashMap;
use unic_langid::LanguageIdentifier;

use dates::Dates;

/// A language of the console.
pub(super) struct Language {
    /// Its tag, such as `en`.
    pub(super) tag: &'static str,
    /// Its name in itself.
    pub(super) name: &'static str,
    /// What stands between the thousands of a number.
    group: char,
    bundle: FluentBundle<FluentResource>,
    /// The keys of refusals that hold names, those with the most words first.
    named: Vec<Vec<&'static str>>,
    /// The texts in which nothing is to be filled in.
    plain: FxHashMap<&'static str, String>,
    /// Texts about numbers as they were last said, by number and key; at most [`COUNTED`].
    counted: RwLock<HashMap<u64, HashMap<String, String>>>,
    /// How it writes times, once somebody has read one.
    dates: OnceLock<Dates>,
}

/// Numbers that are kept with the texts about them.
const COUNTED: usize = 2_048;

/// What stands for the thing in a text that is taken apart; in no text of ours.
const THING: &str = "\u{1}";
/// What stands for a name in the key of a refusal.
const NAMES: [&str; 3] = ["x", "y", "z"];

/// The files of a language, by its tag.
macro_rules! files {
    ($tag:literal) => {
        &[
            include_str!(concat!("../../locales/", $tag, "/common.ftl")),
            include_str!(concat!("../../locales/", $tag, "/inbox.ftl")),
            include_str!(concat!("../../locales/", $tag, "/messages.ftl")),
            include_str!(concat!("../../locales/", $tag, "/announcements.ftl")),
            include_str!(concat!("../../locales/", $tag, "/directory.ftl")),
            include_str!(concat!("../../locales/", $tag, "/me.ftl")),
            include_str!(concat!("../../locales/", $tag, "/devices.ftl")),
            include_str!(concat!("../../locales/", $tag, "/outbox.ftl")),
            include_str!(concat!("../../locales/", $tag, "/journal.ftl")),
            include_str!(concat!("../../locales/", $tag, "/sites.ftl")),
            include_str!(concat!("../../locales/", $tag, "/refusals.ftl")),
        ]
    };
}

static LANGUAGES: LazyLock<[Language; 2]> = LazyLock::new(|| {
    [
        Language::new("en", "English", ',', files!("en")),
        Language::new("de", "Deutsch", '.', files!("de")),
    ]
});

impl Language {
    fn new(tag: &'static str, name: &'static str, group: char, files: &[&'static str]) -> Self {
        let id: LanguageIdentifier = tag.parse().expect("a tag of ours");
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        // The texts stand in HTML, which isolates by itself, and in attributes, where the marks would be seen.
        bundle.set_use_isolating(false);
        for file in files {
            let resource = FluentResource::try_new((*file).to_owned()).expect("a test reads every file");
            bundle
                .add_resource(resource)
                .expect("a test looks for texts given twice");
        }
        Self {
            tag,
            name,
            group,
            bundle,
            named: files.last().map_or_else(Vec::new, |refusals| named_keys(refusals)),
            plain: FxHashMap::default(),
            counted: RwLock::default(),
            dates: OnceLock::new(),
        }
        .with_plain(files)
    }

    /// Puts the texts in which nothing is to be filled in where they are found at once: a page says hundreds of them.
    fn with_plain(mut self, files: &[&'static str]) -> Self {
        let lines = files.iter().flat_map(|file| file.lines());
        for (key, _) in lines.filter_map(|line| line.split_once(" =")) {
            let pattern = self.bundle.get_message(key).and_then(|message| message.value());
            let mut faults = Vec::new();
            let text = pattern.map(|pattern| self.bundle.format_pattern(pattern, None, &mut faults).into_owned());
            if let Some(text) = text.filter(|_| faults.is_empty()) {
                self.plain.insert(key, text);
            }
        }
        self
    }

    /// All of them.
    #[must_use]
    pub(super) fn all() -> &'static [Self] {
        &*LANGUAGES
    }

    /// The language of a tag, whatever its region.
    #[must_use]
    pub(super) fn of_tag(tag: &str) -> Option<&'static Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::all()
            .iter()
            .find(|language| language.tag.eq_ignore_ascii_case(primary))
    }
}

/// The texts of one language.
#[derive(Clone, Copy)]
pub(super) struct Words(&'static Language);

impl Words {
    /// In the person's language, else in the first one that the browser asks for (`Accept-Language`), else in English.
    #[must_use]
    pub(super) fn choose(person: Option<&str>, accepted: Option<&str>) -> Self {
        let of_person = person.and_then(Language::of_tag);
        let of_browser = || {
            let mut tags: Vec<(f32, &str)> = accepted?.split(',').map(weighed).collect();
            tags.sort_by(|a, b| b.0.total_cmp(&a.0));
            tags.into_iter().find_map(|(_, tag)| Language::of_tag(tag))
        };
        Self(of_person.or_else(of_browser).unwrap_or(&Language::all()[0]))
    }

    /// The language's tag.
    #[must_use]
    pub(super) fn tag(self) -> &'static str {
        self.0.tag
    }

    /// A text.
    #[must_use]
    pub(super) fn t(self, key: &str) -> String {
        self.text(key).into_owned()
    }

    /// A text, as a template wants it: most of them are there already.
    #[must_use]
    pub(super) fn text(self, key: &str) -> Cow<'static, str> {
        if let Some(text) = self.0.plain.get(key) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(self.find(key, None).unwrap_or_else(|| format!("[{key}]")))
    }

    /// A text about a number: `$n` to choose a form by, `$count` to show.
    #[must_use]
    pub(super) fn n(self, key: &str, n: u64) -> String {
        if let Some(text) = self.0.plain.get(key) {
            return text.clone();
        }
        let counted = self.0.counted.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = counted.get(&n).and_then(|texts| texts.get(key)) {
            return text.clone();
        }
        drop(counted);
        let mut args = FluentArgs::new();
        args.set("n", n);
        args.set("count", self.number(n));
        let text = self.find(key, Some(&args)).unwrap_or_else(|| format!("[{key}]"));
        // Every page says some of them, and most numbers are those of a bell.
        let mut counted = self.0.counted.write().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= COUNTED && !counted.contains_key(&n) {
            counted.clear();
        }
        counted.entry(n).or_default().insert(key.to_owned(), text.clone());
        text
    }

    /// A text about a thing: `$what`.
    #[must_use]
    pub(super) fn s(self, key: &str, what: &str) -> String {
        self.with(key, [("what", what.into())])
    }

    /// A text about a thing, as the HTML that stands before and after the thing: for lists, which say it of every row.
    #[must_use]
    pub(super) fn around(self, key: &str) -> (String, String) {
        let text = self.s(key, THING);
        let (before, after) = text.split_once(THING).unwrap_or((&text, ""));
        (markup::escaped(before), markup::escaped(after))
    }

    /// How the language writes times.
    #[must_use]
    pub(super) fn dates(self) -> &'static Dates {
        self.0.dates.get_or_init(|| Dates::new(self))
    }

    /// A text about several things.
    #[must_use]
    pub(super) fn with<const N: usize>(self, key: &str, things: [(&'static str, FluentValue<'_>); N]) -> String {
        let args: FluentArgs<'_> = things.into_iter().collect();
        self.find(key, Some(&args)).unwrap_or_else(|| format!("[{key}]"))
    }

    /// Whether there is such a text.
    #[must_use]
    pub(super) fn has(self, key: &str) -> bool {
        self.0.bundle.has_message(key)
    }

    fn find(self, key: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
        let bundle = &self.0.bundle;
        let pattern = bundle.get_message(key)?.value()?;
        // What is wrong inside a text still reads: Fluent puts the name of what is missing there.
        Some(bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned())
    }

    /// A number with its thousands apart.
    #[must_use]
    pub(super) fn number(self, n: u64) -> String {
        let digits = n.to_string();
        let mut out = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                out.push(self.0.group);
            }
            out.push(digit);
        }
        out
    }

    /// What a rule says against an input, in this language; in English where it has no translation.
    #[must_use]
    pub(super) fn refusal(self, english: &str) -> String {
        let tokens = tokens(english);
        let key: Vec<&str> = tokens.iter().map(Token::word).collect();
        let numbers = |tokens: &[Token<'_>]| -> Vec<String> {
            let numbers = tokens.iter().filter(|token| token.is_number());
            numbers.map(|token| token.text.to_owned()).collect()
        };
        let exact = self.find(&key.join("-"), Some(&arguments(numbers(&tokens), &[])));
        let with_names = || {
            self.0.named.iter().find_map(|key| {
                let mut names = Vec::new();
                let fits = fit(key, &tokens, english, 0, &mut names);
                let names: Vec<String> = names.into_iter().map(|name| self.inner(name)).collect();
                let args = fits.then(|| arguments(Vec::new(), &names))?;
                self.find(&key.join("-"), Some(&args))
            })
        };
        exact.or_else(with_names).unwrap_or_else(|| english.to_owned())
    }

    /// What stands in a text, with the signs around it: a name as it is, a text of ours in this language.
    fn inner(self, part: &str) -> String {
        let bare = part.trim_matches([':', ',', ';', ' ']);
        let bracketed = bare.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let core = bracketed.unwrap_or(bare);
        if core.contains(' ') {
            part.replacen(core, &self.refusal(core), 1)
        } else {
            part.to_owned()
        }
    }
}

fn arguments(numbers: Vec<String>, names: &[String]) -> FluentArgs<'static> {
    let mut args = FluentArgs::new();
    for (name, number) in ["n", "m"].into_iter().zip(numbers) {
        args.set(name, number);
    }
    for (name, text) in NAMES.into_iter().zip(names) {
        args.set(name, text.clone());
    }
    args
}

/// A language of `Accept-Language` with its weight (RFC 9110, section 12.5.4).
fn weighed(part: &str) -> (f32, &str) {
    let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
    (weight.trim().parse().unwrap_or(0.0), tag.trim())
}

/// The keys of a file that hold names, as words.
fn named_keys(file: &'static str) -> Vec<Vec<&'static str>> {
    let keys = file
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key);
    let mut named: Vec<Vec<&str>> = keys
        .filter(|key| !key.starts_with('#'))
        .map(|key| key.split('-').collect())
        .filter(|key: &Vec<&str>| key.iter().any(|word| NAMES.contains(word)))
        .collect();
    named.sort_by_key(|key| std::cmp::Reverse(key.len()));
    named
}

/// A word or a number of a text, and where it starts.
struct Token<'t> {
    text: &'t str,
    lower: String,
    start: usize,
}

impl Token<'_> {
    fn is_number(&self) -> bool {
        self.text.starts_with(|char: char| char.is_ascii_digit())
    }

    /// As it stands in a key.
    fn word(&self) -> &str {
        if self.is_number() { "n" } else { &self.lower }
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut end = 0;
    for part in text.split_inclusive(|char: char| !char.is_ascii_alphanumeric() && char != ',') {
        let word = part.trim_matches(|char: char| !char.is_ascii_alphanumeric());
        if let Some(at) = part.find(word).filter(|_| !word.is_empty()) {
            tokens.push(Token {
                text: word,
                lower: word.to_ascii_lowercase(),
                start: end + at,
            });
        }
        end += part.len();
    }
    tokens
}

/// Whether a text is that of a key with names in it, and the names. `after` is where the words before these ended.
fn fit<'t>(key: &[&str], tokens: &[Token<'t>], text: &'t str, after: usize, names: &mut Vec<&'t str>) -> bool {
    let Some((word, rest)) = key.split_first() else {
        return tokens.is_empty();
    };
    if !NAMES.contains(word) {
        let next = tokens.split_first().filter(|(token, _)| token.word() == *word);
        return next.is_some_and(|(token, others)| fit(rest, others, text, token.start + token.text.len(), names));
    }
    (0..=tokens.len()).any(|taken| {
        let end = tokens.get(taken).map_or(text.len(), |token| token.start);
        let name = text[after..end].trim();
        names.push(name);
        let fits = !name.is_empty() && fit(rest, &tokens[taken..], text, end, names);
        if !fits {
            names.pop();
        }
        fits
    })
}

#[cfg(test)]
mod tests;
