//! Reading: pages are whole and without repeats, filters and searches find what they say.

use std::collections::BTreeSet;

use campanile_core::Error;
use campanile_core::directory::entry::{On, Status};
use campanile_core::directory::list::{
    self, CustomerFilter, Kind, MembershipFilter, Page, Paging, Parent, SubscriptionFilter, ThingFilter, UserFilter,
};
use campanile_core::place::Scope;
use campanile_core::schema::SCHEMA;
use campanile_store::testing::{TestDb, each_database};
use campanile_store::{Sql, Tx};

use crate::world::{BASE, NOW, all, one};

/// All pages of a list, so many items at a time; something happens after each.
fn pages<T: Send + 'static>(
    db: &TestDb,
    limit: i64,
    read: impl Fn(&mut Tx<'_>, &Paging) -> campanile_core::Result<Page<T>> + Clone + Send + 'static,
    mut between: impl FnMut(),
) -> Vec<T> {
    let (mut out, mut cursor) = (Vec::new(), None);
    loop {
        let (read, paging) = (
            read.clone(),
            Paging {
                limit: Some(limit),
                cursor,
            },
        );
        let page = db.read(move |tx| read(tx, &paging)).expect("it is no fault");
        assert!(page.items.len() as i64 <= limit);
        out.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return out;
        }
        between();
    }
}

fn users(db: &TestDb, filter: &UserFilter, limit: i64) -> Vec<String> {
    let filter = filter.clone();
    let found = pages(db, limit, move |tx, paging| list::users(tx, &filter, paging), || {});
    found.into_iter().map(|user| user.id).collect()
}

fn search(q: &str) -> UserFilter {
    UserFilter {
        q: Some(q.into()),
        ..UserFilter::default()
    }
}

#[test]
fn a_user_is_shown_as_imported() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let ann = db.read(|tx| list::user(tx, "u-ann")).unwrap();
        let mut json = serde_json::to_value(&ann).unwrap();
        let guid = json.as_object_mut().unwrap().remove("guid");
        assert_eq!(guid.and_then(|guid| guid.as_str().map(str::len)), Some(36));
        let wanted = serde_json::json!({
            "id": "u-ann", "number": 1, "login": "ann", "name": "Ann Lee", "email": "ann@example.com", "customer": 17,
            "locale": "en", "asm_role": "User", "active": true, "created_at": NOW.to_string(),
        });
        assert_eq!(json, wanted);
        let missing = db.read(|tx| list::user(tx, "u-x"));
        assert!(matches!(missing, Err(Error::Missing("user"))));
    });
}

