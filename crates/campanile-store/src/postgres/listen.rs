//! What servers tell one another: NOTIFY after a commit, and a connection that hears it and comes back by itself.

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

/// Starts listening, and goes on until the other end of `stop` is dropped. What is committed elsewhere after this
/// returns is heard.
pub(super) fn start(
    threads: &mut Threads,
    target: Target,
    announcer: Announcer,
    own: Arc<str>,
    mut stop: oneshot::Receiver<()>,
) -> Result<()> {
    let rt = runtime()?;
    let mut heard = Some(rt.block_on(listen(&target, &announcer, &own))?);
    threads.start("campanile-listen", move || {
        let listening = async {
            loop {
                let now = heard.take();
                if let Err(error) = stay(&target, &announcer, &own, now).await {
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

/// Listens until the connection ends.
async fn stay(target: &Target, announcer: &Announcer, own: &str, ready: Option<(Client, Messages)>) -> Result<()> {
    // The client is kept: without it the connection closes.
    let (_client, mut connection) = match ready {
        Some(ready) => ready,
        None => listen(target, announcer, own).await?,
    };
    loop {
        take(next(&mut connection).await?, announcer, own);
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
