//! What the rules said against a form, to be shown beside its fields.

use campanile_core::Fault;

use super::page::Viewer;
use crate::problem::{Kind, Problem};

/// Reasons by field, in the reader's language.
#[derive(Debug, Default)]
pub(super) struct Refused(Vec<Fault>);

impl Refused {
    /// Out of a refusal that a form can show: of its values, or because the present state does not allow it. Any other
    /// problem is handed back.
    pub(super) fn of(reader: &Viewer, problem: Problem) -> Result<Self, Problem> {
        if !matches!(problem.kind, Kind::Invalid | Kind::Conflict | Kind::Malformed) {
            return Err(problem);
        }
        if problem.errors.is_empty() {
            return Ok(Self::default().and("", reader.refusal(&problem.detail)));
        }
        let said = |fault: Fault| Fault {
            reason: reader.refusal(&fault.reason),
            field: fault.field,
        };
        Ok(Self(problem.errors.into_iter().map(said).collect()))
    }

    /// With one more reason, which is in the reader's language already.
    #[must_use]
    pub(super) fn and(mut self, field: impl Into<String>, reason: impl Into<String>) -> Self {
        self.0.push(Fault {
            field: field.into(),
            reason: reason.into(),
        });
        self
    }

    /// Whether anything was refused.
    #[must_use]
    pub(super) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// What is said of a field.
    #[must_use]
    pub(super) fn at(&self, field: &str) -> Option<&str> {
        let fault = self.0.iter().find(|fault| fault.field == field);
        fault.map(|fault| fault.reason.as_str())
    }

    /// What is said of none of these fields: it stands in the summary.
    #[must_use]
    pub(super) fn beside(&self, fields: &[&str]) -> Vec<String> {
        let others = self.0.iter().filter(|fault| !fields.contains(&fault.field.as_str()));
        others.map(ToString::to_string).collect()
    }
}
