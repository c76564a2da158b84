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
    /// A failure has shown that the connection is of no more use, whether or not the client knows yet.
    lost: bool,
}

impl Link {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            statements: HashMap::new(),
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
    lost: &'c mut bool,
    /// Plain SQL that goes ahead of the first request; still there at the end if there was none.
    before: Option<&'static str>,
    sent: Vec<Sent<'c>>,
    /// Of a read: when it is to end, and by whom its statement is stopped then.
    end: Option<(Gone, &'c Target)>,
}

impl<'c> Session<'c> {
    pub(super) fn new(rt: &'c Runtime, link: &'c mut Link, before: Option<&'static str>) -> Self {
        Self {
            rt,
            client: &link.client,
            statements: &mut link.statements,
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

    /// The statement, prepared on this connection.
    pub(crate) fn prepare(&mut self, sql: &'static Sql) -> Result<Statement> {
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
        let statement = self.fitting(sql, params)?;
        let client = self.client;
        self.wait(Some(sql), async {
            let params = params.iter().map(|param| as_sql(*param));
            let mut rows = pin!(client.query_raw(&statement, params).await?);
            while let Some(row) = rows.try_next().await? {
                if each(&Row::Postgres(&row)).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    pub(crate) fn execute(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<u64> {
        let statement = self.fitting(sql, params)?;
        let params = params.iter().map(|param| as_sql(*param));
        let client = self.client;
        self.wait(Some(sql), client.execute_raw(&statement, params))
    }

    pub(crate) fn send(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<()> {
        let statement = self.fitting(sql, params)?;
        let encoded = params
            .iter()
            .zip(statement.params())
            .map(|(param, kind)| Encoded::new(*param, kind))
            .collect::<Result<Vec<_>>>()
            .map_err(|error| named(sql, error))?;
        let client = self.client;
        self.queue(Some(sql), async move {
            client.execute_raw(&statement, encoded).await.map(|_| ())
        });
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

    /// The statement, if it takes so many parameters.
    fn fitting(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<Statement> {
        let statement = self.prepare(sql)?;
        let (takes, got) = (statement.params().len(), params.len());
        if takes != got {
            let name = sql.name;
            return Err(Error::Internal(format!(
                "{name} takes {takes} parameters and got {got}"
            )));
        }
        Ok(statement)
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
