//! Events as AWS writes them, for whoever has records and no Lambda.

use base64_simd::STANDARD;

use super::shape;
use crate::log_record::LogRecord;

/// Writes records into an event of AWS's shape. [`Envelope`](crate::Envelope) reads the same records back.
pub struct EventWriter {
    json: Vec<u8>,
    records: usize,
}

impl EventWriter {
    /// An event without records.
    #[must_use]
    pub fn new() -> EventWriter {
        EventWriter {
            json: shape::EVENT_BEGIN.to_vec(),
            records: 0,
        }
    }

    /// Adds a record. What it does not know, the partition key and who calls in which region, stays empty; so
    /// does a sequence number that it does not have.
    pub fn write(&mut self, record: &LogRecord<'_>) {
        let json = &mut self.json;
        if self.records > 0 {
            json.extend_from_slice(shape::BETWEEN_RECORDS);
        }
        let number = record.sequence_number().unwrap_or_default();
        json.extend_from_slice(shape::TO_PARTITION_KEY);
        json.extend_from_slice(shape::TO_SEQUENCE_NUMBER);
        write_text(json, number);
        json.extend_from_slice(shape::TO_DATA);
        // To append base64 makes room for just that much, so every record would move the whole event.
        json.reserve(STANDARD.encoded_length(record.data.len()));
        STANDARD.encode_append(record.data, json);
        json.extend_from_slice(shape::TO_ARRIVAL);
        let millis = record.arrival.as_millis().max(0); // no log is older than 1970
        json.extend_from_slice(format!("{}.{:03}", millis / 1_000, millis % 1_000).as_bytes());
        json.extend_from_slice(shape::TO_EVENT_ID);
        write_text(json, record.shard);
        json.push(b':');
        write_text(json, number);
        json.extend_from_slice(shape::TO_INVOKER);
        json.extend_from_slice(shape::TO_REGION);
        json.extend_from_slice(shape::TO_SOURCE);
        write_text(json, record.source);
        json.extend_from_slice(shape::RECORD_END);
        self.records += 1;
    }

    /// Number of records so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records
    }

    /// Whether there is none yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The event.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.json.extend_from_slice(shape::EVENT_END);
        self.json
    }
}

impl Default for EventWriter {
    fn default() -> EventWriter {
        EventWriter::new()
    }
}

/// A text between quotes, escaped where JSON asks for it.
fn write_text(json: &mut Vec<u8>, text: &str) {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    json.extend_from_slice(inner.unwrap_or_default().as_bytes());
}
