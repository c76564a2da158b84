//! Signing in, on both databases: sessions, personal tokens, tickets, passwords, the profile, the first administrator.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use campanile_core::account::{self, password, profile, session, ticket, token};
use campanile_core::directory::{self, Entry};
use campanile_core::error::{Error, Result};
use campanile_core::id::PersonId;
use campanile_core::rights::{AsmRole, Rights};
use campanile_core::schema::SCHEMA;
use campanile_core::secret::{InstallationKey, Random};
use campanile_core::time::Moment;
use campanile_store::testing::{TestDb, each_database};
use campanile_store::{Sql, Tx};

const NOW: Moment = Moment(1_700_000_000_000);
const HOUR: i64 = 3_600_000;
const ANN: PersonId = PersonId(1);
const BEN: PersonId = PersonId(2);

static PERSON: Sql = Sql::new(
    "test::PERSON",
    "INSERT INTO person (id, key, login, login_key, name, name_key, asm_role, guid, ticket_serial, changed)
     VALUES ($1, $2, $2, lower($2), $2, lower($2), 0, $2, 0, 1)",
);
static LIFE: Sql = Sql::new(
    "test::LIFE",
    "INSERT INTO life (kind, object, since, until, since_at, until_at)
     VALUES (1, $1, 1, 9223372036854775807, 1, 9223372036854775807)",
);
static DEATH: Sql = Sql::new(
    "test::DEATH",
    "UPDATE life SET until = 2, until_at = 2 WHERE kind = 1 AND object = $1",
);
static CHANGED: Sql = Sql::new(
    "test::CHANGED",
    "SELECT changed, name_key, email_key FROM person WHERE id = $1",
);
static HASHES: Sql = Sql::new(
    "test::HASHES",
    "SELECT hash FROM session UNION ALL SELECT hash FROM token",
);
static HOLDS: Sql = Sql::new(
    "test::HOLDS",
    "SELECT place, object, role, since FROM membership WHERE person = $1",
);
static LAST: Sql = Sql::new("test::LAST", "SELECT MAX(id) FROM person");
static TALLY: Sql = Sql::new("test::TALLY", "SELECT value FROM tally WHERE name = $1");

/// Ann and Ben, both active.
fn people(db: &TestDb) {
    db.write(|tx| {
        for (person, login) in [(ANN, "Ann"), (BEN, "ben")] {
            tx.execute(&PERSON, &[&person.0, &login])?;
            tx.execute(&LIFE, &[&person.0])?;
        }
        Ok::<(), Error>(())
    })
    .unwrap();
}

fn deactivate(db: &TestDb, person: PersonId) {
    db.write(move |tx| tx.execute(&DEATH, &[&person.0]).map_err(Error::from))
        .unwrap();
}

fn random(seed: u8) -> Random {
    [seed; 32]
}

fn key() -> InstallationKey {
    InstallationKey::from_text("0123456789abcdef0123456789abcdef").unwrap()
}

fn open(tx: &mut Tx<'_>, person: PersonId, seed: u8, now: Moment) -> Result<session::Opened> {
    let origin = session::Origin {
        agent: "browser",
        address: "192.0.2.1",
    };
    session::open(tx, person, origin, &random(seed), now, HOUR)
}

fn reason<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

// ---------------------------------------------------------------- log-in

#[test]
fn a_login_is_found_in_any_case_while_its_person_is_active() {
    each_database(&SCHEMA, |db| {
        people(db);
        let found = db.read(|tx| account::candidate(tx, "aNN")).unwrap().unwrap();
        assert_eq!((found.person, found.login.as_str(), found.phc), (ANN, "Ann", None));
        assert_eq!(db.read(|tx| account::candidate(tx, "ann\0")).unwrap(), None);
        assert_eq!(db.read(|tx| account::candidate(tx, "nobody")).unwrap(), None);
        deactivate(db, ANN);
        assert_eq!(db.read(|tx| account::candidate(tx, "ann")).unwrap(), None);
        assert!(matches!(
            db.read(|tx| account::candidate_of(tx, ANN)),
            Err(Error::Missing("user"))
        ));
    });
}

