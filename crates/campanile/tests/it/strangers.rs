//! What strangers send: requests made up from the API's own document, and without it, by somebody who may do
//! everything, so that they go as deep as they can. Whatever comes, the answer is none of a server that is at fault,
//! and a refusal says what is wrong in the shape that is promised.
//!
//! Seeded: the same requests at every run. `PROPTEST_CASES` asks for more of them.

use std::collections::BTreeMap;

use http::Method;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::directory::Client;
use crate::world::{ADMIN_PASSWORD, World, each_world};

/// Of 256 cases, which is what is run unless the environment asks for more: requests of an operation.
const OF_OPERATION: u32 = 12;
/// And of a page or of another interface's path.
const OF_PATH: u32 = 8;

/// Gives values of strategies, the same ones each time.
struct Dice {
    runner: TestRunner,
}

impl Dice {
    fn new() -> Self {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        Self {
            runner: TestRunner::new_with_rng(Config::default(), rng),
        }
    }

    fn roll<S: Strategy>(&mut self, strategy: &S) -> S::Value {
        strategy.new_tree(&mut self.runner).unwrap().current()
    }

    /// How many requests, where 256 cases are so many.
    fn count(of: u32) -> u32 {
        (Config::default().cases * of / 256).max(1)
    }
}

/// Texts that have meant something else in other hands.
#[rustfmt::skip]
const ODD: &[&str] = &[
    "", " ", "-1", "9223372036854775807", "9223372036854775808", "1e400", "NaN", "null", "0x10", "\u{0}", "a\u{0}b",
    "\r\nX: y", "\u{202e}", "\u{feff}", "ﷺ", "İ", "🔔", "' OR 1=1 --", "\"", "\\", "%", "%00", "_", "..", "../..",
    "<svg/onload=1>", "{{7*7}}", "${x}", "[b]", "[link=javascript:1]x[/link]", "=1+1", "http://127.0.0.1/", "*", "/",
    "http://[::1]:99999/", "https://user:pw@example.com:0/?a#b", "javascript:1", "9999-12-31T23:59:59.999999999Z",
    "-0001-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "2026-02-30T00:00:00+99:99", "bell@example.com", "//", "?", ";",
    "@", "a@b@c", "Bearer x", "\u{7f}", "\t",
];
/// Ids and names of what is there.
#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "admin", "u-ann", "ann", "pets", "shop", "g-1", "s-1", "17", "1", "2", "DEFAULT", "ENVIRONMENT", "API", "ADMIN",
    "USER", "email", "http", "portal", "read", "users", "apis", "de", "Europe/Berlin", "2026-01-01T00:00:00Z", "true",
];

/// Texts that are none, or too much, or something else in other hands; and what is there.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        8 => select(KNOWN).prop_map(str::to_owned),
        2 => select(ODD).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => (select(&["a", "ü", "\n", "[", "<b>", "%"][..]), 1_usize..6_000).prop_map(|(of, n)| of.repeat(n)),
    ]
    .boxed()
}

/// Times, most of them real ones.
fn time() -> BoxedStrategy<String> {
    let times = [
        "2023-11-14T22:13:20Z",
        "2026-01-01T00:00:00Z",
        "2024-02-29T12:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "x",
    ];
    select(times.to_vec()).prop_map(str::to_owned).boxed()
}

