//! A fresh database of each kind, for tests: a file in a temporary folder, and a database on a throw-away PostgreSQL.
//!
//! The PostgreSQL server is the one of `CAMPANILE_TEST_POSTGRES` (a superuser's URL), or one that is started here for
//! the life of the process. It ends with the process, however that ends: it waits on a pipe that closes then.

mod servers;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

pub use self::servers::{Pair, pooled};
use crate::{Db, Error, Options, Schema, Tx};

/// A database that is gone when this is dropped.
pub struct TestDb {
    /// The database.
    pub db: Db,
    /// Its URL, to open it once more.
    pub url: String,
    schema: Schema,
    rt: tokio::runtime::Runtime,
    /// After the database itself, which is closed first.
    _folder: Option<tempfile::TempDir>,
    removed: Option<Removed>,
}

impl TestDb {
    /// Opens the same database once more, as another server would.
    ///
    /// # Panics
    /// When it does not open.
    #[must_use]
    pub fn another(&self) -> Db {
        Db::open(&options(&self.url), &self.schema).expect("a database opens twice")
    }

    /// [`Db::write`], waited for.
    pub fn write<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.rt.block_on(self.db.write(work))
    }

    /// [`Db::jot`], waited for.
    pub fn jot<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.rt.block_on(self.db.jot(work))
    }

    /// [`Db::read`], waited for.
    pub fn read<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.rt.block_on(self.db.read(work))
    }

    /// Waits for anything else.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.rt.block_on(future)
    }
}

/// Runs a test on a fresh database of each kind.
///
/// # Panics
/// When a database cannot be made; without PostgreSQL only `CAMPANILE_TEST_WITHOUT_POSTGRES=1` lets a test pass.
pub fn each_database(schema: &Schema, test: impl Fn(&TestDb)) {
    test(&sqlite(schema));
    if let Some(database) = postgres(schema) {
        test(&database);
    }
}

/// A fresh SQLite file.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn sqlite(schema: &Schema) -> TestDb {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    open(url, schema, Some(folder))
}

/// A fresh PostgreSQL database; `None` where tests without it were asked for.
///
/// # Panics
/// When there is no server and none can be started.
#[must_use]
pub fn postgres(schema: &Schema) -> Option<TestDb> {
    let url = postgres_url()?;
    let mut database = open(url.clone(), schema, None);
    database.removed = Some(Removed { url });
    Some(database)
}

/// The URL of a new, empty PostgreSQL database; `None` where tests without it were asked for.
///
/// # Panics
/// When there is no server and none can be started.
#[must_use]
pub fn postgres_url() -> Option<String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let server = server()?;
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    on_server(server, &format!("CREATE DATABASE {name}")).expect("a database can be made");
    let (server, query) = server.split_once('?').unwrap_or((server, "sslmode=disable"));
    let (base, _) = server.rsplit_once('/').expect("the server's URL names a database");
    Some(format!("{base}/{name}?{query}"))
}

/// Runs one statement outside of the store.
fn on_server(url: &str, text: &str) -> Result<(), tokio_postgres::Error> {
    runtime().block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::select! {
            done = client.batch_execute(text) => done,
            ended = connection => ended,
        }
    })
}

/// A PostgreSQL database that is dropped with this.
struct Removed {
    url: String,
}

