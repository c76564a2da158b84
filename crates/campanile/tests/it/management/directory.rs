//! What clients look up beside messages, and who may.

use http::Method;
use serde_json::{Value, json};

use super::platform::Platform;
use super::{ENV, ORG};
use crate::world::{START, each_world};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

#[test]
fn a_sender_finds_the_roles_of_a_scope() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let roles = format!("{ORG}/configuration/rolescopes");
        let list = platform
            .get(&format!("{roles}/ENVIRONMENT/roles"), "sender")
            .await
            .is(200)
            .json();
        let names: Vec<&Value> = list.as_array().unwrap().iter().map(|role| &role["name"]).collect();
        assert_eq!(names, ["ADMIN", "API_PUBLISHER", "USER"]);
        assert_eq!(
            list[2],
            json!({"id": "ENVIRONMENT:USER", "name": "USER", "scope": "ENVIRONMENT", "default": true, "system": true,
                "permissions": list[2]["permissions"]})
        );
        assert_eq!(list[0]["permissions"]["MESSAGE"], json!(["C", "R", "U", "D"]));
        let list = platform
            .get(&format!("{roles}/APPLICATION/roles"), "owner")
            .await
            .is(200)
            .json();
        assert_eq!(
            ids(&list),
            ["APPLICATION:OWNER", "APPLICATION:PRIMARY_OWNER", "APPLICATION:USER"]
        );
        for scope in ["application", "KINGDOM"] {
            platform.get(&format!("{roles}/{scope}/roles"), "owner").await.is(404);
        }
        let under_v1 = "/management/v1/organizations/DEFAULT/configuration/rolescopes/API/roles";
        assert_eq!(ids(&platform.get(under_v1, "admin").await.is(200).json()).len(), 4);
    });
}

#[test]
fn everybody_finds_the_apis_and_applications_that_are_theirs() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        for (who, apis, applications) in [
            (
                "admin",
                &["pets", "toys"] as &[&str],
                &["late", "old", "shop", "soon"] as &[&str],
            ),
            ("owner", &["pets"], &[]),
            ("ann", &[], &["shop"]),
            // By a group that is attached to it.
            ("bob", &[], &["shop"]),
            ("plain", &[], &[]),
        ] {
            let found = platform.get(&format!("{ENV}/apis"), who).await.is(200).json();
            assert_eq!(ids(&found), apis, "{who}");
            let found = platform.get(&format!("{ENV}/applications"), who).await.is(200).json();
            assert_eq!(ids(&found), applications, "{who}");
        }
    });
}

#[test]
fn an_api_and_an_application_read_as_the_contract_has_them() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let get = async |path: &str| {
            let said = platform.get(&format!("{ENV}/{path}"), "admin").await;
            said.is(200).json()
        };
        assert_eq!(
            get("apis/pets").await,
            json!({"id": "pets", "name": "Pets", "groups": [], "created_at": START.0})
        );
        assert_eq!(
            get("applications/shop").await,
            json!({"id": "shop", "name": "shop", "status": "ACTIVE", "groups": ["team"], "created_at": START.0})
        );
        assert_eq!(
            get("apis/pets/members").await,
            json!([{"id": "owner", "displayName": "owner", "role": "PRIMARY_OWNER"}])
        );
        // Direct ones alone, as there; who was deactivated still holds what they held.
        let members = get("applications/shop/members").await;
        assert_eq!(ids(&members), ["cas", "ann", "gus"]);
        assert_eq!(
            get("apis/pets/subscriptions?status=ACCEPTED&application=shop,late").await,
            json!({"data": [{"id": "s-shop", "api": "pets", "application": "shop", "status": "ACCEPTED",
                    "subscribed_by": "ann", "created_at": START.0}],
                "page": {"current": 1, "per_page": 20, "size": 1, "total_pages": 1, "total_elements": 1}})
        );
        let page = get("apis/pets/subscriptions?page=2&size=3&status=accepted,PENDING,closed").await;
        assert_eq!(ids(&page["data"]), ["s-soon"]);
        assert_eq!(
            page["page"],
            json!({"current": 2, "per_page": 3, "size": 1, "total_pages": 2, "total_elements": 4})
        );
        // Where nothing is said, those that are or may come to be valid; by a plan or a key, none.
        for (query, found) in [
            ("", &["s-shop", "s-late", "s-soon"] as &[&str]),
            ("?status=", &["s-shop", "s-late", "s-soon"]),
            ("?status=CLOSED,CLOSED", &["s-old"]),
            ("?application=none", &[]),
            ("?application=none,late", &["s-late"]),
            ("?plan=gold", &[]),
            ("?api_key=k1", &[]),
            ("?plan=&api_key=", &["s-shop", "s-late", "s-soon"]),
            ("?page=92233720368547758", &[]),
        ] {
            let page = get(&format!("apis/pets/subscriptions{query}")).await;
            assert_eq!(ids(&page["data"]), found, "{query}");
        }
        let of_shop = get("applications/shop/subscriptions?api=pets").await;
        assert_eq!(ids(&of_shop["data"]), ["s-shop"]);
        let many = format!("application={}", vec!["a"; 101].join(","));
        for query in ["page=0", "size=101", "size=x", "status=KING", "application=%00", &many] {
            let path = format!("{ENV}/apis/pets/subscriptions?{query}");
            let said = platform.get(&path, "admin").await.is(400).json();
            assert_eq!(said["http_status"], json!(400));
        }
    });
}

/// Lines of a directory file, one each number.
async fn imports(platform: &Platform<'_>, many: std::ops::Range<usize>, line: impl Fn(usize) -> Value) {
    let lines: Vec<Value> = many.map(line).collect();
    for part in lines.chunks(5_000) {
        platform.import(part).await;
    }
}