#[test]
fn pages_are_whole_while_people_are_added() {
    each_database(&SCHEMA, |db| {
        for at in 0..9 {
            one(
                db,
                &format!(r#"{{"kind":"user","id":"u{at}","login":"m{at}","name":"Same"}}"#),
            );
        }
        let mut added = 0;
        for filter in [UserFilter::default(), search("m"), search("same")] {
            let before: BTreeSet<String> = users(db, &filter, 100).into_iter().collect();
            let found = pages(
                db,
                2,
                move |tx, paging| list::users(tx, &filter, paging),
                || {
                    added += 1;
                    // In front of, between and behind what is there.
                    let login = ["a", "m4-", "z"][added % 3];
                    one(
                        db,
                        &format!(r#"{{"kind":"user","id":"n{added}","login":"{login}{added}","name":"Same"}}"#),
                    );
                },
            );
            let ids: BTreeSet<String> = found.iter().map(|user| user.id.clone()).collect();
            assert_eq!(ids.len(), found.len(), "repeats");
            assert!(ids.is_superset(&before));
        }
    });
}

#[test]
fn people_are_found_by_login_name_and_address_each_once() {
    each_database(&SCHEMA, |db| {
        all(
            db,
            r#"
{"kind":"user","id":"1","login":"Zoe","name":"Anna","email":"anna@example.com"}
{"kind":"user","id":"2","login":"anna","name":"Anna","email":"anna@example.org"}
{"kind":"user","id":"3","login":"carl","name":"Carl","email":"ANNA@example.net"}
{"kind":"user","id":"4","login":"dora","name":"Dora"}
{"kind":"user","id":"5","login":"100%","name":"Élan"}
"#,
        );
        for limit in [1, 2, 100] {
            assert_eq!(users(db, &search("ann"), limit), ["2", "1", "3"]);
        }
        assert_eq!(users(db, &search(" ANNA@example.o "), 10), ["2"]);
        assert_eq!(users(db, &search("éL"), 10), ["5"]);
        assert_eq!(users(db, &search("100%"), 10), ["5"]);
        assert_eq!(users(db, &search("%"), 10), [] as [String; 0]);
        assert_eq!(users(db, &search("  "), 10).len(), 5);
    });
}

#[test]
fn people_are_filtered_by_customer_and_life() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        for at in 0..5 {
            all(
                db,
                &format!(
                    r#"
{{"kind":"user","id":"k{at}","login":"k{at}","name":"K","customer":17}}
{{"kind":"remove","of":"user","id":"k{at}"}}"#
                ),
            );
        }
        all(
            db,
            r#"{"kind":"user","id":"k3"}
{"kind":"user","id":"k1"}
{"kind":"remove","of":"user","id":"k1"}"#,
        );
        let filter = |customer, active, q: Option<&str>| UserFilter {
            customer,
            active,
            q: q.map(str::to_owned),
        };
        for limit in [1, 2, 100] {
            let ids = |customer, active, q| users(db, &filter(customer, active, q), limit);
            assert_eq!(ids(Some(17), None, None), ["u-ann", "k0", "k1", "k2", "k3", "k4"]);
            assert_eq!(ids(Some(17), Some(true), None), ["u-ann", "k3"]);
            assert_eq!(ids(Some(17), Some(false), None), ["k0", "k1", "k2", "k4"]);
            assert_eq!(ids(None, Some(true), None), ["u-ann", "u-bob", "k3"]);
            // The last to leave first, whoever came back not at all.
            assert_eq!(ids(None, Some(false), None), ["k1", "k4", "k2", "k0"]);
            assert_eq!(ids(None, Some(false), Some("k")), ["k1", "k4", "k2", "k0"]);
            assert_eq!(ids(None, Some(false), Some("k4")), ["k4"]);
            assert_eq!(ids(Some(3), None, Some("k")), [] as [String; 0]);
            assert_eq!(ids(Some(17), Some(true), Some("k")), ["k3"]);
        }
    });
}

#[test]
fn customers_are_listed_a_level_at_a_time() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        all(
            db,
            r#"
{"kind":"customer","id":20,"name":"Acme Two","parent":3}
{"kind":"customer","id":21,"name":"Below","parent":17}
{"kind":"customer","id":22,"name":"Gone"}
{"kind":"remove","of":"customer","id":22}
"#,
        );
        let ids = |parent, q: Option<&str>, active| {
            let filter = CustomerFilter {
                parent,
                q: q.map(str::to_owned),
                active,
            };
            let read = move |tx: &mut Tx<'_>, paging: &Paging| list::customers(tx, &filter, paging);
            let found = pages(db, 1, read, || {});
            found.into_iter().map(|customer| customer.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(Parent::Any, None, None), [3, 17, 20, 21, 22]);
        assert_eq!(ids(Parent::Roots, None, Some(true)), [3]);
        assert_eq!(ids(Parent::Of(3), None, None), [17, 20]);
        assert_eq!(ids(Parent::Of(17), None, None), [21]);
        assert_eq!(ids(Parent::Any, Some("ACME"), None), [17, 20]);
        assert_eq!(ids(Parent::Any, Some("17"), None), [17]);
        assert_eq!(ids(Parent::Any, None, Some(false)), [22]);
        let acme = db.read(|tx| list::customer(tx, 17)).unwrap();
        assert_eq!((acme.parent, acme.has_children, acme.active), (Some(3), true, true));
        assert!(!db.read(|tx| list::customer(tx, 21)).unwrap().has_children);
    });
}

