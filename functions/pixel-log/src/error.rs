//! Why a line is not a row.

use std::fmt;

use crate::fields::Field;

/// A line that can never become a row. Says where and what was expected, never what stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineError {
    /// The line has no bytes before its newline.
    Empty,
    /// The line has another number of columns than the configured field set.
    FieldCount {
        /// Columns of the field set.
        expected: usize,
        /// Columns of the line.
        found: usize,
    },
    /// `timestamp` is not a time in seconds between 2010 and a day after the line's arrival.
    BadTimestamp {
        /// Its column, counted from 1.
        column: usize,
    },
    /// The parameter `b` begins a JSON array, but is not one of objects with plain values.
    BatchJson {
        /// The column of the query, counted from 1.
        column: usize,
    },
    /// The parameter `b` holds no event, or more than one hit may carry.
    BatchSize {
        /// Events in the array.
        found: usize,
        /// The most that one hit may carry.
        limit: usize,
    },
}

impl LineError {
    /// The code of the reason, as the column `reason` of `failed_events` holds it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            LineError::Empty => "empty",
            LineError::FieldCount { .. } => "field_count",
            LineError::BadTimestamp { .. } => "bad_ts",
            LineError::BatchJson { .. } => "batch_json",
            LineError::BatchSize { .. } => "batch_size",
        }
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineError::Empty => f.write_str("the line is empty"),
            LineError::FieldCount { expected, found } => {
                write!(
                    f,
                    "the line has {found} tab-separated columns; the field set has {expected}"
                )
            }
            LineError::BadTimestamp { column } => write!(
                f,
                "column {column} ({}) is not epoch seconds between 2010 and a day after arrival",
                Field::Timestamp
            ),
            LineError::BatchJson { column } => write!(
                f,
                "column {column}: the parameter b begins a JSON array, but is not one of objects with text, number or boolean values"
            ),
            LineError::BatchSize { found, limit } => {
                write!(
                    f,
                    "the parameter b holds {found} events; one hit carries 1 to {limit}"
                )
            }
        }
    }
}

impl std::error::Error for LineError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_and_what_was_expected() {
        for (error, code, sentence) in [
            (LineError::Empty, "empty", "the line is empty"),
            (
                LineError::FieldCount {
                    expected: 71,
                    found: 2,
                },
                "field_count",
                "the line has 2 tab-separated columns; the field set has 71",
            ),
            (
                LineError::BadTimestamp { column: 1 },
                "bad_ts",
                "column 1 (timestamp) is not epoch seconds between 2010 and a day after arrival",
            ),
            (
                LineError::BatchJson { column: 21 },
                "batch_json",
                "column 21: the parameter b begins a JSON array, but is not one of objects",
            ),
            (
                LineError::BatchSize { found: 65, limit: 64 },
                "batch_size",
                "the parameter b holds 65 events; one hit carries 1 to 64",
            ),
        ] {
            assert_eq!(error.code(), code);
            assert!(error.to_string().starts_with(sentence), "{error}");
        }
    }
}
