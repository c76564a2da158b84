//! Saved destinations: what they hold, what is never shown again, how they fall ill and get well.

use campanile_core::directory::entry::Patch;
use campanile_core::id::EnvironmentId;
use campanile_core::outbox::destination::{self, Header, Posting};
use campanile_core::outbox::endpoint::{self, Change, Endpoint, Filter, New, State as Stands};
use campanile_core::outbox::post::Proxy;
use campanile_core::outbox::signing::SigningSecret;
use campanile_core::outbox::target::Policy;

use super::*;

const DAY_S: i64 = 86_400;

fn posting(random: u8) -> Posting {
    Posting {
        policy: Policy::default(),
        key: key(),
        random: [random; 32],
    }
}

fn new(name: &str) -> New {
    New {
        name: name.into(),
        url: "https://hooks.example.com/in".into(),
        ..New::default()
    }
}

fn header(name: &str, value: &str) -> Header {
    Header {
        name: name.into(),
        value: value.into(),
    }
}

fn home() -> Filter {
    Filter {
        environment: Some(EnvironmentId(1)),
        api: None,
    }
}

impl World<'_> {
    fn tries_to_save(&self, new: New) -> Result<(i64, Option<String>)> {
        let now = self.now();
        self.db
            .write(move |tx| endpoint::create(tx, &new, home(), &posting(1), now))
    }

    fn saves(&self, new: New) -> i64 {
        self.tries_to_save(new).expect("it is accepted").0
    }

    fn endpoint(&self, id: i64) -> Endpoint {
        let now = self.now();
        self.looks(move |tx| endpoint::find(tx, &key(), id, now))
    }

    fn changes(&self, id: i64, change: Change) -> Result<()> {
        let now = self.now();
        self.db
            .write(move |tx| endpoint::change(tx, id, &change, &posting(2), now))
    }

    fn notes(&self, id: i64, succeeded: bool) -> bool {
        let now = self.now();
        let reason = (!succeeded).then_some("the target answered 500");
        let code = Some(if succeeded { 200 } else { 500 });
        self.jots(move |tx| endpoint::note(tx, id, succeeded, code, reason, now))
    }

    /// What is posted to an endpoint now.
    fn to_post(&self, id: i64) -> destination::ToPost {
        let message = self.publish(Draft {
            posts: vec![Destination {
                endpoint: Some(id),
                ..Destination::default()
            }],
            ..post("")
        });
        let now = self.now();
        self.looks(move |tx| destination::load(tx, &key(), message, 1, now))
            .expect("it is there")
    }
}

#[test]
fn what_was_saved_is_posted_to_and_its_secrets_are_not_shown() {
    each_world(|world| {
        let (id, secret) = world
            .tries_to_save(New {
                headers: vec![header("X-Api-Key", "geheim")],
                secret: Some("new".into()),
                ..new("Pager")
            })
            .unwrap();
        let shown = world.endpoint(id);
        assert_eq!(
            (shown.headers.clone(), shown.signed, shown.locked),
            (vec!["X-Api-Key".to_owned()], true, false)
        );
        let json = serde_json::to_string(&shown).unwrap();
        assert!(!json.contains("geheim") && !json.contains("whsec_"), "{json}");
        let to = world.to_post(id);
        let sent: Vec<_> = to.post.as_ref().unwrap().headers.iter().collect();
        assert_eq!(sent, [("X-Api-Key", "geheim")]);
        assert_eq!(Some(to.secrets[0].text()), secret);
    });
}

#[test]
fn every_fault_is_named_at_once() {
    each_world(|world| {
        world.saves(new("Pager"));
        let fault = world.tries_to_save(New {
            name: "PAGER".into(),
            url: "ftp://example.com".into(),
            headers: vec![header("Host", "x")],
            secret: Some("short".into()),
            ..New::default()
        });
        let mut fields: Vec<_> = refusals(fault).into_iter().map(|fault| fault.field).collect();
        fields.sort();
        assert_eq!(fields, ["headers[0]", "name", "secret", "url"]);
    });
}

#[test]
fn headers_are_given_again_with_another_url() {
    each_world(|world| {
        let id = world.saves(New {
            headers: vec![header("X-Api-Key", "geheim")],
            ..new("Pager")
        });
        let moved = |headers| Change {
            url: Some("https://other.example.com/".into()),
            headers,
            ..Change::default()
        };
        let faults = refusals(world.changes(id, moved(None)));
        assert_eq!(faults[0].field, "headers");
        world.changes(id, moved(Some(Vec::new()))).unwrap();
        let now = world.endpoint(id);
        assert_eq!((now.url.as_str(), now.headers.len()), ("https://other.example.com/", 0));
        // Where there are none, there is nothing to give away.
        let back = Change {
            url: Some("https://hooks.example.com/in".into()),
            ..Change::default()
        };
        world.changes(id, back).unwrap();
    });
}

