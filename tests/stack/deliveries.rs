//! The two deliveries: what exists under which, in which order it is made, how one gives way to the other.

use serde_json::Value;

use super::world::{CERTIFICATE, Deployed, WEB_ACL, World, text};

const KPL_ONLY: [&str; 3] = [
    "Streams/EventStream",
    "Delivering/EventFirehose",
    "Delivering/EventFirehoseRole",
];
const DIRECT_PUT_ONLY: [&str; 2] = [
    "Delivering/DirectEventFirehose",
    "Delivering/DirectEventFirehoseRole",
];

/// A delivery has its own stream and Firehose while it is used or drains, and no longer.
pub(crate) fn existence(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (delivery, paths) in [("Kpl", &KPL_ONLY as &[&str]), ("DirectPut", &DIRECT_PUT_ONLY)] {
            for path in paths {
                let exists = deployed.stack.find(path).is_some();
                violations.same(format!("existence of {path}"), &exists, &deployed.has(delivery));
            }
        }
        let archive = deployed.stack.find("Delivering/RawArchiveFirehose").is_some();
        violations.same(
            "existence of the archive",
            &archive,
            &(deployed.parameter("RawArchive") == "Yes"),
        );
        for path in ["Streams/LogStream", "Delivering/FailedEventsFirehose"] {
            violations.unless(deployed.stack.find(path).is_some(), format!("{path} is gone"));
        }
    })
}

/// Firehose reads a stream from its latest record on, so nothing produces before it is there.
pub(crate) fn order(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let mut pairs = Vec::new();
        for (firehose, _) in deployed.stack.of_type("AWS::KinesisFirehose::DeliveryStream") {
            // Rows and failed events come from the mapping, log lines from the log.
            pairs.extend([
                ("Functions/AggregateLogsLogLines", firehose),
                ("Functions/AggregateLogs", firehose),
                ("Edge/RealtimeLog", firehose),
                ("Edge/Distribution", firehose),
            ]);
        }
        // A hit before the mapping only waits, but a hit before its stream would be lost.
        pairs.extend([
            ("Edge/Distribution", "Streams/LogStream"),
            ("Functions/AggregateLogsLogLines", "Functions/AggregateLogsRole"),
        ]);
        for (later, earlier) in pairs {
            if deployed.stack.find(later).is_some() {
                violations.unless(
                    deployed.stack.depends_on(later, earlier),
                    format!("{later} does not wait for {earlier}"),
                );
            }
        }
    })
}

/// The steps of a change: both at once, and then the new one alone. Nothing with data goes but at the end,
/// and what goes then is kept by its deletion policy.
const CHANGES: [[(&str, &str); 3]; 2] = [
    [("Kpl", "None"), ("DirectPut", "Kpl"), ("DirectPut", "None")],
    [("DirectPut", "None"), ("Kpl", "DirectPut"), ("Kpl", "None")],
];

/// A change of delivery drains and does not delete.
pub(crate) fn changes(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    for steps in CHANGES {
        let stacks = steps.map(|(delivery, kept)| {
            world
                .deployed
                .iter()
                .filter(|deployed| {
                    [
                        "defaults",
                        "Direct PUT",
                        "Direct PUT after Kpl",
                        "Kpl after Direct PUT",
                    ]
                    .contains(&deployed.set.as_str())
                })
                .find(|deployed| {
                    deployed.parameter("Delivery") == delivery && deployed.parameter("KeepDelivery") == kept
                })
        });
        let [Some(before), Some(between), Some(after)] = stacks else {
            wrong.push(format!("the steps {steps:?} make no stacks"));
            continue;
        };
        let from = format!(
            "from {} to {}",
            before.parameter("Delivery"),
            after.parameter("Delivery")
        );
        for path in KPL_ONLY.iter().chain(&DIRECT_PUT_ONLY) {
            if between.stack.find(path).is_none() {
                wrong.push(format!("{from}: {path} is missing while rows drain"));
            }
        }
        for (first, second) in [(before, between), (between, after)] {
            wrong.extend(
                replaced(first, second)
                    .into_iter()
                    .map(|wrong| format!("{from}: {wrong}")),
            );
        }
        for (path, _) in before.stack.resources() {
            if between.stack.find(path).is_none() {
                wrong.push(format!("{from}: the first step deletes {path}"));
            }
        }
        for (path, resource) in between.stack.resources() {
            let kind = text(&resource["Type"]);
            let holds_data = [
                "AWS::Kinesis::Stream",
                "AWS::KinesisFirehose::DeliveryStream",
                "AWS::IAM::Role",
            ];
            if after.stack.find(path).is_none()
                && holds_data.contains(&kind.as_str())
                && resource["DeletionPolicy"] != "RetainExceptOnCreate"
            {
                wrong.push(format!("{from}: the last step deletes {path} with what it holds"));
            }
        }
        let environment = |deployed: &Deployed| {
            deployed.properties("Functions/AggregateLogs")["Environment"]["Variables"].clone()
        };
        if environment(between) != environment(after) {
            wrong.push(format!(
                "{from}: the last step changes the function's settings once more"
            ));
        }
    }
    wrong
}

