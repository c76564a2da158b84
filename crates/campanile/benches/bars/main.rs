//! The bars: how fast, how small, each figure beside what it is held against, both of the same run.
//!
//! `cargo bench --bench bars` runs all of them in seconds on a small world; `-- --people 1000000 --messages 10000` on
//! the big one; names after `--` choose some: `cargo bench --bench bars -- inbox announce --people 1000000`.
//! `--postgres` takes a throw-away PostgreSQL in place of the embedded database. `--file NAME` keeps the embedded
//! database there and takes it again the next time, so that two builds can be held against one another on one world.
//!
//! `live` opens ten thousand streams, and then as many as the system lets a process have files.
//!
//! `email`, `http` and `lanes` are about what leaves the house; `--mails N` says how many mails. They need Postfix: see
//! `postfix`.

mod banners;
mod bare;
mod client;
mod folders;
mod footprint;
mod house;
mod lanes;
mod live;
mod mailing;
mod memory;
mod moving;
mod pages;
mod postfix;
mod posting;
mod process;
mod sinks;
mod used;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

/// What to run.
struct Choice {
    names: Vec<String>,
    people: u64,
    messages: usize,
    mails: usize,
    postgres: bool,
    file: Option<PathBuf>,
}

/// The benches that ask one world of people and messages. Each of the others has a small one of its own.
const OF_THE_WORLD: [&str; 9] = [
    "audience",
    "inbox",
    "engage",
    "announce",
    "ingest",
    "pages",
    "banners",
    "moving",
    "footprint",
];

impl Choice {
    fn read() -> Self {
        let mut choice = Self {
            names: Vec::new(),
            people: 20_000,
            messages: 1_000,
            mails: 20_000,
            postgres: false,
            file: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--file" => choice.file = words.next().map(PathBuf::from),
                "--people" => choice.people = number(&mut words),
                "--messages" => choice.messages = number(&mut words) as usize,
                "--mails" => choice.mails = number(&mut words) as usize,
                "--postgres" => choice.postgres = true,
                // Given by cargo.
                "--bench" => {}
                name => choice.names.push(name.to_owned()),
            }
        }
        choice
    }

    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|at| at == name)
    }
}

fn number(words: &mut impl Iterator<Item = String>) -> u64 {
    words
        .next()
        .and_then(|at| at.parse().ok())
        .expect("a number after the option")
}

/// One line of the table.
pub(crate) fn row(what: &str, size: &str, figure: &str, reference: &str, bar: &str, met: bool) {
    print(&format!(
        "| {what} | {size} | {figure} | {reference} | {bar} | {} |",
        if met { "met" } else { "NOT MET" }
    ));
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}

/// A time as people read it.
pub(crate) fn human(time: Duration) -> String {
    let us = time.as_secs_f64() * 1e6;
    if us < 1_000.0 {
        format!("{us:.0} µs")
    } else {
        format!("{:.2} ms", us / 1_000.0)
    }
}

/// The value below which a share of the sorted times lies.
pub(crate) fn at(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn main() {
    let mut words = std::env::args().skip(1);
    if words.next().is_some_and(|word| word == live::LISTENERS) {
        return live::listen(words);
    }
    let choice = Choice::read();
    let database = if choice.postgres { "PostgreSQL" } else { "SQLite" };
    print(&format!(
        "{} people, {} messages, {} mails, {database}\n",
        choice.people, choice.messages, choice.mails
    ));
    print("| what | size | figure | beside it, same run | bar | |");
    print("|---|---|---|---|---|---|");
    if choice.wants("http") {
        posting::bench(&choice);
    }
    if choice.wants("email") {
        mailing::bench(&choice);
    }
    if choice.wants("lanes") {
        lanes::bench(&choice);
    }
    if choice.wants("live") {
        live::bench(&choice);
    }
    if OF_THE_WORLD.iter().any(|name| choice.wants(name)) {
        of_the_world(&choice);
    }
}

fn of_the_world(choice: &Choice) {
    let house = house::House::build(choice);
    if choice.wants("audience") {
        memory::audience(&house);
    }
    if choice.wants("inbox") {
        memory::inbox(&house);
        wire::inbox(&house);
    }
    if choice.wants("engage") {
        memory::engage(&house);
    }
    if choice.wants("announce") {
        wire::announce(&house, choice);
    }
    if choice.wants("ingest") {
        wire::ingest(&house);
    }
    // By name alone: it uses the house, and takes minutes.
    if choice.names.iter().any(|name| name == "pages") {
        pages::measure(&house, choice);
    }
    // By name alone: it leaves a thousand announcements behind.
    if choice.names.iter().any(|name| name == "banners") {
        banners::measure(&house);
    }
    // By name alone: it starts a PostgreSQL of its own and copies everything twice, and the server has ended then.
    if choice.names.iter().any(|name| name == "moving") {
        moving::measure(&house, choice);
    } else if choice.wants("footprint") {
        footprint::measure(house);
    }
}
