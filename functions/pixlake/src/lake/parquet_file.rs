//! Rows as a Parquet file.

use std::fs::File;

use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::schema::types::ColumnPath;

/// Columns that hardly hold a value twice: a dictionary of them is only work.
const UNIQUE_COLUMNS: [&str; 5] = [
    "request_id",
    "event_key",
    "line_hash",
    "failure_key",
    "raw_base64",
];

/// Writes all rows as one row group: Snappy as Firehose does, with statistics of every column and page.
pub(super) fn write(batch: &RecordBatch, file: &mut File) -> Result<(), ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("pixlake ", env!("CARGO_PKG_VERSION")).to_owned());
    for column in UNIQUE_COLUMNS {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.build()))?;
    writer.write(batch)?;
    writer.close()?;
    Ok(())
}
