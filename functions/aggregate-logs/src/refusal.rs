//! Why the function does not work at all.

use std::fmt;

use crate::settings_error::SettingsError;
use crate::visitor_key::VisitorKeyError;

/// Why the process ends. The error type that the log shows ([`Refusal::error_type`]) is an interface: alarms
/// select by it.
#[derive(Debug)]
pub enum Refusal {
    /// A setting is wrong.
    Setting(SettingsError),
    /// There is no key under which visitors are counted, although a setting names one. A row without its
    /// visitor could not be mended later, so none is written: the batches wait on the stream.
    VisitorKey(VisitorKeyError),
    /// Lambda's Runtime API failed.
    RuntimeApi(lambda_runtime::Error),
}

impl Refusal {
    /// The name of the error for alarms.
    #[must_use]
    pub const fn error_type(&self) -> &'static str {
        match self {
            Refusal::Setting(_) => "WrongSetting",
            Refusal::VisitorKey(_) => "NoVisitorKey",
            Refusal::RuntimeApi(_) => "RuntimeApi",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Setting(error) => error.fmt(f),
            Refusal::VisitorKey(error) => error.fmt(f),
            Refusal::RuntimeApi(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<SettingsError> for Refusal {
    fn from(error: SettingsError) -> Refusal {
        Refusal::Setting(error)
    }
}

impl From<VisitorKeyError> for Refusal {
    fn from(error: VisitorKeyError) -> Refusal {
        Refusal::VisitorKey(error)
    }
}

impl From<lambda_runtime::Error> for Refusal {
    fn from(error: lambda_runtime::Error) -> Refusal {
        Refusal::RuntimeApi(error)
    }
}
