//! Every text of the console, in one place a language: the Fluent files of `locales/`, one a part of the console.
//!
//! Refusals of the rules come in English; [`Words::refusal`] finds their translation by the English text itself, with
//! its numbers taken out (`is longer than 1000 characters` -> `is-longer-than-n-characters`).

use std::fmt::Write as _;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

/// A language of the console.
pub(super) struct Language {
    /// Its tag, such as `en`.
    pub(super) tag: &'static str,
    /// Its name in itself.
    pub(super) name: &'static str,
    /// What stands between the thousands of a number.
    group: char,
    bundle: FluentBundle<FluentResource>,
}

/// The files of a language, by its tag.
macro_rules! files {
    ($tag:literal) => {
        &[
            include_str!(concat!("../../locales/", $tag, "/common.ftl")),
            include_str!(concat!("../../locales/", $tag, "/inbox.ftl")),
            include_str!(concat!("../../locales/", $tag, "/messages.ftl")),
            include_str!(concat!("../../locales/", $tag, "/directory.ftl")),
            include_str!(concat!("../../locales/", $tag, "/me.ftl")),
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
    fn new(tag: &'static str, name: &'static str, group: char, files: &[&str]) -> Self {
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
        }
    }

    /// All of them.
    #[must_use]
    pub(super) fn all() -> &'static [Self] {
        &*LANGUAGES
    }

    fn of_tag(tag: &str) -> Option<&'static Self> {
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
        self.find(key, None).unwrap_or_else(|| format!("[{key}]"))
    }

    /// A text about a number: `$n` to choose a form by, `$count` to show.
    #[must_use]
    pub(super) fn n(self, key: &str, n: u64) -> String {
        let mut args = FluentArgs::new();
        args.set("n", n);
        args.set("count", self.number(n));
        self.find(key, Some(&args)).unwrap_or_else(|| format!("[{key}]"))
    }

    /// A text about a thing: `$what`.
    #[must_use]
    pub(super) fn s(self, key: &str, what: &str) -> String {
        self.with(key, [("what", what.into())])
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
        let (key, numbers) = slug(english);
        let mut args = FluentArgs::new();
        for (name, number) in ["n", "m"].into_iter().zip(numbers) {
            args.set(name, number);
        }
        self.find(&key, Some(&args)).unwrap_or_else(|| english.to_owned())
    }
}

/// A language of `Accept-Language` with its weight (RFC 9110, section 12.5.4).
fn weighed(part: &str) -> (f32, &str) {
    let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
    (weight.trim().parse().unwrap_or(0.0), tag.trim())
}

/// A text as a key, and the numbers in it.
fn slug(text: &str) -> (String, Vec<String>) {
    let (mut key, mut numbers) = (String::with_capacity(text.len()), Vec::new());
    let mut words = text
        .split(|char: char| !char.is_ascii_alphanumeric() && char != ',')
        .map(|word| word.trim_matches(','));
    for word in words.by_ref().filter(|word| !word.is_empty()) {
        if !key.is_empty() {
            key.push('-');
        }
        if word.starts_with(|char: char| char.is_ascii_digit()) {
            numbers.push(word.to_owned());
            key.push('n');
        } else {
            let _ = write!(key, "{}", word.to_ascii_lowercase());
        }
    }
    (key, numbers)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn keys(tag: &str) -> BTreeSet<String> {
        let folder = format!("{}/locales/{tag}", env!("CARGO_MANIFEST_DIR"));
        let files = std::fs::read_dir(folder).unwrap();
        let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let texts: Vec<String> = texts.collect();
        let lines = texts.iter().flat_map(|text| text.lines());
        let keys = lines.filter(|line| line.starts_with(|char: char| char.is_ascii_lowercase()));
        keys.map(|line| line.split_once(" =").unwrap().0.to_owned()).collect()
    }

    fn files(folder: &std::path::Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, out);
            } else {
                out.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }

    /// The texts that code and templates ask for by name. A name that is put together says so with a `family`.
    fn used() -> BTreeSet<String> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Vec::new();
        files(&root.join("src/console"), &mut sources);
        files(&root.join("templates/console"), &mut sources);
        let mut used = BTreeSet::new();
        for call in [".t(\"", ".n(\"", ".s(\"", ".with(\""] {
            let found = sources.iter().flat_map(|source| source.split(call).skip(1));
            used.extend(found.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
        used
    }

    #[test]
    fn every_language_has_every_text() {
        let english: BTreeSet<String> = keys("en").into_iter().collect();
        let missing: Vec<_> = english.difference(&keys("de")).cloned().collect();
        assert_eq!(missing, Vec::<String>::new(), "texts that German lacks");
        // Refusals are in English already.
        let refusals = include_str!("../../locales/de/refusals.ftl");
        let more: Vec<_> = keys("de")
            .difference(&english)
            .filter(|key| !refusals.contains(&format!("\n{key} =")))
            .cloned()
            .collect();
        assert_eq!(more, Vec::<String>::new(), "texts that English lacks");
    }

    #[test]
    fn every_text_that_is_asked_for_is_there() {
        let there = keys("en");
        let missing: Vec<_> = used().into_iter().filter(|key| !there.contains(key)).collect();
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn no_text_is_given_twice_and_every_file_reads() {
        assert_eq!(Language::all().len(), 2);
    }

    #[test]
    fn the_language_is_the_persons_then_the_browsers_then_english() {
        let chosen = |person, accepted| Words::choose(person, accepted).tag();
        assert_eq!(chosen(Some("de-AT"), Some("en")), "de");
        assert_eq!(chosen(Some("fr"), Some("fr, en;q=0.5, de;q=0.8")), "de");
        assert_eq!(chosen(None, Some("nonsense;q=x")), "en");
        assert_eq!(chosen(None, None), "en");
    }

    #[test]
    fn numbers_are_readable() {
        let german = Words::choose(Some("de"), None);
        assert_eq!(
            [0, 999, 1_000, 1_284_000].map(|n| german.number(n)),
            ["0", "999", "1.000", "1.284.000"]
        );
    }

    #[test]
    fn a_refusal_is_found_by_its_own_words() {
        let (key, numbers) = slug("is longer than 1,000 characters; at most 3 words");
        assert_eq!(key, "is-longer-than-n-characters-at-most-n-words");
        assert_eq!(numbers, ["1,000", "3"]);
        let german = Words::choose(Some("de"), None);
        assert_eq!(
            german.refusal("is longer than 200 characters"),
            "ist länger als 200 Zeichen"
        );
        assert_eq!(german.refusal("is of another world"), "is of another world");
    }
}