/// Properties whose change makes `CloudFormation` put a new resource in the place of the old one; or, of
/// dynamic partitioning, whose change Firehose refuses. "Update requires: Replacement" says their page.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/>
const CREATE_ONLY: [(&str, &[&str]); 6] = [
    ("AWS::Kinesis::Stream", &["/Name"]),
    (
        "AWS::KinesisFirehose::DeliveryStream",
        &[
            "/DeliveryStreamName",
            "/DeliveryStreamType",
            "/KinesisStreamSourceConfiguration",
            "/ExtendedS3DestinationConfiguration/DynamicPartitioningConfiguration/Enabled",
        ],
    ),
    ("AWS::S3::Bucket", &["/BucketName", "/ObjectLockEnabled"]),
    ("AWS::Glue::Database", &["/CatalogId", "/DatabaseInput/Name"]),
    (
        "AWS::Glue::Table",
        &["/CatalogId", "/DatabaseName", "/TableInput/Name"],
    ),
    ("AWS::SecretsManager::Secret", &["/Name"]),
];

/// What an update from one stack to another would replace.
fn replaced(before: &Deployed, after: &Deployed) -> Vec<String> {
    let mut replaced = Vec::new();
    for (kind, properties) in CREATE_ONLY {
        for (path, old) in before.stack.of_type(kind) {
            let Some(new) = after.stack.find(path) else {
                continue;
            };
            let changed = |property: &&&str| {
                let value = |resource: &Value| resource["Properties"].pointer(property).cloned();
                value(old) != value(new)
            };
            replaced.extend(
                properties
                    .iter()
                    .filter(changed)
                    .map(|property| format!("{property} of {path} changes")),
            );
        }
    }
    replaced
}

/// Another value for each parameter.
const OTHER_VALUES: [(&str, &[(&str, &str)]); 28] = [
    ("Delivery", &[("Delivery", "DirectPut")]),
    ("KeepDelivery", &[("KeepDelivery", "DirectPut")]),
    ("StreamMode", &[("StreamMode", "ON_DEMAND")]),
    ("LogStreamShards", &[("LogStreamShards", "2")]),
    ("EventStreamShards", &[("EventStreamShards", "2")]),
    ("LogStreamRetentionHours", &[("LogStreamRetentionHours", "168")]),
    (
        "EventStreamRetentionHours",
        &[("EventStreamRetentionHours", "168")],
    ),
    ("BlobBytes", &[("BlobBytes", "10240")]),
    ("Architecture", &[("Architecture", "x86_64")]),
    ("FunctionMemory", &[("FunctionMemory", "1024")]),
    ("ReservedConcurrency", &[("ReservedConcurrency", "10")]),
    ("LogFields", &[("LogFields", "timestamp,cs-uri-stem")]),
    ("PixelPath", &[("PixelPath", "/o.gif")]),
    (
        "DomainName",
        &[("DomainName", "px.example.com"), ("CertificateArn", CERTIFICATE)],
    ),
    (
        "CertificateArn",
        &[("DomainName", "px.example.com"), ("CertificateArn", CERTIFICATE)],
    ),
    ("WebAclArn", &[("WebAclArn", WEB_ACL)]),
    (
        "ExistingDistributionId",
        &[("ExistingDistributionId", "E2QWRUHAPOMQZL")],
    ),
    ("PriceClass", &[("PriceClass", "PriceClass_100")]),
    ("FirstDay", &[("FirstDay", "2026-02-01")]),
    ("Alarms", &[("Alarms", "All")]),
    ("BufferSeconds", &[("BufferSeconds", "300")]),
    ("BufferMegabytes", &[("BufferMegabytes", "64")]),
    ("EventRetentionDays", &[("EventRetentionDays", "400")]),
    ("RawArchive", &[("RawArchive", "Yes")]),
    ("DatabaseName", &[("DatabaseName", "clicks")]),
    ("ScanLimitBytes", &[("ScanLimitBytes", "10000000")]),
    ("LogRetentionDays", &[("LogRetentionDays", "90")]),
    ("AlarmEmail", &[("AlarmEmail", "on-call@example.com")]),
];

/// No parameter replaces a stream, a Firehose, a bucket or a table when it changes.
///
/// A new name of the database makes a new description of the same objects; the old one stays beside it.
pub(crate) fn no_replacement(world: &World) -> Vec<String> {
    let Some(before) = world.set("defaults") else {
        return vec!["the defaults make no stack".to_owned()];
    };
    let mut wrong = Vec::new();
    for name in before.parameters.keys() {
        let Some((_, values)) = OTHER_VALUES.iter().find(|(known, _)| known == name) else {
            wrong.push(format!("nobody says another value for {name}"));
            continue;
        };
        let stack = match world.templates.stack(values) {
            Ok(stack) => stack,
            Err(error) => {
                wrong.push(format!("{name} cannot change: {error}"));
                continue;
            }
        };
        let after = Deployed {
            set: String::new(),
            parameters: before.parameters.clone(),
            stack,
        };
        let replaced = replaced(before, &after).into_iter();
        let meant = |replaced: &String| name == "DatabaseName" && replaced.contains(" of Catalog/");
        wrong.extend(
            replaced
                .filter(|replaced| !meant(replaced))
                .map(|replaced| format!("a change of {name}: {replaced}")),
        );
    }
    wrong
}
