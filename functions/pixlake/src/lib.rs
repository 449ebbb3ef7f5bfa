//! The whole pixel pipeline on one machine: what writes the lake, what queries it, and the tools around both.
//!
//! [`lake`] stands in for Firehose: rows in JSON come in, Parquet objects in `dt=…/hour=…/` folders come out.
//! [`query`] stands in for Athena: it reads those folders with an embedded engine. [`report`] holds the
//! questions that both engines answer with the same SQL.

pub mod cli;
pub mod decode;
mod demo;
pub mod error;
mod gzip_file;
pub mod ingest;
pub mod lake;
mod lake_outlet;
mod landing;
mod local_pipeline;
mod log_file;
pub mod query;
pub mod report;
mod runtime;
mod statement;
pub mod summary;
mod terminal;
mod visitor_key;
