//! What stands at the top of every page: in its window, for its audience, until it is dismissed or acknowledged.

use campanile_core::error::Error;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::act::{self, Action, Plan};
use campanile_core::inbox::{Acknowledgement, BANNERS, Banner, View};
use campanile_core::markup::Format;
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::message::sent::Part;
use campanile_core::message::target::Target;
use campanile_core::message::{Channel, Importance};

use campanile_core::outbox::reader::{self, WhyNot};
use campanile_core::outbox::run;

use crate::world::{World, draft, each_world, fields, is_conflict, subtree, user};

const NOTHING: [&str; 0] = [];

/// A banner alone.
fn banner(title: &str, audience: impl Into<Vec<Target>>) -> Draft {
    Draft {
        channels: vec![Channel::Banner],
        ..draft(title, audience)
    }
}

/// A banner that rings the bell too.
fn with_bell(title: &str, audience: impl Into<Vec<Target>>) -> Draft {
    Draft {
        channels: vec![Channel::Portal, Channel::Banner],
        ..draft(title, audience)
    }
}

/// What stands at the top, in its order.
fn top(world: &World<'_>, person: PersonId) -> Vec<String> {
    let banners = world.counted(person).banners;
    let items = banners.iter().flat_map(|banners| &banners.items);
    items.map(|item| item.title().to_owned()).collect()
}

fn state(world: &World<'_>, person: PersonId, id: MessageId) -> (Option<Banner>, Option<Acknowledgement>) {
    let shown = world.one(person, id).expect("they may see it");
    (shown.banner, shown.acknowledgement)
}

/// Dismisses the edition that was looked at.
fn dismiss(world: &World<'_>, person: PersonId, id: MessageId, edition: i64) {
    let (mut plan, now) = (Plan::new(vec![id.0], world.revision(), false), world.now());
    plan.edition = edition;
    let done = world
        .db
        .jot(move |tx| act::act(tx, person, &plan, Action::Dismiss, now));
    done.expect("a banner can be dismissed");
}

#[test]
fn a_banner_alone_rings_no_bell_and_stands_in_no_inbox() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.publish(banner("One", [user("ann")]));
        assert_eq!(top(world, ann), ["One"]);
        assert_eq!(top(world, bob), NOTHING, "it is for Ann alone");
        assert_eq!((world.counts(ann).unread, world.counts(ann).total), (0, 0));
        for view in [View::Inbox, View::Unread, View::Archived, View::Past] {
            assert_eq!(world.titles_of(ann, view), NOTHING, "{view:?}");
        }
        assert_eq!(world.titles_of(ann, View::Banners), ["One"]);
        assert!(world.one(ann, id).unwrap().banner_only);
    });
}

#[test]
fn one_message_has_one_state_as_bell_and_banner() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(with_bell("One", [user("ann")]));
        assert_eq!(world.counts(ann).unread, 1);
        world.does(ann, Action::Read, &[id]);
        assert_eq!(top(world, ann), ["One"], "to read is not to dismiss");
        world.does(ann, Action::Unread, &[id]);
        world.does(ann, Action::Dismiss, &[id]);
        assert_eq!(top(world, ann), NOTHING);
        assert_eq!(world.counts(ann).unread, 0, "to dismiss is to read");
        assert_eq!(world.view(ann, View::Inbox).len(), 1, "it stays in the inbox");
    });
}

#[test]
fn it_opens_and_closes_to_the_second_and_opens_again() {
    each_world(|world| {
        let ann = world.person("ann");
        let (opens, closes) = (world.in_s(10).plus_ms(400), world.in_s(20).plus_ms(400));
        let id = world.publish(Draft {
            opens_at: Some(opens),
            closes_at: Some(closes),
            ..banner("One", [user("ann")])
        });
        assert_eq!(top(world, ann), NOTHING, "before its time");
        assert!(world.one(ann, id).is_err());
        world.pass(10 - 1);
        world.open_due();
        assert_eq!(top(world, ann), ["One"], "in its first second");
        let last = closes.second().plus_ms(999);
        world.pass((last.0 - world.now().0) / 1_000);
        assert_eq!(top(world, ann), ["One"], "in its last second");
        world.pass(1);
        assert_eq!(top(world, ann), NOTHING, "after it");
        assert_eq!(world.titles_of(ann, View::Past), ["One"]);
        world.correct(
            id,
            Correction {
                closes_at: Some(Some(world.in_s(60))),
                ..Correction::default()
            },
        );
        assert_eq!(top(world, ann), ["One"], "its window was moved");
    });
}

