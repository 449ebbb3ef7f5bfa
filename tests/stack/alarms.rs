//! Alarms: each hop has its own, each bucket tells of odd objects, and each alarm tells the topic.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use regex_lite::Regex;
use serde_json::Value;

use super::world::{Deployed, Violations, World, items, number, repository_file, text, texts};

const TOPIC: &str = "Watching/Topic";

/// A metric that an alarm looks at.
#[derive(Debug, PartialEq)]
pub(crate) struct Metric {
    pub(crate) namespace: String,
    pub(crate) name: String,
    dimensions: BTreeMap<String, String>,
}

fn metric(json: &Value) -> Metric {
    let dimensions = items(&json["Dimensions"]).iter();
    Metric {
        namespace: text(&json["Namespace"]),
        name: text(&json["MetricName"]),
        dimensions: dimensions
            .map(|dimension| (text(&dimension["Name"]), text(&dimension["Value"])))
            .collect(),
    }
}

/// The metrics of an alarm, whichever way it names them.
pub(crate) fn metrics(alarm: &Value) -> Vec<Metric> {
    let alarm = &alarm["Properties"];
    let of_math = items(&alarm["Metrics"])
        .iter()
        .filter(|part| part.get("MetricStat").is_some())
        .map(|part| metric(&part["MetricStat"]["Metric"]));
    let own = alarm.get("MetricName").map(|_| metric(alarm));
    of_math.chain(own).collect()
}

pub(crate) fn alarms(deployed: &Deployed) -> impl Iterator<Item = (&str, &Value)> {
    deployed.stack.of_type("AWS::CloudWatch::Alarm")
}

/// The metrics that somebody has to watch, of each resource there is.
fn to_watch(deployed: &Deployed) -> Vec<(&'static str, String, Vec<&'static str>, String)> {
    let mut watched = Vec::new();
    for (path, _) in deployed.stack.of_type("AWS::Kinesis::Stream") {
        let metrics = match path {
            // What CloudFront cannot put is lost, and what nobody reads will be.
            "Streams/LogStream" => vec![
                "WriteProvisionedThroughputExceeded",
                "GetRecords.IteratorAgeMilliseconds",
            ],
            _ => vec!["PutRecords.ThrottledRecords", "PutRecords.FailedRecords"],
        };
        watched.push((
            "AWS/Kinesis",
            "StreamName".to_owned(),
            metrics,
            deployed.stack.reference(path),
        ));
    }
    for (path, _) in deployed.stack.of_type("AWS::Lambda::Function") {
        let metrics = match path {
            "Functions/AggregateLogs" => vec![
                "IteratorAge",
                "Errors",
                "Throttles",
                "DestinationDeliveryFailures",
            ],
            _ => vec!["Errors"],
        };
        watched.push((
            "AWS/Lambda",
            "FunctionName".to_owned(),
            metrics,
            deployed.stack.reference(path),
        ));
    }
    for (path, _) in deployed.stack.of_type("AWS::Lambda::EventSourceMapping") {
        let metrics = vec!["FailedInvokeEventCount", "DroppedEventCount"];
        let name = deployed.stack.reference(path);
        watched.push(("AWS/Lambda", "EventSourceMappingUUID".to_owned(), metrics, name));
    }
    for (path, firehose) in deployed.stack.of_type("AWS::KinesisFirehose::DeliveryStream") {
        let firehose = &firehose["Properties"];
        let destination = &firehose["ExtendedS3DestinationConfiguration"];
        let mut metrics = vec![
            "DeliveryToS3.DataFreshness",
            "DeliveryToS3.Success",
            "KMSKeyAccessDenied",
            "KMSKeyDisabled",
            "KMSKeyInvalidState",
            "KMSKeyNotFound",
        ];
        if firehose["DeliveryStreamType"] == "KinesisStreamAsSource" {
            metrics.push("ThrottledGetRecords");
        } else {
            metrics.push("ThrottledRecords");
        }
        if destination["DataFormatConversionConfiguration"]["Enabled"] == true {
            metrics.push("FailedConversion.Records");
        }
        if destination["DynamicPartitioningConfiguration"]["Enabled"] == true {
            metrics.extend(["PartitionCount", "PartitionCountExceeded"]);
        }
        let name = deployed.stack.reference(path);
        watched.push(("AWS/Firehose", "DeliveryStreamName".to_owned(), metrics, name));
    }
    watched
}

