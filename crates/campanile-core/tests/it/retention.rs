//! What is kept no longer: messages, outcomes, the journal; a person's erasure and what they can take along.

use campanile_core::directory::entry::{KeyOnly, Patch, Removal, User};
use campanile_core::directory::{self, Entry, list};
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::act::{Action, All};
use campanile_core::journal::{self, By};
use campanile_core::message::Channel;
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::message::target::Target;
use campanile_core::outbox::delivery::{self, End};
use campanile_core::outbox::run::{Lane, State};
use campanile_core::retention::{export, history, message, outcome, person};
use campanile_core::time::Moment;
use campanile_store::{Dialect, Param, Sql, Tx};
use serde_json::Value;

use crate::outbox::{ONE, by_mail, ended, sent};
use crate::world::{World, active, draft, each_world, fields, is_conflict, is_missing, user};

const NOTHING: [&str; 0] = [];
/// A day in seconds.
const DAY: i64 = 24 * 3_600;

impl World<'_> {
    fn runs(&self, text: &'static str) {
        assert!(self.execute(text) > 0, "{text}");
    }

    fn does_so(&self, work: impl FnOnce(&mut Tx<'_>) -> campanile_core::Result<bool> + Send + 'static) -> bool {
        self.db.write(work).expect("it can be written")
    }

    /// What one look of a server does about messages: hides some, ends others.
    fn forgets(&self, before: Moment) {
        let now = self.now();
        for id in self.looks(move |tx| message::visible(tx, before, 10)) {
            assert!(self.does_so(move |tx| message::hide(tx, id, before, now)));
        }
        for id in self.looks(move |tx| message::hidden(tx, before, 10, now)) {
            while self.jots(move |tx| message::shrink(tx, id, before, now)) {}
            assert!(self.does_so(move |tx| message::forget(tx, id, before, now)));
        }
    }

    /// The rows of a message in all tables.
    fn rows_of_messages(&self) -> i64 {
        self.number(
            "SELECT (SELECT COUNT(*) FROM message) + (SELECT COUNT(*) FROM audience) + (SELECT COUNT(*) FROM edition)
                + (SELECT COUNT(*) FROM engagement) + (SELECT COUNT(*) FROM run) + (SELECT COUNT(*) FROM chunk)
                + (SELECT COUNT(*) FROM delivery) + (SELECT COUNT(*) FROM attempt) + (SELECT COUNT(*) FROM post)",
        )
    }

    fn erases(&self, key: &'static str) -> campanile_core::Result<String> {
        let (by, now) = (By::from(self.sender), self.pass(1));
        self.db.write(move |tx| person::erase(tx, &by, key, now))
    }

    fn says(&self, entry: Entry) -> campanile_core::Result<directory::Applied> {
        let (by, now) = (By::from(self.sender), self.pass(1));
        self.db.write(move |tx| journal::apply(tx, &by, &entry, now))
    }

    /// All that is exported of somebody.
    fn exports(&self, key: &'static str) -> Vec<Value> {
        let (mut lines, mut place) = (Vec::new(), Some(export::Place::default()));
        while let Some(at) = place {
            let (now, shared) = (self.now(), self.shared());
            let (more, next) = self.looks(move |tx| export::piece(tx, &shared, key, &at, now));
            lines.extend(more);
            place = next;
        }
        lines
    }

    /// The columns of text in which a word stands, in any case of letters.
    fn where_stands(&self, word: &'static str) -> Vec<String> {
        static LITE: Sql = Sql::new(
            "retention::COLUMNS",
            "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
                WHERE m.type = 'table' AND c.type = 'TEXT' ORDER BY 1, 2",
        );
        static POSTGRES: Sql = Sql::new(
            "retention::COLUMNS_POSTGRES",
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
                WHERE table_schema = current_schema() AND data_type = 'text' ORDER BY 1, 2",
        );
        self.looks(move |tx| {
            let all = match tx.dialect() {
                Dialect::Sqlite => &LITE,
                Dialect::Postgres => &POSTGRES,
            };
            let columns = tx.rows(all, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
            assert!(columns.len() > 50, "{columns:?}");
            let mut found = Vec::new();
            for (table, column) in columns {
                let text = format!("SELECT COUNT(*) FROM {table} WHERE LOWER({column}) LIKE '%{word}%'").leak();
                let sql: &'static Sql = Box::leak(Box::new(Sql::new(text, text)));
                if tx.one(sql, &[] as &[&dyn Param], |row| row.get::<i64>(0))? > 0 {
                    found.push(format!("{table}.{column}"));
                }
            }
            Ok(found)
        })
    }
}

fn closing(title: &str, at: Moment) -> Draft {
    Draft {
        closes_at: Some(at),
        ..draft(title, [user("ann")])
    }
}

#[test]
fn what_is_over_and_old_is_seen_by_nobody_and_goes_a_while_later_with_all_its_rows() {
    each_world(|world| {
        let ann = world.person("ann");
        let old = world.publish(draft("Old", [user("ann")]));
        world.correct(
            old,
            Correction {
                title: Some("Older".into()),
                ..Correction::default()
            },
        );
        world.does(ann, Action::Read, &[old]);
        world.publish(closing("Over", world.in_s(100)));
        world.pass(30 * DAY);
        let cutoff = world.in_s(-20 * DAY);
        world.publish(draft("New", [user("ann")]));

        world.forgets(cutoff);
        assert_eq!(world.titles(ann), ["New"]);
        assert!(world.one(ann, old).is_err());
        let kept = world.rows_of_messages();
        world.forgets(cutoff);
        assert_eq!(
            world.rows_of_messages(),
            kept,
            "not yet: pages may be open that have not heard of it"
        );

        world.pass(3_600);
        world.forgets(cutoff);
        assert_eq!(world.number("SELECT COUNT(*) FROM message"), 1);
        assert_eq!(world.rows_of_messages(), 2, "a message, and whom it is addressed to");
        assert_eq!(world.titles(ann), ["New"]);
        assert_eq!(world.shared().now().len(), 1);
        world.restart();
        assert_eq!(world.titles(ann), ["New"]);
        let again = world.publish(draft("Newer", [user("ann")]));
        assert!(again > old, "a number is not given twice");
    });
}

#[test]
fn what_stands_until_it_is_taken_back_does_not_age() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(active("Standing", [user("ann")]));
        world.pass(30 * DAY);
        let now = world.now();
        assert_eq!(world.looks(move |tx| message::visible(tx, now, 10)), []);
        assert_eq!(world.titles(ann), ["Standing"]);
    });
}

