//! The way to the relay, against one that does everything a relay can do wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use campanile::deliver::smtp::{Lane, Mail, Options, Outcome, Pool, Relay, Times, verifying};
use campanile_core::time::Moment;
use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::relay::{Act, At, Manner, Server, certificate};

const NOW: Moment = Moment(1_000_000);
const SHORT: Duration = Duration::from_millis(150);

struct Client {
    pool: Pool,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Client {
    fn new(server: &Server, url: &str, change: impl FnOnce(&mut Options)) -> Self {
        let url = url.replace("HOST", &format!("localhost:{}", server.address.port()));
        let long = Duration::from_hours(1);
        let mut options = Options {
            relay: Relay::parse(&url).unwrap(),
            times: Times {
                connect: long,
                command: long,
                data: long,
                block: long,
                dot: long,
                idle: long,
            },
            hello: "campanile.test".into(),
            tls: verifying(Some(&certificate())).unwrap(),
            connections: 4,
            reserved: 0,
        };
        change(&mut options);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let pool = Pool::new(options, tasks.clone(), stop.clone());
        Self { pool, tasks, stop }
    }

    fn plain(server: &Server) -> Self {
        Self::new(server, "smtp://HOST", |_| {})
    }

    async fn send(&self, to: &str) -> Outcome {
        in_time(self.pool.send(mail(to), NOW)).await
    }

    async fn send_all(&self, to: &[String]) -> Vec<Outcome> {
        in_time(join_all(to.iter().map(|to| self.pool.send(mail(to), NOW)))).await
    }

    async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        in_time(self.tasks.wait()).await;
    }
}

async fn in_time<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), event)
        .await
        .expect("nothing happened")
}

fn mail(to: &str) -> Mail {
    Mail {
        from: "bell@example.com".into(),
        to: to.into(),
        content: format!("To: {to}\r\nSubject: x\r\n\r\n.hello\r\n").into_bytes(),
        lane: Lane::Normal,
        dot: Arc::default(),
    }
}

fn people(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("p{number}@example.com")).collect()
}

fn usual(_: At<'_>) -> Act {
    Act::Usual
}

fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done { .. })
}

