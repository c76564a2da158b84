//! Who is at the other end: networks, and the client's address behind trusted proxies.
//!
//! An address serves throttling and nothing else; it is never logged.

use std::net::{IpAddr, SocketAddr};

pub use campanile_core::network::Network;
use http::{HeaderMap, header};

/// The address of the other end of the connection, put into every request's extensions by [`crate::serve::serve`].
/// Behind a proxy it is the proxy's; [`client_address`] looks further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// The client's address: the peer's, unless the peer is a trusted proxy; then the right-most address that is not
/// itself a trusted proxy in `X-Forwarded-For`, or where that is absent, in `Forwarded` (RFC 7239).
///
/// What stands left of that address was written by the client and is not believed. A hop that is no address
/// (`unknown`, `_hidden`, nonsense) ends the walk at the last address that a trusted proxy vouched for.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    let mut hops = if headers.contains_key("x-forwarded-for") {
        hops(headers, "x-forwarded-for", Some)
    } else {
        hops(headers, header::FORWARDED.as_str(), forwarded_for)
    };
    while is_trusted(client) {
        match hops.next().and_then(address_of) {
            Some(hop) => client = hop,
            None => break,
        }
    }
    client
}

/// The elements of a list header over all its lines, last one first.
fn hops<'a>(
    headers: &'a HeaderMap,
    name: &'a str,
    pick: fn(&'a str) -> Option<&'a str>,
) -> impl Iterator<Item = &'a str> + use<'a> {
    // `GetAll` walks backwards too, and so does `rsplit`: nothing is collected, however long the list is.
    headers
        .get_all(name)
        .iter()
        .rev()
        .flat_map(|line| line.to_str().unwrap_or_default().rsplit(','))
        .map(move |element| pick(element.trim()).unwrap_or_default())
}

/// The `for=` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| value.trim().trim_matches('"'))
    })
}

/// The address of a hop: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn address_of(hop: &str) -> Option<IpAddr> {
    let bare = hop
        .strip_prefix('[')
        .and_then(|hop| hop.strip_suffix(']'))
        .unwrap_or(hop);
    let address = bare
        .parse()
        .or_else(|_| hop.parse::<SocketAddr>().map(|socket| socket.ip()))
        .ok()?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(list: &[&str]) -> Vec<Network> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn client(peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        client_address(
            peer.parse().unwrap(),
            &headers,
            &networks(&["10.0.0.0/8", "::1", "fd00::/8"]),
        )
        .to_string()
    }

    #[test]
    fn blocks_hold_what_their_prefix_says() {
        let block: Network = "192.0.2.128/25".parse().unwrap();
        assert!(block.contains("192.0.2.200".parse().unwrap()));
        assert!(!block.contains("192.0.2.100".parse().unwrap()));
        assert!(
            block.contains("::ffff:192.0.2.200".parse().unwrap()),
            "IPv4 mapped into IPv6"
        );
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("255.1.2.3".parse().unwrap()));
        assert!(!all.contains("::2".parse().unwrap()));
        let site: Network = "2001:db8::/32".parse().unwrap();
        assert!(site.contains("2001:db8:ffff::1".parse().unwrap()));
        assert!(!site.contains("2001:db9::1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "proxy.example",
            "10.0.0/8",
            "10.0.0.0/-1",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client("192.0.2.9", &[("x-forwarded-for", "198.51.100.1")]), "192.0.2.9");
    }

    #[test]
    fn the_right_most_address_outside_the_proxies_is_the_client() {
        assert_eq!(
            client("10.0.0.1", &[("x-forwarded-for", "1.2.3.4, 198.51.100.7, 10.0.0.2")]),
            "198.51.100.7"
        );
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = [
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-for", "198.51.100.7"),
            ("x-forwarded-for", "::1"),
        ];
        assert_eq!(client("10.0.0.1", &lines), "198.51.100.7");
    }

    #[test]
    fn forwarded_is_read_where_the_older_header_is_absent() {
        let value = r#"for=1.2.3.4, For="[2001:db8::7]:4711";proto=https;by=10.0.0.2, for=10.0.0.3"#;
        assert_eq!(client("::1", &[("forwarded", value)]), "2001:db8::7");
        assert_eq!(
            client("::1", &[("forwarded", value), ("x-forwarded-for", "198.51.100.7")]),
            "198.51.100.7"
        );
    }

    #[test]
    fn a_hidden_hop_ends_the_walk_at_the_last_known_address() {
        assert_eq!(
            client("10.0.0.1", &[("forwarded", "for=1.2.3.4, for=_hidden, for=10.0.0.2")]),
            "10.0.0.2"
        );
        assert_eq!(
            client("10.0.0.1", &[("x-forwarded-for", "1.2.3.4, nonsense")]),
            "10.0.0.1"
        );
    }

    #[test]
    fn proxies_all_the_way_give_the_first_of_them() {
        assert_eq!(
            client("10.0.0.1", &[("x-forwarded-for", "10.0.0.3:8080, 10.0.0.2")]),
            "10.0.0.3"
        );
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }
}
