//! The house rules that a compiler does not check, one test each. A failure names the place and what to do about it.
//!
//! The rules look at text. Where they need to tell code from comments and strings, [`code_only`] blanks the latter;
//! that is no parser, and simple on purpose. The last section tests the rules themselves.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Lines of a source file, and of one that holds tests alone.
const MAX_FILE_LINES: usize = 500;
const MAX_TEST_FILE_LINES: usize = 800;
/// Lines of a function, from `fn` to the closing brace. Tests may be longer.
const MAX_FUNCTION_LINES: usize = 70;
const MAX_COLUMNS: usize = 120;
/// Bytes of any file of the repository, and of a picture.
const MAX_FILE_BYTES: usize = 100 * 1024;
const MAX_PICTURE_BYTES: usize = 400 * 1024;
/// Files that may be bigger: a lock file, and the description of the API, which a test keeps as the code has it.
const BIG_FILES: [&str; 2] = ["Cargo.lock", "docs/openapi.json"];

/// Folders that hold nothing of the repository: see `.gitignore`.
const NOT_OURS: [&str; 4] = [".git", "target", "artifacts", "node_modules"];
/// Ends of names of files that hold nothing of the repository: see `.gitignore`.
const NOT_OURS_ENDINGS: [&str; 5] = [".db", ".db-wal", ".db-shm", ".pending-snap", ".snap.new"];

/// What stands for unfinished work. Written in halves, so that this file does not contain it.
const UNFINISHED: [&str; 5] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("#[ig", "nore"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
];
/// Kinds of files in which [`UNFINISHED`] is looked for.
const SOURCES: [&str; 6] = ["rs", "sql", "html", "css", "js", "txt"];

/// A crate, what it may not depend on, and why. Development dependencies are free.
const NO_DEPENDENCY: [(&str, &[&str], &str); 2] = [
    (
        "campanile-store",
        &[
            "campanile",
            "campanile-core",
            "axum",
            "hyper",
            "hyper-util",
            "tower",
            "tower-http",
            "utoipa",
        ],
        "the store knows nothing of messages and nothing of HTTP",
    ),
    (
        "campanile-core",
        &[
            "campanile",
            "tokio",
            "tokio-util",
            "axum",
            "hyper",
            "hyper-util",
            "hyper-rustls",
            "tower",
            "tower-http",
            "tokio-postgres",
            "tokio-postgres-rustls",
            "rusqlite",
        ],
        "no rule blocks on the network, and each statement goes through `campanile_store::Tx`",
    ),
];

/// Modules of the crate `campanile` that stand side by side: none imports another.
const SIBLINGS: [&str; 7] = ["api", "compat", "console", "deliver", "live", "management", "v3"];
/// The exceptions: a module, a sibling, and what it may use of that sibling.
const SHARED: [(&str, &str, &str); 5] = [
    ("api", "live", "open"),
    ("api", "live", "ticket"),
    ("compat", "api", "problem"),
    ("management", "api", "extract"),
    ("v3", "api", "extract"),
];

// ------------------------------------------------------------------------------------------------ the rules

#[test]
fn every_module_says_what_it_is_for() {
    let offences = rust_files()
        .into_iter()
        .filter(|file| !file.text.starts_with("//!"))
        .map(|file| file.path);
    nothing(
        offences,
        "open the file with `//!` and a sentence that says what it is for",
    );
}

#[test]
fn files_are_short() {
    let offences = rust_files().into_iter().filter_map(|file| {
        let lines = file.text.lines().count();
        let limit = if file.is_test() {
            MAX_TEST_FILE_LINES
        } else {
            MAX_FILE_LINES
        };
        (lines > limit).then(|| format!("{}: {lines} lines, at most {limit}", file.path))
    });
    nothing(
        offences,
        "split the file by subject; tests can move to a `tests.rs` beside it",
    );
}