#[test]
fn what_is_to_come_or_was_touched_lately_stays() {
    each_world(|world| {
        world.person("ann");
        let touched = world.publish(draft("Touched", [user("ann")]));
        world.publish(Draft {
            opens_at: Some(world.in_s(90 * DAY)),
            ..draft("To come", [user("ann")])
        });
        world.pass(30 * DAY);
        world.ring(touched);
        let (before, now) = (world.in_s(-DAY), world.now());
        assert_eq!(world.looks(move |tx| message::visible(tx, before, 10)), []);
        assert_eq!(world.looks(move |tx| message::hidden(tx, before, 10, now)), []);
    });
}

#[test]
fn a_message_that_was_touched_since_it_was_found_stays() {
    each_world(|world| {
        world.person("ann");
        let id = world.publish(draft("Old", [user("ann")]));
        world.pass(30 * DAY);
        let before = world.in_s(-DAY);
        assert_eq!(world.looks(move |tx| message::visible(tx, before, 10)), [id]);
        world.ring(id);
        let now = world.now();
        assert!(!world.db.write(move |tx| message::hide(tx, id, before, now)).unwrap());
    });
}

#[test]
fn what_is_reminded_of_goes_after_its_reminder() {
    each_world(|world| {
        world.person("ann");
        let id = world.publish(Draft {
            must_acknowledge: true,
            closes_at: Some(world.in_s(DAY)),
            channels: vec![Channel::Portal, Channel::Banner, Channel::Email],
            ..draft("Read this", [user("ann")])
        });
        let reminder = world.remind(id).unwrap().expect("she has an address");
        world.lists_all();
        let mut chunk = world.takes(ONE, Lane::Normal).expect("her mail");
        world.sends(&mut chunk);
        let mut chunk = world.takes(ONE, Lane::Normal).expect("her reminder");
        world.sends(&mut chunk);
        world.pass(30 * DAY);
        let before = world.in_s(-DAY);
        world.forgets(before);
        world.pass(3_600);
        let now = world.now();
        assert_eq!(world.looks(move |tx| message::hidden(tx, before, 10, now)), [reminder]);
        world.forgets(before);
        assert_eq!(world.looks(move |tx| message::hidden(tx, before, 10, now)), [id]);
        world.forgets(before);
        assert_eq!(world.rows_of_messages(), 0);
    });
}

