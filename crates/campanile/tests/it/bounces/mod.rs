//! Mail that comes in: reports of mail systems over real connections, complaints, and mail that unsubscribes.

use std::net::SocketAddr;
use std::time::Duration;

use campanile::deliver::bounce::{Limits, Listen, listen};
use campanile::deliver::mail::{message_id, return_path, unsubscribe};
use campanile_core::id::{MessageId, PersonId};
use campanile_core::message::Channel;
use campanile_core::message::draft::{self, Draft};
use campanile_core::message::publish;
use campanile_core::message::target::Target;
use campanile_core::outbox::chunk;
use campanile_core::outbox::delivery::Settled;
use campanile_core::outbox::destination::Outlets;
use campanile_core::outbox::run::{self, Lane};
use campanile_core::outbox::{Worker, wish};
use campanile_store::{Sql, Tx};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::directory::Client;
use crate::world::{World, each_world};

const DOMAIN: &str = "bounce.example.com";
const POSTFIX: &str = include_str!("postfix.eml");
const EXIM: &str = include_str!("exim.eml");
const MICROSOFT: &str = include_str!("microsoft.eml");
const COMPLAINT: &str = include_str!("complaint.eml");
const VACATION: &str = include_str!("vacation.eml");
const NOTICE: &str = include_str!("notice.eml");

static DELIVERY: Sql = Sql::new(
    "bounces::DELIVERY",
    "SELECT state, code, reason FROM delivery WHERE message = $1 AND target = $2",
);
static TRIES: Sql = Sql::new(
    "bounces::TRIES",
    "SELECT number, outcome FROM attempt WHERE message = $1 AND target = $2 ORDER BY number",
);
static SUPPRESSED: Sql = Sql::new(
    "bounces::SUPPRESSED",
    "SELECT address, source, message FROM suppression ORDER BY address, source",
);

/// A world with Ann and Bob, and a message that was mailed to both.
struct Mailed<'w> {
    world: &'w World,
    admin: Client<'w>,
    message: MessageId,
    ann: PersonId,
    bob: PersonId,
}

impl<'w> Mailed<'w> {
    async fn new(world: &'w World) -> Self {
        let admin = Client::admin(world).await;
        let mut numbers = Vec::new();
        for login in ["ann", "bob"] {
            let email = format!("{login}@example.org");
            let user = json!({"id": login, "login": login, "name": login, "email": email});
            let made = admin.post("/api/v1/users", &user).await.is(201).json();
            numbers.push(PersonId(made["number"].as_i64().unwrap()));
        }
        let (ann, bob) = (numbers[0], numbers[1]);
        let message = publish(world).await;
        let mailed = Self {
            world,
            admin,
            message,
            ann,
            bob,
        };
        mailed.begin().await;
        mailed
    }

