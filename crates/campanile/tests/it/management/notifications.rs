//! The notifications of the user: of the console, and of the portal.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::site::{Site, titles};
use super::{ENV, ORG, PORTAL, portal_refusal, refused};
use crate::world::{START, each_world};

fn all() -> String {
    format!("{ORG}/user/notifications")
}

/// The titles that somebody is told, the oldest first, and how many there are.
async fn told(site: &Site<'_>, who: &str) -> (Vec<String>, Value) {
    let list = site.get(&all(), who).await.is(200).json();
    (titles(&list["data"]), list["page"]["total_elements"].clone())
}

#[test]
fn notifications_are_listed_the_oldest_first_as_one_page() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let empty = json!({"data": [], "page":
            {"current": 1, "per_page": 0, "size": 0, "total_pages": 0, "total_elements": 0}});
        assert_eq!(site.get(&all(), "plain").await.is(200).json(), empty);
        let first = site.tells("plain", "Maintenance").await;
        world.advance(Duration::from_millis(1_500));
        let second = site.tells("plain", "Done").await;
        site.tells("other", "Foreign").await;
        let said = site.get(&all(), "plain").await.is(200);
        let later = START.0 + 1_500;
        assert_eq!(
            said.json(),
            json!({
                "data": [
                    {"id": first, "title": "Maintenance", "message": "*Maintenance* it is.", "created_at": START.0},
                    {"id": second, "title": "Done", "message": "*Done* it is.", "created_at": later},
                ],
                "page": {"current": 1, "per_page": 2, "size": 2, "total_pages": 1, "total_elements": 2},
            })
        );
        assert_eq!(said.header("content-type"), "application/json");
        // Of all environments, wherever one asks.
        let same = site.get(&format!("{ENV}/user/notifications"), "plain").await.is(200);
        assert_eq!(same.body, said.body);
    });
}

#[test]
fn a_deleted_notification_is_read_and_gone_everywhere() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let (gone, _) = (site.tells("plain", "Gone").await, site.tells("plain", "Stays").await);
        let one = format!("{}/{gone}", all());
        assert_eq!(site.delete(&one, "plain").await.is(204).body, "");
        assert_eq!(told(&site, "plain").await, (vec!["Stays".to_owned()], json!(1)));
        assert_eq!(site.titles("inbox", "plain").await, ["Stays"]);
        let counts = site.get("/api/v1/inbox/counts", "plain").await.is(200).json();
        assert_eq!((&counts["unread"], &counts["total"]), (&json!(1), &json!(1)));
        let said = site.delete(&one, "plain").await;
        assert_eq!(said.json()["parameters"], json!({"notification": gone}));
        let message = format!("Portal notification [{gone}] cannot be found.");
        refused(said, 404, "notification.portal.notFound", &message);
        // Its sender sees that it was read; undone in the inbox, it is there again.
        let sent = site
            .get(&format!("/api/v1/messages/{gone}"), "admin")
            .await
            .is(200)
            .json();
        assert_eq!(sent["funnel"]["read"], json!(1), "{sent}");
        let back = format!("/api/v1/inbox/{gone}/restore");
        site.post(&back, "plain", &json!({})).await.is(204);
        assert_eq!(told(&site, "plain").await.0, ["Gone", "Stays"]);
    });
}

#[test]
fn what_is_not_in_ones_inbox_is_no_notification() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let foreign = site.tells("other", "Foreign").await;
        let away = site.tells("plain", "Put away").await;
        site.post(&format!("/api/v1/inbox/{away}/archive"), "plain", &json!({}))
            .await
            .is(204);
        assert_eq!(told(&site, "plain").await, (Vec::new(), json!(0)));
        for id in [
            foreign.as_str(),
            &away,
            "4711",
            "x",
            "-1",
            "99999999999999999999",
            "b3a1%20x",
        ] {
            let said = site.delete(&format!("{}/{id}", all()), "plain").await.is(404);
            let code = json!("notification.portal.notFound");
            assert_eq!(said.json()["technicalCode"], code, "{id}");
        }
        assert_eq!(site.titles("archived", "plain").await, ["Put away"]);
        assert_eq!(told(&site, "other").await.0, ["Foreign"]);
    });
}

#[test]
fn what_one_deletes_in_the_inbox_is_no_notification_any_more() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let id = site.tells("plain", "Gone").await;
        assert_eq!(told(&site, "plain").await.0, ["Gone"]);
        site.post(&format!("/api/v1/inbox/{id}/delete"), "plain", &json!({}))
            .await
            .is(204);
        assert_eq!(told(&site, "plain").await, (Vec::new(), json!(0)));
    });
}

#[test]
fn deleting_all_empties_the_inbox_and_spares_what_was_put_away() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let away = site.tells("plain", "Put away").await;
        site.tells("plain", "One").await;
        site.tells("plain", "Two").await;
        site.tells("other", "Foreign").await;
        site.post(&format!("/api/v1/inbox/{away}/archive"), "plain", &json!({}))
            .await
            .is(204);
        for _ in 0..2 {
            assert_eq!(site.delete(&all(), "plain").await.is(204).body, "");
            assert_eq!(told(&site, "plain").await, (Vec::new(), json!(0)));
        }
        assert_eq!(site.titles("inbox", "plain").await, Vec::<String>::new());
        assert_eq!(site.titles("archived", "plain").await, ["Put away"]);
        assert_eq!(told(&site, "other").await.0, ["Foreign"]);
        site.post(&format!("/api/v1/inbox/{away}/unarchive"), "plain", &json!({}))
            .await
            .is(204);
        site.tells("plain", "Three").await;
        assert_eq!(told(&site, "plain").await.0, ["Put away", "Three"]);
    });
}

