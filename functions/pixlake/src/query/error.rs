//! Why a query has no answer, in a sentence.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;

/// Why a query has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum QueryError {
    /// There is no folder at the lake's path.
    NoLake {
        /// That path.
        path: PathBuf,
    },
    /// The statement would change something, or is not one statement.
    NotAQuery,
    /// The statement converts between time zones.
    TimeZone,
    /// An expression of the statement has too many levels.
    TooDeep {
        /// The most that it may have.
        limit: usize,
    },
    /// A file of the lake cannot be read, or a value of the statement cannot be computed.
    Parquet {
        /// What the engine says of it, on one line; it does not say which.
        message: String,
    },
    /// The engine refuses the query or fails at it.
    Engine {
        /// What it says, on one line.
        message: String,
    },
    /// The answer cannot be written.
    Output(io::Error),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueryError::NoLake { path } => write!(f, "there is no lake at {}", path.display()),
            QueryError::NotAQuery => {
                f.write_str("only one SELECT, SHOW, DESCRIBE or EXPLAIN can be answered")
            }
            QueryError::TimeZone => f.write_str(
                "AT TIME ZONE is answered by Athena alone; times are UTC here, and an INTERVAL moves them",
            ),
            QueryError::TooDeep { limit } => write!(
                f,
                "an expression has more than {limit} levels; a list of values is shorter with IN (…)"
            ),
            QueryError::Parquet { message } | QueryError::Engine { message } => f.write_str(message),
            QueryError::Output(source) => write!(f, "cannot write the answer: {source}"),
        }
    }
}

impl Error for QueryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            QueryError::Output(source) => Some(source),
            _ => None,
        }
    }
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> QueryError {
        // The innermost error is the one that speaks of the query; the outer ones name engine parts.
        let root = match error.find_root() {
            DataFusionError::Diagnostic(_, inner) => inner.as_ref(),
            root => root,
        };
        let message = root.strip_backtrace();
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        let message = advised(without_prefixes(&message));
        match root {
            // A value may be too large for its column.
            DataFusionError::ParquetError(_) | DataFusionError::ArrowError(..) => {
                QueryError::Parquet { message }
            }
            _ => QueryError::Engine { message },
        }
    }
}

impl From<ArrowError> for QueryError {
    fn from(error: ArrowError) -> QueryError {
        DataFusionError::from(error).into()
    }
}

impl From<io::Error> for QueryError {
    fn from(source: io::Error) -> QueryError {
        QueryError::Output(source)
    }
}

/// The message with what to do, where we know it, and without a list of all ninety columns.
fn advised(message: &str) -> String {
    let message = message.split(" Valid fields are ").next().unwrap_or_default();
    let advice = if message.contains("(os error 28)") {
        "; what does not fit into memory goes to a folder of temporary files, and TMPDIR names another"
    } else if message.contains("Object at location") && message.contains("not found") {
        "; a compaction may have merged it meanwhile: ask again"
    } else {
        ""
    };
    format!("{message}{advice}")
}

/// The message without the engine's names for the place where it arose.
fn without_prefixes(message: &str) -> &str {
    const PREFIXES: [&str; 6] = [
        "Error during planning: ",
        "Execution error: ",
        "Schema error: ",
        "Optimizer rule 'simplify_expressions' failed caused by ",
        "Arrow error: ",
        "External error: ",
    ];
    let mut message = message;
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| message.strip_prefix(prefix)) {
        message = rest;
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_to_do() {
        for (message, expected) in [
            (
                "No field named a. Did you mean 'b'? Valid fields are b, c.",
                "No field named a. Did you mean 'b'?",
            ),
            (
                "IO error: No space left on device (os error 28)",
                "TMPDIR names another",
            ),
            (
                "External: Object at location /a.parquet not found: No such file",
                "merged it meanwhile: ask again",
            ),
            ("anything else", "anything else"),
        ] {
            let advised = advised(message);
            assert!(advised.ends_with(expected), "{advised}");
        }
    }
}
