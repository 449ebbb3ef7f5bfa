//! What a user needs next stands in the outputs.

use serde_json::Value;

use super::world::{World, text};

/// Outputs that always say something.
const NEEDED: [&str; 14] = [
    "PixelUrl",
    "PixelTag",
    "WorkGroup",
    "Database",
    "EventsView",
    "FailedEventsView",
    "DashboardName",
    "DashboardUrl",
    "AlarmTopicArn",
    "RealtimeLogArn",
    "BehaviourToSet",
    "Runbooks",
    "LogStreamName",
    "FunctionName",
];

/// Each output is there, says something and is described; those that name a resource name the right one.
pub(crate) fn outputs(world: &World) -> Vec<String> {
    let mut wrong = world.each(|deployed, violations| {
        let outputs = deployed.stack.outputs();
        let output = |name: &str| outputs.get(name).unwrap_or(&Value::Null);
        for name in NEEDED {
            violations.unless(
                !text(output(name)).is_empty(),
                format!("the output {name} says nothing"),
            );
        }
        for (name, path) in [
            ("WorkGroup", "Athena/WorkGroup"),
            ("OperatorWorkGroup", "Athena/OperatorWorkGroup"),
            ("Database", "Catalog/Database"),
            ("DashboardName", "Watching/Dashboard"),
            ("AlarmTopicArn", "Watching/Topic"),
            ("RealtimeLogArn", "Edge/RealtimeLog"),
            ("LogStreamName", "Streams/LogStream"),
            ("FunctionName", "Functions/AggregateLogs"),
            ("FailedEventsFirehoseName", "Delivering/FailedEventsFirehose"),
            ("EventSourceMappingId", "Functions/AggregateLogsLogLines"),
            ("LakeBucketName", "Lake/LakeBucket"),
            ("RawBucketName", "Lake/RawBucket"),
            ("PixelBucketName", "Edge/PixelBucket"),
        ] {
            violations.equal(format!("output {name}"), output(name), deployed.name(path));
        }
        for (name, path, delivery) in [
            ("EventStreamName", "Streams/EventStream", "Kpl"),
            ("EventFirehoseName", "Delivering/EventFirehose", "Kpl"),
            (
                "DirectEventFirehoseName",
                "Delivering/DirectEventFirehose",
                "DirectPut",
            ),
        ] {
            let expected = if deployed.has(delivery) {
                deployed.name(path)
            } else {
                "".into()
            };
            violations.unless(
                *output(name) == expected,
                format!("output {name} is {}", output(name)),
            );
        }
        let database = deployed.parameter("DatabaseName");
        violations.equal("EventsView", output("EventsView"), format!("{database}.events"));
        let url = text(output("PixelUrl"));
        let host = match (
            deployed.parameter("DomainName"),
            deployed.parameter("ExistingDistributionId"),
        ) {
            ("", "") => deployed.stack.attribute("Edge/Distribution", "DomainName"),
            ("", _) => "YOUR-DOMAIN".to_owned(),
            (domain, _) => domain.to_owned(),
        };
        violations.same(
            "PixelUrl",
            &url,
            &format!("https://{host}{}", deployed.parameter("PixelPath")),
        );
        let tag = text(output("PixelTag"));
        let is_tag = tag.starts_with("<img ") && tag.ends_with('>') && tag.contains(&format!("src=\"{url}"));
        violations.unless(is_tag, format!("PixelTag is {tag}"));
    });
    for (template, json) in world.templates.iter() {
        for (name, output) in json["Outputs"].as_object().into_iter().flatten() {
            if !text(&output["Description"]).trim_end().ends_with('.') {
                wrong.push(format!("{template}: the output {name} has no sentence"));
            }
        }
    }
    wrong
}
