//! The Firehose streams: where they read, what they make of it, and where they write it.
//!
//! Source: <https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion.html>,
//! <https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning.html>

use serde_json::{Value, json};

use super::world::{Deployed, Violations, World, items, number, text};

/// What is special about one Firehose.
pub(crate) struct Firehose {
    pub(crate) path: &'static str,
    /// The Kinesis stream that it reads; none where rows are put.
    pub(crate) source: Option<&'static str>,
    pub(crate) bucket: &'static str,
    pub(crate) key: &'static str,
    /// The table whose columns it writes; none where it writes what comes.
    pub(crate) table: Option<&'static str>,
    partitions: bool,
}

const FIREHOSES: [Firehose; 4] = [
    Firehose {
        path: "Delivering/EventFirehose",
        source: Some("Streams/EventStream"),
        bucket: "Lake/LakeBucket",
        key: "Keys/LakeKey",
        table: Some("Catalog/EventsLanded"),
        partitions: true,
    },
    Firehose {
        path: "Delivering/DirectEventFirehose",
        source: None,
        bucket: "Lake/LakeBucket",
        key: "Keys/LakeKey",
        table: Some("Catalog/EventsLanded"),
        partitions: true,
    },
    Firehose {
        path: "Delivering/FailedEventsFirehose",
        source: None,
        bucket: "Lake/RawBucket",
        key: "Keys/RawKey",
        table: Some("Catalog/FailedEventsLanded"),
        partitions: false,
    },
    Firehose {
        path: "Delivering/RawArchiveFirehose",
        source: Some("Streams/LogStream"),
        bucket: "Lake/RawBucket",
        key: "Keys/RawKey",
        table: None,
        partitions: false,
    },
];

/// The Firehoses of a stack, with where each writes.
pub(crate) fn existing(deployed: &Deployed) -> impl Iterator<Item = (&'static Firehose, &Value, &Value)> {
    FIREHOSES.iter().filter_map(|firehose| {
        let properties = deployed.properties(firehose.path);
        let destination = &properties["ExtendedS3DestinationConfiguration"];
        (!properties.is_null()).then_some((firehose, properties, destination))
    })
}

/// Nothing is delivered that is not described here.
pub(crate) fn sources(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (path, _) in deployed.stack.of_type("AWS::KinesisFirehose::DeliveryStream") {
            let is_known = FIREHOSES.iter().any(|firehose| firehose.path == path);
            violations.unless(is_known, format!("{path} is a Firehose that no check knows"));
        }
        for (firehose, properties, destination) in existing(deployed) {
            let path = firehose.path;
            let role = deployed.arn(&format!("{path}Role"));
            violations.equal(format!("{path} RoleARN"), &destination["RoleARN"], role.clone());
            violations.equal(
                format!("{path} BucketARN"),
                &destination["BucketARN"],
                deployed.arn(firehose.bucket),
            );
            violations.equal(
                format!("{path}: key"),
                &destination["EncryptionConfiguration"]["KMSEncryptionConfig"]["AWSKMSKeyARN"],
                deployed.arn(firehose.key),
            );
            let kind = &properties["DeliveryStreamType"];
            let Some(source) = firehose.source else {
                violations.equal(format!("{path}: type"), kind, "DirectPut");
                violations.equal(
                    format!("{path}: encryption of what waits"),
                    &properties["DeliveryStreamEncryptionConfigurationInput"],
                    json!({"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": deployed.arn(firehose.key)}),
                );
                continue;
            };
            violations.equal(format!("{path}: type"), kind, "KinesisStreamAsSource");
            violations.equal(
                format!("{path}: source"),
                &properties["KinesisStreamSourceConfiguration"],
                json!({"KinesisStreamARN": deployed.arn(source), "RoleARN": role}),
            );
        }
    })
}

