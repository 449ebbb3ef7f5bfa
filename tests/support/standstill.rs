//! The function's own code where time stands still: outlets that keep everything, and a clock that does not
//! move.

use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use log_batch::ports::{Clock, DerivedSalt, EntryOutcome, Outlet, Ports, PutEntry, PutError, Randomness};
use log_batch::{BatchOutcome, BatchSettings, EnvelopeError, Service, handle_event};
use pixel_row::Timestamp;

/// An outlet that keeps all records.
pub trait Shelf: Outlet + Default {
    /// The records, in order.
    fn into_records(self) -> Vec<Vec<u8>>;
}

/// In place of a Kinesis stream.
#[derive(Default)]
pub struct KinesisShelf(Records);

/// In place of a Firehose stream.
#[derive(Default)]
pub struct FirehoseShelf(Records);

#[derive(Default)]
struct Records(Mutex<Vec<Vec<u8>>>);

impl Records {
    fn keep(&self, entries: &[PutEntry<'_>]) -> Vec<EntryOutcome> {
        let records = entries.iter().map(|entry| entry.data.to_vec());
        self.0.lock().unwrap().extend(records);
        vec![EntryOutcome::Stored; entries.len()]
    }
}

impl Outlet for KinesisShelf {
    const SERVICE: Service = Service::KINESIS;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        Ok(self.0.keep(entries))
    }
}

impl Outlet for FirehoseShelf {
    const SERVICE: Service = Service::FIREHOSE;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        Ok(self.0.keep(entries))
    }
}

impl Shelf for KinesisShelf {
    fn into_records(self) -> Vec<Vec<u8>> {
        self.0.0.into_inner().unwrap()
    }
}

impl Shelf for FirehoseShelf {
    fn into_records(self) -> Vec<Vec<u8>> {
        self.0.0.into_inner().unwrap()
    }
}

/// What an event came to.
pub struct Handled {
    /// What the function would answer by.
    pub outcome: BatchOutcome,
    /// The blobs of rows.
    pub blobs: Vec<Vec<u8>>,
    /// The records of failed events.
    pub failed_events: Vec<Vec<u8>>,
}

/// Handles an event at a moment. Rows go to a shelf of this kind, failed events to one of Firehose's.
pub fn handle<E: Shelf>(
    event: &[u8],
    settings: &BatchSettings,
    now: Timestamp,
) -> Result<Handled, EnvelopeError> {
    let ports = Ports {
        events: E::default(),
        failed_events: FirehoseShelf::default(),
        clock: Standstill(now),
        randomness: Standstill(now),
        salt: DerivedSalt::new(Some([7; 32])),
    };
    let outcome = {
        let mut handled = pin!(handle_event(event, settings, &ports, Duration::from_mins(1)));
        match handled.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome?,
            Poll::Pending => panic!("nothing here waits"),
        }
    };
    Ok(Handled {
        outcome,
        blobs: ports.events.into_records(),
        failed_events: ports.failed_events.into_records(),
    })
}

/// Stands still at a moment.
struct Standstill(Timestamp);

impl Clock for Standstill {
    fn now(&self) -> Timestamp {
        self.0
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
        7
    }
}
