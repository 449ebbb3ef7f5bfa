//! Stand-ins for what surrounds a function: the log stream that invokes it, Lambda's Runtime API and the
//! AWS services that it puts to. What listens does so on the loopback address only.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "only tests use it, and a panic is how a test fails"
)]

pub mod aws;
pub mod event_files;
pub mod function;
pub mod http;
pub mod log_stream;
pub mod stack;
pub mod standstill;

use std::time::Duration;

/// How long anything may take that is expected to happen: no test waits so long unless it fails.
pub const PATIENCE: Duration = Duration::from_mins(1);