#[test]
fn a_dismissed_one_comes_back_when_it_is_corrected() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(banner("One", [user("ann")]));
        world.does(ann, Action::Dismiss, &[id]);
        world.correct(
            id,
            Correction {
                closes_at: Some(Some(world.in_s(600))),
                ..Correction::default()
            },
        );
        assert_eq!(top(world, ann), NOTHING, "another window is not another content");
        world.correct(
            id,
            Correction {
                title: Some("Two".to_owned()),
                ..Correction::default()
            },
        );
        assert_eq!(top(world, ann), ["Two"]);
        world.does(ann, Action::Dismiss, &[id]);
        assert_eq!(top(world, ann), NOTHING);
        world.does(ann, Action::Show, &[id]);
        assert_eq!(top(world, ann), ["Two"], "and to dismiss is undone");
    });
}

#[test]
fn what_was_corrected_since_it_was_looked_at_is_not_dismissed() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(banner("One", [user("ann")]));
        let edition = world.one(ann, id).unwrap().edition;
        world.correct(
            id,
            Correction {
                title: Some("Two".to_owned()),
                ..Correction::default()
            },
        );
        dismiss(world, ann, id, edition);
        assert_eq!(top(world, ann), ["Two"]);
        dismiss(world, ann, id, edition + 1);
        assert_eq!(top(world, ann), NOTHING);
    });
}

#[test]
fn a_critical_one_stays_unless_its_sender_allows_otherwise() {
    each_world(|world| {
        let ann = world.person("ann");
        let critical = |dismissible| Draft {
            importance: Importance::Critical,
            dismissible,
            ..banner("One", [user("ann")])
        };
        let fixed = world.publish(critical(false));
        let free = world.publish(critical(true));
        assert_eq!(state(world, ann, fixed).0, Some(Banner::Fixed));
        assert_eq!(state(world, ann, free).0, Some(Banner::Dismissible));
        assert!(is_conflict(&world.tries(ann, Action::Dismiss, &[fixed])));
        world.does(ann, Action::Delete, &[fixed]);
        world.does(ann, Action::Dismiss, &[free]);
        assert_eq!(top(world, ann), ["One"], "to delete it is no way around");
    });
}

#[test]
fn what_must_be_acknowledged_stands_until_it_is() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.publish(Draft {
            must_acknowledge: true,
            ..with_bell("One", [user("ann"), user("bob")])
        });
        assert!(is_conflict(&world.tries(ann, Action::Dismiss, &[id])));
        world.does(ann, Action::Acknowledge, &[id]);
        let first = world.recipients(id, Part::Acknowledged).swap_remove(0).acknowledged_at;
        world.does(ann, Action::Acknowledge, &[id]);
        assert_eq!(state(world, ann, id), (None, Some(Acknowledgement::Given)));
        assert_eq!(
            state(world, bob, id),
            (Some(Banner::Fixed), Some(Acknowledgement::Needed))
        );
        let again = world.recipients(id, Part::Acknowledged).swap_remove(0).acknowledged_at;
        assert_eq!(again, first, "the first time stands");
        assert_eq!(world.logins(id, Part::Unacknowledged), ["bob"]);
        assert_eq!(world.funnel(id).acknowledged, Some(1));
        assert_eq!(world.funnel(id).read, 1, "to acknowledge is to read");
    });
}