/// Anything that JSON can say, a few levels deep.
fn junk() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(text(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
    .boxed()
}

fn number() -> BoxedStrategy<Value> {
    prop_oneof![
        6 => select(&[0, 1, 2, 17, 100][..]).prop_map(Value::from),
        2 => select(&[-1, 101, 1 << 31, (1 << 31) - 1, 1 << 53, i64::MIN, i64::MAX][..]).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => select(vec![json!(1e300), json!(u64::MAX)]),
    ]
    .boxed()
}

/// What a schema of the document asks for, more or less: a part of it is junk.
fn like(document: &Value, schema: &Value, depth: u32) -> BoxedStrategy<Value> {
    let meant = meant(document, schema, depth);
    prop_oneof![29 => meant, 1 => junk()].boxed()
}

fn meant(document: &Value, schema: &Value, depth: u32) -> BoxedStrategy<Value> {
    if depth == 0 {
        return Just(Value::Null).boxed();
    }
    if let Some(name) = schema["$ref"].as_str() {
        let path = name.trim_start_matches('#');
        return meant(document, document.pointer(path).unwrap(), depth);
    }
    for one_of in ["oneOf", "anyOf"] {
        if let Some(all) = schema[one_of].as_array() {
            let all = all
                .iter()
                .map(|one| meant(document, one, depth - 1))
                .collect::<Vec<_>>();
            return proptest::strategy::Union::new(all).boxed();
        }
    }
    if let Some(all) = schema["allOf"].as_array() {
        let all = all
            .iter()
            .map(|one| meant(document, one, depth - 1))
            .collect::<Vec<_>>();
        return all.prop_map(merged).boxed();
    }
    if let Some(values) = schema["enum"].as_array() {
        return select(values.clone()).boxed();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default(),
        other => other.clone(),
    };
    match kind.as_str() {
        Some("object") => object(document, schema, depth),
        Some("array") => proptest::collection::vec(like(document, &schema["items"], depth - 1), 0..4)
            .prop_map(Value::from)
            .boxed(),
        Some("integer" | "number") => number(),
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        Some("string") if schema["format"] == "date-time" => time().prop_map(Value::from).boxed(),
        Some("string") => text().prop_map(Value::from).boxed(),
        _ => junk(),
    }
}

fn object(document: &Value, schema: &Value, depth: u32) -> BoxedStrategy<Value> {
    let needed: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
    let fields = schema["properties"].as_object().into_iter().flatten();
    let fields: Vec<_> = fields
        .map(|(name, schema)| {
            let is_there = if needed.iter().any(|one| *one == name) {
                0.95
            } else {
                0.4
            };
            (
                Just(name.clone()),
                proptest::option::weighted(is_there, like(document, schema, depth - 1)),
            )
        })
        .collect();
    let more = proptest::option::weighted(0.03, (text(), junk()));
    (fields, more)
        .prop_map(|(fields, more)| {
            let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
            Value::Object(fields.chain(more).collect())
        })
        .boxed()
}

fn merged(all: Vec<Value>) -> Value {
    let maps = all.into_iter().filter_map(|one| match one {
        Value::Object(fields) => Some(fields),
        _ => None,
    });
    Value::Object(maps.flatten().collect())
}

/// A text as a part of a path or a query.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// Queries, with names of fields or without sense.
fn query(names: Vec<String>) -> BoxedStrategy<String> {
    let name = prop_oneof![19 => select(names), 1 => text()];
    let pair = (name, text()).prop_map(|(name, value)| format!("{}={}", encoded(&name), encoded(&value)));
    let pairs = proptest::collection::vec(pair, 0..3).prop_map(|pairs| pairs.join("&"));
    prop_oneof![19 => pairs, 1 => select(&["%", "%zz", "&&=", "%ff=%ff", "a=%00", "=", "cursor", "a[]=1&a[]=2"][..])
        .prop_map(str::to_owned)]
    .boxed()
}

/// A path with something in the place of its parameters: mostly the id of something that is there.
fn filled(path: &str, dice: &mut Dice) -> String {
    let (mut out, mut of) = (String::new(), "");
    for part in path.split('/').skip(1) {
        out.push('/');
        let ids: &[&str] = match of {
            "users" => &["u-ann", "admin"],
            "customers" => &["17"],
            "groups" => &["g-1"],
            "apis" => &["pets"],
            "applications" => &["shop"],
            "subscriptions" => &["s-1"],
            "environments" => &["DEFAULT"],
            "messages" | "inbox" | "endpoints" => &["1", "2"],
            "roles" => &["ENVIRONMENT", "API"],
            "addressable" => &["people", "apis"],
            _ => &["USER", "email", "read"],
        };
        let id = prop_oneof![6 => select(ids).prop_map(str::to_owned), 1 => text()];
        out.push_str(&if part.starts_with('{') {
            encoded(&dice.roll(&id))
        } else {
            part.to_owned()
        });
        of = part;
    }
    out
}

/// An address, no longer than one can be at all.
fn address(path: &str, names: &[String], dice: &mut Dice) -> String {
    let mut at = format!("{}?{}", filled(path, dice), dice.roll(&query(names.to_vec())));
    at.truncate(60_000);
    at
}

/// What an operation is asked with, as the document says, more or less.
fn asked(document: &Value, operation: &Value, dice: &mut Dice) -> String {
    let mut pairs = Vec::new();
    for one in operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["in"] == "query")
    {
        let is_there = one["required"] == true || dice.roll(&(0..4)) == 0;
        if is_there {
            let value = match dice.roll(&like(document, &one["schema"], 3)) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            pairs.push(format!(
                "{}={}",
                encoded(one["name"].as_str().unwrap()),
                encoded(&value)
            ));
        }
    }
    if dice.roll(&(0..20)) == 0 {
        pairs.push(dice.roll(&query(vec!["nothing".into()])));
    }
    pairs.join("&")
}

