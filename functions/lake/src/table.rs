//! The tables of the lake: their folders, and the Arrow schema that follows from their columns.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use pixel_row::{Column, ColumnType, FailedEvent, Row};

/// A table of landed rows.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The folder of its objects in the lake.
    pub folder: &'static str,
    /// The name of the table in SQL.
    pub name: &'static str,
    /// The name of the Firehose stream that an object's name begins with.
    pub stream: &'static str,
    /// The columns that the objects hold.
    pub columns: &'static [Column],
    /// What its folders are by.
    pub partitioning: Partitioning,
    /// The columns in which copies of a row agree, within a partition: `bigint` or `timestamp`. Rows of one event that
    /// differ in its line are not copies: a conflict stays in sight.
    pub identity: &'static [&'static str],
    /// Which of several copies the table's view shows.
    pub kept: Kept,
}

/// One of several copies of a row, by the time when the pipeline took it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The first.
    First,
    /// The last: a replay corrects.
    Last,
}

/// How the objects of a table lie in folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partitioning {
    /// `dt=2026-11-01/hour=07`: by the UTC hour of this column of the row.
    HourOf(&'static str),
    /// `dt=2026-11-01`: by the UTC day on which a row arrives.
    DayOfArrival,
}

impl Partitioning {
    /// The columns that stand in the folders' names: strings.
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Partitioning::HourOf(_) => &["dt", "hour"],
            Partitioning::DayOfArrival => &["dt"],
        }
    }
}

/// Events, one partition for each hour of `ts_server`.
pub static EVENTS: Table = Table {
    folder: "events",
    name: "events_landed",
    stream: "pixlake-events",
    columns: Row::COLUMNS,
    partitioning: Partitioning::HourOf("ts_server"),
    identity: &["ts_server", "event_key", "line_hash"],
    kept: Kept::Last,
};

/// Failed events, one partition for each day of arrival.
pub static FAILED_EVENTS: Table = Table {
    folder: "failed_events",
    name: "failed_events_landed",
    stream: "pixlake-failed-events",
    columns: FailedEvent::COLUMNS,
    partitioning: Partitioning::DayOfArrival,
    identity: &["failure_key"],
    kept: Kept::First,
};

/// All tables.
pub const TABLES: [&Table; 2] = [&EVENTS, &FAILED_EVENTS];

impl Table {
    /// The schema of an object: the declared columns, all of which may be null.
    pub fn file_schema(&self) -> SchemaRef {
        let fields = self.columns.iter().map(|column| {
            let data_type = match column.column_type {
                ColumnType::String => DataType::Utf8,
                ColumnType::Int => DataType::Int32,
                ColumnType::Bigint => DataType::Int64,
                ColumnType::Boolean => DataType::Boolean,
                ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, None),
                ColumnType::StringArray => DataType::List(list_element()),
            };
            Field::new(column.name, data_type, true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

/// The element of an `array<string>`, by the name that the Parquet format gives it.
/// Source: <https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists>
pub(super) fn list_element() -> FieldRef {
    Arc::new(Field::new("element", DataType::Utf8, true))
}
