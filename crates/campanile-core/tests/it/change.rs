//! Corrections, switching, ringing, recall, and the journal that they leave.

use campanile_core::audience::Selector;
use campanile_core::id::{EnvironmentId, MessageId, PersonId};
use campanile_core::inbox::act::{Action, All};
use campanile_core::message::change::{Change, Correction};
use campanile_core::message::draft::Draft;
use campanile_core::message::sent::{self, Edition};
use campanile_core::message::target::Target;
use campanile_core::message::{Importance, Message, Status};

use crate::world::{
    At, PUBLISHER, Shop, World, active, customer, draft, each_world, fields, is_conflict, is_missing, role,
    subscribers, user,
};

const NOTHING: [&str; 0] = [];

fn retitle(title: &str) -> Correction {
    Correction {
        title: Some(title.to_owned()),
        ..Correction::default()
    }
}

fn readdress(audience: impl Into<Vec<Target>>) -> Correction {
    Correction {
        audience: Some(audience.into()),
        ..Correction::default()
    }
}

fn editions(world: &World<'_>, id: MessageId) -> Vec<Edition> {
    let found = world.db.read(move |tx| sent::editions(tx, id, i64::MAX, 100));
    found.expect("a journal can be read")
}

fn changes(world: &World<'_>, id: MessageId) -> Vec<Change> {
    editions(world, id).into_iter().map(|edition| edition.change).collect()
}

#[test]
fn a_correction_shows_at_once_with_its_time_and_edition() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("Wrong", [user("ann")]));
        world.inbox(ann);
        let corrected = world.correct(
            id,
            Correction {
                title: Some("Right".to_owned()),
                text: Some("Better.".to_owned()),
                sender_name: Some("Operations".to_owned()),
                importance: Some(Importance::Critical),
                ..Correction::default()
            },
        );
        assert_eq!(corrected, world.message(id));
        let item = world.one(ann, id).unwrap();
        assert_eq!((item.title.as_str(), item.text.as_str()), ("Right", "Better."));
        assert_eq!(item.sender_name, "Operations");
        assert_eq!(item.importance, Importance::Critical);
        assert_eq!((item.edition, item.edited_at), (2, Some(world.now())));
        assert_eq!(world.inbox(ann), [item]);
        assert_eq!(world.counts(ann).unread_critical, 1);
    });
}

#[test]
fn a_correction_does_not_ring() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.publish(draft("Wrong", [Target::Everyone]));
        world.publish(draft("Newer", [Target::Everyone]));
        world.does(ann, Action::Read, &[id]);
        world.marks(bob, All::Read);
        world.correct(id, retitle("Right"));
        assert_eq!(world.unread(ann), ["Newer"]);
        assert_eq!(world.unread(bob), NOTHING);
        assert_eq!(world.titles(ann), ["Newer", "Right"], "it stays in its place");
    });
}

#[test]
fn a_correction_that_rings_makes_it_unread_and_the_newest() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("Wrong", [user("ann")]));
        world.publish(draft("Newer", [user("ann")]));
        world.marks(ann, All::Read);
        world.correct(
            id,
            Correction {
                ring: true,
                ..retitle("Right")
            },
        );
        assert_eq!(world.unread(ann), ["Right"]);
        assert_eq!(world.titles(ann), ["Right", "Newer"]);
        assert!(editions(world, id)[0].rang);
    });
}

#[test]
fn the_bell_can_ring_only_for_what_people_see_now() {
    each_world(|world| {
        let soon = world.publish(Draft {
            opens_at: Some(world.in_s(100)),
            ..draft("Soon", [Target::Everyone])
        });
        let off = world.publish(draft("Off", [Target::Everyone]));
        world.disable(off);
        for id in [soon, off] {
            let ring = Correction {
                ring: true,
                ..Correction::default()
            };
            assert_eq!(fields(world.tries_to_correct(id, ring)), ["ring"]);
        }
    });
}

#[test]
fn a_correction_that_changes_nothing_leaves_nothing() {
    each_world(|world| {
        let id = world.publish(draft("One", [Target::Everyone]));
        let before = world.message(id);
        let last = world.revision();
        world.correct(id, retitle("One"));
        world.correct(id, Correction::default());
        world.correct(id, readdress([Target::Everyone]));
        world.enable(id);
        assert_eq!(world.message(id), before);
        assert_eq!(changes(world, id), []);
        assert_eq!(world.revision(), last, "no revision is taken");
    });
}

