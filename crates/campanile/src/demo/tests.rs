//! The demonstration as its accounts find it.

use campanile_core::inbox::{Filter, Listed, Shown, View, page};
use campanile_core::message::sent;
use campanile_core::message::{Message, Status, funnel};

use super::*;

const NOW: Moment = Moment(1_795_000_000_000);

/// A filled app at the time of its last story, and the folder that it is in.
async fn filled() -> (Arc<App>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let flags = Flags {
        database: Some(format!("sqlite://{}", folder.path().join("demo.db").display())),
        ..Flags::default()
    };
    let mut settings = Settings::from_sources(None, &|_| None, flags).unwrap();
    settings.admin_password = Some(Secret::new(PASSWORD));
    let past = Clock::manual(NOW.plus_ms(-messages::REACH_MS));
    let app = App::open(settings, "http://demo.test".into(), past, Chance::seeded(1)).unwrap();
    fill::fill(&app, NOW).await.unwrap();
    (app, folder)
}

async fn inbox(app: &App, login: &'static str, view: View) -> Vec<Shown> {
    let lists = Arc::clone(&app.lists);
    let look = move |tx: &mut campanile_store::Tx<'_>| {
        let person = preview::person(tx, login)?;
        let filter = Filter {
            view,
            ..Filter::default()
        };
        page(tx, &lists, person, &filter, None, 100, NOW)
    };
    let page = app.db.read(look).await.unwrap();
    page.items.iter().map(Listed::shown).collect()
}

async fn all_sent(app: &App) -> Vec<Message> {
    let all = |tx: &mut campanile_store::Tx<'_>| sent::page(tx, i64::MAX, None, 100, |_, _| true);
    app.db.read(all).await.unwrap().0
}

#[tokio::test]
async fn inboxes_hold_read_unread_and_archived_messages_and_nothing_that_may_not_be_seen() {
    let (app, _folder) = filled().await;
    for login in ["ada", "paul", "carol", "una"] {
        let items = inbox(&app, login, View::Inbox).await;
        assert!(items.iter().any(|item| !item.read), "{login} has read everything");
        assert!(items.iter().any(|item| item.read), "{login} has read nothing");
        for hidden in ["Orders: downtime", "Support over the holidays", "Price list"] {
            assert!(
                !items.iter().any(|item| item.title.starts_with(hidden)),
                "{login} sees {hidden}"
            );
        }
    }
    assert!(!inbox(&app, "una", View::Archived).await.is_empty());
    assert!(!inbox(&app, "carol", View::Archived).await.is_empty());
    assert!(!inbox(&app, "una", View::Past).await.is_empty());
    let titles: Vec<_> = inbox(&app, "una", View::Inbox)
        .await
        .into_iter()
        .map(|item| item.title)
        .collect();
    assert!(
        titles.iter().any(|title| title.starts_with("[Payments v1] ")),
        "{titles:?}"
    );
}

#[tokio::test]
async fn sent_messages_are_in_every_state_and_some_people_have_read_them() {
    let (app, _folder) = filled().await;
    let sent = all_sent(&app).await;
    assert_eq!(sent.len(), messages::messages(NOW).len());
    for status in [Status::Active, Status::Scheduled, Status::Expired, Status::Recalled] {
        assert!(sent.iter().any(|message| message.status(NOW) == status), "{status:?}");
    }
    assert!(sent.iter().any(|message| message.edition > 1));
    let (residents, crowds) = (Arc::clone(&app.residents), Arc::clone(&app.crowds));
    let welcome = sent.into_iter().last().unwrap();
    let count = move |tx: &mut campanile_store::Tx<'_>| {
        let residents = residents.at(tx)?;
        funnel::funnel(tx, &residents, &crowds, &welcome, NOW)
    };
    let funnel = app.db.scan(count).await.unwrap();
    assert_eq!(funnel.people, 301, "the people of the sample and the administrator");
    assert!((200..280).contains(&funnel.read), "{funnel:?}");
}

#[tokio::test]
async fn what_is_printed_names_address_accounts_and_three_commands() {
    let text = welcome("http://127.0.0.1:8480", "cmp_token", "campanile");
    insta::assert_snapshot!(text);
}

#[test]
fn another_database_is_not_touched() {
    let flags = Flags {
        database: Some("sqlite://precious.db".into()),
        ..Flags::default()
    };
    assert_eq!(run(flags).unwrap_err().code(), 2);
}

#[tokio::test]
async fn a_taken_port_is_given_way_to_unless_it_was_asked_for() {
    let (taken, address) = serving::listen(&Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        ..Settings::default()
    })
    .await
    .unwrap();
    let settings = Settings {
        listen: address,
        ..Settings::default()
    };
    let (_, other) = listen(&settings, false).await.unwrap();
    assert_eq!(other.ip(), address.ip());
    assert_ne!(other.port(), address.port());
    let failure = listen(&settings, true).await.unwrap_err().to_string();
    assert!(failure.contains(&address.to_string()), "{failure}");
    drop(taken);
}
