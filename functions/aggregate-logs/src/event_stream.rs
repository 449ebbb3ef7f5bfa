//! The Kinesis stream that blobs of rows go to.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::{BuildError, ProvideErrorMetadata as _};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, PutRecordsResultEntry};
use log_batch::Service;
use log_batch::ports::{EntryOutcome, Outlet, PutEntry, PutError};

use crate::put_error::put_error;

/// A Kinesis stream, by `PutRecords`.
///
/// Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>
pub struct EventStream {
    client: Client,
    name: String,
}

impl EventStream {
    /// The stream of that name.
    #[must_use]
    pub fn new(client: Client, name: String) -> EventStream {
        EventStream { client, name }
    }
}

impl Outlet for EventStream {
    const SERVICE: Service = Service::KINESIS;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        let records: Result<Vec<_>, BuildError> = entries.iter().map(request_entry).collect();
        let put = self.client.put_records().stream_name(&self.name);
        let put = put.set_records(Some(records.map_err(|_| PutError::Failed)?));
        // Boxed: the SDK's future is large, and its type deep.
        match Box::pin(put.send()).await {
            Ok(answer) => Ok(answer.records().iter().map(outcome).collect()),
            Err(error) => Err(put_error(error.code())),
        }
    }
}

fn request_entry(entry: &PutEntry<'_>) -> Result<PutRecordsRequestEntry, BuildError> {
    PutRecordsRequestEntry::builder()
        .data(Blob::new(entry.data))
        .partition_key(entry.partition_key)
        .build()
}

/// Only a sequence number says that an entry is stored: neither the answer's count of failures nor the
/// absence of an error code does.
fn outcome(entry: &PutRecordsResultEntry) -> EntryOutcome {
    match (entry.error_code(), entry.sequence_number()) {
        (None, Some(number)) if !number.is_empty() => EntryOutcome::Stored,
        (Some("ProvisionedThroughputExceededException"), _) => EntryOutcome::Throttled,
        _ => EntryOutcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_stored_only_with_a_sequence_number_and_without_a_code() {
        let answer = |number: Option<&str>, code: Option<&str>| {
            let entry = PutRecordsResultEntry::builder()
                .set_sequence_number(number.map(str::to_owned))
                .set_error_code(code.map(str::to_owned));
            outcome(&entry.build())
        };
        let throttled = "ProvisionedThroughputExceededException";
        assert_eq!(answer(Some("1"), None), EntryOutcome::Stored);
        assert_eq!(answer(Some(""), None), EntryOutcome::Failed);
        assert_eq!(answer(None, None), EntryOutcome::Failed);
        assert_eq!(answer(None, Some(throttled)), EntryOutcome::Throttled);
        assert_eq!(answer(Some("1"), Some(throttled)), EntryOutcome::Throttled);
        assert_eq!(answer(None, Some("InternalFailure")), EntryOutcome::Failed);
        assert_eq!(answer(None, Some("AnotherCode")), EntryOutcome::Failed);
    }
}