#[test]
fn a_new_password_ends_the_other_sessions_of_its_person() {
    each_database(&SCHEMA, |db| {
        people(db);
        let (kept, ended, bens) = db
            .jot(|tx| {
                let (kept, ended) = (open(tx, ANN, 1, NOW)?, open(tx, ANN, 2, NOW)?);
                let bens = open(tx, BEN, 3, NOW)?;
                account::set_password(tx, ANN, "a PHC string", Some(&kept.id))?;
                Ok::<_, Error>((kept, ended, bens))
            })
            .unwrap();
        let alive = |opened: session::Opened| db.read(move |tx| session::find(tx, &opened.secret, NOW)).unwrap();
        assert!(alive(kept).is_some());
        assert!(alive(ended).is_none());
        assert!(alive(bens).is_some());
        let stored = db.read(|tx| account::candidate_of(tx, ANN)).unwrap().phc;
        assert_eq!(stored.as_deref(), Some("a PHC string"));
    });
}

#[test]
fn a_reset_password_ends_every_session() {
    each_database(&SCHEMA, |db| {
        people(db);
        let left = db
            .jot(|tx| {
                open(tx, ANN, 1, NOW)?;
                account::set_password(tx, ANN, "a PHC string", None)?;
                session::list(tx, ANN, NOW)
            })
            .unwrap();
        assert_eq!(left, []);
        let nobody = db.jot(|tx| account::set_password(tx, PersonId(9), "a PHC string", None));
        assert!(matches!(nobody, Err(Error::Missing("user"))));
    });
}

// ---------------------------------------------------------------- sessions

#[test]
fn a_session_is_found_by_its_secret_until_it_expires() {
    each_database(&SCHEMA, |db| {
        people(db);
        let opened = db.jot(|tx| open(tx, ANN, 1, NOW)).unwrap();
        assert_eq!(opened.expires_at, NOW.plus_ms(HOUR));
        let find = |secret: &str, now: Moment| {
            let secret = secret.to_owned();
            db.read(move |tx| session::find(tx, &secret, now)).unwrap()
        };
        let alive = find(&opened.secret, NOW).unwrap();
        assert_eq!((alive.person, &alive.id, alive.used_at), (ANN, &opened.id, NOW));
        assert!(find(&opened.secret, NOW.plus_ms(HOUR - 1)).is_some());
        assert!(find(&opened.secret, NOW.plus_ms(HOUR)).is_none());
        assert!(find(&opened.id, NOW).is_none(), "its name is no secret");
        assert!(find("", NOW).is_none());
    });
}

#[test]
fn a_session_ends_with_its_person() {
    each_database(&SCHEMA, |db| {
        people(db);
        let opened = db.jot(|tx| open(tx, ANN, 1, NOW)).unwrap();
        deactivate(db, ANN);
        let opened = (opened.secret, opened.id);
        let found = db.read(move |tx| {
            Ok::<_, Error>((
                session::find(tx, &opened.0, NOW)?,
                session::find_by_id(tx, &opened.1, NOW)?,
            ))
        });
        assert_eq!(found.unwrap(), (None, None));
    });
}

#[test]
fn a_signed_name_finds_the_session_until_it_is_closed() {
    each_database(&SCHEMA, |db| {
        people(db);
        let id = db.jot(|tx| open(tx, ANN, 1, NOW)).unwrap().id;
        let find = |now: Moment| {
            let id = id.clone();
            db.read(move |tx| session::find_by_id(tx, &id, now)).unwrap()
        };
        assert_eq!(find(NOW).map(|alive| alive.person), Some(ANN));
        assert_eq!(find(NOW.plus_ms(HOUR)), None);
        let other = id.clone();
        assert!(matches!(
            db.jot(move |tx| session::close(tx, BEN, &other)),
            Err(Error::Missing("session"))
        ));
        let own = id.clone();
        db.jot(move |tx| session::close(tx, ANN, &own)).unwrap();
        assert_eq!(find(NOW), None);
    });
}

#[test]
fn only_hashes_are_stored() {
    each_database(&SCHEMA, |db| {
        people(db);
        let (secret, text) = db
            .jot(|tx| {
                let text = token::create(tx, ANN, "ci", None, &random(2), NOW)?.1;
                Ok::<_, Error>((open(tx, ANN, 1, NOW)?.secret, text))
            })
            .unwrap();
        let hashes = db
            .read(|tx| Ok::<_, Error>(tx.rows(&HASHES, &[], |row| row.get::<Vec<u8>>(0))?))
            .unwrap();
        let expected = [secret, text].map(|secret| campanile_core::secret::sha256(secret.as_bytes()).to_vec());
        assert_eq!(hashes, expected);
    });
}