#[test]
fn the_same_url_in_another_writing_and_another_name_keep_the_headers() {
    each_world(|world| {
        let id = world.saves(New {
            headers: vec![header("X-Api-Key", "geheim")],
            ..new("Pager")
        });
        let change = Change {
            name: Some("Bell".into()),
            url: Some("HTTPS://Hooks.Example.com:443/in".into()),
            use_system_proxy: Patch::Set(false),
            ..Change::default()
        };
        world.changes(id, change).unwrap();
        let now = world.endpoint(id);
        assert_eq!(
            (now.name.as_str(), now.headers.len(), now.use_system_proxy),
            ("Bell", 1, Some(false))
        );
        let to = world.to_post(id).post.unwrap();
        assert_eq!((to.headers.iter().count(), to.proxy), (1, Proxy::No));
    });
}

#[test]
fn during_a_rotation_both_secrets_sign_and_then_the_new_one_alone() {
    each_world(|world| {
        let (id, old) = world
            .tries_to_save(New {
                secret: Some("new".into()),
                ..new("Pager")
            })
            .unwrap();
        let now = world.now();
        let new = world
            .db
            .write(move |tx| endpoint::rotate(tx, id, None, None, &posting(3), now))
            .unwrap();
        let texts = |to: destination::ToPost| to.secrets.iter().map(SigningSecret::text).collect::<Vec<_>>();
        assert_eq!(texts(world.to_post(id)), [new.clone(), old.unwrap()]);
        assert!(world.endpoint(id).old_secret_until.is_some());
        world.pass(DAY_S + 1);
        assert_eq!(texts(world.to_post(id)), [new]);
        assert_eq!(world.endpoint(id).old_secret_until, None);
    });
}

#[test]
fn five_days_of_failures_switch_it_off_and_a_success_begins_anew() {
    each_world(|world| {
        let id = world.saves(new("Pager"));
        for day in 0..5 {
            assert!(!world.notes(id, false), "day {day}");
            world.pass(DAY_S);
        }
        assert!(world.notes(id, false));
        let off = world.endpoint(id);
        assert_eq!((off.state, off.health.failed_code), (Stands::Off, Some(500)));
        world.jots(move |tx| endpoint::resume(tx, id));
        assert_eq!(world.endpoint(id).state, Stands::Active);
        assert!(!world.notes(id, false), "it has five days again");
        world.notes(id, true);
        assert_eq!(world.endpoint(id).health.failing_since, None);
        assert_eq!(world.endpoint(id).health.succeeded_at, Some(world.now()));
    });
}

#[test]
fn failures_that_lie_far_apart_are_not_one_failing() {
    each_world(|world| {
        let id = world.saves(new("Seldom"));
        for _ in 0..4 {
            assert!(!world.notes(id, false));
            world.pass(30 * DAY_S);
        }
        assert_eq!(world.endpoint(id).state, Stands::Active);
    });
}

#[test]
fn what_is_for_a_paused_one_waits() {
    each_world(|world| {
        let id = world.saves(new("Pager"));
        world.jots(move |tx| endpoint::pause(tx, id));
        world.to_post(id);
        assert_eq!(world.due(Channel::Http, Lane::Normal), []);
        world.jots(move |tx| endpoint::resume(tx, id));
        assert_eq!(world.due(Channel::Http, Lane::Normal).len(), 1);
    });
}

#[test]
fn one_that_is_gone_is_off_and_says_why() {
    each_world(|world| {
        let id = world.saves(new("Pager"));
        let now = world.now();
        world.jots(move |tx| endpoint::gone(tx, id, now));
        let off = world.endpoint(id);
        assert_eq!((off.state, off.health.failed_code), (Stands::Off, Some(410)));
    });
}

#[test]
fn a_removed_one_is_nowhere_and_what_waits_for_it_is_told() {
    each_world(|world| {
        let id = world.saves(New {
            headers: vec![header("X-Api-Key", "geheim")],
            secret: Some("new".into()),
            ..new("Pager")
        });
        world.to_post(id);
        let now = world.now();
        world.db.write(move |tx| endpoint::remove(tx, id, now)).unwrap();
        let found = world.db.read(move |tx| endpoint::find(tx, &key(), id, now));
        assert!(matches!(found, Err(Error::Missing("endpoint"))));
        let due = world.due(Channel::Http, Lane::Normal);
        let message = due[0].message;
        let to = world
            .looks(move |tx| destination::load(tx, &key(), message, 1, now))
            .unwrap();
        assert!(to.is_removed && to.post.is_none() && to.secrets.is_empty());
        assert!(world.saves(new("Pager")) > id, "the name is free again");
    });
}

#[test]
fn an_environment_has_so_many_and_no_more() {
    each_world(|world| {
        let now = world.now();
        let filled = world.db.write(move |tx| {
            for at in 0..endpoint::ENDPOINTS_LIMIT {
                endpoint::create(tx, &new(&format!("e{at}")), home(), &posting(1), now)?;
            }
            Ok::<_, Error>(())
        });
        filled.unwrap();
        assert!(matches!(world.tries_to_save(new("one more")), Err(Error::Conflict(_))));
        let (mut all, mut after) = (0, 0);
        loop {
            let list = move |tx: &mut Tx<'_>| endpoint::list(tx, &key(), home(), after, 90, now, |of| of.id % 2 == 0);
            let (page, next) = world.looks(list);
            all += page.len();
            let Some(next) = next else { break };
            after = next;
        }
        assert_eq!(all, endpoint::ENDPOINTS_LIMIT / 2);
    });
}