#[track_caller]
fn relay_says(outcome: &Outcome, words: &str) -> i64 {
    match outcome {
        Outcome::Relay { reason, retry_at } if reason.contains(words) => retry_at.0 - NOW.0,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_mail_arrives_as_it_was() {
    let server = Server::start(Manner::new(usual)).await;
    let client = Client::plain(&server);
    let outcome = client.send("ann@example.com").await;
    let said = "250 2.0.0 Ok: queued as T1".to_owned();
    let queue_id = Some("T1".to_owned());
    assert_eq!(
        outcome,
        Outcome::Done {
            code: 250,
            said,
            queue_id
        }
    );
    let taken = server.taken().remove(0);
    assert_eq!(taken.content, "To: ann@example.com\r\nSubject: x\r\n\r\n.hello\r\n");
    assert_eq!(taken.from, "MAIL FROM:<bell@example.com> SIZE=44");
    client.end().await;
}

#[tokio::test]
async fn one_refused_address_among_a_thousand_leaves_the_others_delivered() {
    let server = Server::start(Manner::new(|at| match at {
        At::Rcpt("p500@example.com") => Act::Say("550 5.1.1 no such user"),
        _ => Act::Usual,
    }))
    .await;
    let client = Client::plain(&server);
    let outcomes = client.send_all(&people(1_000)).await;
    assert_eq!(outcomes.iter().filter(|outcome| is_done(outcome)).count(), 999);
    let reason = "550 5.1.1 no such user".to_owned();
    assert_eq!(
        outcomes[500],
        Outcome::Dead {
            code: Some(550),
            reason,
            suppress: true
        }
    );
    let counts = server.counts();
    assert_eq!(counts.len(), 999);
    assert!(counts.values().all(|count| *count == 1));
    client.end().await;
}

/// What the address of a number gets, at which step.
fn fate(address: &str) -> (usize, &'static str) {
    let number: usize = address
        .trim_start_matches('p')
        .split('@')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let kinds = [
        "",
        "550 5.1.1 unknown",
        "",
        "450 4.2.0 greylisted",
        "",
        "554 5.7.1 policy",
        "",
        "451 4.7.1 slower",
        "",
        "",
        "550 5.7.9 text refused",
        "",
        "452 4.3.1 no space",
    ];
    (number % 13, kinds[number % 13])
}

#[tokio::test]
async fn replies_belong_to_their_mails_whatever_happens_to_the_others() {
    for extensions in [["PIPELINING", "SIZE"], ["8BITMIME", "SIZE"], ["PIPELINING", "X-HASTY"]] {
        let script = |at: At<'_>| match at {
            At::Rcpt(address) if fate(address).0 < 8 && !fate(address).1.is_empty() => Act::Say(fate(address).1),
            At::Dot(address) if !address.is_empty() && fate(address).0 >= 8 && !fate(address).1.is_empty() => {
                Act::Say(fate(address).1)
            }
            _ => Act::Usual,
        };
        let server = Server::start(Manner::new(script).with(&extensions)).await;
        let client = Client::plain(&server);
        let people = people(400);
        let outcomes = client.send_all(&people).await;
        for (address, outcome) in people.iter().zip(&outcomes) {
            let (_, said) = fate(address);
            match outcome {
                Outcome::Done { .. } => assert_eq!(said, "", "{address}"),
                Outcome::Retry { reason, doubtful, .. } => assert_eq!((reason.as_str(), *doubtful), (said, false)),
                Outcome::Dead { reason, suppress, .. } => {
                    assert_eq!((reason.as_str(), *suppress), (said, said.contains("5.1.1")));
                }
                Outcome::Relay { .. } => panic!("{outcome:?}"),
            }
        }
        let delivered = people.iter().filter(|address| fate(address).1.is_empty()).count();
        let counts = server.counts();
        assert_eq!((counts.len(), counts.values().sum::<usize>()), (delivered, delivered));
        client.end().await;
    }
}

#[tokio::test]
async fn the_next_envelope_goes_out_behind_the_dot_where_pipelining_is_known_and_only_there() {
    for (extensions, is_known) in [(["PIPELINING"], true), (["8BITMIME"], false)] {
        let server = Server::start(Manner::new(usual).with(&extensions)).await;
        let client = Client::new(&server, "smtp://HOST", |options| options.connections = 1);
        let outcomes = client.send_all(&people(50)).await;
        assert!(outcomes.iter().all(is_done));
        let behind = server.taken().iter().filter(|taken| taken.was_behind).count();
        assert_eq!(behind > 30, is_known, "{behind}");
        assert_eq!(server.seen.pipelined.load(Ordering::SeqCst) > 0, is_known);
        client.end().await;
    }
}

#[tokio::test]
async fn a_relay_that_turns_everybody_away_burns_nobody() {
    for text in ["421 4.3.2 not now", "554 no mail here"] {
        let server = Server::start(Manner::new(move |at| match at {
            At::Greeting(_) => Act::Say(text),
            _ => Act::Usual,
        }))
        .await;
        let client = Client::plain(&server);
        let outcomes = client.send_all(&people(20)).await;
        let pause = relay_says(&outcomes[0], text);
        assert!(outcomes.iter().all(|outcome| relay_says(outcome, text) == pause));
        // Until then nobody tries, and who asks is told the same.
        let before = server.seen.connections.load(Ordering::SeqCst);
        relay_says(&client.send("late@example.com").await, text);
        assert_eq!(server.seen.connections.load(Ordering::SeqCst), before);
        assert_eq!(pause < 30_000, text.starts_with("421"), "{pause}");
        client.end().await;
    }
}

#[tokio::test]
async fn after_its_pause_a_relay_is_tried_again() {
    let server = Server::start(Manner::new(|at| match at {
        At::Greeting(0) => Act::Say("421 4.3.2 starting"),
        _ => Act::Usual,
    }))
    .await;
    let client = Client::plain(&server);
    let pause = relay_says(&client.send("a@example.com").await, "starting");
    let later = NOW.plus_ms(pause);
    assert!(is_done(&in_time(client.pool.send(mail("a@example.com"), later)).await));
    client.end().await;
}

#[tokio::test]
async fn a_sender_that_is_refused_burns_nobody() {
    let server = Server::start(Manner::new(|at| match at {
        At::Mail(_) => Act::Say("550 5.7.1 sender address rejected"),
        _ => Act::Usual,
    }))
    .await;
    let client = Client::plain(&server);
    for outcome in client.send_all(&people(30)).await {
        assert!(relay_says(&outcome, "sender address rejected") >= 60_000);
    }
    client.end().await;
}

#[tokio::test]
async fn a_relay_that_hangs_is_left_after_its_time_and_doubt_begins_with_the_dot() {
    let hung = |place: &'static str| {
        move |at: At<'_>| {
            let here = match at {
                At::Greeting(_) => "greeting",
                At::Rcpt(_) => "rcpt",
                At::Data(_) => "data",
                At::Dot(_) => "dot",
                _ => "",
            };
            if here == place { Act::Hang } else { Act::Usual }
        }
    };
    for place in ["greeting", "rcpt", "data", "dot"] {
        let server = Server::start(Manner::new(hung(place))).await;
        let client = Client::new(&server, "smtp://HOST", |options| {
            options.times.command = SHORT;
            options.times.data = SHORT;
            options.times.dot = SHORT;
        });
        let mail = mail("a@example.com");
        let dot = Arc::clone(&mail.dot);
        let outcome = in_time(client.pool.send(mail, NOW)).await;
        match outcome {
            Outcome::Relay { ref reason, .. } => assert!(place == "greeting" && reason.contains("did not answer")),
            Outcome::Retry {
                code: None, doubtful, ..
            } => assert_eq!((place != "greeting", doubtful), (true, place == "dot")),
            other => panic!("{place}: {other:?}"),
        }
        assert_eq!(dot.load(Ordering::SeqCst), place == "dot", "{place}");
        assert_eq!(client.pool.in_doubt(), 0);
        client.end().await;
    }
}