#[test]
fn a_use_is_recorded_once_a_minute() {
    each_database(&SCHEMA, |db| {
        people(db);
        let id = db.jot(|tx| open(tx, ANN, 1, NOW)).unwrap().id;
        let used_after = |ms: i64| {
            let id = id.clone();
            let now = NOW.plus_ms(ms);
            db.jot(move |tx| {
                session::touch(tx, &id, now)?;
                Ok::<_, Error>(session::list(tx, ANN, now)?[0].used_at)
            })
            .unwrap()
        };
        assert_eq!(used_after(59_999), NOW);
        assert_eq!(used_after(60_000), NOW.plus_ms(60_000));
        assert!(!account::is_touch_due(Some(NOW), NOW.plus_ms(59_999)));
        assert!(account::is_touch_due(Some(NOW), NOW.plus_ms(60_000)));
        assert!(account::is_touch_due(None, NOW));
    });
}

#[test]
fn an_agent_is_cut_and_cleaned() {
    each_database(&SCHEMA, |db| {
        people(db);
        let agent = format!("a\0b\r\n{}", "é".repeat(300));
        let listed = db
            .jot(move |tx| {
                let origin = session::Origin {
                    agent: &agent,
                    address: "192.0.2.1",
                };
                session::open(tx, ANN, origin, &random(1), NOW, HOUR)?;
                session::list(tx, ANN, NOW)
            })
            .unwrap();
        assert_eq!(listed[0].agent, format!("ab{}", "é".repeat(198)));
        assert_eq!(listed[0].address, "192.0.2.1");
    });
}

#[test]
fn a_person_has_at_most_a_hundred_sessions() {
    each_database(&SCHEMA, |db| {
        people(db);
        let left = db
            .jot(|tx| {
                for seed in 0..=100 {
                    open(tx, ANN, seed, NOW.plus_ms(i64::from(seed)))?;
                }
                session::list(tx, ANN, NOW.plus_ms(101))
            })
            .unwrap();
        assert_eq!(left.len(), 100);
        assert_eq!(left[0].created_at, NOW.plus_ms(100));
        assert_eq!(left[99].created_at, NOW.plus_ms(1), "the oldest went");
    });
}

#[test]
fn expired_sessions_are_swept_a_few_at_a_time() {
    each_database(&SCHEMA, |db| {
        people(db);
        let swept = db
            .jot(|tx| {
                for seed in 0..3 {
                    open(tx, ANN, seed, NOW)?;
                }
                open(tx, BEN, 3, NOW.plus_ms(1))?;
                let now = NOW.plus_ms(HOUR);
                let swept = [
                    session::sweep(tx, now, 2)?,
                    session::sweep(tx, now, 2)?,
                    session::sweep(tx, now, 2)?,
                ];
                Ok::<_, Error>((swept, session::list(tx, BEN, now)?.len()))
            })
            .unwrap();
        assert_eq!(swept, ([2, 1, 0], 1));
    });
}

// ---------------------------------------------------------------- personal tokens

#[test]
fn a_token_signs_in_until_it_expires_or_is_revoked() {
    each_database(&SCHEMA, |db| {
        people(db);
        let (made, text) = db
            .jot(|tx| token::create(tx, ANN, "ci", Some(NOW.plus_ms(HOUR)), &random(1), NOW))
            .unwrap();
        assert!(text.starts_with("cmp_") && text.len() == 47);
        let find = |now: Moment| {
            let text = text.clone();
            db.read(move |tx| token::find(tx, &text, now)).unwrap()
        };
        let alive = find(NOW).unwrap();
        assert_eq!((alive.person, &alive.id, alive.used_at), (ANN, &made.id, None));
        assert!(find(NOW.plus_ms(HOUR)).is_none());
        let id = made.id.clone();
        assert!(matches!(
            db.jot(move |tx| token::revoke(tx, BEN, &id)),
            Err(Error::Missing("token"))
        ));
        assert!(find(NOW).is_some());
        let id = made.id.clone();
        db.jot(move |tx| token::revoke(tx, ANN, &id)).unwrap();
        assert!(find(NOW).is_none());
    });
}

#[test]
fn a_token_ends_with_its_person() {
    each_database(&SCHEMA, |db| {
        people(db);
        let (_, text) = db
            .jot(|tx| token::create(tx, ANN, "ci", None, &random(1), NOW))
            .unwrap();
        deactivate(db, ANN);
        assert_eq!(db.read(move |tx| token::find(tx, &text, NOW)).unwrap(), None);
    });
}

