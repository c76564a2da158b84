//! The pages of the directory: what they show, what their forms do, and who may.

use crate::world::{Said, World, each_world};
use serde_json::json;

/// Somebody at a browser that runs no scripts.
struct Browser<'w> {
    world: &'w World,
    token: String,
}

impl<'w> Browser<'w> {
    async fn admin(world: &'w World) -> Self {
        let token = world.admin().await;
        Self { world, token }
    }

    async fn get(&self, path: &str) -> Said {
        self.world.get(path).bearer(&self.token).send().await
    }

    /// Sends a form.
    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Said {
        let body: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let ask = self.world.post(path).bearer(&self.token);
        let ask = ask.header("content-type", "application/x-www-form-urlencoded");
        ask.body(body).send().await
    }

    /// Sends a form that is done, and follows to the page that it leads to.
    async fn done(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let said = self.form(path, fields).await.is(303);
        self.get(said.header("location")).await.is(200).body
    }

    /// Takes in lines of a directory file.
    async fn fill(&self, lines: &[serde_json::Value]) {
        let file: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let ask = self.world.post("/api/v1/directory/import").bearer(&self.token);
        let report = ask.body(file.join("\n")).send().await.is(200).json();
        assert_eq!(report["ok"], json!(true), "{report}");
    }

    /// Uploads a file by the form of the page, the box before it.
    async fn upload(&self, path: &str, dry_run: bool, file: &str) -> Said {
        let mut body = String::new();
        if dry_run {
            body.push_str("--X\r\nContent-Disposition: form-data; name=\"dry_run\"\r\n\r\ntrue\r\n");
        }
        body.push_str("--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.ndjson\"\r\n\r\n");
        body.push_str(file);
        body.push_str("\r\n--X--\r\n");
        let ask = self.world.post(path).bearer(&self.token);
        ask.header("content-type", "multipart/form-data; boundary=X")
            .body(body)
            .send()
            .await
    }
}

#[track_caller]
fn shows(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "{text} is not in {page}");
    }
}

#[track_caller]
fn hides(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(!page.contains(text), "{text} is in {page}");
    }
}

fn group(n: usize) -> serde_json::Value {
    json!({"kind": "group", "id": format!("g-{n:03}"), "name": format!("Team {n}")})
}

fn api() -> [serde_json::Value; 3] {
    [
        json!({"kind": "group", "id": "g", "name": "Team"}),
        json!({"kind": "api", "id": "pay", "name": "Payments", "environment": "DEFAULT"}),
        json!({"kind": "application", "id": "shop", "name": "Shop", "environment": "DEFAULT"}),
    ]
}

#[test]
fn who_reads_is_offered_no_change_and_who_may_not_sees_nothing() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let ann = world.person(50, "ann", "a fine password").await;
        let ben = world.person(51, "ben", "a fine password").await;
        admin.fill(&api()).await;
        admin
            .fill(&[
                json!({"kind": "role", "scope": "ORGANIZATION", "name": "READER", "permissions": {"USER": "R"}}),
                json!({"kind": "membership", "user": "ann", "on": {"organization": "DEFAULT"}, "role": "READER"}),
            ])
            .await;
        let (ann, ben) = (world.token(ann).await, world.token(ben).await);
        let pages = [
            "/directory",
            "/directory/users",
            "/directory/apis/pay",
            "/directory/memberships?user=ann",
        ];
        for path in pages {
            let page = world.get(path).bearer(&ann).send().await.is(200).body;
            hides(
                &page,
                &[
                    "/directory/add/",
                    "/directory/import",
                    "/edit\"",
                    "/end",
                    "href=\"/directory/roles\"",
                ],
            );
            shows(&admin.get(path).await.is(200).body, &["/directory/"]);
            world.get(path).bearer(&ben).send().await.is(403);
        }
        for path in [
            "/directory/add/users",
            "/directory/apis/pay/end",
            "/directory/import",
            "/directory/users/ben/edit",
        ] {
            world.get(path).bearer(&ann).send().await.is(403);
        }
        for path in [
            "/directory/users/ben/end",
            "/directory/users/ben/password",
            "/directory/apis/pay/groups",
        ] {
            let ask = world.post(path).bearer(&ann);
            let ask = ask.header("content-type", "application/x-www-form-urlencoded");
            ask.body("group=g&password=another+password").send().await.is(403);
        }
        world.get("/directory/roles").bearer(&ann).send().await.is(403);
        admin.get("/directory/users/nobody").await.is(404);
        admin.get("/directory/things").await.is(404);
    });
}