#[test]
fn functions_are_short() {
    let offences = rust_files()
        .into_iter()
        .filter(|file| !file.is_test())
        .flat_map(|file| {
            let functions = functions(&code_only(&file.text)).into_iter();
            functions.filter(|function| function.lines > MAX_FUNCTION_LINES).map(
                move |Function { name, line, lines }| {
                    format!(
                        "{}:{line}: `{name}` has {lines} lines, at most {MAX_FUNCTION_LINES}",
                        file.path
                    )
                },
            )
        });
    nothing(offences, "move a part that has a name of its own into a function");
}

#[test]
fn lines_are_short() {
    let offences = rust_files().into_iter().flat_map(|file| {
        let long = file
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.chars().count() > MAX_COLUMNS);
        long.map(|(index, _)| format!("{}:{}", file.path, index + 1))
            .collect::<Vec<_>>()
    });
    nothing(
        offences,
        &format!("break the line at {MAX_COLUMNS} columns (rustfmt leaves comments and strings alone)"),
    );
}

#[test]
fn nothing_is_left_for_later() {
    let sources = files()
        .into_iter()
        .filter(|file| file.path.starts_with("crates/") && file.is_a(&SOURCES));
    let offences = sources.flat_map(|file| {
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        unfinished(&text)
            .into_iter()
            .map(move |(line, word)| format!("{}:{line}: {word}", file.path))
    });
    nothing(offences, "finish it, or leave it out: what is in the tree works");
}

#[test]
fn no_file_is_big() {
    let offences = files()
        .into_iter()
        .filter(|file| !BIG_FILES.contains(&file.path.as_str()))
        .filter_map(|file| {
            let bytes = file.bytes.len();
            let limit = if file.is_a(&["png"]) {
                MAX_PICTURE_BYTES
            } else {
                MAX_FILE_BYTES
            };
            (bytes > limit).then(|| format!("{}: {bytes} bytes, at most {limit}", file.path))
        });
    nothing(offences, "generate it, shrink it, or keep it out of the repository");
}

#[test]
fn migrations_do_not_change() {
    let schema = root().join("crates/campanile-core/schema");
    let migrations: BTreeMap<String, Vec<u8>> = files()
        .into_iter()
        .filter_map(|file| {
            Some((
                file.path.strip_prefix("crates/campanile-core/schema/")?.to_owned(),
                file.bytes,
            ))
        })
        .filter(|(name, _)| is_migration(name))
        .collect();
    if migrations.is_empty() {
        return;
    }
    let list = std::fs::read_to_string(schema.join("checksums.txt")).unwrap_or_default();
    nothing(
        checksum_offences(&migrations, &list),
        "crates/campanile-core/schema/checksums.txt has one line `SHA-256  NAME` for each migration, as \
         `sha256sum` prints it. A released migration never changes: write the next one. One that nobody has run yet \
         may change, and its line with it",
    );
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let names = files()
        .into_iter()
        .filter_map(|file| Some(file.path.strip_prefix("crates/campanile-core/schema/")?.to_owned()));
    let mut names: Vec<String> = names.filter(|name| is_migration(name)).collect();
    names.sort();
    let offences = names
        .iter()
        .enumerate()
        .filter(|(index, name)| !name.starts_with(&format!("{:04}_", index + 1)));
    nothing(
        offences.map(|(_, name)| name.clone()),
        "the number of a migration is that of the one before it and one",
    );
}

#[test]
fn dependencies_point_one_way() {
    let offences = NO_DEPENDENCY.iter().flat_map(|(name, refused, reason)| {
        let manifest =
            std::fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).expect("a member's manifest");
        let manifest = manifest.parse::<toml::Table>().expect("cargo has read it");
        let found = dependencies(&manifest)
            .into_iter()
            .filter(|dependency| refused.contains(&dependency.as_str()));
        found
            .map(|dependency| format!("{name} depends on {dependency}: {reason}"))
            .collect::<Vec<_>>()
    });
    nothing(offences, "move what needs it into a crate that may have it");
}