    /// Lists the recipients, and writes Ann's mail down as begun and Bob's as sent.
    async fn begin(&self) {
        let (ids, now) = (
            [self.ann, self.bob].map(|person| person.0 as u32),
            self.world.app.clock.now(),
        );
        let work = move |tx: &mut Tx<'_>| {
            let found = run::listable(tx, None, 1, now)?;
            let mut listing = run::take_listing(tx, Worker(1), &found[0], now)?.expect("there is a run");
            assert!(run::store_listed(
                tx,
                &mut listing,
                &[ids.to_vec()],
                ids[1],
                2,
                true,
                now
            )?);
            let mut chunk = chunk::take(tx, Worker(1), Lane::Normal, 0, 0, now)?.expect("there is a chunk");
            chunk.begun = 2;
            chunk.done.set(1);
            let sent = Settled::sent(i64::from(ids[1]), Some(250), now, 1);
            assert!(chunk::give_back(tx, &chunk, &[sent], now)?);
            Ok::<_, campanile_core::Error>(())
        };
        self.world.app.db.jot(work).await.unwrap();
    }

    /// Where a mail to a person comes back to.
    fn path(&self, person: PersonId) -> String {
        return_path(&self.world.app.key, self.message, person, DOMAIN)
    }

    /// State, code and reason of what a person's row says.
    async fn delivery(&self, person: PersonId) -> Option<(i64, Option<i64>, Option<String>)> {
        let message = self.message;
        let work = move |tx: &mut Tx<'_>| {
            tx.first(&DELIVERY, &[&message.0, &person.0], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
        };
        self.world.app.db.read(work).await.unwrap()
    }

    /// Number and outcome of each try that a person's timeline has.
    async fn tries(&self, person: PersonId) -> Vec<(i64, i64)> {
        let message = self.message;
        let work =
            move |tx: &mut Tx<'_>| tx.rows(&TRIES, &[&message.0, &person.0], |row| Ok((row.get(0)?, row.get(1)?)));
        self.world.app.db.read(work).await.unwrap()
    }

    /// Addresses and sources of the suppression list.
    async fn suppressed(&self) -> Vec<(String, i64)> {
        let work =
            move |tx: &mut Tx<'_>| tx.rows(&SUPPRESSED, &[], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?)));
        self.world.app.db.read(work).await.unwrap()
    }

    /// Sent and failed.
    async fn counts(&self) -> (i64, i64) {
        let message = self.message;
        let progress = self.world.app.db.read(move |tx| run::progress(tx, message)).await;
        let progress = progress.unwrap()[0];
        (progress.sent, progress.failed)
    }
}

async fn publish(world: &World) -> MessageId {
    let now = world.app.clock.now();
    let work = move |tx: &mut Tx<'_>| {
        let audience = vec![Target::User { user: "ann".into() }, Target::User { user: "bob".into() }];
        let draft = Draft {
            channels: vec![Channel::Portal, Channel::Email],
            ..Draft::new("Tonight", "From 22:00.", audience)
        };
        let outlets = Outlets {
            email: true,
            http: None,
        };
        let checked = draft::check(tx, &draft, "Admin", &outlets, now)?;
        publish::publish(tx, PersonId(1), &checked, None, now)
    };
    world.app.db.write(work).await.unwrap().id
}

/// Listens, by a protocol.
async fn start(world: &World, protocol: &str) -> SocketAddr {
    start_with(world, protocol, Limits::default()).await
}

async fn start_with(world: &World, protocol: &str, limits: Limits) -> SocketAddr {
    let at = Listen::parse(&format!("{protocol}://127.0.0.1:0")).unwrap();
    listen(&world.app, at, DOMAIN, limits).await.unwrap()
}

/// A mail system that brings mail.
struct Peer(BufReader<TcpStream>);

impl Peer {
    #[expect(clippy::disallowed_methods, reason = "a test connects to the server that it started")]
    async fn connect(address: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(address).await.unwrap()))
    }

    /// Connected, greeted, and understood.
    async fn hello(address: SocketAddr, verb: &str) -> Self {
        let mut peer = Self::connect(address).await;
        assert!(peer.reply().await.starts_with("220 bounce.example.com"));
        let said = peer.ask(&format!("{verb} mx.example.net")).await;
        assert!(said.starts_with("250"), "{said}");
        peer
    }

    /// The next reply, all its lines; empty at the end of the connection.
    async fn reply(&mut self) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.unwrap_or(0) == 0 {
                return all;
            }
            all.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return all;
            }
        }
    }

    async fn raw(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).await.unwrap();
    }

    async fn ask(&mut self, command: &str) -> String {
        self.raw(format!("{command}\r\n").as_bytes()).await;
        self.reply().await
    }

    /// Brings a mail to one recipient; the last reply.
    async fn bring(&mut self, from: &str, to: &str, mail: &str) -> String {
        assert!(self.ask(&format!("MAIL FROM:<{from}>")).await.starts_with("250"));
        let said = self.ask(&format!("RCPT TO:<{to}>")).await;
        if !said.starts_with("250") {
            assert!(self.ask("RSET").await.starts_with("250"));
            return said;
        }
        assert!(self.ask("DATA").await.starts_with("354"));
        self.raw(mail.replace('\n', "\r\n").as_bytes()).await;
        self.ask(".").await
    }
}

