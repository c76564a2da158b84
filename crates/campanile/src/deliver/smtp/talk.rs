//! One connection's life: one mail after the other, the envelope of the next behind the dot of this one.

use std::sync::Arc;

use super::Outcome;
use super::connect::{Trouble, connect};
use super::judge::{self, Verdict};
use super::pool::{Job, Next, Shared};
use super::reply::Reply;
use super::stream::{Connection, Lost};

/// Mails over one connection; many relays take no more than this.
const MAILS: usize = 100;
/// How long to look for an answer where the relay stopped to take the mail: it may have said why.
const LAST_WORDS: std::time::Duration = std::time::Duration::from_secs(2);

/// Connects, sends what there is to send, and ends.
pub(super) async fn work(shared: Arc<Shared>, slot: usize) {
    let connected = connect(&shared.way).await;
    let mut connection = match connected {
        Ok(connection) => connection,
        Err(trouble) => {
            shared.not_connected(slot, None, &trouble);
            return shared.closed(slot);
        }
    };
    shared.opened(slot);
    // The mail whose envelope is written already.
    let mut begun = None;
    loop {
        let (job, is_begun) = match begun.take() {
            Some(job) => (job, true),
            None if connection.mails >= MAILS => break,
            None => match shared.next(slot, &mut connection).await {
                Next::Send(job) => (job, false),
                Next::Quit => break,
                Next::Gone => return shared.closed(slot),
            },
        };
        match transact(&shared, slot, &mut connection, job, is_begun).await {
            Ok(follower) => begun = follower,
            Err(Over) => return shared.closed(slot),
        }
    }
    // Its place is free before the goodbye is over.
    shared.closed(slot);
    connection.quit().await;
}

/// The connection is of no more use; every mail on it has been dealt with.
struct Over;

/// Sends one mail, and answers the one whose envelope went out with it.
async fn transact(
    shared: &Arc<Shared>,
    slot: usize,
    connection: &mut Connection,
    job: Job,
    is_begun: bool,
) -> Result<Option<Job>, Over> {
    if let Some(outcome) = impossible(connection, &job) {
        job.end(outcome);
        return Ok(None);
    }
    let is_fresh = connection.mails == 0;
    connection.mails += 1;
    match envelope(shared, connection, &job, is_begun).await {
        Ok(Answer::Go) => content(shared, slot, connection, job).await,
        Ok(Answer::Refused(verdict, reply)) => {
            let over = reply.is_goodbye();
            refused(shared, slot, is_fresh, job, &verdict, &reply);
            if over {
                return Err(Over);
            }
            Ok(None)
        }
        Err(Silence { after_mail: true, why }) => {
            // It answered to MAIL: this is about the recipient, or bad luck of this one.
            shared.slow();
            let Lost(reason) = why;
            job.end(Outcome::Retry {
                code: None,
                reason,
                doubtful: false,
            });
            Err(Over)
        }
        Err(Silence {
            after_mail: false,
            why: Lost(reason),
        }) => {
            // A connection that was used before may have been closed meanwhile: no error.
            if is_fresh {
                shared.not_connected(
                    slot,
                    Some(job),
                    &Trouble {
                        reason,
                        permanent: false,
                    },
                );
            } else {
                shared.put_back(job, &reason);
            }
            Err(Over)
        }
    }
}

/// Why this relay can never take this mail.
fn impossible(connection: &Connection, job: &Job) -> Option<Outcome> {
    let can = &connection.can;
    let dead = |reason: String| Outcome::Dead {
        code: None,
        reason,
        suppress: false,
    };
    if job.envelope().needs_utf8() && !can.utf8 {
        let why = "the address has letters beyond ASCII before the @, and the relay does not take such (SMTPUTF8)";
        return Some(dead(why.into()));
    }
    let size = job.envelope().size as u64;
    let most = can.size.filter(|most| *most > 0 && *most < size)?;
    Some(dead(format!(
        "the mail has {size} bytes, and the relay takes at most {most}"
    )))
}

enum Answer {
    /// It waits for the content.
    Go,
    Refused(Verdict, Reply),
}

/// No more replies.
struct Silence {
    /// Whether `MAIL` had been accepted.
    after_mail: bool,
    why: Lost,
}

/// `MAIL`, `RCPT` and `DATA`, in one write where the relay can take it. Afterwards the relay either waits for the
/// content, or for the next `MAIL`.
async fn envelope(shared: &Shared, connection: &mut Connection, job: &Job, is_begun: bool) -> Result<Answer, Silence> {
    let times = &shared.way.times;
    let before = |why| Silence { after_mail: false, why };
    let after = |why| Silence { after_mail: true, why };
    if connection.can.pipelining {
        if !is_begun {
            connection
                .say(&opening(connection, job), times.command)
                .await
                .map_err(before)?;
        }
        let mail = connection.reply(times.command).await.map_err(before)?;
        if mail.is_goodbye() {
            return Ok(Answer::Refused(Verdict::Relay, mail));
        }
        let silence = if mail.is_good() { after } else { before };
        let rcpt = connection.reply(times.command).await.map_err(silence)?;
        if mail.is_good() && rcpt.is_goodbye() {
            return Ok(Answer::Refused(Verdict::Relay, rcpt));
        }
        let data = connection.reply(times.data).await.map_err(silence)?;
        let waits = data.code == 354;
        let answer = verdict(mail, rcpt, data);
        if let Answer::Refused(_, reply) = &answer
            && !reply.is_goodbye()
        {
            clear(shared, connection, waits).await.map_err(after)?;
        }
        return Ok(answer);
    }
    let mail = job.envelope().mail(&connection.can);
    let mail = connection.ask(&mail, times.command).await.map_err(before)?;
    if !mail.is_good() {
        return Ok(Answer::Refused(judge::mail(&mail), mail));
    }
    let rcpt = connection
        .ask(&job.envelope().rcpt(), times.command)
        .await
        .map_err(after)?;
    if !rcpt.is_good() {
        if !rcpt.is_goodbye() {
            clear(shared, connection, false).await.map_err(after)?;
        }
        return Ok(Answer::Refused(judge::rcpt(&rcpt), rcpt));
    }
    let data = connection.ask("DATA\r\n", times.data).await.map_err(after)?;
    if data.code == 354 {
        return Ok(Answer::Go);
    }
    if !data.is_goodbye() {
        clear(shared, connection, false).await.map_err(after)?;
    }
    Ok(Answer::Refused(judge::content(&data), data))
}