/// Groups of a number, of which only the last is there now.
static MANY_ENDED: Sql = Sql::new(
    "test::MANY_ENDED",
    "INSERT INTO grp (id, key, name, name_key)
        WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        SELECT 1000000 + i, 'g-' || CAST(1000000 + i AS TEXT), 'G', 'g' FROM n",
);

#[test]
fn a_page_looks_at_so_many_rows_and_goes_on_behind_them() {
    each_database(&SCHEMA, |db| {
        db.write(|tx| tx.execute(&MANY_ENDED, &[&(list::LOOK + 10)]))
            .expect("they are there");
        all(db, r#"{"kind":"group","id":"g-last","name":"G"}"#);
        for q in [None, Some("g")] {
            let filter = ThingFilter {
                q: q.map(str::to_owned),
                active: Some(true),
                ..ThingFilter::default()
            };
            let page = |cursor| {
                let (filter, paging) = (filter.clone(), Paging { limit: None, cursor });
                db.read(move |tx| list::things(tx, Kind::Group, &filter, &paging))
                    .expect("it is no fault")
            };
            let first = page(None);
            assert_eq!(first.items.len(), 0, "{q:?}");
            assert!(first.next.is_some(), "{q:?}");
            let found = things(db, Kind::Group, filter.clone(), 50);
            assert_eq!(
                found.into_iter().map(|one| one.id).collect::<Vec<_>>(),
                ["g-last"],
                "{q:?}"
            );
        }
    });
}

fn things(db: &TestDb, kind: Kind, filter: ThingFilter, limit: i64) -> Vec<list::Thing> {
    pages(
        db,
        limit,
        move |tx, paging| list::things(tx, kind, &filter, paging),
        || {},
    )
}

#[test]
fn things_are_listed_with_their_groups() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        all(
            db,
            r#"
{"kind":"api","id":"birds","name":"Pelicans","environment":"TEST","groups":["g-2","g-1"]}
{"kind":"api","id":"cats","name":"Cats","environment":"TEST"}
{"kind":"remove","of":"api","id":"cats"}
"#,
        );
        for limit in [1, 100] {
            let apis = things(db, Kind::Api, ThingFilter::default(), limit);
            let shown: Vec<_> = apis
                .iter()
                .map(|api| (api.id.as_str(), api.environment.as_deref(), api.groups.clone()))
                .collect();
            let groups = |keys: &[&str]| Some(keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
            assert_eq!(
                shown,
                [
                    ("birds", Some("TEST"), groups(&["g-1", "g-2"])),
                    ("cats", Some("TEST"), groups(&[])),
                    ("pets", Some("DEFAULT"), groups(&["g-1"])),
                ]
            );
            let ids = |q: Option<&str>, environment: Option<&str>, active| {
                let filter = ThingFilter {
                    q: q.map(str::to_owned),
                    environment: environment.map(str::to_owned),
                    active,
                };
                let found = things(db, Kind::Api, filter, limit);
                found.into_iter().map(|api| api.id).collect::<Vec<_>>()
            };
            // By id, then by name.
            assert_eq!(ids(Some("pe"), None, None), ["pets", "birds"]);
            assert_eq!(ids(None, Some("TEST"), None), ["birds", "cats"]);
            assert_eq!(ids(None, Some("TEST"), Some(true)), ["birds"]);
            assert_eq!(ids(None, Some("NONE"), None), [] as [&str; 0]);
        }
        let names = |kind| {
            let found = things(db, kind, ThingFilter::default(), 1);
            found.into_iter().map(|thing| thing.name).collect::<Vec<_>>()
        };
        assert_eq!(names(Kind::Environment), ["Default", "Test"]);
        assert_eq!(names(Kind::Group), ["Team", "Crew"]);
        assert_eq!(names(Kind::Application), ["Shop"]);
        let shop = db.read(|tx| list::thing(tx, Kind::Application, "app-1")).unwrap();
        assert_eq!(shop.groups, Some(vec!["g-1".to_owned()]));
    });
}