/// A report with its blanks filled in.
fn report(form: &str, path: &str, address: &str, status: &str, action: &str, diagnostic: &str) -> String {
    let blanks = [
        ("{path}", path),
        ("{address}", address),
        ("{status}", status),
        ("{action}", action),
        ("{diagnostic}", diagnostic),
    ];
    blanks
        .iter()
        .fold(form.to_owned(), |text, (blank, with)| text.replace(blank, with))
}

#[test]
fn a_mail_that_came_back_has_failed_and_its_address_gets_no_more() {
    let unknown = "550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown";
    let not_found = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup";
    for (form, status, diagnostic) in [
        (POSTFIX, "5.1.1", unknown),
        (EXIM, "5.0.0", unknown),
        (MICROSOFT, "5.1.10", not_found),
    ] {
        each_world(async |world| {
            let mailed = Mailed::new(world).await;
            let mut peer = Peer::hello(start(world, "smtp").await, "EHLO").await;
            let path = mailed.path(mailed.bob);
            let mail = report(form, &path, "bob@example.org", status, "failed", diagnostic);
            assert_eq!(peer.bring("", &path, &mail).await, "250 2.0.0 taken in\r\n");
            let reason = format!("it came back, the address does not exist: {diagnostic}");
            assert_eq!(mailed.delivery(mailed.bob).await, Some((3, Some(550), Some(reason))));
            assert_eq!(mailed.tries(mailed.bob).await, [(2, 6)]);
            assert_eq!(mailed.counts().await, (0, 1));
            assert_eq!(mailed.suppressed().await, [("bob@example.org".to_owned(), 1)]);
            // The same once more, as a mail system does that did not get the reply.
            assert_eq!(peer.bring("", &path, &mail).await, "250 2.0.0 taken in\r\n");
            assert_eq!(
                (mailed.counts().await, mailed.tries(mailed.bob).await.len()),
                ((0, 1), 1)
            );
            assert_eq!(peer.ask("QUIT").await, "221 2.0.0 bye\r\n");
        });
    }
}

#[test]
fn what_is_refused_for_another_reason_fails_and_the_address_stays() {
    each_world(async |world| {
        let mailed = Mailed::new(world).await;
        let mut peer = Peer::hello(start(world, "smtp").await, "EHLO").await;
        let path = mailed.path(mailed.bob);
        let mail = report(
            EXIM,
            &path,
            "bob@example.org",
            "5.0.0",
            "failed",
            "552 5.2.2 Mailbox full",
        );
        assert!(peer.bring("", &path, &mail).await.starts_with("250"));
        let (state, _, reason) = mailed.delivery(mailed.bob).await.unwrap();
        assert_eq!(
            (state, reason.as_deref()),
            (3, Some("it came back, the mailbox is full: 552 5.2.2 Mailbox full"))
        );
        assert_eq!(mailed.suppressed().await, []);
    });
}

#[test]
fn what_is_late_is_noted_and_may_still_come_back() {
    each_world(async |world| {
        let mailed = Mailed::new(world).await;
        let mut peer = Peer::hello(start(world, "smtp").await, "EHLO").await;
        let path = mailed.path(mailed.bob);
        let late = "451 4.4.1 connection timed out";
        let mail = report(POSTFIX, &path, "bob@example.org", "4.4.1", "delayed", late);
        assert!(peer.bring("", &path, &mail).await.starts_with("250"));
        assert_eq!(mailed.delivery(mailed.bob).await.unwrap().0, 2, "still sent");
        assert_eq!(
            (mailed.tries(mailed.bob).await, mailed.counts().await),
            (vec![(2, 5)], (1, 0))
        );
        // Days later the mail system gives up; nothing of that is about the address.
        let mail = report(POSTFIX, &path, "bob@example.org", "4.4.1", "failed", late);
        assert!(peer.bring("", &path, &mail).await.starts_with("250"));
        assert_eq!(mailed.delivery(mailed.bob).await.unwrap().0, 3);
        assert_eq!(
            (mailed.tries(mailed.bob).await, mailed.counts().await),
            (vec![(2, 5), (3, 6)], (0, 1))
        );
        assert_eq!(mailed.suppressed().await, []);
    });
}

