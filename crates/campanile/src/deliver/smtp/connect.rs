//! From nothing to a connection that takes mail: TCP, greeting, `EHLO`, TLS, `AUTH`.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::relay::{Login, Relay, Times, Tls};
use super::reply::{Extensions, Reply};
use super::stream::{Connection, Lost, Wire};
use crate::deliver::guard::why;

/// Why no connection could be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// For people.
    pub(super) reason: String,
    /// Whether it will be the same until somebody changes something.
    pub(super) permanent: bool,
}

impl Trouble {
    fn lasting(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            reason,
            permanent: true,
        }
    }

    fn refused(what: &str, reply: &Reply) -> Self {
        Self {
            reason: format!("the relay refused {what}: {}", reply.said()),
            permanent: !reply.is_temporary(),
        }
    }
}

impl From<Lost> for Trouble {
    fn from(Lost(reason): Lost) -> Self {
        Self {
            reason,
            permanent: false,
        }
    }
}

/// What a connection needs to be made.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) relay: Relay,
    pub(super) times: Times,
    /// How we call ourselves to the relay: a host name, or an address in brackets.
    pub(super) hello: String,
    /// Verifies.
    pub(super) tls: Arc<ClientConfig>,
}

/// A connection that is ready for `MAIL`.
pub(super) async fn connect(way: &Way) -> Result<Connection, Trouble> {
    let Way { relay, times, .. } = way;
    let tcp = tcp(relay, times.connect).await?;
    let mut connection = if relay.tls == Tls::Implicit {
        Connection::new(encrypted(way, Box::new(tcp)).await?)
    } else {
        Connection::new(Box::new(tcp))
    };
    let greeting = connection.reply(times.command).await?;
    if greeting.code != 220 {
        return Err(Trouble::refused("the connection", &greeting));
    }
    let mut is_encrypted = relay.tls == Tls::Implicit;
    connection.can = hello(&mut connection, way).await?;
    let wanted = matches!(relay.tls, Tls::Required | Tls::Opportunistic);
    if wanted && connection.can.starttls {
        connection = starttls(connection, way).await?;
        // What was said before is forgotten: anybody may have said it (RFC 3207, section 4.2).
        connection.can = hello(&mut connection, way).await?;
        is_encrypted = true;
    } else if relay.tls == Tls::Required {
        return Err(Trouble::lasting(
            "the relay does not offer TLS (STARTTLS), which is required; use smtps://, or ?tls=opportunistic",
        ));
    }
    if let Some(login) = &relay.login {
        if !is_encrypted && relay.tls == Tls::Opportunistic && !relay.is_local() {
            return Err(Trouble::lasting(
                "the relay does not offer TLS, and the password is not sent without",
            ));
        }
        log_in(&mut connection, login, times.command).await?;
    }
    Ok(connection)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that connects to the relay, which the operator configured: no user says where this goes"
)]
async fn tcp(relay: &Relay, limit: Duration) -> Result<TcpStream, Trouble> {
    let reason = match timeout(limit, TcpStream::connect((relay.host.as_str(), relay.port))).await {
        Ok(Ok(tcp)) => {
            // Else a command waits for the acknowledgement of the one before it: 40 ms a mail.
            let _ = tcp.set_nodelay(true);
            return Ok(tcp);
        }
        Ok(Err(error)) => format!("the relay cannot be reached: {}", why(&error)),
        Err(_) => "the relay cannot be reached in time".to_owned(),
    };
    Err(Trouble {
        reason,
        permanent: false,
    })
}

async fn hello(connection: &mut Connection, way: &Way) -> Result<Extensions, Trouble> {
    let limit = way.times.command;
    let reply = connection.ask(&format!("EHLO {}\r\n", way.hello), limit).await?;
    if reply.code == 250 {
        return Ok(Extensions::of(&reply));
    }
    // A server from before 1995 knows HELO alone.
    if matches!(reply.code, 500 | 502 | 504) {
        let old = connection.ask(&format!("HELO {}\r\n", way.hello), limit).await?;
        return if old.code == 250 {
            Ok(Extensions::default())
        } else {
            Err(Trouble::refused("HELO", &old))
        };
    }
    Err(Trouble::refused("EHLO", &reply))
}

async fn starttls(mut connection: Connection, way: &Way) -> Result<Connection, Trouble> {
    let reply = connection.ask("STARTTLS\r\n", way.times.command).await?;
    if reply.code != 220 {
        return Err(Trouble::refused("STARTTLS", &reply));
    }
    let wire = connection
        .into_wire()
        .ok_or_else(|| Trouble::lasting("something between us and the relay spoke before TLS did; nothing was sent"))?;
    Ok(Connection::new(encrypted(way, wire).await?))
}

async fn encrypted(way: &Way, wire: Box<dyn Wire>) -> Result<Box<dyn Wire>, Trouble> {
    let name = ServerName::try_from(way.relay.host.clone())
        .map_err(|_| Trouble::lasting("the relay's name cannot stand in a certificate"))?;
    let config = if way.relay.tls == Tls::Opportunistic {
        super::trust::anybody()
    } else {
        Arc::clone(&way.tls)
    };
    match timeout(way.times.connect, TlsConnector::from(config).connect(name, wire)).await {
        Ok(Ok(tls)) => Ok(Box::new(tls)),
        // A certificate does not get better by asking again; a broken connection may.
        Ok(Err(error)) => Err(Trouble {
            permanent: error.kind() == std::io::ErrorKind::InvalidData,
            reason: format!("TLS with the relay failed: {error}"),
        }),
        Err(_) => Err(Trouble {
            reason: "TLS with the relay took too long".into(),
            permanent: false,
        }),
    }
}

/// RFC 4954: PLAIN (RFC 4616), or LOGIN, which was never written down and which some relays know alone.
async fn log_in(connection: &mut Connection, login: &Login, limit: Duration) -> Result<(), Trouble> {
    let (user, password) = (login.user.as_str(), login.password.expose());
    let reply = if connection.can.plain {
        let token = STANDARD.encode(format!("\0{user}\0{password}"));
        connection.ask(&format!("AUTH PLAIN {token}\r\n"), limit).await?
    } else if connection.can.login {
        let mut reply = connection.ask("AUTH LOGIN\r\n", limit).await?;
        for part in [user, password] {
            if reply.code != 334 {
                break;
            }
            reply = connection.ask(&format!("{}\r\n", STANDARD.encode(part)), limit).await?;
        }
        reply
    } else {
        return Err(Trouble::lasting(
            "the relay offers neither AUTH PLAIN nor AUTH LOGIN, and a user is configured",
        ));
    };
    if reply.code == 235 {
        Ok(())
    } else {
        Err(Trouble::refused("the user and password of smtp_url", &reply))
    }
}