#[test]
fn every_fault_of_a_correction_is_named_at_once_and_nothing_is_changed() {
    each_world(|world| {
        let id = world.publish(draft("One", [Target::Everyone]));
        let before = world.message(id);
        let correction = Correction {
            title: Some(String::new()),
            text: Some("\u{7}".to_owned()),
            sender_name: Some(" ".to_owned()),
            opens_at: Some(Some(world.in_s(100))),
            closes_at: Some(Some(world.in_s(50))),
            ring: true,
            ..Correction::default()
        };
        assert_eq!(
            fields(world.tries_to_correct(id, correction)),
            ["title", "text", "sender_name", "closes_at", "ring"]
        );
        assert_eq!(world.message(id), before);
        assert_eq!(changes(world, id), []);
    });
}

#[test]
fn a_correction_of_what_is_not_there_is_missing() {
    each_world(|world| {
        assert!(is_missing(&world.tries_to_correct(MessageId(9), retitle("One"))));
        assert!(is_missing(&world.recall(MessageId(9))));
    });
}

#[test]
fn switching_is_no_correction() {
    each_world(|world| {
        let id = world.publish(draft("One", [Target::Everyone]));
        let disabled = world.disable(id);
        assert_eq!(disabled.status(world.now()), Status::Disabled);
        let enabled = world.enable(id);
        assert_eq!(enabled.status(world.now()), Status::Active);
        assert_eq!((enabled.edition, enabled.edited_at), (1, None));
        assert_eq!(changes(world, id), [Change::Enabled, Change::Disabled]);
    });
}

#[test]
fn what_is_corrected_before_it_is_published_is_not_shown_as_edited() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(Draft {
            opens_at: Some(world.in_s(100)),
            ..draft("Wrong", [user("ann")])
        });
        world.correct(id, retitle("Right"));
        world.pass(100);
        world.open_due();
        let item = world.one(ann, id).unwrap();
        assert_eq!(item.title, "Right");
        assert_eq!((item.edition, item.edited_at), (1, None), "nobody saw the first text");
        assert_eq!(changes(world, id), [Change::Opened, Change::Corrected]);
    });
}

#[test]
fn an_end_can_be_moved_and_taken_away() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(Draft {
            closes_at: Some(world.in_s(50)),
            ..draft("One", [user("ann")])
        });
        let closes = |at| Correction {
            closes_at: Some(at),
            ..Correction::default()
        };
        world.correct(id, closes(Some(world.in_s(500))));
        world.pass(100);
        assert_eq!(world.titles(ann), ["One"]);
        world.correct(id, closes(Some(world.now())));
        assert_eq!(world.titles(ann), NOTHING);
        assert_eq!(world.status(id), Status::Expired);
        world.correct(id, closes(None));
        assert_eq!(world.titles(ann), ["One"]);
        assert_eq!(world.message(id).window.closes_at(), None);
    });
}

#[test]
fn a_start_taken_away_publishes_what_waited() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(Draft {
            opens_at: Some(world.in_s(500)),
            ..draft("One", [user("ann")])
        });
        let at_once = Correction {
            opens_at: Some(None),
            ..Correction::default()
        };
        let message = world.correct(id, at_once);
        assert_eq!(message.published_at, Some(world.now()));
        assert_eq!(world.titles(ann), ["One"]);
    });
}

#[test]
fn the_audience_of_what_was_sent_cannot_change() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.publish(draft("Sent", [user("ann")]));
        assert_eq!(
            fields(world.tries_to_correct(id, readdress([user("bob")]))),
            ["audience"]
        );
        assert_eq!(world.titles(ann), ["Sent"]);
        assert_eq!(world.titles(bob), NOTHING);
    });
}

#[test]
fn the_audience_of_what_was_not_yet_sent_can_change() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.publish(Draft {
            opens_at: Some(world.in_s(100)),
            ..draft("Sent", [user("ann")])
        });
        world.correct(id, readdress([user("bob")]));
        world.pass(100);
        world.open_due();
        assert_eq!(world.titles(ann), NOTHING);
        assert_eq!(world.titles(bob), ["Sent"]);
    });
}

#[test]
fn the_audience_of_what_is_active_can_change() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let older = world.publish(active("Older", [user("ann")]));
        world.publish(active("Newer", [user("bob")]));
        assert_eq!(world.titles(ann), ["Older"]);
        world.correct(older, readdress([user("bob"), role("ADMIN")]));
        assert_eq!(world.titles(ann), NOTHING);
        assert!(is_missing(&world.one(ann, older)));
        assert_eq!(world.titles(bob), ["Newer", "Older"]);
        assert_eq!(changes(world, older), [Change::Readdressed]);
        assert_eq!(world.message(older).edition, 1);
    });
}

