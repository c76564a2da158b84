//! A client that expects the worst: a connection for each request, time limits, and an answer or none.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A server that says nothing for so long is taken for gone.
const LIMIT: Duration = Duration::from_secs(8);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

#[expect(clippy::disallowed_methods, reason = "the harness is its own client, on loopback")]
fn connect(address: SocketAddr, limit: Duration) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Asks once; an error where it is not known what became of it.
pub(crate) fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    authorization: &str,
    key: Option<&str>,
    body: Option<&Value>,
) -> std::io::Result<Answer> {
    let mut stream = connect(address, LIMIT)?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {authorization}\r\n{key}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(cut)? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .ok_or_else(cut)?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    let rest = &bytes[end..];
    // Half an answer is none.
    if length.is_some_and(|length| rest.len() < length) {
        return Err(cut());
    }
    let body = if rest.is_empty() {
        Ok(Value::Null)
    } else {
        serde_json::from_slice(rest)
    };
    Ok(Answer {
        status,
        head,
        body: body.unwrap_or(Value::Null),
    })
}

/// Follows a person's stream until it ends, telling each event's name and data.
pub(crate) fn follow(
    address: SocketAddr,
    authorization: &str,
    last: Option<&str>,
    mut each: impl FnMut(&str, &str, Option<&str>),
) -> std::io::Result<()> {
    // Beats come every 15 s.
    let mut stream = connect(address, Duration::from_secs(40))?;
    let last = last
        .map(|last| format!("Last-Event-ID: {last}\r\n"))
        .unwrap_or_default();
    let head = format!("GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n{last}\r\n");
    stream.write_all(head.as_bytes())?;
    let (mut name, mut id) = (String::new(), None);
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if let Some(of) = line.strip_prefix("event: ").or_else(|| line.strip_prefix("event:")) {
            of.trim().clone_into(&mut name);
        } else if let Some(of) = line.strip_prefix("id: ").or_else(|| line.strip_prefix("id:")) {
            id = Some(of.trim().to_owned());
        } else if let Some(data) = line.strip_prefix("data: ").or_else(|| line.strip_prefix("data:")) {
            each(&name, data.trim(), id.as_deref());
        }
    }
    Ok(())
}
