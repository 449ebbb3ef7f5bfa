//! What the template says of the event source mapping.

use std::time::Duration;

use serde_json::Value;

/// The values of an `AWS::Lambda::EventSourceMapping`, Lambda's defaults where the template says nothing.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingSettings {
    /// ARN of the stream.
    pub stream_arn: String,
    /// Its name.
    pub stream: String,
    /// The function.
    pub function: String,
    /// Where reading begins.
    pub starting_position: StartingPosition,
    /// The most records of a batch.
    pub batch_size: usize,
    /// How long a batch that is not full waits for more.
    pub window: Duration,
    /// Batches of one shard at the same time.
    pub parallelization: u128,
    /// Whether the function's answer names records that failed; otherwise each answer is a success.
    pub reports_item_failures: bool,
    /// Whether a batch that fails is split in two.
    pub bisects: bool,
    /// How often a batch that fails is sent again; none for as often as it takes.
    pub retries: Option<u64>,
    /// How old a record may become; none for as old as the stream keeps it.
    pub record_age: Option<Duration>,
    /// The bucket for batches that are given up.
    pub on_failure: Option<String>,
}

/// Where reading begins in a shard that is there before the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingPosition {
    /// At its oldest record.
    TrimHorizon,
    /// Behind its newest.
    Latest,
}

impl MappingSettings {
    /// From the resolved resource.
    pub fn read(resource: &Value) -> MappingSettings {
        let properties = &resource["Properties"];
        for unknown in ["FilterCriteria", "TumblingWindowInSeconds"] {
            assert!(properties[unknown].is_null(), "{unknown} is not honoured here");
        }
        let text = |name: &str| {
            properties[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name}"))
                .to_owned()
        };
        let number = |name: &str, default| integer(&properties[name]).unwrap_or(default);
        // -1 says: without a limit.
        let limit = |name: &str| u64::try_from(number(name, -1)).ok();
        let size = |name: &str, default| usize::try_from(number(name, default)).unwrap();
        let stream_arn = text("EventSourceArn");
        let on_failure = &properties["DestinationConfig"]["OnFailure"]["Destination"];
        MappingSettings {
            stream: stream_arn
                .split_once(":stream/")
                .expect("a stream's ARN")
                .1
                .to_owned(),
            stream_arn,
            function: text("FunctionName"),
            starting_position: match properties["StartingPosition"].as_str() {
                Some("TRIM_HORIZON") => StartingPosition::TrimHorizon,
                Some("LATEST") => StartingPosition::Latest,
                other => panic!("the starting position {other:?} is not honoured here"),
            },
            batch_size: size("BatchSize", 100),
            window: Duration::from_secs(size("MaximumBatchingWindowInSeconds", 0) as u64),
            parallelization: size("ParallelizationFactor", 1) as u128,
            reports_item_failures: properties["FunctionResponseTypes"]
                .as_array()
                .is_some_and(|types| types.iter().any(|kind| kind == "ReportBatchItemFailures")),
            bisects: boolean(&properties["BisectBatchOnFunctionError"]),
            retries: limit("MaximumRetryAttempts"),
            record_age: limit("MaximumRecordAgeInSeconds").map(Duration::from_secs),
            on_failure: on_failure.as_str().map(|arn| {
                arn.strip_prefix("arn:aws:s3:::")
                    .expect("only S3 gets the records themselves")
                    .to_owned()
            }),
        }
    }
}

/// A number; one that went through a parameter is a text.
fn integer(value: &Value) -> Option<i64> {
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    assert_eq!(number.is_some(), !value.is_null(), "{value} is not a number");
    number
}

fn boolean(value: &Value) -> bool {
    value.as_bool().unwrap_or(value == "true")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource() -> Value {
        json!({"Properties": {
            "EventSourceArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/lines",
            "FunctionName": "f",
            "StartingPosition": "LATEST",
        }})
    }

    #[test]
    fn what_a_template_does_not_say_is_as_lambda_has_it() {
        let settings = MappingSettings::read(&resource());
        assert_eq!(
            settings,
            MappingSettings {
                stream_arn: "arn:aws:kinesis:eu-west-1:123456789012:stream/lines".to_owned(),
                stream: "lines".to_owned(),
                function: "f".to_owned(),
                starting_position: StartingPosition::Latest,
                batch_size: 100,
                window: Duration::ZERO,
                parallelization: 1,
                reports_item_failures: false,
                bisects: false,
                retries: None,
                record_age: None,
                on_failure: None,
            }
        );
    }

    #[test]
    fn every_value_is_read() {
        let mut changed = resource();
        let before = MappingSettings::read(&changed);
        for (property, value) in [
            (
                "EventSourceArn",
                json!("arn:aws:kinesis:eu-west-1:123456789012:stream/others"),
            ),
            ("FunctionName", json!("g")),
            ("StartingPosition", json!("TRIM_HORIZON")),
            ("BatchSize", json!("7")),
            ("MaximumBatchingWindowInSeconds", json!(5)),
            ("ParallelizationFactor", json!(2)),
            ("FunctionResponseTypes", json!(["ReportBatchItemFailures"])),
            ("BisectBatchOnFunctionError", json!(true)),
            ("MaximumRetryAttempts", json!(0)),
            ("MaximumRecordAgeInSeconds", json!("60")),
            (
                "DestinationConfig",
                json!({"OnFailure": {"Type": "S3", "Destination": "arn:aws:s3:::raw"}}),
            ),
        ] {
            changed["Properties"][property] = value;
            let after = MappingSettings::read(&changed);
            assert_ne!(before, after, "{property} changes nothing");
            changed = resource();
        }
        changed["Properties"]["MaximumRetryAttempts"] = json!("-1");
        assert_eq!(MappingSettings::read(&changed).retries, None);
    }
}