#[tokio::test]
async fn a_mail_at_its_dot_is_counted_as_in_doubt() {
    let (reached, script) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let told = Arc::clone(&reached);
    let server = Server::start(Manner::new(move |at| match at {
        At::Dot(_) => {
            told.notify_one();
            Act::Hang
        }
        _ => Act::Usual,
    }))
    .await;
    let client = Client::plain(&server);
    let mail = mail("a@example.com");
    let dot = Arc::clone(&mail.dot);
    let sending = client.pool.send(mail, NOW);
    tokio::pin!(sending);
    in_time(async {
        tokio::select! {
            () = reached.notified() => {}
            _ = &mut sending => panic!("it hangs"),
        }
    })
    .await;
    assert!(dot.load(Ordering::SeqCst));
    assert_eq!(client.pool.in_doubt(), 1);
    drop(script);
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_delays_that_mail_alone() {
    let first = Arc::new(AtomicBool::new(true));
    let server = Server::start(Manner::new(move |at| match at {
        At::Inside("p7@example.com") if first.swap(false, Ordering::SeqCst) => Act::Drop,
        _ => Act::Usual,
    }))
    .await;
    let client = Client::plain(&server);
    let outcomes = client.send_all(&people(20)).await;
    assert!(
        matches!(
            outcomes[7],
            Outcome::Retry {
                code: None,
                doubtful: true,
                ..
            }
        ),
        "{:?}",
        outcomes[7]
    );
    assert_eq!(outcomes.iter().filter(|outcome| is_done(outcome)).count(), 19);
    assert!(is_done(&client.send("p7@example.com").await));
    assert_eq!(server.counts().len(), 20);
    client.end().await;
}

#[tokio::test]
async fn a_mail_of_which_the_end_never_left_is_not_in_doubt() {
    let server = Server::start(Manner::new(|at| match at {
        At::Inside(_) => Act::Drop,
        _ => Act::Usual,
    }))
    .await;
    let client = Client::plain(&server);
    let mut big = mail("a@example.com");
    big.content = "a line of a very long mail\r\n".repeat(1 << 20).into_bytes();
    let outcome = in_time(client.pool.send(big, NOW)).await;
    assert!(matches!(outcome, Outcome::Retry { doubtful: false, .. }), "{outcome:?}");
    client.end().await;
}

#[tokio::test]
async fn a_relay_that_closes_after_each_mail_is_no_error() {
    for farewell in [Act::Drop, Act::Usual] {
        let is_drop = farewell == Act::Drop;
        let server = Server::start(Manner::new(move |at| match at {
            At::After => farewell.clone(),
            // Or it takes one mail a connection, and says so.
            At::Mail(_) if !is_drop => Act::Usual,
            _ => Act::Usual,
        }))
        .await;
        let client = Client::plain(&server);
        for address in people(10) {
            assert!(is_done(&client.send(&address).await));
        }
        assert_eq!(
            server.seen.connections.load(Ordering::SeqCst),
            if is_drop { 10 } else { 1 }
        );
        client.end().await;
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_by_us() {
    let server = Server::start(Manner::new(usual)).await;
    let client = Client::new(&server, "smtp://HOST", |options| options.times.idle = SHORT);
    assert!(is_done(&client.send("a@example.com").await));
    client.tasks.close();
    in_time(client.tasks.wait()).await;
    assert_eq!(client.pool.connections().0, 0);
    assert_eq!(server.commands().last().map(String::as_str), Some("QUIT"));
}

#[tokio::test]
async fn a_relay_that_takes_two_connections_gets_two() {
    let server = Server::start(Manner::new(|at| match at {
        At::Greeting(number) if number >= 2 => Act::Say("421 4.7.0 too many connections from you"),
        _ => Act::Usual,
    }))
    .await;
    let client = Client::new(&server, "smtp://HOST", |options| options.connections = 8);
    // While one connection works, those that are refused are no trouble of the relay's.
    assert!(is_done(&client.send_all(&people(1)).await[0]));
    let mut delivered = 0;
    for _ in 0..3 {
        let outcomes = client.send_all(&people(20)).await;
        delivered += outcomes.iter().filter(|outcome| is_done(outcome)).count();
        assert!(
            !outcomes
                .iter()
                .any(|outcome| matches!(outcome, Outcome::Retry { .. } | Outcome::Dead { .. }))
        );
    }
    assert_eq!(delivered, 60);
    client.end().await;
}

#[tokio::test]
async fn more_connections_are_made_while_all_goes_well_and_fewer_when_told() {
    let server = Server::start(Manner::new(|at| match at {
        At::Rcpt(address) if address.starts_with("slow") => Act::Say("451 4.7.1 slower please"),
        _ => Act::Usual,
    }))
    .await;
    let client = Client::new(&server, "smtp://HOST", |options| options.connections = 8);
    assert_eq!(client.pool.connections(), (0, 4));
    assert!(client.send_all(&people(200)).await.iter().all(is_done));
    assert_eq!(client.pool.connections().1, 8);
    assert!(server.seen.most_open.load(Ordering::SeqCst) <= 8);
    let outcome = client.send("slow@example.com").await;
    assert!(matches!(outcome, Outcome::Retry { code: Some(451), .. }));
    assert_eq!(client.pool.connections().1, 4);
    client.end().await;
}

#[tokio::test]
async fn a_critical_mail_does_not_wait_for_bulk_that_hangs() {
    let server = Server::start(Manner::new(|at| match at {
        At::Dot(address) if address.starts_with('p') => Act::Hang,
        _ => Act::Usual,
    }))
    .await;
    let client = Client::new(&server, "smtp://HOST", |options| {
        options.connections = 4;
        options.reserved = 1;
    });
    let bulk = people(40).into_iter().map(|to| {
        let mail = Mail {
            lane: Lane::Bulk,
            ..mail(&to)
        };
        client.pool.send(mail, NOW)
    });
    let bulk = join_all(bulk);
    tokio::pin!(bulk);
    let critical = Mail {
        lane: Lane::Critical,
        ..mail("urgent@example.com")
    };
    let outcome = in_time(async {
        tokio::select! {
            _ = &mut bulk => panic!("it hangs"),
            outcome = client.pool.send(critical, NOW) => outcome,
        }
    })
    .await;
    assert!(is_done(&outcome));
}

#[tokio::test]
async fn nobody_is_left_behind_when_the_only_connection_becomes_one_for_critical_mail() {
    let server = Server::start(Manner::new(|at| match at {
        At::Greeting(number) if number < 4 => Act::Say("421 4.3.2 starting"),
        _ => Act::Usual,
    }))
    .await;
    let client = Client::new(&server, "smtp://HOST", |options| {
        options.connections = 8;
        options.reserved = 2;
    });
    let pause = relay_says(&client.send_all(&people(8)).await[0], "starting");
    // Now one connection is made, and all wait for it.
    let people = people(300);
    let later = NOW.plus_ms(pause + 10_000);
    let sending = people.iter().map(|to| client.pool.send(mail(to), later));
    assert!(in_time(join_all(sending)).await.iter().all(is_done));
    assert!(client.pool.connections().0 > 4);
    client.end().await;
}

#[tokio::test]
async fn a_mail_that_waits_can_be_taken_back() {
    let server = Server::start(Manner::new(usual)).await;
    let client = Client::plain(&server);
    {
        let sending = client.pool.send(mail("gone@example.com"), NOW);
        tokio::pin!(sending);
        // Polled once: it waits for the connection to be made.
        assert!(futures_util::poll!(sending.as_mut()).is_pending());
    }
    assert!(is_done(&client.send("kept@example.com").await));
    client.end().await;
    assert_eq!(server.counts().into_keys().collect::<Vec<_>>(), ["kept@example.com"]);
}

#[tokio::test]
async fn stopping_ends_the_connections_and_what_comes_after_is_told() {
    let server = Server::start(Manner::new(usual)).await;
    let client = Client::plain(&server);
    assert!(is_done(&client.send("a@example.com").await));
    let pool = client.pool.clone();
    client.end().await;
    relay_says(&in_time(pool.send(mail("b@example.com"), NOW)).await, "stopping");
}

// ------------------------------------------------------------------------------------------------ TLS and AUTH

const STARTTLS: [&str; 3] = ["PIPELINING", "STARTTLS", "AUTH LOGIN PLAIN"];

#[tokio::test]
async fn starttls_is_used_and_the_password_goes_through_it() {
    let server = Server::start(
        Manner::new(|at| match at {
            At::Auth(line) if line != "AUTH PLAIN AHVzZXIAcEBzcw==" => Act::Say("535 5.7.8 wrong"),
            _ => Act::Usual,
        })
        .with(&STARTTLS),
    )
    .await;
    let client = Client::new(&server, "smtp://user:p%40ss@HOST?tls=required", |_| {});
    assert!(is_done(&client.send("a@example.com").await));
    let commands = server.commands();
    assert_eq!(
        &commands[..4],
        [
            "EHLO campanile.test",
            "STARTTLS",
            "EHLO campanile.test",
            "AUTH PLAIN AHVzZXIAcEBzcw=="
        ]
    );
    client.end().await;
}

#[tokio::test]
async fn tls_from_the_first_byte_and_auth_login() {
    let mut manner = Manner::new(|at| match at {
        At::Auth(line) if line != "AUTH LOGIN dXNlcg== cEBzcw==" => Act::Say("535 5.7.8 wrong"),
        _ => Act::Usual,
    })
    .with(&["AUTH LOGIN"]);
    manner.implicit_tls = true;
    let server = Server::start(manner).await;
    let client = Client::new(&server, "smtps://user:p%40ss@HOST", |_| {});
    assert!(is_done(&client.send("a@example.com").await));
    client.end().await;
}

#[tokio::test]
async fn nothing_is_sent_where_tls_is_required_and_cannot_be_had() {
    // Not offered; refused; and a certificate of nobody we know.
    let cases: [(&[&'static str], Act, bool, &str); 4] = [
        (&["PIPELINING"], Act::Usual, true, "does not offer TLS"),
        (&STARTTLS, Act::Say("454 4.7.0 no TLS today"), true, "no TLS today"),
        (&STARTTLS, Act::Usual, false, "TLS with the relay failed"),
        // Somebody in between adds a command in clear text.
        (
            &STARTTLS,
            Act::Say("220 go ahead\r\n250 and more"),
            true,
            "spoke before TLS",
        ),
    ];
    for (extensions, act, is_trusted, words) in cases {
        let script = move |at: At<'_>| if at == At::StartTls { act.clone() } else { Act::Usual };
        let server = Server::start(Manner::new(script).with(extensions)).await;
        let client = Client::new(&server, "smtp://user:secret@HOST?tls=required", |options| {
            if !is_trusted {
                options.tls = verifying(None).unwrap();
            }
        });
        relay_says(&client.send("a@example.com").await, words);
        assert!(
            !server
                .commands()
                .iter()
                .any(|line| line.starts_with("AUTH") || line.starts_with("MAIL"))
        );
        client.end().await;
    }
}

#[tokio::test]
async fn opportunistic_tls_takes_any_certificate_or_none_at_all() {
    for extensions in [&STARTTLS[..], &["PIPELINING"]] {
        let server = Server::start(Manner::new(usual).with(extensions)).await;
        let client = Client::new(&server, "smtp://HOST?tls=opportunistic", |options| {
            options.tls = verifying(None).unwrap();
        });
        assert!(is_done(&client.send("a@example.com").await));
        let has_tls = server.commands().contains(&"STARTTLS".to_owned());
        assert_eq!(has_tls, extensions.contains(&"STARTTLS"));
        client.end().await;
    }
}

#[tokio::test]
async fn a_wrong_password_stops_the_lane_and_burns_nobody() {
    let server = Server::start(
        Manner::new(|at| match at {
            At::Auth(_) => Act::Say("535 5.7.8 authentication failed"),
            _ => Act::Usual,
        })
        .with(&["AUTH PLAIN"]),
    )
    .await;
    let client = Client::new(&server, "smtp://user:secret@HOST", |_| {});
    for outcome in client.send_all(&people(5)).await {
        assert!(relay_says(&outcome, "authentication failed") >= 60_000);
        assert!(!format!("{outcome:?}").contains("secret"));
    }
    client.end().await;
}

// ------------------------------------------------------------------------------------------------ what cannot be sent

#[tokio::test]
async fn a_mail_that_this_relay_cannot_take_is_dead_with_a_reason_and_hurts_no_other() {
    let server = Server::start(Manner::new(usual).with(&["PIPELINING", "SIZE 1000"])).await;
    let client = Client::new(&server, "smtp://HOST", |options| options.connections = 1);
    let mut mails: Vec<Mail> = people(30).iter().map(|to| mail(to)).collect();
    mails[10].content = b"x\r\n".repeat(1_000);
    mails[20].to = "jörg@example.com".into();
    let outcomes = in_time(join_all(mails.into_iter().map(|mail| client.pool.send(mail, NOW)))).await;
    assert_eq!(outcomes.iter().filter(|outcome| is_done(outcome)).count(), 28);
    for (number, words) in [(10, "3000 bytes, and the relay takes at most 1000"), (20, "SMTPUTF8")] {
        match &outcomes[number] {
            Outcome::Dead {
                code: None,
                reason,
                suppress: false,
            } => assert!(reason.contains(words), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
    client.end().await;
}

#[tokio::test]
async fn an_address_beyond_ascii_goes_to_a_relay_that_knows_them() {
    let server = Server::start(Manner::new(usual).with(&["PIPELINING", "8BITMIME", "SMTPUTF8"])).await;
    let client = Client::plain(&server);
    assert!(is_done(&client.send("jörg@example.com").await));
    let taken = server.taken().remove(0);
    assert_eq!(taken.to, "jörg@example.com");
    assert_eq!(taken.from, "MAIL FROM:<bell@example.com> BODY=8BITMIME SMTPUTF8");
    client.end().await;
}

#[tokio::test]
async fn no_address_can_say_a_command() {
    let server = Server::start(Manner::new(usual)).await;
    let client = Client::plain(&server);
    let injected = "a@example.com>\r\nRCPT TO:<victim@example.com";
    assert!(matches!(client.send(injected).await, Outcome::Dead { code: None, .. }));
    let mut forged = mail("a@example.com");
    forged.from = "x>\r\nDATA".into();
    assert!(matches!(
        in_time(client.pool.send(forged, NOW)).await,
        Outcome::Dead { .. }
    ));
    assert!(server.commands().is_empty());
    client.end().await;
}

#[tokio::test]
async fn what_does_not_speak_smtp_is_told_as_such() {
    let server = Server::start(Manner::new(|at| match at {
        At::Greeting(_) => Act::Say("HTTP/1.1 400 Bad Request"),
        _ => Act::Usual,
    }))
    .await;
    let client = Client::plain(&server);
    relay_says(&client.send("a@example.com").await, "does not speak SMTP");
    client.end().await;
}