#[test]
fn a_user_is_made_with_a_customer_that_is_found_by_its_name_then_leaves_and_comes_back() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let customers = [("1", "Acme Works"), ("2", "Acme Labs")];
        for (id, name) in customers {
            admin
                .done("/directory/add/customers", &[("id", id), ("name", name)])
                .await;
        }
        let mut fields = vec![
            ("id", "u/ann"),
            ("login", "ann"),
            ("name", "Ann <Doe>"),
            ("email", "ann@acme.example"),
            ("customer", "acme"),
            ("password", "a fine password"),
        ];
        let asked = admin.form("/directory/add/users", &fields).await.is(422).body;
        shows(
            &asked,
            &[
                "aria-invalid",
                "value=\"ann@acme.example\"",
                "Acme Works",
                "name=\"customer.pick\" value=\"2\"",
            ],
        );
        hides(&asked, &["a fine password"]);
        fields.push(("customer.pick", "2"));
        let page = admin.done("/directory/add/users", &fields).await;
        shows(
            &page,
            &[
                "Created.",
                "Ann &#60;Doe&#62;",
                "Belongs to Acme Labs",
                "/directory/users/u%2Fann/edit",
            ],
        );
        world
            .get("/api/v1/me")
            .basic("ann", "a fine password")
            .send()
            .await
            .is(200);

        let asked = admin.get("/directory/users/u%2Fann/end").await.is(200).body;
        shows(
            &asked,
            &["Deactivate Ann", "Its history stays", "<button class=\"btn danger\">"],
        );
        let page = admin.done("/directory/users/u%2Fann/end", &[]).await;
        shows(
            &page,
            &[
                "Deactivated",
                "action=\"/directory/users/u%2Fann/back\"",
                "Was here",
                "Undo",
            ],
        );
        admin.get("/directory/users/u%2Fann/edit").await.is(404);
        shows(&admin.get("/directory/users?state=ended").await.body, &["u%2Fann"]);
        let page = admin.done("/directory/users/u%2Fann/back", &[]).await;
        shows(&page, &["Is here", "ann@acme.example"]);
        world
            .get("/api/v1/me")
            .basic("ann", "a fine password")
            .send()
            .await
            .is(200);
    });
}

#[test]
fn what_the_rules_refuse_stands_beside_its_field_in_the_readers_language() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let fields = [("id", "u-1"), ("login", "admin"), ("name", "Ann"), ("customer", "77")];
        let page = admin.form("/directory/add/users", &fields[..3]).await.is(422).body;
        shows(
            &page,
            &[
                "admin is the login of another user",
                "aria-describedby=\"login-fault\"",
                "role=\"alert\"",
            ],
        );
        let body = "id=u-1&login=ann&name=&locale=kein+Kürzel";
        let ask = world
            .post("/directory/add/users")
            .bearer(&admin.token)
            .header("accept-language", "de");
        let ask = ask
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        shows(
            &ask.send().await.is(422).body,
            &["ohne Leerzeichen am Anfang", "muss ein Sprachkürzel sein", "u-1"],
        );
        let page = admin.form("/directory/add/users", &fields).await.is(422).body;
        shows(&page, &["Nothing is called “77”."]);
        admin.get("/directory/users/u-1").await.is(404);
    });
}

