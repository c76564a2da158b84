//! From the message's side: crowds, then and now, by SQL and from memory, are the audiences of the definition.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use campanile_core::Result;
use campanile_core::audience::crowd::{self, Shared, When};
use campanile_core::audience::{Instant, Rule, Selector};
use campanile_core::id::{EnvironmentId, MessageId, RoleId};
use campanile_core::message;
use campanile_core::message::funnel::{self, Audiences};
use campanile_core::place::place;
use campanile_core::schema::SCHEMA;
use campanile_core::time::Moment;
use campanile_store::testing::each_database;
use campanile_store::{Sql, Tx};
use proptest::prop_assert_eq;

use crate::oracle::Oracle;
use crate::world::{Event, World};
use crate::write;

/// Ids of people, in order.
type People = Vec<u32>;
/// People, and since which revision they hold one of the selectors.
type Since = BTreeMap<u32, i64>;

/// Who holds some selectors at an instant, and since when, as the definition has it.
#[derive(Debug, Clone)]
struct Question {
    selectors: Vec<Selector>,
    instant: Instant,
    expected: Since,
}

/// What a world leaves for its end.
#[derive(Default)]
struct Past {
    /// Kept up to date from step to step, as a server does it.
    residents: Arc<Shared>,
    audiences: Arc<Audiences>,
    questions: Vec<Question>,
}

fn answer(tx: &mut Tx<'_>, selectors: &[Selector], when: When) -> Result<(Since, People)> {
    let since = crowd::crowd_since(tx, selectors, when)?;
    let crowd = crowd::crowd(tx, selectors, when)?;
    Ok((since.into_iter().collect(), crowd.into_iter().collect()))
}

#[test]
fn a_crowd_is_the_audience_of_any_instant() {
    crate::prove(|db, world, past: &mut Past, last| {
        // Asked at the end, when the world has moved on.
        past.questions.extend(snapshot(world));
        if !last {
            return Ok(());
        }
        let mut questions = std::mem::take(&mut past.questions);
        questions.extend(publications(world));
        let asked = questions.clone();
        let answers: Result<Vec<(Since, People)>> = db.read(move |tx| {
            let answer = |question: &Question| answer(tx, &question.selectors, question.instant.into());
            asked.iter().map(answer).collect()
        });
        for (question, (since, crowd)) in questions.iter().zip(answers.expect("a crowd can be asked for")) {
            let expected: People = question.expected.keys().copied().collect();
            prop_assert_eq!(crowd, expected, "crowd: {:?}", question);
            prop_assert_eq!(&since, &question.expected, "crowd_since: {:?}", question);
        }
        Ok(())
    });
}

#[test]
fn a_crowd_at_a_time_is_that_at_the_last_revision_of_the_time() {
    crate::prove(|db, world, past: &mut Past, last| {
        past.questions.extend(snapshot(world));
        if !last {
            return Ok(());
        }
        let questions = std::mem::take(&mut past.questions).into_iter().filter_map(|question| {
            let at = world.oracle.time_of_last(question.instant.revision.0)?;
            let instant = Instant { at, ..question.instant };
            Some((question.selectors, instant))
        });
        let asked: Vec<_> = questions.collect();
        let questions = asked.clone();
        let answers: Result<Vec<[(Since, People); 2]>> = db.read(move |tx| {
            let mut both = |(selectors, instant): &(Vec<Selector>, Instant)| {
                let timed = answer(tx, selectors, When::Clock(instant.at))?;
                Ok([timed, answer(tx, selectors, When::Instant(*instant))?])
            };
            asked.iter().map(&mut both).collect()
        });
        for (question, [timed, revised]) in questions.iter().zip(answers.expect("a crowd can be asked for")) {
            prop_assert_eq!(timed, revised, "{:?}", question);
        }
        Ok(())
    });
}