#[test]
fn a_report_that_overtakes_the_outcome_has_to_come_again() {
    each_world(async |world| {
        let mailed = Mailed::new(world).await;
        let mut peer = Peer::hello(start(world, "smtp").await, "EHLO").await;
        let path = mailed.path(mailed.ann);
        let mail = report(
            POSTFIX,
            &path,
            "ann@example.org",
            "5.1.1",
            "failed",
            "550 5.1.1 unknown",
        );
        assert!(peer.bring("", &path, &mail).await.starts_with("451 4.3.0"));
        assert_eq!(
            (mailed.suppressed().await, mailed.delivery(mailed.ann).await),
            (vec![], None)
        );
    });
}

#[test]
fn an_address_that_has_changed_since_is_not_blamed() {
    each_world(async |world| {
        let mailed = Mailed::new(world).await;
        let mut peer = Peer::hello(start(world, "smtp").await, "EHLO").await;
        let path = mailed.path(mailed.bob);
        let change = json!({"email": "bob@new.example.org"});
        mailed.admin.patch("/api/v1/users/bob", &change).await.is(200);
        let mail = report(
            POSTFIX,
            &path,
            "bob@example.org",
            "5.1.1",
            "failed",
            "550 5.1.1 unknown",
        );
        assert!(peer.bring("", &path, &mail).await.starts_with("250"));
        assert_eq!(mailed.counts().await, (0, 1));
        assert_eq!(mailed.suppressed().await, []);
    });
}

#[test]
fn what_is_no_report_fails_nothing_whatever_its_text_says() {
    each_world(async |world| {
        let mailed = Mailed::new(world).await;
        let mut peer = Peer::hello(start(world, "smtp").await, "EHLO").await;
        let path = mailed.path(mailed.bob);
        for from in ["", "ann@example.org"] {
            let said = peer.bring(from, &path, &VACATION.replace("{path}", &path)).await;
            assert!(said.starts_with("250"), "{said}");
        }
        assert_eq!(mailed.delivery(mailed.bob).await, None);
        // A mail system that writes no report is noted, and no more.
        assert!(
            peer.bring("", &path, &NOTICE.replace("{path}", &path))
                .await
                .starts_with("250")
        );
        assert_eq!(
            (mailed.counts().await, mailed.tries(mailed.bob).await),
            ((1, 0), vec![(2, 5)])
        );
        assert_eq!(mailed.suppressed().await, []);
    });
}

#[test]
fn a_complaint_is_known_by_the_mail_in_it_and_stops_all_mail_to_the_address() {
    each_world(async |world| {
        let mailed = Mailed::new(world).await;
        let mut peer = Peer::hello(start(world, "smtp").await, "EHLO").await;
        let to = format!("complaints@{DOMAIN}");
        let id = message_id(&world.app.key, mailed.message, mailed.bob, "example.com");
        let mail = |kind: &str, id: &str| {
            let mail = COMPLAINT.replace("{to}", &to).replace("{kind}", kind);
            mail.replace("{id}", id)
        };
        for (kind, id) in [
            ("not-spam", id.as_str()),
            ("auth-failure", id.as_str()),
            ("abuse", "1.2.0123456789abcdef@example.com"),
        ] {
            assert!(
                peer.bring("fbl@example.net", &to, &mail(kind, id))
                    .await
                    .starts_with("250")
            );
            assert_eq!(mailed.suppressed().await, [], "{kind}");
        }
        assert!(
            peer.bring("fbl@example.net", &to, &mail("abuse", &id))
                .await
                .starts_with("250")
        );
        assert_eq!(mailed.suppressed().await, [("bob@example.org".to_owned(), 2)]);
        assert_eq!(mailed.counts().await, (1, 0), "it arrived");
    });
}

