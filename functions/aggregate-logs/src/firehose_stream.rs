//! A Firehose stream that JSON documents go to.

use aws_sdk_firehose::Client;
use aws_sdk_firehose::error::{BuildError, ProvideErrorMetadata as _};
use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types::{PutRecordBatchResponseEntry, Record};
use log_batch::Service;
use log_batch::ports::{EntryOutcome, Outlet, PutEntry, PutError};

use crate::put_error::put_error;

/// What Firehose answers where the quota of its Direct PUT is exceeded, for a call and for an entry.
const OVER_QUOTA: &str = "ServiceUnavailableException";

/// A Firehose stream, by `PutRecordBatch`.
///
/// Source: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>
pub struct FirehoseStream {
    client: Client,
    name: String,
}

impl FirehoseStream {
    /// The stream of that name.
    #[must_use]
    pub fn new(client: Client, name: String) -> FirehoseStream {
        FirehoseStream { client, name }
    }
}

impl Outlet for FirehoseStream {
    const SERVICE: Service = Service::FIREHOSE;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        let records: Result<Vec<_>, BuildError> = entries.iter().map(record).collect();
        let put = self.client.put_record_batch().delivery_stream_name(&self.name);
        let put = put.set_records(Some(records.map_err(|_| PutError::Failed)?));
        // Boxed: the SDK's future is large, and its type deep.
        match Box::pin(put.send()).await {
            Ok(answer) => Ok(answer.request_responses().iter().map(outcome).collect()),
            Err(error) if error.code() == Some(OVER_QUOTA) => Err(PutError::Throttled),
            Err(error) => Err(put_error(error.code())),
        }
    }
}

fn record(entry: &PutEntry<'_>) -> Result<Record, BuildError> {
    Record::builder().data(Blob::new(entry.data)).build()
}

/// Only a record id says that an entry is stored.
fn outcome(entry: &PutRecordBatchResponseEntry) -> EntryOutcome {
    match (entry.error_code(), entry.record_id()) {
        (None, Some(id)) if !id.is_empty() => EntryOutcome::Stored,
        (Some(OVER_QUOTA), _) => EntryOutcome::Throttled,
        _ => EntryOutcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_stored_only_with_a_record_id_and_without_a_code() {
        let answer = |id: Option<&str>, code: Option<&str>| {
            let entry = PutRecordBatchResponseEntry::builder()
                .set_record_id(id.map(str::to_owned))
                .set_error_code(code.map(str::to_owned));
            outcome(&entry.build())
        };
        assert_eq!(answer(Some("id"), None), EntryOutcome::Stored);
        assert_eq!(answer(Some(""), None), EntryOutcome::Failed);
        assert_eq!(answer(None, None), EntryOutcome::Failed);
        assert_eq!(answer(None, Some(OVER_QUOTA)), EntryOutcome::Throttled);
        assert_eq!(answer(None, Some("InternalFailure")), EntryOutcome::Failed);
    }
}
