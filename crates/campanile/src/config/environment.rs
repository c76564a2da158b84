//! The environment: the one door through which it comes in, and a word about variables that are none of ours.

use super::file::nearest;
use super::{http, settings};

/// A variable of the environment. Not UTF-8 is read with replacement characters, and refused by what reads the value.
/// Empty is not set: that is how a container's file of variables leaves one out.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one door through which the environment comes in"
    )]
    let value = std::env::var_os(name)?;
    Some(value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

/// Variables that are no settings of the server: where the settings are, and what `campanile send` takes.
const OTHER_VARIABLES: [&str; 6] = [
    "CAMPANILE_CONFIG",
    "CAMPANILE_URL",
    "CAMPANILE_TOKEN",
    "CAMPANILE_TOKEN_FILE",
    "CAMPANILE_PASSWORD",
    "CAMPANILE_PASSWORD_FILE",
];

/// What to tell of variables of this process whose names begin as ours and are none of ours: a slip of the pen would
/// otherwise be a setting that is silently not there. They are no error, since others name variables too.
/// And of proxies of the system that cannot be used.
#[must_use]
pub fn unknown_variables() -> Vec<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one door through which the environment comes in"
    )]
    let all = std::env::vars_os();
    let mut told = told_of(all.map(|(name, value)| {
        let text = |part: std::ffi::OsString| part.to_string_lossy().into_owned();
        (text(name), text(value))
    }));
    told.extend(http::unusable(&variable));
    told
}

fn told_of(variables: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let twins = settings().map(|setting| (twin(setting.name), setting.secret));
    let files = twins
        .clone()
        .filter(|(_, secret)| *secret)
        .map(|(name, _)| format!("{name}_FILE"));
    let known: Vec<String> = twins
        .map(|(name, _)| name)
        .chain(files)
        .chain(OTHER_VARIABLES.map(str::to_owned))
        .collect();
    let mut told: Vec<_> = variables
        .filter(|(name, value)| name.starts_with(PREFIX) && !known.contains(name) && !is_of_a_service(name, value))
        .map(|(name, _)| {
            let nearest = nearest(&name, known.iter().map(String::as_str), PREFIX.len());
            let hint = nearest
                .map(|name| format!("; did you mean {name}?"))
                .unwrap_or_default();
            let name = crate::words::printable(&name);
            format!("the variable {name} is not known, and changes nothing{hint}")
        })
        .collect();
    told.sort();
    told
}

/// Kubernetes sets such variables for a service of the name "campanile".
fn is_of_a_service(name: &str, value: &str) -> bool {
    name.contains("_SERVICE_") || name.contains("_PORT_") || value.starts_with("tcp://")
}

const PREFIX: &str = "CAMPANILE_";

/// The name of a setting in the environment.
pub(super) fn twin(setting: &str) -> String {
    format!("{PREFIX}{}", setting.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_none_of_ours_is_told_with_the_one_that_was_meant() {
        let set = [
            ("CAMPANILE_LISTN", "x"),
            ("CAMPANILE_DATABSE", "x"),
            ("CAMPANILE_SECRET_KEY_FIL", "x"),
            ("CAMPANILE_TOKN", "secret"),
            ("CAMPANILE_ZEBRA", "x"),
            // These are known, or somebody else's.
            ("CAMPANILE_LISTEN", "x"),
            ("CAMPANILE_ADMIN_PASSWORD_FILE", "x"),
            ("CAMPANILE_CONFIG", "x"),
            ("CAMPANILE_URL", "x"),
            ("CAMPANILE_SERVICE_HOST", "10.0.0.1"),
            ("CAMPANILE_PORT_8480_TCP", "tcp://10.0.0.1:8480"),
            ("CAMPANILE_PORT", "tcp://10.0.0.1:8480"),
            ("LISTEN", "x"),
        ];
        let told = told_of(set.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        insta::assert_snapshot!(told.join("\n"));
    }
}
