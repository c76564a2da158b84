//! One part of an audience as it stands in a form and in an address, and as people read it.

use std::borrow::Borrow;

use campanile_core::message::target::Target;

use crate::console::words::Words;

/// A part of an audience with the name of what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::console) struct Named {
    pub(in crate::console) target: Target,
    /// Of the environment, API, customer, group or user.
    pub(in crate::console) name: String,
}

impl Named {
    /// As a form sends it.
    pub(super) fn value(&self) -> String {
        write(&self.target)
    }

    /// As people read it.
    pub(in crate::console) fn words(&self, words: impl Borrow<Words>) -> String {
        let key = format!("part-{}", kind(&self.target));
        let role = match &self.target {
            Target::EnvironmentRole { role, .. } | Target::ApiRole { role, .. } => role.as_str(),
            _ => "",
        };
        words
            .borrow()
            .with(&key, [("what", self.name.as_str().into()), ("role", role.into())])
    }
}

/// The same parts, with the roles of one environment or API in one: `ADMIN, USER in Production`.
pub(super) fn gathered(parts: &[Named]) -> Vec<Named> {
    let mut out: Vec<Named> = Vec::with_capacity(parts.len());
    for part in parts {
        let known = out
            .iter_mut()
            .find_map(|other| match (&mut other.target, &part.target) {
                (
                    Target::EnvironmentRole { environment: at, role },
                    Target::EnvironmentRole {
                        environment,
                        role: more,
                    },
                ) if at == environment => Some((role, more)),
                (Target::ApiRole { api: at, role }, Target::ApiRole { api, role: more }) if at == api => {
                    Some((role, more))
                }
                _ => None,
            });
        match known {
            Some((roles, more)) => {
                roles.push_str(", ");
                roles.push_str(more);
            }
            None => out.push(part.clone()),
        }
    }
    out
}

/// The kind of a target in names of texts.
pub(super) const fn kind(target: &Target) -> &'static str {
    match target {
        Target::EnvironmentRole { .. } => "role",
        Target::ApiRole { .. } => "api-role",
        Target::Subscribers { any_status: true, .. } => "subscribed",
        Target::Subscribers { .. } => "subscribers",
        Target::Customer {
            include_sub_customers: false,
            ..
        } => "customer",
        Target::Customer { .. } => "subtree",
        Target::Everyone => "everyone",
        Target::Group { .. } => "group",
        Target::User { .. } => "user",
    }
}

/// A target in one line: its kind and its ids, with `/` between and `/` and `%` in ids escaped.
pub(super) fn write(target: &Target) -> String {
    let escaped = |id: &str| id.replace('%', "%25").replace('/', "%2F");
    let ids: Vec<String> = match target {
        Target::EnvironmentRole { environment, role } => vec![escaped(environment), escaped(role)],
        Target::ApiRole { api, role } => vec![escaped(api), escaped(role)],
        Target::Subscribers { api, .. } => vec![escaped(api)],
        Target::Customer { customer, .. } => vec![customer.to_string()],
        Target::Everyone => Vec::new(),
        Target::Group { group } => vec![escaped(group)],
        Target::User { user } => vec![escaped(user)],
    };
    [vec![kind(target).to_owned()], ids].concat().join("/")
}

/// What [`write()`] wrote; `None` for anything else.
pub(super) fn read(text: &str) -> Option<Target> {
    let plain = |id: &str| id.replace("%2F", "/").replace("%25", "%");
    let parts: Vec<&str> = text.split('/').collect();
    Some(match parts.as_slice() {
        ["role", environment, role] => Target::EnvironmentRole {
            environment: plain(environment),
            role: plain(role),
        },
        ["api-role", api, role] => Target::ApiRole {
            api: plain(api),
            role: plain(role),
        },
        [kind @ ("subscribers" | "subscribed"), api] => Target::Subscribers {
            api: plain(api),
            any_status: *kind == "subscribed",
        },
        [kind @ ("customer" | "subtree"), customer] => Target::Customer {
            customer: customer.parse().ok()?,
            include_sub_customers: *kind == "subtree",
        },
        ["everyone"] => Target::Everyone,
        ["group", group] => Target::Group { group: plain(group) },
        ["user", user] => Target::User { user: plain(user) },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_one_place_are_read_together() {
        let named = |text| Named {
            target: read(text).unwrap(),
            name: "Production".to_owned(),
        };
        let parts = ["role/A/ADMIN", "everyone", "role/A/USER", "role/B/USER"].map(named);
        let words = Words::choose(None, None);
        let said: Vec<String> = gathered(&parts).iter().map(|part| part.words(words)).collect();
        assert_eq!(said, ["ADMIN, USER in Production", "everyone", "USER in Production"]);
    }

    #[test]
    fn what_a_form_sends_back_is_what_it_was_given() {
        for text in [
            "role/DEFAULT/ADMIN",
            "api-role/pets/OWNER",
            "subscribers/pets",
            "subscribed/pets",
            "customer/17",
            "subtree/17",
            "everyone",
            "group/g-1",
            "user/u-ann",
            "role/a%2Fb/100%25",
        ] {
            assert_eq!(read(text).map(|target| write(&target)).as_deref(), Some(text));
        }
        assert_eq!(
            read("group/a%2Fb%252F"),
            Some(Target::Group {
                group: "a/b%2F".to_owned()
            })
        );
        for text in ["", "role/DEFAULT", "customer/x", "everyone/x", "nobody"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