/// The three commands that open a mail.
fn opening(connection: &Connection, job: &Job) -> String {
    let envelope = job.envelope();
    let mut commands = envelope.mail(&connection.can);
    commands.push_str(&envelope.rcpt());
    commands.push_str("DATA\r\n");
    commands
}

/// What three replies mean together: the first refusal counts, those after it follow from it.
fn verdict(mail: Reply, rcpt: Reply, data: Reply) -> Answer {
    if !mail.is_good() {
        return Answer::Refused(judge::mail(&mail), mail);
    }
    if !rcpt.is_good() {
        return Answer::Refused(judge::rcpt(&rcpt), rcpt);
    }
    if data.code == 354 {
        return Answer::Go;
    }
    Answer::Refused(judge::content(&data), data)
}

/// Makes the relay forget a refused mail. One that waits for content without having a recipient gets an empty one,
/// which goes nowhere (RFC 2920, section 3.1).
async fn clear(shared: &Shared, connection: &mut Connection, waits: bool) -> Result<(), Lost> {
    let times = &shared.way.times;
    if waits {
        connection.ask(".\r\n", times.dot).await?;
    }
    connection.ask("RSET\r\n", times.command).await.map(|_| ())
}

/// The content with its dot, and the envelope of the next mail in the same write.
async fn content(
    shared: &Arc<Shared>,
    slot: usize,
    connection: &mut Connection,
    mut job: Job,
) -> Result<Option<Job>, Over> {
    let can_follow = connection.can.pipelining && connection.mails < MAILS;
    let follower = if can_follow {
        follower(shared, slot, connection)
    } else {
        None
    };
    let own = job.wire.len();
    if let Some(follower) = &follower {
        let opening = opening(connection, follower);
        job.wire.extend_from_slice(opening.as_bytes());
    }
    shared.dot(&job);
    let times = &shared.way.times;
    let sent = connection.send(&job.wire, times.block).await;
    let (reply, is_whole) = match sent {
        Ok(()) => (connection.reply(times.dot).await, true),
        // It broke off: what it said last may tell why.
        Err(cut) => {
            let last = connection.reply(LAST_WORDS.min(times.dot)).await;
            (last.map_err(|_| cut.why), cut.sent >= own)
        }
    };
    shared.dot_done();
    let over = match &reply {
        Ok(reply) => reply.is_goodbye() || !is_whole,
        Err(_) => true,
    };
    match reply {
        Ok(reply) if reply.is_good() && is_whole => {
            shared.answered();
            job.end(Outcome::Done {
                code: reply.code,
                queue_id: reply.queue_id(),
                said: reply.said(),
            });
        }
        Ok(reply) if !reply.is_good() => refused(shared, slot, false, job, &judge::content(&reply), &reply),
        Ok(_) | Err(_) => {
            shared.slow();
            let reason = reply.map_or_else(|Lost(why)| why, |reply| reply.said());
            job.end(Outcome::Retry {
                code: None,
                reason,
                doubtful: is_whole,
            });
        }
    }
    if over {
        if let Some(follower) = follower {
            shared.put_back(follower, "the relay closes its connections again and again");
        }
        return Err(Over);
    }
    Ok(follower)
}

/// The next mail that this relay can take; what it never can is told so.
fn follower(shared: &Shared, slot: usize, connection: &Connection) -> Option<Job> {
    loop {
        let job = shared.follower(slot)?;
        match impossible(connection, &job) {
            Some(outcome) => job.end(outcome),
            None => return Some(job),
        }
    }
}

/// Ends a mail that was refused.
fn refused(shared: &Arc<Shared>, slot: usize, is_fresh: bool, job: Job, verdict: &Verdict, reply: &Reply) {
    let (code, reason) = (Some(reply.code), reply.said());
    match *verdict {
        Verdict::Retry { slow } => {
            if slow {
                shared.slow();
            } else {
                shared.answered();
            }
            job.end(Outcome::Retry {
                code,
                reason,
                doubtful: false,
            });
        }
        Verdict::Dead { suppress } => {
            shared.answered();
            job.end(Outcome::Dead { code, reason, suppress });
        }
        // A goodbye in the middle is about this connection (it has had enough mails, or the relay restarts).
        Verdict::Relay if reply.is_goodbye() && !is_fresh => {
            shared.slow();
            shared.put_back(job, &reason);
        }
        Verdict::Relay if reply.is_goodbye() => {
            shared.not_connected(
                slot,
                Some(job),
                &Trouble {
                    reason,
                    permanent: false,
                },
            );
        }
        Verdict::Relay => {
            let permanent = !reply.is_temporary();
            shared.relay_trouble(Some(job), &Trouble { reason, permanent });
        }
    }
}
