//! What is wrong with the settings.

use std::fmt;

use pixel_log::FieldSetError;

use crate::settings::LOG_FIELDS;

/// Why the function cannot start. It names the variable, never its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsError {
    /// A required variable is absent or empty.
    Missing {
        /// The variable.
        name: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// A variable holds something else than it may.
    Wrong {
        /// The variable.
        name: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// Two variables say different things.
    Contradiction {
        /// The variable that is one too many.
        name: &'static str,
        /// What it contradicts.
        with: &'static str,
    },
    /// `LOG_FIELDS` is not a set of fields.
    LogFields(FieldSetError),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingsError::Missing { name, expected } => write!(f, "{name} is missing; expected {expected}"),
            SettingsError::Wrong { name, expected } => write!(f, "{name} is wrong; expected {expected}"),
            SettingsError::Contradiction { name, with } => {
                write!(f, "{name} contradicts {with}; leave it empty")
            }
            SettingsError::LogFields(error) => write!(f, "{LOG_FIELDS} is wrong; {error}"),
        }
    }
}

impl std::error::Error for SettingsError {}
