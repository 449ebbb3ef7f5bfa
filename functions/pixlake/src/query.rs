//! The embedded engine: answers SQL over a lake on a disk as Athena answers it over one in S3.
//!
//! Tables: `events_landed` and `failed_events_landed`, every delivery as it landed, with the declared columns
//! and the partition columns `dt` and `hour`. Views: `events` and `failed_events`, each event once. Nothing
//! can be changed through it.

mod early_stop;
mod engine;
mod error;
mod functions;
mod json_path;
mod json_text;
pub mod output;

#[cfg(test)]
mod tests;

pub use engine::{Engine, QueryResult};
pub use error::QueryError;
pub use output::Format;

/// A view over a landing table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Its name in SQL.
    pub name: &'static str,
    /// The statement that makes it, the same for Athena and for the embedded engine.
    pub sql: &'static str,
}

/// The views of the lake.
pub const VIEWS: [View; 2] = [
    View {
        name: "events",
        sql: include_str!("../../../infra/athena/views/events.sql"),
    },
    View {
        name: "failed_events",
        sql: include_str!("../../../infra/athena/views/failed_events.sql"),
    },
];
