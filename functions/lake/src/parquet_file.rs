//! Rows as a Parquet file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

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
    // Readers know the columns from the catalog; Arrow's own copy of them would be most of a small file.
    let options = ArrowWriterOptions::new()
        .with_properties(properties.build())
        .with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(file, batch.schema(), options)?;
    writer.write(batch)?;
    writer.close()?;
    Ok(())
}

/// The first file in a folder, or in one below it, whose footer cannot be read. Folders that cannot are passed over.
pub(super) fn first_damaged(folder: &Path) -> Option<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort_unstable();
    paths.into_iter().find_map(|path| {
        if path.is_dir() {
            return first_damaged(&path);
        }
        let is_parquet = path.extension().is_some_and(|extension| extension == "parquet");
        let file = File::open(&path).ok().filter(|_| is_parquet)?;
        let footer = ParquetMetaDataReader::new().parse_and_finish(&file);
        footer.is_err().then_some(path)
    })
}
