//! Why a stack cannot be evaluated.

use std::error::Error;
use std::fmt;

/// What `CloudFormation` would refuse, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackError {
    /// The template, by the stem of its file.
    pub template: String,
    /// The place in it: `LogStream.Properties.Name`, `Parameters.Delivery`, `Rules.KeepsNothing` …
    pub place: String,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl StackError {
    pub(super) fn new(template: &str, place: impl Into<String>, message: impl Into<String>) -> StackError {
        StackError {
            template: template.to_owned(),
            place: place.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template {}, {}: {}", self.template, self.place, self.message)
    }
}

impl Error for StackError {}
