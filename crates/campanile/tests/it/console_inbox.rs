//! The inbox as a browser meets it, without any script: log-in, lists, what is done with messages, errors, headers.

use serde_json::json;

use crate::world::{ADMIN_PASSWORD, Ask, Said, World, each_world};

/// Somebody who is signed in, with a browser.
pub(crate) struct Browser<'w> {
    pub(crate) world: &'w World,
    pub(crate) cookie: String,
}

impl<'w> Browser<'w> {
    pub(crate) async fn log_in(world: &'w World, login: &str, password: &str) -> Self {
        let fields = [("login", login), ("password", password)];
        let said = submit(world.post("/login"), &fields).await.is(303);
        Self {
            world,
            cookie: said.set_cookie(),
        }
    }

    pub(crate) async fn admin(world: &'w World) -> Self {
        Self::log_in(world, "admin", ADMIN_PASSWORD).await
    }

    pub(crate) async fn get(&self, path: &str) -> Said {
        self.world.get(path).cookie(&self.cookie).send().await
    }

    /// Sends a form.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Said {
        submit(self.world.post(path).cookie(&self.cookie), fields).await
    }

    /// Sends a form that is accepted, and reads the page that it leads to.
    pub(crate) async fn done(&self, path: &str, fields: &[(&str, &str)]) -> Said {
        let said = self.post(path, fields).await.is(303);
        self.get(said.header("location")).await.is(200)
    }
}

/// Sends the fields of a form.
pub(crate) async fn submit(ask: Ask<'_>, fields: &[(&str, &str)]) -> Said {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let form = ask.header("content-type", "application/x-www-form-urlencoded");
    form.body(body).send().await
}

/// The value of the first attribute that follows a text, such as `name="next" value=`.
pub(crate) fn value<'p>(page: &'p str, before: &str) -> &'p str {
    let (_, rest) = page
        .split_once(&format!("{before}\""))
        .unwrap_or_else(|| panic!("no {before} in {page}"));
    rest.split_once('"').unwrap().0
}

/// Sends a message to `admin`.
async fn tell(world: &World, title: &str, text: &str) -> i64 {
    let body = json!({"title": title, "text": text, "audience": [{"kind": "user", "user": "admin"}]});
    let sent = world.post("/api/v1/messages").bearer(&world.admin().await).json(&body);
    sent.send().await.is(201).json()["id"].as_i64().unwrap()
}

// ---------------------------------------------------------------- log-in

#[test]
fn a_log_in_leads_back_to_the_page_that_was_wanted() {
    each_world(async |world| {
        let sent_away = world.get("/inbox?view=unread").send().await.is(303);
        assert_eq!(sent_away.header("location"), "/login?next=%2Finbox%3Fview%3Dunread");
        let form = world.get(sent_away.header("location")).send().await.is(200);
        let next = value(&form.body, "name=\"next\" value=");
        assert_eq!(next, "/inbox?view=unread");
        let fields = [("next", next), ("login", "ADMIN"), ("password", ADMIN_PASSWORD)];
        let inside = submit(world.post("/login"), &fields).await.is(303);
        assert_eq!(inside.header("location"), "/inbox?view=unread");
        let page = world
            .get("/inbox?view=unread")
            .cookie(&inside.set_cookie())
            .send()
            .await;
        assert!(page.is(200).body.contains("All read"));
        let again = world.get("/login?next=/me").cookie(&inside.set_cookie()).send().await;
        assert_eq!(again.is(303).header("location"), "/me");
    });
}

#[test]
fn a_log_in_leads_to_no_other_site() {
    each_world(async |world| {
        for foreign in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "javascript:1",
        ] {
            let fields = [("next", foreign), ("login", "admin"), ("password", ADMIN_PASSWORD)];
            let inside = submit(world.post("/login"), &fields).await.is(303);
            assert_eq!(inside.header("location"), "/", "{foreign}");
        }
    });
}

