//! What is accepted, what is refused, and what is stored.

use campanile_core::error::{Error, Result};
use campanile_core::id::EnvironmentId;
use campanile_core::message::Status;
use campanile_core::message::draft::{self, Draft};
use campanile_core::message::publish::{self, Accepted, Idempotency};
use campanile_core::message::sent;
use campanile_core::message::target::Target;
use campanile_core::place::kind;
use campanile_core::policy::Part;

use crate::world::{
    At, PUBLISHER, World, api_role, customer, draft, each_world, fields, group, is_conflict, role, subscribers,
    subtree, user,
};

fn key(key: &str, request: &str) -> Idempotency {
    Idempotency::new(key, request.as_bytes()).expect("a good key")
}

/// Hands in a draft to everyone under a key; the request is its title.
fn under(world: &World<'_>, name: &str, title: &str) -> Result<Accepted> {
    world.hands_in(draft(title, [Target::Everyone]), Some(key(name, title)))
}

fn messages(world: &World<'_>) -> i64 {
    world.number("SELECT COUNT(*) FROM message")
}

/// The fields that the check of a draft names.
fn faults(world: &World<'_>, draft: Draft) -> Vec<String> {
    let refused = fields(world.hands_in(draft, None));
    assert_eq!(messages(world), 0, "a refused draft stores nothing");
    refused
}

#[test]
fn a_message_is_one_row_and_one_row_a_selector_whatever_the_audience() {
    each_world(|world| {
        for at in 0..30 {
            let person = world.person(&format!("person-{at}"));
            world.holds(person, At::Environment, PUBLISHER);
        }
        let top = world.customer(None);
        world.publish(draft("Wide", [Target::Everyone, role("API_PUBLISHER"), subtree(top)]));
        assert_eq!(messages(world), 1);
        assert_eq!(world.number("SELECT COUNT(*) FROM audience"), 3);
        assert_eq!(world.number("SELECT COUNT(*) FROM engagement"), 0);
        assert_eq!(world.number("SELECT COUNT(*) FROM mark"), 0);
        assert_eq!(world.number("SELECT COUNT(*) FROM edition"), 0);
    });
}

#[test]
fn a_part_named_twice_is_stored_once() {
    each_world(|world| {
        world.publish(draft("Twice", [Target::Everyone, Target::Everyone]));
        assert_eq!(world.number("SELECT COUNT(*) FROM audience"), 1);
    });
}

#[test]
fn the_same_request_again_gives_the_same_message_and_stores_nothing() {
    each_world(|world| {
        let first = under(world, "a", "Once").unwrap();
        let revision = world.revision();
        let again = under(world, "a", "Once").unwrap();
        assert!(!first.repeated);
        assert!(again.repeated);
        assert_eq!((again.id, again.revision), (first.id, first.revision));
        assert_eq!(messages(world), 1);
        assert_eq!(world.number("SELECT COUNT(*) FROM audience"), 1);
        assert_eq!(
            world.revision(),
            revision,
            "nothing happened, so nothing has a place in the order"
        );
    });
}

#[test]
fn the_same_key_for_another_request_is_a_conflict() {
    each_world(|world| {
        under(world, "a", "One").unwrap();
        let other = under(world, "a", "Two");
        assert!(is_conflict(&other), "{other:?}");
        assert_eq!(messages(world), 1);
    });
}

#[test]
fn keys_are_each_senders_own() {
    each_world(|world| {
        under(world, "a", "One").unwrap();
        let (ann, now) = (world.person("ann"), world.now());
        let accepted = world.db.write(move |tx| {
            let checked = draft::check(
                tx,
                &draft("Two", [Target::Everyone]),
                "Ann",
                &campanile_core::outbox::destination::Outlets::default(),
                now,
            )?;
            publish::publish(tx, ann, &checked, Some(&key("a", "Two")), now)
        });
        assert!(!accepted.unwrap().repeated);
        assert_eq!(messages(world), 2);
    });
}

