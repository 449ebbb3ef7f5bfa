//! One batch of log records: envelope, rows, packing, delivery with resends, verdict.
//!
//! [`handle_event`] is the whole of it: the bytes of a Lambda event in, a [`Verdict`] out. What it needs
//! from outside comes through [`ports`], so that a Lambda, the command line and a simulation drive the same
//! code.
//!
//! Every line meets one of three fates. *Delivered*: its rows, or its failed event, were stored.
//! *Retryable*: something was not stored, and the lowest batch position involved is reported. *Invalid*: it
//! can never become a row and is stored as a failed event with its [`Failure`]. Bad data never fails a
//! batch; only storage does.

pub mod batch;
mod counts;
mod delivery;
pub mod envelope;
mod failure;
mod handler;
mod log_record;
mod packing;
pub mod ports;
pub mod settings;

pub use batch::{Batch, MAX_LINES_PER_RECORD, PackedBatch};
pub use counts::Counts;
pub use delivery::{DeliveryCounts, MAX_ATTEMPTS};
pub use envelope::{Envelope, EnvelopeError, EnvelopeRecord, EnvelopeRecords, EventWriter};
pub use failure::{Failure, MAX_RAW_BYTES};
pub use handler::{Origin, Report, Verdict, deliver_batch, handle_event};
pub use log_record::LogRecord;
pub use settings::{BatchSettings, DEFAULT_BLOB_BYTES, DeliveryMode, MAX_ROWS_PER_BLOB, PIPELINE_VERSION};