#[test]
fn a_token_has_a_name_of_its_own_and_an_end_to_come() {
    each_database(&SCHEMA, |db| {
        people(db);
        let create = |person, name: &str, end, seed| {
            let name = name.to_owned();
            db.jot(move |tx| token::create(tx, person, &name, end, &random(seed), NOW))
        };
        create(ANN, "ci", None, 1).unwrap();
        create(BEN, "ci", None, 2).unwrap();
        create(ANN, &"ü".repeat(64), None, 3).unwrap();
        assert_eq!(
            reason(create(ANN, "ci", None, 4)),
            "name: you have a token of this name already"
        );
        assert_eq!(
            reason(create(ANN, "", Some(NOW), 5)),
            "name: must have 1 to 64 characters; expires_at: must lie in the future"
        );
        assert_eq!(
            reason(create(ANN, &"u".repeat(65), None, 6)),
            "name: must have 1 to 64 characters"
        );
        assert_eq!(reason(create(ANN, " ", None, 6)), "name: must have 1 to 64 characters");
        assert_eq!(
            reason(create(ANN, "a\0", None, 6)),
            "name: must not hold control characters"
        );
    });
}

#[test]
fn tokens_are_listed_by_name_and_limited() {
    each_database(&SCHEMA, |db| {
        people(db);
        let tokens = db
            .jot(|tx| {
                for seed in 0..100 {
                    token::create(tx, ANN, &format!("t{:02}", 99 - seed), None, &random(seed), NOW)?;
                }
                token::list(tx, ANN)
            })
            .unwrap();
        assert_eq!(tokens.len(), 100);
        assert_eq!((tokens[0].name.as_str(), tokens[99].name.as_str()), ("t00", "t99"));
        let more = db.jot(|tx| token::create(tx, ANN, "more", None, &random(200), NOW));
        assert!(matches!(more, Err(Error::Conflict(_))));
        assert_eq!(db.jot(|tx| token::revoke_all(tx, ANN)).unwrap(), 100);
        assert_eq!(db.read(|tx| token::list(tx, ANN)).unwrap(), []);
    });
}

#[test]
fn the_last_use_of_a_token_is_recorded_once_a_minute() {
    each_database(&SCHEMA, |db| {
        people(db);
        let id = db
            .jot(|tx| token::create(tx, ANN, "ci", None, &random(1), NOW))
            .unwrap()
            .0
            .id;
        let used_after = |ms: i64| {
            let id = id.clone();
            db.jot(move |tx| {
                token::touch(tx, &id, NOW.plus_ms(ms))?;
                Ok::<_, Error>(token::list(tx, ANN)?[0].used_at)
            })
            .unwrap()
        };
        assert_eq!(used_after(0), Some(NOW));
        assert_eq!(used_after(59_999), Some(NOW));
        assert_eq!(used_after(60_000), Some(NOW.plus_ms(60_000)));
    });
}

// ---------------------------------------------------------------- tickets

#[test]
fn a_ticket_is_valid_once_it_was_shown_and_stays_the_same() {
    each_database(&SCHEMA, |db| {
        people(db);
        let derived = key().ticket(ANN, 0);
        let before = derived.clone();
        assert_eq!(db.read(move |tx| ticket::find(tx, &before)).unwrap(), None);
        let shown = db.jot(|tx| Ok::<_, Error>([ticket::current(tx, &key(), ANN)?, ticket::current(tx, &key(), ANN)?]));
        assert_eq!(shown.unwrap(), [derived.clone(), derived.clone()]);
        let lower = derived.to_lowercase();
        assert_eq!(db.read(move |tx| ticket::find(tx, &lower)).unwrap(), Some(ANN));
        assert_eq!(db.read(|tx| ticket::find(tx, "no ticket")).unwrap(), None);
        deactivate(db, ANN);
        assert_eq!(db.read(move |tx| ticket::find(tx, &derived)).unwrap(), None);
    });
}