#[test]
fn residents_kept_up_to_date_give_the_crowd_of_now() {
    crate::prove(|db, world, past: &mut Past, _| {
        let questions = previews(world);
        let asked: Vec<Vec<Selector>> = questions.iter().map(|(selectors, _)| selectors.clone()).collect();
        let (residents, now) = (Arc::clone(&past.residents), world.now);
        let answers: Result<(Vec<People>, [People; 2])> = db.read(move |tx| {
            let residents = residents.at(tx)?;
            let crowd = |tx: &mut Tx<'_>, selectors: &[Selector]| residents.crowd(tx, selectors, Instant::now(now));
            let crowds: Vec<People> = asked
                .iter()
                .map(|selectors| Ok(crowd(tx, selectors)?.into_iter().collect()))
                .collect::<Result<_>>()?;
            let sides: [People; 2] = [residents.alive(), residents.with_email()].map(|side| side.iter().collect());
            Ok((crowds, sides))
        });
        let (crowds, [alive, with_email]) = answers.expect("a crowd can be asked for");
        for ((selectors, expected), crowd) in questions.iter().zip(crowds) {
            prop_assert_eq!(&crowd, expected, "residents: {:?}", selectors);
        }
        prop_assert_eq!(alive, world.oracle.alive().into_iter().collect::<Vec<_>>());
        prop_assert_eq!(with_email, world.oracle.with_email.iter().copied().collect::<Vec<_>>());
        Ok(())
    });
}

static BOUNDARIES: Sql = Sql::new(
    "crowds::BOUNDARIES",
    "SELECT starts_at FROM term WHERE starts_at > 0 UNION
     SELECT ends_at FROM term WHERE ends_at < 9223372036854775807 ORDER BY 1",
);

#[test]
fn a_crowd_that_was_found_before_is_that_of_the_time_that_is_asked_for() {
    crate::prove(|db, world, past: &mut Past, last| {
        if !last {
            return Ok(());
        }
        let asked: Vec<Vec<Selector>> = previews(world).into_iter().map(|(selectors, _)| selectors).collect();
        let residents = Arc::clone(&past.residents);
        let answers: Result<Vec<(Instant, People, People)>> = db.read(move |tx| {
            let residents = residents.at(tx)?;
            let boundaries: Vec<i64> = tx.rows(&BOUNDARIES, &[], |row| row.get(0))?;
            let around = boundaries.iter().flat_map(|at| [at - 1, *at, at + 1]);
            // There and back, so that each is asked for with an earlier and a later one just found.
            let there: Vec<i64> = around.collect();
            let mut out = Vec::new();
            for at in there.iter().chain(there.iter().rev()) {
                for selectors in &asked {
                    let now = Instant::now(Moment(*at));
                    let found = residents.crowd(tx, selectors, now)?;
                    let anew = crowd::crowd(tx, selectors, now)?;
                    out.push((now, found.into_iter().collect(), anew.into_iter().collect()));
                }
            }
            Ok(out)
        });
        for (now, found, anew) in answers.expect("a crowd can be asked for") {
            prop_assert_eq!(found, anew, "at {:?}", now);
        }
        Ok(())
    });
}

#[test]
fn residents_and_what_has_changed_since_give_the_crowd_of_then() {
    crate::prove(|db, world, past: &mut Past, last| {
        past.questions.extend(snapshot(world));
        if !last {
            return Ok(());
        }
        let mut questions = std::mem::take(&mut past.questions);
        questions.extend(publications(world));
        let (asked, residents) = (questions.clone(), Arc::clone(&past.residents));
        let answers: Result<Vec<People>> = db.read(move |tx| {
            let residents = residents.at(tx)?;
            let then = |question: &Question| residents.then(tx, &question.selectors, question.instant);
            asked
                .iter()
                .map(then)
                .map(|crowd| Ok(crowd?.into_iter().collect()))
                .collect()
        });
        for (question, then) in questions.iter().zip(answers.expect("a crowd can be asked for")) {
            let expected: People = question.expected.keys().copied().collect();
            prop_assert_eq!(then, expected, "then: {:?}", question);
        }
        Ok(())
    });
}

#[test]
fn who_has_joined_since_holds_nothing_from_before() {
    crate::prove(|db, world, past: &mut Past, last| {
        past.questions.extend(snapshot(world));
        if !last {
            return Ok(());
        }
        let revisions: BTreeSet<i64> = std::mem::take(&mut past.questions)
            .iter()
            .map(|question| question.instant.revision.0)
            .collect();
        let (questions, residents, now) = (snapshot(world), Arc::clone(&past.residents), world.now);
        let (asked, since) = (questions.clone(), revisions.clone());
        let answers: Result<Vec<Vec<Since>>> = db.read(move |tx| {
            let residents = residents.at(tx)?;
            let mut of = |question: &Question| {
                let joined = |revision: &i64| {
                    let joined = residents.joined(tx, &question.selectors, Instant::now(now), *revision)?;
                    Ok(joined.into_iter().collect())
                };
                since.iter().map(joined).collect()
            };
            asked.iter().map(&mut of).collect()
        });
        for (question, answers) in questions.iter().zip(answers.expect("a crowd can be asked for")) {
            for (revision, joined) in revisions.iter().zip(answers) {
                let mut expected = question.expected.clone();
                expected.retain(|_, since| revision < since);
                prop_assert_eq!(joined, expected, "since {}: {:?}", revision, question);
            }
        }
        Ok(())
    });
}

