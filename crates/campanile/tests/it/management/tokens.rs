//! Personal tokens.

use std::time::Duration;

use serde_json::{Value, json};

use super::site::Site;
use super::{ORG, refused};
use crate::world::{ADMIN_PASSWORD, START, Said, World, each_world};

fn tokens() -> String {
    format!("{ORG}/user/tokens")
}

async fn makes(world: &World, body: &str) -> Said {
    let ask = world.post(&tokens()).basic("admin", ADMIN_PASSWORD);
    let ask = ask.header("content-type", "application/json").body(body.to_owned());
    ask.send().await
}

async fn list(world: &World) -> Vec<Value> {
    let said = world.get(&tokens()).basic("admin", ADMIN_PASSWORD).send().await.is(200);
    said.json().as_array().unwrap().clone()
}

#[test]
fn a_token_is_told_once_and_lets_in() {
    each_world(async |world| {
        let mut made = makes(world, r#"{"name": "ci", "unknown": 1}"#).await.is(200).json();
        let text = made["token"].take().as_str().unwrap().to_owned();
        let id = made["id"].as_str().unwrap().to_owned();
        assert_eq!(
            made,
            json!({"id": id, "name": "ci", "token": null, "created_at": START.0})
        );
        world.get(&format!("{ORG}/user")).bearer(&text).send().await.is(200);
        world.app.settle().await;
        assert_eq!(
            list(world).await,
            [json!({"id": id, "name": "ci", "created_at": START.0, "last_use_at": START.0})]
        );
        // It is one of the person's own, wherever they look.
        let own = world.get("/api/v1/me/tokens").bearer(&text).send().await.is(200).json();
        assert_eq!(own["tokens"][0]["id"], json!(id));
    });
}

#[test]
fn tokens_are_listed_by_age() {
    each_world(async |world| {
        for name in ["second", "first"].iter().rev() {
            makes(world, &json!({"name": name}).to_string()).await.is(200);
            world.advance(Duration::from_secs(1));
        }
        let names: Vec<_> = list(world).await.iter().map(|token| token["name"].clone()).collect();
        assert_eq!(names, ["first", "second"]);
    });
}

#[test]
fn a_name_is_there_is_short_and_is_the_only_one_of_its_kind() {
    each_world(async |world| {
        makes(world, r#"{"name": "ci"}"#).await.is(200);
        let said = makes(world, r#"{"name": "ci"}"#).await;
        refused(
            said,
            400,
            "token.alreadyExists",
            "A token with the name [ci] already exists.",
        );
        for body in [
            "{}",
            r#"{"name": null}"#,
            r#"{"name": ""}"#,
            &json!({"name": "x".repeat(65)}).to_string(),
        ] {
            let said = makes(world, body).await;
            refused(said, 400, "", "name: must have 1 to 64 characters");
        }
        // A number is taken for a text, as there.
        assert_eq!(makes(world, r#"{"name": 5}"#).await.is(200).json()["name"], json!("5"));
        let said = makes(world, r#"{"name": []}"#).await.is(400);
        assert!(
            said.json()["message"].as_str().unwrap().starts_with("name: "),
            "{}",
            said.body
        );
        makes(world, "{").await.is(400);
        makes(world, "").await.is(400);
    });
}

#[test]
fn a_token_makes_no_token() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let said = site.post(&tokens(), "admin", &json!({"name": "ci"})).await;
        let text = "not by a personal token: sign in, or send login and password";
        refused(said, 403, "forbidden", text);
    });
}

#[test]
fn a_revoked_token_is_gone() {
    each_world(async |world| {
        let made = makes(world, r#"{"name": "ci"}"#).await.is(200).json();
        let (id, text) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
        let one = format!("{}/{id}", tokens());
        let revoke = || world.delete(&one).basic("admin", ADMIN_PASSWORD);
        world.get(&tokens()).bearer(text).send().await.is(200);
        assert_eq!(revoke().send().await.is(204).body, "");
        world.get(&tokens()).bearer(text).send().await.is(401);
        let said = revoke().send().await;
        assert_eq!(said.json()["parameters"], json!({"tokenId": id}));
        refused(said, 404, "tokenId.notFound", &format!("Token [{id}] cannot be found."));
    });
}

#[test]
fn all_tokens_are_revoked_at_once_and_only_ones_own() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for name in ["one", "two"] {
            makes(world, &json!({"name": name}).to_string()).await.is(200);
        }
        world
            .delete(&tokens())
            .basic("admin", ADMIN_PASSWORD)
            .send()
            .await
            .is(204);
        assert_eq!(list(world).await, Vec::<Value>::new());
        site.get(&tokens(), "plain").await.is(200);
        let journal = world
            .get("/api/v1/journal?kind=token")
            .basic("admin", ADMIN_PASSWORD)
            .send()
            .await;
        let ended = journal.is(200).json()["items"].as_array().unwrap().clone();
        let ended = ended.iter().filter(|item| item["action"] == json!("ended")).count();
        assert_eq!(ended, 3, "the two, and the one with which the world was made");
    });
}
