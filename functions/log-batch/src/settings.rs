//! What decides how a batch is packed and delivered.

use std::time::Duration;

use pixel_log::RowReader;

/// The cap of a blob unless a setting says otherwise: Firehose bills each record in steps of 5 KiB.
/// Source: <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>
pub const DEFAULT_BLOB_BYTES: usize = 5_120;

/// The most rows of a blob: above 500 documents Firehose's de-aggregation of JSON stops working without an
/// error; for KPL blobs no limit is documented, so the known one holds for both.
/// Source: <https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-multirecord-deaggergation.html>
pub(crate) const MAX_ROWS_PER_BLOB: usize = 500;

/// The settings of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchSettings {
    /// Reads lines into rows.
    pub rows: RowReader,
    /// The cap of a blob in bytes, envelope included.
    pub blob_bytes: usize,
    /// The value of the column `ingest_path`.
    pub ingest_path: &'static str,
    /// How long before the end of the time given the answer must stand.
    pub margin: Duration,
}

impl Default for BatchSettings {
    /// All fields, blobs of 5,120 bytes, and an answer two seconds before the end.
    fn default() -> BatchSettings {
        BatchSettings {
            rows: RowReader::default(),
            blob_bytes: DEFAULT_BLOB_BYTES,
            ingest_path: "realtime",
            margin: Duration::from_secs(2),
        }
    }
}

/// The version of the pipeline, for the column `pipeline_version`.
pub const PIPELINE_VERSION: &str = env!("CARGO_PKG_VERSION");
