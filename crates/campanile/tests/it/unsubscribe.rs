//! Mail off and on again: by the link in a mail, without a log-in, and by one's own page and the API.

use campanile_core::error::Error;
use campanile_core::id::PersonId;
use campanile_core::outbox::suppression::{self, Source};
use campanile_core::outbox::token::unsubscribe;
use campanile_core::time::Moment;
use campanile_store::Tx;
use serde_json::{Value, json};

use crate::console_inbox::Browser;
use crate::directory::Client;
use crate::world::{World, each_world};

/// Ann, with an address; her number and the path of the link in her mails.
async fn ann(world: &World, locale: Option<&str>) -> (PersonId, String) {
    let user = json!({"id": "u-ann", "login": "ann", "name": "Ann", "email": "Ann@example.org", "locale": locale});
    let made = Client::admin(world)
        .await
        .post("/api/v1/users", &user)
        .await
        .is(201)
        .json();
    let person = PersonId(made["number"].as_i64().unwrap());
    (person, format!("/u/{}", unsubscribe(&world.app.key, person)))
}

/// What keeps mail from her.
async fn hindrances(world: &World, person: PersonId) -> Vec<Value> {
    let token = world.token(person).await;
    let mail = world.get("/api/v1/me/mail").bearer(&token).send().await.is(200).json();
    assert_eq!(mail["address"], "Ann@example.org");
    let hindrances = mail["hindrances"].as_array().unwrap();
    assert_eq!(mail["on"], json!(hindrances.is_empty()));
    hindrances.iter().map(|one| one["source"].clone()).collect()
}

/// Puts her address on the list, from a source.
async fn suppress(world: &World, source: Source) {
    let work = move |tx: &mut Tx<'_>| {
        suppression::suppress(tx, "ann@example.org", source, "550 no", None, Moment(1))?;
        Ok::<_, Error>(())
    };
    world.app.db.jot(work).await.unwrap();
}

#[test]
fn looking_at_the_link_changes_nothing() {
    each_world(async |world| {
        let (person, path) = ann(world, None).await;
        let page = world.get(&path).send().await.is(200);
        assert!(
            page.body.contains("Ann@example.org") && page.body.contains("No more mail?"),
            "{}",
            page.body
        );
        assert!(
            page.body
                .contains(&format!("<form class=\"foot\" method=\"post\" action=\"{path}\">"))
        );
        assert_eq!(page.header("cache-control"), "no-store");
        world.ask(http::Method::HEAD, &path).send().await.is(200);
        assert_eq!(hindrances(world, person).await, [] as [Value; 0]);
        let german = world.get(&path).header("accept-language", "de").send().await.body;
        assert!(german.contains("<html lang=\"de\">") && german.contains("Abbestellen"));
    });
}

#[test]
fn one_click_of_a_mail_program_unsubscribes_as_often_as_it_comes() {
    each_world(async |world| {
        let (person, path) = ann(world, Some("de")).await;
        let form = "application/x-www-form-urlencoded";
        let multipart = "multipart/form-data; boundary=b";
        let part = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        for (kind, body) in [
            (form, "List-Unsubscribe=One-Click"),
            (multipart, part),
            (form, "List-Unsubscribe=One-Click"),
        ] {
            // From another site, as a browser of a provider's page sends it, and with a cookie that is none of its own.
            let ask = world
                .post(&path)
                .header("content-type", kind)
                .header("sec-fetch-site", "cross-site");
            let ask = ask
                .header("origin", "https://mail.example.net")
                .header("cookie", "campanile_session=x");
            let page = ask.body(body).send().await.is(200);
            assert!(page.headers.get("location").is_none() && page.headers.get("set-cookie").is_none());
            assert!(page.body.contains("Sie haben die E-Mails abbestellt"), "{}", page.body);
            assert_eq!(hindrances(world, person).await, ["unsubscribed"]);
        }
        // By a program that sends nothing but the request.
        world
            .post(&path.to_uppercase().replace("/U/", "/u/"))
            .send()
            .await
            .is(200);
        assert!(world.get(&path).send().await.body.contains("name=\"again\""));
    });
}

