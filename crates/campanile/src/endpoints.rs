//! Saved destinations of POSTs, for every interface: each function asks the policy, and tells nobody of one that they
//! may not see.

use campanile_core::id::{MessageId, PersonId};
use campanile_core::journal::{self, Action, By, Deed, Kind};
use campanile_core::message::Channel;
use campanile_core::message::draft::Draft;
use campanile_core::outbox::destination::{Destination, Posting};
use campanile_core::outbox::endpoint::{self, Change, Endpoint, New, State};
use campanile_core::policy::{self, Act, Part};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;

use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;
use crate::sending;

/// What somebody wants with an endpoint: the act that it is at a home.
type Wish = fn(Part) -> Act<'static>;

/// One that the caller may see, and do this with.
fn reach(tx: &mut Tx<'_>, app: &Reached, wish: Wish) -> Ruled<Endpoint> {
    let rights = Rights::load(tx, app.person)?;
    let found = endpoint::find(tx, &app.posting.key, app.id, app.now)?;
    policy::may(&rights, &Act::SeeEndpoint(found.part())).map_err(|_| Error::Missing("endpoint"))?;
    policy::may(&rights, &wish(found.part()))?;
    Ok(found)
}

/// Who asks for which one, and what is needed to look at it.
struct Reached {
    person: PersonId,
    by: By,
    id: i64,
    posting: Posting,
    now: Moment,
}

impl Reached {
    fn new(app: &App, by: &Principal, id: i64) -> Self {
        Self {
            person: by.person,
            by: by.by(),
            id,
            posting: app.posting(),
            now: app.clock.now(),
        }
    }

    /// Does it, where the caller may, notes it where it changes something, and shows what is there then.
    async fn and<T: Send + 'static>(
        self,
        app: &App,
        action: Action,
        work: impl FnOnce(&mut Tx<'_>, &Self) -> Ruled<T> + Send + 'static,
    ) -> Result<(Endpoint, T), Problem> {
        let done = move |tx: &mut Tx<'_>| {
            // The lock first: rights are those of the moment at which it is written.
            tx.tally()?;
            let before = reach(tx, &self, Act::ChangeEndpoint)?;
            let done = work(tx, &self)?;
            let after = endpoint::find(tx, &self.posting.key, self.id, self.now)?;
            // Another secret is not to be seen; other values of headers are sealed anew.
            if action == Action::Renewed || before != after {
                let deed = Deed::new(action, Kind::Endpoint, self.id.to_string());
                journal::record(tx, &self.by, &deed.before(&before).after(&after), self.now)?;
            }
            Ok::<_, Error>((after, done))
        };
        Ok(app.db.write(done).await?)
    }
}

/// Which endpoints, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only those that messages of this environment may be posted to.
    pub environment: Option<String>,
    /// Only those that messages of this API may be posted to.
    pub api: Option<String>,
    /// After this one; 0 for the first page.
    pub after: i64,
    /// How many, 1 to 100.
    pub limit: usize,
}

/// A page of the endpoints that somebody may see, in the order in which they were made; and the `after` of the next.
///
/// # Errors
/// `Denied` and `Invalid` for an environment or API.
pub async fn list(app: &App, person: PersonId, wanted: Wanted) -> Result<(Vec<Endpoint>, Option<i64>), Problem> {
    let (now, key) = (app.clock.now(), app.key.clone());
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let may = |part| policy::may(&rights, &Act::SeeEndpoint(part));
        let (environment, api) = (wanted.environment.as_deref(), wanted.api.as_deref());
        let filter = if environment.is_some() || api.is_some() {
            endpoint::home(tx, environment, api, may)?
        } else {
            endpoint::Filter::default()
        };
        endpoint::list(tx, &key, filter, wanted.after, wanted.limit, now, |of| {
            may(of.part()).is_ok()
        })
    };
    Ok(app.db.scan(work).await?)
}

/// One of them.
///
/// # Errors
/// `Missing` for one that is not there or not theirs to see.
pub async fn one(app: &App, by: &Principal, id: i64) -> Result<Endpoint, Problem> {
    let asked = Reached::new(app, by, id);
    Ok(app.db.read(move |tx| reach(tx, &asked, Act::SeeEndpoint)).await?)
}

