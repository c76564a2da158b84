//! PostgreSQL: a few threads with a connection each. One writes in order, one writes what belongs to persons, the
//! others read. Statements that need no answer travel with the next one, so a lone read is one round trip and a
//! publication is one round trip within its group.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::TryStreamExt;
use futures_util::future::{join, join_all};
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, mpsc};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket, Statement};

use crate::db::{Announcer, Options};
use crate::group::{GROUP_LIMIT, GROUP_TIME, Group, Job, SAVE};
use crate::migrate::{OWN, RAN, RECORD, Ran, Schema, checksum};
use crate::tx::{Conn, Mode, Param};
use crate::{Dialect, Error, Result, Row, Signal, Sql, Tx};

/// Said once per connection.
const SETTINGS: &str = "SET statement_timeout = '120s'; SET lock_timeout = '30s'; \
                        SET idle_in_transaction_session_timeout = '60s'; SET timezone = 'UTC'";
/// The channel of NOTIFY.
const CHANNEL: &str = "campanile";
/// Signals in one notification; PostgreSQL takes less than 8,000 bytes.
const NOTIFY_LIMIT: usize = 150;

/// The engine.
pub(crate) struct Postgres {
    ordered: mpsc::UnboundedSender<Job>,
    unordered: mpsc::UnboundedSender<Job>,
    reads: mpsc::UnboundedSender<Job>,
}

type Inbox = Arc<Mutex<mpsc::UnboundedReceiver<Job>>>;

impl Postgres {
    pub(crate) fn open(options: &Options, schema: &Schema, announcer: &Announcer) -> Result<Self> {
        let config: Config = options.url.parse().map_err(|error| {
            Error::Unavailable(format!(
                "the database URL is not one that PostgreSQL understands: {error}"
            ))
        })?;
        migrate(&config, schema)?;
        let (ordered, inbox) = mpsc::unbounded_channel();
        start("campanile-write", &config, announcer, Arc::new(Mutex::new(inbox)))?;
        let (unordered, inbox) = mpsc::unbounded_channel();
        start("campanile-jot", &config, announcer, Arc::new(Mutex::new(inbox)))?;
        let (reads, inbox) = mpsc::unbounded_channel();
        let inbox = Arc::new(Mutex::new(inbox));
        for _ in 0..options.connections.max(1) {
            start("campanile-read", &config, announcer, Arc::clone(&inbox))?;
        }
        listen(config, announcer.clone(), ordered.downgrade())?;
        Ok(Self {
            ordered,
            unordered,
            reads,
        })
    }

    pub(crate) fn submit(&self, job: Job) -> Result<()> {
        let queue = match job.mode {
            Mode::Ordered => &self.ordered,
            Mode::Unordered => &self.unordered,
            Mode::Read => &self.reads,
        };
        queue
            .send(job)
            .map_err(|_| Error::Unavailable("the database is closed".into()))
    }
}

fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Unavailable(error.to_string()))
}

/// Connects; TLS where the URL asks for it (`sslmode=require`), with the system's certificates.
fn connect(rt: &Runtime, config: &Config) -> Result<Client> {
    let client = if config.get_ssl_mode() == tokio_postgres::config::SslMode::Disable {
        rt.block_on(connect_with(config, NoTls))?
    } else {
        rt.block_on(connect_with(config, tls()))?
    };
    rt.block_on(client.batch_execute(SETTINGS))?;
    Ok(client)
}

async fn connect_with<T>(config: &Config, tls: T) -> Result<Client>
where
    T: MakeTlsConnect<Socket> + Send + 'static,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = config.connect(tls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(%error, "a connection to PostgreSQL ended");
        }
    });
    Ok(client)
}

fn tls() -> tokio_postgres_rustls::MakeRustlsConnect {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // One certificate of the system that cannot be read must not cost the others.
        let _ = roots.add(certificate);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring offers the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    tokio_postgres_rustls::MakeRustlsConnect::new(config)
}

