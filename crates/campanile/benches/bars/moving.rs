//! Moving house: the world copied to PostgreSQL and back, random questions to all three, and a backup beside a writer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use campanile_core::Error;
use campanile_core::audience::crowd;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::{self, Filter, Listed, View};
use campanile_core::lists::Shared;
use campanile_core::message::funnel::{self, Audiences};
use campanile_core::message::sent;
use campanile_core::outbox::run;
use campanile_core::revision;
use campanile_core::schema::{LOCAL_COLUMNS, SCHEMA, TELLTALE};
use campanile_core::time::Moment;
use campanile_store::moving::{self, Move, Stage};
use campanile_store::testing::{self, Durable};
use campanile_store::{Db, Options, Sql, Tx, backup};

use crate::house::{Dice, House};
use crate::{Choice, at, human, print, row};

static PG_SIZE: Sql = Sql::new("bench::PG_SIZE", "SELECT pg_database_size(current_database())");
static LAST_MESSAGE: Sql = Sql::new("bench::LAST_MESSAGE", "SELECT MAX(id) FROM message");

/// Questions to each of the three.
const QUESTIONS: usize = 10_000;

/// Copies the embedded database of the house out and back.
pub(crate) fn measure(house: &House, choice: &Choice) {
    let file = house.file.as_deref().expect("this begins with the embedded database");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    back_up(house, file, &folder.path().join("backup.db"));
    // From here on nobody writes.
    house.stop();
    let server = testing::start_server(Durable::Yes);
    let back = format!("sqlite://{}", folder.path().join("back.db").display());
    copy("SQLite to PostgreSQL", &house.url, &server);
    copy("PostgreSQL to SQLite", &server, &back);
    let three = [&house.url, &server, &back].map(|url| Asked::open(house, url));
    let size = three[1].read(house, |tx| {
        tx.one(&PG_SIZE, &[], |row| row.get::<i64>(0)).map_err(Error::from)
    });
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let sizes = [file, Path::new(&back["sqlite://".len()..])].map(|file| mib(length(file)));
    let sizes = format!("{:.0} MiB, {:.0} MiB, {:.0} MiB", sizes[0], mib(size as u64), sizes[1]);
    print(&format!(
        "| (source, PostgreSQL, back again) | {} people | {sizes} | | | |",
        choice.people
    ));
    ask(house, &three);
}

fn length(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len())
}

fn copy(what: &str, from: &str, to: &str) {
    let task = Move {
        from,
        to,
        schema: &SCHEMA,
        telltale: TELLTALE,
        local: LOCAL_COLUMNS,
        anew: false,
    };
    let started = Instant::now();
    let mut ends = [Duration::ZERO; 3];
    let report = moving::copy(&task, &mut |at| {
        ends[at.stage as usize] = started.elapsed();
        Ok(())
    })
    .expect("it is copied");
    let all = started.elapsed();
    assert_eq!(report.different, 0, "{:?}", report.differences);
    let rows: u64 = report.tables.iter().map(|(_, rows)| rows).sum();
    let [copied, compared, indexed] = ends;
    let (copying, comparing) = (Stage::Copying as usize, Stage::Comparing as usize);
    let beside = format!(
        "rows {:.0} s, compared {:.0} s, indexes {:.0} s, the rest {:.0} s",
        ends[copying].as_secs_f64(),
        ends[comparing].saturating_sub(copied).as_secs_f64(),
        indexed.saturating_sub(compared).as_secs_f64(),
        all.saturating_sub(indexed).as_secs_f64()
    );
    let figure = format!(
        "{:.1} min, {:.0} rows/s",
        all.as_secs_f64() / 60.0,
        rows as f64 / copied.as_secs_f64()
    );
    let met = all < Duration::from_mins(10);
    row(
        &format!("moving: {what}"),
        &format!("{rows} rows"),
        &figure,
        &beside,
        "minutes, not hours",
        met,
    );
}

/// A database and what is kept in memory of it.
struct Asked {
    db: Db,
    lists: Arc<Shared>,
    residents: Arc<crowd::Shared>,
}

impl Asked {
    fn open(house: &House, url: &str) -> Self {
        let asked = Self {
            db: Db::open(&Options::new(url), &SCHEMA).expect("what was copied opens"),
            lists: Arc::default(),
            residents: Arc::default(),
        };
        let lists = Arc::clone(&asked.lists);
        let scan = asked.db.scan(move |tx| {
            let latest = revision::latest_of_messages(tx)?;
            lists.at(tx, latest).map(drop)
        });
        house.rt.block_on(scan).expect("the lists can be read");
        asked
    }

