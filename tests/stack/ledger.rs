//! The function's log: what metric filters look for is what the function writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use log_batch::FailureReason;
use regex_lite::Regex;

use super::alarms::{alarms, metrics};
use super::world::{World, items, repository_file, text};

/// What filters of the function's log look for is what the function writes, and what alarms look at is what
/// filters count.
pub(crate) fn metric_filters(world: &World) -> Vec<String> {
    let fields = ledger_fields();
    let ledger = source("ledger.rs");
    let field = Regex::new(r"\$\.([A-Za-z_.]+)").unwrap();
    let literal = Regex::new(r#""[^"]*""#).unwrap();
    world.each(|deployed, violations| {
        let log = deployed.name("Functions/AggregateLogsLogGroup");
        let mut counted = BTreeSet::new();
        for (path, filter) in deployed.stack.of_type("AWS::Logs::MetricFilter") {
            let filter = &filter["Properties"];
            violations.equal(
                format!("{path} LogGroupName"),
                &filter["LogGroupName"],
                log.clone(),
            );
            let transformations = items(&filter["MetricTransformations"]);
            let pattern = text(&filter["FilterPattern"]);
            let values = transformations
                .iter()
                .map(|transformation| text(&transformation["MetricValue"]));
            for text in values.chain([pattern.clone()]) {
                for name in field.captures_iter(&text).map(|found| found[1].to_owned()) {
                    violations.unless(
                        fields.contains(&name),
                        format!("{path}: no line of the log has {name}"),
                    );
                }
            }
            for word in literal.captures_iter(&pattern).map(|found| found[0].to_owned()) {
                violations.unless(
                    word == "\"*\"" || ledger.contains(&word),
                    format!("{path}: no line of the log says {word}"),
                );
            }
            for transformation in transformations {
                counted.insert((
                    text(&transformation["MetricNamespace"]),
                    text(&transformation["MetricName"]),
                ));
            }
        }
        let mut watched = BTreeSet::new();
        for (path, alarm) in alarms(deployed) {
            for metric in metrics(alarm)
                .into_iter()
                .filter(|metric| !metric.namespace.starts_with("AWS/"))
            {
                let metric = (metric.namespace, metric.name);
                violations.unless(
                    counted.contains(&metric),
                    format!("{path}: nobody counts {metric:?}"),
                );
                watched.insert(metric.1);
            }
        }
        for (path, filter) in deployed.stack.of_type("AWS::Logs::MetricFilter") {
            for transformation in items(&filter["Properties"]["MetricTransformations"]) {
                let name = text(&transformation["MetricName"]);
                violations.unless(watched.contains(&name), format!("{path}: nobody watches {name}"));
            }
        }
    })
}

fn source(file: &str) -> String {
    let folder = repository_file("functions/aggregate-logs/src");
    fs::read_to_string(folder.join(file)).unwrap()
}

/// The names of a line of the ledger, nested ones with points, from the structs that are written.
fn ledger_fields() -> BTreeSet<String> {
    let source = source("ledger.rs");
    let structs = Regex::new(r"(?s)#\[derive\(Serialize\)\]\nstruct (\w+)(?:<'a>)? \{\n(.*?)\n\}").unwrap();
    let structs: BTreeMap<&str, &str> = structs
        .captures_iter(&source)
        .map(|found| (found.get(1).unwrap().as_str(), found.get(2).unwrap().as_str()))
        .collect();
    let mut fields = BTreeSet::new();
    collect_fields(&structs, "Line", "", &mut fields);
    assert!(
        fields.contains("event_puts.denied"),
        "the ledger is written another way now: {fields:?}"
    );
    fields
}

fn collect_fields(structs: &BTreeMap<&str, &str>, name: &str, prefix: &str, fields: &mut BTreeSet<String>) {
    let mut is_flat = false;
    for line in structs[name].lines().map(str::trim) {
        if line.starts_with("#[") {
            is_flat |= line.contains("flatten");
            continue;
        }
        let Some((field, kind)) = line.trim_end_matches(',').split_once(": ") else {
            continue;
        };
        let inner = structs.keys().find(|inner| kind.contains(*inner));
        match inner {
            Some(inner) if is_flat => collect_fields(structs, inner, prefix, fields),
            Some(inner) => collect_fields(structs, inner, &format!("{prefix}{field}."), fields),
            None if kind.contains("BTreeMap") => {
                fields.extend(FailureReason::REASONS.map(|(code, _)| format!("{prefix}{field}.{code}")));
            }
            None => {
                fields.insert(format!("{prefix}{field}"));
            }
        }
        is_flat = false;
    }
}