#[test]
fn marks_of_before_all_that_is_left_go_and_change_no_number() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(closing("Over", world.in_s(100)));
        world.marks(ann, All::Read);
        world.marks(ann, All::Seen);
        world.pass(30 * DAY);
        let cutoff = world.in_s(-DAY);
        let kept = world.publish(draft("Kept", [user("ann")]));
        world.publish(draft("Kept too", [user("ann")]));
        world.marks(ann, All::Read);
        world.publish(draft("Last", [user("ann")]));
        let (counts, seen) = (world.counts(ann), world.funnel(kept));
        world.forgets(cutoff);
        world.pass(3_600);
        world.forgets(cutoff);
        let first = world.looks(message::first);
        assert_eq!(world.jots(move |tx| message::trim_marks(tx, first)), 2);
        assert_eq!(world.jots(move |tx| message::trim_marks(tx, first)), 0);
        assert_eq!(world.number("SELECT COUNT(*) FROM mark"), 1);
        world.restart();
        assert_eq!((world.counts(ann), world.funnel(kept)), (counts, seen));
        assert_eq!(world.unread(ann), ["Last"]);
    });
}

#[test]
fn outcomes_go_and_the_numbers_of_the_run_stay() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.mails(by_mail(draft("Mail", [user("ann"), user("bob")])));
        let mut chunk = world.takes(ONE, Lane::Normal).expect("two people");
        let now = world.now();
        for at in 0..2 {
            chunk.done.set(at);
        }
        chunk.begun = 2;
        let outcomes = vec![sent(ann.0 as u32, now), ended(bob.0, End::Failed, now)];
        assert!(world.writes(&mut chunk, outcomes));
        let told = world.progress(id);
        assert_eq!(
            (told.state, told.sent, told.failed, told.forgotten_at),
            (State::Ended, 1, 1, None)
        );

        let before = world.pass(DAY);
        let which = world.looks(move |tx| outcome::ended(tx, before, 10));
        assert_eq!(which, [(id, Channel::Email.bit())]);
        let now = world.now();
        assert!(
            world
                .db
                .write(move |tx| outcome::close(tx, which[0], before, now))
                .unwrap()
        );
        let which = world.looks(|tx| outcome::closed(tx, 10));
        assert_eq!(which, [(id, Channel::Email.bit())]);
        while world.jots({
            let which = which[0];
            move |tx| outcome::shrink(tx, which)
        }) > 0
        {}
        assert_eq!(world.looks(|tx| outcome::closed(tx, 10)), []);
        assert_eq!(world.looks(move |tx| outcome::ended(tx, before, 10)), []);
        let left = "SELECT (SELECT COUNT(*) FROM delivery) + (SELECT COUNT(*) FROM attempt)
            + (SELECT COUNT(*) FROM chunk)";
        assert_eq!(world.number(left), 0);
        let told = world.progress(id);
        assert_eq!((told.sent, told.failed, told.forgotten_at), (1, 1, Some(now)));
        let again = world
            .db
            .write(move |tx| delivery::again(tx, id, Channel::Email, None, now));
        assert_eq!(again.unwrap(), 0, "nothing is known of what failed");
    });
}

#[test]
fn what_is_sent_again_since_it_was_found_keeps_its_outcomes() {
    each_world(|world| {
        let bob = world.person("bob");
        let id = world.mails(by_mail(draft("Mail", [user("bob")])));
        let mut chunk = world.takes(ONE, Lane::Normal).expect("one person");
        let now = world.now();
        chunk.done.set(0);
        chunk.begun = 1;
        assert!(world.writes(&mut chunk, vec![ended(bob.0, End::Failed, now)]));
        let before = world.pass(DAY);
        let which = world.looks(move |tx| outcome::ended(tx, before, 10))[0];
        world.jots(move |tx| delivery::again(tx, id, Channel::Email, None, before));
        assert!(
            !world
                .db
                .write(move |tx| outcome::close(tx, which, before, before))
                .unwrap()
        );
    });
}

#[test]
fn the_journal_loses_what_is_older_and_nothing_else() {
    each_world(|world| {
        for key in ["u-1", "u-2"] {
            world.says(someone(key)).unwrap();
        }
        let before = world.pass(DAY);
        world.says(someone("u-3")).unwrap();
        assert!(world.jots(move |tx| history::forget(tx, before)));
        assert!(!world.jots(move |tx| history::forget(tx, before)));
        assert_eq!(world.number("SELECT COUNT(*) FROM journal"), 1);
    });
}

