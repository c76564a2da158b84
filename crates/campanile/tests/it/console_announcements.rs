//! Announcements in the console, as a browser without scripts meets them: lists, form, switch, a year, who has
//! acknowledged.

use std::time::Duration;

use campanile_core::id::PersonId;
use campanile_core::message::preview;
use serde_json::json;

use crate::console_inbox::value;
use crate::console_messages::hidden;
use crate::world::{ADMIN_PASSWORD, Said, World, each_world};

/// Dan administers the customer Acme, above Acme South, in which Cat is; Eve is in Borealis. Ann administers the
/// environment, and no customer.
const DIRECTORY: &str = r#"
{"kind":"customer","id":17,"name":"Acme"}
{"kind":"customer","id":18,"name":"Acme South","parent":17}
{"kind":"customer","id":30,"name":"Borealis"}
{"kind":"user","id":"u-ann","login":"ann","name":"Ann Lee"}
{"kind":"user","id":"u-cat","login":"cat","name":"=Cat Fox","customer":18}
{"kind":"user","id":"u-dan","login":"dan","name":"Dan Orr","customer":17,"asm_role":"CustomerAdmin"}
{"kind":"user","id":"u-eve","login":"eve","name":"Eve Ash","customer":30}
{"kind":"membership","user":"u-ann","on":{"environment":"DEFAULT"},"role":"ADMIN"}
"#;

/// Somebody with a browser.
struct Browser<'w> {
    world: &'w World,
    token: String,
}

impl<'w> Browser<'w> {
    async fn of(world: &'w World, login: &'static str) -> Self {
        let found = world.app.db.read(move |tx| preview::person(tx, login));
        let person: PersonId = found.await.unwrap();
        let token = world.token(person).await;
        Self { world, token }
    }

