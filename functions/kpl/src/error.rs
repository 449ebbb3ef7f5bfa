//! Why a blob that is whole and well-formed still cannot be read.

use std::error::Error;
use std::fmt;

/// One of the two key tables of an aggregated record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyTableName {
    /// `partition_key_table`
    PartitionKeys,
    /// `explicit_hash_key_table`
    ExplicitHashKeys,
}

impl fmt::Display for KeyTableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PartitionKeys => "partition key table",
            Self::ExplicitHashKeys => "explicit hash key table",
        })
    }
}

/// Why none of a blob's user records can be given out: magic number, digest and protobuf are right, so it
/// is not a plain record, yet what it says makes no sense.
///
/// It carries positions and counts, never a byte of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeaggregateError {
    /// A user record names a key that its table does not hold.
    IndexOutOfRange {
        /// Position of the user record in the blob, from 0. The first bad one is named.
        record: usize,
        /// The table that the index points into.
        table: KeyTableName,
        /// The index as written, from 0.
        index: u64,
        /// Number of keys that the table holds.
        table_len: usize,
    },
    /// A key is not UTF-8, as a protobuf string has to be, whether or not a user record names it.
    KeyNotUtf8 {
        /// The table that holds the key.
        table: KeyTableName,
        /// Position of the key in its table, from 0.
        index: usize,
        /// Number of keys that the table holds.
        table_len: usize,
    },
}

impl fmt::Display for DeaggregateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IndexOutOfRange {
                record,
                table,
                index,
                table_len,
            } => {
                write!(
                    f,
                    "user record {record}: index {index} is outside the {table} of {table_len} keys"
                )
            }
            Self::KeyNotUtf8 {
                table,
                index,
                table_len,
            } => {
                write!(f, "key {index} of the {table} of {table_len} keys is not UTF-8")
            }
        }
    }
}

impl Error for DeaggregateError {}