#[test]
fn a_change_of_one_field_leaves_the_others_as_they_were() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        admin.fill(&api()).await;
        let subscription = json!({"kind": "subscription", "id": "s", "api": "pay", "application": "shop",
            "status": "ACCEPTED", "starting_at": "2023-01-01T00:00:07Z"});
        admin.fill(&[subscription]).await;
        let form = admin.get("/directory/subscriptions/s/edit").await.is(200).body;
        shows(&form, &["value=\"2023-01-01T00:00\"", "value=\"accepted\" selected"]);
        let fields = [("status", "paused"), ("starting_at", "2023-01-01T00:00")];
        let page = admin.done("/directory/subscriptions/s/edit", &fields).await;
        shows(&page, &["Paused", "Accepted, from 1 Jan 2023"]);
        let said = world
            .get("/api/v1/subscriptions/s")
            .bearer(&admin.token)
            .send()
            .await
            .json();
        assert_eq!(said["starting_at"], json!("2023-01-01T00:00:07Z"));
        let page = admin.done("/directory/subscriptions/s/end", &[]).await;
        shows(&page, &["Removed", "Undo"]);
        shows(
            &admin.done("/directory/subscriptions/s/back", &[]).await,
            &["Paused", "Shop", "Payments"],
        );
    });
}

#[test]
fn a_role_is_given_and_taken_away_and_both_are_told() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        admin
            .fill(&[json!({"kind": "user", "id": "ann", "login": "ann", "name": "ann"})])
            .await;
        admin.fill(&api()).await;
        let key = [("user", "ann"), ("on", "group"), ("id", "g"), ("role", "API/OWNER")];
        let form = admin
            .get("/directory/add/memberships?on=group&id=g&scope=API")
            .await
            .is(200)
            .body;
        shows(&form, &["API/OWNER", "Team"]);
        hides(&form, &["ENVIRONMENT/ADMIN"]);
        // Where nothing was chosen, nothing is.
        let form = admin.get("/directory/add/memberships?user=ann").await.is(200).body;
        for name in ["on", "role"] {
            let select = form.split(&format!("name=\"{name}\"")).nth(1).unwrap();
            shows(&select[..200], &["<option value=\"\""]);
        }
        shows(
            &admin.done("/directory/add/memberships", &key).await,
            &["The role is given.", "OWNER", "Team"],
        );
        let again = admin.form("/directory/add/memberships", &key).await.is(422).body;
        shows(&again, &["the user holds this role there already"]);
        shows(
            &admin.get("/directory/groups/g").await.body,
            &["/directory/users/ann", "ann holds OWNER"],
        );

        world.advance(std::time::Duration::from_mins(1));
        let path = "/directory/memberships/end?user=ann&on=group&id=g&scope=API&role=OWNER";
        shows(
            &admin.get(path).await.is(200).body,
            &["no longer holds OWNER", "Group g"],
        );
        let end = [
            ("user", "ann"),
            ("on", "group"),
            ("id", "g"),
            ("scope", "API"),
            ("role", "OWNER"),
        ];
        let page = admin.done("/directory/memberships/end", &end).await;
        shows(
            &page,
            &[
                "taken away",
                "name=\"role\" value=\"API/OWNER\"",
                "name=\"on\" value=\"group\"",
                "Give OWNER back",
            ],
        );
        shows(
            &admin.get("/directory/users/ann").await.body,
            &["Held OWNER on Group g"],
        );
        admin.form("/directory/memberships/end", &end).await.is(404);
    });
}

