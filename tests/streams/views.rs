//! What was delivered, and what the views `events` and `failed_events` make of it.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pixel_row::keys::xxh64;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What makes rows one event: `ts_server`, of which `dt` and `hour` are parts, and `event_key`.
pub type EventId = (String, i64);
/// A hash of all that a row says of its line.
pub type Fingerprint = i64;

/// A row, as far as the view looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// When it was delivered; later text, later time.
    ts_ingested: String,
    line_hash: i64,
    /// What it says of its line.
    pub fingerprint: Fingerprint,
}

/// Reads a row. The columns of the delivery are its last, and no functions of the line.
pub fn fingerprint(json: &[u8]) -> (EventId, Delivered) {
    let json = std::str::from_utf8(json).unwrap();
    let (of_line, of_delivery) = json
        .rsplit_once(r#","ts_ingested":"#)
        .expect("the columns of the delivery");
    let (ts_ingested, others) = of_delivery.split_once(',').unwrap();
    assert!(
        others.starts_with(r#""ingest_path":"#) && others.contains(r#","pipeline_version":"#),
        "{others}"
    );
    // In a text every quote has a backslash before it, so a name with its quotes is the column's own.
    let value = |name: &str| {
        let (_, rest) = of_line
            .split_once(name)
            .unwrap_or_else(|| panic!("a row without {name}"));
        rest.split([',', '}']).next().unwrap()
    };
    let number = |name: &str| value(name).parse().unwrap();
    let id = (
        value(r#","ts_server":"#).trim_matches('"').to_owned(),
        number(r#""event_key":"#),
    );
    let row = Delivered {
        ts_ingested: ts_ingested.to_owned(),
        line_hash: number(r#","line_hash":"#),
        fingerprint: xxh64(of_line.as_bytes()),
    };
    (id, row)
}

/// The view `events`: of rows with one id, the latest delivery counts, then the larger `line_hash`.
#[derive(Debug, Default)]
pub struct Events {
    rows: HashMap<EventId, Delivered>,
    landed: u64,
}

impl Events {
    /// Lands a row.
    pub fn land(&mut self, json: &[u8]) {
        let (id, row) = fingerprint(json);
        self.landed += 1;
        let kept = self.rows.entry(id).or_insert_with(|| row.clone());
        if (&row.ts_ingested, row.line_hash) > (&kept.ts_ingested, kept.line_hash) {
            *kept = row;
        }
    }

    /// Lands rows, one behind the other.
    pub fn land_all(&mut self, documents: &[u8]) {
        for document in serde_json::Deserializer::from_slice(documents).into_iter::<&RawValue>() {
            self.land(document.unwrap().get().as_bytes());
        }
    }

    /// Rows that landed.
    pub fn landed(&self) -> u64 {
        self.landed
    }

    /// The events with what they say.
    pub fn shown(&self) -> HashMap<EventId, Fingerprint> {
        let events = self.rows.iter();
        events.map(|(id, row)| (id.clone(), row.fingerprint)).collect()
    }
}

/// The view `failed_events`: one of each key.
#[derive(Debug, Default)]
pub struct FailedEvents {
    raw: BTreeMap<i64, Vec<u8>>,
    landed: u64,
}

#[derive(Deserialize)]
struct FailedEvent<'a> {
    failure_key: i64,
    raw_base64: &'a str,
}

impl FailedEvents {
    /// Lands documents, one behind the other.
    pub fn land(&mut self, documents: &[u8]) {
        for document in serde_json::Deserializer::from_slice(documents).into_iter::<FailedEvent<'_>>() {
            let FailedEvent {
                failure_key,
                raw_base64,
            } = document.unwrap();
            let raw = STANDARD.decode(raw_base64).unwrap();
            let known = self.raw.insert(failure_key, raw.clone());
            assert!(known.is_none_or(|known| known == raw), "two lines with one key");
            self.landed += 1;
        }
    }

    /// Failed events that landed.
    pub fn landed(&self) -> u64 {
        self.landed
    }

    /// The lines that failed, and how often each stood in the log.
    pub fn lines(&self) -> BTreeMap<Vec<u8>, u64> {
        let mut lines = BTreeMap::new();
        for raw in self.raw.values() {
            *lines.entry(raw.clone()).or_default() += 1;
        }
        lines
    }
}
