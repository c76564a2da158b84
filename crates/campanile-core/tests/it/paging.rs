//! Pages, filters, search.

use campanile_core::inbox::act::Action;
use campanile_core::inbox::{Filter, Listed, PAGE_LIMIT, View};
use campanile_core::message::Importance;
use campanile_core::message::draft::Draft;
use campanile_core::message::target::Target;

use crate::world::{World, draft, each_world, subscribers, user};

fn search(words: &str) -> Filter {
    Filter {
        search: Some(words.to_owned()),
        ..Filter::default()
    }
}

fn found(world: &World<'_>, words: &str) -> Vec<String> {
    let ann = campanile_core::id::PersonId(2);
    let items = world.all(ann, &search(words));
    items.into_iter().map(|item| item.title).collect()
}

#[test]
fn pages_are_newest_first_and_say_how_many_there_are() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish_many((0..7).map(|at| draft(&format!("{at}"), [Target::Everyone])).collect());
        let page = world.page(ann, Filter::default(), None, 3);
        let titles: Vec<&str> = page.items.iter().map(Listed::title).collect();
        assert_eq!(titles, ["6", "5", "4"]);
        assert_eq!(page.total, Some(7));
        assert_eq!(page.revision, world.revision());
        assert!(page.next.is_some());
    });
}

#[test]
fn paging_is_complete_and_without_repeats_while_messages_are_published() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish_many((0..25).map(|at| draft(&format!("{at}"), [Target::Everyone])).collect());
        let mut read = Vec::new();
        let mut before = None;
        loop {
            let page = world.page(ann, Filter::default(), before, 4);
            read.extend(page.items.iter().map(|item| item.title().to_owned()));
            before = page.next;
            if before.is_none() {
                break;
            }
            world.publish(draft("Meanwhile", [Target::Everyone]));
        }
        let expected: Vec<String> = (0..25).rev().map(|at| at.to_string()).collect();
        assert_eq!(read, expected);
    });
}

#[test]
fn the_last_page_has_no_next_even_when_it_is_full() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish_many((0..4).map(|at| draft(&format!("{at}"), [Target::Everyone])).collect());
        let first = world.page(ann, Filter::default(), None, 2);
        let second = world.page(ann, Filter::default(), first.next, 2);
        assert_eq!(second.items.len(), 2);
        assert_eq!(second.next, None);
    });
}

#[test]
fn a_page_holds_at_least_one_and_at_most_the_limit() {
    each_world(|world| {
        let ann = world.person("ann");
        let many = PAGE_LIMIT + 1;
        world.publish_many(
            (0..many)
                .map(|at| draft(&format!("{at}"), [Target::Everyone]))
                .collect(),
        );
        assert_eq!(
            world.page(ann, Filter::default(), None, usize::MAX).items.len(),
            PAGE_LIMIT
        );
        assert_eq!(world.page(ann, Filter::default(), None, 0).items.len(), 1);
    });
}

#[test]
fn each_view_holds_its_own() {
    each_world(|world| {
        let ann = world.person("ann");
        let send = |title: &str| world.publish(draft(title, [user("ann")]));
        let (read, archived, deleted) = (send("Read"), send("Archived"), send("Deleted"));
        send("Unread");
        world.publish(Draft {
            closes_at: Some(world.in_s(50)),
            ..draft("Past", [user("ann")])
        });
        world.does(ann, Action::Read, &[read]);
        world.does(ann, Action::Archive, &[archived]);
        world.does(ann, Action::Delete, &[deleted]);
        world.pass(60);
        assert_eq!(world.titles(ann), ["Unread", "Read"]);
        assert_eq!(world.unread(ann), ["Unread"]);
        assert_eq!(world.titles_of(ann, View::Archived), ["Archived"]);
        assert_eq!(world.titles_of(ann, View::Past), ["Past"]);
        assert_eq!(world.counts(ann).total, 2);
        assert_eq!(world.counts(ann).unread, 1);
    });
}

#[test]
fn only_one_importance() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(Draft {
            importance: Importance::High,
            ..draft("High", [user("ann")])
        });
        world.publish(draft("Low", [user("ann")]));
        let filter = Filter {
            importance: Some(Importance::High),
            ..Filter::default()
        };
        let page = world.page(ann, filter, None, 10);
        assert_eq!(page.items.len(), 1);
        assert_eq!(page.items[0].title(), "High");
        assert_eq!(page.total, Some(1));
    });
}