#[test]
fn siblings_do_not_import_one_another() {
    let offences = rust_files().into_iter().flat_map(|file| {
        let Some(path) = file.path.strip_prefix("crates/campanile/src/") else {
            return Vec::new();
        };
        let path = module_path(path);
        let imports = sibling_imports(&path, &code_only(&file.text)).into_iter();
        imports
            .map(|(line, import)| format!("{}:{line}: crate::{import}", file.path))
            .collect()
    });
    nothing(
        offences,
        "move what both need to a module of its own beside them, or to campanile-core. If it truly belongs to the \
         sibling, add it to SHARED in tests/tidy.rs, where the reviewer sees it",
    );
}

// ------------------------------------------------------------------------------------------------ the files

/// A file of the repository, its path relative to the root and with `/`.
struct File {
    path: String,
    bytes: Vec<u8>,
}

impl File {
    /// Whether the name of the file ends in one of these.
    fn is_a(&self, kinds: &[&str]) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|end| kinds.iter().any(|kind| end == *kind))
    }
}

/// A Rust file below `crates/`.
struct RustFile {
    path: String,
    text: String,
}

impl RustFile {
    /// Whether the file holds tests alone: it lies in a folder `tests`, or is the module `tests` of the one beside it.
    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the crate lies two folders below the root")
}

fn files() -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the repository") {
            let entry = entry.expect("a folder of the repository");
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().expect("an entry of the repository");
            if NOT_OURS.contains(&name.as_str()) || NOT_OURS_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
                continue;
            }
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let path = entry.path();
                let inside = path.strip_prefix(&root).expect("found below the root");
                let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
                found.push(File {
                    path: parts.join("/"),
                    bytes: std::fs::read(&path).expect("a readable file"),
                });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(
        found.iter().any(|file| file.path == "Cargo.toml"),
        "the walk over the repository has missed its root"
    );
    found
}

fn rust_files() -> Vec<RustFile> {
    let rust = files()
        .into_iter()
        .filter(|file| file.path.starts_with("crates/") && file.is_a(&["rs"]));
    let rust: Vec<_> = rust
        .map(|File { path, bytes }| {
            let text = String::from_utf8(bytes).unwrap_or_else(|_| panic!("{path} is not UTF-8"));
            RustFile { path, text }
        })
        .collect();
    assert!(
        rust.iter().any(|file| file.path == "crates/campanile/src/main.rs"),
        "the walk has missed the sources"
    );
    rust
}

/// Fails with all offences at once and the advice, if there is one.
fn nothing(offences: impl IntoIterator<Item = String>, advice: &str) {
    let mut list = String::new();
    for offence in offences {
        write!(list, "\n  {offence}").expect("a string takes everything");
    }
    assert!(list.is_empty(), "{list}\n{advice}.\n");
}

// ------------------------------------------------------------------------------------------------ reading Rust

/// The source with every comment, and the inside of every string and character, turned into spaces. Lines stay.
fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_text(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|&char| if char == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Where the comment, string or character that begins here ends; `at` itself if none begins here.
fn end_of_text(chars: &[char], at: usize) -> usize {
    let starts_with = |at: usize, text: &str| {
        text.chars()
            .enumerate()
            .all(|(i, char)| chars.get(at + i) == Some(&char))
    };
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if starts_with(at, "//") => chars[at..]
            .iter()
            .position(|&char| char == '\n')
            .map_or(chars.len(), |n| at + n),
        '/' if starts_with(at, "/*") => {
            let (mut end, mut depth) = (at + 2, 1);
            while depth > 0 && end < chars.len() {
                let step = match () {
                    () if starts_with(end, "*/") => -1,
                    () if starts_with(end, "/*") => 1,
                    () => 0,
                };
                depth += step;
                end += if step == 0 { 1 } else { 2 };
            }
            end.min(chars.len())
        }
        // Raw strings: r"…", r#"…"#, br"…". An `r#word` has no quote and is code.
        'r' if !in_word || (at > 0 && chars[at - 1] == 'b') => {
            let hashes = chars[at + 1..].iter().take_while(|&&char| char == '#').count();
            if chars.get(at + 1 + hashes) != Some(&'"') {
                return at;
            }
            let close: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let inside = at + 2 + hashes;
            (inside..chars.len())
                .find(|&end| starts_with(end, &close))
                .map_or(chars.len(), |end| end + 1 + hashes)
        }
        '"' => end_of_quoted(chars, at, '"'),
        // A character, or a lifetime: 'a' closes after one character, 'a does not.
        '\'' if chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'') => end_of_quoted(chars, at, '\''),
        _ => at,
    }
}

