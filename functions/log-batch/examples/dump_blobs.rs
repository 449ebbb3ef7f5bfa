//! Packs the lines of a file as the handler does and writes each blob as a JSON line, for readers that are
//! not ours: `cargo run -p log-batch --example dump_blobs events/sample.log`.
//!
//! A line of output has `partition_key`, `data_b64` and `records_b64`, the user records that the blob was
//! made of. Those come from packing every row alone, where a blob is its row and no aggregation happens.

use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt as _;
use log_batch::ports::{Clock, DerivedSalt, EntryOutcome, Outlet, Ports, PutEntry, PutError, Randomness};
use log_batch::{BatchSettings, EventWriter, LogRecord, Service, Verdict, handle_event};
use pixel_row::Timestamp;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("expected the path of a file of log lines")?;
    let log = std::fs::read(path)?;
    let packed = pack(&log, BatchSettings::default().blob_bytes)?;
    let alone = pack(&log, 1)?;
    let mut rows = alone.iter();
    let mut out = std::io::stdout().lock();
    for blob in packed {
        let mut records = Vec::new();
        let mut left = blob.data.len();
        // The rows of a blob are those that follow in order: as many as its bytes hold.
        while let Some(row) = rows
            .as_slice()
            .first()
            .filter(|row| row.data.len() <= left && holds(&blob.data, &row.data))
        {
            left -= row.data.len();
            records.push(STANDARD.encode(&row.data));
            rows.next();
        }
        let line = serde_json::json!({
            "partition_key": blob.partition_key,
            "data_b64": STANDARD.encode(&blob.data),
            "records_b64": records,
        });
        writeln!(out, "{line}")?;
    }
    if rows.len() > 0 {
        return Err(format!("{} rows are in no blob", rows.len()).into());
    }
    Ok(())
}

fn holds(blob: &[u8], row: &[u8]) -> bool {
    memchr::memmem::find(blob, row).is_some()
}

/// The blobs of a log, in one batch.
fn pack(log: &[u8], blob_bytes: usize) -> Result<Vec<Blob>, Box<dyn std::error::Error>> {
    let mut event = EventWriter::new();
    for (index, line) in log.split_inclusive(|&byte| byte == b'\n').enumerate() {
        event.write(&LogRecord {
            source: "file",
            shard: "",
            sequence_number: index.to_string().as_bytes(),
            arrival: Standstill.now(),
            data: line,
        });
    }
    let ports = Ports {
        events: Shelf::default(),
        failed_events: Abyss,
        clock: Standstill,
        randomness: Standstill,
        salt: DerivedSalt::new(Some([7; 32])),
    };
    let settings = BatchSettings {
        blob_bytes,
        ingest_path: "file",
        ..BatchSettings::default()
    };
    let event = event.finish();
    let handled = handle_event(&event, &settings, &ports, Duration::from_mins(1));
    let outcome = handled.now_or_never().ok_or("nothing here waits")??;
    if outcome.verdict != Verdict::Delivered {
        return Err("the batch was not delivered".into());
    }
    Ok(ports.events.0.into_inner()?)
}

struct Blob {
    data: Vec<u8>,
    partition_key: String,
}

/// Keeps blobs in the KPL format.
#[derive(Default)]
struct Shelf(Mutex<Vec<Blob>>);

impl Outlet for Shelf {
    const SERVICE: Service = Service::KINESIS;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        let blobs = entries.iter().map(|entry| Blob {
            data: entry.data.to_vec(),
            partition_key: entry.partition_key.to_owned(),
        });
        self.0.lock().map_err(|_| PutError::Failed)?.extend(blobs);
        Ok(vec![EntryOutcome::Stored; entries.len()])
    }
}

/// Takes failed events and keeps none.
struct Abyss;

impl Outlet for Abyss {
    const SERVICE: Service = Service::FIREHOSE;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        Ok(vec![EntryOutcome::Stored; entries.len()])
    }
}

/// Stands still on 2030-01-01: after every line, since a line from the future is refused.
struct Standstill;

impl Clock for Standstill {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_893_456_000_000).unwrap_or(Timestamp::LATEST)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _time: Duration) {
        std::future::pending::<()>().await;
    }
}

/// The same partition keys in every run.
impl Randomness for Standstill {
    fn next(&self) -> u64 {
        1
    }
}
