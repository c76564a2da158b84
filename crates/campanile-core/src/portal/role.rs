//! The roles of the contract's portal (its section 1.4). Only `CustomerAdmin` decides anything here, and `RootAdmin`,
//! which the contract's list has not: its operators are no role there. The others are kept with the person.

use crate::error::{Error, Faults, Result};
use crate::rights::{AsmRole, Rights};

/// A root administrator.
pub const ROOT: &str = "RootAdmin";
/// The administrator of a customer and of those below it.
pub const CUSTOMER: &str = "CustomerAdmin";
/// Who is nothing else.
pub const USER: &str = "User";

/// The names of the contract's list, joined as its bodies have them, and ours.
const ALL: [&str; 16] = [
    "AlertAdmin",
    "AlertEditor",
    "AlertRecipientEditor",
    "CheckAdmin",
    "CheckPowerUser",
    CUSTOMER,
    "Impersonator",
    "MaintenanceAdmin",
    "PanelEditor",
    "Partner",
    "ReportUser",
    ROOT,
    "ScenarioAdmin",
    "TagManager",
    USER,
    "UserAdmin",
];
/// What a customer administrator may give.
const OF_CUSTOMERS: [&str; 2] = [CUSTOMER, USER];

/// The names that somebody may give, in the order of their letters.
#[must_use]
pub fn given_by(rights: &Rights) -> &'static [&'static str] {
    if rights.is_root() {
        &ALL
    } else if rights.subtree.is_empty() {
        &[]
    } else {
        &OF_CUSTOMERS
    }
}

/// Roles that were asked for, apart: the one that decides rights, and the others as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sorted {
    pub(super) asm_role: AsmRole,
    pub(super) others: String,
}

/// Sorts the names of a list. `Invalid` names the entry that is no role; `Denied` is who gives what is not theirs to
/// give, where the person does not hold it already.
pub(super) fn sorted(by: &Rights, held: &[&str], wanted: &[String]) -> Result<Sorted> {
    let mut faults = Faults::default();
    if wanted.len() > ALL.len() {
        let why = format!("must be at most {} names", ALL.len());
        return Err(Error::field("roles", why));
    }
    let mut names = Vec::with_capacity(wanted.len());
    for (at, name) in wanted.iter().enumerate() {
        match known(name) {
            Some(name) => names.push(name),
            None => faults.add(
                format!("roles[{at}]"),
                format!("is no role; there is {}", given_by(by).join(", ")),
            ),
        }
    }
    faults.finish()?;
    names.sort_unstable();
    names.dedup();
    let may_give = given_by(by);
    if let Some(name) = names
        .iter()
        .find(|name| !may_give.contains(name) && !held.contains(name))
    {
        return Err(Error::Denied(format!("you may not give the role {name}")));
    }
    let asm_role = if names.contains(&ROOT) {
        AsmRole::RootAdmin
    } else if names.contains(&CUSTOMER) {
        AsmRole::CustomerAdmin
    } else {
        AsmRole::User
    };
    let decides = |name: &str| name == ROOT || name == CUSTOMER;
    let others = names.into_iter().filter(|name| !decides(name));
    let others = others.fold(String::new(), |all, name| all + name + ",");
    Ok(Sorted { asm_role, others })
}

/// A name as it is written here, whatever the case and with or without the blanks of the portal's pages.
fn known(name: &str) -> Option<&'static str> {
    // Longer than any with its blanks, so that what is looked at has a bound.
    if name.len() > 32 {
        return None;
    }
    let joined: String = name.chars().filter(|char| *char != ' ').collect();
    ALL.into_iter().find(|known| known.eq_ignore_ascii_case(&joined))
}

/// The names of a person: by the role that decides rights, and what is stored beside it.
#[must_use]
pub(super) fn names(asm_role: AsmRole, others: &str) -> Vec<&'static str> {
    let deciding = match asm_role {
        AsmRole::RootAdmin => Some(ROOT),
        AsmRole::CustomerAdmin => Some(CUSTOMER),
        AsmRole::User => None,
    };
    let others = others.split(',').filter_map(known);
    let names: Vec<_> = deciding.into_iter().chain(others).collect();
    if names.is_empty() { vec![USER] } else { names }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PersonId;

    fn root() -> Rights {
        Rights {
            asm_role: AsmRole::RootAdmin,
            ..Rights::none(PersonId(1))
        }
    }

    #[test]
    fn names_come_in_any_spelling_and_leave_joined() {
        let wanted = ["report user", "CUSTOMERADMIN", "User", "ReportUser"].map(str::to_owned);
        let sorted = sorted(&root(), &[], &wanted).unwrap();
        assert_eq!(sorted.asm_role, AsmRole::CustomerAdmin);
        assert_eq!(sorted.others, "ReportUser,User,");
        assert_eq!(
            names(sorted.asm_role, &sorted.others),
            ["CustomerAdmin", "ReportUser", "User"]
        );
        assert_eq!(names(AsmRole::User, ""), ["User"]);
    }

    #[test]
    fn what_is_no_role_is_named_by_its_place() {
        let told = sorted(&root(), &[], &["User".into(), "King".into()]).unwrap_err();
        assert!(
            told.to_string()
                .starts_with("roles[1]: is no role; there is AlertAdmin, "),
            "{told}"
        );
    }

    #[test]
    fn a_customer_administrator_gives_two_and_leaves_what_is_held() {
        let admin = Rights {
            asm_role: AsmRole::CustomerAdmin,
            subtree: [17].into_iter().collect(),
            ..Rights::none(PersonId(1))
        };
        let ask = |held: &[&str], name: &str| sorted(&admin, held, &[name.to_owned()]);
        assert!(ask(&[], "CustomerAdmin").is_ok() && ask(&[], "User").is_ok());
        assert!(matches!(ask(&[], "CheckAdmin"), Err(Error::Denied(_))));
        assert!(matches!(ask(&[], "RootAdmin"), Err(Error::Denied(_))));
        assert!(ask(&["CheckAdmin"], "CheckAdmin").is_ok());
    }
}
