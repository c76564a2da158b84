//! What a sender may and may not give, and what becomes of it.

use super::*;
use crate::Error;

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

fn checked(url: &str, headers: &[(&str, &str)]) -> Result<Post> {
    check(url, &pairs(headers), Proxy::Default, &Policy::default())
}

fn faults(url: &str, headers: &[(&str, &str)]) -> Vec<String> {
    match checked(url, headers) {
        Err(Error::Invalid(faults)) => faults.into_iter().map(|fault| fault.field).collect(),
        other => panic!("{other:?}"),
    }
}

const GOOD: &str = "https://hooks.example.com/in?key=1";

#[test]
fn what_document_a_names_is_taken_as_given() {
    let post = checked(GOOD, &[("Authorization", " Bearer k "), ("X-Team", "")]).unwrap();
    assert_eq!(post.url.as_str(), GOOD);
    let headers: Vec<_> = post.headers.iter().collect();
    assert_eq!(headers, [("Authorization", "Bearer k"), ("X-Team", "")]);
}

#[test]
fn names_of_ours_of_the_connection_and_of_front_doors_are_refused_in_any_case() {
    let refused = [
        "host",
        "Content-Length",
        "transfer-encoding",
        "Connection",
        "keep-alive",
        "TE",
        "trailer",
        "Trailers",
        "Upgrade",
        "expect",
        "Proxy-Authorization",
        "proxy-connection",
        "HTTP2-Settings",
        "content-encoding",
        "Date",
        "User-Agent",
        "Webhook-Id",
        "webhook-signature",
        "Sec-Fetch-Site",
        "X-Forwarded-For",
        "Forwarded",
        "Via",
        "x-amz-date",
        "X-Amzn-Trace-Id",
        "x-google-apps",
        "X-Goog-Api-Key",
        "x-gfe-x",
        "X-Azure-FDID",
        "x-fd-x",
        ":authority",
        "",
        "a b",
        "a:b",
        "ä",
        "a\r\nb",
        "a\0",
    ];
    for name in refused {
        assert_eq!(faults(GOOD, &[(name, "x")]), ["headers[0]"], "{name}");
    }
    for name in [
        "Authorization",
        "content-type",
        "Accept",
        "Cookie",
        "X-Api-Key",
        "X-Gitlab-Token",
        "Hosts",
    ] {
        assert!(checked(GOOD, &[(name, "x")]).is_ok(), "{name}");
    }
}

#[test]
fn values_with_line_breaks_controls_or_foreign_signs_are_refused() {
    for value in ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\x1bb", "ä"] {
        assert_eq!(faults(GOOD, &[("X-A", value)]), ["headers[0]"], "{value:?}");
    }
    assert!(checked(GOOD, &[("X-A", "a\tb \"~!")]).is_ok());
}

#[test]
fn number_and_size_of_headers_have_limits() {
    let named =
        |count: usize| -> Vec<(String, String)> { (0..count).map(|at| (format!("X-{at}"), "v".into())).collect() };
    assert!(Headers::check(&named(32)).is_ok());
    assert_eq!(Headers::check(&named(33)).unwrap_err()[0].0, None);
    let long = |bytes: usize| Headers::check(&[("X-A".into(), "v".repeat(bytes))]);
    assert!(long(VALUE_MAX).is_ok());
    assert_eq!(long(VALUE_MAX + 1).unwrap_err()[0].0, Some(0));
    let four: Vec<_> = (0..4).map(|at| (format!("X-{at}"), "v".repeat(VALUE_MAX))).collect();
    assert_eq!(
        Headers::check(&four).unwrap_err(),
        [(None, "must have at most 16384 bytes together".to_owned())]
    );
    assert!(Headers::check(&four[..3]).is_ok());
    assert_eq!(
        Headers::check(&pairs(&[("X-A", "1"), ("x-a", "2")])).unwrap_err()[0].0,
        Some(1)
    );
}

#[test]
fn a_url_must_be_one_of_the_web_and_short() {
    let long = format!("https://example.com/{}", "x".repeat(URL_MAX));
    for url in [
        "",
        " ",
        "example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:1",
        "https://example.com/#here",
        "https://",
        "https://exa mple.com/",
        "http://10.0.0.1/",
        "http://a:99999/",
        &long,
    ] {
        assert_eq!(faults(url, &[]), ["url"], "{url}");
    }
    let post = checked(" https://Bücher.example/a b?c=ü ", &[]).unwrap();
    assert_eq!(post.url.as_str(), "https://xn--bcher-kva.example/a%20b?c=%C3%BC");
}

#[test]
fn a_user_in_the_url_becomes_a_secret_header() {
    let post = checked("https://us%20er:p%3Ass@example.com/in", &[]).unwrap();
    assert_eq!(post.url.as_str(), "https://example.com/in");
    let expected = format!("Basic {}", STANDARD.encode("us er:p:ss"));
    assert_eq!(
        post.headers.iter().collect::<Vec<_>>(),
        [("Authorization", expected.as_str())]
    );
    assert_eq!(faults("https://u@example.com/", &[("authorization", "x")]), ["url"]);
}

#[test]
fn every_fault_is_told_at_once_and_none_repeats_a_secret() {
    let error = check(
        "http://user:hunter2@10.0.0.1/",
        &pairs(&[("X-A", "hunter2\n"), ("Host", "hunter2")]),
        Proxy::Yes,
        &Policy::default(),
    )
    .unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    insta::assert_snapshot!(error.to_string().replace("; ", "\n"), @r"
    url: names a private address, which this server does not post to (CAMPANILE_HTTP_ALLOW)
    headers[0]: must have a value of ASCII signs, without line breaks
    headers[1]: Host cannot be set by a sender
    use_system_proxy: this server has no system proxy (HTTPS_PROXY, HTTP_PROXY)
    ");
}

#[test]
fn sealed_headers_open_for_their_url_alone_and_show_no_secret() {
    let key = InstallationKey::from_text(&"k".repeat(32)).unwrap();
    let post = checked(GOOD, &[("X-Token", "hunter2"), ("Content-Type", "text/plain")]).unwrap();
    let sealed = post.headers.seal(&key, &post.url, &[1; 32]);
    assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
    assert_eq!(Headers::open(&key, &post.url, &sealed).as_ref(), Some(&post.headers));
    let other = Url::parse("https://evil.example/").unwrap();
    assert_eq!(Headers::open(&key, &other, &sealed), None);
    let shown: Vec<_> = post.headers.shown().map(|shown| (shown.name, shown.value)).collect();
    assert_eq!(shown, [("X-Token", None), ("Content-Type", Some("text/plain"))]);
    assert!(!format!("{post:?}").contains("hunter2"));
}

#[test]
fn the_choice_of_a_proxy_is_kept() {
    for choice in [Some(true), Some(false), None] {
        assert_eq!(Proxy::chosen(choice).choice(), choice);
    }
}