#[test]
fn a_mail_to_the_address_of_the_header_unsubscribes() {
    each_world(async |world| {
        let mailed = Mailed::new(world).await;
        let mut peer = Peer::hello(start(world, "lmtp").await, "LHLO").await;
        let to = format!(
            "U+{}@{DOMAIN}",
            unsubscribe(&world.app.key, mailed.ann).to_ascii_uppercase()
        );
        let mail = "Subject: unsubscribe\n\nunsubscribe\n";
        assert!(peer.bring("ann@example.org", &to, mail).await.starts_with("250"));
        assert_eq!(mailed.suppressed().await, [("ann@example.org".to_owned(), 4)]);
        let (ann, now) = (mailed.ann, world.app.clock.now());
        let standing = world.app.db.read(move |tx| wish::standing(tx, ann, now)).await.unwrap();
        assert!(standing.is_unsubscribed());
    });
}

#[test]
fn only_addresses_that_we_made_are_taken() {
    each_world(async |world| {
        let mailed = Mailed::new(world).await;
        let mut peer = Peer::hello(start(world, "smtp").await, "EHLO").await;
        let path = mailed.path(mailed.bob);
        let (local, _) = path.split_once('@').unwrap();
        let forged = mailed
            .path(mailed.ann)
            .replace(&format!(".{}.", mailed.ann.0), &format!(".{}.", mailed.bob.0));
        let token = unsubscribe(&world.app.key, mailed.ann);
        peer.ask("MAIL FROM:<>").await;
        for foreign in [
            forged.as_str(),
            "postmaster@example.org",
            &format!("{local}@example.org"),
            &format!("{local}@{DOMAIN}.example.org"),
            &format!("u+{}0@{DOMAIN}", &token[1..]),
            &format!("ann@{DOMAIN}"),
            "b+@",
        ] {
            let said = peer.ask(&format!("RCPT TO:<{foreign}>")).await;
            assert!(said.starts_with("550 5.1.1"), "{foreign}: {said}");
        }
        assert!(peer.ask("DATA").await.starts_with("503"));
        assert!(
            peer.ask(&format!("RCPT TO:<{}>", path.to_ascii_uppercase()))
                .await
                .starts_with("250")
        );
    });
}

#[test]
fn nothing_but_a_dot_between_line_breaks_ends_a_mail() {
    each_world(async |world| {
        let mailed = Mailed::new(world).await;
        let mut peer = Peer::hello(start(world, "smtp").await, "EHLO").await;
        let (path, second) = (mailed.path(mailed.bob), unsubscribe(&world.app.key, mailed.ann));
        peer.ask("MAIL FROM:<>").await;
        peer.ask(&format!("RCPT TO:<{path}>")).await;
        peer.ask("DATA").await;
        for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r"] {
            let smuggled = format!("x{end}MAIL FROM:<>\r\nRCPT TO:<u+{second}@{DOMAIN}>\r\nDATA\r\n");
            peer.raw(smuggled.as_bytes()).await;
        }
        assert!(peer.ask("\r\n.").await.starts_with("250"));
        // One reply, for one mail.
        assert_eq!(peer.ask("NOOP").await, "250 2.0.0 ok\r\n");
        assert_eq!(mailed.suppressed().await, []);
    });
}

