//! What a platform has that has been in use for a while: people who saw and read, things that have ended, a wide group,
//! a message on its way by mail to everybody.

use std::sync::Arc;

use campanile::import::{self, Manner};
use campanile_core::audience::Rule;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::act::{self, Action, All, Plan, UpTo};
use campanile_core::message::draft::{self, Draft};
use campanile_core::message::publish;
use campanile_core::message::target::Target;
use campanile_core::outbox::destination::Outlets;
use campanile_store::Sql;
use roaring::RoaringBitmap;

use crate::house::{Dice, House};

static FIND: Sql = Sql::new(
    "bench::FIND",
    "SELECT id FROM message WHERE title = $1 ORDER BY id LIMIT 1",
);
static USED: Sql = Sql::new("bench::USED", "SELECT COUNT(*) FROM grp WHERE key = 'g-wide'");
static OWNER: Sql = Sql::new(
    "bench::OWNER",
    "SELECT m.person FROM membership m JOIN api a ON a.id = m.object
        WHERE m.place = 3 AND m.role = 6 AND a.key = $1 LIMIT 1",
);
static POSITION: Sql = Sql::new("bench::POSITION", "SELECT value FROM tally WHERE name = 'revision'");

/// The id of the widest group.
pub(crate) const WIDE: &str = "g-wide";
/// The messages whose pages are looked at, by title, with whom they went to.
pub(crate) const TOLD: [&str; 7] = [
    "To role USER",
    "To everyone",
    "To a tree",
    "To a group",
    "To an API",
    "To role USER, late joiners too",
    "To an API, late joiners too",
];

/// Uses the house, once: a file that is kept was used already.
pub(crate) fn use_it(house: &House) {
    let used: i64 = house.read(|tx| tx.one(&USED, &[], |row| row.get(0)));
    if used > 0 {
        return;
    }
    bring(house, wide(house));
    let told = tell(house);
    // After them: their audiences are of the past.
    bring(house, ended(house));
    read_all(house);
    for message in told {
        read_one(house, message);
    }
    mail(house);
}

fn bring(house: &House, lines: Vec<String>) {
    let source = import::lines(lines.into_iter());
    let report = house
        .rt
        .block_on(import::run(
            &house.app,
            None,
            source,
            false,
            Manner::Polite,
            &mut |_| {},
        ))
        .expect("the import works");
    assert!(report.errors.is_empty(), "{:?}", report.errors.first());
}