#[test]
fn an_item_is_shown_as_it_was_typed_and_as_safe_html() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(Draft {
            text: "**Bold** <script>".to_owned(),
            sender_name: Some("Operations".to_owned()),
            closes_at: Some(world.in_s(60)),
            ..draft("Title", [user("ann")])
        });
        let published_at = world.now();
        let item = world.one(ann, id).unwrap();
        assert_eq!(item.text, "**Bold** <script>");
        assert!(item.html.contains("<strong>Bold</strong> &lt;script"), "{}", item.html);
        assert_eq!(item.sender_name, "Operations");
        assert_eq!(item.published_at, published_at);
        assert_eq!(
            (item.opens_at, item.closes_at),
            (None, Some(published_at.plus_ms(59_000)))
        );
        assert_eq!((item.edition, item.edited_at), (1, None));
        assert!(!item.read && !item.seen && !item.archived && !item.past);
        assert_eq!(world.inbox(ann), [item]);
    });
}

#[test]
fn search_looks_at_title_text_and_sender_whatever_their_case() {
    each_world(|world| {
        world.person("ann");
        world.api("payments");
        world.publish(draft("Wartung heute NÄCHTLICH", [user("ann")]));
        world.publish(Draft {
            text: "Bitte das Zertifikat erneuern".to_owned(),
            ..draft("Certificate", [user("ann")])
        });
        world.publish(Draft {
            sender_name: Some("Operations".to_owned()),
            ..draft("Notice", [user("ann")])
        });
        assert_eq!(found(world, "nächtlich"), ["Wartung heute NÄCHTLICH"]);
        assert_eq!(found(world, "ZERTIFIKAT"), ["Certificate"]);
        assert_eq!(found(world, "operations"), ["Notice"]);
        assert_eq!(found(world, "  notice "), ["Notice"]);
        assert_eq!(found(world, "100%_nothing"), [""; 0]);
        assert_eq!(found(world, " ").len(), 3, "no words, no search");
    });
}

#[test]
fn search_finds_the_name_of_the_api_that_is_shown() {
    each_world(|world| {
        let ann = world.person("ann");
        let (api, shop) = (world.api("payments"), world.application("shop"));
        world.subscribes(ann, shop, api);
        world.publish(draft("Version 2", [subscribers("payments")]));
        assert_eq!(found(world, "[payments]"), ["[PAYMENTS] Version 2"]);
    });
}

#[test]
fn search_does_not_find_what_is_not_theirs() {
    each_world(|world| {
        world.person("ann");
        world.person("bob");
        world.publish(draft("Secret", [user("bob")]));
        assert_eq!(found(world, "secret"), [""; 0]);
    });
}

#[test]
fn search_goes_on_over_more_messages_than_one_call_looks_at() {
    each_world(|world| {
        let ann = world.person("ann");
        let title = |at: i32| match at {
            0 | 7 | 1_900 | 2_040 => format!("Needle {at}"),
            _ => format!("Hay {at}"),
        };
        world.publish_many((0..2_050).map(|at| draft(&title(at), [user("ann")])).collect());
        let page = world.page(ann, search("needle"), None, 10);
        let titles: Vec<&str> = page.items.iter().map(Listed::title).collect();
        assert_eq!(titles, ["Needle 2040", "Needle 1900"]);
        assert_eq!(page.total, None);
        let rest = world.page(ann, search("needle"), page.next, 10);
        let titles: Vec<&str> = rest.items.iter().map(Listed::title).collect();
        assert_eq!(titles, ["Needle 7", "Needle 0"]);
        assert_eq!(rest.next, None);
    });
}

#[test]
fn pages_of_a_search_are_complete_and_without_repeats() {
    each_world(|world| {
        let ann = world.person("ann");
        let title = |at: i32| format!("{} {at}", if at % 3 == 0 { "Needle" } else { "Hay" });
        world.publish_many((0..90).map(|at| draft(&title(at), [user("ann")])).collect());
        for limit in [1, 3, 7, 30, 31] {
            let mut titles = Vec::new();
            let mut before = None;
            loop {
                let page = world.page(ann, search("needle"), before, limit);
                assert!(page.items.len() <= limit);
                titles.extend(page.items.iter().map(|item| item.title().to_owned()));
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            let expected: Vec<String> = (0..90).rev().filter(|at| at % 3 == 0).map(title).collect();
            assert_eq!(titles, expected, "pages of {limit}");
        }
    });
}

#[test]
fn the_json_of_an_item_is_that_of_what_its_reader_sees() {
    each_world(|world| {
        let ann = world.person("ann");
        let read = world.publish(Draft {
            importance: Importance::Critical,
            closes_at: Some(world.in_s(1_000)),
            ..draft("A \"quoted\" title", [user("ann")])
        });
        world.publish(draft("Plain", [user("ann")]));
        world.does(ann, Action::Read, &[read]);
        let page = world.page(ann, Filter::default(), None, 10);
        assert_eq!(page.items.len(), 2);
        for item in page.items {
            let mut json = Vec::new();
            item.write_json(&mut json);
            let json = String::from_utf8(json).unwrap();
            assert_eq!(json, serde_json::to_string(&item.shown()).unwrap());
        }
    });
}