#[test]
fn by_lmtp_each_recipient_has_a_reply_of_its_own() {
    each_world(async |world| {
        let mailed = Mailed::new(world).await;
        let address = start(world, "lmtp").await;
        let mut wrong = Peer::connect(address).await;
        wrong.reply().await;
        assert!(wrong.ask("EHLO mx.example.net").await.starts_with("500"));
        let mut peer = Peer::hello(address, "LHLO").await;
        // All at once, as PIPELINING allows.
        let [ann, bob] = [mailed.ann, mailed.bob].map(|person| mailed.path(person));
        let mail = report(POSTFIX, &bob, "bob@example.org", "5.1.1", "failed", "550 5.1.1 unknown");
        let commands = format!(
            "MAIL FROM:<>\r\nRCPT TO:<{ann}>\r\nRCPT TO:<x@{DOMAIN}>\r\nRCPT TO:<{bob}>\r\nDATA\r\n{}.\r\n",
            mail.replace('\n', "\r\n")
        );
        peer.raw(commands.as_bytes()).await;
        let mut replies = Vec::new();
        for _ in 0..7 {
            replies.push(peer.reply().await[..3].to_owned());
        }
        assert_eq!(replies, ["250", "250", "550", "250", "354", "451", "250"]);
    });
}

#[test]
fn what_takes_too_much_is_cut_off() {
    each_world(async |world| {
        let mailed = Mailed::new(world).await;
        let limits = Limits {
            connections: 2,
            command: Duration::from_millis(300),
            size: 10_000,
            kept: 5_000,
            ..Limits::default()
        };
        let address = start_with(world, "smtp", limits).await;
        let path = mailed.path(mailed.bob);
        let mut first = Peer::hello(address, "EHLO").await;
        assert!(first.ask("MAIL FROM:<> SIZE=10001").await.starts_with("552 5.3.4"));
        // The end of a mail that is too long for us to keep is missed by nobody: the report stands before it.
        let long = report(
            POSTFIX,
            &path,
            "bob@example.org",
            "5.1.1",
            "failed",
            "550 5.1.1 unknown",
        );
        let long = format!("{long}{}\n", "and so on\n".repeat(700));
        assert!(first.bring("", &path, &long).await.starts_with("250"));
        assert_eq!(mailed.counts().await, (0, 1));
        assert!(
            first
                .bring("", &path, &"too much\n".repeat(2_000))
                .await
                .starts_with("552 5.3.4")
        );
        assert_eq!(first.ask("NOOP").await, "250 2.0.0 ok\r\n");
        // A third connection has no place.
        let mut second = Peer::hello(address, "EHLO").await;
        let mut third = Peer::connect(address).await;
        assert!(third.reply().await.starts_with("421 4.3.2"));
        second.raw(&[b'a'; 2_000]).await;
        assert!(second.reply().await.starts_with("500 5.5.2"));
        // Who says nothing is told to go.
        assert!(first.reply().await.starts_with("421 4.4.2"));
        assert_eq!(first.0.read(&mut [0; 1]).await.unwrap_or(0), 0);
        let mut endless = Peer::hello(address, "EHLO").await;
        endless.ask("MAIL FROM:<>").await;
        endless.ask(&format!("RCPT TO:<{path}>")).await;
        endless.ask("DATA").await;
        endless.raw(&vec![b'a'; 60_000]).await;
        assert!(endless.reply().await.starts_with("552"));
    });
}

#[test]
fn a_line_that_ends_wrong_and_endless_faults_end_the_connection() {
    each_world(async |world| {
        let address = start(world, "smtp").await;
        let mut peer = Peer::connect(address).await;
        peer.reply().await;
        assert!(peer.ask("MAIL FROM:<>").await.starts_with("503"));
        peer.raw(b"EHLO mx.example.net\nQUIT\r\n").await;
        assert!(peer.reply().await.starts_with("500 5.5.2"));
        assert_eq!(peer.reply().await, "");
        let mut guesser = Peer::hello(address, "EHLO").await;
        guesser.ask("MAIL FROM:<>").await;
        let mut said = String::new();
        for guess in 0..30 {
            said = guesser.ask(&format!("RCPT TO:<b+1.1.{guess:016x}@{DOMAIN}>")).await;
            if said.starts_with("421") {
                break;
            }
        }
        assert!(guesser.reply().await.starts_with("421") || said.starts_with("421"));
    });
}