#[test]
fn another_audience_must_hold_together() {
    each_world(|world| {
        let id = world.publish(active("Active", [Target::Everyone]));
        assert_eq!(fields(world.tries_to_correct(id, readdress([]))), ["audience"]);
        assert_eq!(
            fields(world.tries_to_correct(id, readdress([user("sender"), user("nobody")]))),
            ["audience[1].user"]
        );
    });
}

#[test]
fn another_audience_brings_its_api_and_its_home() {
    each_world(|world| {
        let test = world.environment("TEST");
        world.api("payments");
        world.api_in("orders", test);
        let top = world.customer(None);
        let id = world.publish(active("Active", [subscribers("payments")]));
        let message = world.correct(id, readdress([subscribers("orders")]));
        assert_eq!(message.shown_title(), "[ORDERS] Active");
        assert_eq!(message.environment, Some(EnvironmentId(test)));
        let message = world.correct(id, readdress([user("sender")]));
        assert_eq!(message.shown_title(), "Active");
        assert_eq!(
            message.environment,
            Some(EnvironmentId(test)),
            "its home stays, having none of its own"
        );
        let message = world.correct(id, readdress([customer(top)]));
        assert_eq!((message.api, message.environment), (None, None));
        assert_eq!(world.message(id), message);
    });
}

#[test]
fn readers_see_the_name_of_another_api_and_the_ends_of_another_window_at_once() {
    each_world(|world| {
        let Shop { ann, application, .. } = world.shop();
        let orders = world.api("orders");
        world.subscribes(ann, application, orders);
        let id = world.publish(active("Active", [subscribers("payments")]));
        assert_eq!(world.titles(ann), ["[PAYMENTS] Active"]);
        world.correct(id, readdress([subscribers("orders")]));
        assert_eq!(world.titles(ann), ["[ORDERS] Active"]);
        let closes = world.in_s(500);
        world.correct(
            id,
            Correction {
                closes_at: Some(Some(closes)),
                ..Correction::default()
            },
        );
        assert_eq!(world.inbox(ann)[0].closes_at, Some(closes));
    });
}

#[test]
fn a_recalled_message_is_marked_for_its_editors_and_cannot_change() {
    each_world(|world| {
        let id = world.publish(draft("One", [Target::Everyone]));
        let recalled = world.recall(id).unwrap();
        assert_eq!(recalled.recalled_at, Some(world.now()));
        assert_eq!(world.message(id), recalled);
        assert_eq!(world.status(id), Status::Recalled);
        assert!(is_conflict(&world.tries_to_correct(id, retitle("Two"))));
        assert!(is_conflict(&world.recall(id)));
        assert_eq!(changes(world, id), [Change::Recalled]);
    });
}

#[test]
fn the_journal_tells_who_did_what_and_what_it_was_before() {
    each_world(|world| {
        let closes = world.in_s(500);
        let id = world.publish(Draft {
            closes_at: Some(closes),
            opens_at: Some(world.in_s(50)),
            ..draft("First", [Target::Everyone])
        });
        let opens = world.in_s(49);
        world.pass(60);
        world.open_due();
        world.correct(
            id,
            Correction {
                importance: Some(Importance::High),
                closes_at: Some(None),
                ..retitle("Second")
            },
        );
        let at = world.now();
        world.disable(id);
        let journal = editions(world, id);
        assert_eq!(
            changes(world, id),
            [Change::Disabled, Change::Corrected, Change::Opened],
            "newest first"
        );
        let corrected = &journal[1];
        assert_eq!(corrected.by.as_deref(), Some("Name of sender"));
        assert_eq!(journal[2].by, None, "the server itself opened it");
        assert_eq!(corrected.at, at);
        assert_eq!(corrected.title, "First");
        assert_eq!(corrected.importance, Importance::Low);
        assert_eq!((corrected.opens_at, corrected.closes_at), (Some(opens), Some(closes)));
        assert!(corrected.enabled && !corrected.rang);
        assert_eq!((journal[0].title.as_str(), journal[0].closes_at), ("Second", None));
    });
}

