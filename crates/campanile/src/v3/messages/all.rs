//! The list of who looks after customers: everything of theirs, and what is addressed to them beside that, by id. The
//! contract has no pages, so it is read a page at a time as the client takes it, and no more of it is in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use campanile_core::Error;
use campanile_core::id::PersonId;
use campanile_core::inbox::banner;
use campanile_core::message::announced::{self, Order, State, Wanted, Whose};
use campanile_core::message::target;
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::Tx;
use futures_util::stream;
use http::header;

use super::{Caller, Message, manages, messages, whose};
use crate::app::App;
use crate::problem::Problem;

/// A list under way.
struct List {
    app: Arc<App>,
    person: PersonId,
    wanted: Wanted,
    now: Moment,
    /// What is addressed to the caller, by id, as far as it was not listed.
    others: VecDeque<Message>,
    /// Whether nothing was written yet.
    is_new: bool,
    ended: bool,
}

/// All of it. What is refused is refused before the first page.
pub(super) async fn list(
    app: Arc<App>,
    caller: Caller,
    active: bool,
    customer: Option<i64>,
    now: Moment,
) -> Result<Response, Problem> {
    let (person, rights, lists) = (caller.person(), caller.rights, Arc::clone(&app.lists));
    let work = move |tx: &mut Tx<'_>| {
        let whose: Option<Whose> = customer.map(|customer| whose(tx, &rights, customer)).transpose()?;
        let (found, _) = banner::addressed(tx, &lists, person, now)?;
        Ok::<_, Error>((whose, messages(&found, whose)))
    };
    let (whose, others) = app.db.read(work).await?;
    let mut list = List {
        app,
        person,
        wanted: Wanted {
            from: Order::Above(0),
            state: if active { State::Now } else { State::Any },
            whose,
            ..Wanted::default()
        },
        now,
        others: others.into(),
        is_new: true,
        ended: false,
    };
    let first = list.piece().await?;
    let first = stream::iter([Ok(first)]);
    let rest = stream::try_unfold(list, async |mut list| {
        if list.ended {
            return Ok(None);
        }
        let piece = list.piece().await;
        piece
            .map(|piece| Some((piece, list)))
            .map_err(|problem| std::io::Error::other(problem.detail))
    });
    let body = Body::from_stream(stream::StreamExt::chain(first, rest));
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

impl List {
    /// The next page, as JSON. Whoever looks after nothing any more gets no more of it.
    async fn piece(&mut self) -> Result<Bytes, Problem> {
        let (person, wanted, now) = (self.person, self.wanted.clone(), self.now);
        let work = move |tx: &mut Tx<'_>| {
            let rights = Rights::load(tx, person)?;
            let (page, next) = announced::page(tx, &rights, &wanted, now)?;
            let own = page
                .into_iter()
                .filter(|one| manages(&rights, &target::parts(&one.selectors, &one.message)));
            let own: Vec<Message> = own.filter_map(|one| Message::of(one.message, one.to)).collect();
            Ok::<_, Error>((own, next))
        };
        let (mut page, next) = self.app.db.scan(work).await?;
        // Those of the others that stand among these, each once.
        let own = page.len();
        while let Some(other) = self
            .others
            .pop_front_if(|other| next.is_none_or(|next| other.id <= next))
        {
            if page[..own].binary_search_by_key(&other.id, |one| one.id).is_err() {
                page.push(other);
            }
        }
        page.sort_unstable_by_key(|one| one.id);
        let mut out = Vec::new();
        for message in &page {
            out.push(if self.is_new { b'[' } else { b',' });
            self.is_new = false;
            serde_json::to_writer(&mut out, message).expect("texts always serialise");
        }
        if let Some(next) = next {
            self.wanted.from = Order::Above(next);
        } else {
            out.extend_from_slice(if self.is_new { b"[]" } else { b"]" });
            self.ended = true;
        }
        Ok(out.into())
    }
}
