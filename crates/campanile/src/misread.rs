//! Input that cannot be read, in plain words: which field, what is expected there, and where text is not JSON at all.
//!
//! The readers are serde's, whose own words are for programmers ("expected struct Draft"). They are read and said
//! again; values are not repeated, since one of them may be a secret in the wrong place.

use serde::de::DeserializeOwned;
use serde_json::{Value, error::Category};

/// Why something cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// Where: a path such as `audience[0].role`, or a parameter's name; empty for the whole input.
    pub field: String,
    /// What is wrong with it and what would be right.
    pub reason: String,
    /// Line and column, both from 1, where text is not JSON.
    pub at: Option<(usize, usize)>,
}

impl Misread {
    fn whole(reason: impl Into<String>) -> Self {
        Self {
            field: String::new(),
            reason: reason.into(),
            at: None,
        }
    }

    /// The reason, with line and column where text is not JSON.
    #[must_use]
    pub fn with_place(&self) -> String {
        match self.at {
            Some((line, column)) => format!("{} (line {line}, column {column})", self.reason),
            None => self.reason.clone(),
        }
    }

    /// As [`Misread::with_place`], for a text of one line.
    #[must_use]
    pub fn with_column(&self) -> String {
        match self.at {
            Some((_, column)) => format!("{} (column {column})", self.reason),
            None => self.reason.clone(),
        }
    }
}

/// Bytes of a text up to which a field is looked for by trying: each try reads the text once more.
const TRIED_BYTES: usize = 16 * 1024;
/// Fields of one object that are tried.
const TRIED_FIELDS: usize = 32;
/// Objects in objects that are tried.
const TRIED_DEPTH: usize = 3;

/// What the reader wants of an object whose one field says its kind.
const SINGLE: &str = "map with a single key";

/// Reads JSON (RFC 8259) into `T`. U+0000 is refused, since PostgreSQL cannot store it and nobody means it.
///
/// # Errors
/// [`Misread`], naming the first field that is wrong.
pub fn json<T: DeserializeOwned>(text: &[u8]) -> Result<T, Misread> {
    if text.trim_ascii().is_empty() {
        return Err(Misread::whole("is empty; JSON is expected"));
    }
    if has_escaped_nul(text) {
        let reason = "a text contains the character U+0000, which is not allowed";
        return Err(Misread::whole(reason));
    }
    serde_json::from_slice(text).map_err(|error| explain::<T>(text, &error))
}

