//! Every page of the console that a person can reach, by HTTP, as a browser asks for it: with a session's cookie.
//!
//! Two bars. The bell, its panel and the inbox are what everybody looks at all day: they hold the inbox bar, a share of
//! the rate of `GET /health`. Every other page is looked at by few, and a person waits for one: a 99th percentile of
//! 20 ms, which is the bar of a first answer about an audience. A page that was never asked for since the start is
//! shown beside ("first"); it has 50 ms, the bar of an exact count.

use std::time::Duration;

use campanile_core::account::session::{self, Origin};
use campanile_core::id::PersonId;
use campanile_store::Sql;

use crate::client::{Run, drive, get};
use crate::folders;
use crate::house::{Dice, House};
use crate::used::{self, TOLD, WIDE};
use crate::{Choice, human, row};

static PERSON: Sql = Sql::new("bench::PERSON", "SELECT id FROM person WHERE key = $1");
static NEWEST: Sql = Sql::new("bench::NEWEST", "SELECT MAX(id) FROM message");

/// Requests for one page, by one person who waits; fewer where all of them would take long.
pub(crate) const REQUESTS: usize = 200;
const FEWEST: usize = 10;
const LONG: Duration = Duration::from_secs(2);
/// What a page may take.
const PAGE: Duration = Duration::from_millis(20);
/// What one that was never asked for may take.
const FIRST: Duration = Duration::from_millis(50);
/// As for the inbox by the API.
const SHARE: f64 = 0.25;
const BUSY: usize = 20_000;
const CONNECTIONS: usize = 32;

/// Somebody who looks at pages.
pub(crate) struct Visitor<'h> {
    pub(crate) house: &'h House,
    name: &'static str,
    cookie: String,
    health: Duration,
}

/// Pages that are asked for together.
type Part = for<'v, 'h> fn(&'v Visitor<'h>);

/// What a person asks for: pages that differ in what they are about are asked for in turn.
struct Page {
    what: String,
    asks: Vec<Vec<u8>>,
}

/// All of them, or those of the parts that are named too: `-- pages directory things`.
pub(crate) fn measure(house: &House, choice: &Choice) {
    used::use_it(house);
    let health = drive(house.address, vec![get("/health", "")], 1, 2_000);
    let visit = |name, person| Visitor {
        house,
        name,
        cookie: cookie(house, person),
        health: health.at(0.5),
    };
    let wants = |part: &str| choice.names.len() == 1 || choice.names.iter().any(|name| name == part);
    if wants("busy") {
        busy(house);
    }
    let admin = visit("administrator", PersonId(1));
    let parts: [(&str, Part); 7] = [
        ("own", own),
        ("messages", messages),
        ("writing", writing),
        ("directory", folders::directory),
        ("things", folders::things),
        ("forms", folders::forms),
        ("outbox", outbox),
    ];
    for (_, part) in parts.into_iter().filter(|(name, _)| wants(name)) {
        part(&admin);
    }
    if wants("others") {
        let key = "u-2";
        let of_customer = PersonId(house.read(move |tx| tx.one(&PERSON, &[&key], |row| row.get(0))));
        narrow(&visit("customer administrator", of_customer));
        owner(&visit("API owner", used::owner(house, &house.apis[0])));
    }
}

/// A session of somebody, as a browser sends it.
fn cookie(house: &House, person: PersonId) -> String {
    let (mut random, now) = (house.app.chance.bytes(), house.app.clock.now());
    // Chance is the same every time, and a file that is kept has the sessions of the time before.
    random[..8].copy_from_slice(&now.0.to_le_bytes());
    let open = house
        .app
        .db
        .jot(move |tx| session::open(tx, person, Origin::default(), &random, now, 86_400_000));
    let opened = house.rt.block_on(open).expect("a session can be opened");
    let set = campanile::auth::cookie(&house.app, &opened.secret);
    let pair = set.split(';').next().unwrap_or_default();
    format!("Cookie: {pair}\r\nSec-Fetch-Site: same-origin\r\n")
}

impl Visitor<'_> {
    fn ask(&self, path: &str) -> Vec<u8> {
        get(path, &self.cookie)
    }

    fn form(&self, path: &str, body: &str) -> Vec<u8> {
        let (cookie, length) = (&self.cookie, body.len());
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n{cookie}\r\n{body}"
        )
        .into_bytes()
    }

    /// A page, and the second page of each list on it.
    pub(crate) fn page(&self, what: &str, path: &str) {
        let body = self.pages(what, &[path.to_owned()]);
        let next = following(&body);
        for (at, path) in next.iter().enumerate() {
            self.pages(&format!("{what}: next {}", at + 1), std::slice::from_ref(path));
        }
    }

    /// Pages of one kind in turn.
    pub(crate) fn pages(&self, what: &str, paths: &[String]) -> String {
        self.measure(Page {
            what: format!("{}: {what}", self.name),
            asks: paths.iter().map(|path| self.ask(path)).collect(),
        })
    }

    fn measure(&self, page: Page) -> String {
        let first = drive(self.house.address, page.asks[..1].to_vec(), 1, 1);
        let fit = LONG.as_micros() / first.at(0.0).as_micros().max(1);
        let count = (fit as usize).clamp(FEWEST, REQUESTS);
        let run = drive(self.house.address, page.asks, 1, count);
        let text = String::from_utf8_lossy(&run.body).into_owned();
        assert_eq!(run.status, 200, "{}: {}", page.what, run.head);
        tell(&page.what, &first, &run, self.health);
        text
    }
}

