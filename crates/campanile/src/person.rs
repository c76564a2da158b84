//! What is read of a person who looks at a page: profile, rights, and how far the installation is. Remembered while
//! nothing has changed (see [`known`](crate::known)), as it changes seldom and every page wants it. Always exact.

use std::sync::Arc;

use campanile_core::Error;
use campanile_core::account::profile::{self, Profile};
use campanile_core::first::Steps;
use campanile_core::id::PersonId;
use campanile_core::policy::{self, Act};
use campanile_core::revision::topic;
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::{Signal, Tx};

use crate::app::App;
use crate::known::Known;

/// What is read of a person. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Person {
    /// The profile.
    pub profile: Arc<Profile>,
    /// What they hold.
    pub rights: Arc<Rights>,
    /// How far the installation is; only for who administers it.
    pub steps: Option<Steps>,
}

/// People of whom this was read.
#[derive(Debug)]
pub struct People(Known<PersonId, Person>);

impl Default for People {
    /// At most 8 MB: about 10,000 people.
    fn default() -> Self {
        Self(Known::new(8 << 20))
    }
}

/// Bytes of a person beside what is of no fixed size, about.
const ENTRY: usize = 512;

impl Person {
    fn load(tx: &mut Tx<'_>, person: PersonId) -> campanile_core::Result<Self> {
        let profile = Arc::new(profile::find(tx, person)?);
        let rights = Arc::new(Rights::load(tx, person)?);
        let steps = match policy::may(&rights, &Act::EditDirectory) {
            Ok(()) => Some(Steps::load(tx, person)?),
            Err(_) => None,
        };
        Ok(Self { profile, rights, steps })
    }

    fn bytes(&self) -> usize {
        let held = self.rights.environments.len() + self.rights.apis.len();
        ENTRY + self.profile.name.len() + 32 * held + self.rights.subtree.serialized_size()
    }
}

/// Finds who asks; `Unauthenticated` for who is active no more.
pub async fn asking(app: &App, person: PersonId) -> campanile_core::Result<Person> {
    find(app, person).await.map_err(|error| match error {
        Error::Missing(_) => Error::Unauthenticated,
        other => other,
    })
}

/// Finds an active person; `Missing` for everybody else.
pub async fn find(app: &App, person: PersonId) -> campanile_core::Result<Person> {
    // The first steps rest on the messages too.
    let all = [topic::DIRECTORY, topic::MESSAGE].map(|topic| Signal {
        topic,
        key: Signal::ANY,
    });
    let (state, People(known)) = (app.db.changes(&all), &app.people);
    if let Some(found) = known.get(&person, state, Moment(i64::MIN)) {
        return Ok(found);
    }
    let found = app.db.read(move |tx| Person::load(tx, person)).await?;
    known.put(person, found.clone(), found.bytes(), state, Moment::NEVER);
    Ok(found)
}