/// Each stream, function, mapping and Firehose has an alarm for each way in which it can fail.
pub(crate) fn every_hop(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        if deployed.parameter("Alarms") != "All" {
            return;
        }
        let watched: Vec<Metric> = alarms(deployed).flat_map(|(_, alarm)| metrics(alarm)).collect();
        for (namespace, dimension, names, resource) in to_watch(deployed) {
            for name in names {
                let wanted = Metric {
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                    dimensions: BTreeMap::from([(dimension.clone(), resource.clone())]),
                };
                violations.unless(
                    watched.contains(&wanted),
                    format!("nobody watches {name} of {resource}"),
                );
            }
        }
    })
}

/// What of a hop has to be watched in any case: the loss itself, or age, which each cause of a loss shows first.
const ESSENTIAL: [(&str, &str); 5] = [
    ("AWS/Kinesis", "WriteProvisionedThroughputExceeded"),
    ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds"),
    ("AWS/Lambda", "DestinationDeliveryFailures"),
    ("AWS/Lambda", "DroppedEventCount"),
    ("AWS/Firehose", "DeliveryToS3.DataFreshness"),
];

/// Metrics of alarms that an account has free.
/// Source: <https://aws.amazon.com/cloudwatch/pricing/>
const FREE_METRICS: usize = 10;

/// Essential alarms cost nothing in an account of their own, and see each loss at each hop. The page on
/// operations names them and no others.
pub(crate) fn essential(world: &World) -> Vec<String> {
    let operations = fs::read_to_string(repository_file("docs/operations.md")).unwrap_or_default();
    let named = operations
        .split_once("`Alarms=Essential`")
        .and_then(|(_, rest)| rest.split_once('.'))
        .map_or("", |(sentence, _)| sentence);
    let named: BTreeSet<&str> = named.split('`').skip(1).step_by(2).collect();
    world.each(|deployed, violations| {
        if deployed.parameter("Alarms") == "All" {
            return;
        }
        let watched: Vec<Metric> = alarms(deployed).flat_map(|(_, alarm)| metrics(alarm)).collect();
        violations.unless(
            watched.len() <= FREE_METRICS,
            format!("{} metrics are watched; {FREE_METRICS} are free", watched.len()),
        );
        for (namespace, dimension, names, resource) in to_watch(deployed) {
            for name in names
                .into_iter()
                .filter(|name| ESSENTIAL.contains(&(namespace, *name)))
            {
                let wanted = Metric {
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                    dimensions: BTreeMap::from([(dimension.clone(), resource.clone())]),
                };
                violations.unless(
                    watched.contains(&wanted),
                    format!("nobody watches {name} of {resource}"),
                );
            }
        }
        // Lines that become failed events are lost for the reports, and nothing of AWS counts them.
        violations.unless(
            watched.iter().any(|metric| metric.name == "FailedLines"),
            "nobody watches the share of failed events",
        );
        let made: BTreeSet<&str> = alarms(deployed)
            .filter_map(|(path, _)| path.rsplit('/').next())
            .collect();
        violations.same("alarms that docs/operations.md calls essential", &named, &made);
        // Each metric of the log costs three times one of an alarm.
        let of_log: BTreeSet<&str> = deployed
            .stack
            .of_type("AWS::Logs::MetricFilter")
            .filter_map(|(path, _)| path.rsplit('/').next())
            .collect();
        let needed = watched
            .iter()
            .filter(|metric| metric.namespace.starts_with("Pixlake/"));
        let needed: BTreeSet<&str> = needed.map(|metric| metric.name.as_str()).collect();
        violations.same("metrics made of the log", &of_log, &needed);
    })
}

/// Each bucket tells of objects that should not be there, and somebody listens.
pub(crate) fn every_bucket(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let topic = deployed.stack.reference(TOPIC);
        let rules: Vec<&Value> = deployed
            .stack
            .of_type("AWS::Events::Rule")
            .map(|(_, rule)| &rule["Properties"])
            .filter(|rule| rule.get("State").is_none_or(|state| state == "ENABLED"))
            .filter(|rule| {
                items(&rule["Targets"])
                    .iter()
                    .any(|target| target["Arn"] == topic.as_str())
            })
            .map(|rule| &rule["EventPattern"])
            .filter(|pattern| texts(&pattern["source"]) == ["aws.s3"])
            .collect();
        let is_told = |bucket: &str, prefix: &str| {
            rules.iter().any(|pattern| {
                let keys = items(&pattern["detail"]["object"]["key"]);
                texts(&pattern["detail-type"]).contains(&"Object Created".to_owned())
                    && texts(&pattern["detail"]["bucket"]["name"]).contains(&bucket.to_owned())
                    && (keys.is_empty() || keys.iter().any(|key| key["prefix"] == prefix))
            })
        };
        for (path, bucket) in deployed.stack.of_type("AWS::S3::Bucket") {
            let bucket = &bucket["Properties"]["NotificationConfiguration"]["EventBridgeConfiguration"];
            violations.equal(
                format!("{path} EventBridgeEnabled"),
                &bucket["EventBridgeEnabled"],
                true,
            );
            let prefixes: &[&str] = match path {
                "Lake/LakeBucket" => &["errors/"],
                "Lake/RawBucket" => &["errors/", "aws/lambda/"],
                _ => &[""],
            };
            for prefix in prefixes {
                violations.unless(
                    is_told(&deployed.stack.reference(path), prefix),
                    format!("nobody hears of objects in {path} under `{prefix}`"),
                );
            }
        }
        let policy = &deployed.properties("Watching/TopicPolicy")["PolicyDocument"];
        for service in ["cloudwatch.amazonaws.com", "events.amazonaws.com"] {
            let may = items(&policy["Statement"]).iter().any(|statement| {
                statement["Effect"] == "Allow"
                    && texts(&statement["Principal"]["Service"]).contains(&service.to_owned())
                    && texts(&statement["Action"]).contains(&"sns:Publish".to_owned())
            });
            violations.unless(may, format!("{service} may not publish to the topic"));
        }
    })
}

