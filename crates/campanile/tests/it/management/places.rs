//! Addresses: their roots, organization and environment, and what is nowhere.

use http::Method;
use serde_json::json;

use super::site::Site;
use super::{ENV, ORG, PORTAL, portal_refusal, refused};
use crate::world::each_world;

#[test]
fn what_is_the_users_own_is_below_every_root() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for root in [
            ORG,
            ENV,
            "/management/v1/organizations/DEFAULT",
            "/management/v1/organizations/DEFAULT/environments/DEFAULT",
            "/management/organizations/DEFAULT/environments/TEST",
        ] {
            let said = site.get(&format!("{root}/user"), "plain").await.is(200);
            assert_eq!(said.json()["id"], json!("u-plain"), "{root}");
            assert_eq!(said.header("cache-control"), "no-store");
            for path in ["user/notifications", "user/tokens"] {
                site.get(&format!("{root}/{path}"), "plain").await.is(200);
            }
            site.logs_in(&format!("{root}/user/login")).await;
        }
    });
}

#[test]
fn an_organization_or_environment_that_is_not_there_is_refused_before_anybody_is_asked() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for path in [
            "/management/organizations/NONE/user",
            "/management/organizations/default/user",
            "/management/organizations/NONE/console",
            "/management/organizations/NONE/user/login",
            "/management/v1/organizations/NONE/environments/DEFAULT/user",
            "/management/organizations/DEFAULT/environments/NONE/user",
            "/management/organizations/DEFAULT/environments/%00/user",
            "/management/organizations/DEFAULT/environments/%FF/user",
            "/management/organizations/%FF/user",
        ] {
            let method = if path.ends_with("login") {
                Method::POST
            } else {
                Method::GET
            };
            for who in ["", "admin"] {
                let said = site.ask(method.clone(), path, who).send().await;
                refused(said, 400, "", "Invalid organization or environment");
            }
        }
        let said = world.get("/portal/environments/NONE/user").send().await;
        assert_eq!(portal_refusal(&said).0, 400);
    });
}

#[test]
fn what_is_nowhere_is_refused_in_the_shape_of_the_interface() {
    each_world(async |world| {
        let nowhere = "there is nothing at this address";
        for path in [
            "/management",
            "/management/",
            "/management/nothing",
            "/management/organizations/DEFAULT",
            "/management/organizations/DEFAULT/nothing",
            "/management/organizations/DEFAULT/User",
        ] {
            let ask = world.get(path).header("accept", "text/html");
            // A browser that goes there is told the same.
            let said = ask.header("sec-fetch-mode", "navigate").send().await;
            refused(said, 404, "", nowhere);
        }
        for path in ["/portal", "/portal/nothing", "/portal/environments/DEFAULT/nothing"] {
            let said = world.get(path).send().await;
            assert_eq!(portal_refusal(&said), (404, json!("errors.unexpected"), json!(nowhere)));
        }
        let said = world
            .ask(Method::PATCH, &format!("{ORG}/user/tokens"))
            .send()
            .await
            .is(405);
        assert_eq!(said.json()["http_status"], json!(405));
        assert_eq!(said.header("allow"), "GET,HEAD,POST,DELETE");
        let said = world.ask(Method::PATCH, &format!("{PORTAL}/user")).send().await;
        assert_eq!(portal_refusal(&said).0, 405);
        // What is not of this contract is as it was.
        for path in ["/managements", "/portals", "/nowhere"] {
            let said = world.get(path).send().await.is(404);
            assert_eq!(said.json()["type"], json!("/problems/missing"), "{path}");
        }
    });
}

#[test]
fn an_id_that_nothing_can_have_is_of_nothing() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for id in ["%FF", "%C3", "%00", "%", "a%FFb", "%F0%9F%94%94", "%2e%2e"] {
            for (method, path, code) in [
                (
                    Method::DELETE,
                    format!("{ORG}/user/notifications/{id}"),
                    "notification.portal.notFound",
                ),
                (Method::DELETE, format!("{ORG}/user/tokens/{id}"), "tokenId.notFound"),
                (Method::GET, format!("{ORG}/configuration/rolescopes/{id}/roles"), ""),
                (Method::GET, format!("{ENV}/apis/{id}"), "api.notFound"),
                (Method::GET, format!("{ENV}/apis/{id}/members"), "api.notFound"),
                (Method::GET, format!("{ENV}/apis/{id}/subscriptions"), "api.notFound"),
                (Method::POST, format!("{ENV}/apis/{id}/messages"), "api.notFound"),
                (Method::GET, format!("{ENV}/applications/{id}"), "application.notFound"),
                (
                    Method::GET,
                    format!("{ENV}/applications/{id}/members"),
                    "application.notFound",
                ),
            ] {
                let said = site.ask(method, &path, "admin").send().await.is(404);
                let told = said.json()["technicalCode"].as_str().unwrap_or_default().to_owned();
                assert_eq!(told, code, "{path}");
            }
            let said = site.delete(&format!("{PORTAL}/user/notifications/{id}"), "plain").await;
            assert_eq!(portal_refusal(&said).0, 404, "{id}");
        }
    });
}

#[test]
fn the_settings_of_the_console_are_for_everybody() {
    each_world(async |world| {
        let settings = world.get(&format!("{ORG}/console")).send().await.is(200).json();
        assert_eq!(settings["scheduler"]["notifications"], json!(10));
        assert_eq!(settings["authentication"], json!({"localLogin": {"enabled": true}}));
        assert_eq!(settings["management"]["url"], json!("http://campanile.test"));
        let same = world
            .get("/management/v1/organizations/DEFAULT/console")
            .send()
            .await
            .is(200)
            .json();
        assert_eq!(same, settings);
    });
}

#[test]
fn what_a_console_asks_for_beside_is_nothing() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let said = world.get(&format!("{ORG}/social-identities")).send().await.is(200);
        assert_eq!(said.json(), json!([]));
        let tasks = site.get(&format!("{ORG}/user/tasks"), "plain").await.is(200).json();
        let page = json!({"current": 1, "per_page": 0, "size": 0, "total_pages": 0, "total_elements": 0});
        assert_eq!(tasks, json!({"data": [], "metadata": {}, "page": page}));
    });
}

#[test]
fn a_request_is_counted_by_its_pattern() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let id = "0123456789abcdef0123456789abcdef";
        site.delete(&format!("{ENV}/user/tokens/{id}"), "plain").await.is(404);
        let metrics = world.get("/metrics").send().await.is(200).body;
        let route = "/management/organizations/{org}/environments/{env}/user/tokens/{token}";
        let counted = format!("campanile_http_requests_total{{method=\"DELETE\",route=\"{route}\",status=\"4xx\"}} 1");
        assert!(metrics.contains(&counted), "{metrics}");
        assert!(!metrics.contains(id));
    });
}