fn migrate(config: &Config, schema: &Schema) -> Result<()> {
    let rt = runtime()?;
    let client = connect(&rt, config)?;
    rt.block_on(async {
        // Several servers may start at once: one migrates, the others wait and find nothing to do.
        client
            .batch_execute("BEGIN; SELECT pg_advisory_xact_lock(20260101)")
            .await?;
        client.batch_execute(&Dialect::Postgres.translate(OWN)).await?;
        let ran: Vec<Ran> = client
            .query(RAN, &[])
            .await?
            .iter()
            .map(|row| Ran {
                number: row.get(0),
                name: row.get(1),
                checksum: row.get(2),
                oldest: row.get(3),
            })
            .collect();
        for migration in schema.missing(&ran)? {
            client
                .batch_execute(&Dialect::Postgres.translate(migration.sql))
                .await
                .map_err(|error| Error::Schema(format!("migration {}: {}", migration.name, Error::from(error))))?;
            let sum = checksum(migration.sql);
            client
                .execute(RECORD, &[&migration.number, &migration.name, &sum, &migration.oldest])
                .await?;
        }
        client.batch_execute("COMMIT").await?;
        Ok(())
    })
}

/// Starts a thread with a connection that takes jobs from an inbox until it closes.
fn start(name: &str, config: &Config, announcer: &Announcer, inbox: Inbox) -> Result<()> {
    let rt = runtime()?;
    let link = Link {
        client: connect(&rt, config)?,
        statements: HashMap::new(),
    };
    let (config, announcer) = (config.clone(), announcer.clone());
    crate::sqlite::spawn(name, move || {
        Worker {
            rt,
            config,
            announcer,
            link,
        }
        .run(&inbox)
    })
}

/// A connection and the statements that it has prepared, by name.
struct Link {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

struct Worker {
    rt: Runtime,
    config: Config,
    announcer: Announcer,
    link: Link,
}

impl Worker {
    fn run(mut self, inbox: &Inbox) {
        // The connection's own task runs while this thread waits, so a lost connection is noticed at once.
        while let Some(job) = self.rt.block_on(async { inbox.lock().await.recv().await }) {
            if let Err(error) = self.heal() {
                job.refuse(error);
            } else if job.mode == Mode::Read {
                self.read(job);
            } else {
                self.group(job, inbox);
            }
        }
    }

    fn heal(&mut self) -> Result<()> {
        if self.link.client.is_closed() {
            self.link = Link {
                client: connect(&self.rt, &self.config)?,
                statements: HashMap::new(),
            };
        }
        Ok(())
    }

    /// One snapshot; the answer goes out before the transaction is closed, because it is already known.
    fn read(&mut self, job: Job) {
        let begun = {
            let mut session = Session::new(&self.rt, &mut self.link);
            session.before = Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            let mut tx = Tx::new(Conn::Postgres(session), Mode::Read, None);
            if let Some((_, finish)) = job.run(&mut tx) {
                finish(Ok(()));
            }
            !matches!(&tx.conn, Conn::Postgres(session) if session.before.is_some())
        };
        if begun {
            let _ = self.rt.block_on(self.link.client.batch_execute("ROLLBACK"));
        }
    }

    fn group(&mut self, first: Job, inbox: &Inbox) {
        let mut group = Group::default();
        let mut fate = Ok(());
        let started = Instant::now();
        let mut next = Some(first);
        let mut count = 0;
        while let Some(job) = next.take() {
            fate = self.operation(job, fate, count == 0, &mut group);
            count += 1;
            if count < GROUP_LIMIT && started.elapsed() < GROUP_TIME {
                next = inbox.try_lock().ok().and_then(|mut inbox| inbox.try_recv().ok());
            }
        }
        let fate = fate.and_then(|()| self.commit(&mut group));
        if fate.is_ok() {
            self.announcer.committed(&group.signals, count);
        } else {
            let _ = self.rt.block_on(self.link.client.batch_execute("ROLLBACK"));
        }
        group.finish(&fate);
        if fate.is_ok() && !group.signals.is_empty() {
            self.notify(&group.signals);
        }
    }