#[test]
fn only_the_server_itself_offers_to_undo() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let user = |id: &str| json!({"kind": "user", "id": id, "login": id, "name": id});
        let mallory =
            json!({"kind": "membership", "user": "mallory", "on": {"organization": "DEFAULT"}, "role": "USER"});
        admin.fill(&[user("mallory"), user("fired"), mallory]).await;

        // Made up: the sentence is ours, the button is not there.
        for made_up in [
            "/directory/memberships?user=mallory&done=role-taken&was=organization&role=ORGANIZATION/ADMIN",
            "/directory/users/fired?done=deactivated",
            "/directory/users/fired?done=deactivated&undo=99999999999.00",
        ] {
            let page = admin.get(made_up).await.is(200).body;
            hides(&page, &["Undo", "Give ADMIN back", "value=\"ORGANIZATION/ADMIN\""]);
        }

        // A true one, with another role put into it, or looked at when it has long been so.
        let end = [
            ("user", "mallory"),
            ("on", "organization"),
            ("scope", "ORGANIZATION"),
            ("role", "USER"),
        ];
        let said = admin.form("/directory/memberships/end", &end).await.is(303);
        let own = said.header("location").to_owned();
        shows(&admin.get(&own).await.body, &["Give USER back"]);
        let other = own.replace("ORGANIZATION%2FUSER", "ORGANIZATION%2FADMIN");
        assert_ne!(own, other);
        hides(&admin.get(&other).await.body, &["Give ADMIN back"]);
        world.advance(std::time::Duration::from_mins(20));
        hides(&admin.get(&own).await.body, &["Give USER back"]);
    });
}

#[test]
fn groups_are_attached_and_detached_one_by_one() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        admin.fill(&api()).await;
        admin.fill(&[group(1)]).await;
        for id in ["g", "g-001"] {
            shows(
                &admin.done("/directory/apis/pay/groups", &[("group", id)]).await,
                &["Attached."],
            );
        }
        let page = admin.done("/directory/apis/pay/groups", &[("detach", "g")]).await;
        shows(&page, &["Detached.", "Team 1", "Group Team 1 is attached"]);
        hides(&page, &["value=\"g\""]);
        shows(
            &admin.get("/directory/groups/g-001").await.body,
            &["href=\"/directory/apis/pay\">Payments"],
        );
        let page = admin
            .form("/directory/apis/pay/groups", &[("group", "none")])
            .await
            .is(422)
            .body;
        shows(&page, &["There is no group none.", "Team 1"]);
        // It stands in addresses of the page, and is said by nothing on it.
        let page = admin.get("/directory/apis/pay?refused=Words").await.body;
        hides(&page, &[">Words", " Words", "Words<", "Words."]);
        admin
            .form("/directory/users/admin/groups", &[("group", "g")])
            .await
            .is(404);
    });
}

#[test]
fn customers_are_a_tree_and_one_that_is_needed_stays() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        for (name, parent) in [("Top", ""), ("Middle", "1"), ("Bottom", "2")] {
            admin
                .done("/directory/add/customers", &[("name", name), ("parent", parent)])
                .await;
        }
        let roots = admin.get("/directory/customers").await.is(200).body;
        shows(&roots, &["Top", "href=\"/directory/customers/1#tree\""]);
        hides(&roots, &["Middle"]);
        let page = admin.get("/directory/customers/2").await.is(200).body;
        shows(
            &page,
            &[
                "href=\"/directory/customers/1\">Top",
                "level-2",
                "Bottom",
                "aria-current=\"page\">Middle",
            ],
        );
        shows(
            &admin.get("/directory/customers?q=bot").await.body,
            &["/directory/customers/3"],
        );

        let asked = admin.get("/directory/customers/2/end").await.is(200).body;
        shows(&asked, &["There are customers below it."]);
        hides(&asked, &["btn danger"]);
        admin.form("/directory/customers/2/end", &[]).await.is(422);
        let circle = admin
            .form("/directory/customers/1/edit", &[("name", "Top"), ("parent", "3")])
            .await
            .is(422);
        shows(&circle.body, &["the tree would be a circle"]);
        let page = admin.done("/directory/customers/3/end", &[("parent", "2")]).await;
        shows(&page, &["Undo", "name=\"parent\" value=\"2\""]);
        shows(
            &admin.done("/directory/customers/3/back", &[("parent", "2")]).await,
            &["Is below Middle"],
        );
    });
}

