//! How a command ends when it does not end well.

use std::fmt::Display;
use std::io;

use crate::log_file::InputError;
use crate::query::QueryError;

/// Why a command stopped.
#[derive(Debug)]
pub enum CommandError {
    /// The job failed: exit code 1.
    Job(String),
    /// Parts of the job failed, each with its sentence, and all others were done: exit code 1.
    Parts(Vec<String>),
    /// Wrong use: exit code 2.
    Usage(String),
    /// Whoever read our output has seen enough: no error.
    ClosedPipe,
}

impl CommandError {
    /// A failed job with the error's own sentence.
    pub fn job(error: impl Display) -> CommandError {
        CommandError::Job(error.to_string())
    }
}

/// Errors of writing to standard output; errors of files carry their path and are made by hand.
impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> CommandError {
        match error.kind() {
            io::ErrorKind::BrokenPipe => CommandError::ClosedPipe,
            _ => CommandError::Job(format!("standard output: {error}")),
        }
    }
}

impl From<InputError> for CommandError {
    fn from(error: InputError) -> CommandError {
        CommandError::job(error)
    }
}

impl From<QueryError> for CommandError {
    fn from(error: QueryError) -> CommandError {
        match error {
            QueryError::Output(error) => error.into(),
            error => CommandError::job(error),
        }
    }
}
