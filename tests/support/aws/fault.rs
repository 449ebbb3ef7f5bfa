//! What a service does with a call.

use serde_json::{Value, json};

use crate::http::Reply;

/// What a stream does with a call. A secret knows those that are about the whole call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing: it stores all entries.
    None,
    /// Refuses the entries at these positions of the call with a code and stores the others.
    Refuse(Vec<usize>, &'static str),
    /// Refuses every entry that holds these bytes and stores the others.
    RefuseContaining(String, &'static str),
    /// Answers without an identifier for the entries at these positions, counts no failure, and does not
    /// store them.
    NoIdentifier(Vec<usize>),
    /// Stores all entries and leaves the last out of its answer.
    OneOutcomeShort,
    /// Stores nothing and answers with null for the first entry.
    NullOutcome,
    /// Refuses the call with a status and a code.
    Error(u16, &'static str),
    /// Answers with this status and no body.
    Status(u16),
    /// Stores all entries and answers with what is not JSON.
    Garbled,
    /// Stores all entries and breaks off in the middle of the answer.
    Truncated,
    /// Stores nothing, and never answers.
    Hang,
    /// Closes the connection before it stores anything.
    Close,
    /// Stores all entries, answers, and closes the connection that the client keeps for its next call.
    CloseAfterAnswering,
    /// Stores all entries and closes the connection without an answer.
    CloseAfterStoring,
}

impl Fault {
    /// What it makes of the answer.
    pub(super) fn reply(self, answer: &Value) -> Reply {
        let answer = answer.to_string();
        match self {
            Fault::Error(status, code) => {
                let error = json!({"__type": code, "message": "canary message of the service"});
                Reply::json(status, error.to_string())
            }
            Fault::Status(status) => Reply::Answer {
                status,
                headers: Vec::new(),
                body: Vec::new(),
            },
            Fault::Garbled => Reply::json(200, r#"{"Records":[{"Sequ"#),
            Fault::Truncated => Reply::Truncate(answer.into_bytes()),
            Fault::CloseAfterAnswering => Reply::AnswerAndClose(answer.into_bytes()),
            Fault::Hang => Reply::Hang,
            Fault::Close | Fault::CloseAfterStoring => Reply::Close,
            Fault::None
            | Fault::Refuse(..)
            | Fault::RefuseContaining(..)
            | Fault::NoIdentifier(..)
            | Fault::OneOutcomeShort
            | Fault::NullOutcome => Reply::json(200, answer),
        }
    }
}
