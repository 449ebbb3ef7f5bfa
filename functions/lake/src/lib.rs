//! The lake on a disk: its tables, the stand-in for Firehose that writes its files ([`LakeWriter`]), the compaction
//! that merges them ([`Lake::compact`]), and the questions that Athena and the command line answer with the same SQL
//! ([`report`]).
//!
//! ```text
//! lake/
//!   .pixlake                                          says that pixlake made this folder
//!   .staging/                                         files that are being written; no reader looks here
//!   events/dt=2026-11-01/hour=07/<object>.parquet     `events_landed`, by the row's own `ts_server`
//!   failed_events/dt=2026-11-01/<object>.parquet      `failed_events_landed`, by arrival
//!   errors/<error type>/dt=2026-11-01/<object>        what did not convert, by arrival; JSON lines
//! ```
//!
//! An object appears under its name whole and synced, or not at all: a killed run leaves only staging files,
//! which the next run removes.

mod buffer;
mod compaction;
mod copies;
mod error_line;
mod folder;
mod object_name;
mod parquet_file;
pub mod report;
mod sink;
mod staging;
mod table;
mod writer;

#[cfg(test)]
mod tests;

pub use compaction::{Compaction, Size};
pub use folder::{Lake, LakeError};
pub use table::{EVENTS, FAILED_EVENTS, Kept, Partitioning, TABLES, Table};
pub use writer::{Counts, LakeWriter};
