//! The forms of the directory: which fields a kind has, what they hold, and what is wrong with them.

use askama::Template;
use axum::response::Response;
use campanile_core::Fault;
use campanile_core::rights::AsmRole;

use super::super::page::{self, Reader, show};
use super::lists::{self, Choice, STATUSES};
use super::pick::{Draft, Found};
use super::things::asm_key;
use super::{Kind, Shell, in_shell};
use crate::problem::{Kind as Refusal, Problem};

/// How a field is filled in.
pub(super) enum Input {
    /// A line, of this type of HTML.
    Line(&'static str),
    /// A new password.
    Password,
    /// One of these.
    Choice(Vec<Choice>),
    /// Another thing: its kind, the name of the one that is named, and those that it may be.
    Pick(Kind, Option<String>, Vec<Found>),
}

/// A field with what it holds.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) hint: Option<String>,
    pub(super) value: String,
    pub(super) fault: Option<String>,
    pub(super) input: Input,
    pub(super) required: bool,
}

impl Field {
    /// The type of a line.
    pub(super) const fn line(&self) -> Option<&'static str> {
        match self.input {
            Input::Line(kind) => Some(kind),
            _ => None,
        }
    }

    pub(super) const fn is_password(&self) -> bool {
        matches!(self.input, Input::Password)
    }

    pub(super) fn choices(&self) -> &[Choice] {
        match &self.input {
            Input::Choice(choices) => choices,
            _ => &[],
        }
    }

    /// The address at which a script finds what the field may mean.
    pub(super) fn find(&self) -> Option<String> {
        match self.input {
            Input::Pick(kind, ..) => Some(format!("/directory/find/{}", kind.path())),
            _ => None,
        }
    }

    pub(super) const fn named(&self) -> Option<&String> {
        match &self.input {
            Input::Pick(_, named, _) => named.as_ref(),
            _ => None,
        }
    }

    pub(super) fn found(&self) -> &[Found] {
        match &self.input {
            Input::Pick(_, _, found) => found,
            _ => &[],
        }
    }

    /// What describes it to a screen reader: ids of its fault and its hints.
    pub(super) fn described(&self) -> String {
        let parts = [
            (self.fault.is_some(), "fault"),
            (self.named().is_some(), "named"),
            (self.hint.is_some(), "hint"),
        ];
        let ids = parts
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, what)| format!("{}-{what}", self.name));
        ids.collect::<Vec<_>>().join(" ")
    }
}

#[derive(Template)]
#[template(path = "console/directory/form.html")]
pub(super) struct FormPage<'r> {
    pub(super) shell: Shell<'r>,
    pub(super) action: String,
    /// Where it leads when nothing is to be done, and what that is called.
    pub(super) back: (String, String),
    pub(super) intro: Option<String>,
    pub(super) fields: Vec<Field>,
    /// Faults of no field that is shown.
    pub(super) faults: Vec<String>,
    pub(super) submit: String,
}

in_shell!(FormPage);

impl FormPage<'_> {
    /// Puts each fault beside its field, the others above the form.
    pub(super) fn blame(&mut self, faults: &[Fault]) {
        for fault in faults {
            let said = self.shell.page.refusal(&fault.reason);
            match self.fields.iter_mut().find(|field| field.name == fault.field) {
                Some(field) => field.fault = Some(said),
                None => self.faults.push(said),
            }
        }
    }

    fn is_refused(&self) -> bool {
        !self.faults.is_empty() || self.fields.iter().any(|field| field.fault.is_some())
    }

    /// The page; as a refusal where there is a fault.
    pub(super) fn answer(&self) -> Result<Response, Problem> {
        if self.is_refused() {
            page::refuse(self)
        } else {
            show(self)
        }
    }
}

/// The faults of a refusal that belongs into the form; any other problem is a page of its own.
pub(super) fn faults(problem: Problem) -> Result<Vec<Fault>, Problem> {
    match problem.kind {
        Refusal::Invalid | Refusal::Conflict | Refusal::Malformed => Ok(if problem.errors.is_empty() {
            vec![Fault {
                field: String::new(),
                reason: problem.detail,
            }]
        } else {
            problem.errors
        }),
        _ => Err(problem),
    }
}

// ---------------------------------------------------------------- the fields of each kind

/// The fields that name another thing, by kind.
pub(super) const fn picks(kind: Kind) -> &'static [(&'static str, Kind)] {
    match kind {
        Kind::Customers => &[("parent", Kind::Customers)],
        Kind::Users => &[("customer", Kind::Customers)],
        Kind::Subscriptions => &[
            ("api", Kind::Apis),
            ("application", Kind::Applications),
            ("subscribed_by", Kind::Users),
        ],
        Kind::Groups | Kind::Apis | Kind::Applications | Kind::Environments => &[],
    }
}

/// Makes fields out of a draft.
pub(super) struct Maker<'a> {
    pub(super) reader: &'a Reader,
    pub(super) draft: &'a Draft,
}