fn tell(what: &str, first: &Run, run: &Run, health: Duration) {
    let (cold, worst) = (first.at(0.0), run.at(0.99));
    let size = format!("{} B", run.body.len());
    let figure = format!(
        "p50 {}, p99 {}, first {}",
        human(run.at(0.5)),
        human(worst),
        human(cold)
    );
    let beside = format!("/health {}", human(health));
    row(
        what,
        &size,
        &figure,
        &beside,
        "p99 ≤ 20 ms, first ≤ 50 ms",
        worst <= PAGE && cold <= FIRST,
    );
}

/// Where the lists of a page go on.
fn following(body: &str) -> Vec<String> {
    let ends = body.match_indices("\" rel=\"next\"").map(|(at, _)| &body[..at]);
    let next = ends.filter_map(|text| text.rsplit_once("href=\"").map(|(_, address)| address));
    next.map(|address| address.replace("&amp;", "&").replace("&#38;", "&"))
        .collect()
}

// ---------------------------------------------------------------- what everybody looks at

/// The bell's panel and the inbox, by many people at once.
fn busy(house: &House) {
    let mut dice = Dice(23);
    let cookies: Vec<String> = (0..500)
        .map(|_| cookie(house, PersonId(2 + dice.below(house.people as usize - 1_002) as i64)))
        .collect();
    let health = vec![get("/health", "")];
    for (what, path) in [("the panel under the bell", "/bell"), ("the inbox", "/inbox")] {
        let asks: Vec<Vec<u8>> = cookies.iter().map(|cookie| get(path, cookie)).collect();
        // What they have not seen is written down once.
        drive(house.address, asks.clone(), CONNECTIONS, asks.len() * 2);
        let before = drive(house.address, health.clone(), CONNECTIONS, BUSY);
        let run = drive(house.address, asks, CONNECTIONS, BUSY);
        let after = drive(house.address, health.clone(), CONNECTIONS, BUSY);
        assert_eq!(run.status, 200, "{}", run.head);
        let reference = f64::midpoint(before.rate(), after.rate());
        let ratio = run.rate() / reference;
        row(
            &format!("everybody: {what}"),
            &format!("{CONNECTIONS} connections, {} B", run.body.len()),
            &format!(
                "{:.0}/s = {:.0} %, p99 {}",
                run.rate(),
                ratio * 100.0,
                human(run.at(0.99))
            ),
            &format!("/health {reference:.0}/s"),
            "≥ 25 %",
            ratio >= SHARE,
        );
    }
}

fn own(who: &Visitor<'_>) {
    who.page("the panel under the bell", "/bell");
    who.page("the panel, unread", "/bell?view=unread");
    who.page("the inbox", "/inbox");
    for view in ["unread", "archived", "past"] {
        who.page(&format!("the inbox: {view}"), &format!("/inbox?view={view}"));
    }
    who.page("the inbox: critical", "/inbox?importance=critical");
    who.page("the inbox: found", "/inbox?q=gateway");
    who.page("the inbox: not found", "/inbox?q=zzz-nothing");
    for path in [
        "/me",
        "/me/password",
        "/me/tokens",
        "/me/ticket",
        "/me/sessions",
        "/start",
    ] {
        who.page(path, path);
    }
}

// ---------------------------------------------------------------- messages

fn messages(who: &Visitor<'_>) {
    who.page("sent messages", "/messages");
    who.page("sent messages: mine", "/messages?mine=1");
    for status in ["active", "scheduled", "recalled"] {
        who.page(
            &format!("sent messages: {status}"),
            &format!("/messages?status={status}"),
        );
    }
    for title in TOLD {
        told(who, title);
    }
    let newest: i64 = who.house.read(|tx| tx.one(&NEWEST, &[], |row| row.get(0)));
    let each = |from: i64| (0..200).map(move |at| format!("/messages/{}", (from - at).max(1)));
    let pages: Vec<String> = each(newest - 20).collect();
    who.pages("a message, each asked for once", &pages);
}

/// The pages of one message.
fn told(who: &Visitor<'_>, title: &'static str) {
    let id = used::told(who.house, title);
    who.page(&format!("{title}: its page"), &format!("/messages/{id}"));
    who.page(&format!("{title}: people"), &format!("/messages/{id}/people"));
    who.page(
        &format!("{title}: who read"),
        &format!("/messages/{id}/people?part=read"),
    );
    for q in ["m", "anna", "zzz"] {
        let path = format!("/messages/{id}/people?part=all&q={q}");
        who.page(&format!("{title}: people, {q}…"), &path);
    }
    for page in ["changes", "correct", "recall"] {
        who.page(&format!("{title}: {page}"), &format!("/messages/{id}/{page}"));
    }
}

