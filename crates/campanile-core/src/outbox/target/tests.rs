//! The table of refused addresses in every spelling, and the operator's lists.

use super::*;

fn policy(allow: &[&str]) -> Policy {
    Policy {
        allow: allow.iter().map(|text| text.parse().unwrap()).collect(),
        ..Policy::default()
    }
}

fn only(entries: &[&str]) -> Policy {
    Policy {
        only: entries.iter().map(|text| text.parse().unwrap()).collect(),
        ..Policy::default()
    }
}

fn may(policy: &Policy, url: &str) -> bool {
    policy.vet_url(&Url::parse(url).expect(url)).is_ok()
}

fn may_reach(policy: &Policy, host: &str, address: &str) -> bool {
    policy.vet(host, address.parse().expect(address)).is_ok()
}

#[test]
fn the_first_and_last_address_of_each_refused_block_is_refused_and_its_neighbours_are_not() {
    let blocks = [
        ("0.0.0.0", "0.255.255.255", "1.0.0.0"),
        ("10.0.0.0", "10.255.255.255", "11.0.0.0"),
        ("100.64.0.0", "100.127.255.255", "100.128.0.0"),
        ("127.0.0.0", "127.255.255.255", "128.0.0.0"),
        ("169.254.0.0", "169.254.255.255", "169.255.0.0"),
        ("172.16.0.0", "172.31.255.255", "172.32.0.0"),
        ("192.0.0.0", "192.0.0.255", "192.0.1.0"),
        ("192.0.2.0", "192.0.2.255", "192.0.3.0"),
        ("192.88.99.0", "192.88.99.255", "192.88.100.0"),
        ("192.168.0.0", "192.168.255.255", "192.169.0.0"),
        ("198.18.0.0", "198.19.255.255", "198.20.0.0"),
        ("198.51.100.0", "198.51.100.255", "198.51.101.0"),
        ("203.0.113.0", "203.0.113.255", "203.0.114.0"),
        ("224.0.0.0", "255.255.255.255", "223.255.255.255"),
        ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
        ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"),
        ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
        ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe::"),
    ];
    for (first, last, beside) in blocks {
        let policy = Policy::default();
        assert!(
            !may_reach(&policy, "x", first) && !may_reach(&policy, "x", last),
            "{first}"
        );
        assert!(may_reach(&policy, "x", beside), "{beside}");
    }
}

#[test]
fn every_spelling_of_an_inner_address_is_refused_at_send() {
    let spellings = [
        "http://127.0.0.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://１２７.0.0.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::7f00:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:0:7f00:1]/",
        "http://[::5efe:7f00:1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b:1::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:7f00:1::]/",
        "http://[100::1]/",
        "http://[5f00::1]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://[fec0::1]/",
        "http://[ff02::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://168.63.129.16/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://a.localhost/",
    ];
    for url in spellings {
        assert!(!may(&Policy::default(), url), "{url}");
    }
    for url in [
        "http://example.com/",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]/",
        "http://notlocalhost/",
    ] {
        assert!(may(&Policy::default(), url), "{url}");
    }
}

#[test]
fn a_block_and_a_name_open_what_they_name_and_no_more() {
    let by_block = policy(&["10.1.0.0/16", "::1"]);
    assert!(may(&by_block, "http://10.1.2.3/") && may(&by_block, "http://[::1]/"));
    assert!(may_reach(&by_block, "x", "::ffff:10.1.2.3"));
    assert!(!may(&by_block, "http://10.2.0.1/") && !may(&by_block, "http://127.0.0.1/"));
    let by_name = policy(&["Hooks.Internal.", "*.corp.example"]);
    assert!(may_reach(&by_name, "hooks.internal", "10.0.0.1") && may_reach(&by_name, "hooks.internal.", "10.0.0.1"));
    assert!(may_reach(&by_name, "a.corp.example", "10.0.0.1"));
    for other in ["corp.example", "acorp.example", "x.hooks.internal", "internal"] {
        assert!(!may_reach(&by_name, other, "10.0.0.1"), "{other}");
    }
}

#[test]
fn what_a_cloud_tells_its_machines_must_be_named_itself() {
    for wide in ["0.0.0.0/0", "169.0.0.0/8", "::/0", "fd00::/8", "metadata.internal"] {
        let policy = policy(&[wide]);
        for address in ["169.254.169.254", "fd00:ec2::254", "168.63.129.16"] {
            assert!(
                !may_reach(&policy, "metadata.internal", address),
                "{wide} opens {address}"
            );
        }
    }
    let named = policy(&["169.254.169.254", "fd00:ec2::254", "168.63.129.16"]);
    assert!(may_reach(&named, "x", "169.254.169.254") && may_reach(&named, "x", "fd00:ec2::254"));
    assert!(may_reach(&named, "x", "168.63.129.16") && !may_reach(&named, "x", "169.254.169.253"));
    assert!(may_reach(&policy(&["169.254.0.0/16"]), "x", "169.254.169.253"));
}

#[test]
fn nat64_is_judged_by_what_is_in_it_where_the_operator_says_so() {
    let nat64 = Policy {
        nat64: true,
        ..Policy::default()
    };
    assert!(!may_reach(&Policy::default(), "x", "64:ff9b::101:101"));
    assert!(may_reach(&nat64, "x", "64:ff9b::101:101"));
    assert!(!may_reach(&nat64, "x", "64:ff9b::7f00:1") && !may_reach(&nat64, "x", "64:ff9b::a9fe:a9fe"));
}

