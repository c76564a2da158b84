//! What compatible interfaces leave out of account in a draft.

/// What is refused of a sender who can be asked, and taken from a program that was written for another server: the
/// compatible interfaces say which. Their messages are as all others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
pub struct Leniency {
    /// Its window may have passed already: it is stored, and nobody sees it.
    pub past: bool,
    /// It may be addressed to nobody: it is stored, at the home that `api` or `environment` says (decision 8).
    pub nobody: bool,
    /// It may name roles that there are not: they are nobody, and the rest of the audience counts.
    pub unknown_roles: bool,
    /// It needs no title where it has a text, which then stands for it in lists and subjects.
    pub untitled: bool,
    /// It may ask for email where this server has no relay: nobody is mailed, also not once there is one.
    pub without_relay: bool,
}
