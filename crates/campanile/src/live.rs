//! The live channel: what moves reaches the open pages of those whom it concerns, at once (server-sent events, HTML
//! Standard, section 9.2). Each server tells its own streams; what happened elsewhere it learns of by the signals of
//! the database, and by the revision where one is lost.
//!
//! Events of a stream, each with data in JSON:
//!
//! | event | when | data |
//! |---|---|---|
//! | `hello` | first | the numbers of the bell, and `resumed`: whether all that was missed follows |
//! | `message` | a message came, changed or went | see `frame::Message`; its id is a revision |
//! | `counts` | the person's numbers changed, or they did something elsewhere | the numbers of the bell |
//! | `bye` | before the server ends the stream | `after_ms`: when to come back |
//!
//! `Last-Event-ID` is the greatest revision that was seen. What a person did is not replayed: `hello` has the numbers
//! as they are (decision 42).

mod frame;
mod hub;
mod judged;
mod log;
mod stream;
pub(crate) mod ticket;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use campanile_core::id::PersonId;
use tokio::sync::mpsc;

use crate::app::App;
use crate::auth::{Principal, Via};
use crate::problem::{Kind, Problem};
use crate::serve::HandOver;
pub use hub::run;
use stream::{Queue, pump};

/// Streams of one person at once: one a browser, and a few that are about to end.
pub const STREAMS: usize = 20;
/// Who is refused a stream asks for the numbers meanwhile, and comes back after so many seconds.
const COME_BACK_S: i64 = 30;

/// Newcomers who wait to be told something; more wait to be let in.
const WAITING: usize = 1_000;

/// The streams that are open on this server.
#[derive(Debug)]
pub struct Live {
    open: Arc<Mutex<Open>>,
    desk: mpsc::Sender<Newcomer>,
    door: Mutex<Option<mpsc::Receiver<Newcomer>>>,
    /// Tickets that were used.
    pub(crate) spent: ticket::Spent,
}

#[derive(Debug, Default)]
struct Open {
    of: HashMap<PersonId, usize>,
    all: usize,
}

/// What a site signs its tokens with, by its public name.
type Key = Arc<str>;

/// A stream that was opened, and is told nothing yet.
#[derive(Debug)]
struct Newcomer {
    person: PersonId,
    /// The key of a site by which they came.
    key: Option<Key>,
    queue: Arc<Queue>,
    /// What its client has seen before.
    after: Option<i64>,
}

impl Default for Live {
    fn default() -> Self {
        let (desk, door) = mpsc::channel(WAITING);
        Self {
            open: Arc::default(),
            desk,
            door: Mutex::new(Some(door)),
            spent: ticket::Spent::default(),
        }
    }
}

impl Live {
    /// A place for one more stream of a person, of at most `limit` of all.
    fn place(&self, person: PersonId, limit: usize) -> Result<Place, Problem> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let come_back = |problem: Problem| Problem {
            retry_after: Some(COME_BACK_S),
            ..problem
        };
        if open.all >= limit {
            let detail = "the server has as many live streams as it takes; ask for the counts meanwhile";
            return Err(come_back(Problem::new(Kind::Unavailable, detail)));
        }
        let of = open.of.entry(person).or_default();
        if *of >= STREAMS {
            let detail = format!("you have {STREAMS} live streams open already; one serves a whole browser");
            return Err(come_back(Problem::new(Kind::Throttled, detail)));
        }
        *of += 1;
        open.all += 1;
        Ok(Place {
            open: Arc::clone(&self.open),
            person,
        })
    }

    /// Tells the hub of a stream. Its first event is put into the queue from there.
    async fn enter(&self, newcomer: Newcomer) {
        // Without a hub the server is going down: the stream ends with its queue.
        if let Err(refused) = self.desk.send(newcomer).await {
            refused.0.queue.cut();
        }
    }

    /// Streams that are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    /// Whether none is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn door(&self) -> Option<mpsc::Receiver<Newcomer>> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Opens a stream for somebody whose client has seen everything up to a revision, or does not say.
///
/// # Errors
/// `Throttled` where the person has too many, `Unavailable` where the server has.
pub(crate) async fn open(app: &App, principal: &Principal, after: Option<i64>) -> Result<HandOver, Problem> {
    let (live, person) = (&app.live, principal.person);
    let place = Arc::new(live.place(person, app.settings.limits.max_streams)?);
    let queue = Arc::new(Queue::default());
    let key = match &principal.via {
        Via::Site { key, .. } => Some(Key::from(key.as_str())),
        _ => None,
    };
    let newcomer = Newcomer {
        person,
        key,
        queue: Arc::clone(&queue),
        after,
    };
    live.enter(newcomer).await;
    Ok(HandOver::to(move |stream| {
        pump(stream, Arc::clone(&queue), Arc::clone(&place))
    }))
}

/// Counts a stream for as long as it is open.
#[derive(Debug)]
struct Place {
    open: Arc<Mutex<Open>>,
    person: PersonId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(of) = open.of.get_mut(&self.person) {
            *of -= 1;
            if *of == 0 {
                open.of.remove(&self.person);
            }
        }
    }
}