#[test]
fn a_key_is_forgotten_after_a_day_and_not_before() {
    each_world(|world| {
        under(world, "a", "One").unwrap();
        let forget = |world: &World<'_>| {
            let now = world.now();
            world.db.write(move |tx| publish::forget_keys(tx, now)).unwrap()
        };
        world.pass(24 * 60 * 60);
        assert_eq!(forget(world), 0);
        world.pass(1);
        assert_eq!(forget(world), 1);
        let again = under(world, "a", "One").unwrap();
        assert!(!again.repeated);
    });
}

#[test]
fn a_key_is_1_to_255_visible_ascii_characters() {
    for good in ["a", "~", &"k".repeat(255)] {
        assert!(Idempotency::new(good, b"").is_ok(), "{good:?}");
    }
    for bad in ["", "a b", "ä", "\n", &"k".repeat(256)] {
        assert_eq!(fields(Idempotency::new(bad, b"")), ["Idempotency-Key"], "{bad:?}");
    }
}

#[test]
fn every_fault_of_a_draft_is_named_at_once() {
    each_world(|world| {
        let nowhere = Target::EnvironmentRole {
            environment: "NOWHERE".to_owned(),
            role: "NOBODY".to_owned(),
        };
        let stranger = Target::Customer {
            customer: 77,
            include_sub_customers: false,
        };
        let draft = Draft {
            text: "\u{0}".to_owned(),
            sender_name: Some(String::new()),
            channels: Vec::new(),
            opens_at: Some(world.in_s(-10)),
            closes_at: Some(world.in_s(-60)),
            environment: Some("NOWHERE".to_owned()),
            ..draft(
                "",
                [
                    nowhere,
                    api_role("none", "NOBODY"),
                    subscribers("none"),
                    stranger,
                    group("none"),
                    user("none"),
                ],
            )
        };
        assert_eq!(
            faults(world, draft),
            [
                "title",
                "text",
                "sender_name",
                "closes_at",
                "closes_at",
                "channels",
                "audience[0].environment",
                "audience[0].role",
                "audience[1].api",
                "audience[1].role",
                "audience[2].api",
                "audience[3].customer",
                "audience[4].group",
                "audience[5].user",
                "environment",
            ]
        );
    });
}

#[test]
fn a_title_is_one_line_of_1_to_1000_characters() {
    each_world(|world| {
        for bad in ["", "  ", "two\nlines", "bell\u{7}", &"ü".repeat(1_001)] {
            assert_eq!(faults(world, draft(bad, [Target::Everyone])), ["title"], "{bad:?}");
        }
        world.publish(draft(&"ü".repeat(1_000), [Target::Everyone]));
    });
}

#[test]
fn a_text_is_at_most_64_kib_with_tabs_and_line_breaks() {
    each_world(|world| {
        let with = |text: &str| Draft {
            text: text.to_owned(),
            ..draft("Title", [Target::Everyone])
        };
        for bad in [
            "bell\u{7}",
            "\u{0}",
            &"x".repeat(64 * 1024 + 1),
            &"ü".repeat(32 * 1024 + 1),
        ] {
            assert_eq!(faults(world, with(bad)), ["text"]);
        }
        world.publish(with(&"ü".repeat(32 * 1024)));
        world.publish(with("a\tb\r\nc"));
        world.publish(with(""));
    });
}

#[test]
fn a_senders_name_is_one_line_of_1_to_200_characters() {
    each_world(|world| {
        let from = |name: &str| Draft {
            sender_name: Some(name.to_owned()),
            ..draft("Title", [Target::Everyone])
        };
        for bad in ["", " ", "two\nlines", &"ü".repeat(201)] {
            assert_eq!(faults(world, from(bad)), ["sender_name"], "{bad:?}");
        }
        world.publish(from(&"ü".repeat(200)));
    });
}

#[test]
fn without_a_senders_name_it_is_the_authors() {
    each_world(|world| {
        let id = world.publish(draft("Title", [Target::Everyone]));
        assert_eq!(world.message(id).sender_name, "The sender");
    });
}

#[test]
fn a_window_ends_after_it_starts_and_not_in_the_past() {
    each_world(|world| {
        let open = |from, to| Draft {
            opens_at: Some(world.in_s(from)),
            closes_at: Some(world.in_s(to)),
            ..draft("Title", [Target::Everyone])
        };
        assert_eq!(faults(world, open(60, 30)), ["closes_at"]);
        assert_eq!(faults(world, open(-60, -30)), ["closes_at"]);
        // The verb takes a second: it closes in this very one.
        let id = world.publish(open(1, 1));
        assert_eq!(world.status(id), Status::Active);
    });
}

