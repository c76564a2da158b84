//! Sites in the console, as a browser without scripts meets them.

use campanile_core::id::PersonId;

use crate::directory::Client;
use crate::sites::{ORIGIN, Shop, claims, hs256};
use crate::world::{Said, World, each_world};

async fn get(world: &World, path: &str) -> Said {
    let admin = world.admin().await;
    world.get(path).bearer(&admin).send().await
}

async fn post(world: &World, path: &str, fields: &[(&str, &str)]) -> Said {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let ask = world.post(path).bearer(&world.admin().await);
    let ask = ask.header("content-type", "application/x-www-form-urlencoded");
    ask.body(body).send().await
}

#[track_caller]
fn shows(page: &Said, texts: &[&str]) {
    for text in texts {
        assert!(page.body.contains(text), "{text:?} is not in {}", page.body);
    }
}

#[track_caller]
fn hides(page: &Said, texts: &[&str]) {
    for text in texts {
        assert!(!page.body.contains(text), "{text:?} is in {}", page.body);
    }
}

/// What stands between two texts of a page.
fn between<'p>(page: &'p Said, before: &str, after: &str) -> &'p str {
    let (_, rest) = page.body.split_once(before).expect(before);
    rest.split_once(after).expect(after).0
}

#[test]
fn an_administrator_makes_a_site_and_a_key_and_its_token_is_good() {
    each_world(async |world| {
        shows(&get(world, "/sites").await.is(200), &["No sites yet", "New site"]);
        get(world, "/sites/new").await.is(200);
        let fields = [
            ("name", "Shop"),
            ("origins", "https://Shop.example.com\r\nhttp://localhost:3000\r\n"),
        ];
        let made = post(world, "/sites/new", &fields).await.is(303);
        let (path, _) = made.header("location").split_once('?').unwrap();
        let page = get(world, made.header("location")).await.is(200);
        shows(
            &page,
            &[
                "Add a key next",
                "https://shop.example.com",
                "http://localhost:3000",
                "No key yet",
                "Everybody",
            ],
        );
        let keys = format!("{path}/keys");
        let page = post(world, &keys, &[("algorithm", "HS256"), ("public_key", "")])
            .await
            .is(200);
        let secret = between(&page, "data-text aria-labelledby=\"secret\">", "<").to_owned();
        let key = between(&page, "(kid): <code>", "<").to_owned();
        shows(&page, &["not shown again", "\"aud\": \"http://campanile.test\""]);
        hides(&get(world, path).await.is(200), &[&secret]);
        let header = serde_json::json!({"alg": "HS256", "kid": key});
        let token = hs256(secret.as_bytes(), &header, &claims("admin"));
        world
            .get("/bell")
            .bearer(&token)
            .header("origin", ORIGIN)
            .send()
            .await
            .is(200);
        world.app.settle().await;
        shows(&get(world, "/sites").await.is(200), &["Shop", "last used"]);
        let asked = get(world, &format!("{keys}/{key}/end")).await.is(200);
        shows(&asked, &["Somebody last came by it"]);
        let ended = post(world, &format!("{keys}/{key}/end"), &[]).await.is(303);
        shows(
            &get(world, ended.header("location")).await.is(200),
            &["The key has ended", "No key yet"],
        );
        world.get("/bell").bearer(&token).send().await.is(401);
        shows(&get(world, &format!("{path}/end")).await.is(200), &["End Shop?"]);
        let ended = post(world, &format!("{path}/end"), &[]).await.is(303);
        shows(&get(world, ended.header("location")).await.is(200), &["No sites yet"]);
        get(world, path).await.is(404);
    });
}

#[test]
fn what_is_refused_stands_beside_its_field_with_what_was_typed() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let fields = [
            ("name", "shop"),
            ("origins", "https://*.example.com"),
            ("customer", "Acme"),
        ];
        let page = post(world, "/sites/new", &fields).await.is(422);
        shows(
            &page,
            &[
                "another site has this name",
                "https://*.example.com: must name one host",
                "there is no such customer",
                "value=\"Acme\"",
                "id=\"origins-fault\"",
            ],
        );
        let path = format!("/sites/{}/keys", shop.id);
        let page = post(world, &path, &[("algorithm", "ES256"), ("public_key", "nonsense")])
            .await
            .is(422);
        shows(
            &page,
            &[
                "must be a public key",
                "nonsense</textarea>",
                "<option value=\"ES256\" selected>",
            ],
        );
    });
}

#[test]
fn a_site_is_changed_and_all_that_was_said_of_it_stands_in_the_form() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let path = format!("/sites/{}/edit", shop.id);
        shows(&get(world, &path).await.is(200), &["value=\"Shop\"", ORIGIN]);
        let fields = [("name", "Shops"), ("origins", ""), ("customer", "17")];
        let changed = post(world, &path, &fields).await.is(303);
        let page = get(world, changed.header("location")).await.is(200);
        shows(
            &page,
            &["Shops", "People of Acme", "its tokens come from servers and apps"],
        );
        shows(&get(world, &path).await.is(200), &["value=\"17\""]);
    });
}

#[test]
fn sites_are_for_who_administers_the_installation() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        shows(&get(world, "/inbox").await.is(200), &["href=\"/sites\""]);
        let admin = Client::admin(world).await;
        let ann = admin.get("/api/v1/users/u-ann").await.is(200).json();
        let token = world.token(PersonId(ann["number"].as_i64().unwrap())).await;
        for path in ["/sites", "/sites/new", &format!("/sites/{}", shop.id)] {
            world.get(path).bearer(&token).send().await.is(403);
        }
        hides(&world.get("/inbox").bearer(&token).send().await.is(200), &["/sites"]);
    });
}

#[test]
fn what_the_rules_say_is_said_in_german() {
    each_world(async |world| {
        let ask = world.post("/sites/new").bearer(&world.admin().await);
        let ask = ask
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept-language", "de");
        let page = ask
            .body("name=&origins=http%3A%2F%2Fshop.example.com")
            .send()
            .await
            .is(422);
        shows(
            &page,
            &[
                "http://shop.example.com: muss mit https:// beginnen",
                "Origins ihrer Seiten",
            ],
        );
    });
}