/// What stands there, so that ids lead somewhere.
async fn world(admin: &Client<'_>) {
    let lines = [
        json!({"kind": "customer", "id": 17, "name": "Acme"}),
        json!({"kind": "user", "id": "u-ann", "login": "ann", "name": "Ann", "email": "a@example.com", "customer": 17}),
        json!({"kind": "group", "id": "g-1", "name": "Team"}),
        json!({"kind": "api", "id": "pets", "name": "Pets", "environment": "DEFAULT"}),
        json!({"kind": "application", "id": "shop", "name": "Shop", "environment": "DEFAULT"}),
        json!({"kind": "subscription", "id": "s-1", "api": "pets", "application": "shop", "status": "ACCEPTED",
            "subscribed_by": "u-ann"}),
        json!({"kind": "membership", "user": "u-ann", "on": {"environment": "DEFAULT"}, "role": "USER"}),
    ];
    let file: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let ask = admin.world.post("/api/v1/directory/import").bearer(&admin.token);
    ask.body(file.join("\n")).send().await.is(200);
    for channels in [json!(["portal"]), json!(["portal", "banner"])] {
        let draft =
            json!({"title": "Hello", "text": "Text.", "channels": channels, "audience": [{"kind": "everyone"}]});
        admin.post("/api/v1/messages", &draft).await.is(201);
    }
}

/// The parts of the document by tag, so that no world is too much changed by what came before.
fn by_tag(document: &Value) -> BTreeMap<String, Vec<(Method, String, Value)>> {
    let mut tags: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // A stream that it lets in never ends.
            if path == "/api/v1/live" {
                continue;
            }
            let method = method.to_uppercase().parse().unwrap();
            let tag = operation["tags"][0].as_str().unwrap().to_owned();
            tags.entry(tag)
                .or_default()
                .push((method, path.clone(), operation.clone()));
        }
    }
    tags
}

async fn sends(
    world: &World,
    dice: &mut Dice,
    document: &Value,
    (method, path, operation): &(Method, String, Value),
    token: &str,
) {
    let content = operation["requestBody"]["content"].as_object();
    let body = match content.and_then(|content| content.get("application/json")) {
        Some(of) => like(document, &of["schema"], 6),
        None => junk(),
    };
    let mut at = format!("{}?{}", filled(path, dice), asked(document, operation, dice));
    at.truncate(60_000);
    let body = dice.roll(&body).to_string();
    let told = format!("{method} {at}\n{body}");
    let ask = world.ask(method.clone(), &at).bearer(token);
    let said = ask.header("content-type", "application/json").body(body).send().await;
    assert!(said.status.as_u16() < 500, "{told}\n{said:?}");
    if said.status.is_client_error() {
        assert_eq!(
            said.header("content-type"),
            "application/problem+json",
            "{told}\n{said:?}"
        );
        let problem = said.json();
        assert_eq!(problem["status"], said.status.as_u16(), "{told}\n{problem}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{told}\n{problem}");
        if said.status == 422 {
            assert!(
                problem["errors"].as_array().is_some_and(|errors| !errors.is_empty()),
                "{told}\n{problem}"
            );
        }
    }
}

#[test]
fn whatever_the_document_lets_one_ask_is_answered_or_refused_in_its_words() {
    let document = serde_json::to_value(campanile::api::document()).unwrap();
    let document = &document;
    for operations in by_tag(document).values() {
        each_world(async |world| {
            let (mut dice, admin) = (Dice::new(), Client::admin(world).await);
            self::world(&admin).await;
            let mut token = admin.token;
            for operation in operations {
                for _ in 0..Dice::count(OF_OPERATION) {
                    token = still(world, token).await;
                    sends(world, &mut dice, document, operation, &token).await;
                }
            }
        });
    }
}

