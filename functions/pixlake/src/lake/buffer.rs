//! The rows of one partition that wait for their file, in columns.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Int32Builder, Int64Builder, ListBuilder, RecordBatch,
    StringBuilder, TimestampMillisecondBuilder,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use pixel_row::{Column, ColumnType, Timestamp};

use super::table::list_element;
use pixel_row::Cell;

/// About what the builders of one column take before they hold anything worth counting.
const COLUMN_OVERHEAD: usize = 256;

/// Rows in columns. A row goes in whole.
#[derive(Debug)]
pub(super) struct RowBuffer {
    builders: Vec<Builder>,
    /// Rows in it.
    pub(super) rows: u64,
    /// About so many bytes of memory.
    pub(super) bytes: usize,
    /// When the first of its rows arrived.
    pub(super) since: Timestamp,
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
            builders: columns
                .iter()
                .map(|column| Builder::new(column.column_type))
                .collect(),
            rows: 0,
            bytes: columns.len() * COLUMN_OVERHEAD,
            since,
        }
    }

    /// Appends a row: one cell for each column, of the column's type.
    pub(super) fn append(&mut self, cells: &[Cell<'_>]) {
        for (builder, cell) in self.builders.iter_mut().zip(cells) {
            self.bytes += builder.append(cell);
        }
        self.rows += 1;
    }

    /// The rows as Arrow's columns.
    pub(super) fn finish(mut self, schema: SchemaRef) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(schema, self.builders.iter_mut().map(Builder::finish).collect())
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

    /// Appends a cell and says how many bytes that took, about.
    fn append(&mut self, cell: &Cell<'_>) -> usize {
        match (self, cell) {
            (Builder::Text(builder), Cell::Text(text)) => {
                builder.append_value(text);
                4 + text.len()
            }
            (Builder::Text(builder), _) => {
                builder.append_null();
                4
            }
            (Builder::Int(builder), cell) => {
                builder.append_option(if let Cell::Int(value) = cell {
                    Some(*value)
                } else {
                    None
                });
                4
            }
            (Builder::Bigint(builder), cell) => {
                builder.append_option(if let Cell::Bigint(value) = cell {
                    Some(*value)
                } else {
                    None
                });
                8
            }
            (Builder::Boolean(builder), cell) => {
                builder.append_option(if let Cell::Boolean(value) = cell {
                    Some(*value)
                } else {
                    None
                });
                1
            }
            (Builder::Timestamp(builder), cell) => {
                builder.append_option(if let Cell::Timestamp(time) = cell {
                    Some(time.as_millis())
                } else {
                    None
                });
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
            (Builder::Texts(builder), _) => {
                builder.append(false);
                4
            }
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
