//! The key under which visitors are counted: a secret, read once at start.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};

use crate::clients;
use crate::settings::VISITOR_KEY_SECRET;

/// The key. No `Debug`, no `Display`: it must not reach a log.
pub struct VisitorKey([u8; 32]);

impl VisitorKey {
    /// Reads the secret with this ARN; its text has to be the key's 64 hexadecimal digits.
    ///
    /// Source: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
    pub async fn read(config: &SdkConfig, secret: &str) -> Result<VisitorKey, VisitorKeyError> {
        let get = clients::secrets_manager(config).get_secret_value();
        // Boxed: the SDK's future is large, and its type deep.
        let answer = Box::pin(get.secret_id(secret).send()).await;
        let answer = answer.map_err(|error| unreadable(&error))?;
        answer
            .secret_string()
            .and_then(pixel_log::visitor_key)
            .map(VisitorKey)
            .ok_or(VisitorKeyError::NoKey)
    }

    /// The key's bytes.
    #[must_use]
    pub fn into_bytes(self) -> [u8; 32] {
        self.0
    }
}

/// Of an error only its code goes on: its message could hold anything.
fn unreadable<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> VisitorKeyError {
    let is_code = |code: &&str| code.len() <= 100 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match (error.code().filter(is_code), error) {
        (Some(code), _) => VisitorKeyError::Refused(code.to_owned()),
        (None, SdkError::TimeoutError(_)) => VisitorKeyError::Unanswered("no answer in time"),
        (None, _) => VisitorKeyError::Unanswered("no answer that can be read"),
    }
}

/// Why there is no key. It names the setting, and nothing of the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitorKeyError {
    /// Secrets Manager refused the call with this code.
    Refused(String),
    /// Secrets Manager could not be asked, or what it answered could not be read.
    Unanswered(&'static str),
    /// The secret is not a key.
    NoKey,
}

impl fmt::Display for VisitorKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VISITOR_KEY_SECRET} names a secret that ")?;
        match self {
            VisitorKeyError::Refused(code) => write!(f, "cannot be read: {code}"),
            VisitorKeyError::Unanswered(why) => write!(f, "cannot be read: {why}"),
            VisitorKeyError::NoKey => f.write_str("is not a key; expected 64 hexadecimal digits as its text"),
        }
    }
}

impl std::error::Error for VisitorKeyError {}