fn end_of_quoted(chars: &[char], at: usize, quote: char) -> usize {
    let mut end = at + 1;
    while end < chars.len() && chars[end] != quote {
        end += if chars[end] == '\\' { 2 } else { 1 };
    }
    (end + 1).min(chars.len())
}

#[derive(Debug, PartialEq)]
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// The functions with a body, outside modules that are compiled for tests alone.
fn functions(code: &str) -> Vec<Function> {
    let tests = test_modules(code);
    let mut found = Vec::new();
    for (at, name) in names_after(code, "fn") {
        // The body, or the `;` of a declaration. Brackets are skipped: `[u8; 4]` ends nothing.
        let mut depth = 0;
        let body = code[at..].char_indices().find(|&(_, char)| {
            depth += match char {
                '(' | '[' => 1,
                ')' | ']' => -1,
                _ => 0,
            };
            depth == 0 && (char == '{' || char == ';')
        });
        let Some((offset, '{')) = body else { continue };
        if tests.iter().any(|module| module.contains(&at)) {
            continue;
        }
        let line = line_of(code, at);
        found.push(Function {
            name,
            line,
            lines: line_of(code, end_of_block(code, at + offset)) + 1 - line,
        });
    }
    found
}

/// The spans of `#[cfg(test)]` modules.
fn test_modules(code: &str) -> Vec<std::ops::Range<usize>> {
    let attributes = code.match_indices("#[cfg(test)]");
    let spans = attributes.filter_map(|(at, attribute)| {
        let open = at + code[at..].find(['{', ';'])?;
        let is_module = code[at + attribute.len()..open]
            .split_whitespace()
            .any(|word| word == "mod");
        (is_module && code[open..].starts_with('{')).then(|| at..end_of_block(code, open))
    });
    spans.collect()
}

/// Where the block that opens here closes.
fn end_of_block(code: &str, open: usize) -> usize {
    let mut depth = 0;
    let close = code[open..].char_indices().find(|&(_, char)| {
        depth += match char {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth == 0
    });
    close.map_or(code.len(), |(offset, _)| open + offset)
}

/// The names that follow a keyword, with the place of the keyword.
fn names_after(code: &str, keyword: &str) -> Vec<(usize, String)> {
    let places = code
        .match_indices(keyword)
        .filter(|&(at, _)| !code[..at].ends_with(is_word));
    let named = places.filter_map(|(at, _)| {
        let rest = &code[at + keyword.len()..];
        let name = rest.trim_start();
        let length = name.find(|char| !is_word(char)).unwrap_or(name.len());
        (name.len() < rest.len() && length > 0).then(|| (at, name[..length].to_owned()))
    });
    named.collect()
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Lines with a word of [`UNFINISHED`]. A longer word that contains one (a row of letters in a file name) is none.
fn unfinished(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for word in UNFINISHED {
        let whole = |at: usize| {
            let ends_in_word = word.ends_with(is_word) && text[at + word.len()..].starts_with(is_word);
            let begins_in_word = word.starts_with(is_word) && text[..at].ends_with(is_word);
            !ends_in_word && !begins_in_word
        };
        found.extend(
            text.match_indices(word)
                .filter(|&(at, _)| whole(at))
                .map(|(at, _)| (line_of(text, at), word)),
        );
    }
    found
}

// ------------------------------------------------------------------------------------------------ migrations

/// `0001_start.sql`, directly in the folder.
fn is_migration(name: &str) -> bool {
    let number = name.bytes().take_while(u8::is_ascii_digit).count();
    number > 0 && !name.contains('/') && Path::new(name).extension().is_some_and(|end| end == "sql")
}

fn checksum_offences(migrations: &BTreeMap<String, Vec<u8>>, list: &str) -> Vec<String> {
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut listed: BTreeMap<&str, &str> = lines
        .filter_map(|line| line.split_once("  "))
        .map(|(sum, name)| (name, sum))
        .collect();
    let mut offences = Vec::new();
    for (name, bytes) in migrations {
        let mut sum = String::new();
        for byte in ring::digest::digest(&ring::digest::SHA256, bytes).as_ref() {
            write!(sum, "{byte:02x}").expect("a string takes everything");
        }
        match listed.remove(name.as_str()) {
            None => offences.push(format!("{name} is not listed; its line is: {sum}  {name}")),
            Some(listed) if listed != sum => offences.push(format!("{name} has changed; its sum is now {sum}")),
            Some(_) => {}
        }
    }
    offences.extend(listed.keys().map(|name| format!("{name} is listed, and is gone")));
    offences
}

// ------------------------------------------------------------------------------------------------ directions

/// The packages that a crate is compiled with, by their own names, on any target; not those of its tests.
fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let table = |table: &toml::Table, key: &str| {
        table
            .get(key)
            .and_then(toml::Value::as_table)
            .cloned()
            .unwrap_or_default()
    };
    let mut places = vec![manifest.clone()];
    places.extend(
        table(manifest, "target")
            .into_iter()
            .filter_map(|(_, value)| value.as_table().cloned()),
    );
    let kinds = ["dependencies", "build-dependencies"];
    let entries = places
        .iter()
        .flat_map(|place| kinds.map(|kind| table(place, kind)))
        .flatten();
    entries
        .map(|(name, value)| {
            value
                .get("package")
                .and_then(toml::Value::as_str)
                .map_or(name, str::to_owned)
        })
        .collect()
}

/// The module that a file below `src/` holds: `api/inbox.rs` is `api`, `inbox`.
fn module_path(file: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
        parts.pop();
    }
    parts
}

