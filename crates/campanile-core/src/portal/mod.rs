//! People and customers as the UI messages contract has them (its section 1.8): the directory, with what that contract
//! says beyond it. It is made true by entries of the directory, as everything there; the rest is a row beside it.

pub mod customer;
pub mod role;
pub mod user;

use crate::error::{Error, Fault, Faults};
use crate::markup::breaks_line;

/// Notes a fault unless a text has at most so many characters and no control character.
fn plain(faults: &mut Faults, field: &str, text: &str, chars: usize) {
    let fits = (text.len() <= chars || text.chars().count() <= chars) && !text.contains(breaks_line);
    faults.require(
        fits,
        field,
        format!("must have at most {chars} characters, and no control characters"),
    );
}

/// A fault of an entry, with its field as the contract calls it.
fn renamed(error: Error, names: &[(&str, &str)]) -> Error {
    let Error::Invalid(faults) = error else {
        return error;
    };
    let renamed = faults.into_iter().map(|fault| {
        let name = names.iter().find(|(ours, _)| *ours == fault.field);
        Fault {
            field: name.map_or(fault.field, |(_, theirs)| (*theirs).to_owned()),
            reason: fault.reason,
        }
    });
    Error::Invalid(renamed.collect())
}