#[test]
fn a_wrong_password_is_said_in_words_and_what_was_typed_stays() {
    each_world(async |world| {
        let fields = [("next", "/me"), ("login", "admin"), ("password", "not the tower")];
        let said = submit(world.post("/login"), &fields).await.is(422);
        assert!(said.body.contains("role=\"alert\">Login or password is wrong."));
        assert_eq!(value(&said.body, "name=\"login\" value="), "admin");
        assert_eq!(value(&said.body, "name=\"next\" value="), "/me");
        assert!(!said.body.contains("not the tower"));
        assert_eq!(said.header("set-cookie"), "");
    });
}

#[test]
fn a_log_out_ends_the_session() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let out = admin.post("/logout", &[]).await.is(303);
        assert_eq!(out.header("location"), "/login?left=1");
        assert!(out.header("set-cookie").contains("Max-Age=0"));
        assert!(
            world
                .get("/login?left=1")
                .send()
                .await
                .body
                .contains("You are logged out.")
        );
        assert!(
            admin
                .get("/inbox")
                .await
                .is(303)
                .header("location")
                .starts_with("/login")
        );
    });
}

#[test]
fn another_site_can_neither_log_in_nor_act() {
    each_world(async |world| {
        let fields = [("login", "admin"), ("password", ADMIN_PASSWORD)];
        let foreign = world.post("/login").header("sec-fetch-site", "cross-site");
        assert_eq!(submit(foreign, &fields).await.is(403).header("set-cookie"), "");
        let admin = Browser::admin(world).await;
        let foreign = world.post("/logout").header("cookie", &admin.cookie);
        submit(foreign.header("sec-fetch-site", "cross-site"), &[])
            .await
            .is(403);
        admin.get("/inbox").await.is(200);
    });
}

// ---------------------------------------------------------------- lists and what is done

#[test]
fn messages_are_read_put_away_deleted_and_each_is_undone() {
    each_world(async |world| {
        let id = tell(world, "Maintenance", "tonight").await.to_string();
        tell(world, "Breakfast", "in the morning").await;
        let admin = Browser::admin(world).await;
        let there = async |view: &str| admin.get(view).await.is(200).body.contains("Choose “Maintenance”");
        let steps = [
            ("read", "unread", "/inbox?view=unread", "Marked read."),
            ("archive", "unarchive", "/inbox", "Archived."),
            ("delete", "restore", "/inbox", "Deleted for you."),
        ];
        for (action, reverse, view, words) in steps {
            assert!(there(view).await, "before {action}");
            let page = admin
                .done(&format!("/inbox/{id}/{action}"), &[("back", "/inbox?view=unread")])
                .await
                .body;
            assert!(page.contains(words), "{action}");
            assert!(!there(view).await, "after {action}");
            let notice = page.split("class=\"notice\"").nth(1).unwrap();
            assert_eq!(value(notice, "action="), "/inbox");
            assert_eq!(value(notice, "name=\"action\" value="), reverse);
            assert_eq!(value(notice, "name=\"id\" value="), id);
            admin.done("/inbox", &[("action", reverse), ("id", &id)]).await;
            assert!(there(view).await, "after {reverse}");
        }
    });
}

#[test]
fn what_is_ticked_is_put_away_at_once() {
    each_world(async |world| {
        let (one, two) = (tell(world, "One", "").await, tell(world, "Two", "").await);
        tell(world, "Three", "").await;
        let admin = Browser::admin(world).await;
        let (one, two) = (one.to_string(), two.to_string());
        let page = admin
            .done("/inbox", &[("action", "archive"), ("id", &one), ("id", &two)])
            .await
            .body;
        assert!(page.contains("2 messages archived."));
        assert!(page.contains("Three") && !page.contains("Choose “One”"));
        let archive = admin.get("/inbox?view=archived").await.body;
        assert!(archive.contains("Choose “One”") && archive.contains("Choose “Two”") && !archive.contains("Three"));
    });
}