/// What a module imports of a sibling without leave: line and path.
fn sibling_imports(module: &[&str], code: &str) -> Vec<(usize, String)> {
    let Some(&own) = module.first().filter(|first| SIBLINGS.contains(first)) else {
        return Vec::new();
    };
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("crate").chain(code.match_indices("super")) {
        if code[..at].ends_with(is_word) || code[..at].trim_end().ends_with("::") {
            continue;
        }
        let mut reader = PathReader {
            rest: &code[at..],
            found: Vec::new(),
        };
        reader.read(&[]);
        paths.extend(reader.found.into_iter().map(|path| (line_of(code, at), path)));
    }
    let from_root = paths.into_iter().filter_map(|(line, path)| {
        let supers = path.iter().take_while(|part| part.as_str() == "super").count();
        let skipped = if path[0] == "crate" { 1 } else { supers };
        (path[0] == "crate" || supers >= module.len()).then(|| (line, path[skipped..].to_vec()))
    });
    let foreign = from_root.filter(|(_, path)| {
        let Some(sibling) = path
            .first()
            .filter(|first| SIBLINGS.contains(&first.as_str()) && *first != own)
        else {
            return false;
        };
        let part = path.get(1).map_or("", String::as_str);
        !SHARED.contains(&(own, sibling.as_str(), part))
    });
    foreign.map(|(line, path)| (line, path.join("::"))).collect()
}

/// Reads a path or a use tree into the single paths that it names: `a::{b, c::d}` is `a::b` and `a::c::d`.
struct PathReader<'a> {
    rest: &'a str,
    found: Vec<Vec<String>>,
}

impl PathReader<'_> {
    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn word(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        let length = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
        self.rest = &rest[length..];
        (length > 0).then(|| rest[..length].to_owned())
    }

    fn read(&mut self, before: &[String]) {
        if self.take("{") {
            while !self.take("}") {
                let left = self.rest.len();
                self.read(before);
                if self.take("as ") {
                    self.word();
                }
                self.take(",");
                if self.rest.len() == left {
                    return; // no use tree after all
                }
            }
            return;
        }
        let mut path = before.to_vec();
        if let Some(word) = self.word() {
            path.push(word);
            if self.take("::") {
                return self.read(&path);
            }
        } else if self.take("*") {
            path.push("*".to_owned());
        }
        self.found.push(path);
    }
}

