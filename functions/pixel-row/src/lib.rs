//! The tables' columns, and the rows that fill them: written as JSON, and read back from it.
//!
//! This crate is pure: it reads no clock, no file, no network and no environment, and knows nothing of logs.
//!
//! [`row`] and [`failed_event`] declare the two tables; [`column`](mod@column) says what a column is. [`timestamp`] is
//! the tables' time, [`keys`] what makes a row the same row. A row becomes a JSON document by `write_json`;
//! [`document`] reads such documents back, one [`Cell`] a column, by the rules of the OpenX JSON `SerDe`.

pub mod block;
pub mod cell;
pub mod column;
mod delivery_columns;
pub mod document;
pub mod failed_event;
pub mod json;
pub mod keys;
pub mod row;
pub mod table;
mod time_text;
pub mod timestamp;

pub use cell::Cell;
pub use column::{Column, ColumnType, Privacy};
pub use delivery_columns::DeliveryColumns;
pub use document::{ConversionError, Document, Documents};
pub use failed_event::FailedEvent;
pub use json::JsonBuffer;
pub use row::Row;
pub use timestamp::{Day, Timestamp};
