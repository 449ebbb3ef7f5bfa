//! The event that Lambda hands over, read record by record.
//!
//! The records are borrowed from the event's bytes. One odd record is one failed event, never a failed
//! batch; only an event that is no JSON, or has no `Records`, is refused as a whole.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pixel_log::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::log_record::LogRecord;

/// An event that holds no records to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvelopeError {
    /// Line and column of the event where reading stopped, counted from 1.
    at: (usize, usize),
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.at;
        write!(
            f,
            "the event is not a JSON object with an array Records (stopped at line {line}, column {column})"
        )
    }
}

impl std::error::Error for EnvelopeError {}

/// The records of one event.
pub struct Envelope<'a> {
    records: Vec<&'a RawValue>,
}

/// One record of the envelope.
pub enum EnvelopeRecord<'a> {
    /// A record whose data could be decoded.
    Good(LogRecord<'a>),
    /// One that could not be read; its `data` is the record's own JSON.
    Broken(LogRecord<'a>, &'static str),
}

#[derive(Deserialize)]
struct EventJson<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct RecordJson<'a> {
    #[serde(borrow)]
    kinesis: KinesisJson<'a>,
    #[serde(borrow, rename = "eventID")]
    event_id: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "eventSourceARN")]
    source: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct KinesisJson<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(borrow, rename = "sequenceNumber")]
    sequence_number: Cow<'a, str>,
    #[serde(borrow, rename = "approximateArrivalTimestamp")]
    arrival: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Finds the records of an event.
    pub fn parse(event: &'a [u8]) -> Result<Envelope<'a>, EnvelopeError> {
        serde_json::from_slice::<EventJson<'_>>(event)
            .map(|event| Envelope {
                records: event.records,
            })
            .map_err(|error| EnvelopeError {
                at: (error.line(), error.column()),
            })
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The records in order. `now` stands in for an arrival time that cannot be read.
    pub fn records(&self, now: Timestamp) -> impl Iterator<Item = EnvelopeRecord<'a>> + '_ {
        self.records.iter().map(move |record| read(record.get(), now))
    }
}

fn read(json: &str, now: Timestamp) -> EnvelopeRecord<'_> {
    let Ok(record) = serde_json::from_str::<RecordJson<'_>>(json) else {
        return EnvelopeRecord::Broken(
            salvage(json, now),
            "the record lacks kinesis.data or kinesis.sequenceNumber as text",
        );
    };
    let shard = record.event_id.map(shard_of).unwrap_or_default();
    let arrival = record
        .kinesis
        .arrival
        .and_then(|raw| Timestamp::parse_seconds(raw.get().as_bytes()));
    let decoded = STANDARD.decode(record.kinesis.data.as_bytes());
    let broken = decoded.is_err();
    let log_record = LogRecord {
        source: record.source.unwrap_or_default(),
        shard,
        sequence_number: Some(record.kinesis.sequence_number).filter(|number| is_sequence_number(number)),
        arrival: arrival.unwrap_or(now),
        data: decoded.map_or(Cow::Borrowed(json.as_bytes()), Cow::Owned),
    };
    match broken {
        false => EnvelopeRecord::Good(log_record),
        true => EnvelopeRecord::Broken(log_record, "kinesis.data of the record is not base64"),
    }
}

/// `shardId-000000000006` of `shardId-000000000006:4959…`.
fn shard_of(event_id: Cow<'_, str>) -> Cow<'_, str> {
    match event_id {
        Cow::Borrowed(id) => Cow::Borrowed(id.split(':').next().unwrap_or_default()),
        Cow::Owned(id) => Cow::Owned(id.split(':').next().unwrap_or_default().to_owned()),
    }
}

/// A sequence number as the API describes it: 1 to 129 digits, no leading zero.
/// Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html>
fn is_sequence_number(text: &str) -> bool {
    (1..=129).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What can be said of a record that is not of the expected shape.
fn salvage(json: &str, now: Timestamp) -> LogRecord<'_> {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let text = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(|text| text.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    LogRecord {
        source: Cow::Owned(text("/eventSourceARN")),
        shard: shard_of(Cow::Owned(text("/eventID"))),
        sequence_number: Some(text("/kinesis/sequenceNumber"))
            .filter(|number| is_sequence_number(number))
            .map(Cow::Owned),
        arrival: now,
        data: Cow::Borrowed(json.as_bytes()),
    }
}