/// Saves one; it, and its secret, which is told this once.
///
/// # Errors
/// `Denied`; `Invalid` with every fault; `Conflict` where the environment has as many as it may.
pub async fn create(app: &App, by: &Principal, new: New) -> Result<(Endpoint, Option<String>), Problem> {
    let (now, posting) = (app.clock.now(), app.posting());
    let (person, by) = (by.person, by.by());
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        let rights = Rights::load(tx, person)?;
        let home = endpoint::home(tx, new.environment.as_deref(), new.api.as_deref(), |part| {
            policy::may(&rights, &Act::CreateEndpoint(part))
        })?;
        let (id, secret) = endpoint::create(tx, &new, home, &posting, now)?;
        let made = endpoint::find(tx, &posting.key, id, now)?;
        let deed = Deed::new(Action::Created, Kind::Endpoint, id.to_string());
        journal::record(tx, &by, &deed.after(&made), now)?;
        Ok::<_, Error>((made, secret))
    };
    Ok(app.db.write(work).await?)
}

/// Changes one.
///
/// # Errors
/// `Missing`, `Denied`, `Invalid` with every fault.
pub async fn change(app: &App, by: &Principal, id: i64, change: Change) -> Result<Endpoint, Problem> {
    let work = move |tx: &mut Tx<'_>, of: &Reached| endpoint::change(tx, of.id, &change, &of.posting, of.now);
    let done = Reached::new(app, by, id).and(app, Action::Changed, work);
    Ok(done.await?.0)
}

/// Holds back what is for one, or lets it go again.
///
/// # Errors
/// `Missing`, `Denied`.
pub async fn pause(app: &App, by: &Principal, id: i64, paused: bool) -> Result<Endpoint, Problem> {
    let work = move |tx: &mut Tx<'_>, of: &Reached| {
        if paused {
            endpoint::pause(tx, of.id)
        } else {
            endpoint::resume(tx, of.id)
        }
    };
    let action = if paused { Action::Paused } else { Action::Resumed };
    let done = Reached::new(app, by, id).and(app, action, work);
    Ok(done.await?.0)
}

/// Gives one another secret, which is told this once; for `grace_hours` (24 where absent) the old one signs too.
///
/// # Errors
/// `Missing`, `Denied`, `Invalid`.
pub async fn rotate(
    app: &App,
    by: &Principal,
    id: i64,
    secret: Option<String>,
    grace_hours: Option<i64>,
) -> Result<(Endpoint, String), Problem> {
    let work = move |tx: &mut Tx<'_>, of: &Reached| {
        endpoint::rotate(tx, of.id, secret.as_deref(), grace_hours, &of.posting, of.now)
    };
    Reached::new(app, by, id).and(app, Action::Renewed, work).await
}

/// Removes one. What waits for it fails.
///
/// # Errors
/// `Missing`, `Denied`.
pub async fn remove(app: &App, by: &Principal, id: i64) -> Result<(), Problem> {
    let asked = Reached::new(app, by, id);
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        let before = reach(tx, &asked, Act::RemoveEndpoint)?;
        endpoint::remove(tx, id, asked.now)?;
        let deed = Deed::new(Action::Ended, Kind::Endpoint, id.to_string());
        journal::record(tx, &asked.by, &deed.before(&before), asked.now)
    };
    app.db.write(work).await?;
    Ok(())
}

/// Posts a test to one: a message that goes nowhere else.
///
/// # Errors
/// `Missing`, `Denied`; `Conflict` where it would wait; those of a message.
pub async fn test(app: &App, by: &Principal, id: i64) -> Result<MessageId, Problem> {
    let asked = Reached::new(app, by, id);
    let found = app.db.read(move |tx| reach(tx, &asked, Act::CreateEndpoint)).await?;
    if found.state != State::Active {
        return Err(Error::Conflict("it is paused or off: resume it first".into()).into());
    }
    let draft = Draft {
        channels: vec![Channel::Http],
        environment: found.api.is_none().then_some(found.environment),
        api: found.api,
        posts: vec![Destination {
            endpoint: Some(id),
            ..Destination::default()
        }],
        ..Draft::new("Test", format!("Test of the endpoint {}.", found.name), Vec::new())
    };
    sending::send(app, by, draft, None).await
}
