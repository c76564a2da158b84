//! Reading, with what must hold of every answer: counts equal the items, and the items equal the definition in SQL.

use std::collections::BTreeSet;

use campanile_core::audience::crowd::Residents;
use campanile_core::audience::{Selector, matches};
use campanile_core::error::{Faults, Result};
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::live::{Reader, Tally};
use campanile_core::inbox::{self, Counted, Counts, Filter, Listed, Shown, View};
use campanile_core::message::funnel::{self, Crowds, Funnel};
use campanile_core::message::preview::{self, Explanation, Preview};
use campanile_core::message::sent::{self, Part, Recipient, Visible};
use campanile_core::message::target::Target;
use campanile_core::message::{Importance, Message, draft};
use campanile_core::revision;
use campanile_core::time::Moment;
use campanile_store::{Param, Sql, Tx};

use super::World;

impl World<'_> {
    /// A number by SQL of the test's own.
    pub(crate) fn number(&self, text: &'static str) -> i64 {
        // A statement lives for ever; in a test a few may.
        let sql: &'static Sql = Box::leak(Box::new(Sql::new(text, text)));
        let found = self.read(move |tx| Ok(tx.one(sql, &[] as &[&dyn Param], |row| row.get(0))?));
        found.expect("the statement gives a number")
    }

    /// Runs SQL of the test's own, behind the back of all that is kept; how many rows it changed.
    pub(crate) fn execute(&self, text: &'static str) -> u64 {
        let sql: &'static Sql = Box::leak(Box::new(Sql::new(text, text)));
        let done = self.db.jot(move |tx| tx.execute(sql, &[]));
        done.expect("the statement is good")
    }

    /// The last revision taken.
    pub(crate) fn revision(&self) -> i64 {
        self.read(revision::latest).expect("a revision can be read")
    }

    /// One page. Whatever it shows, its numbers are those of the bell.
    pub(crate) fn page(&self, person: PersonId, filter: Filter, before: Option<i64>, limit: usize) -> inbox::Page {
        let (now, shared) = (self.now(), self.lists());
        let page = self.read(move |tx| inbox::page(tx, &shared, person, &filter, before, limit, now));
        let page = page.expect("a page can be read");
        assert_eq!(page.counts, self.counts(person));
        page
    }

    /// All that a filter takes, over as many pages as it needs.
    pub(crate) fn all(&self, person: PersonId, filter: &Filter) -> Vec<Shown> {
        let mut out = Vec::new();
        let mut before = None;
        loop {
            let page = self.page(person, filter.clone(), before, 100);
            out.extend(page.items.iter().map(Listed::shown));
            before = page.next;
            if before.is_none() {
                return out;
            }
        }
    }

    /// A view of one person, newest first.
    pub(crate) fn view(&self, person: PersonId, view: View) -> Vec<Shown> {
        let filter = Filter {
            view,
            ..Filter::default()
        };
        self.all(person, &filter)
    }

    /// The inbox of one person, newest first.
    pub(crate) fn inbox(&self, person: PersonId) -> Vec<Shown> {
        let items = self.view(person, View::Inbox);
        let counts = self.counted(person).counts;
        assert_eq!(counts, tally(&items), "the counts are those of the items");
        self.holds_to_the_definition(person);
        items
    }

    /// What stands in inbox, archive and trash is what the definition in SQL says, of all that is active now.
    fn holds_to_the_definition(&self, person: PersonId) {
        let items = [View::Inbox, View::Archived]
            .map(|view| self.view(person, view))
            .concat();
        let mut there: BTreeSet<i64> = items.iter().filter(|item| !item.past).map(|item| item.id.0).collect();
        let defined = self.defined(person);
        assert!(there.is_subset(&defined), "{there:?} is within {defined:?}");
        there.extend(defined.iter().filter(|id| self.is_deleted(person, MessageId(**id))));
        assert_eq!(there, defined);
    }

    /// What is active now and for a person, by the definition in SQL.
    pub(crate) fn defined(&self, person: PersonId) -> BTreeSet<i64> {
        let now = self.now();
        let defined = self.read(move |tx| {
            let mut out = BTreeSet::new();
            for found in matches(tx, person, now)? {
                let message = campanile_core::message::find(tx, MessageId(found.message))?;
                if message.status(now) == campanile_core::message::Status::Active {
                    out.insert(found.message);
                }
            }
            Ok(out)
        });
        defined.expect("the definition can be read")
    }

    fn is_deleted(&self, person: PersonId, id: MessageId) -> bool {
        let (now, shared) = (self.now(), self.lists());
        let restored = self.read(move |tx| {
            use campanile_core::inbox::act::{Action, named};
            named(tx, &shared, person, &[id], Action::Restore, now).map(|_| ())
        });
        restored.is_ok() && self.one(person, id).is_err()
    }

    /// The titles in the inbox, newest first.
    pub(crate) fn titles(&self, person: PersonId) -> Vec<String> {
        self.inbox(person).into_iter().map(|item| item.title).collect()
    }

    /// The titles of a view, newest first.
    pub(crate) fn titles_of(&self, person: PersonId, view: View) -> Vec<String> {
        self.view(person, view).into_iter().map(|item| item.title).collect()
    }

    /// The titles in inbox and archive, by the age of the message.
    pub(crate) fn titles_by_id(&self, person: PersonId) -> Vec<String> {
        let views = [View::Inbox, View::Archived].map(|view| self.view(person, view));
        let mut items = views.concat();
        items.retain(|item| !item.past);
        items.sort_unstable_by_key(|item| std::cmp::Reverse(item.id));
        items.into_iter().map(|item| item.title).collect()
    }

    /// Which messages of the inbox are unread, newest first.
    pub(crate) fn unread(&self, person: PersonId) -> Vec<String> {
        self.inbox(person);
        self.titles_of(person, View::Unread)
    }

    /// The numbers of bell and tabs.
    pub(crate) fn counts(&self, person: PersonId) -> Counts {
        self.counted(person).counts
    }

    /// The numbers with what they rest on.
    pub(crate) fn counted(&self, person: PersonId) -> Counted {
        let (now, shared) = (self.now(), self.lists());
        let counted = self.read(move |tx| inbox::count(tx, &shared, person, now));
        counted.expect("an inbox can be counted")
    }

    /// What is known of somebody who opens a page.
    pub(crate) fn listens(&self, person: PersonId) -> Reader {
        let (now, shared) = (self.now(), self.lists());
        let read = self.read(move |tx| Reader::read(tx, &shared, person, now));
        read.expect("a person can be read").0
    }

    /// Their numbers now, counted in memory.
    pub(crate) fn tallied(&self, reader: &Reader) -> Option<Tally> {
        let (now, shared, reader) = (self.now(), self.lists(), reader.clone());
        let tallied = self.read(move |tx| {
            let latest = revision::latest_of_messages(tx)?;
            Ok(reader.count(&*shared.at(tx, latest)?, latest, now))
        });
        tallied.expect("lists can be read")
    }

    /// One message as a person sees it.
    pub(crate) fn one(&self, person: PersonId, id: MessageId) -> Result<Shown> {
        let (now, shared) = (self.now(), self.lists());
        self.read(move |tx| inbox::one(tx, &shared, person, id, now))
    }

    pub(crate) fn with_residents<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>, &Residents, Moment) -> Result<T> + Send + 'static,
    ) -> T {
        let (now, shared) = (self.now(), self.residents.clone());
        let done = self.read(move |tx| {
            let residents = shared.at(tx)?;
            work(tx, &residents, now)
        });
        done.expect("an audience can be counted")
    }

    /// The numbers of a message.
    pub(crate) fn funnel(&self, id: MessageId) -> Funnel {
        let (message, kept) = (self.message(id), self.audiences());
        self.with_residents(move |tx, residents, now| funnel::funnel(tx, residents, &kept, &message, now))
    }

    /// The numbers of some messages, asked for together.
    pub(crate) fn funnels(&self, ids: &[MessageId]) -> Vec<Option<Funnel>> {
        let messages: Vec<Message> = ids.iter().map(|id| self.message(*id)).collect();
        let kept = self.audiences();
        self.with_residents(move |tx, residents, now| funnel::funnels(tx, residents, &kept, &messages, now))
    }

    /// The people behind the numbers.
    pub(crate) fn crowds(&self, id: MessageId) -> Crowds {
        let (message, kept) = (self.message(id), self.audiences());
        self.with_residents(move |tx, residents, now| funnel::crowds(tx, residents, &kept, &message, now))
    }

    /// A page of the people of a part.
    pub(crate) fn recipients_page(
        &self,
        id: MessageId,
        part: Part,
        after: Option<u32>,
        limit: usize,
    ) -> (Vec<Recipient>, Option<u32>) {
        let message: Message = self.message(id);
        let people = part.of(&self.crowds(id));
        let now = self.now();
        let page = self.read(move |tx| sent::recipients(tx, &message, &people, after, limit, now));
        page.expect("recipients can be read")
    }

    /// The people of a part.
    pub(crate) fn recipients(&self, id: MessageId, part: Part) -> Vec<Recipient> {
        self.recipients_page(id, part, None, 100).0
    }

    /// The logins of a part.
    pub(crate) fn logins(&self, id: MessageId, part: Part) -> Vec<String> {
        let people = self.recipients(id, part);
        people.into_iter().map(|one| one.person.login).collect()
    }

    /// What a person could see at a time.
    pub(crate) fn visible_at(&self, person: PersonId, at: Moment) -> Vec<Visible> {
        let found = self.read(move |tx| sent::visible_at(tx, person, at, i64::MAX, 100));
        found.expect("the past can be read").0
    }

    /// The titles of what a person could see at a time.
    pub(crate) fn titles_at(&self, person: PersonId, at: Moment) -> Vec<String> {
        self.visible_at(person, at).into_iter().map(|one| one.title).collect()
    }

    fn resolve(&self, audience: Vec<Target>) -> Vec<Selector> {
        let resolved = self.read(move |tx| {
            let mut faults = Faults::default();
            let resolved = draft::audience(tx, &audience, false, &mut faults)?;
            faults.finish()?;
            Ok(resolved.selectors)
        });
        resolved.expect("the audience is known")
    }

    /// How many people an audience holds now.
    pub(crate) fn preview(&self, audience: impl Into<Vec<Target>>) -> Preview {
        let selectors = self.resolve(audience.into());
        self.with_residents(move |tx, residents, now| preview::preview(tx, residents, &selectors, now))
    }

    /// Why a person is in an audience or not.
    pub(crate) fn explain(&self, person: PersonId, audience: impl Into<Vec<Target>>) -> Explanation {
        let (selectors, now) = (self.resolve(audience.into()), self.now());
        let explained = self.read(move |tx| preview::explain(tx, person, &selectors, now));
        explained.expect("a person can be explained")
    }
}

/// The numbers of some items, by looking at each.
fn tally(items: &[Shown]) -> Counts {
    let count = |is: &dyn Fn(&Shown) -> bool| items.iter().filter(|item| is(item)).count() as u64;
    Counts {
        unread: count(&|item| !item.read),
        unseen: count(&|item| !item.read && !item.seen),
        unread_high: count(&|item| !item.read && item.importance == Importance::High),
        unread_critical: count(&|item| !item.read && item.importance == Importance::Critical),
        total: items.len() as u64,
    }
}