#[test]
fn the_journal_comes_in_pages() {
    each_world(|world| {
        let id = world.publish(draft("0", [Target::Everyone]));
        for at in 1..5 {
            world.correct(id, retitle(&at.to_string()));
        }
        let first = world.db.read(move |tx| sent::editions(tx, id, i64::MAX, 2)).unwrap();
        let below = first[1].revision.0;
        let second = world.db.read(move |tx| sent::editions(tx, id, below, 2)).unwrap();
        let titles: Vec<&str> = first
            .iter()
            .chain(&second)
            .map(|edition| edition.title.as_str())
            .collect();
        assert_eq!(titles, ["3", "2", "1", "0"]);
    });
}

#[test]
fn sent_messages_come_in_pages_and_by_author() {
    each_world(|world| {
        let ids = world.publish_many((0..5).map(|at| draft(&format!("{at}"), [Target::Everyone])).collect());
        let page = |below: i64, author: Option<PersonId>| {
            let page = world.db.read(move |tx| sent::page(tx, below, author, 3, |_, _| true));
            let (messages, next) = page.unwrap();
            (messages.into_iter().map(|message| message.id).collect::<Vec<_>>(), next)
        };
        let newest = (vec![ids[4], ids[3], ids[2]], Some(ids[2].0));
        assert_eq!(page(i64::MAX, None), newest);
        assert_eq!(page(ids[2].0, Some(world.sender)), (vec![ids[1], ids[0]], None));
        assert_eq!(page(i64::MAX, Some(world.person("ann"))), (Vec::new(), None));
        assert_eq!(page(ids[0].0, None), (Vec::new(), None));
    });
}

#[test]
fn a_page_of_sent_messages_goes_on_where_it_ended() {
    each_world(|world| {
        world.publish_many((0..230).map(|at| draft(&format!("{at}"), [Target::Everyone])).collect());
        let mut ids = Vec::new();
        let mut below = Some(i64::MAX);
        while let Some(from) = below {
            let page = world.db.read(move |tx| {
                sent::page(tx, from, None, 10, |message, selectors| {
                    selectors == [Selector::Everyone] && message.id.0 % 3 == 0
                })
            });
            let (messages, next) = page.unwrap();
            assert!(messages.len() <= 10);
            ids.extend(messages.into_iter().map(|message| message.id.0));
            // The place is that of a message of the page.
            assert!(next.is_none_or(|next| next == ids[ids.len() - 1]));
            below = next;
        }
        let expected: Vec<i64> = (1..=230).rev().filter(|id| id % 3 == 0).collect();
        assert_eq!(ids, expected);
    });
}

#[test]
fn a_page_that_is_looked_for_in_vain_goes_on_at_a_round_number() {
    each_world(|world| {
        let drafts = |count: i64| {
            (0..count)
                .map(|at| draft(&format!("{at}"), [Target::Everyone]))
                .collect()
        };
        world.publish_many(drafts(1_500));
        world.publish_many(drafts(1_234));
        let page = |below: i64| {
            let seventh = |message: &Message, _: &[Selector]| message.id.0 == 7;
            let page = world.db.read(move |tx| sent::page(tx, below, None, 10, seventh));
            let (messages, next) = page.unwrap();
            (messages.len(), next)
        };
        assert_eq!(page(i64::MAX), (0, Some(1_001)));
        assert_eq!(page(1_001), (1, None));
    });
}

#[test]
fn a_change_is_announced() {
    each_world(|world| {
        let id = world.publish(draft("One", [Target::Everyone]));
        let mut signals = world.db.db.signals();
        world.recall(id).unwrap();
        let heard = world.db.wait(async { signals.recv().await }).unwrap();
        let told = campanile_store::Signal {
            topic: campanile_core::revision::topic::MESSAGE,
            key: id.0,
        };
        assert!(heard.contains(&told), "{heard:?}");
        let latest = world.db.read(campanile_core::revision::latest_of_messages).unwrap();
        assert_eq!(latest, world.revision());
    });
}

#[test]
fn changes_and_publications_stand_in_one_order_with_the_directory() {
    each_world(|world| {
        let ann = world.person("ann");
        world.holds(ann, At::Environment, PUBLISHER);
        let before = world.revision();
        let id = world.publish(draft("One", [role("API_PUBLISHER")]));
        assert_eq!(world.message(id).revision, Some(before + 1));
        world.leaves(ann, At::Environment, PUBLISHER);
        world.correct(id, retitle("Two"));
        assert_eq!(world.revision(), before + 3);
    });
}