#[test]
fn a_reminder_rings_for_those_who_have_not_acknowledged() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.publish(Draft {
            must_acknowledge: true,
            ..with_bell("One", [user("ann"), user("bob")])
        });
        world.does(ann, Action::Acknowledge, &[id]);
        world.does(bob, Action::Read, &[id]);
        world.correct(
            id,
            Correction {
                ring: true,
                ..Correction::default()
            },
        );
        assert_eq!(world.unread(ann), NOTHING);
        assert_eq!(world.unread(bob), ["One"]);
        world.does(ann, Action::Unread, &[id]);
        assert_eq!(world.unread(ann), NOTHING, "what was acknowledged stays read");
        assert_eq!(world.logins(id, Part::Read), ["ann"]);
    });
}

#[test]
fn the_most_important_stand_first_and_of_these_the_newest() {
    each_world(|world| {
        let ann = world.person("ann");
        let weighs = |title, importance| Draft {
            importance,
            ..banner(title, [user("ann")])
        };
        world.publish(weighs("low", Importance::Low));
        world.publish(weighs("critical", Importance::Critical));
        world.publish(weighs("high", Importance::High));
        world.publish(weighs("newer", Importance::High));
        assert_eq!(top(world, ann), ["critical", "newer", "high", "low"]);
        for _ in 0..BANNERS {
            world.publish(weighs("more", Importance::Low));
        }
        let banners = world.counted(ann).banners.expect("some stand");
        assert_eq!((banners.items.len(), banners.total), (BANNERS, BANNERS + 4));
    });
}

#[test]
fn a_banner_to_a_subtree_follows_who_comes_and_goes() {
    each_world(|world| {
        let (root, other) = (world.customer(None), world.customer(None));
        let below = world.customer(Some(root));
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        world.moves(ann, Some(below));
        world.moves(bob, Some(other));
        world.publish(banner("One", [subtree(root)]));
        assert_eq!((top(world, ann), top(world, bob)), (vec!["One".to_owned()], Vec::new()));
        world.moves(ann, Some(other));
        world.moves(bob, Some(below));
        assert_eq!((top(world, ann), top(world, bob)), (Vec::new(), vec!["One".to_owned()]));
    });
}

#[test]
fn a_banner_needs_no_title_and_then_a_text() {
    each_world(|world| {
        let ann = world.person("ann");
        let untitled = |text: &str| Draft {
            text: text.to_owned(),
            format: Format::StyleTags,
            ..banner("", [user("ann")])
        };
        assert_eq!(fields(world.hands_in(untitled(" "), None)), ["text"]);
        let rung = Draft {
            channels: vec![Channel::Portal, Channel::Banner],
            ..untitled("[b]Tonight[/b] from 22:00.")
        };
        assert_eq!(fields(world.hands_in(rung, None)), ["title"], "the bell shows one");
        let id = world.publish(untitled("[b]Tonight[/b] from 22:00."));
        let shown = world.one(ann, id).unwrap();
        assert_eq!(shown.html, "<strong>Tonight</strong> from 22:00.");
        let banners = world.counted(ann).banners.expect("it stands");
        assert_eq!(&*banners.items[0].line().title, "Tonight from 22:00.");
    });
}

#[test]
fn nothing_is_acknowledged_that_nobody_can_look_at() {
    each_world(|world| {
        let mail = Draft {
            must_acknowledge: true,
            channels: vec![Channel::Email],
            ..draft("One", [user("sender")])
        };
        assert!(fields(world.hands_in(mail, None)).contains(&"must_acknowledge".to_owned()));
        let id = world.publish(draft("Two", [user("sender")]));
        let refused = world.tries(world.sender, Action::Acknowledge, &[id]);
        assert!(matches!(refused, Err(Error::Conflict(_))));
    });
}

#[test]
fn a_mail_reminds_exactly_those_who_have_not_acknowledged() {
    each_world(|world| {
        let ann = world.person_with_email("ann", "ann@example.org");
        let bob = world.person_with_email("bob", "bob@example.org");
        world.person_without_email("cid");
        let id = world.publish(Draft {
            must_acknowledge: true,
            ..with_bell("One", [user("ann"), user("bob"), user("cid")])
        });
        world.does(ann, Action::Acknowledge, &[id]);
        let missing = world.missing(id).expect("it asks to be acknowledged");
        assert_eq!((missing.people, missing.mailed.concat()), (2, vec![bob.0 as u32]));
        let reminder = world.remind(id).expect("it is there").expect("somebody is mailed");
        assert_eq!(world.logins(reminder, Part::All), ["bob"]);
        assert_eq!(world.funnel(reminder).people, 1);
        assert_eq!(world.message(reminder).reminds, Some(id));
        assert_eq!(
            world.titles_of(bob, View::Inbox),
            ["One"],
            "the mail is no second message in the inbox"
        );
    });
}

