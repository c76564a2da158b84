//! Traces, as a collector gets them from the binary.

#[cfg(not(feature = "otlp"))]
use crate::cli::{campanile, output};

#[cfg(not(feature = "otlp"))]
#[test]
fn a_build_that_sends_no_traces_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut serve = campanile(folder.path(), &["serve", "--listen", ":0"]);
    let (code, _, told) = output(serve.env("CAMPANILE_TRACES", "http://127.0.0.1:1/v1/traces"));
    assert_eq!(code, Some(1));
    assert!(told.contains("build it with `--features otlp`"), "{told}");
}

#[cfg(feature = "otlp")]
mod sent {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::thread::JoinHandle;

    use crate::cli::{Server, campanile};

    /// Takes batches until nothing listens any more who could send one; all of them as one.
    fn collector() -> (SocketAddr, JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let mut all = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                let mut bytes = Vec::new();
                let body = loop {
                    let mut buffer = [0; 4_096];
                    let read = stream.read(&mut buffer).unwrap();
                    bytes.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8_lossy(&bytes);
                    // The test itself says that it is over.
                    if text.starts_with("over") {
                        return all;
                    }
                    let length: Option<usize> = text
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                    let begin = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
                    if let (Some(begin), Some(length)) = (begin, length)
                        && bytes.len() == begin + length
                    {
                        break bytes.split_off(begin);
                    }
                    assert!(read > 0, "{text}");
                };
                assert!(bytes.starts_with(b"POST /v1/traces HTTP/1.1\r\n"));
                all.extend(body);
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .unwrap();
            }
        });
        (address, thread)
    }

    /// What the collector got of one request that names a trace, from a server with these settings.
    fn traced(settings: &[(&str, &str)]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let (address, thread) = collector();
        let mut serve = campanile(folder.path(), &["serve", "--listen", ":0"]);
        serve.env("CAMPANILE_TRACES", format!("http://{address}/v1/traces"));
        let server = Server::start(serve.envs(settings.iter().copied()));
        let mut stream = connect(server.url.strip_prefix("http://").unwrap().parse().unwrap());
        let request = "GET /api/v1/inbox?q=somebody HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\
            Authorization: Basic YWRtaW46Y2FtcGFuaWxlLWRlbW8=\r\nX-Request-Id: the-very-one\r\n\
            traceparent: 00-5050505050505050a1a1a1a1a1a1a1a1-5151515151515151-01\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        // What is not sent yet is sent on the way out.
        assert_eq!(server.end("-TERM"), Some(0));
        connect(address).write_all(b"over").unwrap();
        thread.join().unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "the client of these tests, on loopback")]
    fn connect(address: SocketAddr) -> TcpStream {
        TcpStream::connect(address).unwrap()
    }

    fn has(bytes: &[u8], what: &[u8]) -> bool {
        bytes.windows(what.len()).any(|at| at == what)
    }

    const FOREIGN: &[u8] = b"PPPPPPPP\xa1\xa1\xa1\xa1\xa1\xa1\xa1\xa1";

    #[test]
    fn a_request_is_traced_with_what_it_waited_for_and_nothing_of_whom() {
        let spans = traced(&[]);
        for part in [
            "GET /api/v1/inbox",
            "database scan",
            "database read",
            "the-very-one",
            "campanile",
        ] {
            assert!(has(&spans, part.as_bytes()), "{part}");
        }
        for private in [&b"somebody"[..], b"admin", b"127.0.0.1"] {
            assert!(!has(&spans, private), "{}", String::from_utf8_lossy(private));
        }
        assert!(!has(&spans, FOREIGN), "a stranger's trace is not ours");
    }

    #[test]
    fn the_trace_of_a_trusted_proxy_goes_on() {
        assert!(has(&traced(&[("CAMPANILE_TRUSTED_PROXIES", "127.0.0.1")]), FOREIGN));
    }

    #[test]
    fn of_a_share_of_nothing_nothing_is_traced() {
        assert!(traced(&[("CAMPANILE_TRACES_SHARE", "0")]).is_empty());
    }
}
