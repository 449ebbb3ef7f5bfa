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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_fills_its_columns_and_no_other() {
        let delivery = DeliveryColumns {
            ts_ingested: Timestamp::EARLIEST,
            ingest_path: "file",
            pipeline_version: "1.2.3",
        };
        let mut row = Row::default();
        delivery.write(&mut row);
        let expected = Row {
            ts_ingested: Some(Timestamp::EARLIEST),
            ingest_path: Some("file"),
            pipeline_version: Some("1.2.3"),
            ..Row::default()
        };
        assert!(row == expected);
    }
}
