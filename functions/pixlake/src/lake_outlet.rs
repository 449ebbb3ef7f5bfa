//! The lake as the two outlets of a batch.
//!
//! They accept records before these are written, as Firehose does, so that lines are read while the lake is
//! written. Whoever believes in what was accepted waits for the lake's last flush.

use std::sync::mpsc::SyncSender;

use log_batch::ports::{EntryOutcome, Outlet, PutEntry, PutError};
use log_batch::{BatchCounts, Service};

/// What was accepted, in order, on its way to whoever writes the lake.
pub(crate) enum Accepted {
    /// Records with rows.
    Events(Vec<Vec<u8>>),
    /// Records with failed events.
    FailedEvents(Vec<Vec<u8>>),
    /// The records of one batch are complete; where its lines came from, for people, and what it held.
    Batch(String, BatchCounts),
}

/// The lake's events as an outlet: the stream of blobs and the Firehose stream behind it.
pub(crate) struct EventLake {
    pub(crate) accepted: SyncSender<Accepted>,
}

/// The lake's failed events as an outlet, in Firehose's place.
pub(crate) struct FailedEventLake {
    pub(crate) accepted: SyncSender<Accepted>,
}

impl Outlet for EventLake {
    const SERVICE: Service = Service::KINESIS;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        accept(&self.accepted, entries, Accepted::Events)
    }
}

impl Outlet for FailedEventLake {
    const SERVICE: Service = Service::FIREHOSE;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        accept(&self.accepted, entries, Accepted::FailedEvents)
    }
}

/// Waits until there is room. Once nobody writes the lake any more, trying again does not help.
fn accept(
    accepted: &SyncSender<Accepted>,
    entries: &[PutEntry<'_>],
    kind: impl FnOnce(Vec<Vec<u8>>) -> Accepted,
) -> Result<Vec<EntryOutcome>, PutError> {
    let records = entries.iter().map(|entry| entry.data.to_vec()).collect();
    accepted.send(kind(records)).map_err(|_| PutError::Denied)?;
    Ok(vec![EntryOutcome::Stored; entries.len()])
}
