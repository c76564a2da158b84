//! Settings from their sources, in order, and what is said about wrong ones.

use super::*;

fn load(file: Option<&str>, env: &[(&str, &str)], flags: Flags) -> Result<Settings, ConfigError> {
    let env = |name: &str| {
        env.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    };
    Settings::from_sources(file, &env, flags)
}

fn from_file(file: &str) -> Result<Settings, ConfigError> {
    load(Some(file), &[], Flags::default())
}

fn complaint(file: &str) -> String {
    told(&from_file(file).expect_err(file))
}

/// A complaint over two lines: which setting, and what of it.
fn told(error: &ConfigError) -> String {
    error.to_string().replacen(": ", ":\n  ", 1)
}

fn complaints(files: &[&str]) -> String {
    files.iter().map(|file| complaint(file)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_default_file_gives_the_defaults() {
    assert_eq!(from_file(DEFAULT_FILE), Ok(Settings::default()));
}

#[test]
fn the_default_file_names_every_setting() {
    for setting in settings() {
        let line = |text: &str| {
            text.trim_start_matches("# ")
                .starts_with(&format!("{} = ", setting.name))
        };
        assert!(DEFAULT_FILE.lines().any(line), "{}", setting.name);
    }
}

#[test]
fn what_the_default_file_leaves_out_can_be_put_in() {
    let all: Vec<_> = DEFAULT_FILE
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.contains(" = \"") && !rest.contains("_file"))
                .unwrap_or(line)
        })
        .collect();
    let settings = from_file(&all.join("\n")).unwrap();
    assert_eq!(settings.public_url.as_deref(), Some("https://campanile.example.com"));
    assert!(settings.secret_key.is_some() && settings.admin_password.is_some());
}

#[test]
fn later_sources_win() {
    let file = "listen = '127.0.0.1:1'\nbody_limit = '1 KiB'\nlog_level = 'warn'";
    let env = [("CAMPANILE_LISTEN", "127.0.0.1:2"), ("CAMPANILE_BODY_LIMIT", "2048")];
    let flags = Flags {
        listen: Some("127.0.0.1:3".into()),
        ..Flags::default()
    };
    let settings = load(Some(file), &env, flags).unwrap();
    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.limits.body_limit, 2048);
    assert_eq!(settings.log_level, "warn");
}

#[test]
fn every_setting_has_a_twin_in_the_environment() {
    let good = |name: &str| match name {
        "database" | "database_listen" => "postgres://u:p@db/campanile",
        "listen" => "0.0.0.0:1",
        "public_url" => "https://c.example",
        "trusted_proxies" => "10.0.0.0/8, ::1",
        "log_format" => "json",
        "log_level" => "debug",
        "traces" => "http://collector.example:4318/v1/traces",
        "traces_share" => "0.25",
        "keep_messages" | "keep_outcomes" | "keep_journal" | "keep_users" => "400 d",
        "http_enabled" => "false",
        "http_nat64" | "http_use_proxy" | "http_proxy_resolves" | "compat_http_wait" | "database_pooled" => "true",
        "compat_api_subscribers" => "any",
        "http_only" => "https://a.example/hooks, https://b.example",
        "http_allow" => "10.0.0.0/8, hooks.internal, *.corp.example",
        "http_ports" => "443, 8000-9000",
        "http_proxy" | "https_proxy" => "http://user:secret@proxy.example:3128",
        "no_proxy" => "localhost, .internal, 10.0.0.0/8",
        "smtp_url" => "smtp://user:secret@mx.example.com:587?tls=opportunistic",
        "mail_from" => "Bell <bell@example.com>",
        "smtp_hello" | "bounce_domain" | "dkim_domain" | "dkim_selector" => "bell.example.com",
        "smtp_connections" => "77",
        "dns" => "192.0.2.53",
        "bounce_listen" => "smtp://[::1]:2525",
        "brand_color" | "brand_color_dark" => "#123456",
        "secret_key" | "admin_password" => "0123456789abcdef0123456789abcdef",
        _ => "7777",
    };
    for setting in settings() {
        let name = format!("CAMPANILE_{}", setting.name.to_ascii_uppercase());
        let settings = load(None, &[(&name, good(setting.name))], Flags::default()).unwrap();
        assert_ne!(settings, Settings::default(), "{name} changes nothing");
    }
}

