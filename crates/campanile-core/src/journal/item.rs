//! What is asked of the journal, and what it answers.

use serde::Serialize;
use serde_json::Value;

use super::{Action, Kind, Via};
use crate::time::{Moment, Revision};

/// Which deeds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of this user, by id or login.
    pub actor: Option<String>,
    /// Only this action.
    pub action: Option<Action>,
    /// Only what was done to this kind.
    pub kind: Option<Kind>,
    /// Only what was done to the one with this id; together with `kind`.
    pub object: Option<String>,
    /// Only from this time on.
    pub from: Option<Moment>,
    /// Only before this time.
    pub to: Option<Moment>,
    /// Only where this stands in the title, the id, the name of who did it, or in what was there before and after, in
    /// any case of letters.
    pub q: Option<String>,
}

/// A person, as the journal names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = JournalWho)]
pub struct Who {
    /// The id in the directory.
    pub id: String,
    /// The login.
    pub login: String,
    /// The name.
    pub name: String,
}

/// A deed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = JournalItem)]
pub struct Item {
    /// Its own id.
    pub id: String,
    /// When.
    pub at: Moment,
    /// Who; null: the server itself, or who has its shell.
    pub actor: Option<Who>,
    /// In whose name; null: in their own.
    pub acting_for: Option<Who>,
    /// The client's address; null where it is not known.
    pub address: Option<String>,
    /// How they showed who they are; null where it is not known.
    pub via: Option<Via>,
    /// The first characters of the id of their personal token, or of the site by whose token they came; null without
    /// one.
    pub token: Option<String>,
    /// What was done.
    pub action: Action,
    /// What was done with it: what is corrected may be switched, or get another audience, by the same change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Action>,
    /// To what.
    pub kind: Kind,
    /// Its id; of tokens, sessions, passwords and memberships that of their user.
    pub object: String,
    /// What it is called; null where it has no name.
    pub name: Option<String>,
    /// Its place in the order of everything; null where it took none.
    pub revision: Option<Revision>,
    /// As it was before; null where there is nothing to be said.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// As it was then; null where there is nothing to be said.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
}
