//! How a command ends when it does not end well.

use std::fmt::Display;
use std::io;

use crate::query::QueryError;

/// Why a command stopped.
#[derive(Debug)]
pub enum Failure {
    /// The job failed: exit code 1.
    Job(String),
    /// Wrong use: exit code 2.
    Usage(String),
    /// Whoever read our output has seen enough: no error.
    ClosedPipe,
}

impl Failure {
    /// A failed job with the error's own sentence.
    pub fn job(error: impl Display) -> Failure {
        Failure::Job(error.to_string())
    }
}

/// Errors of writing to standard output; errors of files carry their path and are made by hand.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::Job(format!("standard output: {error}")),
        }
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Failure {
        match error {
            QueryError::Output(error) => error.into(),
            error => Failure::job(error),
        }
    }
}