#[test]
fn a_senders_numbers_count_the_audience_of_the_rule() {
    crate::prove(|db, world, past: &mut Past, _| {
        let ids: Vec<i64> = world.oracle.messages.keys().copied().collect();
        let (residents, kept, now) = (Arc::clone(&past.residents), Arc::clone(&past.audiences), world.now);
        let audiences: Result<Vec<People>> = db.read(move |tx| {
            let residents = residents.at(tx)?;
            let audience = |id: &i64| {
                let message = message::find(tx, MessageId(*id))?;
                let selectors = message::selectors(tx, MessageId(*id))?;
                let people = funnel::audience(tx, &residents, &kept, &message, &selectors, now)?;
                Ok(people.into_iter().collect())
            };
            ids.iter().map(audience).collect()
        });
        for (message, people) in world
            .oracle
            .messages
            .values()
            .zip(audiences.expect("a message can be judged"))
        {
            if message.rule == Rule::WhileActive && Oracle::is_over(message, now) {
                continue;
            }
            let expected: People = world.oracle.reached(message, now).into_keys().collect();
            prop_assert_eq!(people, expected, "{:?}", message);
        }
        Ok(())
    });
}

#[test]
fn a_publication_is_judged_by_its_own_revision_though_the_residents_are_newer() {
    each_database(&SCHEMA, |db| {
        write::furnish(db);
        let (mut world, first) = World::new(None);
        write::write(db, vec![first]);
        let role = Event::Member {
            person: 1,
            place: place::ENVIRONMENT,
            object: 1,
            role: 3,
        };
        let send = Event::Send {
            selectors: vec![Selector::EnvironmentRole {
                environment: EnvironmentId(1),
                role: RoleId(3),
            }],
            rule: Rule::AtSend,
            opens: None,
            closes: None,
            enabled: true,
        };
        write::write(db, world.go_on(&[role.clone(), send]));
        let now = world.now;
        let loses_the_role = world.go_on(&[role]);
        let server = db.another();
        let people: Result<People> = db.read(move |tx| {
            // From here on the snapshot stands.
            let message = message::find(tx, MessageId(1))?;
            let selectors = message::selectors(tx, MessageId(1))?;
            let residents = Arc::new(Shared::default());
            let other = Arc::clone(&residents);
            let meanwhile = std::thread::spawn(move || -> Result<()> {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime can be made").block_on(async {
                    server.write(move |tx| write::all(tx, &loses_the_role)).await?;
                    server.read(move |tx| other.at(tx).map(|_| ())).await
                })
            });
            meanwhile.join().expect("the other server went on")?;
            let residents = residents.at(tx)?;
            let people = funnel::audience(tx, &residents, &Audiences::default(), &message, &selectors, now)?;
            Ok(people.into_iter().collect())
        });
        assert_eq!(people.expect("a message can be judged"), [1]);
    });
}

/// The audiences of all `at_send` messages, at their publication.
fn publications(world: &World) -> impl Iterator<Item = Question> {
    let at_send = world
        .oracle
        .messages
        .values()
        .filter(|message| message.rule == Rule::AtSend);
    at_send.filter_map(|message| {
        let published = message.published?;
        Some(Question {
            selectors: message.selectors.clone(),
            instant: Instant {
                revision: published.revision,
                at: published.at,
            },
            expected: world.oracle.reached(message, world.now),
        })
    })
}

/// Every audience that was ever named, as it is at the last revision.
fn snapshot(world: &World) -> Vec<Question> {
    let instant = Instant {
        revision: world.revision(),
        at: world.now,
    };
    let asked = world.oracle.messages.values().map(|message| message.selectors.clone());
    let question = |selectors: Vec<Selector>| Question {
        expected: world.oracle.audience(&selectors, world.now),
        selectors,
        instant,
    };
    asked.map(question).collect()
}

/// The audiences that a sender could be shown now, with everybody in them.
fn previews(world: &World) -> Vec<(Vec<Selector>, People)> {
    let asked = world.oracle.messages.values().map(|message| message.selectors.clone());
    let people = |selectors: Vec<Selector>| {
        let people = world.oracle.audience(&selectors, world.now).into_keys().collect();
        (selectors, people)
    };
    asked.map(people).collect()
}
