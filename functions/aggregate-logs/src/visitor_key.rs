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
            .and_then(VisitorKey::parse)
            .ok_or(VisitorKeyError::NoKey)
    }

    /// The key's bytes.
    #[must_use]
    pub fn into_bytes(self) -> [u8; 32] {
        self.0
    }

    fn parse(hex: &str) -> Option<VisitorKey> {
        if hex.len() != 64 {
            return None;
        }
        let mut key = [0; 32];
        for (byte, digits) in key.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            for &digit in digits {
                let digit = char::from(digit).to_digit(16)?;
                *byte = *byte << 4 | u8::try_from(digit).ok()?;
            }
        }
        Some(VisitorKey(key))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_hexadecimal_digits_and_nothing_around_them() {
        let bytes = |hex: &str| VisitorKey::parse(hex).map(VisitorKey::into_bytes);
        let mut expected = [0xab; 32];
        expected[..2].copy_from_slice(&[0x01, 0xf0]);
        assert_eq!(bytes(&format!("01f0{}", "aB".repeat(30))), Some(expected));
        let (hex, short) = ("0f".repeat(32), format!("{}0", "0f".repeat(31)));
        for text in [
            "",
            &short,
            &format!("{hex}0"),
            &format!("{hex}\n"),
            &format!("{short}g"),
            &format!("+{short}"),
            &"ä".repeat(32),
        ] {
            assert!(bytes(text).is_none(), "{text}");
        }
    }
}
