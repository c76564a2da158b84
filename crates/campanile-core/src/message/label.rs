//! The names that people know the parts of an audience by. Whether a reader may know them is the caller's business.

use campanile_store::{Sql, Tx, sql};

use super::target::Target;
use crate::error::Result;

sql! {
    ENVIRONMENT = "SELECT name FROM environment WHERE key = $1";
    API = "SELECT name FROM api WHERE key = $1";
    GROUP = "SELECT name FROM grp WHERE key = $1";
    PERSON = "SELECT name FROM person WHERE key = $1";
    CUSTOMER = "SELECT name FROM customer WHERE id = $1";
}

/// The name of what a target names: of its environment, API, customer, group or user. Of a thing that does not exist it
/// is the id, and of everyone it is empty.
pub fn label(tx: &mut Tx<'_>, target: &Target) -> Result<String> {
    let mut named = |sql: &'static Sql, key: &str| -> Result<String> {
        let name = tx.first(sql, &[&key], |row| row.get(0))?;
        Ok(name.unwrap_or_else(|| key.to_owned()))
    };
    match target {
        Target::EnvironmentRole { environment, .. } => named(&ENVIRONMENT, environment),
        Target::ApiRole { api, .. } | Target::Subscribers { api, .. } => named(&API, api),
        Target::Group { group } => named(&GROUP, group),
        Target::User { user } => named(&PERSON, user),
        Target::Customer { customer, .. } => {
            let name = tx.first(&CUSTOMER, &[customer], |row| row.get(0))?;
            Ok(name.unwrap_or_else(|| customer.to_string()))
        }
        Target::Everyone => Ok(String::new()),
    }
}