    async fn get(&self, path: &str) -> Said {
        self.world.get(path).bearer(&self.token).send().await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Said {
        let body: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let ask = self.world.post(path).bearer(&self.token);
        let ask = ask.header("content-type", "application/x-www-form-urlencoded");
        ask.body(body).send().await
    }

    /// Announces something to Acme with its sub-customers, and what more the form says; the id.
    async fn announces(&self, text: &str, more: &[(&str, &str)]) -> i64 {
        let usual = [
            ("text", text),
            ("sender", "Operations"),
            ("importance", "high"),
            ("whom", "one"),
            ("customer", "17"),
            ("below", "1"),
            ("do", "save"),
        ];
        let named = |name: &str| more.iter().any(|(other, _)| *other == name);
        let kept: Vec<_> = usual.into_iter().filter(|(name, _)| !named(name)).collect();
        let fields = [&kept[..], &[("enabled", "1")], more].concat();
        let fields: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let said = self.post("/announcements/new", &fields).await.is(303);
        let state = said.header("location").split(['=', '&']).nth(1).unwrap().to_owned();
        let list = self.get(&format!("/announcements?state={state}")).await.is(200);
        let rest = list
            .body
            .split("<a class=\"t\" href=\"/messages/")
            .nth(1)
            .expect(&list.body);
        rest.split('"').next().unwrap().parse().unwrap()
    }
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

async fn filled(world: &World) {
    let ask = world.post("/api/v1/directory/import").basic("admin", ADMIN_PASSWORD);
    ask.header("content-type", "application/x-ndjson")
        .body(DIRECTORY.trim_start())
        .send()
        .await
        .is(200);
}

#[test]
fn an_announcement_to_a_customer_stands_at_the_top_for_its_users() {
    each_world(async |world| {
        filled(world).await;
        let admin = Browser::of(world, "admin").await;
        let (cat, eve) = (Browser::of(world, "cat").await, Browser::of(world, "eve").await);
        let form = admin.get("/announcements/new").await.is(200);
        shows(
            &form,
            &[
                "[link=\"https://…\"]",
                "Include sub-customers",
                "All customers",
                "Announce</button>",
            ],
        );
        hides(&form, &["Also by mail"]);
        let id = admin.announces("Down [b]tonight[/b] <i>", &[]).await;
        let top = "<strong>tonight</strong> &lt;i&gt;";
        shows(&cat.get("/inbox").await.is(200), &["class=\"banner high\"", top]);
        hides(&eve.get("/inbox").await.is(200), &["class=\"banner "]);
        let list = admin.get("/announcements").await.is(200);
        shows(
            &list,
            &[
                "<span class=\"pill high\">High</span>",
                "Down tonight &#60;i&#62;",
                "from Operations",
                ">Acme</td>",
                "<td class=\"more\">Included</td>",
                "14\u{a0}Nov\u{a0}2023,\u{a0}22:13, no end",
                "aria-checked=\"true\"",
                &format!("/announcements/{id}/edit"),
            ],
        );
        hides(&list, &["/announcements?state=now&amp;cursor"]);
        let page = admin.get(&format!("/messages/{id}")).await.is(200);
        shows(&page, &["Down tonight", "Banner at the top of every page"]);
    });
}

#[test]
fn what_is_wrong_stands_beside_its_field_and_nothing_is_lost() {
    each_world(async |world| {
        filled(world).await;
        let admin = Browser::of(world, "admin").await;
        let typed = [
            ("text", "Kept"),
            ("sender", "Operations"),
            ("whom", "one"),
            ("customer", "acm"),
            ("bell", "1"),
            ("opens", "2026-11-30T10:00:07"),
            ("closes", "2026-11-30T09:00"),
            ("do", "save"),
        ];
        let refused = admin.post("/announcements/new", &typed).await.is(422);
        shows(
            &refused,
            &[
                ">\nKept</textarea>",
                "several customers begin like this",
                "name=\"customer.pick\" value=\"17\"",
                "name=\"customer.pick\" value=\"18\"",
                "value=\"2026-11-30T10:00:07\"",
            ],
        );
        let picked = [&typed[..], &[("customer.pick", "18")]].concat();
        let refused = admin.post("/announcements/new", &picked).await.is(422);
        shows(
            &refused,
            &[
                "id=\"title-bad\"",
                "id=\"closes-bad\"",
                "Acme South (Acme)",
                "value=\"18\"",
            ],
        );
        hides(&refused, &["customer.pick"]);
        let nobody = [&typed[..3], &[("do", "save")]].concat();
        let refused = admin.post("/announcements/new", &nobody).await.is(422);
        shows(&refused, &["id=\"audience-bad\"", "name the customer"]);
    });
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    each_world(async |world| {
        filled(world).await;
        let admin = Browser::of(world, "admin").await;
        let wrong = [
            ("text", " "),
            ("sender", "x\u{7}"),
            ("whom", "one"),
            ("customer", "nowhere"),
            ("bell", "1"),
            ("opens", "soon"),
            ("closes", "2022-11-30T09:00"),
            ("do", "save"),
        ];
        let all = ["text", "sender", "audience", "opens", "closes", "title"].map(|name| format!("id=\"{name}-bad\""));
        let all = all.each_ref().map(String::as_str);
        shows(&admin.post("/announcements/new", &wrong).await.is(422), &all);
        let id = admin.announces("As it was", &[("bell", "1"), ("title", "T")]).await;
        let at = format!("/announcements/{id}/edit");
        let form = admin.get(&at).await.is(200);
        let edition = hidden(&form, "edition");
        let edit = [&wrong[..], &[("edition", edition)]].concat();
        let refused = admin.post(&at, &edit).await.is(422);
        // An announcement that is there may be ended in the past.
        let but_closes = ["text", "sender", "audience", "opens", "title"].map(|name| format!("id=\"{name}-bad\""));
        shows(&refused, &but_closes.each_ref().map(String::as_str));
    });
}

#[test]
fn an_open_page_gets_its_banners_anew() {
    each_world(async |world| {
        filled(world).await;
        let (admin, cat) = (Browser::of(world, "admin").await, Browser::of(world, "cat").await);
        let empty = cat.get("/banners?back=/me").await.is(200);
        hides(&empty, &["<article", "<html"]);
        let id = admin.announces("Down [b]tonight[/b]", &[]).await;
        let said = cat.get("/banners?back=/me").await.is(200);
        shows(&said, &["<strong>tonight</strong>", "name=\"back\" value=\"/me\""]);
        hides(&said, &["<html"]);
        // The page of the message itself has none.
        let own = cat.get(&format!("/inbox/{id}")).await.is(200);
        let address = value(&own.body, "data-address=").replace("&#38;", "&");
        assert_eq!(address, format!("/banners?back=%2Finbox%2F{id}&about={id}"));
        hides(&cat.get(&address).await.is(200), &["<article"]);
    });
}

#[test]
fn a_message_without_a_banner_is_no_announcement() {
    each_world(async |world| {
        filled(world).await;
        let admin = Browser::of(world, "admin").await;
        let draft = json!({"title": "Bell", "text": "alone", "audience": [{"kind": "everyone"}]});
        let sent = world.post("/api/v1/messages").bearer(&admin.token).json(&draft);
        let id = sent.send().await.is(201).json()["id"].as_i64().unwrap();
        for (path, fields) in [
            ("switch", &[("on", "0")][..]),
            ("delete", &[]),
            ("edit", &[("text", "x"), ("do", "save")]),
            ("edit/aside", &[]),
        ] {
            admin.post(&format!("/announcements/{id}/{path}"), fields).await.is(404);
        }
        for path in [format!("{id}/edit"), format!("{id}/delete"), format!("new?copy={id}")] {
            admin.get(&format!("/announcements/{path}")).await.is(404);
        }
        let still = admin.get(&format!("/api/v1/messages/{id}")).await.is(200).json();
        assert_eq!(still["enabled"], json!(true));
    });
}

#[test]
fn who_gives_up_a_change_is_back_where_they_came_from() {
    each_world(async |world| {
        filled(world).await;
        let admin = Browser::of(world, "admin").await;
        let id = admin.announces("Here", &[]).await;
        let list = admin.get("/announcements?state=now&q=here").await.is(200);
        let back = "back=%2Fannouncements%3Fstate%3Dnow%26q%3Dhere";
        let at = format!("/announcements/{id}/edit?{back}");
        shows(&list, &[&at]);
        let cancel = "href=\"/announcements?state=now&#38;q=here\">Cancel";
        let form = admin.get(&at).await.is(200);
        shows(&form, &[cancel]);
        // Still so when something was wrong.
        let at = format!("/announcements/{id}/edit");
        let (edition, back) = (hidden(&form, "edition"), "/announcements?state=now&q=here");
        let wrong = [
            ("text", ""),
            ("edition", edition),
            ("back", back),
            ("whom", "one"),
            ("customer", "17"),
            ("do", "save"),
        ];
        shows(&admin.post(&at, &wrong).await.is(422), &[cancel]);
        shows(
            &admin.get(&at).await.is(200),
            &[&format!("href=\"/messages/{id}\">Cancel")],
        );
        let foreign = admin.get(&format!("{at}?back=https://evil.example/")).await.is(200);
        hides(&foreign, &["evil.example"]);
    });
}

#[test]
fn a_banner_that_stays_says_why() {
    each_world(async |world| {
        filled(world).await;
        let (admin, cat) = (Browser::of(world, "admin").await, Browser::of(world, "cat").await);
        let dismissed = async |id: i64, edition: &str| {
            let fields = [("back", "/me"), ("edition", edition)];
            let said = cat.post(&format!("/inbox/{id}/dismiss"), &fields).await.is(303);
            cat.get(said.header("location")).await.is(200)
        };
        let fixed = admin.announces("Fixed", &[("importance", "critical")]).await;
        shows(
            &dismissed(fixed, "1").await,
            &["This banner stays until its time is over."],
        );
        let asks = admin.announces("Asks", &[("acknowledge", "1")]).await;
        shows(
            &dismissed(asks, "1").await,
            &["This banner stays until you acknowledge the message."],
        );
        let until = admin.announces("Free", &[("closes", "2023-11-15T00:00")]).await;
        shows(&cat.get("/inbox").await, &["until 15 Nov 2023, 00:00 (UTC)"]);
        let change = json!({"text": "Freed"});
        let path = format!("/api/v1/messages/{until}");
        world
            .patch(&path)
            .bearer(&admin.token)
            .json(&change)
            .send()
            .await
            .is(200);
        shows(
            &dismissed(until, "1").await,
            &["The announcement was corrected meanwhile"],
        );
        shows(&dismissed(until, "2").await, &["Dismissed."]);
    });
}

#[test]
fn the_year_counts_those_at_the_same_time_that_are_on_other_pages() {
    each_world(async |world| {
        filled(world).await;
        let admin = Browser::of(world, "admin").await;
        for at in 0..102 {
            let draft = json!({"text": format!("No {at}"), "channels": ["banner"], "format": "markdown",
                "audience": [{"kind": "customer", "customer": 17}], "closes_at": "2023-11-15T00:00:00Z"});
            world
                .post("/api/v1/messages")
                .bearer(&admin.token)
                .json(&draft)
                .send()
                .await
                .is(201);
        }
        let first = admin.get("/announcements/year").await.is(200);
        assert_eq!(first.body.matches("At the same time as 101 others.").count(), 100);
        let rest = first
            .body
            .split("/announcements/year?year=2023&#38;cursor=")
            .nth(1)
            .unwrap();
        let cursor = rest.split('"').next().unwrap();
        let second = admin
            .get(&format!("/announcements/year?year=2023&cursor={cursor}"))
            .await
            .is(200);
        assert_eq!(second.body.matches("At the same time as 101 others.").count(), 2);
        // A day is as wide as five, and a finger finds it.
        shows(&first, &["width=\"1.36%\"", "class=\"press\"", "width=\"4.16%\""]);
    });
}

#[test]
fn the_list_of_people_is_whole_however_long_it_is() {
    each_world(async |world| {
        filled(world).await;
        let admin = Browser::of(world, "admin").await;
        let user = |at: i32| {
            json!({"kind": "user", "id": format!("p-{at}"), "login": format!("p{at}"), "name": format!("P {at}"),
                "customer": 30})
        };
        let lines: Vec<String> = (0..2_100).map(|at| user(at).to_string()).collect();
        let import = world.post("/api/v1/directory/import").bearer(&admin.token);
        import.body(lines.join("\n")).send().await.is(200);
        let id = admin
            .announces("All", &[("customer", "30"), ("acknowledge", "1")])
            .await;
        let eve = Browser::of(world, "eve").await;
        eve.post(&format!("/inbox/{id}/acknowledge"), &[]).await.is(303);
        let csv = admin
            .get(&format!("/messages/{id}/people.csv?part=unacknowledged"))
            .await
            .is(200);
        let logins: std::collections::BTreeSet<&str> = csv
            .body
            .lines()
            .skip(1)
            .map(|line| line.split(',').nth(1).unwrap())
            .collect();
        assert_eq!((logins.len(), csv.body.lines().count()), (2_100, 2_101));
        assert!(!logins.contains("eve"));
        let all = admin.get(&format!("/messages/{id}/people.csv")).await.is(200);
        assert_eq!(all.body.lines().count(), 2_102);
        let nobody = admin.announces("Nobody yet", &[("opens", "2024-01-01T00:00")]).await;
        let none = admin.get(&format!("/messages/{nobody}/people.csv")).await.is(200);
        assert_eq!(none.body.lines().count(), 1);
    });
}

#[test]
fn what_goes_to_everybody_is_asked_once_more_with_their_number() {
    each_world(async |world| {
        filled(world).await;
        let admin = Browser::of(world, "admin").await;
        let typed = [
            ("text", "For [i]all[/i]"),
            ("sender", "Operations"),
            ("whom", "all"),
            ("enabled", "1"),
            ("key", "0123456789abcdef"),
        ];
        let ask = |press: &'static str| [&typed[..], &[("do", press)]].concat();
        let question = admin.post("/announcements/new", &ask("save")).await.is(200);
        shows(
            &question,
            &[
                "Announce to everybody, 5 people?",
                "<em>all</em>",
                "class=\"banner low\"",
                "name=\"do\" value=\"send\">Announce to 5 people",
            ],
        );
        let back = admin.post("/announcements/new", &ask("back")).await.is(200);
        shows(&back, &["For [i]all[/i]", "value=\"all\" checked"]);
        let sent = admin.post("/announcements/new", &ask("send")).await.is(303);
        admin.post("/announcements/new", &ask("send")).await.is(303);
        let list = admin.get(sent.header("location")).await.is(200);
        shows(
            &list,
            &[
                "Announced. It is shown now.",
                "All customers</td>",
                "<td class=\"more\">–</td>",
            ],
        );
        assert_eq!(list.body.matches("class=\"t\"").count(), 1, "a double press sends once");
        shows(&Browser::of(world, "eve").await.get("/inbox").await, &["<em>all</em>"]);
    });
}

#[test]
fn a_customer_administrator_announces_to_their_own_and_sees_no_others() {
    each_world(async |world| {
        filled(world).await;
        let (admin, dan) = (Browser::of(world, "admin").await, Browser::of(world, "dan").await);
        admin.announces("For Borealis", &[("customer", "30")]).await;
        let foreign = admin.announces("Everywhere", &[("whom", "all"), ("do", "send")]).await;
        let form = dan.get("/announcements/new").await.is(200);
        shows(&form, &["value=\"17\"", "2</p>"]);
        hides(&form, &["All customers"]);
        let own = dan.announces("For Acme", &[]).await;
        let list = dan.get("/announcements").await.is(200);
        shows(&list, &["For Acme"]);
        hides(&list, &["For Borealis"]);
        assert_eq!(list.body.matches("class=\"t\"").count(), 1);
        for fields in [
            [
                ("text", "x"),
                ("sender", "Dan"),
                ("whom", "one"),
                ("customer", "30"),
                ("do", "save"),
            ],
            [
                ("text", "x"),
                ("sender", "Dan"),
                ("whom", "all"),
                ("customer", ""),
                ("do", "send"),
            ],
        ] {
            dan.post("/announcements/new", &fields).await.is(422);
        }
        for path in ["edit", "delete"] {
            dan.get(&format!("/announcements/{foreign}/{path}")).await.is(404);
        }
        dan.get(&format!("/announcements/new?copy={foreign}")).await.is(404);
        dan.post(&format!("/announcements/{foreign}/switch"), &[("on", "0")])
            .await
            .is(404);
        let found = dan.get("/announcements/customers?q=bor").await.is(200);
        hides(&found, &["Borealis"]);
        shows(
            &dan.get("/announcements/customers?q=acme").await,
            &["value=\"17\"", "value=\"18\""],
        );
        dan.get(&format!("/announcements/{own}/edit")).await.is(200);
        for login in ["ann", "cat"] {
            let other = Browser::of(world, login).await;
            for path in ["", "/new", "/year", "/customers?q=a"] {
                other.get(&format!("/announcements{path}")).await.is(403);
            }
            hides(&other.get("/inbox").await, &["href=\"/announcements\""]);
        }
    });
}

#[test]
fn it_is_switched_off_and_on_again_and_deleted_for_everybody() {
    each_world(async |world| {
        filled(world).await;
        let (admin, cat) = (Browser::of(world, "admin").await, Browser::of(world, "cat").await);
        let id = admin.announces("Switched", &[]).await;
        let at = format!("/announcements/{id}/switch");
        let off = admin.post(&at, &[("on", "0")]).await.is(303);
        hides(&cat.get("/inbox").await, &["class=\"banner "]);
        let list = admin.get(off.header("location")).await.is(200);
        shows(
            &list,
            &[
                "Switched off.",
                "aria-checked=\"false\"",
                &format!("action=\"{at}\""),
                ">Undo<",
            ],
        );
        hides(&admin.get("/announcements").await, &["Switched"]);
        admin.post(&at, &[("on", "1")]).await.is(303);
        shows(&cat.get("/inbox").await, &["class=\"banner high\""]);
        let question = admin.get(&format!("/announcements/{id}/delete")).await.is(200);
        shows(&question, &["It is gone for everybody, 2 people"]);
        admin.post(&format!("/announcements/{id}/delete"), &[]).await.is(303);
        hides(&cat.get("/inbox").await, &["class=\"banner "]);
        let past = admin.get("/announcements?state=past").await.is(200);
        shows(&past, &["Switched", ">Deleted</span>", &format!("copy={id}")]);
        hides(&past, &["/delete\"", "/edit\""]);
        admin.get(&format!("/announcements/{id}/edit")).await.is(409);
    });
}

/// What the form of an announcement of Operations sends.
fn typed<'t>(text: &'t str, customer: &'t str, edition: &'t str) -> [(&'static str, &'t str); 10] {
    [
        ("text", text),
        ("sender", "Operations"),
        ("importance", "high"),
        ("enabled", "1"),
        ("whom", "one"),
        ("customer", customer),
        ("below", "1"),
        ("closes", "2030-01-01T12:00:05"),
        ("edition", edition),
        ("do", "save"),
    ]
}

#[test]
fn an_edit_changes_words_time_and_customer_and_a_dismissed_one_comes_back() {
    each_world(async |world| {
        filled(world).await;
        let admin = Browser::of(world, "admin").await;
        let (cat, eve) = (Browser::of(world, "cat").await, Browser::of(world, "eve").await);
        let id = admin.announces("Frist", &[("closes", "2030-01-01T12:00:05")]).await;
        cat.post(&format!("/inbox/{id}/dismiss"), &[("edition", "1")])
            .await
            .is(303);
        hides(&cat.get("/inbox").await, &["class=\"banner "]);
        let form = admin.get(&format!("/announcements/{id}/edit")).await.is(200);
        shows(&form, &[">\nFrist</textarea>", "value=\"2030-01-01T12:00:05\""]);
        let opened = hidden(&form, "edition").to_owned();
        let at = format!("/announcements/{id}/edit");
        admin.post(&at, &typed("First", "17", &opened)).await.is(303);
        shows(&cat.get("/inbox").await, &["First"]);
        let late = admin.post(&at, &typed("Again", "17", &opened)).await.is(422);
        shows(&late, &["somebody else has corrected", "Again"]);
        let now = hidden(&late, "edition").to_owned();
        admin.post(&at, &typed("First", "30", &now)).await.is(303);
        hides(&cat.get("/inbox").await, &["class=\"banner "]);
        shows(&eve.get("/inbox").await, &["First"]);
        // Another audience is a change too, though no word is another.
        let late = admin.post(&at, &typed("Again", "17", &now)).await.is(422);
        let now = hidden(&late, "edition").to_owned();
        let everybody = [&[("whom", "all")], &typed("First", "30", &now)[..]].concat();
        shows(
            &admin.post(&at, &everybody).await.is(200),
            &["5 people?", &format!("action=\"{at}\"")],
        );
        let copied = admin.get(&format!("/announcements/new?copy={id}")).await.is(200);
        shows(
            &copied,
            &[">\nFirst</textarea>", "value=\"30\"", "name=\"edition\" value=\"0\""],
        );
        hides(&copied, &["2030-01-01"]);
    });
}

#[test]
fn lists_go_by_time_and_are_filtered_and_searched() {
    each_world(async |world| {
        filled(world).await;
        let admin = Browser::of(world, "admin").await;
        admin.announces("Over soon", &[("closes", "2023-11-14T22:14")]).await;
        admin
            .announces(
                "Next year",
                &[("opens", "2024-02-01T00:00"), ("closes", "2024-03-01T00:00")],
            )
            .await;
        admin
            .announces(
                "Borealis alone",
                &[("customer", "borealis"), ("importance", "critical")],
            )
            .await;
        world.advance(Duration::from_mins(2));
        let list = |query: &'static str| {
            let admin = &admin;
            async move { admin.get(&format!("/announcements?{query}")).await.is(200) }
        };
        shows(&list("state=past").await, &["Over soon", "Ended"]);
        shows(
            &list("state=coming").await,
            &[
                "Next year",
                "1\u{a0}Feb\u{a0}2024,\u{a0}00:00 – 1\u{a0}Mar\u{a0}2024,\u{a0}00:00",
            ],
        );
        let now = list("state=now").await;
        shows(&now, &["Borealis alone"]);
        hides(&now, &["Over soon", "Next year"]);
        shows(&list("q=BOREALIS").await, &["Borealis alone"]);
        shows(
            &list("customer=Borealis&importance=critical").await,
            &["Borealis alone", "For Borealis only."],
        );
        shows(&list("importance=low").await, &["No announcement here"]);
        shows(
            &list("customer=0").await,
            &["No announcement here", "For All customers only."],
        );
        shows(&list("customer=zz").await, &["There is no customer"]);
        shows(&list("state=off").await, &["Nothing is switched off"]);
        let year = admin.get("/announcements/year").await.is(200);
        shows(
            &year,
            &[
                "Announcements 2023",
                "Over soon",
                "year=2024",
                "class=\"today\"",
                "At the same time as 1 other.",
            ],
        );
        hides(&year, &["Next year"]);
        let next = admin.get("/announcements/year?year=2024").await.is(200);
        shows(
            &next,
            &["Next year", "x=\"8.33%\"", "width=\"8.33%\"", "Borealis alone"],
        );
        hides(&next, &["class=\"today\"", "Over soon"]);
        shows(
            &admin.get("/announcements/year?year=1999").await.is(200),
            &["Nothing in this year"],
        );
    });
}