#[test]
fn an_audience_has_1_to_50_parts() {
    each_world(|world| {
        assert_eq!(faults(world, draft("None", [])), ["audience"]);
        assert_eq!(faults(world, draft("Many", vec![Target::Everyone; 51])), ["audience"]);
        world.publish(draft("Enough", vec![Target::Everyone; 50]));
    });
}

#[test]
fn what_has_ended_is_unknown() {
    each_world(|world| {
        let (api, team, top) = (world.api("gone"), world.group("gone"), world.customer(None));
        let ann = world.person("gone");
        world.ends(kind::API, api.0);
        world.ends(kind::GROUP, team.0);
        world.ends(kind::CUSTOMER, top.0);
        world.deactivates(ann);
        let audience = [subscribers("gone"), group("gone"), customer(top), user("gone")];
        assert_eq!(
            faults(world, draft("Title", audience)),
            [
                "audience[0].api",
                "audience[1].group",
                "audience[2].customer",
                "audience[3].user"
            ]
        );
    });
}

#[test]
fn roles_are_looked_up_in_their_own_scope() {
    each_world(|world| {
        world.api("payments");
        let audience = [role("PRIMARY_OWNER"), api_role("payments", "API_PUBLISHER")];
        assert_eq!(
            faults(world, draft("Title", audience)),
            ["audience[0].role", "audience[1].role"]
        );
    });
}

#[test]
fn a_message_about_one_api_shows_its_name_before_the_title() {
    each_world(|world| {
        world.api("payments");
        let audience = [subscribers("payments"), api_role("payments", "OWNER")];
        let id = world.publish(draft("Version 2", audience));
        let message = world.message(id);
        assert_eq!(message.shown_title(), "[PAYMENTS] Version 2");
        assert_eq!(message.title, "Version 2", "it is not stored in the title");
    });
}

#[test]
fn a_message_about_more_than_one_api_has_no_name_before_the_title() {
    each_world(|world| {
        world.api("payments");
        world.api("orders");
        let two = world.publish(draft("Two", [subscribers("payments"), subscribers("orders")]));
        let mixed = world.publish(draft("Mixed", [subscribers("payments"), Target::Everyone]));
        assert_eq!(world.message(two).shown_title(), "Two");
        assert_eq!(world.message(mixed).shown_title(), "Mixed");
    });
}

#[test]
fn a_published_message_keeps_the_name_of_its_api() {
    each_world(|world| {
        let api = world.api("payments");
        let id = world.publish(draft("Version 2", [subscribers("payments")]));
        world.renames(api, "Billing");
        assert_eq!(world.message(id).shown_title(), "[PAYMENTS] Version 2");
    });
}

#[test]
fn the_home_is_the_environment_that_the_audience_is_about() {
    each_world(|world| {
        let test = world.environment("TEST");
        world.api_in("payments", test);
        world.group("team");
        let home = |environment: Option<&str>, audience: Vec<Target>| {
            let id = world.publish(Draft {
                environment: environment.map(str::to_owned),
                ..draft("Title", audience)
            });
            world.message(id).environment.map(|EnvironmentId(id)| id)
        };
        let in_test = Target::EnvironmentRole {
            environment: "TEST".to_owned(),
            role: "ADMIN".to_owned(),
        };
        assert_eq!(home(None, vec![role("ADMIN")]), Some(1));
        assert_eq!(home(None, vec![in_test.clone()]), Some(test));
        assert_eq!(home(None, vec![subscribers("payments")]), Some(test));
        assert_eq!(home(None, vec![group("team")]), Some(1));
        assert_eq!(home(None, vec![user("sender")]), Some(1));
        assert_eq!(home(Some("TEST"), vec![group("team")]), Some(test));
        assert_eq!(home(Some("TEST"), vec![user("sender")]), Some(test));
        assert_eq!(home(Some("TEST"), vec![in_test, user("sender")]), Some(test));
    });
}