    /// One operation under its own savepoint. `fate` is what the group as a whole has come to.
    fn operation(&mut self, job: Job, fate: Result<()>, first: bool, group: &mut Group) -> Result<()> {
        if let Err(error) = fate {
            job.refuse(error.clone());
            return Err(error);
        }
        let (finish, keep, ended, tally, signals) = {
            let mut session = Session::new(&self.rt, &mut self.link);
            session.before = Some(if first {
                "BEGIN; SAVEPOINT operation"
            } else {
                "SAVEPOINT operation"
            });
            let mut tx = Tx::new(Conn::Postgres(session), job.mode, group.tally.clone());
            let outcome = job.run(&mut tx);
            let Conn::Postgres(session) = &mut tx.conn else {
                unreachable!("made so just above")
            };
            let Some((keep, finish)) = outcome else {
                return session.end(false);
            };
            (
                finish,
                keep,
                session.end(keep),
                tx.tally.take(),
                std::mem::take(&mut tx.signals),
            )
        };
        if keep
            && let Err(error) = &ended
            && !self.link.client.is_closed()
        {
            // What was sent along failed: this operation is undone, its caller hears why, the group goes on.
            finish(Err(error.clone()));
            let undo = self
                .link
                .client
                .batch_execute("ROLLBACK TO operation; RELEASE operation");
            return Ok(self.rt.block_on(undo)?);
        }
        if keep && ended.is_ok() {
            group.tally = tally;
            group.signals.extend(signals);
        }
        group.finishes.push(finish);
        ended
    }

    fn commit(&mut self, group: &mut Group) -> Result<()> {
        let mut session = Session::new(&self.rt, &mut self.link);
        if let Some(tally) = group.tally.take().filter(|tally| tally.dirty) {
            for (name, value) in tally.values() {
                session.send(&SAVE, &[&name, &value])?;
            }
        }
        session.plain("COMMIT")
    }

    /// Tells the other servers, in a transaction of its own: a notification inside the commit would make all commits
    /// of the instance take turns.
    fn notify(&self, signals: &[Signal]) {
        for part in signals.chunks(NOTIFY_LIMIT) {
            let text = part
                .iter()
                .map(|at| format!("{}:{}", at.topic, at.key))
                .collect::<Vec<_>>()
                .join(" ");
            let statement = format!("NOTIFY {CHANNEL}, '{text}'");
            if let Err(error) = self.rt.block_on(self.link.client.batch_execute(&statement)) {
                tracing::warn!(%error, "other servers could not be told of a change; they will find it by looking");
            }
        }
    }
}

type Sent<'c> = Pin<Box<dyn Future<Output = std::result::Result<u64, tokio_postgres::Error>> + 'c>>;

/// A transaction on a connection.
pub(crate) struct Session<'c> {
    rt: &'c Runtime,
    client: &'c Client,
    statements: &'c mut HashMap<&'static str, Statement>,
    /// Plain SQL that goes ahead of the first statement, in the same round trip.
    pub(crate) before: Option<&'static str>,
    /// Statements that go ahead of the next one, in the same round trip.
    waiting: Vec<Sent<'c>>,
}

impl<'c> Session<'c> {
    fn new(rt: &'c Runtime, link: &'c mut Link) -> Self {
        Self {
            rt,
            client: &link.client,
            statements: &mut link.statements,
            before: None,
            waiting: Vec::new(),
        }
    }

    /// Runs something with all that waits ahead of it: sent in order, answered in order, waited for once.
    fn run<T, E: From<Error>>(
        &mut self,
        last: impl Future<Output = std::result::Result<T, E>>,
    ) -> std::result::Result<T, E> {
        let (before, client) = (self.before.take(), self.client);
        let waiting = std::mem::take(&mut self.waiting);
        let ahead = async {
            match before {
                Some(text) => client.batch_execute(text).await,
                None => Ok(()),
            }
        };
        let ((ahead, waited), last) = self.rt.block_on(join(join(ahead, join_all(waiting)), last));
        ahead.map_err(Error::from)?;
        for one in waited {
            one.map_err(Error::from)?;
        }
        last
    }