#[test]
fn a_role_of_ones_own_has_a_grid_and_a_built_in_one_stays_as_it_is() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let fields = [
            ("scope", "ENVIRONMENT"),
            ("name", "SUPPORT"),
            ("permission", "MESSAGE"),
            ("letters-0", "C"),
            ("letters-0", "R"),
            ("permission", "ALERT"),
            ("letters-1", "D"),
        ];
        admin.done("/directory/add/roles", &fields).await;
        let said = world
            .get("/api/v1/roles/ENVIRONMENT/SUPPORT")
            .bearer(&admin.token)
            .send()
            .await
            .json();
        assert_eq!(said["permissions"], json!({"MESSAGE": "CR", "ALERT": "D"}));
        shows(
            &admin.form("/directory/add/roles", &fields).await.is(422).body,
            &["this role is there already"],
        );
        let wrong = [("permission", "no good"), ("letters-0", "C")];
        let refused = admin
            .form("/directory/roles/ENVIRONMENT/SUPPORT/edit", &wrong)
            .await
            .is(422)
            .body;
        shows(&refused, &["no good: ", "role=\"alert\""]);

        let built_in = admin.get("/directory/roles/ENVIRONMENT/ADMIN").await.is(200).body;
        shows(&built_in, &["built in and cannot change", "MESSAGE"]);
        hides(&built_in, &["ADMIN/edit", "ADMIN/end"]);
        admin.get("/directory/roles/ENVIRONMENT/ADMIN/edit").await.is(409);
        admin.form("/directory/roles/ENVIRONMENT/ADMIN/edit", &[]).await.is(422);

        let key = [
            ("user", "admin"),
            ("on", "environment"),
            ("id", "DEFAULT"),
            ("role", "ENVIRONMENT/SUPPORT"),
        ];
        admin.done("/directory/add/memberships", &key).await;
        let page = admin.get("/directory/roles/ENVIRONMENT/SUPPORT").await.is(200).body;
        shows(&page, &["/directory/users/admin", "Take away"]);
        let kept = admin
            .form("/directory/roles/ENVIRONMENT/SUPPORT/end", &[])
            .await
            .is(422)
            .body;
        shows(&kept, &["Somebody holds or held this role"]);
    });
}

#[test]
fn a_list_goes_on_where_its_page_ended() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let groups: Vec<_> = (0..60).map(group).collect();
        admin.fill(&groups).await;
        let first = admin.get("/directory/groups?q=team").await.is(200).body;
        shows(&first, &["Team 0<", "rel=\"next\""]);
        let next = first
            .split("href=\"")
            .find(|part| part.contains("rel=\"next\""))
            .unwrap();
        let next = next
            .split('"')
            .next()
            .unwrap()
            .replace("&#38;", "&")
            .replace("&amp;", "&");
        let second = admin.get(&next).await.is(200).body;
        shows(&second, &["Team 59<"]);
        hides(&second, &["Team 0<", "rel=\"next\""]);
        admin.get("/directory/groups?cursor=nonsense").await.is(422);
    });
}

#[test]
fn an_administrator_sets_a_password() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        world.person(50, "ann", "an old password").await;
        let path = "/directory/users/ann/password";
        let refused = admin.form(path, &[("password", "short")]).await.is(422).body;
        shows(&refused, &["password-fault", "type=\"password\""]);
        shows(
            &admin.done(path, &[("password", "a new password")]).await,
            &["The new password is set."],
        );
        world
            .get("/api/v1/me")
            .basic("ann", "a new password")
            .send()
            .await
            .is(200);
        admin.get("/directory/users/nobody/password").await.is(404);
    });
}