fn someone(key: &str) -> Entry {
    Entry::User(User {
        id: Some(key.to_owned()),
        login: Patch::Set(key.to_owned()),
        name: Patch::Set(format!("Name of {key}")),
        email: Patch::Set(format!("{key}@example.org")),
        locale: Patch::Set("de".into()),
        ..User::default()
    })
}

/// Somebody of whom there is a row wherever there can be one, and no other reader of "Hello".
fn quirrel(world: &World<'_>) -> (PersonId, MessageId) {
    for key in ["Quirrel", "Quirrel-2"] {
        world.says(someone(key)).expect("nobody has it");
    }
    let quirrel = PersonId(world.number("SELECT id FROM person WHERE key = 'Quirrel'"));
    let id = world.mails(by_mail(draft("Hello", [user("Quirrel")])));
    world.does(quirrel, Action::Read, &[id]);
    let mut chunk = world.takes(ONE, Lane::Normal).expect("one person");
    let now = world.now();
    chunk.done.set(0);
    chunk.begun = 1;
    let mut failed = ended(quirrel.0, End::Failed, now);
    failed.reason = Some("<quirrel@example.org>: no such mailbox".into());
    failed.address = Some("quirrel@example.org".into());
    assert!(world.writes(&mut chunk, vec![failed]));
    world.runs(
        "UPDATE message SET from_address = '10.0.0.9', from_token = 'abc', author =
        (SELECT id FROM person WHERE key = 'Quirrel')",
    );
    world.runs(
        "INSERT INTO session (id, person, hash, created_at, used_at, expires_at, agent, address)
        SELECT 's', id, CAST('h' AS {blob}), 1, 1, 9000000000000, 'Phone of Quirrel', '10.0.0.9' FROM person
            WHERE key = 'Quirrel'",
    );
    world.runs(
        "INSERT INTO token (id, person, name, hash, created_at)
        SELECT 't', id, 'Laptop of Quirrel', CAST('h' AS {blob}), 1 FROM person WHERE key = 'Quirrel'",
    );
    world.runs(
        "INSERT INTO portal_user (person, phone, approved, locked_out, roles)
        SELECT id, '0815', TRUE, FALSE, '' FROM person WHERE key = 'Quirrel'",
    );
    world.runs(
        "INSERT INTO suppression (address, source, reason, since, until)
        VALUES ('quirrel@example.org', 1, 'quirrel@example.org: full', 1, 9000000000000)",
    );
    world.runs(
        "INSERT INTO journal (at, actor, from_address, action, kind, object, before, after)
        SELECT 1, id, '10.0.0.9', 1, 9, 'Quirrel', NULL, '{\"user\":\"Quirrel\",\"role\":\"USER\"}' FROM person
            WHERE key = 'Quirrel'",
    );
    world.runs(
        "INSERT INTO journal (at, action, kind, object, after)
        VALUES (1, 1, 12, 'quirrel@example.org', '{\"address\":\"quirrel@example.org\"}')",
    );
    (quirrel, id)
}

#[test]
fn nothing_says_any_more_who_an_erased_person_was_and_the_numbers_stay() {
    each_world(|world| {
        let (quirrel, id) = quirrel(world);
        let before = world.funnel(id);
        let others = world.where_stands("quirrel-2");
        assert!(world.where_stands("quirrel").len() > 10);
        assert_eq!(world.erases("Quirrel").unwrap(), format!("erased-{}", quirrel.0));
        // Whoever has a name that begins so is somebody else.
        assert_eq!(world.where_stands("quirrel@"), NOTHING);
        assert_eq!(world.where_stands("quirrel"), others);
        assert_eq!(world.where_stands("10.0.0.9"), NOTHING);
        assert_eq!(world.where_stands("0815"), NOTHING);
        let after = world.funnel(id);
        assert_eq!(
            (after.people, after.seen, after.read),
            (before.people, before.seen, before.read)
        );
        let role = "SELECT COUNT(*) FROM journal WHERE kind = 9 AND object LIKE 'erased-%'
            AND after LIKE '{\"user\":\"erased-%\",\"role\":\"USER\"}'";
        assert_eq!(world.number(role), 1, "the journal still knows what was done");
    });
}