    fn prepare(&mut self, sql: &'static Sql) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql.name) {
            return Ok(statement.clone());
        }
        let text = sql.text(Dialect::Postgres);
        let statement = self
            .rt
            .block_on(self.client.prepare(text))
            .map_err(|error| match Error::from(error) {
                Error::Internal(detail) => Error::Internal(format!("{}: {detail}", sql.name)),
                other => other,
            })?;
        self.statements.insert(sql.name, statement.clone());
        Ok(statement)
    }

    pub(crate) fn each<E: From<Error>>(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn Param],
        mut each: impl FnMut(&Row<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let statement = self.prepare(sql)?;
        let client = self.client;
        self.run(async {
            let params = params.iter().map(|param| -> &(dyn ToSql + Sync) { *param });
            let rows = client.query_raw(&statement, params).await.map_err(Error::from)?;
            let mut rows = std::pin::pin!(rows);
            while let Some(row) = rows.try_next().await.map_err(Error::from)? {
                each(&Row::Postgres(&row))?;
            }
            Ok(())
        })
    }

    pub(crate) fn execute(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<u64> {
        let statement = self.prepare(sql)?;
        let client = self.client;
        self.run(async {
            let params = params.iter().map(|param| -> &(dyn ToSql + Sync) { *param });
            client.execute_raw(&statement, params).await.map_err(Error::from)
        })
    }

    pub(crate) fn send(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<()> {
        let statement = self.prepare(sql)?;
        let mut encoded = Vec::with_capacity(params.len());
        for (param, kind) in params.iter().zip(statement.params()) {
            encoded.push(Encoded::new(*param, kind)?);
        }
        let client = self.client;
        self.waiting
            .push(Box::pin(async move { client.execute_raw(&statement, encoded).await }));
        Ok(())
    }

    fn plain(&mut self, text: &'static str) -> Result<()> {
        let client = self.client;
        self.run(async move { client.batch_execute(text).await.map_err(Error::from) })
    }

    /// Ends an operation. One that never spoke to the database still begins its group, so that the next one can go on.
    fn end(&mut self, keep: bool) -> Result<()> {
        if keep {
            return self.plain("RELEASE operation");
        }
        self.waiting.clear();
        self.plain("ROLLBACK TO operation; RELEASE operation")
    }
}

/// A parameter in PostgreSQL's own bytes, so that its statement can wait after the parameter itself is gone.
#[derive(Debug)]
struct Encoded(Option<Vec<u8>>);

impl Encoded {
    fn new(param: &dyn Param, kind: &Type) -> Result<Self> {
        let mut bytes = bytes::BytesMut::new();
        let param: &(dyn ToSql + Sync) = param;
        match param.to_sql_checked(kind, &mut bytes) {
            Ok(IsNull::Yes) => Ok(Self(None)),
            Ok(IsNull::No) => Ok(Self(Some(bytes.to_vec()))),
            Err(error) => Err(Error::Internal(error.to_string())),
        }
    }
}

impl ToSql for Encoded {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut bytes::BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let Some(bytes) = &self.0 else {
            return Ok(IsNull::Yes);
        };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Hears what other servers announce, on a connection of its own that comes back by itself. Ends when the engine does.
fn listen(config: Config, announcer: Announcer, alive: mpsc::WeakUnboundedSender<Job>) -> Result<()> {
    let rt = runtime()?;
    crate::sqlite::spawn("campanile-listen", move || {
        rt.block_on(async {
            while alive.upgrade().is_some() {
                if let Err(error) = hear(&config, &announcer, &alive).await {
                    tracing::warn!(%error, "the connection that listens for other servers ended; trying again");
                }
                // What was announced meanwhile is lost; look.
                announcer.outside();
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        });
    })
}

async fn hear(config: &Config, announcer: &Announcer, alive: &mpsc::WeakUnboundedSender<Job>) -> Result<()> {
    if config.get_ssl_mode() == tokio_postgres::config::SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await?;
        messages(client, connection, announcer, alive).await
    } else {
        let (client, connection) = config.connect(tls()).await?;
        messages(client, connection, announcer, alive).await
    }
}

async fn messages<S>(
    client: Client,
    mut connection: tokio_postgres::Connection<Socket, S>,
    announcer: &Announcer,
    alive: &mpsc::WeakUnboundedSender<Job>,
) -> Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let listening = async { client.batch_execute(&format!("LISTEN {CHANNEL}")).await };
    let mut listening = std::pin::pin!(listening);
    let mut begun = false;
    let mut look = tokio::time::interval(std::time::Duration::from_secs(1));
    loop {
        tokio::select! {
            result = &mut listening, if !begun => {
                result?;
                begun = true;
            }
            message = std::future::poll_fn(|context| connection.poll_message(context)) => match message {
                Some(Ok(AsyncMessage::Notification(heard))) => {
                    let signals: Vec<Signal> = heard.payload().split(' ').filter_map(read_signal).collect();
                    announcer.heard(&signals);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Error::Unavailable("the connection was closed".into())),
            },
            _ = look.tick() => {
                if alive.upgrade().is_none() {
                    return Ok(());
                }
            }
        }
    }
}

fn read_signal(text: &str) -> Option<Signal> {
    let (topic, key) = text.split_once(':')?;
    Some(Signal {
        topic: topic.parse().ok()?,
        key: key.parse().ok()?,
    })
}
