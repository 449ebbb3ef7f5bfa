//! How the SDK calls AWS.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// The longest that opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest that one attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest that a call may take: an attempt, and what stands around it.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);

/// The SDK's configuration, from the environment that Lambda sets. Made once per process.
///
/// For puts the SDK tries once. It cannot resend single entries of a put, and its own tries under ours would
/// multiply: which entries go again, when and how often is decided in `log-batch` alone.
///
/// Source: <https://docs.aws.amazon.com/sdk-for-rust/latest/dg/retries.html>,
/// <https://docs.aws.amazon.com/sdk-for-rust/latest/dg/timeouts.html>
pub async fn sdk_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(1))
        .timeout_config(timeouts)
        .load()
        .await
}

/// Secrets Manager, asked once per process, before the first invocation. Here the SDK tries again by itself,
/// up to three times in all; the longest that a call may take ends it within the 10 s of Lambda's init phase.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
pub(crate) fn secrets_manager(config: &SdkConfig) -> aws_sdk_secretsmanager::Client {
    let config = aws_sdk_secretsmanager::config::Builder::from(config);
    let config = config.retry_config(RetryConfig::standard()).build();
    aws_sdk_secretsmanager::Client::from_conf(config)
}
