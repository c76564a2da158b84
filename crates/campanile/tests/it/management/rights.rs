//! Who may do what at the console messaging contract, in one table: nobody, somebody plain, who may send on the
//! environment, and the administrator of the organization.

use http::Method;

use super::site::Site;
use super::{ENV, ORG, PORTAL};
use crate::world::each_world;

const WHO: [&str; 4] = ["", "plain", "sender", "admin"];

/// Method and path, `{org}`, `{env}` and `{portal}` standing for the roots; the body; and the status for each.
type Row = (&'static str, &'static str, [u16; 4]);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("GET {org}/console", "", [200, 200, 200, 200]),
    ("GET {org}/social-identities", "", [200, 200, 200, 200]),
    ("GET {org}/user/tasks", "", [401, 200, 200, 200]),
    // Who is somebody by a personal token has not sent a password.
    ("POST {org}/user/login", "{}", [401, 401, 401, 401]),
    ("POST {org}/user/logout", "", [401, 200, 200, 200]),
    ("GET {org}/user", "", [401, 200, 200, 200]),
    ("GET {env}/user", "", [401, 200, 200, 200]),
    ("GET {org}/user/notifications", "", [401, 200, 200, 200]),
    ("GET {env}/user/notifications", "", [401, 200, 200, 200]),
    ("DELETE {org}/user/notifications", "", [401, 204, 204, 204]),
    ("DELETE {org}/user/notifications/4711", "", [401, 404, 404, 404]),
    ("DELETE {org}/user/notifications/x", "", [401, 404, 404, 404]),
    ("GET {org}/user/tokens", "", [401, 200, 200, 200]),
    // A personal token makes no token.
    ("POST {org}/user/tokens", r#"{"name": "ci"}"#, [401, 403, 403, 403]),
    ("DELETE {org}/user/tokens/x", "", [401, 404, 404, 404]),
    ("POST {portal}/auth/login", "{}", [401, 401, 401, 401]),
    ("POST {portal}/auth/logout", "", [200, 200, 200, 200]),
    ("GET {portal}/user", "", [401, 200, 200, 200]),
    ("GET {portal}/user/notifications", "", [401, 200, 200, 200]),
    ("DELETE {portal}/user/notifications", "", [401, 204, 204, 204]),
    ("DELETE {portal}/user/notifications/4711", "", [401, 404, 404, 404]),
    // The last of the table: it takes away what they ask by.
    ("DELETE {org}/user/tokens", "", [401, 204, 204, 204]),
    ("GET {org}/user/tokens", "", [401, 401, 401, 401]),
];

#[test]
fn everybody_may_do_what_the_table_says() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let mut wrong = Vec::new();
        for (request, body, statuses) in TABLE {
            let (method, path) = request.split_once(' ').unwrap();
            let path = path
                .replace("{org}", ORG)
                .replace("{env}", ENV)
                .replace("{portal}", PORTAL);
            for (who, wanted) in WHO.into_iter().zip(statuses) {
                let method: Method = method.parse().unwrap();
                let mut ask = site.ask(method, &path, who);
                if !body.is_empty() {
                    ask = ask.header("content-type", "application/json").body(*body);
                }
                let said = ask.send().await;
                let status = said.status.as_u16();
                if status != *wanted {
                    wrong.push(format!("{request} by {who:?}: {status}, not {wanted}: {}", said.body));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}