#[test]
fn what_was_deleted_with_all_stays_away_and_what_was_not_there_is_left() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let gone = site.tells("plain", "Gone").await;
        let ends = json!({"title": "Over", "text": "It was.", "closes_at": "2023-11-14T22:13:25Z",
            "audience": [{"kind": "user", "user": "u-plain"}]});
        site.post("/api/v1/messages", "admin", &ends).await.is(201);
        world.advance(Duration::from_secs(10));
        site.delete(&all(), "plain").await.is(204);
        for change in [
            json!({"enabled": false}),
            json!({"enabled": true}),
            json!({"ring": true}),
        ] {
            world.advance(Duration::from_secs(1));
            let path = format!("/api/v1/messages/{gone}");
            site.ask(Method::PATCH, &path, "admin")
                .json(&change)
                .send()
                .await
                .is(200);
            assert_eq!(told(&site, "plain").await, (Vec::new(), json!(0)), "{change}");
        }
        assert_eq!(site.titles("past", "plain").await, ["Over"]);
    });
}

#[test]
fn a_recalled_message_is_no_notification_any_more() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let id = site.tells("plain", "Recalled").await;
        assert_eq!(told(&site, "plain").await.0, ["Recalled"]);
        let recall = format!("/api/v1/messages/{id}/recall");
        site.post(&recall, "admin", &json!({})).await.is(200);
        assert_eq!(told(&site, "plain").await, (Vec::new(), json!(0)));
        site.delete(&format!("{}/{id}", all()), "plain").await.is(404);
    });
}

#[test]
fn a_long_list_is_whole_and_in_order() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for at in 0..401 {
            site.tells("plain", &format!("No. {at}")).await;
        }
        let wanted: Vec<_> = (0..401).map(|at| format!("No. {at}")).collect();
        let list = site.get(&all(), "plain").await.is(200).json();
        assert_eq!(titles(&list["data"]), wanted);
        assert_eq!(
            list["page"],
            json!({"current": 1, "per_page": 401, "size": 401, "total_pages": 1, "total_elements": 401})
        );
        let whole = format!("{PORTAL}/user/notifications?size=-1");
        let list = site.get(&whole, "plain").await.is(200).json();
        let wanted: Vec<_> = wanted.into_iter().rev().collect();
        assert_eq!(titles(&list["data"]), wanted);
        assert_eq!(list["metadata"], json!({"data": {"total": 401}}));
    });
}

// ---------------------------------------------------------------- the portal

#[test]
fn the_portal_gets_pages_the_newest_first() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let list = format!("{PORTAL}/user/notifications");
        let get = async |query: &str| site.get(&format!("{list}{query}"), "plain").await;
        assert_eq!(
            get("").await.is(200).json(),
            json!({"data": [], "metadata": {"data": {"total": 0}}})
        );
        let one = site.tells("plain", "One").await;
        let at = |query: &str| format!("http://campanile.test{list}{query}");
        assert_eq!(
            get("?page=1&size=10").await.is(200).json(),
            json!({
                "data": [{"id": one, "title": "One", "message": "*One* it is.",
                    "created_at": "2023-11-14T22:13:20Z"}],
                "metadata": {"data": {"total": 1}, "pagination": {"current_page": 1, "size": 10, "first": 1,
                    "last": 1, "total": 1, "total_pages": 1}},
                "links": {"self": at("?page=1&size=10")},
            })
        );
        site.tells("plain", "Two").await;
        site.tells("plain", "Three").await;
        let page = get("?size=2").await.is(200).json();
        assert_eq!(titles(&page["data"]), ["Three", "Two"]);
        assert_eq!(
            page["links"],
            json!({"self": at("?size=2"), "first": at("?page=1&size=2"), "last": at("?page=2&size=2"),
                "next": at("?page=2&size=2")})
        );
        let page = get("?page=2&size=2").await.is(200).json();
        assert_eq!(titles(&page["data"]), ["One"]);
        assert_eq!(
            page["metadata"],
            json!({"data": {"total": 1}, "pagination": {"current_page": 2, "size": 2, "first": 3, "last": 3,
                "total": 3, "total_pages": 2}})
        );
        assert_eq!(
            get("?size=0").await.is(200).json(),
            json!({"data": [], "metadata": {"data": {"total": 3}}})
        );
        assert_eq!(titles(&get("?size=-1").await.is(200).json()["data"]).len(), 3);
        for query in ["?page=2", "?page=0", "?size=-2", "?size=x"] {
            let wanted = (
                400,
                json!("errors.pagination.invalid"),
                json!("Pagination is not valid"),
            );
            assert_eq!(portal_refusal(&get(query).await), wanted, "{query}");
        }
    });
}

#[test]
fn at_the_portal_notifications_are_deleted_as_well() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let list = format!("{PORTAL}/user/notifications");
        let id = site.tells("plain", "One").await;
        site.tells("plain", "Two").await;
        let one = format!("{list}/{id}");
        site.delete(&one, "plain").await.is(204);
        let said = site.delete(&one, "plain").await;
        let message = format!("Portal notification [{id}] cannot be found.");
        let code = "errors.notification.portal.notFound";
        assert_eq!(portal_refusal(&said), (404, json!(code), json!(message)));
        assert_eq!(said.json()["errors"][0]["parameters"], json!({"notification": id}));
        assert_eq!(told(&site, "plain").await.0, ["Two"]);
        site.delete(&list, "plain").await.is(204);
        assert_eq!(told(&site, "plain").await, (Vec::new(), json!(0)));
    });
}
