//! The dashboard and the alerts of `deploy/` ask for what `/metrics` gives: a number that was renamed would leave an
//! empty panel, and an alert that never rings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::outbox::each_house;
use crate::relay::{Act, Manner, Server};

/// The labels of each series.
type Series = BTreeMap<String, BTreeSet<String>>;

/// What Prometheus adds to every series.
const ADDED: [&str; 2] = ["instance", "job"];

fn labels(text: &str) -> BTreeSet<String> {
    let names = text.split(',').filter_map(|pair| pair.split(['=', '!']).next());
    names
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// The series of a text of `/metrics`.
fn series(metrics: &str) -> Series {
    let lines = metrics.lines().filter(|line| !line.starts_with('#'));
    let mut series = Series::new();
    for line in lines {
        let (name, rest) = line.split_once(['{', ' ']).unwrap();
        let own = rest.split_once('}').map(|(own, _)| labels(own));
        series
            .entry(name.to_owned())
            .or_default()
            .extend(own.unwrap_or_default());
    }
    series
}

fn is_of_a_name(byte: char) -> bool {
    byte.is_ascii_alphanumeric() || byte == '_'
}

/// The series that an expression asks for, with the labels by which it chooses among them.
fn asked(expression: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find("campanile_").into_iter().chain(rest.find("process_")).min() {
        let from = &rest[at..];
        let end = from.find(|byte| !is_of_a_name(byte)).unwrap_or(from.len());
        let (name, after) = from.split_at(end);
        let chosen = after.strip_prefix('{').and_then(|after| after.split_once('}'));
        found.push((
            name.to_owned(),
            chosen.map_or_else(BTreeSet::new, |(chosen, _)| labels(chosen)),
        ));
        rest = after;
    }
    found
}

/// The labels by which an expression groups.
fn grouped(expression: &str) -> BTreeSet<String> {
    let groups = expression.split("by (").skip(1).filter_map(|rest| rest.split_once(')'));
    groups.flat_map(|(names, _)| labels(names)).collect()
}

/// What an expression asks for and nobody gives.
fn missing(expression: &str, series: &Series) -> Vec<String> {
    let asked = asked(expression);
    let mut missing = Vec::new();
    let mut known: BTreeSet<&str> = ADDED.into();
    for (name, chosen) in &asked {
        let Some(own) = series.get(name) else {
            missing.push(name.clone());
            continue;
        };
        known.extend(own.iter().map(String::as_str));
        let strange = chosen
            .iter()
            .filter(|label| !own.contains(*label) && !ADDED.contains(&label.as_str()));
        missing.extend(strange.map(|label| format!("{name}{{{label}}}")));
    }
    let groups = grouped(expression);
    missing.extend(
        groups
            .iter()
            .filter(|label| !known.contains(label.as_str()))
            .map(|label| format!("by {label}")),
    );
    if asked.is_empty() && !expression.starts_with("up{") {
        missing.push(format!("anything of ours: {expression}"));
    }
    missing
}

fn file(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join("deploy").join(path)).unwrap()
}

/// Every expression of the dashboard.
fn expressions(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().flat_map(expressions).collect(),
        Value::Object(all) => {
            let own = all.get("expr").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(all.values().flat_map(expressions)).collect()
        }
        _ => Vec::new(),
    }
}

/// Every expression of the alerts: on the line of its key, or below it where that ends in `|`.
fn rules(text: &str) -> Vec<String> {
    let rules = text.split("expr: ").skip(1);
    let ends = ["\n        for:", "\n        labels:"];
    rules
        .map(|rule| {
            let end = ends.iter().filter_map(|end| rule.find(end)).min().unwrap();
            rule[..end].trim_start_matches('|').trim().to_owned()
        })
        .collect()
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_numbers_that_there_are() {
    let dashboard: Value = serde_json::from_str(&file("grafana/campanile.json")).unwrap();
    let mut all = expressions(&dashboard);
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let of_variables = variables.iter().filter_map(|variable| variable["definition"].as_str());
    all.extend(of_variables.map(str::to_owned));
    assert!(all.len() > 20, "{all:?}");
    let alerts = file("prometheus/alerts.yml");
    let rules = rules(&alerts);
    assert_eq!(rules.len(), alerts.matches("- alert: ").count());
    all.extend(rules);
    let relay = async || Server::start(Manner::new(|_| Act::Usual)).await;
    each_house(relay, async |house, _| {
        house.people(1).await;
        let mailed = house.mail().await;
        house.until(mailed, |progress| progress.sent == 1).await;
        house.world.app.stop().await;
        let series = series(&house.world.get("/metrics").send().await.is(200).body);
        let missing: Vec<_> = all.iter().flat_map(|one| missing(one, &series)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    });
}

#[test]
fn what_nobody_gives_is_found() {
    let series = series("# TYPE campanile_x counter\ncampanile_x_total{lane=\"bulk\"} 1\ncampanile_y 0.5\n");
    let none: [&str; 0] = [];
    let good = r#"sum by (lane) (rate(campanile_x_total{lane!="bulk", instance=~"a"}[5m])) / campanile_y"#;
    assert_eq!(missing(good, &series), none);
    assert_eq!(missing("rate(campanile_x[5m])", &series), ["campanile_x"]);
    assert_eq!(missing(r#"campanile_y{lane="bulk"}"#, &series), ["campanile_y{lane}"]);
    assert_eq!(missing("sum by (route) (campanile_x_total)", &series), ["by route"]);
    assert_eq!(missing("vector(1)", &series), ["anything of ours: vector(1)"]);
}
