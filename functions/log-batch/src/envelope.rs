//! The event that Lambda hands over, read record by record.
//!
//! The records are borrowed from the event's bytes. One odd record is one failed event, never a failed
//! batch; only an event that is no JSON, or has no `Records`, is refused as a whole.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;

use base64_simd::STANDARD;
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
    event: &'a [u8],
    records: Vec<RecordJson<'a>>,
    /// The records as they stand in the event; read only when one of them has to be kept.
    raw: OnceCell<Vec<&'a RawValue>>,
}

/// One record of the envelope.
pub enum EnvelopeRecord<'a> {
    /// A record whose data could be decoded.
    Good(LogRecord<'a>),
    /// One whose data could not be decoded; its `data` is the record's own JSON.
    Broken(LogRecord<'a>, &'static str),
}

#[derive(Deserialize)]
struct EventJson<T> {
    #[serde(rename = "Records")]
    records: Vec<T>,
}

/// The members of a record that count, as they stand in the JSON. Each is judged on its own: an odd event id
/// does not make good data bad.
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

impl<'a> Envelope<'a> {
    /// Finds the records of an event. Where all have the expected shape, its bytes are read once.
    pub fn parse(event: &'a [u8]) -> Result<Envelope<'a>, EnvelopeError> {
        let records = match serde_json::from_slice::<EventJson<RecordJson<'a>>>(event) {
            Ok(event) => event.records,
            Err(_) => raw_records(event)?
                .into_iter()
                .map(|raw| read(raw.get()))
                .collect(),
        };
        let raw = OnceCell::new();
        Ok(Envelope { event, records, raw })
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

    /// The records in order. `now` stands in for an arrival time that cannot be read, or is older than any
    /// log.
    pub fn records(&self, now: Timestamp) -> impl Iterator<Item = EnvelopeRecord<'a>> + '_ {
        let records = self.records.iter().enumerate();
        records.map(move |(index, record)| self.record(index, record, now))
    }

    fn record(&self, index: usize, record: &RecordJson<'a>, now: Timestamp) -> EnvelopeRecord<'a> {
        let kinesis = &record.kinesis;
        let data = match text(kinesis.data).map(|data| STANDARD.decode_to_vec(data.as_bytes())) {
            Some(Ok(data)) => Ok(data),
            Some(Err(_)) => Err("kinesis.data of the record is not base64"),
            None => Err("the record lacks kinesis.data as text"),
        };
        let arrival = kinesis
            .arrival
            .and_then(|raw| Timestamp::parse_seconds(raw.get().as_bytes()))
            .filter(|arrival| *arrival >= Timestamp::EARLIEST);
        let log_record = |data| LogRecord {
            source: text(record.source).unwrap_or_default(),
            shard: text(record.event_id).map(shard_of).unwrap_or_default(),
            sequence_number: text(kinesis.sequence_number).filter(|number| is_sequence_number(number)),
            arrival: arrival.unwrap_or(now),
            data,
        };
        match data {
            Ok(data) => EnvelopeRecord::Good(log_record(Cow::Owned(data))),
            Err(expected) => EnvelopeRecord::Broken(log_record(Cow::Borrowed(self.json_of(index))), expected),
        }
    }

    /// The JSON of a record, as it stands in the event.
    fn json_of(&self, index: usize) -> &'a [u8] {
        let raw = self
            .raw
            .get_or_init(|| raw_records(self.event).unwrap_or_default());
        raw.get(index).map_or(b"", |raw| raw.get().as_bytes())
    }
}

fn raw_records(event: &[u8]) -> Result<Vec<&RawValue>, EnvelopeError> {
    serde_json::from_slice::<EventJson<&RawValue>>(event)
        .map(|event| event.records)
        .map_err(|error| EnvelopeError {
            at: (error.line(), error.column()),
        })
}

fn read(json: &str) -> RecordJson<'_> {
    serde_json::from_str(json).unwrap_or_else(|_| salvage(json))
}

/// The text of a JSON string; none of any other value. Without an escape, and there is none in practice,
/// it is what stands between the quotes.
fn text(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let json = value?.get();
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_some() {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
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
    let plain = (1..=129).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain && (text == "0" || !text.starts_with('0'))
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