#[test]
fn who_has_acknowledged_is_counted_listed_reminded_and_taken_along() {
    each_world(async |world| {
        filled(world).await;
        let (admin, cat, dan) = (
            Browser::of(world, "admin").await,
            Browser::of(world, "cat").await,
            Browser::of(world, "dan").await,
        );
        let id = admin
            .announces("Read this", &[("acknowledge", "1"), ("bell", "1"), ("title", "Rules")])
            .await;
        shows(&cat.get("/inbox").await, &["I have read this"]);
        cat.post(&format!("/inbox/{id}/acknowledge"), &[]).await.is(303);
        hides(&cat.get("/inbox").await, &["class=\"banner "]);
        shows(&admin.get("/announcements").await, &["1 of 2 acknowledged"]);
        let page = admin.get(&format!("/messages/{id}")).await.is(200);
        shows(&page, &["Acknowledged", "part=acknowledged", "Remind that one"]);
        let people = admin
            .get(&format!("/messages/{id}/people?part=unacknowledged"))
            .await
            .is(200);
        shows(
            &people,
            &["Dan Orr", "Not acknowledged", "people.csv?part=unacknowledged"],
        );
        hides(&people, &["Cat Fox"]);
        let csv = admin.get(&format!("/messages/{id}/people.csv")).await.is(200);
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        let lines: Vec<&str> = csv.body.trim_start_matches('\u{feff}').lines().collect();
        assert_eq!(lines[0], "Person,Login,Seen,Read,Acknowledged");
        let at = "2023-11-14T22:13:20Z";
        assert_eq!(lines[1], format!("'=Cat Fox,cat,{at},{at},{at}"));
        assert!(lines[2].starts_with("Dan Orr,dan,"), "{}", lines[2]);
        dan.get("/inbox").await;
        dan.get(&format!("/inbox/{id}")).await.is(200);
        let unread = async |of: &Browser<'_>| of.get("/api/v1/inbox/counts").await.json()["unread"].clone();
        assert_eq!(unread(&dan).await, json!(0));
        let question = admin.get(&format!("/messages/{id}/remind")).await.is(200);
        shows(&question, &["Remind 1 person?"]);
        let done = admin.post(&format!("/messages/{id}/remind"), &[]).await.is(303);
        shows(&admin.get(done.header("location")).await, &["Reminded"]);
        assert_eq!(unread(&dan).await, json!(1));
        dan.get(&format!("/messages/{id}/people.csv")).await.is(200);
        cat.get(&format!("/messages/{id}/people.csv")).await.is(404);
        cat.get(&format!("/messages/{id}/remind")).await.is(404);
        let plain = admin.announces("Plain", &[]).await;
        admin.get(&format!("/messages/{plain}/remind")).await.is(404);
        admin.post(&format!("/messages/{plain}/remind"), &[]).await.is(409);
        hides(
            &admin.get(&format!("/messages/{plain}/people")).await,
            &["acknowledged"],
        );
    });
}

