//! Those who have come: the first event of a stream, and what was missed meanwhile.

use std::collections::{HashMap, HashSet};

use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::Counted;
use campanile_core::inbox::live::Reader;
use campanile_core::time::Moment;
use campanile_core::{Error, Result};

use super::{Hub, LATER_MS, LIFE_TURNS, LOOK, Listener, SPREAD_TURNS, Stream};
use crate::live::Newcomer;
use crate::live::frame::{self, Hello, Numbers};
use crate::live::judged::{admitted, judge, read};

impl Hub {
    /// Says hello to some of those who have come, and tells who comes back what was missed.
    pub(super) async fn welcome(&mut self) -> Result<()> {
        let now = self.app.clock.now();
        let some: Vec<Newcomer> = self.coming.drain(..self.coming.len().min(LOOK)).collect();
        let people: HashSet<PersonId> = some.iter().map(|newcomer| newcomer.person).collect();
        let with_key = |of: &Newcomer| Some((of.person, of.key.clone()?));
        let came = some.iter().filter_map(with_key).collect();
        let looked = async {
            let found = read(&self.app, people.into_iter().collect(), now).await?;
            Ok::<_, Error>((found, admitted(&self.app, came).await?))
        };
        let (found, admitted) = match looked.await {
            Ok(found) => found,
            Err(error) => {
                self.coming.extend(some);
                return Err(error);
            }
        };
        let found: HashMap<PersonId, Option<(Reader, Counted)>> = found.into_iter().collect();
        for newcomer in some {
            // What let them in may have ended on their way here.
            let key = newcomer.key.clone().map(|key| (newcomer.person, key));
            let is_in = key.as_ref().is_none_or(|came| admitted.contains(came));
            let found = found.get(&newcomer.person).filter(|_| is_in);
            let Some(Some((reader, counted))) = found else {
                newcomer.queue.finish(&frame::bye(LATER_MS));
                continue;
            };
            let numbers = Numbers::of(counted);
            let seen = newcomer.after.filter(|after| *after <= self.told);
            let missed = seen.and_then(|after| self.log.after(after));
            let hello = Hello {
                resumed: missed.is_some(),
                numbers,
            };
            newcomer.queue.push(&frame::event("hello", Some(self.told), &hello));
            if let Some(missed) = missed.filter(|missed| !missed.is_empty()) {
                self.replay(&newcomer, reader.clone(), missed, now).await?;
            }
            let until = self.turn + LIFE_TURNS + self.app.chance.below(SPREAD_TURNS as u64) as i64;
            let listener = self.listeners.entry(newcomer.person).or_insert_with(|| Listener {
                reader: reader.clone(),
                numbers,
                stands_until: counted.stands_until,
                streams: Vec::new(),
            });
            listener.streams.push(Stream {
                queue: newcomer.queue,
                key: newcomer.key,
                until,
            });
        }
        Ok(())
    }

    async fn replay(&self, to: &Newcomer, reader: Reader, missed: Vec<MessageId>, now: Moment) -> Result<()> {
        let people = vec![(to.person, reader)];
        for judged in judge(&self.app, missed, people, to.after.unwrap_or_default(), now).await? {
            judged.told().for_each(|(_, frame)| to.queue.push(&frame));
        }
        Ok(())
    }
}