#[test]
fn nobody_is_reminded_of_what_they_cannot_see_or_need_not_acknowledge() {
    each_world(|world| {
        let plain = world.publish(draft("One", [user("sender")]));
        assert!(is_conflict(&world.remind(plain)));
        let id = world.publish(Draft {
            must_acknowledge: true,
            ..with_bell("Two", [user("sender")])
        });
        world.recall(id).unwrap();
        assert!(is_conflict(&world.remind(id)));
    });
}

#[test]
fn who_deleted_a_message_can_still_acknowledge_it() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(Draft {
            must_acknowledge: true,
            ..with_bell("One", [user("ann")])
        });
        world.does(ann, Action::Delete, &[id]);
        assert_eq!(top(world, ann), ["One"]);
        assert_eq!(world.titles_of(ann, View::Banners), ["One"]);
        let (shared, now) = (world.shared(), world.now());
        let among = world
            .db
            .read(move |tx| act::among(tx, &shared, ann, &[id], Action::Acknowledge, i64::MAX, now));
        let (plan, gone) = among.expect("it can be looked for");
        assert_eq!((plan.messages, gone), (vec![id.0], 0));
        world.does(ann, Action::Acknowledge, &[id]);
        assert_eq!(top(world, ann), NOTHING);
    });
}

#[test]
fn nobody_acknowledges_a_text_that_they_have_not_seen() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(Draft {
            must_acknowledge: true,
            ..with_bell("One", [user("ann")])
        });
        let mut plan = Plan::new(vec![id.0], world.revision(), false);
        plan.edition = world.one(ann, id).unwrap().edition;
        world.correct(
            id,
            Correction {
                text: Some("Something else.".to_owned()),
                ..Correction::default()
            },
        );
        let now = world.now();
        let done = world
            .db
            .jot(move |tx| act::act(tx, ann, &plan, Action::Acknowledge, now));
        done.expect("it does nothing");
        assert_eq!(state(world, ann, id).1, Some(Acknowledgement::Needed));
    });
}

#[test]
fn what_is_recalled_or_switched_off_takes_its_reminders_along() {
    each_world(|world| {
        let bob = world.person_with_email("bob", "bob@example.org");
        let id = world.publish(Draft {
            must_acknowledge: true,
            ..with_bell("One", [user("bob")])
        });
        let reminder = world.remind(id).unwrap().expect("Bob is mailed");
        assert!(is_conflict(&world.remind(id)), "once a minute");
        let stands = || {
            let of = world.db.read(move |tx| run::progress(tx, reminder));
            of.expect("it can be read")[0].state
        };
        world.disable(id);
        assert_eq!(stands(), run::State::Held);
        world.enable(id);
        assert_eq!(stands(), run::State::Sending);
        world.correct(
            id,
            Correction {
                title: Some("Two".to_owned()),
                ..Correction::default()
            },
        );
        let mail = world.db.read(move |tx| reader::to_mail(tx, reminder)).unwrap();
        assert_eq!(mail.message.title, "Two", "it says what the message says now");
        world.does(bob, Action::Acknowledge, &[id]);
        let now = world.now();
        let readers = world.db.read(move |tx| {
            let mut readers = reader::readers(tx, &[bob.0 as u32], Importance::Low, now)?;
            reader::acknowledged(tx, &mail.message, &mut readers)?;
            Ok::<_, Error>(readers)
        });
        assert_eq!(readers.unwrap()[0].why_not, Some(WhyNot::Acknowledged));
        world.recall(id).unwrap();
        assert_eq!(stands(), run::State::Cancelling);
    });
}