#[test]
fn subscriptions_are_found_from_both_ends() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        all(
            db,
            r#"
{"kind":"application","id":"app-2","name":"Till","environment":"DEFAULT"}
{"kind":"api","id":"cats","name":"Cats","environment":"DEFAULT"}
{"kind":"subscription","id":"s-2","api":"pets","application":"app-2","status":"PENDING"}
{"kind":"subscription","id":"s-3","api":"cats","application":"app-2","status":"ACCEPTED"}
{"kind":"subscription","id":"s-3","ending_at":"2027-01-01T00:00:00Z"}
{"kind":"subscription","id":"s-4","api":"cats","application":"app-1","status":"ACCEPTED"}
{"kind":"remove","of":"subscription","id":"s-4"}
"#,
        );
        let ids = |filter: SubscriptionFilter| {
            let read = move |tx: &mut Tx<'_>, paging: &Paging| list::subscriptions(tx, &filter, paging);
            let found = pages(db, 1, read, || {});
            found.into_iter().map(|at| at.id).collect::<Vec<_>>()
        };
        let none = SubscriptionFilter::default;
        let of = |api: Option<&str>, application: Option<&str>| SubscriptionFilter {
            api: api.map(str::to_owned),
            application: application.map(str::to_owned),
            ..none()
        };
        assert_eq!(ids(none()), ["s-1", "s-2", "s-3", "s-4"]);
        assert_eq!(ids(of(Some("pets"), None)), ["s-1", "s-2"]);
        assert_eq!(ids(of(None, Some("app-2"))), ["s-2", "s-3"]);
        assert_eq!(ids(of(Some("cats"), Some("app-2"))), ["s-3"]);
        let accepted = SubscriptionFilter {
            status: Some(Status::Accepted),
            active: Some(true),
            ..none()
        };
        assert_eq!(ids(accepted), ["s-1", "s-3"]);
        let searched = SubscriptionFilter {
            q: Some("s-3".into()),
            ..none()
        };
        assert_eq!(ids(searched), ["s-3"]);
        let third = db.read(|tx| list::subscription(tx, "s-3")).unwrap();
        let mut json = serde_json::to_value(&third).unwrap();
        json.as_object_mut().unwrap().remove("created_at");
        let wanted = serde_json::json!({
            "id": "s-3", "api": "cats", "application": "app-2", "status": "ACCEPTED", "subscribed_by": null,
            "starting_at": null, "ending_at": "2027-01-01T00:00:00Z", "active": true,
        });
        assert_eq!(json, wanted);
        let gone = db.read(|tx| list::subscription(tx, "s-4")).unwrap();
        assert_eq!((gone.active, gone.status), (false, Status::Accepted));
    });
}

fn memberships(db: &TestDb, filter: MembershipFilter, limit: i64) -> Vec<(String, On, Scope, String)> {
    let read = move |tx: &mut Tx<'_>, paging: &Paging| list::memberships(tx, &filter, paging);
    let found = pages(db, limit, read, || {});
    found
        .into_iter()
        .map(|at| (at.user, at.on, at.scope, at.role))
        .collect()
}