/// Whether a JSON text holds the escape `\u0000`: four zeros after an `\u` whose backslash is not itself escaped.
fn has_escaped_nul(json: &[u8]) -> bool {
    let found = json.windows(6).enumerate().filter(|(_, six)| six == b"\\u0000");
    found
        .into_iter()
        .any(|(at, _)| json[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0)
}

/// What is wrong with a text that was refused. Slower than reading it.
fn explain<T: DeserializeOwned>(text: &[u8], refused: &serde_json::Error) -> Misread {
    let value = match serde_json::from_slice::<Value>(text) {
        Ok(value) => value,
        Err(error) => return not_json(&error),
    };
    let Err(located) = serde_path_to_error::deserialize::<_, T>(value.clone()) else {
        // It holds together once the doubles are gone: what was refused is a field that stands twice.
        return misfit(String::new(), &said(refused));
    };
    let words = said(located.inner());
    let path = path_of(located.path());
    if text.len() > TRIED_BYTES || words.contains(" field `") || words.contains(SINGLE) {
        return misfit(path, &words);
    }
    let mut path = path;
    for _ in 0..TRIED_DEPTH {
        let Some(name) = culprit::<T>(&value, &path, &words) else {
            break;
        };
        path = below(&path, &name);
        // A kind that is written as the name of the field.
        if words.starts_with(&format!("unknown variant `{name}`")) {
            return misfit(path, &words.replacen("variant", "field", 1));
        }
    }
    let listed = choices::<T>(&value, &path, &words);
    misfit(path, listed.as_deref().unwrap_or(&words))
}

/// The words that the reader knows where something stands that is no text: it names them to a text that it does not
/// know.
fn choices<T: DeserializeOwned>(value: &Value, path: &str, words: &str) -> Option<String> {
    let wanted = words.rsplit_once(", expected ")?.1;
    if wanted != "string or map" && wanted != "variant identifier" {
        return None;
    }
    let mut with_text = value.clone();
    *with_text.pointer_mut(&pointer(path))? = Value::String(String::new());
    let error = serde_json::from_value::<T>(with_text).err()?;
    Some(said(&error)).filter(|listed| listed.starts_with("unknown variant"))
}

/// The field of the object, or the entry of the list, at `path` without which the complaint is another one. A reader
/// that looks at `kind` first does not say which field it is about.
fn culprit<T: DeserializeOwned>(value: &Value, path: &str, words: &str) -> Option<String> {
    let pointer = pointer(path);
    let names: Vec<String> = match value.pointer(&pointer)? {
        Value::Object(fields) => fields.keys().take(TRIED_FIELDS).cloned().collect(),
        Value::Array(entries) => (0..entries.len().min(TRIED_FIELDS)).map(|at| at.to_string()).collect(),
        _ => return None,
    };
    let is_it = |name: &String| {
        let mut without = value.clone();
        match without.pointer_mut(&pointer) {
            Some(Value::Object(fields)) => drop(fields.remove(name)),
            Some(Value::Array(entries)) => drop(name.parse().map(|at: usize| entries.remove(at))),
            _ => {}
        }
        serde_json::from_value::<T>(without).map_or_else(|error| said(&error) != words, |_| true)
    };
    // Without its kind an object is refused for that; so the kind is it only where nothing else is.
    let (kind, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name == "kind");
    others.into_iter().chain(kind).find(is_it)
}

/// A path as a JSON pointer (RFC 6901).
fn pointer(path: &str) -> String {
    let mut pointer = String::new();
    for part in path.split(['.', '[']).filter(|part| !part.is_empty()) {
        pointer.push('/');
        pointer.push_str(&part.trim_end_matches(']').replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

/// A field of the object at a path, or an entry of the list there.
fn below(path: &str, name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{path}[{name}]")
    } else if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// A path as a fault names it: the whole is `.` to the reader, and a place that it lost sight of is `?`.
#[must_use]
pub fn path_of(path: &serde_path_to_error::Path) -> String {
    let path = path.to_string();
    let path = path.trim_end_matches('?').trim_end_matches('.');
    path.to_owned()
}

/// The words of the reader without their place.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// What is wrong with a text that is not JSON.
fn not_json(error: &serde_json::Error) -> Misread {
    let words = said(error);
    let hint = match words.as_str() {
        _ if error.classify() == Category::Eof => "it ends too early",
        "expected value" | "expected ident" => {
            "a value is expected here: text in double quotes, a number, true, false, null, [ or {"
        }
        "expected `:`" => "a colon is expected here",
        "expected `,` or `}`" => "a comma or } is expected here",
        "expected `,` or `]`" => "a comma or ] is expected here",
        "key must be a string" => "a name in double quotes is expected here",
        "trailing comma" => "a comma too much stands before here",
        "trailing characters" => "something follows after its end",
        "recursion limit exceeded" => "it is nested too deep",
        "invalid number" => "this is no number",
        "number out of range" => "this number is too great",
        "invalid escape" => "a backslash stands before a character that needs none",
        "invalid unicode code point" => "a text is not UTF-8",
        "unexpected end of hex escape" | "lone leading surrogate in hex escape" => "half of a \\u pair is missing",
        _ if words.starts_with("control character") => {
            "a control character stands in a text: write a line break as \\n"
        }
        _ => "it cannot be read here",
    };
    Misread {
        at: Some((error.line(), error.column().max(1))),
        ..Misread::whole(format!("is not JSON: {hint}"))
    }
}

/// What a reader says of a value that does not fit, at a path, in plain words. Words that are not the reader's own are
/// ours already, and stay.
pub fn misfit(path: String, words: &str) -> Misread {
    let at = |field: String, reason: String| Misread {
        field,
        reason,
        at: None,
    };
    let of = |rest: &str| {
        let name = rest.strip_prefix('`')?.split('`').next()?;
        // Where the reader has not lost sight of it, the path ends in the field already.
        let is_there = path == name || path.ends_with(&format!(".{name}"));
        Some(if is_there { path.clone() } else { below(&path, name) })
    };
    if let Some(field) = words.strip_prefix("missing field ").and_then(of) {
        return at(field, "is missing".into());
    }
    if let Some(field) = words.strip_prefix("duplicate field ").and_then(of) {
        return at(field, "stands there twice".into());
    }
    if let Some(rest) = words.strip_prefix("unknown field ") {
        let known = known(rest).map_or_else(String::new, |known| format!("; there is {known}"));
        if let Some(field) = of(rest) {
            return at(field, format!("is not known here{known}"));
        }
    }
    if let Some(known) = words.strip_prefix("unknown variant ").and_then(known) {
        return at(path, format!("must be {known}"));
    }
    let of_type = words
        .strip_prefix("invalid type: ")
        .or_else(|| words.strip_prefix("invalid value: "));
    let of_type = of_type.and_then(|rest| rest.rsplit_once(", expected "));
    if let Some((given, wanted)) = of_type {
        return at(path, fit(given, wanted));
    }
    if let Some((_, wanted)) = words
        .strip_prefix("invalid length ")
        .and_then(|rest| rest.rsplit_once(", expected "))
    {
        return at(path, format!("must be {}", plain(wanted)));
    }
    let plain = match words {
        "invalid digit found in string" => "must be a whole number",
        "cannot parse integer from empty string" => "must be a whole number, and is empty",
        "number too large to fit in target type" => "is too great a number",
        "number too small to fit in target type" => "is too small a number",
        "invalid float literal" | "cannot parse float from empty string" => "must be a number",
        "provided string was not `true` or `false`" => "must be true or false",
        other => other,
    };
    at(path, plain.into())
}

/// What there is instead, of the reader's list: `a`, `b` or `c`.
fn known(rest: &str) -> Option<String> {
    let (_, list) = rest.rsplit_once(", expected ")?;
    let names: Vec<_> = list.split('`').skip(1).step_by(2).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        [first @ .., end] => Some(format!("{} or {end}", first.join(", "))),
    }
}

/// `must be a whole number, not text`.
fn fit(given: &str, wanted: &str) -> String {
    let wanted = plain(wanted);
    let given = match given.split([' ', '`']).next().unwrap_or_default() {
        "boolean" => "true or false",
        "integer" | "floating" => "this number",
        "string" | "character" => "text",
        "null" | "unit" | "Option" => "null",
        "sequence" => "a list",
        "map" | "newtype" | "struct" | "enum" => "an object",
        _ => return format!("must be {wanted}"),
    };
    // A number in the place of another one is too great, too small or has a fraction: the range says which.
    if wanted.starts_with(given) || given == "this number" && wanted.contains("number") {
        return format!("must be {wanted}");
    }
    let given = if given == "this number" { "a number" } else { given };
    format!("must be {wanted}, not {given}")
}

/// What a reader wants, as it is called outside.
fn plain(wanted: &str) -> String {
    let range = |from: i128, to: i128| format!("a whole number from {from} to {to}");
    match wanted {
        "i8" => range(i8::MIN.into(), i8::MAX.into()),
        "i16" => range(i16::MIN.into(), i16::MAX.into()),
        "i32" => range(i32::MIN.into(), i32::MAX.into()),
        "u8" => range(0, u8::MAX.into()),
        "u16" => range(0, u16::MAX.into()),
        "u32" => range(0, u32::MAX.into()),
        "i64" | "i128" | "isize" | "integer" => "a whole number".to_owned(),
        "u64" | "u128" | "usize" => "a whole number, not below 0".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" | "bool" => "true or false".to_owned(),
        "a string" | "string" | "a borrowed string" | "str" | "a character" => "text".to_owned(),
        "string or map" | "variant identifier" | "field identifier" => {
            "one of the words that are known here".to_owned()
        }
        "a map" | "map" | "an object" => "an object".to_owned(),
        "a sequence" | "sequence" => "a list".to_owned(),
        SINGLE => "an object with one field".to_owned(),
        "unit" | "null" => "null".to_owned(),
        _ if ["struct ", "internally tagged enum ", "adjacently tagged enum "]
            .iter()
            .any(|start| wanted.starts_with(start)) =>
        {
            "an object".to_owned()
        }
        "newtype variant" => "an object".to_owned(),
        _ if wanted.starts_with("tuple ") || wanted.starts_with("an array ") => "a list".to_owned(),
        _ if wanted.starts_with("enum ") => "one of the words that are known here".to_owned(),
        // A reader of our own, in our own words.
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Draft {
        title: String,
        #[serde(default)]
        audience: Vec<Part>,
        #[serde(default)]
        weight: Weight,
        #[serde(default)]
        limit: u8,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
    enum Part {
        Customer {
            customer: i64,
            deep: Option<bool>,
        },
        Role {
            role: String,
            on: Option<On>,
            weight: Option<Weight>,
            #[serde(default)]
            groups: Vec<String>,
        },
    }

    #[derive(Debug, PartialEq, Default, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Weight {
        #[default]
        Low,
        High,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum On {
        Api(String),
        Group(String),
    }

    fn complaint(text: &[u8]) -> String {
        let found = json::<Draft>(text).expect_err("must be refused");
        format!("{}: {}", found.field, found.with_place())
    }

    fn of_parts(part: &str) -> String {
        complaint(format!(r#"{{"title":"t","audience":[{{"kind":"customer","customer":1}},{part}]}}"#).as_bytes())
    }

    #[test]
    fn the_field_is_named_and_what_is_expected() {
        let wrong = [
            r#"{"title":5}"#,
            r#"{"title":null}"#,
            r#"{"title":"t","limit":"x"}"#,
            r#"{"title":"t","limit":300}"#,
            r#"{"title":"t","limit":1.5}"#,
            r#"{"title":"t","limit":true}"#,
            r#"{"title":"t","audience":"everyone"}"#,
            r#"{"title":"t","audience":[7]}"#,
            r#"{"title":"t","weight":"huge"}"#,
            r#"{"title":"t","weight":9}"#,
            r#"{"title":"t","colour":1}"#,
            r#"{"audience":[]}"#,
            r#"{"title":"t","title":"u"}"#,
            "[]",
            "17",
        ];
        insta::assert_snapshot!(wrong.map(|body| complaint(body.as_bytes())).join("\n"));
    }

    #[test]
    fn a_field_of_an_object_with_a_kind_is_found_too() {
        let wrong = [
            r#"{"kind":"customer","customer":"x"}"#,
            r#"{"kind":"customer","customer":1,"deep":"yes"}"#,
            r#"{"kind":"customer"}"#,
            r#"{"kind":"customer","customer":1,"role":"x"}"#,
            r#"{"kind":"planet"}"#,
            r#"{"kind":4}"#,
            r#"{"role":"x"}"#,
            r#"{"kind":"role","role":"x","weight":"huge"}"#,
            r#"{"kind":"role","role":"x","weight":[]}"#,
            r#"{"kind":"role","role":"x","on":{"planet":"x"}}"#,
            r#"{"kind":"role","role":"x","on":{"api":1}}"#,
            r#"{"kind":"role","role":"x","groups":["a",1]}"#,
            r#"{"kind":"role","role":"x","groups":"a"}"#,
            r#"{"kind":"role","role":"x","on":"api"}"#,
            r#"{"kind":"role","role":"x","on":{"api":"a","group":"b"}}"#,
        ];
        insta::assert_snapshot!(wrong.map(of_parts).join("\n"));
    }

    #[test]
    fn what_is_not_json_is_told_with_its_place() {
        let wrong: [&[u8]; 16] = [
            b" ",
            b"{",
            b"{\"title\":\"a",
            b"{\"title\":\"a\"} x",
            b"{\"title\":\n\n oops}",
            b"{\"title\" \"a\"}",
            b"{\"title\":\"a\" \"b\":1}",
            b"[1 2]",
            b"{title:1}",
            b"{\"title\":1,}",
            b"{\"title\":\"a\nb\"}",
            b"{\"title\":\"\xff\"}",
            b"{\"title\":\"\\ud800\"}",
            b"{\"title\":\"\\q\"}",
            b"{\"limit\":01}",
            b"nul",
        ];
        insta::assert_snapshot!(wrong.map(complaint).join("\n"));
    }

    #[test]
    fn no_words_of_the_reader_are_left() {
        let deep = "[".repeat(100_000);
        for text in [r#"{"title":{}}"#, r#"{"title":"t","limit":-1}"#, &deep] {
            let told = complaint(text.as_bytes());
            for word in ["invalid", "struct", "expected u", "EOF", "integer"] {
                assert!(!told.contains(word), "{told}");
            }
        }
    }

    #[test]
    fn a_value_is_not_repeated() {
        for text in [
            r#"{"title":"t","limit":"secret"}"#,
            r#"{"title":"t","weight":"secret"}"#,
        ] {
            let told = complaint(text.as_bytes());
            assert!(!told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn u0000_is_refused_and_its_spelling_is_not() {
        assert!(complaint(br#"{"title":"a\u0000b"}"#).contains("U+0000"));
        assert!(complaint(br#"{"title":"a\\\u0000b"}"#).contains("U+0000"));
        let spelled = json::<Draft>(br#"{"title":"a\\u0000b"}"#).map(|draft| draft.title);
        assert_eq!(spelled.as_deref(), Ok("a\\u0000b"));
    }
}