/// An alarm that tells nobody, or that never sees data and does not say what that means, is none.
pub(crate) fn every_alarm_reaches_the_topic(world: &World) -> Vec<String> {
    let mut wrong = world.each(|deployed, violations| {
        let topic = deployed.stack.reference(TOPIC);
        violations.equal(
            "the topic's KmsMasterKeyId",
            &deployed.properties(TOPIC)["KmsMasterKeyId"],
            deployed.arn("Keys/LakeKey"),
        );
        let subscribed = deployed
            .stack
            .of_type("AWS::SNS::Subscription")
            .any(|(_, subscription)| {
                let subscription = &subscription["Properties"];
                subscription["TopicArn"] == topic.as_str()
                    && subscription["Endpoint"] == deployed.parameter("AlarmEmail")
                    && subscription["Protocol"] == "email"
            });
        violations.same(
            "a subscription",
            &subscribed,
            &!deployed.parameter("AlarmEmail").is_empty(),
        );
        for (path, alarm) in alarms(deployed) {
            reaches(path, alarm, &topic, violations);
        }
    });
    if let Some(stack) = &world.us_east_1 {
        let mut violations = Violations::default();
        for (path, alarm) in stack.of_type("AWS::CloudWatch::Alarm") {
            reaches(path, alarm, &stack.reference("Topic"), &mut violations);
        }
        wrong.extend(violations.found());
    }
    wrong
}

fn reaches(path: &str, alarm: &Value, topic: &str, violations: &mut Violations) {
    let alarm = &alarm["Properties"];
    violations.unless(
        texts(&alarm["AlarmActions"]).contains(&topic.to_owned()),
        format!("{path} does not tell the topic"),
    );
    violations.unless(
        alarm["ActionsEnabled"] != false,
        format!("{path} is switched off"),
    );
    let missing = text(&alarm["TreatMissingData"]);
    violations.unless(
        ["breaching", "notBreaching", "ignore"].contains(&missing.as_str()),
        format!("{path} does not say what silence means"),
    );
    violations.unless(
        text(&alarm["AlarmDescription"]).trim_end().ends_with('.'),
        format!("{path} has no sentence that describes it"),
    );
}

/// Rows wait in Firehose for 1.5 times the buffer with nothing wrong; much later, something is.
pub(crate) fn freshness(world: &World) -> Vec<String> {
    let late = Regex::new(r"^\w+ - ([0-9.]+) \* ([0-9.]+)$").unwrap();
    world.each(|deployed, violations| {
        let buffer = number(&deployed.parameter("BufferSeconds").into());
        for (path, alarm) in alarms(deployed) {
            if !metrics(alarm)
                .iter()
                .any(|metric| metric.name == "DeliveryToS3.DataFreshness")
            {
                continue;
            }
            let alarm = &alarm["Properties"];
            // Either the age itself is compared, or what is left of it.
            let expression = items(&alarm["Metrics"])
                .iter()
                .find_map(|part| part["Expression"].as_str());
            let allowed = match expression.map(|expression| late.captures(expression)) {
                None => 0.0,
                Some(Some(parts)) => {
                    let part = |index: usize| parts[index].parse::<f64>().unwrap_or(f64::NAN);
                    part(1) * part(2)
                }
                Some(None) => f64::NAN,
            };
            let bound = allowed + number(&alarm["Threshold"]);
            violations.unless(
                bound >= 1.5 * buffer && bound <= 1.5 * buffer + 900.0,
                format!("{path} goes off at {bound} s; the buffer is {buffer} s"),
            );
            violations.equal(
                format!("{path}: comparison"),
                &alarm["ComparisonOperator"],
                "GreaterThanThreshold",
            );
        }
    })
}