#[test]
fn an_address_that_complained_is_kept_from_being_written_to() {
    each_world(|world| {
        quirrel(world);
        world.runs(
            "INSERT INTO suppression (address, source, reason, since, until)
            VALUES ('quirrel@example.org', 2, 'Quirrel: no!', 1, 9223372036854775807)",
        );
        world.erases("Quirrel").unwrap();
        assert_eq!(world.where_stands("quirrel@"), ["suppression.address"]);
        assert_eq!(world.number("SELECT MIN(source) FROM suppression"), 2);
    });
}

#[test]
fn nobody_is_erased_twice_and_an_erased_person_does_not_come_back() {
    each_world(|world| {
        let (quirrel, _) = quirrel(world);
        let new = world.erases("Quirrel").unwrap();
        let revision = world.revision();
        let key: &'static str = new.clone().leak();
        assert_eq!(world.erases(key).unwrap(), new);
        assert_eq!(world.revision(), revision);
        assert!(is_missing(&world.erases("Quirrel")));
        assert_eq!(fields(world.says(someone(key))), ["id"]);
        world.says(someone("Quirrel")).unwrap();
        let again = world.looks(|tx| list::user(tx, "Quirrel"));
        assert!(again.number != quirrel.0 && again.active && again.erased_at.is_none());
        let erased = world.looks(move |tx| list::user(tx, key));
        assert!(!erased.active && erased.erased_at.is_some());
    });
}

#[test]
fn who_left_long_ago_is_found_and_who_came_back_is_not() {
    each_world(|world| {
        for key in ["u-1", "u-2", "u-3"] {
            world.says(someone(key)).unwrap();
        }
        for key in ["u-1", "u-2"] {
            let end = Entry::Remove(Removal::User(KeyOnly { id: key.into() }));
            world.says(end).unwrap();
        }
        world.says(someone("u-2")).unwrap();
        let before = world.pass(DAY);
        assert_eq!(world.looks(move |tx| person::left(tx, before, 10)), ["u-1"]);
        world.erases("u-1").unwrap();
        assert_eq!(world.looks(move |tx| person::left(tx, before, 10)), NOTHING);
    });
}

#[test]
fn what_was_sent_again_to_an_erased_person_goes_nowhere() {
    each_world(|world| {
        let (_, id) = quirrel(world);
        world.erases("Quirrel").unwrap();
        let now = world.now();
        world.jots(move |tx| delivery::again(tx, id, Channel::Email, None, now));
        assert!(is_conflict(&world.recall(id).and_then(|_| world.recall(id))));
        world.sweeps();
        assert_eq!(world.progress(id).sent, 0);
    });
}

#[test]
fn everything_that_is_kept_of_a_person_can_be_taken_along() {
    each_world(|world| {
        let (quirrel, id) = quirrel(world);
        let deleted = world.publish(draft("Thrown away", [user("Quirrel")]));
        world.does(quirrel, Action::Delete, &[deleted]);
        world.publish(draft("For all", [Target::Everyone]));
        world.publish(draft("For somebody else", [user("Quirrel-2")]));
        world.marks(quirrel, All::Read);
        let lines = world.exports("Quirrel");
        let kinds: Vec<_> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
        let mut once = kinds.clone();
        once.dedup();
        let all = [
            "person",
            "session",
            "token",
            "suppression",
            "fact",
            "message",
            "mark",
            "mail",
            "deed",
        ];
        assert_eq!(once, all);
        let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
        assert_eq!(of("person")[0]["email"], "Quirrel@example.org");
        let titles: Vec<_> = of("message")
            .iter()
            .map(|line| line["title"].as_str().unwrap())
            .collect();
        assert_eq!(titles, ["For all", "Thrown away", "Hello"]);
        let shown = of("message");
        assert_eq!(
            (&shown[1]["deleted"], &shown[2]["deleted"]),
            (&Value::from(true), &Value::from(false))
        );
        assert!(shown[2]["read_at"].is_string() && shown[0].get("read_at").is_none());
        assert_eq!(of("mark")[0]["all"], "read");
        let mail = of("mail")[0];
        assert_eq!(
            (&mail["message"], &mail["state"]),
            (&Value::from(id.0), &Value::from("failed"))
        );
        assert!(of("deed").iter().any(|line| line["of"] == "membership"));
        assert!(
            of("deed")
                .iter()
                .any(|line| line["of"] == "user" && line["action"] == "created")
        );
    });
}