#[test]
fn an_environment_that_would_change_nothing_is_refused() {
    each_world(|world| {
        let test = world.environment("TEST");
        world.api_in("payments", test);
        let top = world.customer(None);
        for audience in [
            vec![Target::Everyone],
            vec![customer(top), subtree(top)],
            vec![subscribers("payments")],
            vec![subscribers("payments"), user("sender"), role("ADMIN")],
        ] {
            let environment = if audience.len() == 3 { "TEST" } else { "DEFAULT" };
            let draft = Draft {
                environment: Some(environment.to_owned()),
                ..draft("Title", audience)
            };
            assert_eq!(faults(world, draft), ["environment"]);
        }
    });
}

#[test]
fn a_group_that_is_unknown_is_so_at_the_home_that_it_would_have() {
    each_world(|world| {
        let may = |parts: &[Part]| {
            let home = Part::Directory {
                environment: Some(EnvironmentId(1)),
            };
            assert_eq!(parts, [home]);
            Ok(())
        };
        let refused = world
            .db
            .read(move |tx| draft::check_audience(tx, &[group("none")], None, &may));
        assert_eq!(fields(refused), ["audience[0].group"]);
    });
}

#[test]
fn a_refusal_names_the_part_that_is_not_allowed() {
    each_world(|world| {
        let may = |parts: &[Part]| match parts {
            [Part::Everyone] => Err(Error::Denied("no".into())),
            _ => Ok(()),
        };
        let audience = [role("ADMIN"), user("sender"), Target::Everyone];
        let refused = world
            .db
            .read(move |tx| draft::check_audience(tx, &audience, None, &may))
            .unwrap_err();
        assert_eq!(refused.to_string(), "audience[2]: no");
    });
}

#[test]
fn a_message_to_customers_or_everyone_has_no_home() {
    each_world(|world| {
        let top = world.customer(None);
        for audience in [customer(top), subtree(top), Target::Everyone] {
            let id = world.publish(draft("Title", [audience]));
            assert_eq!(world.message(id).environment, None);
        }
    });
}

#[test]
fn a_message_handed_in_disabled_is_published_when_it_is_enabled() {
    each_world(|world| {
        let ann = world.person("ann");
        let accepted = world.hands_in(
            Draft {
                enabled: false,
                ..draft("Later", [Target::Everyone])
            },
            None,
        );
        let accepted = accepted.unwrap();
        assert_eq!(accepted.revision, None);
        assert_eq!(world.titles(ann), [""; 0]);
        assert_eq!(world.open_due(), 0, "it waits for its sender, not for the clock");
        let message = world.enable(accepted.id);
        assert_eq!(message.published_at, Some(world.now()));
        assert_eq!(world.titles(ann), ["Later"]);
    });
}

#[test]
fn a_selector_is_named_outside_as_it_was_given() {
    each_world(|world| {
        world.api("payments");
        world.group("team");
        let top = world.customer(None);
        let given = vec![
            role("ADMIN"),
            api_role("payments", "OWNER"),
            subscribers("payments"),
            customer(top),
            subtree(top),
            Target::Everyone,
            group("team"),
            user("sender"),
        ];
        let id = world.publish(draft("Title", given.clone()));
        let named: Result<Vec<Target>> = world.db.read(move |tx| {
            let selectors = campanile_core::message::selectors(tx, id)?;
            selectors
                .into_iter()
                .map(|selector| campanile_core::message::target::name(tx, selector))
                .collect()
        });
        assert_eq!(named.unwrap(), given);
    });
}

#[test]
fn an_author_is_named_outside_by_key_and_by_name() {
    each_world(|world| {
        let sender = world.sender;
        let names = world
            .db
            .read(move |tx| Ok::<_, Error>((sent::person_key(tx, sender)?, sent::person_name(tx, sender)?)));
        assert_eq!(names.unwrap(), ("sender".to_owned(), "Name of sender".to_owned()));
    });
}

#[test]
fn a_message_that_is_not_there_is_missing() {
    each_world(|world| {
        let found = world
            .db
            .read(|tx| campanile_core::message::find(tx, campanile_core::id::MessageId(7)));
        assert!(matches!(found, Err(Error::Missing("message"))));
    });
}
