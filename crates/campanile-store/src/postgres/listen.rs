//! What servers tell one another: NOTIFY after a commit, and a connection that hears it and comes back by itself. Where
//! there is none, since a pooler stands between, a look every second whether anybody has written.

use std::fmt::Write;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_postgres::{AsyncMessage, Client};

use super::connect::{Messages, Target, runtime};
use crate::db::Announcer;
use crate::threads::Threads;
use crate::{Error, Result, Signal};

/// The channel of NOTIFY.
const CHANNEL: &str = "campanile";
/// An advisory lock that every server shares while it listens, and a copy into this database has alone.
pub(crate) const IN_USE: i64 = 20_260_103;
/// Signals in one notification; PostgreSQL takes less than 8,000 bytes.
const IN_ONE: usize = 150;
/// Beyond so many the others are told to look for themselves.
const TOLD: usize = 1_500;
/// Between two attempts to listen.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks of who cannot listen.
const LOOK: Duration = Duration::from_secs(1);

/// The statements that announce signals: `server topic:key topic:key …`.
pub(super) fn notification(own: &str, signals: &[Signal]) -> String {
    let mut text = String::new();
    let told = if signals.len() > TOLD { &[] } else { signals };
    for part in told.chunks(IN_ONE) {
        let _ = write!(text, "NOTIFY {CHANNEL}, '{own}");
        for signal in part {
            let _ = write!(text, " {}:{}", signal.topic, signal.key);
        }
        text.push_str("'; ");
    }
    if told.is_empty() {
        let _ = write!(text, "NOTIFY {CHANNEL}, '{own}'");
    }
    text
}

/// The signals of a notification; `None` for one that this server sent itself.
fn read(own: &str, payload: &str) -> Option<Vec<Signal>> {
    let mut words = payload.split(' ');
    (words.next() != Some(own)).then(|| words.filter_map(read_signal).collect())
}

fn read_signal(text: &str) -> Option<Signal> {
    let (topic, key) = text.split_once(':')?;
    Some(Signal {
        topic: topic.parse().ok()?,
        key: key.parse().ok()?,
    })
}

/// How a server learns what others do.
pub(super) enum Ear {
    /// It is told, on a connection of its own.
    Notified(Target),
    /// It looks: through a pooler nobody is told anything.
    Looking(Target),
}

