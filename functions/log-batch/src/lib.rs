//! One batch of log records: envelope, rows, packing, puts with resends, verdict.
//!
//! [`handle_event`] is the whole of it: the bytes of a Lambda event in, a [`Verdict`] out. What it needs
//! from outside comes through [`ports`], so that a Lambda, the command line and a simulation drive the same
//! code.
//!
//! Every line meets one of three fates. *Delivered*: its rows, or its failed event, were stored.
//! *Retryable*: something was not stored, and the lowest batch position involved is reported. *Invalid*: it
//! can never become a row and is stored as a failed event with its [`FailureReason`]. Bad data never fails a
//! batch; only storage does.
//!
//! ```
//! use std::pin::pin;
//! use std::sync::Mutex;
//! use std::task::{Context, Poll, Waker};
//! use std::time::Duration;
//!
//! use log_batch::ports::{Clock, DerivedSalt, EntryOutcome, Outlet, Ports, PutEntry, PutError, Randomness};
//! use log_batch::{BatchSettings, EventWriter, LogRecord, Service, Verdict, handle_event};
//! use pixel_log::{FieldSet, RowConfig, RowReader};
//! use pixel_row::Timestamp;
//!
//! /// In place of a stream of AWS.
//! #[derive(Default)]
//! struct Shelf(Mutex<Vec<Vec<u8>>>);
//!
//! impl Outlet for Shelf {
//!     const SERVICE: Service = Service::FIREHOSE;
//!
//!     async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
//!         self.0.lock().unwrap().extend(entries.iter().map(|entry| entry.data.to_vec()));
//!         Ok(vec![EntryOutcome::Stored; entries.len()])
//!     }
//! }
//!
//! /// A moment, and numbers that anybody could guess.
//! struct Still(Timestamp);
//!
//! impl Clock for Still {
//!     fn now(&self) -> Timestamp { self.0 }
//!     fn monotonic(&self) -> Duration { Duration::ZERO }
//!     async fn sleep(&self, _: Duration) {}
//! }
//!
//! impl Randomness for Still {
//!     fn next(&self) -> u64 { 4 }
//! }
//!
//! let now = Timestamp::from_millis(1_793_491_201_000).unwrap();
//! let mut event = EventWriter::new();
//! for data in [&b"1793491200.123\t/p.gif\te=click&s=shop"[..], b"who knows"] {
//!     event.write(&LogRecord { source: "", shard: "", sequence_number: b"", arrival: now, data });
//! }
//! let settings = BatchSettings {
//!     rows: RowReader::new(RowConfig {
//!         fields: FieldSet::parse("timestamp,cs-uri-stem,cs-uri-query").unwrap(),
//!         ..RowConfig::default()
//!     }),
//!     ..BatchSettings::default()
//! };
//! let ports = Ports {
//!     events: Shelf::default(),
//!     failed_events: Shelf::default(),
//!     clock: Still(now),
//!     randomness: Still(now),
//!     salt: DerivedSalt::new(None),
//! };
//!
//! let event = event.finish();
//! let mut handled = pin!(handle_event(&event, &settings, &ports, Duration::from_secs(60)));
//! let Poll::Ready(outcome) = handled.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
//!     panic!("a shelf does not keep anybody waiting");
//! };
//! let outcome = outcome.unwrap();
//! assert_eq!(outcome.verdict, Verdict::Delivered);
//! assert_eq!((outcome.counts.rows, outcome.counts.failed_events()), (1, 1));
//! let rows = ports.events.0.lock().unwrap();
//! assert!(String::from_utf8_lossy(&rows[0]).contains(r#""event_name":"click""#));
//! ```

mod batch;
mod counts;
mod envelope;
mod failure;
mod handler;
mod log_record;
mod packing;
pub mod ports;
mod puts;
mod service;
mod settings;

pub use counts::BatchCounts;
pub use envelope::{Envelope, EnvelopeError, EnvelopeRecord, EnvelopeRecords, EventWriter};
pub use failure::FailureReason;
pub use handler::{BatchOutcome, Origin, Verdict, handle_event};
pub use log_record::{LogRecord, MAX_LINE_BYTES};
pub use puts::{MAX_ATTEMPTS, PutCounts};
pub use service::{PutLimits, Service};
pub use settings::{BatchSettings, DEFAULT_BLOB_BYTES, PIPELINE_VERSION};