#[test]
fn who_is_deactivated_and_comes_back_has_another_ticket() {
    let name = |line: &str| serde_json::from_str::<Entry>(line).unwrap();
    let [new, gone] = [
        name(r#"{"kind":"user","id":"u-eve","login":"eve","name":"Eve"}"#),
        name(r#"{"kind":"remove","of":"user","id":"u-eve"}"#),
    ];
    each_database(&SCHEMA, |db| {
        let apply = |entry: &Entry| {
            let entry = entry.clone();
            db.write(move |tx| directory::apply(tx, &entry, NOW)).unwrap();
        };
        apply(&new);
        let eve = PersonId(db.read(|tx| tx.one(&LAST, &[], |row| row.get(0))).unwrap());
        let shown = || db.jot(move |tx| ticket::current(tx, &key(), eve)).unwrap();
        let found = |ticket: &str| {
            let ticket = ticket.to_owned();
            db.read(move |tx| ticket::find(tx, &ticket)).unwrap()
        };
        let before = shown();
        assert_eq!(found(&before), Some(eve));
        apply(&gone);
        assert_eq!(found(&before), None);
        apply(&new);
        assert_eq!(found(&before), None);
        assert_eq!(found(&shown()), Some(eve));
        assert_eq!(found(&before), None);
    });
}

#[test]
fn a_renewed_ticket_voids_the_one_before() {
    each_database(&SCHEMA, |db| {
        people(db);
        let (old, new, current) = db
            .jot(|tx| {
                let old = ticket::current(tx, &key(), ANN)?;
                Ok::<_, Error>((old, ticket::renew(tx, &key(), ANN)?, ticket::current(tx, &key(), ANN)?))
            })
            .unwrap();
        assert_ne!(old, new);
        assert_eq!(new, current);
        assert_eq!(db.read(move |tx| ticket::find(tx, &old)).unwrap(), None);
        assert_eq!(db.read(move |tx| ticket::find(tx, &new)).unwrap(), Some(ANN));
    });
}

#[test]
fn a_ticket_follows_the_key_of_the_installation() {
    each_database(&SCHEMA, |db| {
        people(db);
        let other = || InstallationKey::from_text("another secret of the same length").unwrap();
        let (old, new) = db
            .jot(move |tx| Ok::<_, Error>((ticket::current(tx, &key(), ANN)?, ticket::current(tx, &other(), ANN)?)))
            .unwrap();
        assert_eq!(db.read(move |tx| ticket::find(tx, &old)).unwrap(), None);
        assert_eq!(db.read(move |tx| ticket::find(tx, &new)).unwrap(), Some(ANN));
    });
}

// ---------------------------------------------------------------- the profile

#[test]
fn a_profile_changes_field_by_field_and_takes_a_revision() {
    each_database(&SCHEMA, |db| {
        people(db);
        let change = profile::Change {
            name: Some(" Ann Lee ".into()),
            email: Some(Some("Ann@Example.com".into())),
            locale: Some(Some("en".into())),
            zone: Some(Some("europe/prague".into())),
        };
        let changed = db.write(move |tx| profile::change(tx, ANN, change, NOW)).unwrap();
        assert_eq!(changed, db.read(|tx| profile::find(tx, ANN)).unwrap());
        assert_eq!(
            (changed.name.as_str(), changed.email.as_deref()),
            ("Ann Lee", Some("Ann@Example.com"))
        );
        assert_eq!(changed.zone.as_deref(), Some("Europe/Prague"));
        let stored = db.read(|tx| {
            let person = tx.one(&CHANGED, &[&ANN.0], |row| {
                Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<Option<String>>(2)?))
            })?;
            let directory = tx.one(&TALLY, &[&"directory"], |row| row.get::<i64>(0))?;
            Ok::<_, Error>((person, directory))
        });
        assert_eq!(
            stored.unwrap(),
            ((1, "ann lee".into(), Some("ann@example.com".into())), 1)
        );

        let cleared = profile::Change {
            email: Some(None),
            ..profile::Change::default()
        };
        let changed = db.write(move |tx| profile::change(tx, ANN, cleared, NOW)).unwrap();
        assert_eq!((changed.name.as_str(), changed.email), ("Ann Lee", None));
    });
}

#[test]
fn an_unchanged_profile_takes_no_revision() {
    each_database(&SCHEMA, |db| {
        people(db);
        let same = profile::Change {
            name: Some("Ann".into()),
            ..profile::Change::default()
        };
        db.write(move |tx| profile::change(tx, ANN, same, NOW)).unwrap();
        let revision = db.read(|tx| Ok::<_, Error>(tx.one(&TALLY, &[&"revision"], |row| row.get::<i64>(0))?));
        assert_eq!(revision.unwrap(), 0);
    });
}

#[test]
fn every_fault_of_a_profile_is_named() {
    each_database(&SCHEMA, |db| {
        people(db);
        let change = profile::Change {
            name: Some("a\nb".into()),
            email: Some(Some("a@b, c@d".into())),
            locale: Some(Some("en_GB".into())),
            zone: Some(Some("Mars".into())),
        };
        let Err(Error::Invalid(faults)) = db.write(move |tx| profile::change(tx, ANN, change, NOW)) else {
            panic!("it was accepted");
        };
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["name", "email", "locale", "zone"]);
    });
}

