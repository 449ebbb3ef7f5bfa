//! The rows that the function delivered, as the stage before left them: read without SQL, Parquet or folders.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kpl::Payload;
use pixel_row::{Column, FailedEvent, Row, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answer::{Answer, Cell, sql_type};

/// A record of the event stream, or of the failed events' Firehose stream.
pub(crate) struct Record {
    pub(crate) data: Vec<u8>,
    pub(crate) arrival: Timestamp,
}

/// A delivered row of `events_landed`: what the questions need of it, and the whole of it as it came.
#[derive(Debug, Deserialize)]
pub(crate) struct EventRow {
    pub(crate) ts_server: String,
    pub(crate) event_key: i64,
    pub(crate) line_hash: i64,
    pub(crate) ts_ingested: String,
    pub(crate) site_id: Option<String>,
    pub(crate) event_name: Option<String>,
    pub(crate) page_host: Option<String>,
    pub(crate) page_path: Option<String>,
    pub(crate) ref_host: Option<String>,
    pub(crate) ref_is_internal: Option<bool>,
    pub(crate) utm_source: Option<String>,
    pub(crate) utm_medium: Option<String>,
    pub(crate) utm_campaign: Option<String>,
    pub(crate) visitor_day_id: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) http_status: Option<i64>,
    pub(crate) user_agent: Option<String>,
    pub(crate) utf8_ok: Option<bool>,
    pub(crate) parse_warnings: Option<Vec<String>>,
    pub(crate) truncated_fields: Option<Vec<String>>,
    #[serde(skip)]
    json: String,
}

/// A delivered row of `failed_events_landed`.
#[derive(Debug, Deserialize)]
pub(crate) struct FailedRow {
    failure_key: i64,
    ts_ingested: String,
    #[serde(skip)]
    dt: String,
    #[serde(skip)]
    json: String,
}

/// The records of a file that the stage before wrote, in the order of arrival.
pub(crate) fn records(path: &Path) -> impl Iterator<Item = Record> + use<> {
    #[derive(Deserialize)]
    struct Line {
        data: String,
        arrival_ms: f64,
    }
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    BufReader::new(file).lines().map(|line| {
        let line: Line = serde_json::from_str(&line.unwrap()).unwrap();
        Record {
            data: STANDARD.decode(line.data).unwrap(),
            arrival: Timestamp::parse_millis(&format!("{:.0}", line.arrival_ms)).unwrap(),
        }
    })
}

impl Record {
    /// The rows of a record of the event stream: an aggregated record, or JSON objects one after the other.
    pub(crate) fn events(&self) -> Vec<EventRow> {
        let documents = match kpl::deaggregate(&self.data).unwrap() {
            Payload::Plain(data) => documents(data),
            Payload::Aggregated(records) => records
                .into_iter()
                .flat_map(|record| documents(record.data))
                .collect(),
        };
        let event = |json: String| EventRow {
            json: json.clone(),
            ..serde_json::from_str(&json).unwrap()
        };
        documents.into_iter().map(event).collect()
    }

    /// The rows of a record of the failed events' stream, which lie in the day of its arrival.
    pub(crate) fn failed_events(&self) -> Vec<FailedRow> {
        let failed = |json: String| FailedRow {
            json: json.clone(),
            dt: self.arrival.day().to_string(),
            ..serde_json::from_str(&json).unwrap()
        };
        documents(&self.data).into_iter().map(failed).collect()
    }
}

fn documents(data: &[u8]) -> Vec<String> {
    let documents = serde_json::Deserializer::from_slice(data).into_iter::<Box<RawValue>>();
    documents
        .map(|document| document.unwrap().get().to_owned())
        .collect()
}

impl EventRow {
    pub(crate) fn dt(&self) -> &str {
        &self.ts_server[..10]
    }

    pub(crate) fn hour(&self) -> &str {
        &self.ts_server[11..13]
    }

