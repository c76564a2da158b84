//! Customers as a tree: the roots, and below a customer its children, a page at a time.

use askama::Template;
use axum::response::Response;
use campanile_core::Result as Ruled;
use campanile_core::directory::list::{self, Customer, CustomerFilter, Parent};
use campanile_store::Tx;

use super::super::form::Fields;
use super::super::page::{Reader, show};
use super::lists::{add_button, paging};
use super::{Kind, Shell, in_shell, query};
use crate::app::App;
use crate::problem::Problem;

/// A customer in the tree.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) to: String,
    pub(super) name: String,
    pub(super) id: i64,
    pub(super) has_children: bool,
}

impl Node {
    pub(super) fn of(customer: &Customer) -> Self {
        Self {
            to: Kind::Customers.at(&customer.id.to_string()),
            name: customer.name.clone(),
            id: customer.id,
            has_children: customer.has_children,
        }
    }
}

/// The tree around a customer: those above it, the root first, and those directly below it.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) above: Vec<Node>,
    pub(super) below: Vec<Node>,
    pub(super) more: Option<String>,
}

/// Levels above a customer that are shown; the tree has at most 64.
const ABOVE: usize = 64;

/// The tree around a customer; `cursor` is that of the customers below it.
pub(super) fn tree(tx: &mut Tx<'_>, customer: &Customer, cursor: Option<String>) -> Ruled<Tree> {
    let mut above = Vec::new();
    let mut next = customer.parent;
    while let Some(id) = next.filter(|_| above.len() < ABOVE) {
        let parent = list::customer(tx, id)?;
        next = parent.parent;
        above.push(Node::of(&parent));
    }
    above.reverse();
    let filter = CustomerFilter {
        parent: Parent::Of(customer.id),
        ..CustomerFilter::default()
    };
    let paging = list::Paging { limit: None, cursor };
    let below = list::customers(tx, &filter, &paging)?;
    let to = Kind::Customers.at(&customer.id.to_string());
    Ok(Tree {
        above,
        more: below.next.map(|next| query(&to, &[("below", &next)])),
        below: below.items.iter().map(Node::of).collect(),
    })
}

#[derive(Template)]
#[template(path = "console/directory/roots.html")]
struct RootsPage<'r> {
    shell: Shell<'r>,
    roots: Vec<Node>,
    more: Option<String>,
    add: Option<(String, String)>,
}

in_shell!(RootsPage);

/// The list of customers that nobody has searched in: the roots.
pub(super) async fn roots(app: &App, reader: &Reader, asked: &Fields) -> Result<Response, Problem> {
    let paging = paging(asked);
    let filter = CustomerFilter {
        parent: Parent::Roots,
        active: Some(true),
        ..CustomerFilter::default()
    };
    let page = app.db.scan(move |tx| list::customers(tx, &filter, &paging)).await?;
    let shell = Shell::new(reader, "customers", reader.t("kind-customers"));
    show(&RootsPage {
        roots: page.items.iter().map(Node::of).collect(),
        more: page
            .next
            .map(|next| query("/directory/customers", &[("cursor", &next)])),
        add: shell.may_edit().then(|| add_button(reader, Kind::Customers)),
        shell,
    })
}