#[test]
fn a_search_finds_words_and_says_when_there_are_none() {
    each_world(async |world| {
        tell(world, "Maintenance <b>", "tonight & [always](https://status.example/x)").await;
        tell(world, "Breakfast", "").await;
        let admin = Browser::admin(world).await;
        let found = admin.get("/inbox?q=tonight").await.body;
        assert!(
            found.contains("Maintenance &lt;b&gt;") && !found.contains("Choose “Breakfast”"),
            "{found}"
        );
        assert!(
            found.contains("tonight &amp; always<"),
            "an excerpt shows the words of a link alone: {found}"
        );
        assert_eq!(value(&found, "/archive\" title="), "Archive “Maintenance &lt;b&gt;”");
        assert!(admin.get("/inbox?q=lunch").await.body.contains("Nothing found"));
        let long = format!("/inbox?q={}", "x".repeat(201));
        assert!(
            admin
                .get(&long)
                .await
                .body
                .contains("role=\"alert\">Search for at most 200 characters.")
        );
    });
}

#[test]
fn a_page_of_twenty_messages_is_small() {
    each_world(async |world| {
        for at in 0..21 {
            let title = format!("Message {at}: maintenance of the gateway on Saturday");
            tell(
                world,
                &title,
                &"From 22:00 to 23:00 the gateway answers 503. ".repeat(10),
            )
            .await;
        }
        let admin = Browser::admin(world).await;
        let page = admin.get("/inbox").await.is(200).body;
        let (rows, more) = (page.matches("<li class=\"item").count(), page.contains("rel=\"next\""));
        assert!(
            rows == 20 && more && page.len() < 28_000,
            "{rows} rows, {} bytes",
            page.len()
        );
        assert!(admin.get("/bell").await.is(200).body.len() < 6_000);
    });
}

#[test]
fn all_that_was_shown_is_marked_read_and_nothing_that_came_after() {
    each_world(async |world| {
        tell(world, "Shown", "").await;
        let admin = Browser::admin(world).await;
        let page = admin.get("/inbox").await.body;
        let up_to = value(&page, "name=\"up_to\" value=").to_owned();
        tell(world, "Later", "").await;
        let fields = [("action", "read-all"), ("up_to", up_to.as_str())];
        assert!(
            admin
                .done("/inbox", &fields)
                .await
                .body
                .contains("Everything is marked read.")
        );
        let unread = admin.get("/inbox?view=unread").await.body;
        assert!(unread.contains("Choose “Later”") && !unread.contains("Choose “Shown”"));
        assert!(unread.contains("Notifications, 1 unread"));
    });
}

#[test]
fn the_panel_is_a_part_of_a_page() {
    each_world(async |world| {
        let id = tell(world, "Maintenance", "").await;
        let admin = Browser::admin(world).await;
        let panel = admin.get("/bell").await.is(200).body;
        assert!(!panel.contains("<html") && panel.contains(&format!("href=\"/inbox/{id}\"")));
        admin.post(&format!("/inbox/{id}/read"), &[]).await.is(303);
        assert!(admin.get("/bell?view=unread").await.body.contains("All read"));
    });
}

#[test]
fn opening_a_message_is_reading_it_and_fetching_it_ahead_is_not() {
    each_world(async |world| {
        let address = format!("/inbox/{}", tell(world, "Maintenance", "**tonight**").await);
        let admin = Browser::admin(world).await;
        let ahead = world
            .get(&address)
            .cookie(&admin.cookie)
            .header("sec-purpose", "prefetch");
        ahead.send().await.is(200);
        assert!(admin.get("/inbox").await.body.contains("1 unread message."));
        let page = admin.get(&address).await.is(200).body;
        assert!(page.contains("<strong>tonight</strong>") && page.contains("Notifications, none unread"));
        assert!(admin.get("/inbox").await.body.contains("Nothing unread."));
        // And it stays unread when somebody says so.
        let page = admin
            .done(&format!("{address}/unread"), &[("back", &address)])
            .await
            .body;
        assert!(page.contains("Notifications, 1 unread"));
    });
}

// ---------------------------------------------------------------- every page

#[test]
fn a_page_runs_nothing_foreign_and_is_kept_nowhere() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        for page in [admin.get("/inbox").await, world.get("/login").send().await] {
            let policy = page.header("content-security-policy");
            for part in [
                "default-src 'none'",
                "script-src 'self';",
                "frame-ancestors 'none'",
                "require-trusted-types-for",
            ] {
                assert!(policy.contains(part), "{part}: {policy}");
            }
            assert!(!policy.contains("unsafe"));
            assert_eq!(page.header("cache-control"), "no-store");
            assert_eq!(page.header("x-content-type-options"), "nosniff");
            assert!(!page.body.contains("style=\"") && !page.body.contains("<script>"));
        }
    });
}