    /// A request for another path than the pixel's is a row, and no event.
    pub(crate) fn is_event(&self) -> bool {
        self.event_name.as_deref().is_some_and(|name| name != "request")
    }

    /// The row as `SELECT *` over the view gives it.
    fn cells(&self) -> Vec<Cell> {
        let mut cells = cells(&self.json, Row::COLUMNS);
        let value_micros = Row::COLUMNS
            .iter()
            .position(|column| column.name == "value_micros")
            .unwrap();
        cells.insert(value_micros + 1, decimal(&cells[value_micros]));
        cells.extend([self.dt(), self.hour()].map(|text| Cell::Text(text.to_owned())));
        cells
    }
}

/// One row for each event, the latest delivery and of those of one moment the one with the larger hash.
pub(crate) fn each_once(landed: &[EventRow]) -> Vec<&EventRow> {
    let mut events: BTreeMap<(&str, i64), &EventRow> = BTreeMap::new();
    for row in landed {
        let kept = events.entry((&row.ts_server, row.event_key)).or_insert(row);
        if (&row.ts_ingested, row.line_hash) > (&kept.ts_ingested, kept.line_hash) {
            *kept = row;
        }
    }
    events.into_values().collect()
}

/// What `SELECT * FROM events` answers, of these events and in no order.
pub(crate) fn all_columns<'a>(events: impl IntoIterator<Item = &'a EventRow>) -> Answer {
    let mut columns = named(Row::COLUMNS);
    let value_micros = columns
        .iter()
        .position(|(name, _)| name == "value_micros")
        .unwrap();
    columns.insert(
        value_micros + 1,
        ("value".to_owned(), "decimal(20, 6)".to_owned()),
    );
    columns.extend(["dt", "hour"].map(|name| (name.to_owned(), "varchar".to_owned())));
    Answer {
        columns,
        rows: events.into_iter().map(EventRow::cells).collect(),
    }
}

/// What `SELECT * FROM failed_events` answers, in no order: of each failure the first delivery.
pub(crate) fn all_failed_events(landed: &[FailedRow]) -> Answer {
    let mut failures: BTreeMap<i64, &FailedRow> = BTreeMap::new();
    for row in landed {
        let kept = failures.entry(row.failure_key).or_insert(row);
        if (&row.ts_ingested, &row.dt) < (&kept.ts_ingested, &kept.dt) {
            *kept = row;
        }
    }
    let mut columns = named(FailedEvent::COLUMNS);
    columns.push(("dt".to_owned(), "varchar".to_owned()));
    let row = |failed: &&FailedRow| {
        let mut cells = cells(&failed.json, FailedEvent::COLUMNS);
        cells.push(Cell::Text(failed.dt.clone()));
        cells
    };
    Answer {
        columns,
        rows: failures.values().map(row).collect(),
    }
}

fn named(columns: &[Column]) -> Vec<(String, String)> {
    let named = |column: &Column| (column.name.to_owned(), sql_type(column.column_type).to_owned());
    columns.iter().map(named).collect()
}

/// The values of a row in JSON, in the order of the columns; what is not there is null.
fn cells(json: &str, columns: &[Column]) -> Vec<Cell> {
    let row: BTreeMap<&str, &RawValue> = serde_json::from_str(json).unwrap();
    for name in row.keys() {
        assert!(
            columns.iter().any(|column| column.name == *name),
            "{name} is not a column"
        );
    }
    let cell = |column: &Column| {
        let json = row.get(column.name).map_or("null", |json| json.get());
        Cell::of_row(column.column_type, json)
    };
    columns.iter().map(cell).collect()
}

/// Micros as a decimal with six places.
fn decimal(micros: &Cell) -> Cell {
    match micros {
        Cell::Integer(micros) => {
            let (sign, size) = (if *micros < 0 { "-" } else { "" }, micros.unsigned_abs());
            Cell::Decimal(format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000))
        }
        _ => Cell::Null,
    }
}
