//! What browsers are told about pages of other origins: those of a site may use what its tokens open, and nothing else.

use http::Method;

use super::{ORIGIN, Shop};
use crate::world::{Said, World, each_world};

/// What a browser asks before it sends.
async fn preflight(world: &World, path: &str, origin: &str) -> Said {
    let ask = world.ask(Method::OPTIONS, path).header("origin", origin);
    let ask = ask.header("access-control-request-method", "GET");
    ask.header("access-control-request-headers", "authorization")
        .send()
        .await
}

/// Whether the page of an origin may read an answer.
fn may_read(said: &Said, origin: &str) -> bool {
    let allowed = said.header("access-control-allow-origin");
    assert!(allowed.is_empty() || allowed == origin, "{allowed}");
    assert_eq!(said.header("access-control-allow-credentials"), "");
    assert_eq!(
        !allowed.is_empty(),
        said.headers.get_all("vary").iter().any(|vary| vary == "origin")
    );
    !allowed.is_empty()
}

#[test]
fn a_browser_that_asks_first_is_told_what_pages_of_a_site_may_send() {
    each_world(async |world| {
        let _shop = Shop::new(world).await;
        let said = preflight(world, "/api/v1/inbox", ORIGIN).await.is(204);
        assert!(may_read(&said, ORIGIN));
        assert_eq!(said.header("access-control-allow-methods"), "GET, POST");
        assert_eq!(said.header("access-control-max-age"), "600");
        let headers: Vec<_> = said.header("access-control-allow-headers").split(", ").collect();
        for wanted in [
            "authorization",
            "content-type",
            "if-none-match",
            "last-event-id",
            "campanile-part",
        ] {
            assert!(headers.contains(&wanted), "{headers:?}");
        }
        let said = preflight(world, "/inbox/7/read", ORIGIN).await.is(204);
        assert_eq!(said.header("access-control-allow-methods"), "POST");
    });
}

#[test]
fn nothing_is_said_to_pages_of_others_and_of_what_is_not_open() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        for origin in [
            "https://evil.example",
            "https://shop.example.com:8443",
            "http://shop.example.com",
            "null",
        ] {
            assert!(!may_read(
                &preflight(world, "/api/v1/inbox", origin).await.is(405),
                origin
            ));
            let said = world.get("/api/v1/inbox").header("origin", origin).send().await.is(401);
            assert!(!may_read(&said, origin));
        }
        for path in [
            "/api/v1/messages",
            "/api/v1/me/tokens",
            "/login",
            "/me",
            "/nowhere",
            "/v3/messages",
            "/metrics",
        ] {
            assert!(!may_read(&preflight(world, path, ORIGIN).await, ORIGIN), "{path}");
        }
        let own = preflight(world, "/api/v1/inbox", "http://campanile.test").await.is(405);
        assert!(!may_read(&own, "http://campanile.test"));
        shop.admin.delete(&shop.path()).await.is(204);
        assert!(!may_read(
            &preflight(world, "/api/v1/inbox", ORIGIN).await.is(405),
            ORIGIN
        ));
    });
}

#[test]
fn answers_and_refusals_can_be_read_by_pages_of_a_site() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let token = shop.token("u-ann");
        for (path, status) in [
            ("/api/v1/inbox", 200),
            ("/api/v1/inbox?limit=none", 400),
            ("/api/v1/inbox/999", 404),
            ("/inbox", 200),
            ("/inbox/999", 404),
            ("/bell", 200),
            ("/banners", 200),
        ] {
            let ask = world.get(path).bearer(&token).header("origin", ORIGIN);
            let said = ask.send().await.is(status);
            assert!(may_read(&said, ORIGIN), "{path}");
            assert_eq!(
                said.header("access-control-expose-headers"),
                "etag, retry-after, x-request-id"
            );
        }
        for path in ["/api/v1/inbox", "/inbox", "/bell", "/banners"] {
            let ask = world.get(path).bearer("a.b.c").header("origin", ORIGIN);
            assert!(may_read(&ask.send().await.is(401), ORIGIN), "{path}");
        }
    });
}

#[test]
fn a_token_is_good_on_pages_of_its_own_site_alone_and_without_a_page() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let other = serde_json::json!({"name": "Other", "origins": ["https://other.example", "https://both.example"]});
        shop.admin.post("/api/v1/sites", &other).await.is(201);
        let both = serde_json::json!({"origins": [ORIGIN, "https://both.example"]});
        shop.admin.patch(&shop.path(), &both).await.is(200);
        let token = shop.token("u-ann");
        let from = async |origin: &str| {
            let ask = world.get("/api/v1/inbox").bearer(&token).header("origin", origin);
            ask.send().await
        };
        for origin in [ORIGIN, "https://both.example"] {
            assert!(may_read(&from(origin).await.is(200), origin));
        }
        let refused = from("https://other.example").await.is(403);
        assert!(
            may_read(&refused, "https://other.example"),
            "so that the page can say so"
        );
        assert!(refused.detail().contains("origin"), "{}", refused.body);
        assert!(!may_read(
            &from("https://evil.example").await.is(403),
            "https://evil.example"
        ));
        from("null").await.is(403);
        from("http://campanile.test").await.is(403);
        let back = serde_json::json!({"origins": []});
        shop.admin.patch(&shop.path(), &back).await.is(200);
        from(ORIGIN).await.is(403);
        world.get("/api/v1/inbox").bearer(&token).send().await.is(200);
    });
}

#[test]
fn a_page_of_a_site_does_something_with_a_message() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let id = shop.publish("u-ann", "For Ann").await;
        let token = shop.token("u-ann");
        let ask = world
            .post(&format!("/inbox/{id}/archive"))
            .bearer(&token)
            .header("origin", ORIGIN);
        let ask = ask.header("sec-fetch-site", "cross-site");
        let said = ask
            .header("content-type", "application/x-www-form-urlencoded")
            .body("back=/inbox")
            .send()
            .await
            .is(303);
        assert!(may_read(&said, ORIGIN));
        let inbox = world
            .get("/api/v1/inbox?view=archived")
            .bearer(&token)
            .send()
            .await
            .is(200);
        assert_eq!(inbox.json()["items"][0]["title"], "For Ann");
    });
}

#[test]
fn who_came_by_a_header_is_led_to_no_log_in() {
    each_world(async |world| {
        let said = world.get("/inbox").bearer("a.b.c").send().await.is(401);
        assert_eq!(said.header("location"), "");
        world.get("/inbox").send().await.is(303);
    });
}
