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