// ---------------------------------------------------------------- the first administrator

#[test]
fn the_first_administrator_may_everything_and_is_made_once() {
    each_database(&SCHEMA, |db| {
        assert!(db.read(account::is_deserted).unwrap());
        let ensure =
            |phc: &'static str| db.write(move |tx| account::ensure_first_administrator(tx, phc, &random(1), NOW));
        let admin = ensure("one").unwrap().unwrap();
        assert_eq!(ensure("two").unwrap(), None);
        assert!(!db.read(account::is_deserted).unwrap());
        let candidate = db.read(|tx| account::candidate(tx, "admin")).unwrap().unwrap();
        assert_eq!((candidate.person, candidate.phc.as_deref()), (admin, Some("one")));

        let profile = db.read(move |tx| profile::find(tx, admin)).unwrap();
        assert_eq!(
            (profile.name.as_str(), profile.key.as_str()),
            ("Administrator", "admin")
        );
        assert_eq!((profile.asm_role, profile.customer), (AsmRole::RootAdmin, None));
        assert_eq!(profile.guid.len(), 36);
        assert!(
            db.read(move |tx| Rights::load(tx, admin))
                .unwrap()
                .is_organization_admin
        );
        let held = db
            .read(move |tx| {
                Ok::<_, Error>(tx.rows(&HOLDS, &[&admin.0], |row| {
                    Ok([row.get::<i64>(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
                })?)
            })
            .unwrap();
        assert_eq!(held, [[1, 1, 1, 1], [2, 1, 3, 1]]);
    });
}

#[test]
fn servers_that_start_at_once_make_one_administrator() {
    each_database(&SCHEMA, |db| {
        let ensure = |seed: u8| {
            let handle = db.db.clone();
            async move {
                handle
                    .write(move |tx| account::ensure_first_administrator(tx, "phc", &random(seed), NOW))
                    .await
            }
        };
        let made = db.wait(async { tokio::join!(ensure(1), ensure(2), ensure(3)) });
        let made = [made.0.unwrap(), made.1.unwrap(), made.2.unwrap()];
        assert_eq!(made.iter().flatten().count(), 1, "{made:?}");
    });
}

/// What a directory file says, before the first start.
fn import(db: &TestDb, lines: &[&str]) {
    for line in lines {
        let entry: Entry = serde_json::from_str(line).unwrap();
        db.write(move |tx| directory::apply(tx, &entry, NOW)).unwrap();
    }
}

const IMPORTED: &str = r#"{"kind":"user","id":"u-ann","login":"ann","name":"Ann"}"#;

#[test]
fn a_directory_imported_before_the_first_start_still_gets_an_administrator() {
    each_database(&SCHEMA, |db| {
        import(db, &[IMPORTED]);
        let ensure = || db.write(|tx| account::ensure_first_administrator(tx, "phc", &random(1), NOW));
        assert!(ensure().unwrap().is_some());
        assert_eq!(ensure().unwrap(), None);
    });
}

#[test]
fn an_imported_administrator_is_enough() {
    each_database(&SCHEMA, |db| {
        let line = r#"{"kind":"membership","user":"u-ann","on":{"organization":"DEFAULT"},"role":"ADMIN"}"#;
        import(db, &[IMPORTED, line]);
        assert!(!db.read(account::is_deserted).unwrap());
    });
}

#[test]
fn somebody_imported_keeps_the_login_and_the_key_of_the_first_administrator() {
    for line in [
        r#"{"kind":"user","id":"u-1","login":"Admin","name":"Ann"}"#,
        r#"{"kind":"user","id":"admin","login":"ann","name":"Ann"}"#,
    ] {
        each_database(&SCHEMA, |db| {
            import(db, &[line]);
            let made = db.write(|tx| account::ensure_first_administrator(tx, "phc", &random(1), NOW));
            assert_eq!(made.unwrap(), None);
        });
    }
}

#[test]
fn a_hashed_password_goes_all_the_way() {
    each_database(&SCHEMA, |db| {
        people(db);
        let phc = password::hash("a fine password", &[3; 16]);
        db.jot(move |tx| account::set_password(tx, BEN, &phc, None)).unwrap();
        let phc = db
            .read(|tx| account::candidate(tx, "BEN"))
            .unwrap()
            .and_then(|found| found.phc)
            .unwrap();
        assert!(password::verify("a fine password", &phc));
    });
}
