//! Packs the lines of a file as the handler does and writes each blob as a JSON line, for readers that are
//! not ours: `cargo run -p log-batch --example dump_blobs events/sample.log`.
//!
//! A line of output has `partition_key`, `data_b64` and `records_b64`, the user records that the blob was
//! made of. Those come from packing every row alone, where a blob is its row and no aggregation happens.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use log_batch::ports::{DerivedSalt, OutletLimits};
use log_batch::{Batch, BatchSettings, LogRecord, PIPELINE_VERSION, PackedBatch};
use pixel_log::{Delivery, Timestamp};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("expected the path of a file of log lines")?;
    let log = std::fs::read(path)?;
    // 2030-01-01: after every line, since a line from the future is refused.
    let now = Timestamp::from_millis(1_893_456_000_000).ok_or("a time")?;
    let packed = pack(&log, now, BatchSettings::default().blob_bytes);
    let alone = pack(&log, now, 1);
    let rows = alone.event_entries();
    let mut rows = rows.iter();
    let mut out = std::io::stdout().lock();
    for entry in packed.event_entries() {
        let mut records = Vec::new();
        let mut left = entry.data.len();
        // The rows of a blob are those that follow in order: as many as its bytes hold.
        while let Some(row) = rows
            .as_slice()
            .first()
            .filter(|row| row.data.len() <= left && holds(entry.data, row.data))
        {
            left -= row.data.len();
            records.push(STANDARD.encode(row.data));
            rows.next();
        }
        let line = serde_json::json!({
            "partition_key": entry.partition_key,
            "data_b64": STANDARD.encode(entry.data),
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

fn pack(log: &[u8], now: Timestamp, blob_bytes: usize) -> PackedBatch {
    let settings = BatchSettings {
        blob_bytes,
        ..BatchSettings::default()
    };
    let delivery = Delivery {
        ingested: now,
        path: "file",
        version: PIPELINE_VERSION,
    };
    let salt = DerivedSalt::new(Some([7; 32]));
    let mut batch = Batch::new(
        &settings,
        delivery,
        &salt,
        1,
        OutletLimits::KINESIS,
        OutletLimits::FIREHOSE,
    );
    for (position, line) in log.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let record = LogRecord {
            source: "file",
            shard: "",
            sequence_number: Some(&position.to_string()),
            arrival: now,
            data: line,
        };
        batch.add(position, &record);
    }
    batch.finish()
}
