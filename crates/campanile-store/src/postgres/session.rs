//! One transaction on a connection. Requests leave in the order of the calls; answers are waited for only where one is
//! needed, so that what needs no answer costs no round trip.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use futures_util::TryStreamExt;
use futures_util::future::{Either, MaybeDone, maybe_done, select};
use tokio::runtime::Runtime;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Statement};

use super::connect::Target;
use crate::error::{ends_connection, named};
use crate::group::Gone;
use crate::tx::Param;
use crate::{Dialect, Error, Result, Row, Sql};

type Outcome<T> = std::result::Result<T, tokio_postgres::Error>;

/// A connection and what is known of it.
pub(super) struct Link {
    pub(super) client: Client,
    /// Prepared statements by the address of their text, which is what makes two statements the same.
    statements: HashMap<usize, Statement>,
    /// The server behind it may be another one for each transaction, which knows no statement by its name.
    pooled: bool,
    /// A failure has shown that the connection is of no more use, whether or not the client knows yet.
    lost: bool,
}

impl Link {
    pub(super) fn new(client: Client, pooled: bool) -> Self {
        Self {
            client,
            statements: HashMap::new(),
            pooled,
            lost: false,
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost || self.client.is_closed()
    }

    /// Sends plain SQL of which nobody waits to hear. It goes ahead of whatever is sent next.
    pub(super) fn tell(&self, text: &str) {
        let request = self.client.batch_execute(text);
        send(pin!(request));
    }
}

/// The first look at a request is what puts it into the connection's queue.
fn send(request: Pin<&mut impl Future>) {
    let _ = request.poll(&mut Context::from_waker(Waker::noop()));
}

/// A request that has been sent.
struct Sent<'c> {
    /// For which statement, where there is a name.
    sql: Option<&'static Sql>,
    answer: MaybeDone<Pin<Box<dyn Future<Output = Outcome<()>> + 'c>>>,
}

/// A transaction on a connection.
pub(crate) struct Session<'c> {
    rt: &'c Runtime,
    client: &'c Client,
    statements: &'c mut HashMap<usize, Statement>,
    pooled: bool,
    lost: &'c mut bool,
    /// Plain SQL that goes ahead of the first request; still there at the end if there was none.
    before: Option<&'c str>,
    sent: Vec<Sent<'c>>,
    /// Of a read: when it is to end, and by whom its statement is stopped then.
    end: Option<(Gone, &'c Target)>,
}

impl<'c> Session<'c> {
    pub(super) fn new(rt: &'c Runtime, link: &'c mut Link, before: Option<&'c str>) -> Self {
        Self {
            rt,
            client: &link.client,
            statements: &mut link.statements,
            pooled: link.pooled,
            lost: &mut link.lost,
            before,
            sent: Vec::new(),
            end: None,
        }
    }

    /// Ends it when nobody waits for it any more.
    pub(super) fn end_when(&mut self, gone: Option<Gone>, target: &'c Target) {
        self.end = gone.map(|gone| (gone, target));
    }

    /// Whether anything was sent at all.
    pub(super) fn is_begun(&self) -> bool {
        self.before.is_none()
    }

    /// Compiles a statement and forgets it.
    pub(crate) fn try_out(&mut self, sql: &'static Sql) -> Result<()> {
        if self.pooled {
            // Closed at its end by what drops it, on this very connection as long as the transaction lasts.
            let client = self.client;
            return self
                .wait(Some(sql), client.prepare(sql.text(Dialect::Postgres)))
                .map(drop);
        }
        self.prepare(sql).map(drop)
    }

    /// The statement, prepared on this connection.
    fn prepare(&mut self, sql: &'static Sql) -> Result<Statement> {
        let key = std::ptr::from_ref(sql).addr();
        if let Some(statement) = self.statements.get(&key) {
            return Ok(statement.clone());
        }
        let client = self.client;
        let text = sql.text(Dialect::Postgres);
        let statement = self.wait(Some(sql), client.prepare(text))?;
        self.statements.insert(key, statement.clone());
        Ok(statement)
    }

