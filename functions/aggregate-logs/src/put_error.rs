//! What an error of a whole call means for what it carried.

use log_batch::ports::PutError;

/// Sorts an error code of the service. A call without one got no answer that could be read: it may have
/// been stored.
///
/// Sources: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>,
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>,
/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/CommonErrors.html>
pub(crate) fn put_error(code: Option<&str>) -> PutError {
    match code.unwrap_or_default() {
        "ProvisionedThroughputExceededException"
        | "KMSThrottlingException"
        | "LimitExceededException"
        | "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => PutError::Throttled,
        "ResourceNotFoundException"
        | "KMSAccessDeniedException"
        | "KMSDisabledException"
        | "KMSInvalidStateException"
        | "KMSNotFoundException"
        | "KMSOptInRequired"
        | "InvalidKMSResourceException" => PutError::Denied,
        code if code.starts_with("AccessDenied") => PutError::Denied,
        _ => PutError::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_kind_and_an_unknown_one_may_pass() {
        for (code, kind) in [
            (
                Some("ProvisionedThroughputExceededException"),
                PutError::Throttled,
            ),
            (Some("KMSThrottlingException"), PutError::Throttled),
            (Some("LimitExceededException"), PutError::Throttled),
            (Some("RequestLimitExceeded"), PutError::Throttled),
            (Some("Throttling"), PutError::Throttled),
            (Some("ThrottlingException"), PutError::Throttled),
            (Some("TooManyRequestsException"), PutError::Throttled),
            (Some("AccessDeniedException"), PutError::Denied),
            (Some("AccessDenied"), PutError::Denied),
            (Some("ResourceNotFoundException"), PutError::Denied),
            (Some("KMSAccessDeniedException"), PutError::Denied),
            (Some("KMSDisabledException"), PutError::Denied),
            (Some("KMSInvalidStateException"), PutError::Denied),
            (Some("KMSNotFoundException"), PutError::Denied),
            (Some("InvalidKMSResourceException"), PutError::Denied),
            (Some("KMSOptInRequired"), PutError::Denied),
            (Some("InternalFailureException"), PutError::Failed),
            (Some("ServiceUnavailable"), PutError::Failed),
            (Some("InvalidArgumentException"), PutError::Failed),
            (Some("NobodyKnowsThisException"), PutError::Failed),
            (None, PutError::Failed),
        ] {
            assert_eq!(put_error(code), kind, "{code:?}");
        }
    }
}
