//! What is not connected to, whatever a URL or a name's owner says.

use std::net::SocketAddr;
use std::time::Duration;

use super::sink::{Sink, status};
use super::*;

fn forbidden(kind: &str) -> String {
    format!("the target leads to {kind}, which this server does not post to (CAMPANILE_HTTP_ALLOW)")
}

/// Two targets on one port: one that may be reached, at 127.0.0.2, and an inner one at 127.0.0.1.
async fn outer_and_inner() -> (Sink, Sink) {
    let outer = Sink::at("127.0.0.2:0", vec![status("200 OK")], None).await;
    let inner = Sink::at(
        &format!("127.0.0.1:{}", outer.address.port()),
        vec![status("200 OK")],
        None,
    )
    .await;
    (outer, inner)
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_a_moment_later_gains_nothing() {
    let (outer, inner) = outer_and_inner().await;
    let url = format!("http://rebind.test:{}/", outer.address.port());
    let names = Names::answering(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let settings = settings(&["127.0.0.2"]);
    // Looked up once: what was vetted is what is connected to.
    assert_eq!(
        post_to(&client(&settings, names.clone()), &url).await,
        Outcome::Done { code: 200 }
    );
    assert_eq!((names.asked(), outer.seen().requests.len()), (1, 1));
    // The next connection is vetted anew.
    let outcome = post_to(&client(&settings, names), &url).await;
    assert_eq!(reason(&outcome), ("dead", forbidden("a loopback address").as_str()));
    assert_eq!(inner.seen().connections, 0);
}

#[tokio::test]
async fn one_forbidden_address_among_others_is_enough() {
    let (outer, inner) = outer_and_inner().await;
    let url = format!("http://mixed.test:{}/", outer.address.port());
    for answer in [
        &["127.0.0.2", "127.0.0.1"][..],
        &["127.0.0.1", "127.0.0.2"],
        &["127.0.0.2", "fe80::1"],
    ] {
        let client = client(&settings(&["127.0.0.2"]), Names::answering(&[answer]));
        assert_eq!(reason(&post_to(&client, &url).await).0, "dead", "{answer:?}");
    }
    assert_eq!((outer.seen().connections, inner.seen().connections), (0, 0));
}

#[tokio::test]
async fn literals_are_refused_in_every_spelling_and_nobody_is_asked() {
    let sink = Sink::new(status("200 OK")).await;
    let port = sink.address.port();
    let names = Names::answering(&[&["127.0.0.1"]]);
    let client = client(&settings(&[]), names.clone());
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::ffff:127.0.0.1]",
        "[::7f00:1]",
    ] {
        let outcome = post_to(&client, &format!("http://{host}:{port}/")).await;
        assert_eq!(reason(&outcome).0, "dead", "{host}: {outcome:?}");
    }
    assert_eq!((names.asked(), sink.seen().connections), (0, 0));
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_in_every_disguise() {
    let sink = Sink::new(status("200 OK")).await;
    let url = format!("http://inner.test:{}/", sink.address.port());
    for (address, kind) in [
        ("127.0.0.1", "a loopback address"),
        ("::ffff:127.0.0.1", "a loopback address"),
        ("::1", "a loopback address"),
        ("10.0.0.1", "a private address"),
        ("169.254.169.254", "a link-local address"),
        ("64:ff9b::7f00:1", "an address outside of the open internet"),
    ] {
        let client = client(&settings(&[]), Names::answering(&[&[address]]));
        let outcome = post_to(&client, &url).await;
        assert_eq!(reason(&outcome), ("dead", forbidden(kind).as_str()), "{address}");
    }
    assert_eq!(sink.seen().connections, 0);
}

#[tokio::test]
async fn a_name_in_the_list_may_lead_inside_but_not_to_a_clouds_metadata() {
    let sink = Sink::new(status("200 OK")).await;
    let url = format!("http://hooks.internal:{}/", sink.address.port());
    let settings = settings(&["hooks.internal"]);
    let inside = client(&settings, Names::answering(&[&["127.0.0.1"]]));
    assert_eq!(post_to(&inside, &url).await, Outcome::Done { code: 200 });
    let metadata = client(&settings, Names::answering(&[&["169.254.169.254"]]));
    assert_eq!(reason(&post_to(&metadata, &url).await).0, "dead");
}

#[tokio::test]
async fn this_server_does_not_post_to_itself() {
    let sink = Sink::new(status("200 OK")).await;
    let port = sink.address.port();
    for own in [
        format!("127.0.0.1:{port}"),
        format!("0.0.0.0:{port}"),
        format!("[::]:{port}"),
    ] {
        let own: SocketAddr = own.parse().unwrap();
        let client = Client::new(
            &settings(&["127.0.0.0/8"]),
            vec![own],
            Arc::new(Names::default()),
            rustls::RootCertStore::empty(),
        );
        let outcome = post_to(&client, &sink.url()).await;
        assert_eq!(reason(&outcome), ("dead", "the target is this server itself"), "{own}");
    }
    assert_eq!(sink.seen().connections, 0);
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_tried_again() {
    let unknown = client(&settings(&[]), Names::default());
    let outcome = post_to(&unknown, "http://nowhere.test/").await;
    assert_eq!(reason(&outcome), ("retry", "the target's name cannot be looked up"));
}

#[tokio::test]
async fn a_resolver_that_says_nothing_has_its_own_limit() {
    let mut settings = settings(&[]);
    settings.resolve_timeout = Duration::from_millis(200);
    let silent = Names {
        silent: true,
        ..Names::default()
    };
    let begun = tokio::time::Instant::now();
    let outcome = post_to(&client(&settings, silent), "http://slow.test/").await;
    assert_eq!(reason(&outcome), ("retry", "the target's name cannot be looked up"));
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn the_next_address_is_tried_where_one_takes_no_connection() {
    let sink = Sink::new(status("200 OK")).await;
    let client = client(
        &settings(&["127.0.0.0/8"]),
        Names::answering(&[&["127.0.0.3", "127.0.0.1"]]),
    );
    let url = format!("http://two.test:{}/", sink.address.port());
    assert_eq!(post_to(&client, &url).await, Outcome::Done { code: 200 });
}