/// Starts listening, and goes on until the other end of `stop` is dropped. What is committed elsewhere after this
/// returns is heard, or seen.
pub(super) fn start(
    threads: &mut Threads,
    ear: Ear,
    announcer: Announcer,
    own: Arc<str>,
    mut stop: oneshot::Receiver<()>,
) -> Result<()> {
    let rt = runtime()?;
    let mut ready = rt.block_on(async {
        Ok::<_, Error>(match &ear {
            Ear::Notified(target) => Some(Ready::Listening(listen(target, &announcer, &own).await?)),
            Ear::Looking(target) => Some(Ready::Looking(look(target).await?)),
        })
    })?;
    threads.start("campanile-listen", move || {
        let listening = async {
            loop {
                let now = ready.take();
                if let Err(error) = stay(&ear, &announcer, &own, now).await {
                    announcer.hears(false);
                    tracing::warn!(%error, "the connection that listens for other servers ended; trying again");
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        rt.block_on(async {
            tokio::select! {
                _ = &mut stop => {}
                () = listening => {}
            }
        });
    })
}

/// A connection by which others are heard already.
enum Ready {
    Listening((Client, Messages)),
    Looking(Looking),
}

/// Listens, or looks, until the connection ends.
async fn stay(ear: &Ear, announcer: &Announcer, own: &str, ready: Option<Ready>) -> Result<()> {
    match (ear, ready) {
        (_, Some(Ready::Listening(ready))) => hear(ready, announcer, own).await,
        (_, Some(Ready::Looking(looking))) => watch(looking, announcer).await,
        (Ear::Notified(target), None) => hear(listen(target, announcer, own).await?, announcer, own).await,
        (Ear::Looking(target), None) => {
            let looking = look(target).await?;
            // What was written meanwhile was not seen.
            announcer.hears(true);
            announcer.outside();
            watch(looking, announcer).await
        }
    }
}

/// Takes what is announced until the connection ends. The client is kept: without it the connection closes.
async fn hear((_client, mut connection): (Client, Messages), announcer: &Announcer, own: &str) -> Result<()> {
    loop {
        take(next(&mut connection).await?, announcer, own);
    }
}

/// The number of the next transaction that writes, over the whole instance: while it stands, nobody has written.
const NEXT: &str = "SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)";

/// A connection that looks, and the number that it saw last.
struct Looking {
    client: Client,
    connection: Messages,
    seen: i64,
}

async fn look(target: &Target) -> Result<Looking> {
    let (client, mut connection) = target.connect().await?;
    let seen = ask(&client, &mut connection).await?;
    Ok(Looking {
        client,
        connection,
        seen,
    })
}

async fn ask(client: &Client, connection: &mut Messages) -> Result<i64> {
    let mut asked = std::pin::pin!(client.query_typed_one(NEXT, &[]));
    loop {
        tokio::select! {
            row = &mut asked => break Ok(row?.try_get(0)?),
            message = next(connection) => drop(message?),
        }
    }
}

/// Looks from time to time whether anybody has written, this server included, and has everybody look then.
async fn watch(mut looking: Looking, announcer: &Announcer) -> Result<()> {
    loop {
        tokio::time::sleep(LOOK).await;
        let seen = ask(&looking.client, &mut looking.connection).await?;
        if seen != looking.seen {
            looking.seen = seen;
            announcer.outside();
        }
    }
}

/// A connection on which LISTEN has been said, and which tells that a server is here.
async fn listen(target: &Target, announcer: &Announcer, own: &str) -> Result<(Client, Messages)> {
    let (client, mut connection) = target.connect().await?;
    let is_ours = {
        let (listen, share) = (
            format!("LISTEN {CHANNEL}"),
            format!("SELECT pg_try_advisory_lock_shared({IN_USE})"),
        );
        let mut listening = std::pin::pin!(async {
            client.batch_execute(&listen).await?;
            client.query_one(&share, &[]).await?.try_get::<_, bool>(0)
        });
        loop {
            tokio::select! {
                done = &mut listening => break done?,
                message = next(&mut connection) => take(message?, announcer, own),
            }
        }
    };
    if !is_ours {
        let why = "`campanile copy-database` is writing to this database: wait until it has finished";
        return Err(Error::Unavailable(why.into()));
    }
    announcer.hears(true);
    // What was announced while nobody listened is lost; look.
    announcer.outside();
    Ok((client, connection))
}

async fn next(connection: &mut Messages) -> Result<AsyncMessage> {
    match poll_fn(|context| connection.poll_message(context)).await {
        Some(message) => Ok(message?),
        None => Err(Error::Unavailable("the connection was closed".into())),
    }
}

fn take(message: AsyncMessage, announcer: &Announcer, own: &str) {
    if let AsyncMessage::Notification(heard) = message
        && let Some(signals) = read(own, heard.payload())
    {
        announcer.heard(&signals);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signals(count: i64) -> Vec<Signal> {
        let one = |key| Signal { topic: -1, key };
        (0..count).map(one).collect()
    }

    fn payloads(text: &str) -> Vec<&str> {
        text.split('\'').skip(1).step_by(2).collect()
    }

    #[test]
    fn what_one_server_tells_another_reads() {
        let sent = signals(400);
        let text = notification("seven", &sent);
        let heard: Vec<Signal> = payloads(&text)
            .into_iter()
            .filter_map(|payload| read("eight", payload))
            .flatten()
            .collect();
        assert_eq!(heard, sent);
    }

    #[test]
    fn a_server_does_not_listen_to_itself() {
        let text = notification("seven", &signals(1));
        assert_eq!(read("seven", payloads(&text)[0]), None);
    }

    #[test]
    fn the_longest_notification_is_one_that_postgresql_takes() {
        let longest = Signal {
            topic: i64::MIN,
            key: i64::MIN,
        };
        let text = notification(&"f".repeat(32), &vec![longest; TOLD]);
        assert!(payloads(&text).iter().all(|payload| payload.len() < 8_000));
    }

    #[test]
    fn too_many_signals_become_a_hint_to_look() {
        let text = notification("seven", &signals(TOLD as i64 + 1));
        assert_eq!(payloads(&text), ["seven"]);
        assert_eq!(read("eight", "seven"), Some(Vec::new()));
    }
}
