//! The event that Lambda hands over, read record by record.
//!
//! The records are borrowed from the event's bytes. One odd record is one failed event, never a failed
//! batch; only an event that is not JSON, or has no `Records`, is refused as a whole.
//!
//! Two readers find the records. [`strict`] takes the one shape in which AWS writes the event and passes over
//! its bytes once; [`lenient`] takes any JSON, and is asked only where the first one stops. What they find is
//! judged in one place, here, so it does not matter which of the two found it.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>

mod lenient;
mod shape;
mod strict;
#[cfg(test)]
mod tests;
mod writer;

use std::borrow::Cow;
use std::fmt;

use base64_simd::STANDARD;
use pixel_row::Timestamp;
use serde_json::value::RawValue;

use crate::log_record::{LogRecord, usable_sequence_number};
pub use writer::EventWriter;

/// An event that holds no records to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvelopeError {
    /// Line of the event where reading stopped, from 1.
    line: usize,
    /// Column of the line, from 1.
    column: usize,
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EnvelopeError { line, column } = self;
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
    records: Vec<RecordParts<'a>>,
}

/// What counts of a record, as it stands in the event. Each part is judged on its own: an odd event id does
/// not make good data bad.
struct RecordParts<'a> {
    /// The data, still in base64.
    data: Option<Cow<'a, [u8]>>,
    sequence_number: Option<Cow<'a, [u8]>>,
    shard: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
    /// The JSON of the arrival time: a number where all is well.
    arrival: Option<&'a [u8]>,
}

impl RecordParts<'_> {
    fn arrival(&self) -> Option<Timestamp> {
        let arrival = self.arrival.and_then(Timestamp::parse_seconds);
        arrival.filter(|arrival| *arrival >= Timestamp::EARLIEST)
    }
}

impl<'a> Envelope<'a> {
    /// Finds the records of an event.
    pub fn parse(event: &'a [u8]) -> Result<Envelope<'a>, EnvelopeError> {
        let records = match strict::read(event) {
            Some(records) => records,
            None => lenient::read(event)?,
        };
        Ok(Envelope { event, records })
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

    /// The sequence number of the record at this position, where it can be used.
    #[must_use]
    pub fn sequence_number(&self, position: usize) -> Option<&str> {
        usable_sequence_number(self.records.get(position)?.sequence_number.as_deref()?)
    }

    /// The records in order. `now` stands in for an arrival time that cannot be read, or is older than any
    /// log.
    #[must_use]
    pub fn records(&self, now: Timestamp) -> EnvelopeRecords<'_> {
        EnvelopeRecords {
            envelope: self,
            now,
            position: 0,
            data: Vec::new(),
            json: None,
        }
    }
}

/// One record of the envelope.
pub enum EnvelopeRecord<'a> {
    /// A record whose data could be decoded.
    Good(LogRecord<'a>),
    /// One whose data could not be decoded; its `data` is the record's own JSON.
    Broken(LogRecord<'a>, &'static str),
}

/// Lends the records of an envelope one after the other: their data is decoded into one buffer.
pub struct EnvelopeRecords<'a> {
    envelope: &'a Envelope<'a>,
    now: Timestamp,
    position: usize,
    data: Vec<u8>,
    /// All records as they stand in the event; read only when one of them has to be kept.
    json: Option<Vec<&'a RawValue>>,
}

impl EnvelopeRecords<'_> {
    /// The next record and its position in the batch, until there is no more.
    pub fn next_record(&mut self) -> Option<(usize, EnvelopeRecord<'_>)> {
        let position = self.position;
        let record = self.envelope.records.get(position)?;
        self.position += 1;
        self.data.clear();
        let expected = match &record.data {
            Some(data) => match STANDARD.decode_append(data, &mut self.data) {
                Ok(()) => None,
                Err(_) => Some("kinesis.data of the record is not base64"),
            },
            None => Some("the record lacks kinesis.data as text"),
        };
        let log_record = LogRecord {
            source: record.source.as_deref().unwrap_or_default(),
            shard: record.shard.as_deref().unwrap_or_default(),
            sequence_number: record.sequence_number.as_deref().unwrap_or_default(),
            arrival: record.arrival().unwrap_or(self.now),
            data: &self.data,
        };
        let record = match expected {
            None => EnvelopeRecord::Good(log_record),
            Some(expected) => {
                let event = self.envelope.event;
                let json = self
                    .json
                    .get_or_insert_with(|| lenient::raw_records(event).unwrap_or_default());
                let data = json.get(position).map_or(&b""[..], |raw| raw.get().as_bytes());
                EnvelopeRecord::Broken(LogRecord { data, ..log_record }, expected)
            }
        };
        Some((position, record))
    }
}
