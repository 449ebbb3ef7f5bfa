//! What operators see: a runbook for each alarm, and the dashboard.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::alarms::alarms;
use super::world::{World, items, repository_file, text, texts};

/// Each alarm and each rule has a heading in docs/operations.md, under which it says what to do.
pub(crate) fn runbooks(world: &World) -> Vec<String> {
    let operations = fs::read_to_string(repository_file("docs/operations.md")).unwrap_or_default();
    let headings: BTreeSet<String> = operations
        .lines()
        .filter(|line| line.starts_with('#'))
        .flat_map(|line| {
            line.split(|c: char| !c.is_ascii_alphanumeric())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let mut wrong = BTreeSet::new();
    for deployed in &world.deployed {
        for (path, alarm) in alarms(deployed) {
            // Without the application, and without the Firehose, whose alarms have one runbook for all.
            let name = text(&alarm["Properties"]["AlarmName"]);
            let name = name.rsplit('-').next().unwrap_or_default();
            let logical_id = path.rsplit('/').next().unwrap_or_default();
            if name != logical_id {
                wrong.insert(format!("{path} is called {name}"));
            }
            wrong.extend(missing_heading(&headings, logical_id));
        }
        for (path, _) in deployed.stack.of_type("AWS::Events::Rule") {
            wrong.extend(missing_heading(
                &headings,
                path.rsplit('/').next().unwrap_or_default(),
            ));
        }
    }
    if let Some(stack) = &world.us_east_1 {
        for (path, _) in stack.of_type("AWS::CloudWatch::Alarm") {
            wrong.extend(missing_heading(&headings, path));
        }
    }
    wrong.into_iter().collect()
}

fn missing_heading(headings: &BTreeSet<String>, name: &str) -> Option<String> {
    (!headings.contains(name)).then(|| format!("docs/operations.md has no heading for {name}"))
}

/// Metrics that a dashboard may show and still be one of the three that an account has free.
/// Source: <https://aws.amazon.com/cloudwatch/pricing/>
const FREE_METRICS: usize = 50;

/// The dashboard is JSON with a row for each hop, and shows alarms that exist; without a change of delivery and
/// without the archive it is a free one.
pub(crate) fn dashboard(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let body = text(&deployed.properties("Watching/Dashboard")["DashboardBody"]);
        let body: Value = match serde_json::from_str(&body) {
            Ok(body) => body,
            Err(error) => return violations.unless(false, format!("the dashboard is not JSON: {error}")),
        };
        let names: BTreeSet<String> = alarms(deployed)
            .map(|(_, alarm)| text(&alarm["Properties"]["AlarmName"]))
            .collect();
        let mut shown = BTreeSet::new();
        for widget in items(&body["widgets"]) {
            for arn in texts(&widget["properties"]["alarms"]) {
                let name = arn.rsplit(':').next().unwrap_or_default().to_owned();
                violations.unless(
                    names.contains(&name),
                    format!("the dashboard shows {name}, which is not an alarm"),
                );
                shown.insert(name);
            }
        }
        for name in names.difference(&shown) {
            violations.unless(false, format!("the dashboard does not show {name}"));
        }
        let metrics: usize = items(&body["widgets"])
            .iter()
            .map(|widget| items(&widget["properties"]["metrics"]).len())
            .sum();
        let is_plain =
            deployed.parameter("KeepDelivery") == "None" && deployed.parameter("RawArchive") == "No";
        violations.unless(
            !is_plain || metrics <= FREE_METRICS,
            format!("the dashboard shows {metrics} metrics; it is free up to {FREE_METRICS}"),
        );
        let text = body.to_string();
        let mut hops = vec![
            "Streams/LogStream",
            "Functions/AggregateLogs",
            "Delivering/FailedEventsFirehose",
        ];
        if deployed.has("Kpl") {
            hops.extend(["Streams/EventStream", "Delivering/EventFirehose"]);
        }
        if deployed.has("DirectPut") {
            hops.push("Delivering/DirectEventFirehose");
        }
        if deployed.parameter("RawArchive") == "Yes" {
            hops.push("Delivering/RawArchiveFirehose");
        }
        for hop in hops {
            let name = deployed.stack.reference(hop);
            violations.unless(
                text.contains(&format!("\"{name}\"")),
                format!("the dashboard has no row for {hop}"),
            );
        }
    })
}