// ------------------------------------------------------------------------------------------------ the rules can fail

#[test]
fn comments_strings_and_characters_are_no_code() {
    let source = "a /* { /* } */ \" */ b // {\nc \"{ \\\" {\" d r#\"{ \" {\"# e '{' f '\\'' g<'x> br\"{\" r#fn";
    let code = code_only(source);
    assert_eq!(
        code.split_whitespace().collect::<Vec<_>>(),
        ["a", "b", "c", "d", "e", "f", "g<'x>", "b", "r#fn"]
    );
    assert_eq!(code.lines().count(), source.lines().count());
}

#[test]
fn a_function_is_measured_from_fn_to_its_brace() {
    let source = "impl A {\n fn one(x: [u8; 4]) -> fn(u8) {\n if x { \"}\" }\n }\n fn declared();\n}\nfn two() {}\n";
    let expected = [("one", 2, 3), ("two", 7, 1)].map(|(name, line, lines)| Function {
        name: name.to_owned(),
        line,
        lines,
    });
    assert_eq!(functions(&code_only(source)), expected);
}

#[test]
fn a_function_of_a_test_module_is_not_measured() {
    let source = "#[cfg(test)]\nmod tests {\n    fn long() {\n    }\n}\n#[cfg(test)]\nfn helper() {}\nfn after() {}\n";
    let names: Vec<_> = functions(&code_only(source))
        .into_iter()
        .map(|function| function.name)
        .collect();
    assert_eq!(names, ["helper", "after"]);
}

#[test]
fn unfinished_work_is_found_as_a_whole_word() {
    for word in UNFINISHED {
        assert_eq!(unfinished(&format!("\n// {word} x")), [(2, word)]);
    }
    assert_eq!(unfinished(&format!("mktemp {}", "X".repeat(6))), []);
}

#[test]
fn a_migration_that_changed_is_unlisted_or_is_gone_is_found() {
    let migrations = BTreeMap::from([("0001_a.sql".to_owned(), b"abc".to_vec())]);
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, B.1
    assert_eq!(
        checksum_offences(&migrations, &format!("# comment\n{sum}  0001_a.sql\n")),
        Vec::<String>::new()
    );
    assert_eq!(checksum_offences(&migrations, "").len(), 1);
    assert_eq!(checksum_offences(&migrations, "00  0001_a.sql\n").len(), 1);
    assert_eq!(
        checksum_offences(&migrations, &format!("{sum}  0001_a.sql\n{sum}  0002_b.sql\n")).len(),
        1
    );
}

#[test]
fn dependencies_are_found_by_their_own_name() {
    let manifest = "[dependencies]\na = '1'\nb = { package = 'tokio' }\n\
                    [dev-dependencies]\nc = '1'\n[target.x.dependencies]\nd = '1'\n";
    assert_eq!(dependencies(&manifest.parse().expect("TOML")), ["a", "tokio", "d"]);
}

#[test]
fn imports_of_siblings_are_found_in_every_spelling() {
    let inbox = module_path("api/inbox.rs");
    for import in [
        "use crate::console;",
        "use crate::{app::App, console::pages::{self, X}};",
        "use\n    crate :: console;",
        "fn f() { crate::console::page::<u8>() }",
        "use super::super::console;",
        "pub(crate) use crate::console::*;",
    ] {
        assert_eq!(sibling_imports(&inbox, import).len().min(1), 1, "{import}");
    }
    for import in [
        "use crate::api::inbox;",
        "use super::console;",
        "use crate::app::api;",
        "pub(crate) fn f() {}",
        "let subcrate = console;",
    ] {
        assert_eq!(sibling_imports(&inbox, import), [], "{import}");
    }
}

#[test]
fn compat_may_use_the_problem_of_the_api_and_no_more() {
    let compat = module_path("compat/asm.rs");
    assert_eq!(sibling_imports(&compat, "use crate::api::problem::Problem;"), []);
    let found = sibling_imports(&compat, "\nuse crate::api::{problem::{Problem, kind}, auth};");
    assert_eq!(found, [(2, "api::auth".to_owned())]);
}