#[test]
fn stylesheet_and_scripts_may_be_kept_for_ever() {
    each_world(async |world| {
        let page = world.get("/login").send().await.body;
        let style = value(&page, "rel=\"stylesheet\" href=");
        let script = value(&page, "type=\"module\" src=");
        for (address, kind) in [(style, "text/css"), (script, "text/javascript")] {
            let asset = world.get(address).send().await.is(200);
            assert!(asset.header("cache-control").contains("immutable"));
            assert!(asset.header("content-type").starts_with(kind));
        }
        world.get("/assets/000000000000/console.css").send().await.is(404);
    });
}

#[test]
fn what_is_wrong_is_a_page_for_a_browser_and_a_problem_for_others() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let page = admin.get("/inbox/999").await.is(404);
        assert!(page.header("content-type").starts_with("text/html") && page.body.contains("Nothing here"));
        let browser = world
            .get("/nowhere")
            .header("accept", "text/html,*/*;q=0.8")
            .send()
            .await
            .is(404);
        assert!(browser.body.contains("<h1>Nothing here</h1>"));
        let program = world
            .get("/nowhere")
            .header("accept", "application/json")
            .send()
            .await
            .is(404);
        assert_eq!(program.header("content-type"), "application/problem+json");
    });
}

#[test]
fn the_language_is_the_browsers_until_the_person_chooses_one() {
    each_world(async |world| {
        let form = world
            .get("/login")
            .header("accept-language", "fr, de-AT;q=0.8, en;q=0.5");
        let form = form.send().await.body;
        assert!(form.contains("<html lang=\"de\">") && form.contains("Anmelden"));
        let admin = Browser::admin(world).await;
        let inbox = async || {
            let page = world
                .get("/inbox")
                .cookie(&admin.cookie)
                .header("accept-language", "de");
            page.send().await.body
        };
        assert!(inbox().await.contains("<html lang=\"de\">"));
        admin.post("/me", &[("locale", "en")]).await.is(303);
        assert!(inbox().await.contains("<html lang=\"en\">"));
    });
}

#[test]
fn only_what_somebody_may_do_is_offered() {
    each_world(async |world| {
        world.person(7, "ann", "a word of ann").await;
        let ann = Browser::log_in(world, "ann", "a word of ann").await;
        let page = ann.get("/inbox").await.is(200).body;
        let offered = |page: &str, to: &str| page.contains(&format!("href=\"{to}\""));
        assert!(offered(&page, "/me") && !offered(&page, "/messages") && !offered(&page, "/directory"));
        let page = Browser::admin(world).await.get("/inbox").await.body;
        assert!(offered(&page, "/messages") && offered(&page, "/directory"));
    });
}

#[test]
fn a_form_that_comes_after_the_session_is_over_keeps_what_was_typed() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        admin.post("/logout", &[]).await.is(303);
        let fields = [
            ("title", "A <b> title"),
            ("text", "\nTwo\nlines"),
            ("password", "hunter2 hunter2"),
        ];
        let page = admin.post("/messages/new?x=1", &fields).await.is(401);
        let body = &page.body;
        assert!(
            body.contains("action=\"/messages/new?x=1\"") && body.contains("target=\"_blank\""),
            "{body}"
        );
        assert!(
            body.contains("name=\"title\" hidden>\nA &#60;b&#62; title</textarea>"),
            "{body}"
        );
        assert!(
            body.contains("name=\"text\" hidden>\n\nTwo\nlines</textarea>"),
            "{body}"
        );
        assert!(!body.contains("hunter2"));
        let secrets = [("old", "hunter2 old"), ("new", "hunter2 new"), ("again", "hunter2 new")];
        let page = admin.post("/me/password", &secrets).await.is(401);
        assert!(!page.body.contains("hunter2"));
        assert_eq!(page.header("cache-control"), "no-store");
    });
}

