//! A settings file, read; and the name that was meant where one is not known.

use super::{ConfigError, Setting, settings};

/// The keys of a settings file with their values as text, every key known to be a setting.
pub(super) fn entries(file: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let table: toml::Table = file.parse().map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = 1 + file.bytes().take(at).filter(|byte| *byte == b'\n').count();
        // Not the error's own display: it quotes the line, and the line may hold a secret.
        ConfigError::Syntax {
            line,
            reason: error.message().to_owned(),
        }
    })?;
    table
        .into_iter()
        .map(|(key, value)| known(&key).and_then(|setting| plain(setting, value)).map(|v| (key, v)))
        .collect()
}

/// The setting that a key of the file belongs to.
fn known(key: &str) -> Result<&'static Setting, ConfigError> {
    let is_it = |s: &&Setting| s.name == key || s.secret && key.strip_suffix("_file") == Some(s.name);
    settings().find(is_it).ok_or_else(|| ConfigError::Unknown {
        key: key.to_owned(),
        nearest: nearest(key, settings().map(|s| s.name), 0).map(str::to_owned),
    })
}

/// The name that was probably meant: the nearest, if not more than a third of its letters is wrong. So many letters at
/// the beginning are the same in all of them.
pub(super) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>, shared: usize) -> Option<&'n str> {
    names
        .map(|name| (distance(word, name), name))
        .min()
        .filter(|(steps, name)| *steps <= (name.len() - shared) / 3)
        .map(|(_, name)| name)
}

/// A value of the file as the text that its twin in the environment would have.
fn plain(setting: &Setting, value: toml::Value) -> Result<String, ConfigError> {
    let text = match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(list) => list
            .iter()
            .map(toml::Value::as_str)
            .collect::<Option<Vec<_>>>()
            .map(|list| list.join(",")),
        _ => None,
    };
    text.ok_or_else(|| ConfigError::Value {
        setting: setting.name,
        origin: "settings file".into(),
        reason: "must be a text, a number, true or false, or a list of texts".into(),
    })
}

/// Letters to change, add or drop to turn one word into the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
