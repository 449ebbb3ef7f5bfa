//! The reader of any JSON: members in any order, missing, doubled, of another type.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{EnvelopeError, RecordParts};

#[derive(Deserialize)]
struct EventJson<T> {
    #[serde(rename = "Records")]
    records: Vec<T>,
}

/// The members of a record that count, as they stand in the JSON.
#[derive(Deserialize)]
struct RecordJson<'a> {
    #[serde(borrow)]
    kinesis: KinesisJson<'a>,
    #[serde(borrow, rename = "eventID")]
    event_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "eventSourceARN")]
    source: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct KinesisJson<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow, rename = "sequenceNumber")]
    sequence_number: Option<&'a RawValue>,
    #[serde(borrow, rename = "approximateArrivalTimestamp")]
    arrival: Option<&'a RawValue>,
}

/// The records of an event. Where all have the members that count, its bytes are read once.
pub(super) fn read(event: &[u8]) -> Result<Vec<RecordParts<'_>>, EnvelopeError> {
    if let Ok(event) = serde_json::from_slice::<EventJson<RecordJson<'_>>>(event) {
        return Ok(event.records.into_iter().map(RecordParts::from).collect());
    }
    let records = raw_records(event)?;
    let read = |json| serde_json::from_str(json).unwrap_or_else(|_| salvage(json));
    let records = records.into_iter().map(|raw| read(raw.get()));
    Ok(records.map(RecordParts::from).collect())
}

/// The records as they stand in the event.
pub(super) fn raw_records(event: &[u8]) -> Result<Vec<&RawValue>, EnvelopeError> {
    serde_json::from_slice::<EventJson<&RawValue>>(event)
        .map(|event| event.records)
        .map_err(|error| EnvelopeError {
            line: error.line(),
            column: error.column(),
        })
}

impl<'a> From<RecordJson<'a>> for RecordParts<'a> {
    fn from(record: RecordJson<'a>) -> RecordParts<'a> {
        RecordParts {
            data: text(record.kinesis.data).map(bytes_of),
            sequence_number: text(record.kinesis.sequence_number).map(bytes_of),
            shard: text(record.event_id).map(shard_of),
            source: text(record.source),
            arrival: record.kinesis.arrival.map(|raw| raw.get().as_bytes()),
        }
    }
}

/// The text of a JSON string; none of any other value. Without an escape it is what stands between the
/// quotes.
fn text(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let json = value?.get();
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_some() {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

fn bytes_of(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// `shardId-000000000006` of `shardId-000000000006:4959…`.
fn shard_of(event_id: Cow<'_, str>) -> Cow<'_, str> {
    match event_id {
        Cow::Borrowed(id) => Cow::Borrowed(id.split(':').next().unwrap_or_default()),
        Cow::Owned(id) => Cow::Owned(id.split(':').next().unwrap_or_default().to_owned()),
    }
}

/// What can be found of a record that is not of the expected shape: a member that stands twice counts the
/// last time, one of another type not at all.
fn salvage(json: &str) -> RecordJson<'_> {
    type Members<'a> = BTreeMap<String, &'a RawValue>;
    let record: Members<'_> = serde_json::from_str(json).unwrap_or_default();
    let kinesis: Members<'_> = record
        .get("kinesis")
        .and_then(|kinesis| serde_json::from_str(kinesis.get()).ok())
        .unwrap_or_default();
    RecordJson {
        kinesis: KinesisJson {
            data: kinesis.get("data").copied(),
            sequence_number: kinesis.get("sequenceNumber").copied(),
            arrival: kinesis.get("approximateArrivalTimestamp").copied(),
        },
        event_id: record.get("eventID").copied(),
        source: record.get("eventSourceARN").copied(),
    }
}