/// A token of whoever may do everything, who stays whatever is done: this one, unless it was revoked.
async fn still(world: &World, token: String) -> String {
    let is_in = async |token: &str| world.get("/api/v1/users").bearer(token).send().await.status == 200;
    if is_in(&token).await {
        return token;
    }
    let token = world.admin().await;
    assert!(is_in(&token).await, "the last administrator is one no more");
    token
}

/// Pages of the console, and paths of the other interfaces, with what they take; `{}` in the place of what is named.
#[rustfmt::skip]
const PATHS: &[&str] = &[
    "/", "/announcements", "/announcements/customers", "/announcements/new", "/announcements/new/aside",
    "/announcements/year", "/announcements/{}/delete", "/announcements/{}/edit", "/announcements/{}/edit/aside",
    "/announcements/{}/switch", "/apis/{}/messages", "/apis/{}/messages/new", "/banners", "/bell", "/bell/button",
    "/directory", "/directory/add/{}", "/directory/find/{}", "/directory/memberships/end", "/directory/roles/{}/{}",
    "/directory/roles/{}/{}/edit", "/directory/roles/{}/{}/end", "/directory/users/{}/erase",
    "/directory/users/{}/password", "/directory/{}", "/directory/{}/{}", "/directory/{}/{}/edit",
    "/directory/{}/{}/end", "/directory/{}/{}/groups", "/directory/import", "/endpoints", "/endpoints/new",
    "/endpoints/{}", "/endpoints/{}/edit", "/inbox", "/inbox/{}", "/inbox/{}/{}", "/journal", "/login", "/me",
    "/me/devices/{}", "/me/mail", "/me/password", "/me/sessions/{}/end", "/me/tokens", "/messages", "/messages/new",
    "/messages/new/aside", "/messages/new/find", "/messages/{}", "/messages/{}/changes", "/messages/{}/correct",
    "/messages/{}/deliveries", "/messages/{}/people", "/messages/{}/people.csv", "/messages/{}/recall",
    "/messages/{}/resend", "/sites", "/sites/new", "/sites/{}", "/sites/{}/edit", "/sites/{}/keys", "/suppressions",
    "/suppressions/remove", "/u/{}", "/v3/messages", "/V3/Messages/", "/v3/messages/{}", "/v3/users", "/v3/users/{}",
    "/v3/customers", "/v3/customers/{}", "/v3/customers/{}/subscription", "/v3/roles", "/management/user",
    "/management/user/login", "/management/user/notifications", "/management/user/notifications/{}",
    "/management/user/tokens", "/management/organizations/{}/environments/{}/messages",
    "/management/organizations/DEFAULT/environments/DEFAULT/messages",
    "/management/organizations/DEFAULT/environments/DEFAULT/apis/{}/messages",
    "/management/organizations/DEFAULT/environments/DEFAULT/configuration/rolescopes/{}/roles",
    "/management/organizations/DEFAULT/environments/DEFAULT/apis", "/portal/environments/DEFAULT/user",
    "/portal/environments/DEFAULT/user/notifications", "/{}", "/api/v1/{}", "/v3/{}", "/management/{}",
];

/// Fields of the forms and bodies behind [`PATHS`].
#[rustfmt::skip]
const FIELDS: &[&str] = &[
    "title", "text", "role", "scope", "kind", "audience", "customer", "api", "user", "on", "channels", "importance",
    "opens_at", "closes_at", "from", "to", "login", "password", "name", "email", "id", "limit", "cursor", "before",
    "q", "view", "active", "customerId", "auth_ticket", "message", "message_importance", "enabled", "active_period",
    "channel", "recipient", "params", "locale", "zone", "origins", "url", "headers", "done", "undo", "page", "size",
    "year",
];

