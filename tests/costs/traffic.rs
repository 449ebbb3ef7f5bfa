//! What a log line becomes: the sample of the repository, packed by the function's own code.

use kpl::{Payload, deaggregate};
use log_batch::ports::{DerivedSalt, OutletLimits};
use log_batch::{Batch, BatchSettings, DeliveryMode, LogRecord, PIPELINE_VERSION};
use pixel_log::{Delivery, Timestamp};

/// A day after the sample, so that each of its times is a possible one. UTC milliseconds since 1970.
const ARRIVAL_MS: i64 = 1_793_577_600_000;

/// Firehose bills a record in steps of so many bytes.
/// Source: <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>
pub(crate) const STEP: usize = 5_120;

/// Means over all lines of a log. Everything but the bytes of a row is for one line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    pub(crate) row_bytes: f64,
    pub(crate) rows: f64,
    pub(crate) blobs: f64,
    pub(crate) blob_bytes: f64,
    /// Billed steps where each blob is one record.
    pub(crate) blob_steps: f64,
    /// Billed steps where each row in a blob is a record of its own.
    pub(crate) row_steps: f64,
    /// Billed steps of failed events.
    pub(crate) failed_steps: f64,
}

/// Bytes of a log line with its newline, on average.
pub(crate) fn line_bytes(log: &[u8]) -> f64 {
    log.len() as f64 / log.split_inclusive(|&byte| byte == b'\n').count() as f64
}

/// Packs a log in batches of so many lines on average, as lines at even distances make them.
pub(crate) fn pack(log: &[u8], lines_a_batch: f64, mode: DeliveryMode, blob_bytes: usize) -> Traffic {
    let settings = BatchSettings {
        mode,
        blob_bytes,
        ..BatchSettings::default()
    };
    let events = match mode {
        DeliveryMode::Kpl => OutletLimits::KINESIS,
        DeliveryMode::DirectPut => OutletLimits::FIREHOSE,
    };
    let arrival = Timestamp::from_millis(ARRIVAL_MS).unwrap();
    let delivery = Delivery {
        ingested: arrival,
        path: settings.ingest_path,
        version: PIPELINE_VERSION,
    };
    let salt = DerivedSalt::new(Some([7; 32]));
    let lines: Vec<&[u8]> = log.split_inclusive(|&byte| byte == b'\n').collect();
    let ends = (1..).map(|batch| (lines_a_batch * f64::from(batch)).round() as usize);

    let mut sum = Traffic::default();
    let mut start = 0;
    for end in ends {
        let end = end.min(lines.len());
        let mut batch = Batch::new(&settings, delivery, &salt, 0, events, OutletLimits::FIREHOSE);
        for (position, line) in lines[start..end].iter().enumerate() {
            let record = LogRecord {
                source: "",
                shard: "",
                sequence_number: None,
                arrival,
                data: line,
            };
            batch.add(position, &record);
        }
        let packed = batch.finish();
        sum.rows += packed.counts().rows as f64;
        for entry in packed.event_entries() {
            sum.blobs += 1.0;
            sum.blob_bytes += entry.data.len() as f64;
            sum.blob_steps += steps(entry.data.len());
            let rows = match deaggregate(entry.data).unwrap() {
                Payload::Aggregated(rows) => rows.iter().map(|row| row.data.len()).collect(),
                Payload::Plain(data) => vec![data.len()],
            };
            sum.row_bytes += rows.iter().sum::<usize>() as f64;
            sum.row_steps += rows.into_iter().map(steps).sum::<f64>();
        }
        for entry in packed.failed_event_entries() {
            sum.failed_steps += steps(entry.data.len());
        }
        if end == lines.len() {
            break;
        }
        start = end;
    }
    let count = lines.len() as f64;
    Traffic {
        row_bytes: sum.row_bytes / sum.rows,
        rows: sum.rows / count,
        blobs: sum.blobs / count,
        blob_bytes: sum.blob_bytes / count,
        blob_steps: sum.blob_steps / count,
        row_steps: sum.row_steps / count,
        failed_steps: sum.failed_steps / count,
    }
}

/// The billed steps of a record.
pub(crate) fn steps(bytes: usize) -> f64 {
    bytes.div_ceil(STEP) as f64
}