#[test]
fn what_was_unsubscribed_is_taken_back_and_nothing_else() {
    each_world(async |world| {
        let (person, path) = ann(world, None).await;
        let form = |body: &'static str| {
            let ask = world
                .post(&path)
                .header("content-type", "application/x-www-form-urlencoded");
            ask.body(body).send()
        };
        form("List-Unsubscribe=One-Click").await.is(200);
        assert!(form("again=1").await.is(200).body.contains("You get mail again"));
        assert_eq!(hindrances(world, person).await, [] as [Value; 0]);
        suppress(world, Source::Bounced).await;
        form("List-Unsubscribe=One-Click").await.is(200);
        assert!(form("again=1").await.is(200).body.contains("Mail is off"));
        assert_eq!(hindrances(world, person).await, ["bounced"]);
    });
}

#[test]
fn only_this_address_takes_what_other_sites_send_and_only_with_a_token_of_ours() {
    each_world(async |world| {
        let (_, path) = ann(world, None).await;
        let forged = format!("{}0", &path[..path.len() - 1]);
        for wrong in [forged.as_str(), "/u/x", "/u/%00", "/u/é"] {
            let wrong = wrong.replace('é', "%C3%A9");
            let page = world.get(&wrong).send().await.is(404).body;
            assert!(page.contains("This link does not work"), "{page}");
            world
                .post(&wrong)
                .body("List-Unsubscribe=One-Click")
                .send()
                .await
                .is(404);
        }
        let elsewhere = world.post("/me/mail").header("sec-fetch-site", "cross-site");
        let elsewhere = elsewhere.header("content-type", "application/x-www-form-urlencoded");
        elsewhere.body("on=0").send().await.is(403);
    });
}

#[test]
fn ones_own_page_says_what_keeps_mail_away_and_switches_it_on() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        admin.done("/me", &[("email", "ann@example.org")]).await;
        assert!(admin.get("/me").await.body.contains("go to ann@example.org."));
        let page = admin.done("/me/mail", &[("on", "0")]).await.body;
        assert!(
            page.contains("No more mail is sent to you") && page.contains("You unsubscribed."),
            "{page}"
        );
        suppress(world, Source::Bounced).await;
        let page = admin.get("/me").await.body;
        assert!(
            page.contains("A mail to it came back.") && page.contains("550 no"),
            "{page}"
        );
        let page = admin.done("/me/mail", &[("on", "1")]).await.body;
        assert!(page.contains("Messages are mailed to you again."), "{page}");
        // What an administrator did stays.
        suppress(world, Source::Added).await;
        let page = admin.get("/me").await.body;
        assert!(page.contains("Only an administrator can switch it on again.") && !page.contains("Send me mail again"));
        let refused = admin.post("/me/mail", &[("on", "1")]).await.is(422).body;
        assert!(
            refused.contains("an administrator switched off mail to this address"),
            "{refused}"
        );
        // Nothing was changed by half.
        suppress(world, Source::Complained).await;
        admin.post("/me/mail", &[("on", "1")]).await.is(422);
        assert!(admin.get("/me").await.body.contains("reported a mail as unwanted"));
    });
}

#[test]
fn the_api_says_and_changes_the_same() {
    each_world(async |world| {
        let (person, _) = ann(world, None).await;
        let client = Client {
            world,
            token: world.token(person).await,
        };
        let off = client
            .put("/api/v1/me/mail", &json!({"on": false}))
            .await
            .is(200)
            .json();
        assert_eq!(
            (&off["on"], &off["hindrances"][0]["source"]),
            (&json!(false), &json!("unsubscribed"))
        );
        suppress(world, Source::Complained).await;
        let on = client.put("/api/v1/me/mail", &json!({"on": true})).await.is(200).json();
        assert_eq!((&on["on"], &on["hindrances"]), (&json!(true), &json!([])));
        suppress(world, Source::Added).await;
        client.put("/api/v1/me/mail", &json!({"on": true})).await.is(409);
    });
}