#[test]
fn a_list_is_narrowed_before_it_is_cut_and_knows_how_long_it_is() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let line = |n: usize| {
            let (application, status) = if n == 2_050 {
                ("late", "PAUSED")
            } else {
                ("shop", "REJECTED")
            };
            json!({"kind": "subscription", "id": format!("n-{n:05}"), "api": "toys", "application": application,
                "status": status})
        };
        imports(&platform, 0..2_051, line).await;
        let get = async |query: &str| {
            let path = format!("{ENV}/apis/toys/subscriptions?{query}");
            platform.get(&path, "admin").await.is(200).json()
        };
        for query in ["status=PAUSED", "status=PAUSED,REJECTED&application=late"] {
            let page = get(query).await;
            assert_eq!(ids(&page["data"]), ["n-02050"]);
            assert_eq!(page["page"]["total_elements"], json!(1));
        }
        let page = get("status=REJECTED&size=100&page=21").await;
        assert_eq!(ids(&page["data"]).len(), 50);
        assert_eq!(
            page["page"],
            json!({"current": 21, "per_page": 100, "size": 50, "total_pages": 21, "total_elements": 2_050})
        );
    });
}

#[test]
fn who_has_many_things_elsewhere_finds_the_ones_that_are_here() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let things = |kind: &'static str| {
            move |n: usize| {
                let environment = if n == 600 { "DEFAULT" } else { "OTHER" };
                json!({"kind": kind, "id": format!("{kind}-{n:03}"), "name": kind, "environment": environment})
            }
        };
        let members = |kind: &'static str, user: &'static str| {
            move |n: usize| {
                let on = json!({kind: format!("{kind}-{n:03}")});
                json!({"kind": "membership", "user": user, "on": on, "role": "PRIMARY_OWNER"})
            }
        };
        for (kind, user) in [("api", "plain"), ("application", "dan")] {
            imports(&platform, 0..601, things(kind)).await;
            imports(&platform, 0..601, members(kind, user)).await;
            let (list, one) = (format!("{kind}s"), format!("{kind}-600"));
            let found = platform.get(&format!("{ENV}/{list}"), user).await.is(200).json();
            let wanted: &[&str] = if kind == "api" { &[&one] } else { &[&one, "late"] };
            assert_eq!(ids(&found), wanted);
            platform.get(&format!("{ENV}/{list}/{one}"), user).await.is(200);
            platform.get(&format!("{ENV}/{list}/{kind}-599"), user).await.is(404);
            let other = ENV.replace("DEFAULT/environments/DEFAULT", "DEFAULT/environments/OTHER");
            let found = platform.get(&format!("{other}/{list}"), user).await.is(200).json();
            assert_eq!(ids(&found).len(), 600);
            platform.get(&format!("{other}/{list}/{kind}-599"), user).await.is(200);
        }
    });
}

#[test]
fn what_is_not_there_is_called_as_the_contract_calls_it() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        for (path, kind, code) in [
            ("apis/none", "api", "api.notFound"),
            ("apis/far", "api", "api.notFound"),
            ("apis/none/members", "api", "api.notFound"),
            ("applications/none", "application", "application.notFound"),
            ("applications/none/members", "application", "application.notFound"),
        ] {
            let said = platform.get(&format!("{ENV}/{path}"), "admin").await.is(404);
            let (id, body) = (path.split('/').nth(1).unwrap(), said.json());
            assert_eq!(body["technicalCode"], json!(code));
            assert_eq!(body["parameters"], json!({kind: id}));
        }
    });
}

/// Method and path below the environment, and the status for nobody, somebody plain, a sender of the platform, the
/// owner of an API, and the administrator of the organization.
#[rustfmt::skip]
const TABLE: &[(&str, &str, [u16; 5])] = &[
    ("GET", "/apis", [401, 200, 200, 200, 200]),
    ("GET", "/apis/pets", [401, 404, 404, 200, 200]),
    ("GET", "/apis/none", [401, 404, 404, 404, 404]),
    ("GET", "/apis/pets/members", [401, 403, 403, 403, 200]),
    ("GET", "/apis/pets/subscriptions", [401, 403, 403, 403, 200]),
    ("GET", "/applications", [401, 200, 200, 200, 200]),
    ("GET", "/applications/shop", [401, 404, 404, 404, 200]),
    ("GET", "/applications/shop/members", [401, 403, 403, 403, 200]),
    ("GET", "/applications/shop/subscriptions", [401, 403, 403, 403, 200]),
    ("GET", "/../../configuration/rolescopes/API/roles", [401, 403, 200, 200, 200]),
    ("POST", "/messages", [401, 403, 400, 403, 400]),
    ("POST", "/apis/pets/messages", [401, 403, 403, 400, 400]),
    ("POST", "/apis/toys/messages", [401, 403, 403, 403, 400]),
    ("POST", "/apis/none/messages", [401, 404, 404, 404, 404]),
];

#[test]
fn everybody_may_do_what_the_table_says() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let mut wrong = Vec::new();
        for (method, path, statuses) in TABLE {
            let path = match path.strip_prefix("/../..") {
                Some(path) => format!("{ORG}{path}"),
                None => format!("{ENV}{path}"),
            };
            for (who, wanted) in ["", "plain", "sender", "owner", "admin"].into_iter().zip(statuses) {
                let method: Method = method.parse().unwrap();
                let said = platform.ask(method, &path, who, None).await;
                if said.status.as_u16() != *wanted {
                    wrong.push(format!(
                        "{path} by {who:?}: {}, not {wanted}: {}",
                        said.status, said.body
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}
