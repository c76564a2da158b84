//! The addresses of the contract, in whatever case they are typed (its section 1.1).

/// An address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// As the router has it, as it is logged and counted.
    pub(crate) pattern: &'static str,
    /// What a refusal calls the body that is sent there; empty where none is.
    pub(crate) body: &'static str,
}

pub(super) const MESSAGES: &str = "/v3/messages";
pub(super) const MESSAGE: &str = "/v3/messages/{id}";
pub(super) const USERS: &str = "/v3/users";
pub(super) const USER: &str = "/v3/users/{guid}";
pub(super) const CUSTOMERS: &str = "/v3/customers";
pub(super) const CUSTOMER: &str = "/v3/customers/{id}";
pub(super) const SUBSCRIPTION: &str = "/v3/customers/{id}/subscription";
pub(super) const ROLES: &str = "/v3/roles";

/// All of them. One that is not here is nowhere, whatever the router has.
static PLACES: [Place; 8] = [
    at(MESSAGES, "message"),
    at(MESSAGE, "message"),
    at(USERS, "user"),
    at(USER, ""),
    at(CUSTOMERS, "customer"),
    at(CUSTOMER, ""),
    at(SUBSCRIPTION, "customer.subscription"),
    at(ROLES, ""),
];

const fn at(pattern: &'static str, body: &'static str) -> Place {
    Place { pattern, body }
}

/// Whether a path belongs to this contract, be there something or not.
pub(crate) fn is_ours(path: &str) -> bool {
    let (start, rest) = path.as_bytes().split_at_checked(3).unwrap_or_default();
    start.eq_ignore_ascii_case(b"/v3") && matches!(rest, [] | [b'/', ..])
}

/// The address of a path.
pub(crate) fn find(path: &str) -> Option<&'static Place> {
    PLACES.iter().find(|place| segments(path, place.pattern).is_some())
}

/// The path as the router has it; `None` where it is so already. What stands for a parameter stays as it was typed.
pub(super) fn routed(path: &str, place: &Place) -> Option<String> {
    let segments = segments(path, place.pattern)?;
    let routed = segments.fold(String::with_capacity(path.len()), |all, segment| all + "/" + segment);
    (routed != path).then_some(routed)
}

/// The segments of a path that fits a pattern, the fixed ones as the pattern has them. A slash may follow the last.
fn segments<'a>(path: &'a str, pattern: &'static str) -> Option<impl Iterator<Item = &'a str>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let pairs = || path.split('/').zip(pattern[1..].split('/'));
    let fits = path.split('/').count() == pattern[1..].split('/').count()
        && pairs().all(|(given, wanted)| {
            if wanted.starts_with('{') {
                !given.is_empty()
            } else {
                given.eq_ignore_ascii_case(wanted)
            }
        });
    fits.then(|| pairs().map(|(given, wanted)| if wanted.starts_with('{') { given } else { wanted }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_any_case_and_with_a_slash() {
        for (path, pattern, as_routed) in [
            ("/v3/users", USERS, None),
            ("/V3/Users", USERS, Some("/v3/users")),
            ("/v3/users/", USERS, Some("/v3/users")),
            ("/v3/USERS/aBc-1", USER, Some("/v3/users/aBc-1")),
            ("/v3/users/aBc-1", USER, None),
            (
                "/v3/customers/7/Subscription/",
                SUBSCRIPTION,
                Some("/v3/customers/7/subscription"),
            ),
        ] {
            let place = find(path).unwrap();
            assert_eq!(place.pattern, pattern, "{path}");
            assert_eq!(routed(path, place).as_deref(), as_routed, "{path}");
        }
        for path in [
            "/v3",
            "/v3/",
            "/v3//users",
            "/v3/users//",
            "/v3/user",
            "/v3/users/a/b",
            "/users",
            "/",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_ours_begins_with_a_whole_segment() {
        for path in ["/v3", "/V3/", "/v3/nothing/here"] {
            assert!(is_ours(path), "{path}");
        }
        for path in ["", "/", "/v", "/v30", "/api/v3/", "/v3x/users", "/\u{e9}"] {
            assert!(!is_ours(path), "{path}");
        }
    }
}