#[test]
fn a_wrong_key_is_named() {
    let files = [
        "trusted_proxy = []",
        "zebra = 1",
        "listen_file = 'x'",
        "[limits]\nbody_limit = 1",
    ];
    insta::assert_snapshot!(complaints(&files), @r"
    settings file:
      there is no setting `trusted_proxy`; `trusted_proxies` is one
    settings file:
      there is no setting `zebra`
    settings file:
      there is no setting `listen_file`
    settings file:
      there is no setting `limits`
    ");
}

#[test]
fn a_wrong_value_tells_what_is_allowed() {
    let files = [
        "body_limit = '1 MB'",
        "idle_timeout = 0",
        "max_connections = 0",
        "trusted_proxies = ['10.0.0.0/8', 'proxy']",
        "listen = 8480",
        "log_level = 'inof'",
        "log_format = true",
        "public_url = 'campanile.example'",
        "database = { url = 'x' }",
        "database_listen = 'sqlite://x.db'",
        "drain_delay = 'soon'",
    ];
    insta::assert_snapshot!(complaints(&files), @r"
    body_limit (settings file):
      must be a size above 0, such as 65536, 512 KiB, 1 MiB or 2 GiB
    idle_timeout (settings file):
      must be a time above 0 and up to 3660 d, such as 500 ms, 10 s, 5 min, 12 h or 7 d
    max_connections (settings file):
      must be a whole number from 1 to 1000000
    trusted_proxies (settings file):
      an entry is not an address or a block such as 10.0.0.0/8 or fd00::/8
    listen (settings file):
      must be ADDRESS:PORT, such as 127.0.0.1:8480, 0.0.0.0:8480 or [::]:8480
    log_level (settings file):
      must be error, warn, info, debug or trace, or directives such as info,hyper=warn
    log_format (settings file):
      must be text or json
    public_url (settings file):
      must be http://HOST or https://HOST, with a port where needed, and without a path
    database (settings file):
      must be a text, a number, true or false, or a list of texts
    database_listen (settings file):
      must be postgres://USER:PASSWORD@HOST/NAME
    drain_delay (settings file):
      must be a time above 0 and up to 3660 d, such as 500 ms, 10 s, 5 min, 12 h or 7 d, or 0
    ");
}

#[test]
fn every_flag_of_a_setting_sets_it() {
    let flags = Flags {
        database: Some("sqlite://other.db".into()),
        listen: Some("127.0.0.1:3".into()),
        log_format: Some("json".into()),
        config: None,
    };
    let settings = load(None, &[("CAMPANILE_LOG_FORMAT", "text")], flags).unwrap();
    assert_eq!(settings.database.expose(), "sqlite://other.db");
    assert_eq!(settings.log_format, LogFormat::Json);
}

#[test]
fn a_wrong_value_tells_where_it_stands() {
    let env = [("CAMPANILE_LOG_FORMAT", "xml")];
    let error = load(None, &env, Flags::default()).unwrap_err();
    insta::assert_snapshot!(told(&error), @r"
    log_format (environment CAMPANILE_LOG_FORMAT):
      must be text or json
    ");
    let flags = Flags {
        log_format: Some("xml".into()),
        ..Flags::default()
    };
    let error = load(None, &[], flags).unwrap_err();
    insta::assert_snapshot!(told(&error), @r"
    log_format (flag --log-format):
      must be text or json
    ");
    let flags = Flags {
        database: Some("mysql://root:hunter2@db".into()),
        ..Flags::default()
    };
    let error = load(None, &[], flags).unwrap_err();
    insta::assert_snapshot!(told(&error), @r"
    database (flag --database):
      must be sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME
    ");
}

#[test]
fn broken_toml_is_located_without_being_quoted() {
    let error = complaint("listen = '127.0.0.1:1'\nsecret_key = \"hunter2-hunter2");
    assert!(error.starts_with("settings file, line 2:"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn sizes_and_times_are_read_with_their_units() {
    for (text, bytes) in [
        ("65536", 65_536),
        ("512KiB", 524_288),
        ("3 MiB", 3_145_728),
        ("2 GiB", 2_147_483_648),
    ] {
        assert_eq!(value::size(text), Ok(bytes), "{text}");
    }
    for text in ["", "KiB", "0", "-1", "1.5 MiB", "1 kb", "99999999999 GiB", "1 MiB x"] {
        assert!(value::size(text).is_err(), "{text}");
    }
    for (text, ms) in [
        ("250 ms", 250),
        ("10", 10_000),
        ("10s", 10_000),
        ("2 min", 120_000),
        ("1 h", 3_600_000),
    ] {
        assert_eq!(value::span(text), Ok(Duration::from_millis(ms)), "{text}");
    }
    for text in ["", "s", "0 s", "1 m", "4000 d", "18446744073709551615 d"] {
        assert!(value::span(text).is_err(), "{text}");
    }
}

#[test]
fn a_level_is_one_or_directives() {
    for text in ["info", "WARN", "off", "info,campanile::request=warn", "campanile=debug"] {
        assert_eq!(value::log_level(text).as_deref(), Ok(text));
    }
    for text in ["", "loud", "info,loud", "info,", "campanile=loud", "a=b=c"] {
        assert!(value::log_level(text).is_err(), "{text}");
    }
}

#[test]
fn brief_addresses_are_loopback() {
    for (text, address) in [
        (":0", "127.0.0.1:0"),
        ("localhost:80", "127.0.0.1:80"),
        ("[::]:8480", "[::]:8480"),
    ] {
        assert_eq!(value::listen(text).map(|a| a.to_string()).as_deref(), Ok(address));
    }
}

#[test]
fn a_public_url_is_an_origin() {
    assert_eq!(
        value::public_url("https://Campanile.Example:8443/").as_deref(),
        Ok("https://campanile.example:8443")
    );
    for text in [
        "campanile.example",
        "https://a/b",
        "https://a?x",
        "ftp://a",
        "https://u:p@a",
        "https://ä",
        "/",
        "",
    ] {
        assert!(value::public_url(text).is_err(), "{text}");
    }
    let bound = SocketAddr::from(([127, 0, 0, 1], 4711));
    assert_eq!(Settings::default().origin(bound), "http://127.0.0.1:4711");
}

#[test]
fn secrets_are_never_printed() {
    let env = [
        ("CAMPANILE_SECRET_KEY", "hunter2-0123456789abcdef01234567"),
        ("CAMPANILE_ADMIN_PASSWORD", "hunter2-admin"),
        (
            "CAMPANILE_DATABASE",
            "postgres://u:hunter2@db.example/campanile?password=hunter2",
        ),
    ];
    let settings = load(None, &env, Flags::default()).unwrap();
    assert_eq!(
        settings.secret_key.as_ref().unwrap().expose(),
        "hunter2-0123456789abcdef01234567"
    );
    let shown = format!("{settings:?} {}", settings.database);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("postgres://db.example/campanile"), "{shown}");
    for name in ["CAMPANILE_SECRET_KEY", "CAMPANILE_ADMIN_PASSWORD"] {
        let error = load(None, &[(name, "hunter2")], Flags::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_secret_may_come_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "0123456789abcdef0123456789abcdef\n").unwrap();
    let path = file.path().to_str().unwrap();
    let settings = load(None, &[("CAMPANILE_SECRET_KEY_FILE", path)], Flags::default()).unwrap();
    assert_eq!(
        settings.secret_key.unwrap().expose(),
        "0123456789abcdef0123456789abcdef"
    );
    let settings = from_file(&format!("secret_key_file = '{path}'")).unwrap();
    assert!(settings.secret_key.is_some());
}

#[test]
fn a_secret_given_twice_or_missing_is_an_error() {
    let both = [
        ("CAMPANILE_ADMIN_PASSWORD", "password1"),
        ("CAMPANILE_ADMIN_PASSWORD_FILE", "/nowhere"),
    ];
    let error = load(None, &both, Flags::default()).unwrap_err();
    insta::assert_snapshot!(told(&error), @r"
    admin_password (environment CAMPANILE_ADMIN_PASSWORD):
      give either `CAMPANILE_ADMIN_PASSWORD` or `CAMPANILE_ADMIN_PASSWORD_FILE`, not both
    ");
    let error = load(None, &both[1..], Flags::default()).unwrap_err();
    insta::assert_snapshot!(told(&error), @r"
    admin_password (environment CAMPANILE_ADMIN_PASSWORD_FILE):
      the file /nowhere cannot be read: No such file or directory (os error 2)
    ");
}

#[test]
fn only_the_embedded_database_makes_its_own_key() {
    assert_eq!(Settings::default().server_key(), Ok(None));
    let env = [("CAMPANILE_DATABASE", "postgres://db/campanile")];
    let error = load(None, &env, Flags::default())
        .unwrap()
        .server_key()
        .unwrap_err()
        .to_string();
    assert!(error.contains("CAMPANILE_SECRET_KEY_FILE"), "{error}");
}

#[test]
fn the_systems_proxies_are_taken_and_ours_are_stronger() {
    let system = [
        ("https_proxy", "lower.example:1"),
        ("ALL_PROXY", "http://all.example:2"),
        ("NO_PROXY", "localhost"),
    ];
    let proxies = load(None, &system, Flags::default()).unwrap().http.proxies;
    let text = |proxy: &Option<crate::config::Secret>| proxy.as_ref().map(|url| url.expose().to_owned());
    assert_eq!(text(&proxies.https).as_deref(), Some("http://lower.example:1/"));
    assert_eq!(text(&proxies.http).as_deref(), Some("http://all.example:2/"));
    assert_eq!(proxies.no, ["localhost"]);
    let file = Some("https_proxy = 'http://file.example:3'\nhttp_proxy = 'none'\nno_proxy = []");
    let proxies = load(file, &system, Flags::default()).unwrap().http.proxies;
    assert_eq!(text(&proxies.https).as_deref(), Some("http://file.example:3/"));
    assert_eq!(proxies.http, None);
    let env = [
        ("HTTPS_PROXY", "http://a.example"),
        ("CAMPANILE_HTTPS_PROXY", "http://b.example"),
    ];
    let proxies = load(None, &env, Flags::default()).unwrap().http.proxies;
    assert_eq!(text(&proxies.https).as_deref(), Some("http://b.example/"));
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_without_its_password() {
    for wrong in [
        "socks5://proxy:1080",
        "https://u:secret@proxy",
        "http://u:secret@proxy/path",
        "http://",
        "::",
    ] {
        let error = load(None, &[("CAMPANILE_HTTPS_PROXY", wrong)], Flags::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("http://HOST:PORT"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let env = [("HTTPS_PROXY", "http://u:secret@proxy")];
    let settings = load(None, &env, Flags::default()).unwrap();
    assert!(!format!("{settings:?}").contains("secret@"));
}

#[test]
fn a_proxy_of_the_system_that_is_of_no_use_here_is_left_out_and_told() {
    let system = [
        ("ALL_PROXY", "socks5://u:secret@proxy:1080"),
        ("HTTP_PROXY", "http://p"),
    ];
    let proxies = load(None, &system, Flags::default()).unwrap().http.proxies;
    assert!(proxies.https.is_none() && proxies.http.is_some());
    let env = |name: &str| {
        system
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let told = "the variable ALL_PROXY names no proxy that speaks HTTP, and is not used";
    assert_eq!(http::unusable(&env), [told]);
}

#[test]
fn what_messages_may_be_posted_to_is_read() {
    let file =
        "http_only = ['https://a.example/x']\nhttp_allow = '10.0.0.0/8,b.example'\nhttp_ports = '443, 8000-9000'";
    let policy = from_file(file).unwrap().http.policy();
    assert_eq!((policy.only.len(), policy.allow.len()), (1, 2));
    assert_eq!(policy.ports, [443..=443, 8000..=9000]);
    let wrong = [
        "http_ports = '9-8'",
        "http_ports = ''",
        "http_allow = ['10.0.0.0/99']",
        "http_enabled = 1",
    ];
    insta::assert_snapshot!(complaints(&wrong), @r"
    http_ports (settings file):
      must be ports and ranges such as 443, 8000-9000
    http_ports (settings file):
      must be ports and ranges such as 443, 8000-9000
    http_allow (settings file):
      an entry is not an address, a block such as 10.0.0.0/8, a host name, or *. and a name for every name below it
    http_enabled (settings file):
      must be true or false
    ");
}

#[test]
fn what_is_wrong_with_mail_is_said_without_the_password() {
    let wrong = [
        "smtp_url = 'smtp://user:geheim@'",
        "mail_from = 'Bell'",
        "smtp_connections = 0",
        "smtp_hello = 'a b'",
        "bounce_domain = 'ex ample'",
        "bounce_listen = 'smtps://127.0.0.1:25'",
        "brand_color = 'red'",
        "brand_logo = 'http://example.com/a.png'",
        "brand_name = ' '",
    ];
    insta::assert_snapshot!(complaints(&wrong), @r"
    smtp_url (settings file):
      must be smtp://[USER:PASSWORD@]HOST[:PORT], or smtps://…; in USER and PASSWORD, @ is written %40
    mail_from (settings file):
      must be an address, or Name <address>, such as Bell <bell@example.com>
    smtp_connections (settings file):
      must be a whole number from 1 to 1000
    smtp_hello (settings file):
      must be a host name, such as bell.example.com, or an address such as [192.0.2.1]
    bounce_domain (settings file):
      must be a name of the DNS, such as example.com
    bounce_listen (settings file):
      must be lmtp://ADDRESS:PORT or smtp://ADDRESS:PORT
    brand_color (settings file):
      must be a colour such as #8a5a00
    brand_logo (settings file):
      must be https://… or the path of a PNG, JPEG or GIF file
    brand_name (settings file):
      must have 1 to 60 characters in one line
    ");
    let url = [("CAMPANILE_SMTP_URL", "smtp://user:geheim@mx.example.com")];
    let settings = load(None, &url, Flags::default()).unwrap();
    assert!(!format!("{settings:?}").contains("geheim"));
}
