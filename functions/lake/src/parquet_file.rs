//! Rows as a Parquet file.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, make_array, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::util::display::FormatOptions;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::folder::LakeError;
use super::table::Table;

/// Columns that hardly hold a value twice: a dictionary of them is only work.
pub(super) const UNIQUE_COLUMNS: [&str; 5] = [
    "request_id",
    "event_key",
    "line_hash",
    "failure_key",
    "raw_base64",
];

/// The most bytes of a row group before it is compressed, about: so much memory a writer needs.
const MAX_ROW_GROUP_BYTES: usize = 64 * 1024 * 1024;
/// Rows that are read at once; a wide row has some kilobytes.
const BATCH_ROWS: usize = 1_024;

/// What does not fit is an error; the default would make it null.
const EXACT: CastOptions<'static> = CastOptions {
    safe: false,
    format_options: FormatOptions::new(),
};

/// A writer of a table's rows: Snappy as Firehose does, with statistics of every column and page.
pub(super) fn writer<W: Write + Send>(file: W, table: &Table) -> Result<ArrowWriter<W>, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_bytes(Some(MAX_ROW_GROUP_BYTES))
        .set_created_by(concat!("pixlake ", env!("CARGO_PKG_VERSION")).to_owned());
    for column in UNIQUE_COLUMNS {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    // Readers know the columns from the catalog; Arrow's own copy of them would be most of a small file.
    let options = ArrowWriterOptions::new()
        .with_properties(properties.build())
        .with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(file, table.file_schema(), options)
}

/// Reads these columns of an object, in the types that the table declares. One that the object lacks is null. An object
/// with a column that the table lacks, or a value that its type cannot hold, is refused: either would be lost.
pub(super) fn read(
    path: &Path,
    table: &Table,
    columns: &[&str],
) -> Result<impl Iterator<Item = Result<RecordBatch, ParquetError>>, LakeError> {
    let file = File::open(path).map_err(LakeError::io("read", path))?;
    let metadata = metadata(&file).map_err(LakeError::parquet("read", path))?;
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let found = reader.schema().fields().iter().map(|field| field.name());
    let declared = |name: &str| table.columns.iter().any(|column| column.name == name);
    if let Some(column) = found.clone().find(|name| !declared(name)) {
        return Err(LakeError::UnknownColumn {
            path: path.to_path_buf(),
            column: column.clone(),
        });
    }
    let mask = ProjectionMask::columns(reader.parquet_schema(), columns.iter().copied());
    let all = table.file_schema();
    let fields = columns
        .iter()
        .filter_map(|name| all.field_with_name(name).ok().cloned());
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batches = reader
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(LakeError::parquet("read", path))?;
    Ok(batches.map(move |batch| {
        let batch = batch?;
        let columns = schema
            .fields()
            .iter()
            .map(|field| match batch.column_by_name(field.name()) {
                Some(column) => exactly(column, field),
                None => Ok(new_null_array(field.data_type(), batch.num_rows())),
            });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
    }))
}

/// How to read a file. Times of 96 bits, which Firehose writes, would be read as nanoseconds since 1970, and these wrap
/// around before 1677 and after 2262: a page's clock may say any year.
fn metadata(file: &File) -> Result<ArrowReaderMetadata, ParquetError> {
    let options = ArrowReaderOptions::new();
    let found = ArrowReaderMetadata::load(file, options.clone())?;
    let physical_type = |name: &str| {
        let mut columns = found.parquet_schema().columns().iter();
        columns
            .find(|column| column.path().string() == name)
            .map(|column| column.physical_type())
    };
    let fields = found
        .schema()
        .fields()
        .iter()
        .map(|field| match physical_type(field.name()) {
            Some(Type::INT96) => {
                let time = DataType::Timestamp(TimeUnit::Microsecond, None);
                Arc::new(field.as_ref().clone().with_data_type(time))
            }
            _ => Arc::clone(field),
        });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    ArrowReaderMetadata::try_new(Arc::clone(found.metadata()), options.with_schema(schema))
}

/// The values of a column in the type of the field, or an error where one of them would become another.
fn exactly(column: &ArrayRef, field: &Field) -> Result<ArrayRef, ParquetError> {
    let column = &match column.data_type() {
        // A moment is the same in every zone.
        DataType::Timestamp(unit, Some(_)) => {
            let moments = column.to_data().into_builder();
            make_array(moments.data_type(DataType::Timestamp(*unit, None)).build()?)
        }
        _ => Arc::clone(column),
    };
    if column.data_type() == field.data_type() {
        return Ok(Arc::clone(column));
    }
    let cast = cast_with_options(column, field.data_type(), &EXACT);
    // Some casts cut: 1.5 becomes 1, microseconds become milliseconds.
    let back = cast.as_ref().ok().and_then(|cast| {
        let back = cast_with_options(cast, column.data_type(), &EXACT);
        back.ok().filter(|back| back == column)
    });
    match (cast, back) {
        (Ok(cast), Some(_)) => Ok(cast),
        _ => Err(ParquetError::General(format!(
            "column {} holds a value that {} cannot hold",
            field.name(),
            field.data_type()
        ))),
    }
}

/// Whether a file is an object of a table: readers skip names with a dot or an underscore in front.
pub(super) fn is_object(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    path.extension().is_some_and(|extension| extension == "parquet") && !name.starts_with(['.', '_'])
}

/// The first object in a folder, or in one below it, that cannot be read to its end as rows of the table.
pub(super) fn first_damaged(folder: &Path, table: &Table) -> Option<PathBuf> {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    first_file(folder, &|path| {
        is_object(path)
            && match read(path, table, &columns) {
                Ok(mut batches) => batches.any(|batch| batch.is_err()),
                // Queries pass over it.
                Err(LakeError::UnknownColumn { .. }) => false,
                Err(_) => true,
            }
    })
}

/// The first that ends with `.parquet` and is empty, or has a name that readers skip.
pub(super) fn first_ambiguous(folder: &Path) -> Option<PathBuf> {
    first_file(folder, &|path| {
        path.extension().is_some_and(|extension| extension == "parquet")
            && (!is_object(path) || fs::metadata(path).is_ok_and(|file| file.len() == 0))
    })
}

/// The first file in a folder, or in one below it, of which this holds. Folders that cannot be read are passed over.
fn first_file(folder: &Path, holds: &impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort_unstable();
    paths.into_iter().find_map(|path| {
        if path.is_dir() {
            first_file(&path, holds)
        } else {
            holds(&path).then_some(path)
        }
    })
}
