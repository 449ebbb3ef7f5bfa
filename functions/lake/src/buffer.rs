//! The rows of one partition that wait for their file, in columns.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Int32Builder, Int64Builder, ListBuilder, RecordBatch,
    StringBuilder, TimestampMillisecondBuilder,
};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use pixel_row::{Column, ColumnType, Timestamp};

use super::table::list_element;
use pixel_row::Cell;

/// About what the builders of one column take before they hold anything worth counting.
const COLUMN_OVERHEAD: usize = 256;

/// Rows in columns. A row goes in whole.
#[derive(Debug)]
pub(super) struct RowBuffer {
    columns: Vec<ColumnBuffer>,
    /// Rows in it.
    pub(super) rows: u64,
    /// About so many bytes of memory.
    pub(super) bytes: usize,
    /// When the first of its rows arrived.
    pub(super) since: Timestamp,
}

/// One column. Most cells of a row are null: they are counted, and appended all at once before a value comes.
#[derive(Debug)]
struct ColumnBuffer {
    builder: Builder,
    nulls: usize,
}

#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Int(Int32Builder),
    Bigint(Int64Builder),
    Boolean(BooleanBuilder),
    Timestamp(TimestampMillisecondBuilder),
    Texts(ListBuilder<StringBuilder>),
}

impl RowBuffer {
    pub(super) fn new(columns: &[Column], since: Timestamp) -> RowBuffer {
        RowBuffer {
            columns: columns
                .iter()
                .map(|column| ColumnBuffer {
                    builder: Builder::new(column.column_type),
                    nulls: 0,
                })
                .collect(),
            rows: 0,
            bytes: columns.len() * COLUMN_OVERHEAD,
            since,
        }
    }

    /// Appends a row: one cell for each column, of the column's type.
    pub(super) fn append(&mut self, cells: &[Cell<'_>]) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            self.bytes += column.append(cell);
        }
        self.rows += 1;
    }

    /// The rows as Arrow's columns.
    pub(super) fn finish(mut self, schema: SchemaRef) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(
            schema,
            self.columns.iter_mut().map(ColumnBuffer::finish).collect(),
        )
    }
}

impl ColumnBuffer {
    /// Appends a cell and says how many bytes that took, about.
    fn append(&mut self, cell: &Cell<'_>) -> usize {
        if *cell == Cell::Null {
            self.nulls += 1;
            return self.builder.null_bytes();
        }
        self.append_nulls();
        self.builder.append(cell)
    }

    fn append_nulls(&mut self) {
        // A column without nulls needs no list of them, and even none at all begins one.
        if self.nulls > 0 {
            self.builder.append_nulls(mem::take(&mut self.nulls));
        }
    }

    fn finish(&mut self) -> ArrayRef {
        self.append_nulls();
        self.builder.finish()
    }
}

impl Builder {
    fn new(column_type: ColumnType) -> Builder {
        // Without room at the start: many hours may be open at once.
        match column_type {
            ColumnType::String => Builder::Text(StringBuilder::with_capacity(0, 0)),
            ColumnType::Int => Builder::Int(Int32Builder::with_capacity(0)),
            ColumnType::Bigint => Builder::Bigint(Int64Builder::with_capacity(0)),
            ColumnType::Boolean => Builder::Boolean(BooleanBuilder::with_capacity(0)),
            ColumnType::Timestamp => Builder::Timestamp(TimestampMillisecondBuilder::with_capacity(0)),
            ColumnType::StringArray => Builder::Texts(
                ListBuilder::with_capacity(StringBuilder::with_capacity(0, 0), 0).with_field(list_element()),
            ),
        }
    }

    /// Appends a cell of the column's type and says how many bytes that took, about.
    fn append(&mut self, cell: &Cell<'_>) -> usize {
        match (self, cell) {
            (Builder::Text(builder), Cell::Text(text)) => {
                builder.append_value(text);
                4 + text.len()
            }
            (Builder::Int(builder), Cell::Int(value)) => {
                builder.append_value(*value);
                4
            }
            (Builder::Bigint(builder), Cell::Bigint(value)) => {
                builder.append_value(*value);
                8
            }
            (Builder::Boolean(builder), Cell::Boolean(value)) => {
                builder.append_value(*value);
                1
            }
            (Builder::Timestamp(builder), Cell::Timestamp(time)) => {
                builder.append_value(time.as_millis());
                8
            }
            (Builder::Texts(builder), Cell::Texts(texts)) => {
                for text in texts {
                    builder.values().append_option(text.as_deref());
                }
                builder.append(true);
                4 + texts
                    .iter()
                    .flatten()
                    .map(|text: &Cow<'_, str>| 4 + text.len())
                    .sum::<usize>()
            }
            // A cell has its column's type.
            (builder, _) => {
                builder.append_nulls(1);
                builder.null_bytes()
            }
        }
    }

    fn append_nulls(&mut self, count: usize) {
        match self {
            Builder::Text(builder) => builder.append_nulls(count),
            Builder::Int(builder) => builder.append_nulls(count),
            Builder::Bigint(builder) => builder.append_nulls(count),
            Builder::Boolean(builder) => builder.append_nulls(count),
            Builder::Timestamp(builder) => builder.append_nulls(count),
            Builder::Texts(builder) => builder.append_nulls(count),
        }
    }

    /// About how many bytes a null takes.
    fn null_bytes(&self) -> usize {
        match self {
            Builder::Text(_) | Builder::Int(_) | Builder::Texts(_) => 4,
            Builder::Bigint(_) | Builder::Timestamp(_) => 8,
            Builder::Boolean(_) => 1,
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Text(builder) => Arc::new(builder.finish()),
            Builder::Int(builder) => Arc::new(builder.finish()),
            Builder::Bigint(builder) => Arc::new(builder.finish()),
            Builder::Boolean(builder) => Arc::new(builder.finish()),
            Builder::Timestamp(builder) => Arc::new(builder.finish()),
            Builder::Texts(builder) => ArrayBuilder::finish(builder),
        }
    }
}