/// JSON becomes Parquet with the columns of the table, whatever Firehose asks of it.
pub(crate) fn conversion(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (firehose, _, destination) in existing(deployed) {
            let path = firehose.path;
            let conversion = &destination["DataFormatConversionConfiguration"];
            let compression = text(&destination["CompressionFormat"]);
            let Some(table) = firehose.table else {
                violations.unless(
                    conversion.is_null(),
                    format!("{path} converts what it should keep as it is"),
                );
                violations.equal(
                    format!("{path} CompressionFormat"),
                    &destination["CompressionFormat"],
                    "GZIP",
                );
                violations.unless(
                    destination.get("ProcessingConfiguration").is_none(),
                    format!("{path} changes what it should keep as it is"),
                );
                continue;
            };
            // Parquet compresses itself, and Firehose refuses to compress it again.
            violations.unless(
                ["", "UNCOMPRESSED"].contains(&compression.as_str()),
                format!("{path} compresses Parquet as {compression}"),
            );
            violations.equal(format!("{path}: conversion"), &conversion["Enabled"], true);
            violations.equal(
                format!("{path}: deserializer"),
                &conversion["InputFormatConfiguration"]["Deserializer"],
                json!({"OpenXJsonSerDe": {"CaseInsensitive": true}}),
            );
            violations.equal(
                format!("{path}: serializer"),
                &conversion["OutputFormatConfiguration"]["Serializer"]["ParquetSerDe"]["Compression"],
                "SNAPPY",
            );
            let schema = &conversion["SchemaConfiguration"];
            violations.equal(
                format!("{path}: schema"),
                schema,
                json!({
                    "DatabaseName": deployed.name("Catalog/Database"),
                    "TableName": deployed.name(table),
                    "Region": "eu-west-1",
                    "RoleARN": deployed.arn(&format!("{path}Role")),
                    "VersionId": "LATEST",
                }),
            );
            let hints = &destination["BufferingHints"];
            let (megabytes, seconds) = (number(&hints["SizeInMBs"]), number(&hints["IntervalInSeconds"]));
            violations.unless(
                (64.0..=128.0).contains(&megabytes),
                format!("{path} gathers {megabytes} MB; conversion takes 64 to 128"),
            );
            violations.unless(
                (0.0..=900.0).contains(&seconds),
                format!("{path} gathers for {seconds} s; Firehose takes 0 to 900"),
            );
            let hints_expected = [
                ("SizeInMBs", "BufferMegabytes"),
                ("IntervalInSeconds", "BufferSeconds"),
            ];
            for (hint, parameter) in hints_expected {
                violations.equal(
                    format!("{path} {hint}"),
                    &hints[hint],
                    deployed.parameter(parameter),
                );
            }
        }
    })
}

/// Rows find their hour by themselves, and each row of a record its own.
pub(crate) fn dynamic_partitioning(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (firehose, _, destination) in existing(deployed) {
            let path = firehose.path;
            let partitioning = &destination["DynamicPartitioningConfiguration"];
            if !firehose.partitions {
                let is_off = partitioning.is_null() || partitioning["Enabled"] == false;
                violations.unless(is_off, format!("{path} partitions by what it carries"));
                continue;
            }
            violations.equal(
                format!("{path}: dynamic partitioning"),
                &partitioning["Enabled"],
                true,
            );
            let processing = &destination["ProcessingConfiguration"];
            violations.equal(format!("{path}: processing"), &processing["Enabled"], true);
            let processors = items(&processing["Processors"]);
            let kinds: Vec<String> = processors
                .iter()
                .map(|processor| text(&processor["Type"]))
                .collect();
            // Firehose takes KPL blobs of a Kinesis stream apart by itself; rows of a Direct PUT it does not.
            let expected: &[&str] = match firehose.source {
                Some(_) => &["MetadataExtraction"],
                None => &["RecordDeAggregation", "MetadataExtraction"],
            };
            violations.same(
                format!("{path}: processors"),
                &kinds,
                &expected.iter().map(|&kind| kind.to_owned()).collect(),
            );
            for processor in processors {
                processor_parameters(path, processor, violations);
            }
        }
    })
}

fn processor_parameters(path: &str, processor: &Value, violations: &mut Violations) {
    let expected = match processor["Type"].as_str() {
        Some("RecordDeAggregation") => ("SubRecordType", "JSON"),
        _ => ("JsonParsingEngine", "JQ-1.6"),
    };
    let found = parameter(processor, expected.0);
    violations.same(
        format!("{path}: {}", expected.0),
        &found.as_deref(),
        &Some(expected.1),
    );
}

/// A parameter of a processor.
pub(crate) fn parameter(processor: &Value, name: &str) -> Option<String> {
    let parameters = items(&processor["Parameters"]).iter();
    let mut named = parameters.filter(|parameter| parameter["ParameterName"] == name);
    named.next().map(|parameter| text(&parameter["ParameterValue"]))
}

/// A Firehose that is to tell of its errors has a log stream to tell them to.
pub(crate) fn logging(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let log_streams: Vec<(String, String)> = deployed
            .stack
            .of_type("AWS::Logs::LogStream")
            .map(|(_, log)| {
                let log = &log["Properties"];
                (text(&log["LogGroupName"]), text(&log["LogStreamName"]))
            })
            .collect();
        for (firehose, _, destination) in existing(deployed) {
            let options = &destination["CloudWatchLoggingOptions"];
            violations.equal(format!("{} logs", firehose.path), &options["Enabled"], true);
            let target = (text(&options["LogGroupName"]), text(&options["LogStreamName"]));
            violations.unless(
                log_streams.contains(&target),
                format!("{} logs to {target:?}, which nobody makes", firehose.path),
            );
        }
    })
}
