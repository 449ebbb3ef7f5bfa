//! The delivery columns: what a delivery adds to a row, and no line can say.

use crate::row::Row;
use crate::timestamp::Timestamp;

/// How a line reached us. A row is a function of its line and the configuration, but for these columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryColumns {
    /// When this delivery is made.
    pub ts_ingested: Timestamp,
    /// `realtime` or `file`.
    pub ingest_path: &'static str,
    /// Version of pixlake.
    pub pipeline_version: &'static str,
}

impl DeliveryColumns {
    /// Fills the delivery columns of a row.
    pub fn write(&self, row: &mut Row<'_>) {
        row.ts_ingested = Some(self.ts_ingested);
        row.ingest_path = Some(self.ingest_path);
        row.pipeline_version = Some(self.pipeline_version);
    }
}