#[test]
fn memberships_are_listed_by_user_and_by_place() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        for at in 0..4 {
            all(
                db,
                &format!(
                    r#"
{{"kind":"user","id":"k{at}","login":"k{at}","name":"K"}}
{{"kind":"membership","user":"k{at}","on":{{"environment":"DEFAULT"}},"role":"USER"}}
{{"kind":"membership","user":"k{at}","on":{{"environment":"DEFAULT"}},"role":"ADMIN"}}"#
                ),
            );
        }
        let place = |on: On, scope, role: Option<&str>| MembershipFilter::Place {
            on,
            scope,
            role: role.map(str::to_owned),
        };
        let default = || On::Environment("DEFAULT".into());
        for limit in [1, 3, 100] {
            let ann: Vec<_> = memberships(db, MembershipFilter::User("u-ann".into()), limit)
                .into_iter()
                .map(|(_, on, scope, role)| (on, scope, role))
                .collect();
            assert_eq!(
                ann,
                [
                    (default(), Scope::Environment, "USER".to_owned()),
                    (On::Api("pets".into()), Scope::Api, "OWNER".to_owned()),
                    (On::Group("g-1".into()), Scope::Application, "USER".to_owned()),
                ]
            );
            let who = |filter| {
                let found = memberships(db, filter, limit);
                found
                    .into_iter()
                    .map(|(user, _, _, role)| format!("{role} {user}"))
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                who(place(default(), None, None)),
                [
                    "ADMIN k0",
                    "ADMIN k1",
                    "ADMIN k2",
                    "ADMIN k3",
                    "USER u-ann",
                    "USER k0",
                    "USER k1",
                    "USER k2",
                    "USER k3"
                ]
            );
            assert_eq!(who(place(default(), None, Some("USER"))).len(), 5);
            assert_eq!(who(place(default(), None, Some("NONE"))), [] as [String; 0]);
            assert_eq!(
                who(place(On::Organization("DEFAULT".into()), None, None)),
                ["ADMIN u-bob"]
            );
            let team = || On::Group("g-1".into());
            assert_eq!(who(place(team(), Some(Scope::Application), None)), ["USER u-ann"]);
            assert_eq!(who(place(team(), Some(Scope::Api), None)), [] as [String; 0]);
        }
        let without_scope =
            db.read(move |tx| list::memberships(tx, &place(On::Group("g-1".into()), None, None), &Paging::default()));
        assert!(matches!(without_scope, Err(Error::Invalid(faults)) if faults[0].field == "scope"));
    });
}

#[test]
fn roles_are_listed_with_their_permissions() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let names = |scope, limit| {
            let found = pages(db, limit, move |tx, paging| list::roles(tx, scope, paging), || {});
            found
                .into_iter()
                .map(|role| format!("{} {}", role.scope.name(), role.name))
                .collect::<Vec<_>>()
        };
        let environment = ["ADMIN", "API_PUBLISHER", "AUDITOR", "USER"].map(|name| format!("ENVIRONMENT {name}"));
        assert_eq!(names(Some(Scope::Environment), 1), environment);
        assert_eq!(names(None, 3).len(), 13);
        let auditor = db.read(|tx| list::role(tx, Scope::Environment, "AUDITOR")).unwrap();
        let wanted = serde_json::json!({
            "scope": "ENVIRONMENT", "name": "AUDITOR", "system": false, "permissions": {"MESSAGE": "R"},
        });
        assert_eq!(serde_json::to_value(auditor).unwrap(), wanted);
    });
}

#[test]
fn limits_and_cursors_are_checked() {
    each_database(&SCHEMA, |db| {
        let field = |limit, cursor: Option<&str>| {
            let paging = Paging {
                limit,
                cursor: cursor.map(str::to_owned),
            };
            match db.read(move |tx| list::users(tx, &UserFilter::default(), &paging)) {
                Err(Error::Invalid(faults)) => faults[0].field.clone(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(field(Some(0), None), "limit");
        assert_eq!(field(Some(101), None), "limit");
        for cursor in ["", "x", "AAAA", "@", "e30"] {
            assert_eq!(field(None, Some(cursor)), "cursor", "{cursor}");
        }
    });
}
