//! The lake as the two outlets of a batch.

use std::sync::{Mutex, PoisonError};

use log_batch::ports::{Entry, EntryOutcome, Outlet, OutletLimits, PutError};
use pixel_log::Timestamp;

use crate::lake::LakeWriter;

/// The lake's events as an outlet, in Firehose's place behind the event stream.
pub(crate) struct EventLake<'a> {
    pub(crate) writer: &'a Mutex<LakeWriter>,
    /// Why the lake could not be written, for whoever ends the run.
    pub(crate) fault: &'a Mutex<Option<String>>,
    pub(crate) now: Timestamp,
}

/// The lake's failed events as an outlet, in Firehose's place.
pub(crate) struct FailedEventLake<'a> {
    pub(crate) writer: &'a Mutex<LakeWriter>,
    /// Why the lake could not be written, for whoever ends the run.
    pub(crate) fault: &'a Mutex<Option<String>>,
    pub(crate) now: Timestamp,
}

impl Outlet for EventLake<'_> {
    const LIMITS: OutletLimits = OutletLimits::KINESIS;

    async fn put(&self, entries: &[Entry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        stored(entries, self.fault, |entry| {
            writer.put_event(entry.data, self.now)
        })
    }
}

impl Outlet for FailedEventLake<'_> {
    const LIMITS: OutletLimits = OutletLimits::FIREHOSE;

    async fn put(&self, entries: &[Entry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        stored(entries, self.fault, |entry| {
            writer.put_failed_event(entry.data, self.now)
        })
    }
}

/// Stores every entry. A lake that cannot be written will not be mended by trying again: the reason is
/// kept, and the run ends with it.
fn stored<E: std::fmt::Display>(
    entries: &[Entry<'_>],
    fault: &Mutex<Option<String>>,
    mut store: impl FnMut(&Entry<'_>) -> Result<(), E>,
) -> Result<Vec<EntryOutcome>, PutError> {
    for entry in entries {
        if let Err(error) = store(entry) {
            *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            return Err(PutError::Denied);
        }
    }
    Ok(vec![EntryOutcome::Stored; entries.len()])
}