/// A body of some type, right or wrong for it.
fn body(document: &Value) -> BoxedStrategy<(&'static str, Vec<u8>)> {
    let schemas = document["components"]["schemas"].as_object().unwrap().values();
    let some = select(schemas.cloned().collect::<Vec<_>>());
    let document = document.clone();
    let field = select(FIELDS).prop_map(str::to_owned);
    let object = proptest::collection::btree_map(field.clone(), junk(), 0..6).prop_map(|map| json!(map));
    let shaped = some.prop_flat_map(move |schema| meant(&document, &schema, 4));
    let json =
        prop_oneof![object, shaped, junk()].prop_map(|value| ("application/json", value.to_string().into_bytes()));
    let form = query(FIELDS.iter().map(|field| (*field).to_owned()).collect())
        .prop_map(|text| ("application/x-www-form-urlencoded", text.into_bytes()));
    let parts = (field, text()).prop_map(|(name, value)| {
        let body =
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n{value}\r\n--X--");
        ("multipart/form-data; boundary=X", body.into_bytes())
    });
    let raw = (
        select(
            &[
                "application/json",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
                "text/xml",
                "",
                "\u{b5}",
            ][..],
        ),
        proptest::collection::vec(any::<u8>(), 0..200),
    );
    prop_oneof![3 => json, 4 => form, 1 => parts, 1 => raw].boxed()
}

#[test]
fn whatever_is_asked_of_pages_and_other_interfaces_is_no_fault_of_the_server() {
    let document = serde_json::to_value(campanile::api::document()).unwrap();
    let bodies = body(&document);
    each_world(async |world| {
        let (mut dice, admin) = (Dice::new(), Client::admin(world).await);
        self::world(&admin).await;
        let names: Vec<String> = FIELDS.iter().map(|field| (*field).to_owned()).collect();
        let mut token = admin.token;
        for path in PATHS {
            for _ in 0..Dice::count(OF_PATH) {
                token = still(world, token).await;
                let at = address(path, &names, &mut dice);
                let method = dice.roll(&select(&["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"][..]));
                let (media, body) = dice.roll(&bodies);
                let told = format!("{method} {at}\n{media}\n{}", String::from_utf8_lossy(&body));
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let ask = world.ask(method, &at).header("content-type", media);
                let ask = match dice.roll(&(0..4)) {
                    0 => ask,
                    1 => ask.basic("admin", ADMIN_PASSWORD),
                    _ => ask.bearer(&token),
                };
                let said = ask.body(body).send().await;
                assert!(said.status.as_u16() < 500, "{told}\n{said:?}");
            }
        }
    });
}

/// Lines of a directory file, each something like one.
fn line(document: &Value) -> BoxedStrategy<String> {
    let kinds = [
        "customer",
        "environment",
        "user",
        "role",
        "group",
        "api",
        "application",
        "subscription",
        "membership",
        "remove",
    ];
    let field = select(
        &[
            "id",
            "name",
            "parent",
            "login",
            "email",
            "customer",
            "scope",
            "permissions",
            "environment",
            "groups",
            "api",
            "application",
            "status",
            "subscribed_by",
            "starting_at",
            "user",
            "on",
            "role",
            "of",
            "password",
        ][..],
    );
    let fields = proptest::collection::btree_map(
        field.prop_map(str::to_owned),
        prop_oneof![
            5 => text().prop_map(Value::from), 2 => number(), 1 => junk(),
            1 => meant(document, &json!({"$ref": "#/components/schemas/On"}), 3),
        ],
        0..6,
    );
    let entry = (select(kinds.to_vec()), fields).prop_map(|(kind, fields)| {
        let mut entry = json!(fields);
        entry["kind"] = json!(kind);
        entry.to_string()
    });
    prop_oneof![8 => entry, 1 => junk().prop_map(|value| value.to_string()), 1 => any::<String>()].boxed()
}

#[test]
fn whatever_a_directory_file_holds_is_taken_or_named_by_its_line() {
    let document = serde_json::to_value(campanile::api::document()).unwrap();
    let lines = proptest::collection::vec(line(&document), 1..40);
    each_world(async |world| {
        let (mut dice, admin) = (Dice::new(), Client::admin(world).await);
        self::world(&admin).await;
        let mut token = admin.token;
        for round in 0..Dice::count(40) {
            token = still(world, token).await;
            let file = dice.roll(&lines).join("\n");
            let at = format!("/api/v1/directory/import?dry_run={}", round % 2 == 0);
            let ask = world.post(&at).bearer(&token);
            let said = ask
                .header("content-type", "application/x-ndjson")
                .body(file.clone())
                .send()
                .await;
            assert!(said.status.as_u16() < 500, "{file}\n{said:?}");
        }
    });
}