#[test]
fn a_file_is_uploaded_and_reported_line_by_line() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let page = admin.get("/directory/import").await.is(200).body;
        shows(
            &page,
            &["multipart/form-data", "name=\"dry_run\"", "&#34;kind&#34;"].map(|text| {
                if text.starts_with('&') {
                    "\"kind\":\"customer\""
                } else {
                    text
                }
            }),
        );
        let file = format!("{}\n{}\n", group(1), r#"{"kind":"group","id":"g-2","name":""}"#);
        let dry = admin.upload("/directory/import", true, &file).await.is(200).body;
        shows(
            &dry,
            &[
                "Nothing was written.",
                "1 bad line",
                "<td class=\"n\">2</td>",
                "<code>name</code>",
            ],
        );
        admin.get("/directory/groups/g-001").await.is(404);
        // Where no line is good, there is nothing to take in.
        let nothing = admin.upload("/directory/import", true, "{}\n").await.is(200).body;
        shows(&nothing, &["Nothing was written: no line is good."]);
        hides(&nothing, &["Untick the box"]);
        let part = admin
            .upload("/directory/import?part=1", false, &file)
            .await
            .is(200)
            .body;
        shows(&part, &["The good lines were taken.", "1 bad line"]);
        hides(&part, &["<html"]);
        admin.get("/directory/groups/g-001").await.is(200);

        let long = admin
            .upload("/directory/import", false, &" ".repeat((1 << 20) + 1))
            .await
            .is(422)
            .body;
        shows(&long, &["larger than 1048576 bytes", "role=\"alert\""]);
        let ask = world.post("/directory/import").bearer(&admin.token);
        let none = ask
            .header("content-type", "multipart/form-data; boundary=X")
            .body("--X--\r\n");
        shows(&none.send().await.is(422).body, &["choose a file first"]);
    });
}

#[test]
fn the_last_administrator_stays_and_is_told_who_they_are() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let me = admin.get("/api/v1/me").await.json()["id"].as_str().unwrap().to_owned();
        let end = format!("/directory/users/{me}/end");
        shows(&admin.get(&end).await.is(200).body, &["This is you."]);
        shows(
            &admin.form(&end, &[]).await.is(422).body,
            &["nobody else is an administrator", "role=\"alert\""],
        );

        let role = [
            ("user", me.as_str()),
            ("on", "organization"),
            ("scope", "ORGANIZATION"),
            ("role", "ADMIN"),
        ];
        let asked = format!("/directory/memberships/end?user={me}&on=organization&scope=ORGANIZATION&role=ADMIN");
        shows(&admin.get(&asked).await.is(200).body, &["a role of your own"]);
        let refused = admin.form("/directory/memberships/end", &role).await.is(422).body;
        shows(&refused, &["nobody else is an administrator"]);

        // With a second one, the first may go.
        let given = json!({"kind": "membership", "user": "ann", "on": {"organization": "DEFAULT"}, "role": "ADMIN"});
        admin
            .fill(&[
                json!({"kind": "user", "id": "ann", "login": "ann", "name": "ann"}),
                given,
            ])
            .await;
        admin.form("/directory/memberships/end", &role).await.is(303);
    });
}

#[test]
fn a_report_says_when_it_shows_the_first_faults_alone() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        // Two faults a line: more faults than are shown, and fewer lines.
        let line = r#"{"kind":"user","id":"u","login":"","name":""}"#;
        let file = format!("{line}\n").repeat(150);
        let page = admin.upload("/directory/import", true, &file).await.is(200).body;
        shows(&page, &["150 bad lines", "These are the first 200."]);
        let whole = admin
            .upload("/directory/import", true, &format!("{line}\n"))
            .await
            .is(200)
            .body;
        hides(&whole, &["the first"]);
    });
}

#[test]
fn an_environment_that_is_gone_is_offered_nowhere() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let at = |id: &str| json!({"kind": "environment", "id": id, "name": format!("Place {id}")});
        admin
            .fill(&[
                at("AAA"),
                at("OLD"),
                json!({"kind": "remove", "of": "environment", "id": "OLD"}),
            ])
            .await;
        for page in ["/directory/add/apis", "/messages", "/messages/new"] {
            let page = admin.get(page).await.is(200).body;
            shows(&page, &["Place AAA"]);
            hides(&page, &["Place OLD"]);
        }
        shows(
            &admin.get("/directory/add/apis").await.body,
            &["value=\"DEFAULT\" selected"],
        );
    });
}