#[test]
fn a_problem_is_a_page_of_the_console_in_the_readers_language() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        admin.post("/me", &[("locale", "de")]).await.is(303);
        for path in ["/inbox/999", "/inbox/abc", "/messages/abc"] {
            let page = admin.get(path).await.is(404).body;
            assert!(
                page.contains("<html lang=\"de\">") && page.contains("id=\"bell\""),
                "{path}: {page}"
            );
        }
        // What arises before any page is reached, too.
        let html = "text/html,*/*;q=0.8";
        let put = world.put("/inbox").cookie(&admin.cookie).header("accept", html);
        let put = put.header("accept-language", "de").send().await.is(405);
        assert!(
            put.body.contains("<h1>Diese Adresse funktioniert anders</h1>"),
            "{}",
            put.body
        );
        assert!(put.header("content-security-policy").contains("default-src 'none'"));
        let foreign = world
            .post("/inbox")
            .header("cookie", &admin.cookie)
            .header("accept", html);
        let foreign = submit(foreign.header("sec-fetch-site", "cross-site"), &[])
            .await
            .is(403);
        assert!(
            foreign.body.contains("<h1>This came from another site</h1>"),
            "{}",
            foreign.body
        );
        let program = world.put("/inbox").send().await.is(405);
        assert_eq!(program.header("content-type"), "application/problem+json");
    });
}

#[test]
fn what_is_done_at_once_is_undone_where_it_changed_something() {
    each_world(async |world| {
        let ids = [
            tell(world, "One", "").await,
            tell(world, "Two", "").await,
            tell(world, "Three", "").await,
        ];
        let [one, two, three] = ids.map(|id| id.to_string());
        let admin = Browser::admin(world).await;
        admin.get(&format!("/inbox/{one}")).await.is(200);
        let fields = [("action", "read"), ("id", &one), ("id", &two), ("id", &three)];
        let page = admin.done("/inbox", &fields).await.body;
        assert!(
            page.contains("2 messages marked read.") || page.contains("Marked read."),
            "{page}"
        );
        assert!(
            !page.contains(&format!("name=\"id\" value=\"{one}\"><input")),
            "the first was read before"
        );
        assert!(page.contains(&format!("type=\"hidden\" name=\"id\" value=\"{two}\"")));
        assert!(!page.contains(&format!("type=\"hidden\" name=\"id\" value=\"{one}\"")));

        // One that is gone keeps nothing from being done.
        let recall = world
            .post(&format!("/api/v1/messages/{two}/recall"))
            .bearer(&world.admin().await);
        recall.send().await;
        let fields = [("action", "archive"), ("id", &two), ("id", &three)];
        let page = admin.done("/inbox", &fields).await.body;
        assert!(page.contains("The message is gone"), "{page}");
        assert!(admin.get("/inbox?view=archived").await.body.contains("Choose “Three”"));
    });
}

#[test]
fn a_message_leads_back_to_the_list_in_which_it_was_found() {
    each_world(async |world| {
        tell(world, "Lunch", "with soup").await;
        let admin = Browser::admin(world).await;
        let list = admin.get("/inbox?q=soup").await.is(200).body;
        let address = value(&list, "class=\"open\" href=").replace("&#38;", "&");
        let page = admin.get(&address).await.is(200).body;
        assert!(page.contains("class=\"crumb\"><a href=\"/inbox?q=soup\">"), "{page}");
        assert!(page.contains("name=\"back\" value=\"/inbox?q=soup\""));
    });
}

#[test]
fn a_dot_tells_what_came_since_the_bell_was_looked_at() {
    each_world(async |world| {
        tell(world, "Lunch", "").await;
        let admin = Browser::admin(world).await;
        let fresh = |page: &str| !page.contains("<span class=\"fresh\" hidden>");
        let page = admin.get("/me").await.body;
        assert!(fresh(&page) && page.contains("1 unread, new ones among them"), "{page}");
        admin.get("/bell").await.is(200);
        let page = admin.get("/me").await.body;
        assert!(!fresh(&page) && page.contains("Notifications, 1 unread\""), "{page}");
    });
}