#[test]
fn a_banner_is_a_kind_of_message_beside_the_others() {
    each_world(async |world| {
        filled(world).await;
        let ann = Browser::of(world, "ann").await;
        let form = ann.get("/messages/new").await.is(200);
        shows(&form, &["value=\"banner\"", "Banner at the top of every page"]);
        let sent = ann
            .post(
                "/messages/new",
                &[
                    ("ways", "1"),
                    ("channel", "banner"),
                    ("to", "role/DEFAULT/ADMIN"),
                    ("text", "Be **early**"),
                    ("sender", "Ann"),
                    ("late", "active"),
                    ("key", "0123456789abcdef"),
                    ("do", "send"),
                ],
            )
            .await
            .is(303);
        shows(
            &ann.get("/inbox").await,
            &["class=\"banner low\"", "<strong>early</strong>"],
        );
        let id = sent.header("location").split(['/', '?']).nth(2).unwrap();
        // To a role: among announcements it is named, and what it is for stays.
        let admin = Browser::of(world, "admin").await;
        shows(&admin.get("/announcements").await, &["ADMIN in Default", "Be early"]);
        let edit = admin.get(&format!("/announcements/{id}/edit")).await.is(200);
        shows(&edit, &["For whom it is stays as it is.", "**bold**"]);
        shows(
            &ann.get(&format!("/messages/{id}")).await,
            &[&format!("/messages/{id}/correct")],
        );
    });
}

#[test]
fn a_try_is_shown_to_its_writer_alone_and_stands_in_no_list() {
    each_world(async |world| {
        filled(world).await;
        let (admin, cat) = (Browser::of(world, "admin").await, Browser::of(world, "cat").await);
        let typed = [
            ("text", "A try"),
            ("sender", "Me"),
            ("whom", "one"),
            ("customer", "17"),
            ("below", "1"),
        ];
        let fields = [&typed[..], &[("do", "myself"), ("key", "0123456789abcdef")]].concat();
        let page = admin.post("/announcements/new", &fields).await.is(200);
        shows(&page, &["Shown to you alone.", "id=\"banners\"", ">\nA try</textarea>"]);
        hides(&cat.get("/inbox").await, &["A try"]);
        shows(&admin.get("/announcements").await, &["Nothing is announced"]);
        let part = admin.post("/announcements/new/aside", &typed).await.is(200);
        shows(
            &part,
            &[
                "class=\"card who\"",
                "<p class=\"big num\">2</p>",
                "class=\"banner low\"",
            ],
        );
        hides(&part, &["<html"]);
    });
}
