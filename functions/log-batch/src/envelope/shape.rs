//! The JSON in which AWS writes an event: what stands between the values, in AWS's order.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>

pub(super) const EVENT_BEGIN: &[u8] = br#"{"Records":["#;
pub(super) const BETWEEN_RECORDS: &[u8] = b",";
pub(super) const EVENT_END: &[u8] = b"]}";

pub(super) const TO_PARTITION_KEY: &[u8] = br#"{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":""#;
pub(super) const TO_SEQUENCE_NUMBER: &[u8] = br#"","sequenceNumber":""#;
pub(super) const TO_DATA: &[u8] = br#"","data":""#;
/// A number, in seconds since 1970.
pub(super) const TO_ARRIVAL: &[u8] = br#"","approximateArrivalTimestamp":"#;
/// The shard, a colon and the sequence number.
pub(super) const TO_EVENT_ID: &[u8] = br#"},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":""#;
pub(super) const TO_INVOKER: &[u8] = br#"","eventName":"aws:kinesis:record","invokeIdentityArn":""#;
pub(super) const TO_REGION: &[u8] = br#"","awsRegion":""#;
pub(super) const TO_SOURCE: &[u8] = br#"","eventSourceARN":""#;
pub(super) const RECORD_END: &[u8] = br#""}"#;
