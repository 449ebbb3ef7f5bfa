//! What a log line becomes: the sample of the repository, packed by the function's own code.

use kpl::{Payload, deaggregate};
use log_batch::{BatchSettings, EventWriter, LogRecord};
use pipeline_tests::standstill::{FirehoseShelf, Handled, KinesisShelf, handle};
use pixel_log::Field;
use pixel_row::Timestamp;

use super::bill::Way;

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

/// Bytes of a log line with its newline, on average, were only these fields of it logged. Lines that have not all
/// fields, such as damaged ones, count as they are.
pub(crate) fn line_bytes(log: &[u8], fields: &[Field]) -> f64 {
    let lines: Vec<&[u8]> = log.split_inclusive(|&byte| byte == b'\n').collect();
    let bytes = lines.iter().map(|line| {
        let columns: Vec<&[u8]> = line.split(|&byte| byte == b'\t').collect();
        if columns.len() != Field::ALL.len() {
            return line.len();
        }
        let bytes = fields.iter().map(|field| columns[*field as usize].len() + 1);
        bytes.sum()
    });
    bytes.sum::<usize>() as f64 / lines.len() as f64
}

/// What the function makes of a log, in batches of so many lines on average, as lines at even distances make them.
pub(crate) fn batches(
    log: &[u8],
    lines_a_batch: f64,
    way: Way,
    blob_bytes: usize,
) -> impl Iterator<Item = Handled> {
    let settings = BatchSettings {
        blob_bytes,
        ..BatchSettings::default()
    };
    let handle = match way {
        Way::Kpl => handle::<KinesisShelf>,
        Way::DirectPut => handle::<FirehoseShelf>,
    };
    let mut lines = log.split_inclusive(|&byte| byte == b'\n').enumerate().peekable();
    let ends = (1..).map(move |batch| (lines_a_batch * f64::from(batch)).round() as usize);
    ends.map_while(move |end| {
        lines.peek()?;
        let mut event = EventWriter::new();
        while let Some((_, line)) = lines.next_if(|(index, _)| *index < end) {
            event.write(&LogRecord {
                source: "",
                shard: "",
                sequence_number: b"",
                arrival: arrival(),
                data: line,
            });
        }
        Some(handle(&event.finish(), &settings, arrival()).unwrap())
    })
}

/// A day after the sample, so that each of its times is a possible one.
pub(crate) fn arrival() -> Timestamp {
    Timestamp::from_millis(1_793_577_600_000).unwrap()
}

/// Means over the lines of a log that is packed so.
pub(crate) fn pack(log: &[u8], lines_a_batch: f64, way: Way, blob_bytes: usize) -> Traffic {
    let mut sum = Traffic::default();
    for handled in batches(log, lines_a_batch, way, blob_bytes) {
        sum.rows += handled.outcome.counts.rows as f64;
        for blob in &handled.blobs {
            sum.blobs += 1.0;
            sum.blob_bytes += blob.len() as f64;
            sum.blob_steps += steps(blob.len());
            let rows = match deaggregate(blob).unwrap() {
                Payload::Aggregated(rows) => rows.iter().map(|row| row.data.len()).collect(),
                Payload::Plain(data) => vec![data.len()],
            };
            sum.row_bytes += rows.iter().sum::<usize>() as f64;
            sum.row_steps += rows.into_iter().map(steps).sum::<f64>();
        }
        for record in &handled.failed_events {
            sum.failed_steps += steps(record.len());
        }
    }
    let count = log.split_inclusive(|&byte| byte == b'\n').count() as f64;
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