/// A group of a twentieth of the people, an administrator of a customer, an environment of next to nothing.
fn wide(house: &House) -> Vec<String> {
    let customer = house.customers[0];
    let mut lines = vec![
        format!(r#"{{"kind":"group","id":"{WIDE}","name":"Everybody who builds"}}"#),
        format!(r#"{{"kind":"user","id":"u-2","customer":{customer},"asm_role":"CustomerAdmin"}}"#),
        r#"{"kind":"environment","id":"SMALL","name":"Small"}"#.into(),
        r#"{"kind":"api","id":"small","name":"Small","environment":"SMALL","groups":[]}"#.into(),
        r#"{"kind":"application","id":"small","name":"Small","environment":"SMALL","groups":[]}"#.into(),
    ];
    let member = |n: i64| {
        let on = format!(r#"{{"group":"{WIDE}"}}"#);
        format!(r#"{{"kind":"membership","user":"u-{n}","on":{on},"role":"USER","scope":"APPLICATION"}}"#)
    };
    lines.extend((3..3 + house.people / 20).map(member));
    lines
}

/// Ends: some people, applications and subscriptions at the end of their lists, one of each other kind.
fn ended(house: &House) -> Vec<String> {
    let some = house.people / 1_000;
    let end = |of: &str, id: String| format!(r#"{{"kind":"remove","of":"{of}","id":"{id}"}}"#);
    let last = |of: &'static str, letter: &'static str, all: i64, count: i64| {
        (all - count + 1..=all).map(move |n| end(of, format!("{letter}-{n}")))
    };
    let applications = house.people / 20;
    let mut lines: Vec<String> = last("user", "u", house.people - 1_000, some).collect();
    lines.extend(last("application", "app", applications, 20));
    lines.extend(last("subscription", "s", applications * 4, 20));
    lines.push(end("api", format!("api-{}", house.apis.len())));
    lines
}

/// Publishes the messages that are looked at.
fn tell(house: &House) -> Vec<MessageId> {
    let user = Target::EnvironmentRole {
        environment: "DEFAULT".into(),
        role: "USER".into(),
    };
    let api = Target::ApiRole {
        api: house.apis[0].clone(),
        role: "USER".into(),
    };
    let tree = Target::Customer {
        customer: house.customers[0],
        include_sub_customers: true,
    };
    let group = Target::Group { group: WIDE.into() };
    let to = [user.clone(), Target::Everyone, tree, group, api.clone(), user, api];
    let publish = |(title, target): (&str, Target)| {
        let mut draft = Draft::new(title, "Nothing needs to be done on your side.", vec![target]);
        if title.ends_with("too") {
            draft.late_joiners = Some(Rule::WhileActive);
        }
        let now = house.app.clock.now();
        let checked = house
            .rt
            .block_on(
                house
                    .app
                    .db
                    .read(move |tx| draft::check(tx, &draft, "Bench", &Outlets::default(), now)),
            )
            .expect("it holds");
        let write = house
            .app
            .db
            .write(move |tx| publish::publish(tx, PersonId(1), &checked, None, now));
        house.rt.block_on(write).expect("it is published").id
    };
    TOLD.into_iter().zip(to).map(publish).collect()
}

/// A message that is looked at.
pub(crate) fn told(house: &House, title: &'static str) -> i64 {
    house.read(move |tx| tx.one(&FIND, &[&title], |row| row.get(0)))
}

/// Who owns an API.
pub(crate) fn owner(house: &House, api: &str) -> PersonId {
    let api = api.to_owned();
    PersonId(house.read(move |tx| tx.one(&OWNER, &[&api], |row| row.get(0))))
}

/// A twentieth of the people opened the bell, and then read all.
fn read_all(house: &House) {
    let mut dice = Dice(17);
    let people: Vec<PersonId> = (0..house.people / 20)
        .map(|_| PersonId(2 + dice.below(house.people as usize - 2) as i64))
        .collect();
    let revision: i64 = house.read(|tx| tx.one(&POSITION, &[], |row| row.get(0)));
    for kind in [All::Seen, All::Read] {
        for some in people.chunks(500) {
            let (some, now) = (some.to_vec(), house.app.clock.now());
            let up_to = UpTo { revision, clock: now };
            let work = house.app.db.jot(move |tx| {
                some.iter()
                    .try_for_each(|person| act::mark(tx, *person, kind, up_to, now))
            });
            house.rt.block_on(work).expect("they are marked");
        }
    }
}

/// A hundredth of the people, where they got it or not, opened a message itself.
fn read_one(house: &House, message: MessageId) {
    let mut dice = Dice(message.0 as u64);
    let people: Vec<PersonId> = (0..house.people / 100)
        .map(|_| PersonId(2 + dice.below(house.people as usize - 2) as i64))
        .collect();
    let revision: i64 = house.read(|tx| tx.one(&POSITION, &[], |row| row.get(0)));
    let plan = Arc::new(Plan::new(vec![message.0], revision, false));
    for some in people.chunks(500) {
        let (some, now, plan) = (some.to_vec(), house.app.clock.now(), Arc::clone(&plan));
        let work = house.app.db.jot(move |tx| {
            some.iter()
                .try_for_each(|person| act::act(tx, *person, &plan, Action::Read, now))
        });
        house.rt.block_on(work).expect("it is read");
    }
}

/// A message that has gone to six tenths of everybody by mail, as its sender's pages read it. Written by hand: no relay
/// takes a million mails here.
fn mail(house: &House) {
    let Some(file) = &house.file else { return };
    let message = told(house, TOLD[1]);
    let conn = rusqlite::Connection::open(file).expect("the file opens");
    conn.busy_timeout(std::time::Duration::from_secs(5))
        .expect("the option is taken");
    let (people, size) = (house.people, 1_000);
    let sent = people * 6 / 10 / size * size;
    let run = "INSERT INTO run VALUES (?1, 4, 2, 0, 1, FALSE, ?2, 1, 1, NULL, ?2, ?3, 0, 0, 0, 0, 0, 0, 0, 0)";
    conn.execute_batch("BEGIN").expect("it begins");
    conn.execute(run, (message, people / size * size, sent))
        .expect("it has a run");
    for at in 0..people / size {
        let (first, last) = (at * size + 1, (at + 1) * size);
        let ids = RoaringBitmap::from_sorted_iter(first as u32..=last as u32).expect("they are in order");
        let mut bytes = Vec::new();
        ids.serialize_into(&mut bytes).expect("a vector takes everything");
        let is_done = last <= sent;
        let done = vec![if is_done { 0xff_u8 } else { 0 }; size as usize / 8];
        let chunk = "INSERT INTO chunk VALUES (?1, ?2, ?3, 2, 0, ?4, 1000, ?5, ?6, ?7, 1, NULL, 0, 0, 0)";
        let (begun, state) = (if is_done { size } else { 0 }, i64::from(is_done));
        conn.execute(chunk, (message, first, last, bytes, done, begun, state))
            .expect("it has chunks");
    }
    conn.execute_batch("COMMIT").expect("it is kept");
}
