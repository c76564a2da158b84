//! The history of things: complete, the newest first, page by page.

use campanile_core::Error;
use campanile_core::directory::entry::{On, Status};
use campanile_core::directory::history::{Fact, Interval, Subject, history};
use campanile_core::directory::list::Paging;
use campanile_core::schema::SCHEMA;
use campanile_store::testing::{TestDb, each_database};

use crate::world::{BASE, NOW, all, revision};

/// The whole history, so many at a time.
fn whole(db: &TestDb, subject: &Subject, limit: i64) -> Vec<Interval> {
    let (mut out, mut cursor) = (Vec::new(), None);
    loop {
        let (subject, paging) = (
            subject.clone(),
            Paging {
                limit: Some(limit),
                cursor,
            },
        );
        let page = db
            .read(move |tx| history(tx, &subject, &paging))
            .expect("it is no fault");
        out.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return out;
        }
    }
}

fn group(id: &str, name: &str) -> Fact {
    Fact::Group {
        id: id.into(),
        name: name.into(),
    }
}

#[test]
fn the_history_of_a_user_is_told_newest_first() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let start = revision(db);
        all(
            db,
            r#"
{"kind":"user","id":"u-ann","customer":3}
{"kind":"remove","of":"membership","user":"u-ann","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"remove","of":"user","id":"u-ann"}
{"kind":"user","id":"u-ann"}
"#,
        );
        let found = whole(db, &Subject::User("u-ann".into()), 100);
        let what: Vec<&str> = found
            .iter()
            .map(|at| match &at.fact {
                Fact::Life => "life",
                Fact::Customer { .. } => "customer",
                Fact::Membership {
                    on: On::Environment(_), ..
                } => "environment",
                Fact::Membership { on: On::Group(_), .. } => "group",
                Fact::Membership { on: On::Api(_), .. } => "api",
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            what,
            ["life", "customer", "api", "group", "environment", "life", "customer"]
        );
        assert_eq!((found[0].since, found[0].until), (start + 4, None));
        assert_eq!((found[1].since, found[1].until), (start + 1, None));
        assert_eq!(found[4].until, Some(start + 2));
        assert_eq!(found[5].until, Some(start + 3));
        assert_eq!((found[6].until, found[6].until_at), (Some(start + 1), Some(NOW)));
        let acme = Fact::Customer {
            id: 17,
            name: "Acme".into(),
        };
        assert_eq!(found[6].fact, acme);
    });
}

#[test]
fn things_have_their_own_histories() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        all(
            db,
            r#"
{"kind":"customer","id":17,"parent":null}
{"kind":"subscription","id":"s-1","status":"CLOSED","ending_at":"2027-01-01T00:00:00Z"}
{"kind":"api","id":"pets","groups":["g-2"]}
"#,
        );
        let facts = |subject: Subject| {
            let found = whole(db, &subject, 2);
            found.into_iter().map(|at| at.fact).collect::<Vec<_>>()
        };
        let parent = Fact::Parent {
            id: 3,
            name: "Partner".into(),
        };
        assert_eq!(facts(Subject::Customer(17)), [Fact::Life, parent]);
        let term = |status, ending_at: Option<&str>| Fact::Term {
            status,
            subscribed_by: Some("u-ann".into()),
            starting_at: None,
            ending_at: ending_at.and_then(campanile_core::time::Moment::parse),
        };
        assert_eq!(
            facts(Subject::Subscription("s-1".into())),
            [
                term(Status::Closed, Some("2027-01-01T00:00:00Z")),
                Fact::Life,
                term(Status::Accepted, None)
            ]
        );
        let pets = facts(Subject::Api("pets".into()));
        assert_eq!(pets.len(), 4);
        assert_eq!(
            (&pets[0], &pets[2], &pets[3]),
            (&group("g-2", "Crew"), &Fact::Life, &group("g-1", "Team"))
        );
        assert!(matches!(&pets[1], Fact::Membership { user, .. } if user == "u-ann"));
        let shop = facts(Subject::Application("app-1".into()));
        assert_eq!(shop.len(), 3);
        let of_group = facts(Subject::Group("g-1".into()));
        let attached = |on| Fact::Attached { to: on };
        assert_eq!(of_group.len(), 4);
        assert!(of_group.contains(&attached(On::Api("pets".into()))));
        assert!(of_group.contains(&attached(On::Application("app-1".into()))));
        assert_eq!(facts(Subject::Environment("DEFAULT".into())), [Fact::Life]);
    });
}

#[test]
fn pages_are_whole_within_one_revision_too() {
    each_database(&SCHEMA, |db| {
        let groups: Vec<String> = (0..7).map(|at| format!("\"g{at}\"")).collect();
        for at in 0..7 {
            all(db, &format!(r#"{{"kind":"group","id":"g{at}","name":"G"}}"#));
        }
        let groups = groups.join(",");
        all(
            db,
            &format!(
                r#"
{{"kind":"api","id":"a","name":"A","environment":"DEFAULT","groups":[{groups}]}}
{{"kind":"api","id":"a","groups":[]}}
{{"kind":"api","id":"a","groups":[{groups}]}}"#
            ),
        );
        let subject = Subject::Api("a".into());
        let wanted = whole(db, &subject, 100);
        assert_eq!(wanted.len(), 15);
        for limit in [1, 2, 3, 8] {
            assert_eq!(whole(db, &subject, limit), wanted, "by {limit}");
        }
    });
}

#[test]
fn an_interval_is_written_as_one_object() {
    each_database(&SCHEMA, |db| {
        all(db, r#"{"kind":"customer","id":3,"name":"Partner"}"#);
        let found = whole(db, &Subject::Customer(3), 1);
        let wanted = serde_json::json!({
            "what": "life", "since": 1, "until": null, "since_at": NOW.to_string(), "until_at": null,
        });
        assert_eq!(serde_json::to_value(&found[0]).unwrap(), wanted);
    });
}

#[test]
fn what_never_was_has_no_history() {
    each_database(&SCHEMA, |db| {
        let subjects = [
            Subject::User("x".into()),
            Subject::Customer(9),
            Subject::Environment("x".into()),
            Subject::Group("x".into()),
            Subject::Api("x".into()),
            Subject::Application("x".into()),
            Subject::Subscription("x".into()),
        ];
        for subject in subjects {
            let found = db.read(move |tx| history(tx, &subject, &Paging::default()));
            assert!(matches!(found, Err(Error::Missing(_))));
        }
    });
}
