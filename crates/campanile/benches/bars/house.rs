//! The world that the benches ask: people, messages, and a server on loopback.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile::app::App;
use campanile::chance::Chance;
use campanile::clock::Clock;
use campanile::config::{Flags, Settings};
use campanile::import::{self, Manner};
use campanile::{server, world};
use campanile_core::account::token;
use campanile_core::id::PersonId;
use campanile_core::message::Importance;
use campanile_core::message::draft::{self, Draft};
use campanile_core::message::publish;
use campanile_core::message::target::Target;
use campanile_core::outbox::destination::Outlets;
use campanile_store::Sql;
use campanile_store::testing::{self, Durable};
use tokio::runtime::Runtime;

use crate::bare;
use crate::{Choice, print, row};

static LAST_PERSON: Sql = Sql::new("bench::LAST_PERSON", "SELECT MAX(id) FROM person");
static APIS: Sql = Sql::new("bench::APIS", "SELECT key FROM api ORDER BY id");
static CUSTOMERS: Sql = Sql::new("bench::CUSTOMERS", "SELECT id FROM customer ORDER BY id");

/// The installation's key: the same for every server on a database.
pub(crate) const SECRET_KEY: &str = "0123456789abcdef0123456789abcdef";

/// A filled server.
pub(crate) struct House {
    pub(crate) app: Arc<App>,
    pub(crate) rt: Runtime,
    pub(crate) address: SocketAddr,
    pub(crate) people: i64,
    pub(crate) apis: Vec<String>,
    pub(crate) customers: Vec<i64>,
    /// Where the embedded database is.
    pub(crate) file: Option<PathBuf>,
    /// The database's URL.
    pub(crate) url: String,
    was_there: bool,
    _folder: tempfile::TempDir,
}

/// Numbers that look random and are the same every time (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

impl House {
    pub(crate) fn build(choice: &Choice) -> Self {
        let house = Self::with(choice, &[]);
        if !house.was_there {
            house.publish(choice.messages);
        }
        house
    }

    /// A server with settings of its own, and without messages.
    pub(crate) fn with(choice: &Choice, more: &[(&str, String)]) -> Self {
        let rt = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = choice.file.clone().unwrap_or_else(|| folder.path().join("bench.db"));
        let is_there = file.exists();
        let url = if choice.postgres {
            testing::start_server(Durable::Yes)
        } else {
            format!("sqlite://{}", file.display())
        };
        let flags = Flags {
            database: Some(url.clone()),
            listen: Some("127.0.0.1:0".into()),
            ..Flags::default()
        };
        let env = |name: &str| {
            let given = more.iter().find(|(own, _)| *own == name);
            let given = given.map(|(_, value)| value.clone());
            given.or_else(|| (name == "CAMPANILE_SECRET_KEY").then(|| SECRET_KEY.to_owned()))
        };
        let settings = Settings::from_sources(None, &env, flags).expect("the settings hold");
        let origin = "http://127.0.0.1".to_owned();
        let app = App::open(settings, origin, Clock::system(), Chance::seeded(7)).expect("the database opens");
        rt.block_on(app.ensure_administrator())
            .expect("the administrator is made");
        if !is_there {
            let took = import_people(&rt, &app, choice);
            // The small worlds of what leaves the house are no measure of it.
            if more.is_empty() {
                took.row((!choice.postgres).then_some(file.as_path()));
            }
        }
        let listener = rt
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("loopback has a port");
        let address = listener.local_addr().expect("it is bound");
        let serving = Arc::clone(&app);
        app_spawn(&rt, &serving, listener);
        let mut house = Self {
            app,
            rt,
            address,
            people: 0,
            apis: Vec::new(),
            customers: Vec::new(),
            file: (!choice.postgres).then_some(file),
            url,
            was_there: is_there,
            _folder: folder,
        };
        house.people = house.read(|tx| tx.one(&LAST_PERSON, &[], |row| row.get(0)));
        house.apis = house.read(|tx| tx.rows(&APIS, &[], |row| row.get(0)));
        house.customers = house.read(|tx| tx.rows(&CUSTOMERS, &[], |row| row.get(0)));
        house
    }

    /// Ends the server, with what it has under way.
    pub(crate) fn stop(&self) {
        self.rt.block_on(self.app.stop());
    }

