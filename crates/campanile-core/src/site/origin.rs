//! Where a page stands: scheme, host and port, as browsers write it in the header `Origin` (HTML Standard, "origin").
//! Pure.

use url::{Host, Url};

/// Bytes of an origin at most.
pub const ORIGIN_BYTES: usize = 300;

/// An origin as browsers write it: in lower case, names in ASCII, without the usual port.
///
/// # Errors
/// The reason, for the field that held it.
pub fn read(text: &str) -> Result<String, String> {
    if text.len() > ORIGIN_BYTES {
        let why = format!("must have at most {ORIGIN_BYTES} bytes");
        return Err(why);
    }
    if text.contains('*') {
        let why = "must name one host: there are no wildcards";
        return Err(why.into());
    }
    let Some(url) = bare(text) else {
        let why = "must be https:// and a host, with a port where it is not the usual one, and nothing behind it";
        return Err(why.into());
    };
    if url.scheme() == "http" && !is_this_machine(&url) {
        let why = "must begin with https://; http:// is for localhost and its addresses alone";
        return Err(why.into());
    }
    Ok(url.origin().ascii_serialization())
}

/// A URL that is an origin and nothing else.
fn bare(text: &str) -> Option<Url> {
    // What a reader of URLs mends is not what was meant.
    let is_plain = text.bytes().all(|byte| byte > b' ' && byte != 0x7f && byte != b'\\');
    let url = Url::parse(text).ok().filter(|_| is_plain)?;
    let is_bare = matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    (is_bare && matches!(url.scheme(), "https" | "http")).then_some(url)
}

/// Whether browsers treat it as secure without TLS, since nothing leaves the machine.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.octets() == [127, 0, 0, 1],
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_as_browsers_write_it() {
        for (given, kept) in [
            ("https://shop.example.com", "https://shop.example.com"),
            ("HTTPS://Shop.Example.COM:443/", "https://shop.example.com"),
            ("https://shop.example.com:8443", "https://shop.example.com:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:5173", "http://[::1]:5173"),
            ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
        ] {
            assert_eq!(read(given).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for wrong in [
            "",
            "null",
            "*",
            "https://",
            "https://*.example.com",
            "shop.example.com",
            "https://shop.example.com/cart",
            "https://shop.example.com/?",
            "https://shop.example.com/#",
            "https://ann@shop.example.com",
            "https:\\\\shop.example.com",
            " https://shop.example.com",
            "https://shop.exa\nmple.com",
            "http://shop.example.com",
            "http://localhost.example.com",
            "http://127.0.0.2",
            "ftp://shop.example.com",
            "data:text/html,x",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read(&format!("https://{}.example", "a.".repeat(200))).is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_is_an_origin_and_reads_as_itself(
            text in "(https?://)?[a-zA-Z0-9.:@/?#*%\\u{fc}\\[\\] -]{0,30}",
        ) {
            if let Ok(origin) = read(&text) {
                proptest::prop_assert_eq!(read(&origin), Ok(origin.clone()));
                let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
                let host = host.expect("one of the two schemes");
                let is_host = !host.is_empty() && !host.contains(['/', '?', '#', '@', '*', ' ', '%']);
                proptest::prop_assert!(is_host, "{}", origin);
            }
        }
    }
}
