//! The job itself, with outlets that take everything at once and a clock that stands still.

use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt as _;
use log_batch::ports::{Clock, DerivedSalt, EntryOutcome, Outlet, Ports, PutEntry, PutError, Randomness};
use log_batch::{BatchOutcome, BatchSettings, Service, handle_event};
use pixel_row::Timestamp;

use super::SECONDS;

/// What a function does with an event, but for the puts: its outlets take everything at once.
pub(crate) fn job(event: &[u8], events: Blobs) -> (BatchOutcome, Blobs) {
    let ports = Ports {
        events,
        failed_events: Abyss,
        clock: Standstill,
        randomness: Standstill,
        salt: DerivedSalt::new(Some([7; 32])),
    };
    let settings = BatchSettings::default();
    let handled = handle_event(event, &settings, &ports, Duration::from_mins(1));
    let outcome = handled.now_or_never().expect("nothing here waits");
    (outcome.unwrap(), ports.events)
}

/// Takes everything and keeps nothing.
struct Abyss;

impl Outlet for Abyss {
    const SERVICE: Service = Service::FIREHOSE;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        Ok(vec![EntryOutcome::Stored; entries.len()])
    }
}

/// Takes blobs in the KPL format, and keeps them where it has been told to.
#[derive(Default)]
pub(crate) struct Blobs {
    pub(crate) kept: Option<Mutex<Vec<Vec<u8>>>>,
}

impl Outlet for Blobs {
    const SERVICE: Service = Service::KINESIS;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        if let Some(kept) = &self.kept {
            let blobs = entries.iter().map(|entry| entry.data.to_vec());
            kept.lock().unwrap().extend(blobs);
        }
        Ok(vec![EntryOutcome::Stored; entries.len()])
    }
}

struct Standstill;

impl Clock for Standstill {
    fn now(&self) -> Timestamp {
        now()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _time: Duration) {
        std::future::pending::<()>().await;
    }
}

impl Randomness for Standstill {
    fn next(&self) -> u64 {
        1
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis((SECONDS + 86_400) * 1_000).unwrap()
}