    /// Runs a short read, waited for.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut campanile_store::Tx<'_>) -> campanile_store::Result<T> + Send + 'static,
    ) -> T {
        self.rt.block_on(self.app.db.read(work)).expect("the read works")
    }

    /// Publishes messages to audiences of every size, from the core, many a commit.
    fn publish(&self, count: usize) {
        let mut dice = Dice(11);
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for at in 0..count {
            let draft = self.draft(&mut dice, at);
            let app = Arc::clone(&self.app);
            tasks.spawn_on(
                async move {
                    let now = app.clock.now();
                    let checked = app
                        .db
                        .read(move |tx| draft::check(tx, &draft, "Bench", &Outlets::default(), now))
                        .await
                        .expect("it holds");
                    app.db
                        .write(move |tx| publish::publish(tx, PersonId(1), &checked, None, now))
                        .await
                        .expect("it is published");
                },
                self.rt.handle(),
            );
        }
        self.rt.block_on(async { while tasks.join_next().await.is_some() {} });
        print(&format!(
            "| (messages published from the core) | {count} | {:.1} s | | | |",
            started.elapsed().as_secs_f64()
        ));
    }

    /// A message as a platform sends them: a few to very many, most to an API's consumers or a part of the tree.
    fn draft(&self, dice: &mut Dice, at: usize) -> Draft {
        let audience = match dice.below(100) {
            0..4 => Target::EnvironmentRole {
                environment: "DEFAULT".into(),
                role: "USER".into(),
            },
            4..8 => Target::EnvironmentRole {
                environment: "DEFAULT".into(),
                role: "API_PUBLISHER".into(),
            },
            8..60 => {
                let api = self.apis[dice.below(self.apis.len())].clone();
                let role = ["USER", "OWNER", "PRIMARY_OWNER"][dice.below(3)].to_owned();
                Target::ApiRole { api, role }
            }
            60..65 => Target::Subscribers {
                api: self.apis[dice.below(self.apis.len())].clone(),
                any_status: false,
            },
            _ => Target::Customer {
                customer: self.customers[dice.below(self.customers.len())],
                include_sub_customers: dice.below(2) == 0,
            },
        };
        Draft {
            title: format!("Message {at}: maintenance of the gateway on Saturday"),
            text: "From **22:00** to 23:00 UTC the gateway answers 503 for about ten minutes.\n\n- Retry as usual.\n- \
                   Nothing needs to be done on your side.\n\nQuestions: [the status page](https://status.example.com)."
                .into(),
            importance: [Importance::Low, Importance::High, Importance::Critical][dice.below(3)],
            ..Draft::new("", "", vec![audience])
        }
    }

    /// Some people at random, and their tokens.
    pub(crate) fn tokens(&self, count: usize, seed: u64) -> Vec<(PersonId, String)> {
        let mut dice = Dice(seed);
        let mut out = Vec::with_capacity(count);
        // A database that is used again has the tokens of the time before.
        let now = self.app.clock.now().0;
        for at in 0..count {
            let person = PersonId(1 + dice.below(self.people as usize) as i64);
            out.push((person, self.token(person, &format!("bench {seed} {at} {now}"))));
        }
        out
    }

    /// A personal token of somebody.
    pub(crate) fn token(&self, person: PersonId, name: &str) -> String {
        let (random, now, name) = (self.app.chance.bytes(), self.app.clock.now(), name.to_owned());
        let made = self
            .app
            .db
            .jot(move |tx| token::create(tx, person, &name, None, &random, now));
        self.rt.block_on(made).expect("a token can be made").1
    }
}

/// Serves on the runtime itself: the server waits for the app's own tasks when it stops.
fn app_spawn(rt: &Runtime, app: &Arc<App>, listener: tokio::net::TcpListener) {
    let serving = Arc::clone(app);
    rt.spawn(async move {
        server::run(&serving, listener).await.expect("the server serves");
    });
}

/// The import bar: a directory of any size from its file form.
struct Import {
    lines: usize,
    took: Duration,
}

impl Import {
    /// Beside what SQLite alone takes for the rows that are in the file now.
    fn row(&self, file: Option<&Path>) {
        let rate = self.lines as f64 / self.took.as_secs_f64();
        let size = format!("{} lines in {:.1} s", self.lines, self.took.as_secs_f64());
        let figure = format!("{rate:.0} lines/s");
        let beside = file.map_or_else(String::new, |file| {
            let bare = self.lines as f64 / bare::copied(file).as_secs_f64();
            format!("the rows alone {bare:.0} lines/s, of it {:.0} %", 100.0 * rate / bare)
        });
        row("import", &size, &figure, &beside, "≥ 100,000/s", rate >= 100_000.0);
    }
}

fn import_people(rt: &Runtime, app: &Arc<App>, choice: &Choice) -> Import {
    let lines = world::lines(world::Size::people(choice.people), 1).count();
    let started = Instant::now();
    let source = import::lines(world::lines(world::Size::people(choice.people), 1));
    let report = rt
        .block_on(import::run(app, None, source, false, Manner::Quick, &mut |_| {}))
        .expect("the import works");
    let took: Duration = started.elapsed();
    assert!(report.errors.is_empty(), "{:?}", report.errors.first());
    Import { lines, took }
}