/// The form, its live count, and what it finds.
fn writing(who: &Visitor<'_>) {
    let api = &who.house.apis[0];
    who.page("a new message", "/messages/new");
    let parts = [
        ("role USER", "role/DEFAULT/USER".to_owned()),
        ("everyone", "everyone".to_owned()),
        ("a tree", format!("subtree/{}", who.house.customers[0])),
        ("a group", format!("group/{WIDE}")),
        ("an API", format!("api-role/{api}/USER")),
        ("subscribers", format!("subscribers/{api}")),
    ];
    for (name, part) in &parts {
        let typed = format!("title=A&text=B&to={}", part.replace('/', "%2F"));
        who.measure(Page {
            what: format!("{}: live count, {name}", who.name),
            asks: vec![who.form("/messages/new/aside", &typed)],
        });
        who.measure(Page {
            what: format!("{}: why is someone missing, {name}", who.name),
            asks: vec![who.form("/messages/new/aside", &format!("{typed}&why=u-500"))],
        });
    }
    let all: Vec<String> = parts.iter().map(|(_, part)| part.replace('/', "%2F")).collect();
    let all = all.join("&to=");
    who.measure(Page {
        what: format!("{}: the question before it is sent", who.name),
        asks: vec![who.form(
            "/messages/new",
            &format!("title=A&text=B&do=review&channel=portal&to={all}"),
        )],
    });
    for q in ["a", "ma", "anna", "api-1", "zzz"] {
        who.page(&format!("finder, {q}…"), &format!("/messages/new/find?q={q}"));
    }
    apis(who, api);
}

fn apis(who: &Visitor<'_>, api: &str) {
    who.page("APIs", "/apis");
    who.page("APIs: found", "/apis?q=p");
    who.page("an API", &format!("/apis/{api}"));
    who.page("a new message of an API", &format!("/apis/{api}/messages/new"));
    who.measure(Page {
        what: format!("{}: live count in an API", who.name),
        asks: vec![who.form(
            &format!("/apis/{api}/messages/new/aside"),
            &format!("title=A&text=B&to=subscribers%2F{api}&to=api-role%2F{api}%2FUSER"),
        )],
    });
}

// ---------------------------------------------------------------- what leaves the house

fn outbox(who: &Visitor<'_>) {
    for path in ["/endpoints", "/endpoints/new", "/suppressions", "/suppressions?q=a"] {
        who.page(path, path);
    }
    if who.house.file.is_none() {
        return;
    }
    let id = used::told(who.house, TOLD[1]);
    who.page("mails: the card", &format!("/messages/{id}/progress"));
    who.page("mails", &format!("/messages/{id}/deliveries?channel=email"));
    for state in ["sent", "queued", "failed", "retrying", "cancelled", "gone", "in-doubt"] {
        let path = format!("/messages/{id}/deliveries?channel=email&state={state}");
        who.page(&format!("mails: {state}"), &path);
    }
    for q in ["m", "anna", "zzz"] {
        let path = format!("/messages/{id}/deliveries?channel=email&q={q}");
        who.page(&format!("mails: {q}…"), &path);
        let path = format!("/messages/{id}/deliveries?channel=email&state=failed&q={q}");
        who.page(&format!("mails: {q}…, failed"), &path);
    }
    let path = format!("/messages/{id}/delivery?channel=email&target=u-1000");
    who.page("mails: one of them", &path);
}

// ---------------------------------------------------------------- who may less

fn narrow(who: &Visitor<'_>) {
    let id = used::told(who.house, "To a tree");
    who.page("the panel under the bell", "/bell");
    who.page("the inbox", "/inbox");
    who.page("sent messages", "/messages");
    who.page("a message", &format!("/messages/{id}"));
    who.page("people of a message", &format!("/messages/{id}/people"));
    who.page("people of a message, m…", &format!("/messages/{id}/people?q=m"));
    who.page("a new message", "/messages/new");
    who.page("finder, a…", "/messages/new/find?q=a");
    let customer = who.house.customers[0];
    who.measure(Page {
        what: format!("{}: live count, a tree", who.name),
        asks: vec![who.form(
            "/messages/new/aside",
            &format!("title=A&text=B&to=subtree%2F{customer}"),
        )],
    });
}

fn owner(who: &Visitor<'_>) {
    let id = used::told(who.house, "To an API");
    who.page("the panel under the bell", "/bell");
    who.page("the inbox", "/inbox");
    who.page("sent messages", "/messages");
    who.page("a message", &format!("/messages/{id}"));
    who.page("people of a message", &format!("/messages/{id}/people"));
    apis(who, &who.house.apis[0]);
}