    pub(crate) fn visit(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn Param],
        each: &mut dyn FnMut(&Row<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let form = self.form(sql, params)?;
        let client = self.client;
        self.wait(Some(sql), async {
            let rows = match form {
                Form::Named(statement) => {
                    let params = params.iter().map(|param| as_sql(*param));
                    client.query_raw(&statement, params).await?
                }
                Form::Spelt(text, params) => client.query_typed_raw(text, params).await?,
            };
            let mut rows = pin!(rows);
            while let Some(row) = rows.try_next().await? {
                if each(&Row::Postgres(&row)).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    pub(crate) fn execute(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<u64> {
        let form = self.form(sql, params)?;
        let client = self.client;
        self.wait(Some(sql), async {
            match form {
                Form::Named(statement) => {
                    let params = params.iter().map(|param| as_sql(*param));
                    client.execute_raw(&statement, params).await
                }
                Form::Spelt(text, params) => client.execute_typed(text, &borrowed(&params)).await,
            }
        })
    }

    pub(crate) fn send(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<()> {
        let client = self.client;
        match self.form(sql, params)? {
            Form::Named(statement) => {
                let encoded = params
                    .iter()
                    .zip(statement.params())
                    .map(|(param, kind)| Encoded::new(*param, kind))
                    .collect::<Result<Vec<_>>>()
                    .map_err(|error| named(sql, error))?;
                self.queue(Some(sql), async move {
                    client.execute_raw(&statement, encoded).await.map(|_| ())
                });
            }
            Form::Spelt(text, params) => self.queue(Some(sql), async move {
                client.execute_typed(text, &borrowed(&params)).await.map(|_| ())
            }),
        }
        Ok(())
    }

    /// Plain SQL that goes ahead of the next statement.
    pub(crate) fn ahead(&mut self, text: &'static str) {
        let client = self.client;
        self.queue(None, client.batch_execute(text));
    }

    /// Plain SQL, waited for with all that was sent before.
    pub(super) fn plain(&mut self, text: &'static str) -> Result<()> {
        let client = self.client;
        self.wait(None, client.batch_execute(text))
    }

    /// Waits for what was sent and not yet answered.
    pub(super) fn settle(&mut self) -> Result<()> {
        if self.sent.is_empty() {
            return Ok(());
        }
        self.wait(None, ready(Ok(())))
    }

    /// How the statement is said with these parameters, if it takes so many.
    fn form(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<Form> {
        let (form, takes) = if self.pooled {
            let text = sql.text(Dialect::Postgres);
            let guessed = params.iter().map(|param| Encoded::guess(*param)).collect::<Result<_>>();
            let form = Form::Spelt(text, guessed.map_err(|error| named(sql, error))?);
            (form, parameters(text))
        } else {
            let statement = self.prepare(sql)?;
            let takes = statement.params().len();
            (Form::Named(statement), takes)
        };
        let (name, got) = (sql.name, params.len());
        if takes != got {
            return Err(Error::Internal(format!(
                "{name} takes {takes} parameters and got {got}"
            )));
        }
        Ok(form)
    }

    fn queue(&mut self, sql: Option<&'static Sql>, request: impl Future<Output = Outcome<()>> + 'c) {
        if let Some(text) = self.before.take() {
            self.queue(None, self.client.batch_execute(text));
        }
        let request: Pin<Box<dyn Future<Output = _> + 'c>> = Box::pin(request);
        let mut answer = maybe_done(request);
        send(Pin::new(&mut answer));
        self.sent.push(Sent { sql, answer });
    }

    /// Sends a last request and waits for the answers of all, in order. The first failure counts: what follows it fails
    /// only because the transaction has failed.
    fn wait<T>(&mut self, sql: Option<&'static Sql>, last: impl Future<Output = Outcome<T>>) -> Result<T> {
        if let Some(text) = self.before.take() {
            self.queue(None, self.client.batch_execute(text));
        }
        let sent = std::mem::take(&mut self.sent);
        let answers = async {
            let mut last = pin!(maybe_done(last));
            send(last.as_mut());
            for mut one in sent {
                (&mut one.answer).await;
                if let Some(Err(error)) = Pin::new(&mut one.answer).take_output() {
                    return Err((one.sql, error));
                }
            }
            last.as_mut().await;
            let answer = last.as_mut().take_output();
            answer
                .expect("a future that was waited for has its output")
                .map_err(|error| (sql, error))
        };
        let outcome = match &mut self.end {
            None => self.rt.block_on(answers),
            Some((gone, target)) => match self.rt.block_on(select(pin!(answers), gone)) {
                Either::Left((outcome, _)) => outcome,
                Either::Right(_) => {
                    *self.lost = true;
                    self.rt.block_on(target.cancel(self.client));
                    return Err(Error::Timeout);
                }
            },
        };
        outcome.map_err(|(sql, error)| {
            *self.lost |= ends_connection(&error);
            match sql {
                Some(sql) => named(sql, error.into()),
                None => error.into(),
            }
        })
    }
}

fn as_sql(param: &dyn Param) -> &(dyn ToSql + Sync) {
    param
}

/// How a statement is said.
enum Form {
    /// By its name on this connection: planned once.
    Named(Statement),
    /// In full, with the types of its parameters: planned each time, and needs nothing of the connection.
    Spelt(&'static str, Vec<(Encoded, Type)>),
}

/// How many parameters a text takes: the greatest `$n` in it.
fn parameters(text: &str) -> usize {
    let digits = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
    let numbers = text
        .split('$')
        .skip(1)
        .filter_map(|rest| rest[..digits(rest)].parse().ok());
    numbers.max().unwrap_or(0)
}

fn borrowed(params: &[(Encoded, Type)]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    params
        .iter()
        .map(|(param, kind)| (param as &(dyn ToSql + Sync), kind.clone()))
        .collect()
}

/// A parameter in PostgreSQL's own bytes, so that its statement can be sent after the parameter itself is gone.
#[derive(Debug)]
struct Encoded(Option<Vec<u8>>);

impl Encoded {
    fn new(param: &dyn Param, kind: &Type) -> Result<Self> {
        let mut bytes = bytes::BytesMut::new();
        match as_sql(param).to_sql_checked(kind, &mut bytes) {
            Ok(IsNull::Yes) => Ok(Self(None)),
            Ok(IsNull::No) => Ok(Self(Some(bytes.to_vec()))),
            Err(error) => Err(Error::Internal(error.to_string())),
        }
    }
}

impl Encoded {
    /// With the type that the value has by itself: see [`Param`] for which there are.
    fn guess(param: &dyn Param) -> Result<(Self, Type)> {
        let kinds = [Type::INT8, Type::TEXT, Type::BOOL, Type::BYTEA];
        let fits = |kind: Type| Self::new(param, &kind).ok().map(|encoded| (encoded, kind));
        kinds
            .into_iter()
            .find_map(fits)
            .ok_or_else(|| Error::Internal("a parameter of a type that is not known".into()))
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