impl Drop for Removed {
    fn drop(&mut self) {
        let name = self.url.split(['/', '?']).find(|part| part.starts_with("test_"));
        if let (Some(server), Some(name)) = (server(), name) {
            // What is left is in the way of nobody.
            let _ = on_server(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// Few connections, so that many tests can run at once. With `CAMPANILE_TEST_POOLED=1` all of them but the one that
/// listens go through a pooler.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no settings; scripts/test says what these mean"
)]
pub fn options(url: &str) -> Options {
    let is_pooled = std::env::var("CAMPANILE_TEST_POOLED").is_ok_and(|value| value == "1");
    if is_pooled && url.starts_with("postgres") {
        return Options {
            listen: Some(url.to_owned()),
            ..pooled(url)
        };
    }
    direct(url)
}

fn direct(url: &str) -> Options {
    Options {
        connections: 3,
        ..Options::new(url)
    }
}

fn open(url: String, schema: &Schema, folder: Option<tempfile::TempDir>) -> TestDb {
    let db = Db::open(&options(&url), schema).expect("a fresh database opens");
    TestDb {
        db,
        url,
        schema: *schema,
        rt: runtime(),
        _folder: folder,
        removed: None,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made")
}

/// The URL of the server's own database.
#[expect(clippy::print_stderr, reason = "a test run without PostgreSQL has to say so")]
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no settings; scripts/test says what these mean"
)]
fn server() -> Option<&'static str> {
    static SERVER: OnceLock<Option<String>> = OnceLock::new();
    SERVER
        .get_or_init(|| {
            if let Ok(url) = std::env::var("CAMPANILE_TEST_POSTGRES") {
                return Some(url);
            }
            if std::env::var("CAMPANILE_TEST_WITHOUT_POSTGRES").is_ok_and(|value| value == "1") {
                eprintln!("\n*** PostgreSQL is NOT tested: CAMPANILE_TEST_WITHOUT_POSTGRES is set ***\n");
                return None;
            }
            Some(start_server(Durable::No))
        })
        .as_deref()
}

/// Whether a throw-away server survives a loss of power: tests need not, measurements do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durable {
    /// As in production.
    Yes,
    /// No fsync: faster.
    No,
}

/// Starts a server that ends with this process; the URL of its own database.
///
/// # Panics
/// When there are no binaries, or the server does not start.
#[must_use]
pub fn start_server(durable: Durable) -> String {
    // Kept for the life of the process; their standard input is the pipe that the server's keeper waits on.
    static KEEPERS: Mutex<Vec<Child>> = Mutex::new(Vec::new());
    let binaries = find_binaries().expect("PostgreSQL's initdb is found; scripts/test says how to get it");
    let port = free_port();
    let script = r#"
        set -e
        dir=$(mktemp -d)
        trap 'rm -rf "$dir"' EXIT
        # In place of the shell, so that $! is the server itself. PostgreSQL does not run as root.
        unprivileged() {
            [ "$(id -u)" = 0 ] || exec "$@"
            exec setpriv --reuid "$who" --clear-groups -- "$@"
        }
        who=nobody
        if id postgres >/dev/null 2>&1; then who=postgres; fi
        if [ "$(id -u)" = 0 ]; then chown "$who" "$dir"; fi
        cd "$dir"
        (unprivileged "$1/initdb" -D "$dir/data" -U postgres -A trust -N -E UTF8 --locale=C >/dev/null)
        (unprivileged "$1/postgres" -D "$dir/data" -p "$2" -c listen_addresses=127.0.0.1 \
            -c unix_socket_directories="$dir" \
            -c fsync="$3" -c synchronous_commit="$3" -c full_page_writes="$3" -c max_connections=400 >"$dir/log" 2>&1) &
        server=$!
        for _ in $(seq 1 300); do
            "$1/pg_isready" -q -h 127.0.0.1 -p "$2" && break
            kill -0 $server || { cat "$dir/log" >&2; exit 1; }
            sleep 0.05
        done
        echo ready
        cat >/dev/null || true
        kill -INT $server
        wait $server || true
    "#;
    let mut child = Command::new("bash")
        .args(["-c", script, "keeper"])
        .arg(&binaries)
        .arg(port.to_string())
        .arg(if durable == Durable::Yes { "on" } else { "off" })
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash can be started");
    let mut line = String::new();
    let out = child.stdout.as_mut().expect("the keeper's output is piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("the keeper's output can be read");
    assert_eq!(line.trim(), "ready", "the throw-away PostgreSQL did not start");
    KEEPERS.lock().unwrap_or_else(PoisonError::into_inner).push(child);
    format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable")
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("loopback has a free port")
        .port()
}

#[expect(clippy::disallowed_methods, reason = "where programs are is not a setting of ours")]
fn find_binaries() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path().join("bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = debian.chain(std::env::split_paths(&path)).collect();
    places.retain(|place| {
        let has = |program| Path::new(place).join(program).exists();
        has("initdb") && has("postgres") && has("pg_isready")
    });
    places.into_iter().next()
}