#[test]
fn an_environment_is_called_by_its_name() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        admin
            .fill(&[
                json!({"kind": "environment", "id": "E-7", "name": "South"}),
                json!({"kind": "user", "id": "ann", "login": "ann", "name": "Ann"}),
                json!({"kind": "api", "id": "pay", "name": "Payments", "environment": "E-7"}),
                json!({"kind": "application", "id": "shop", "name": "Shop", "environment": "E-7"}),
                json!({"kind": "membership", "user": "ann", "on": {"environment": "E-7"}, "role": "USER"}),
            ])
            .await;
        for (page, said) in [
            ("/apis", "<small>South</small>"),
            ("/directory/apis", "<td class=\"more\">South</td>"),
            ("/directory/applications", "<td class=\"more\">South</td>"),
            (
                "/directory/apis/pay",
                "<a href=\"/directory/environments/E-7\">South</a>",
            ),
            ("/directory/users/ann", "Holds USER on Environment South"),
        ] {
            shows(&admin.get(page).await.is(200).body, &[said]);
        }
    });
}

#[test]
fn what_was_there_from_the_beginning_has_no_date() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        for page in ["/directory/environments", "/directory/environments/DEFAULT"] {
            let page = admin.get(page).await.is(200).body;
            shows(&page, &["Default"]);
            hides(&page, &["1970"]);
        }
    });
}

#[test]
fn the_chosen_environment_narrows_lists_and_leads_back_to_them() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let place = json!({"kind": "environment", "id": "Süd 1", "name": "South"});
        let api = |id: &str, at: &str| json!({"kind": "api", "id": id, "name": format!("The {id}"), "environment": at});
        admin
            .fill(&[place, api("pets", "DEFAULT"), api("birds", "Süd 1")])
            .await;
        let page = admin.get("/apis?q=the").await.is(200).body;
        shows(
            &page,
            &[
                "The pets",
                "The birds",
                "All environments",
                "name=\"back\" value=\"/apis?q=the\"",
            ],
        );
        // Where nothing is narrowed, nothing is offered.
        hides(&admin.get("/inbox").await.body, &["All environments"]);

        let said = admin
            .form("/environment", &[("environment", "Süd 1"), ("back", "/apis?q=the")])
            .await
            .is(303);
        assert_eq!(said.header("location"), "/apis?q=the");
        let cookie = said.set_cookie();
        let narrowed = async |path: &str| {
            let ask = world.get(path).bearer(&admin.token).header("cookie", &cookie);
            ask.send().await.is(200).body
        };
        let page = narrowed("/apis?q=the").await;
        shows(&page, &["The birds", "value=\"Süd 1\" selected"]);
        hides(&page, &["The pets"]);
        shows(&narrowed("/messages/new").await, &["role/Süd 1/ADMIN"]);
        let all = admin
            .form("/environment", &[("environment", ""), ("back", "/apis")])
            .await
            .is(303);
        assert!(all.header("set-cookie").contains("Max-Age=0"), "{:?}", all.headers);
    });
}

#[test]
fn who_is_erased_is_named_twice() {
    each_world(async |world| {
        let browser = Browser::admin(world).await;
        browser
            .fill(&[json!({"kind": "user", "id": "u-ann", "login": "ann", "name": "Ann Archer"})])
            .await;
        let page = browser.get("/directory/users/u-ann").await.is(200).body;
        assert!(page.contains("href=\"/directory/users/u-ann/erase\""));
        let ask = browser.get("/directory/users/u-ann/erase").await.is(200).body;
        assert!(ask.contains("Erase Ann Archer?") && ask.contains("/api/v1/users/u-ann/export"));
        let wrong = browser.form("/directory/users/u-ann/erase", &[("login", "anne")]).await;
        assert!(wrong.is(422).body.contains("That is another login."));
        let shown = browser.done("/directory/users/u-ann/erase", &[("login", "Ann ")]).await;
        assert!(shown.contains("This user was erased") && !shown.contains("Bring back"));
        browser.get("/directory/users/u-ann").await.is(404);
    });
}
