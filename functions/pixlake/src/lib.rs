//! The whole pixel pipeline on one machine: log files go through the function's own code into a [`lake`], and
//! [`query`] stands in for Athena: it reads the lake with an embedded engine.

pub mod cli;
mod compact;
pub mod decode;
mod demo;
pub mod error;
mod gzip_file;
pub mod ingest;
mod lake_outlet;
mod landing;
mod local_pipeline;
mod log_file;
pub mod query;
mod runtime;
mod statement;
pub mod summary;
mod terminal;
mod visitor_key;