    fn read<T: Send + 'static>(
        &self,
        house: &House,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        house.rt.block_on(self.db.read(work)).expect("the question is answered")
    }

    /// Somebody's inbox, now or as it was, the list of sent messages, or how far a message got.
    fn answer(&self, house: &House, dice: &mut Dice, last_message: i64, now: Moment) -> String {
        let person = PersonId(1 + dice.below(house.people as usize) as i64);
        let message = MessageId(1 + dice.below(last_message as usize) as i64);
        let views = [View::Inbox, View::Unread, View::Archived, View::Past];
        let view = views[dice.below(views.len())];
        let lists = Arc::clone(&self.lists);
        let at = now.plus_ms(-(dice.below(600_000) as i64));
        match dice.below(20) {
            0 => {
                let residents = Arc::clone(&self.residents);
                let numbers = self.db.scan(move |tx| {
                    let (found, _) = sent::page(tx, message.0 + 1, None, 1, |_, _| true)?;
                    let residents = residents.at(tx)?;
                    let kept = Audiences::default();
                    let numbers = found.iter().map(|one| funnel::funnel(tx, &residents, &kept, one, now));
                    Ok::<_, Error>(format!("{:?}", numbers.collect::<Result<Vec<_>, _>>()?))
                });
                house.rt.block_on(numbers).expect("the question is answered")
            }
            1..5 => self.read(house, move |tx| {
                let page = sent::page(tx, message.0, None, 20, |_, _| true)?;
                Ok(format!("{page:?} {:?}", run::progress(tx, message)?))
            }),
            5..9 => self.read(house, move |tx| {
                Ok(format!("{:?}", sent::visible_at(tx, person, at, i64::MAX, 20)?))
            }),
            _ => self.read(house, move |tx| {
                let filter = Filter {
                    view,
                    ..Filter::default()
                };
                let page = inbox::page(tx, &lists, person, &filter, None, 20, now)?;
                let shown: Vec<_> = page.items.iter().map(Listed::shown).collect();
                Ok(format!("{:?} {shown:?}", page.counts))
            }),
        }
    }
}

fn ask(house: &House, three: &[Asked; 3]) {
    let now = house.app.clock.now();
    let last: i64 = three[0].read(house, |tx| {
        tx.one(&LAST_MESSAGE, &[], |row| row.get(0)).map_err(Error::from)
    });
    let mut equal = 0;
    let mut bytes = 0;
    for seed in 0..QUESTIONS as u64 {
        let [source, there, back] = three
            .each_ref()
            .map(|one| one.answer(house, &mut Dice(seed), last, now));
        bytes += source.len();
        equal += usize::from(source == there && source == back);
    }
    let figure = format!("{equal} answered alike");
    let beside = format!("{} bytes an answer", bytes / QUESTIONS);
    row(
        "moving: questions to all three",
        &QUESTIONS.to_string(),
        &figure,
        &beside,
        "all",
        equal == QUESTIONS,
    );
}

/// A backup while somebody writes, and what the writer notices of it.
fn back_up(house: &House, file: &Path, into: &Path) {
    std::fs::write(into, []).expect("the folder can be written");
    let alone = writes(house, || std::thread::park_timeout(Duration::from_secs(3)));
    let mut took = Duration::ZERO;
    let beside = writes(house, || {
        let started = Instant::now();
        backup::copy(file, into, &mut |_, _| Ok(())).expect("the backup is made");
        took = started.elapsed();
    });
    let mib = length(into) as f64 / f64::from(1 << 20);
    let figure = format!("{:.1} s, {:.0} MiB/s", took.as_secs_f64(), mib / took.as_secs_f64());
    let (p99, usual) = (human(at(&beside, 0.99)), human(at(&alone, 0.99)));
    let noticed = format!(
        "a write meanwhile p99 {p99} of {}; alone {usual} of {}",
        beside.len(),
        alone.len()
    );
    row(
        "moving: backup beside a writer",
        &format!("{mib:.0} MiB"),
        &figure,
        &noticed,
        "no write fails",
        true,
    );
}

/// Durable writes one after the other for as long as `meanwhile` lasts.
fn writes(house: &House, meanwhile: impl FnOnce()) -> Vec<Duration> {
    let over = AtomicBool::new(false);
    let mut times = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut times = Vec::new();
            while !over.load(Ordering::Relaxed) || times.is_empty() {
                let started = Instant::now();
                house
                    .rt
                    .block_on(house.app.db.write(revision::probe))
                    .expect("the write is kept");
                times.push(started.elapsed());
            }
            times
        });
        meanwhile();
        over.store(true, Ordering::Relaxed);
        writing.join().expect("the writer ends")
    });
    times.sort_unstable();
    times
}
