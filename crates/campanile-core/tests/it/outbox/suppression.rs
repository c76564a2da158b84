//! Addresses that get no mail: how they come to the list and leave it.

use campanile_core::directory::list::Paging;
use campanile_core::id::PersonId;
use campanile_core::outbox::reader::{self, WhyNot};
use campanile_core::outbox::suppression::{self, Source};

use super::*;

impl World<'_> {
    fn suppresses(&self, address: &'static str, source: Source) {
        let now = self.pass(1);
        self.jots(move |tx| suppression::suppress(tx, address, source, "no such mailbox", None, now));
    }

    /// What keeps a mail from somebody.
    fn stops(&self, person: PersonId, importance: Importance) -> Option<WhyNot> {
        let now = self.now();
        let found = self.looks(move |tx| reader::readers(tx, &[person.0 as u32], importance, now));
        found[0].why_not
    }

    /// Every address and source, by pages of two.
    fn listed(&self, q: Option<&'static str>) -> Vec<(String, Source)> {
        let (mut out, mut cursor) = (Vec::new(), None);
        loop {
            let paging = Paging { limit: Some(2), cursor };
            let page = self.looks(move |tx| suppression::list(tx, q, &paging));
            out.extend(page.items.into_iter().map(|one| (one.address, one.source)));
            cursor = page.next;
            if cursor.is_none() {
                return out;
            }
        }
    }
}

#[test]
fn who_unsubscribed_gets_what_is_critical_and_who_bounced_gets_nothing() {
    each_world(|world| {
        let [bounced, left, other] =
            ["bounced", "left", "other"].map(|key| world.person_with_email(key, &format!("{key}@example.com")));
        world.suppresses("bounced@example.com", Source::Bounced);
        let now = world.now();
        world.jots(move |tx| suppression::unsubscribe(tx, "left@example.com", None, now));
        let (came_back, unsubscribed) = (
            Some(WhyNot::Suppressed(Source::Bounced)),
            Some(WhyNot::Suppressed(Source::Unsubscribed)),
        );
        for importance in [Importance::Low, Importance::High, Importance::Critical] {
            assert_eq!(world.stops(bounced, importance), came_back);
            assert_eq!(world.stops(other, importance), None);
        }
        assert_eq!(world.stops(left, Importance::High), unsubscribed);
        assert_eq!(world.stops(left, Importance::Critical), None);
        // Who unsubscribed and bounced gets nothing, whichever came last.
        world.suppresses("left@example.com", Source::Bounced);
        assert_eq!(world.stops(left, Importance::Critical), came_back);
        world.jots(|tx| suppression::remove(tx, "left@example.com", Some(Source::Bounced)));
        assert!(world.jots(|tx| suppression::resubscribe(tx, "left@example.com")));
        assert!(!world.jots(|tx| suppression::resubscribe(tx, "left@example.com")));
        assert!(!world.jots(|tx| suppression::resubscribe(tx, "bounced@example.com")));
        assert_eq!(world.stops(left, Importance::Low), None);
    });
}

#[test]
fn the_list_is_the_newest_first_and_found_by_beginning() {
    each_world(|world| {
        world.suppresses("b@example.com", Source::Bounced);
        world.suppresses("a@example.com", Source::Complained);
        world.suppresses("a@example.com", Source::Bounced);
        world.suppresses("c@example.com", Source::Bounced);
        // Once more: it is there once, and new.
        world.suppresses("b@example.com", Source::Bounced);
        let of = |address: &str, source| (address.to_owned(), source);
        let [a, b, c] = ["a@example.com", "b@example.com", "c@example.com"];
        assert_eq!(
            world.listed(None),
            [
                of(b, Source::Bounced),
                of(c, Source::Bounced),
                of(a, Source::Bounced),
                of(a, Source::Complained),
            ]
        );
        assert_eq!(
            world.listed(Some(" A@Ex")),
            [of(a, Source::Bounced), of(a, Source::Complained)]
        );
    });
}

#[test]
fn an_operator_adds_and_removes_by_hand() {
    each_world(|world| {
        let (sender, now) = (world.sender, world.now());
        let add = move |address: &'static str, reason: &'static str| {
            move |tx: &mut Tx<'_>| suppression::add(tx, address, reason, sender, now)
        };
        let kept = world.jots(add(" Ann@Example.COM ", "asked by telephone"));
        assert_eq!(kept, "ann@example.com");
        let of = world.looks(|tx| suppression::of(tx, "ANN@example.com"));
        assert_eq!(
            (of[0].source, of[0].by.as_deref()),
            (Source::Added, Some("Name of sender"))
        );
        for (address, reason, field) in [("nowhere", "", "address"), ("a@example.com", "two\nlines", "reason")] {
            let refused = refusals(world.db.jot(add(address, reason)));
            assert_eq!(refused[0].field, field);
        }
        world.jots(|tx| suppression::remove(tx, "Ann@example.com", None));
        let again = world.db.jot(|tx| suppression::remove(tx, "Ann@example.com", None));
        assert!(matches!(again, Err(Error::Missing("suppression"))));
    });
}
