//! The event that Lambda makes of records, and what it leaves of a batch that it gives up.

use std::time::Duration;

use pipeline_tests::stack::REGION;
use serde_json::{Value, json};

use super::attempts::{Condition, Sent};
use super::settings::MappingSettings;
use crate::emulator::kinesis::StreamRecord;
use crate::wall_clock::now;

/// The most bytes of an event, base64 and envelope included.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const MAX_EVENT_BYTES: usize = 6 << 20;
const EMPTY_EVENT: usize = r#"{"Records":[]}"#.len();
/// The id of the mapping, in the names of what it leaves behind.
const MAPPING_ID: &str = "3f0c9a52-1d8b-4c0e-9d57-52a1b0f5e6c4";

/// A record in the event's JSON.
pub struct Record {
    /// Its sequence number.
    pub sequence_number: String,
    /// The partition key.
    pub partition_key: String,
    arrival_ms: u64,
    json: String,
}

impl Sent for Record {
    fn sequence_number(&self) -> &str {
        &self.sequence_number
    }

    fn age(&self) -> Duration {
        let age_ms = now().as_millis() - i64::try_from(self.arrival_ms).unwrap();
        Duration::from_millis(u64::try_from(age_ms).unwrap_or_default())
    }
}

impl Record {
    /// The record of a shard.
    /// Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>
    pub fn new(record: StreamRecord, shard: &str, stream_arn: &str) -> Record {
        let json = format!(
            concat!(
                r#"{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":{key},"#,
                r#""sequenceNumber":"{number}","data":"{data}","approximateArrivalTimestamp":{arrival}}},"#,
                r#""eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"{shard}:{number}","#,
                r#""eventName":"aws:kinesis:record","#,
                r#""invokeIdentityArn":"arn:aws:iam::123456789012:role/function","#,
                r#""awsRegion":"{region}","eventSourceARN":"{stream}"}}"#
            ),
            key = Value::from(record.partition_key.as_str()),
            number = record.sequence_number,
            data = record.data,
            arrival = record.approximate_arrival_timestamp,
            shard = shard,
            region = REGION,
            stream = stream_arn,
        );
        Record {
            arrival_ms: record.arrival_ms(),
            sequence_number: record.sequence_number,
            partition_key: record.partition_key,
            json,
        }
    }
}

/// The number of records, from the first, that one event may hold.
pub fn fitting(records: &[Record], batch_size: usize) -> usize {
    let mut bytes = EMPTY_EVENT;
    let fitting = records.iter().take(batch_size).take_while(|record| {
        bytes += record.json.len() + 1;
        bytes <= MAX_EVENT_BYTES
    });
    fitting.count()
}

/// The event of these records.
pub fn event_json(records: &[Record]) -> String {
    let records: Vec<&str> = records.iter().map(|record| record.json.as_str()).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

/// Key and body of the object at the on-failure destination, of which the number makes the name.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html>
pub fn given_up(
    settings: &MappingSettings,
    shard: &str,
    records: &[Record],
    condition: Condition,
    invocations: u64,
    number: u64,
) -> (String, String) {
    let now = now().to_string();
    let id = format!("00000000-0000-4000-8000-{number:012}");
    let sequence_number = |record: Option<&Record>| record.map(|record| record.sequence_number.clone());
    let body = json!({
        "requestContext": {
            "requestId": id,
            "functionArn": settings.function,
            "condition": condition.name(),
            "approximateInvokeCount": invocations,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": now,
        "KinesisBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": sequence_number(records.first()),
            "endSequenceNumber": sequence_number(records.last()),
            "batchSize": records.len(),
            "streamArn": settings.stream_arn,
        },
        "payload": event_json(records),
    });
    let (day, time) = now.split_once('T').expect("a date and a time");
    let folder = format!("aws/lambda/{MAPPING_ID}/{shard}/{}", day.replace('-', "/"));
    let time = time
        .get(..8)
        .expect("hours, minutes and seconds")
        .replace(':', ".");
    (format!("{folder}/{day}T{time}-{id}"), body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(data_bytes: usize) -> Record {
        let record = StreamRecord {
            sequence_number: "1".to_owned(),
            partition_key: "a\"b".to_owned(),
            data: "A".repeat(data_bytes),
            approximate_arrival_timestamp: 1_793_491_200.5,
        };
        Record::new(
            record,
            "shardId-000000000000",
            "arn:aws:kinesis:eu-west-1:123456789012:stream/lines",
        )
    }

    #[test]
    fn a_batch_ends_before_it_has_too_many_records_or_bytes() {
        let small: Vec<Record> = (0..5).map(|_| record(100)).collect();
        assert_eq!((fitting(&small, 3), fitting(&small, 10)), (3, 5));
        let large: Vec<Record> = (0..5).map(|_| record(2 << 20)).collect();
        assert_eq!(
            fitting(&large, 10),
            2,
            "three are more than 6 MB with what is around them"
        );
        assert!(event_json(&large[..2]).len() <= MAX_EVENT_BYTES);
    }

    #[test]
    fn an_event_is_json_as_lambda_sends_it() {
        let event: Value = serde_json::from_str(&event_json(&[record(4), record(8)])).unwrap();
        assert_eq!(event["Records"].as_array().unwrap().len(), 2);
        let record = &event["Records"][1];
        assert_eq!(record["eventID"], "shardId-000000000000:1");
        assert_eq!(record["kinesis"]["partitionKey"], "a\"b");
        assert_eq!(record["kinesis"]["data"], "AAAAAAAA");
        assert_eq!(record["kinesis"]["approximateArrivalTimestamp"], 1_793_491_200.5);
    }
}