impl Maker<'_> {
    pub(super) fn field(&self, name: &'static str, label: &str, input: Input) -> Field {
        Field {
            name,
            label: self.reader.t(&format!("column-{label}")),
            hint: None,
            value: if matches!(input, Input::Password) {
                String::new()
            } else {
                self.draft.values.get(name).to_owned()
            },
            fault: None,
            input,
            required: false,
        }
    }

    pub(super) fn required(&self, name: &'static str, label: &str, input: Input) -> Field {
        Field {
            required: true,
            ..self.field(name, label, input)
        }
    }

    pub(super) fn hinted(&self, hint: &str, field: Field) -> Field {
        Field {
            hint: Some(self.reader.t(hint)),
            ..field
        }
    }

    pub(super) fn pick(&self, name: &'static str, label: &str, kind: Kind) -> Field {
        let picked = self.draft.picked.get(name).cloned().unwrap_or_default();
        let field = self.field(name, label, Input::Pick(kind, picked.named, picked.found));
        self.hinted("pick-hint", field)
    }

    pub(super) fn choice<'c>(
        &self,
        name: &'static str,
        label: &str,
        values: impl IntoIterator<Item = (&'c str, String)>,
    ) -> Field {
        let chosen = self.draft.values.get(name);
        let choice = |(value, name): (&str, String)| Choice {
            value: value.to_owned(),
            name,
            chosen: value == chosen,
        };
        let choices = values.into_iter().map(choice).collect();
        self.field(name, label, Input::Choice(choices))
    }
}

/// The fields of a kind, of a new one or of one that is there.
pub(super) fn fields(reader: &Reader, kind: Kind, draft: &Draft, new: bool) -> Vec<Field> {
    let make = Maker { reader, draft };
    let text = || Input::Line("text");
    let id = || make.hinted("hint-id", make.required("id", "id", text()));
    let name = || make.required("name", "name", text());
    let of_new = |field: Field| new.then_some(field);
    match kind {
        Kind::Customers => [
            Some(name()),
            Some(make.hinted("hint-parent", make.pick("parent", "parent", Kind::Customers))),
            of_new(make.hinted("hint-number", make.field("id", "id", Input::Line("number")))),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Kind::Groups | Kind::Environments => [Some(name()), of_new(id())].into_iter().flatten().collect(),
        Kind::Apis | Kind::Applications => {
            let chosen = draft.values.some("environment").unwrap_or(&reader.environment);
            let environments = lists::environments(reader, chosen, None).choices;
            let environment = make.field("environment", "environment", Input::Choice(environments));
            let fields = [Some(name()), of_new(id()), of_new(environment)];
            fields.into_iter().flatten().collect()
        }
        Kind::Users => user(&make, new),
        Kind::Subscriptions => subscription(&make, new),
    }
}

fn user(make: &Maker<'_>, new: bool) -> Vec<Field> {
    let reader = make.reader;
    let roles = [
        ("User", AsmRole::User),
        ("CustomerAdmin", AsmRole::CustomerAdmin),
        ("RootAdmin", AsmRole::RootAdmin),
    ];
    let roles = roles.map(|(value, role)| (value, reader.t(asm_key(role))));
    let mut fields = vec![
        make.required("name", "name", Input::Line("text")),
        make.required("login", "login", Input::Line("text")),
        make.field("email", "email", Input::Line("email")),
        make.pick("customer", "customer", Kind::Customers),
        make.hinted("hint-locale", make.field("locale", "language", Input::Line("text"))),
        make.hinted("hint-asm-role", make.choice("asm_role", "asm-role", roles)),
    ];
    if new {
        let id = make.required("id", "id", Input::Line("text"));
        fields.insert(2, make.hinted("hint-id", id));
        fields.push(make.hinted("hint-password", make.field("password", "password", Input::Password)));
    }
    fields
}

fn subscription(make: &Maker<'_>, new: bool) -> Vec<Field> {
    let reader = make.reader;
    let status = |status| {
        let name = super::cell::status_name(status);
        (name, reader.t(&format!("status-{name}")))
    };
    let zone = reader.zone.name();
    let time = |name, label| Field {
        hint: Some(reader.s("hint-time", zone)),
        ..make.field(name, label, Input::Line("datetime-local"))
    };
    let mut fields = vec![
        make.choice("status", "status", STATUSES.map(status)),
        time("starting_at", "starting-at"),
        time("ending_at", "ending-at"),
        make.pick("subscribed_by", "subscribed-by", Kind::Users),
    ];
    if new {
        let mut ends = [("application", Kind::Applications), ("api", Kind::Apis)].map(|(name, kind)| Field {
            required: true,
            ..make.pick(name, name, kind)
        });
        ends.reverse();
        let id = make.required("id", "id", Input::Line("text"));
        fields.splice(0..0, ends);
        fields.push(make.hinted("hint-id", id));
    }
    fields
}