#[test]
fn ports_below_1024_are_refused_but_for_those_of_the_web() {
    for (url, good) in [
        ("http://example.com/", true),
        ("https://example.com/", true),
        ("http://example.com:8080/", true),
        ("http://example.com:1024/", true),
        ("http://example.com:25/", false),
        ("http://example.com:22/", false),
        ("http://example.com:0/", false),
    ] {
        assert_eq!(may(&Policy::default(), url), good, "{url}");
    }
}

#[test]
fn only_what_lies_under_an_entry_may_be_posted_to() {
    let policy = only(&[
        "https://a.example/hooks",
        "https://b.example/in/",
        "https://c.example/x?k=1",
    ]);
    for good in [
        "https://a.example/hooks",
        "https://A.example:443/hooks?x=1",
        "https://a.example/hooks/1",
        "https://b.example/in/",
        "https://b.example/in/1/2",
        "https://c.example/x?k=1",
    ] {
        assert!(may(&policy, good), "{good}");
    }
    for bad in [
        "https://a.example/hookshot",
        "https://a.example/",
        "http://a.example/hooks",
        "https://a.example:8443/hooks",
        "https://a.example.evil.example/hooks",
        "https://a.example/hooks/../admin",
        "https://a.example/hooks/%2e%2e/admin",
        "https://a.example/hooks/..%2fadmin",
        "https://b.example/in",
        "https://c.example/x",
        "https://c.example/x?k=2",
    ] {
        assert!(!may(&policy, bad), "{bad}");
    }
}

#[test]
fn nothing_is_posted_where_it_is_switched_off() {
    let off = Policy {
        enabled: false,
        ..Policy::default()
    };
    assert!(!may(&off, "https://example.com/"));
}

#[test]
fn entries_that_are_none_are_refused() {
    for wrong in ["", "10.0.0.0/33", "http://x/", "a b", "*", "*.", "a.*", "x:80", "[::1]"] {
        assert!(wrong.parse::<Allowed>().is_err(), "{wrong}");
    }
    for wrong in ["", "example.com", "ftp://x/", "https://u@x/", "https://x/#f"] {
        assert!(wrong.parse::<Prefix>().is_err(), "{wrong}");
    }
}

#[test]
fn a_refusal_says_what_it_is_and_where_it_can_be_changed() {
    let told = |url: &str| Policy::default().vet_url(&Url::parse(url).unwrap()).unwrap_err();
    insta::assert_snapshot!(
        [told("http://10.0.0.1/"), told("http://x:25/"), told("ftp://x/")].join("\n"),
        @r"
    names a private address, which this server does not post to (CAMPANILE_HTTP_ALLOW)
    names port 25, which this server does not post to (CAMPANILE_HTTP_PORTS)
    must begin with http:// or https://
    "
    );
}

/// Every way in which readers of URLs take an IPv4 address, and those of IPv6 that lead to one.
fn spelled(address: u32, how: u8) -> String {
    let [a, b, c, d] = address.to_be_bytes();
    let low = address & 0xff_ffff;
    match how {
        0 => format!("{a}.{b}.{c}.{d}"),
        1 => format!("{address}"),
        2 => format!("0x{address:x}"),
        3 => format!("0{address:o}"),
        4 => format!("0x{a:X}.0{b:o}.{c}.0x{d:x}"),
        5 => format!("{a}.{low}"),
        6 => format!("{a}.{b}.{}", address & 0xffff),
        7 => format!("{a}.{b}.{c}.{d}."),
        8 => format!("[::ffff:{a}.{b}.{c}.{d}]"),
        9 => format!("[0:0:0:0:0:FFFF:{:x}:{:x}]", address >> 16, address & 0xffff),
        10 => format!("[64:ff9b::{a}.{b}.{c}.{d}]"),
        11 => format!("[2002:{:x}:{:x}::1]", address >> 16, address & 0xffff),
        12 => {
            let plain = format!("{a}.{b}.{c}.{d}");
            format!("%{:02x}{}", plain.as_bytes()[0], &plain[1..])
        }
        _ => format!("{a}\u{3002}{b}\u{ff0e}{c}\u{ff61}{d}"),
    }
}

proptest::proptest! {
    #[test]
    fn no_spelling_of_a_private_address_is_let_through(
        block in proptest::sample::select(vec![
            (0x0a00_0000_u32, 8_u32), (0x7f00_0000, 8), (0xa9fe_0000, 16), (0xac10_0000, 12), (0xc0a8_0000, 16), (0, 8),
        ]),
        rest: u32,
        how in 0_u8..14,
        tail in "(:80|:8080)?(/[a-z]{0,5})?(\\?q=1)?",
    ) {
        let (first, bits) = block;
        let address = first | (rest & (u32::MAX >> bits));
        let host = spelled(address, how);
        // What is no URL at all is refused before.
        if let Ok(url) = Url::parse(&format!("http://{host}{tail}")) {
            for nat64 in [false, true] {
                let policy = Policy { nat64, ..Policy::default() };
                proptest::prop_assert!(policy.vet_url(&url).is_err(), "{}", url);
            }
        }
    }
}
