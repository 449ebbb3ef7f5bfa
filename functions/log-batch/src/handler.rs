//! One invocation: an event in, its lines delivered, and the verdict on the batch.

use std::time::Duration;

use futures::future::join;
use pixel_row::DeliveryColumns;

use crate::batch::{Batch, PackedBatch};
use crate::counts::BatchCounts;
use crate::envelope::{Envelope, EnvelopeError, EnvelopeRecord};
use crate::log_record::LogRecord;
use crate::packing::Packed;
use crate::ports::{Clock, Outlet, Ports, Randomness, Salt};
use crate::puts::{PutCounts, Puts, put_all};
use crate::settings::{BatchSettings, PIPELINE_VERSION};

/// What the event source mapping is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every line has met its fate: the batch is done.
    Delivered,
    /// Everything before the record with this sequence number is done; begin again with it.
    RetryFrom {
        /// The item identifier of the batch item failure.
        sequence_number: String,
        /// The record's position in the batch.
        position: usize,
    },
    /// The whole batch has to come again: the first unconfirmed record has no usable sequence number and
    /// none before it has, or the books do not balance.
    RetryAll,
}

/// Where a batch came from: as its first record says, empty where that does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// ARN of the stream.
    pub source: String,
    /// The shard; a batch is of one.
    pub shard: String,
    /// Sequence number of the first record.
    pub first_sequence_number: String,
}

impl Origin {
    fn of(record: &LogRecord<'_>) -> Origin {
        Origin {
            source: record.source.to_owned(),
            shard: record.shard.to_owned(),
            first_sequence_number: record.sequence_number().unwrap_or_default().to_owned(),
        }
    }
}

/// What an invocation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchOutcome {
    /// What the event source mapping is told.
    pub verdict: Verdict,
    /// Where the batch came from.
    pub origin: Origin,
    /// What the batch held.
    pub counts: BatchCounts,
    /// How the rows were put.
    pub event_puts: PutCounts,
    /// How the failed events were put.
    pub failed_event_puts: PutCounts,
    /// Whether every line had exactly one fate. False is a bug of ours, and the batch comes again.
    pub conserved: bool,
}

/// Records that are read between two looks at the clock. One of hostile content takes some milliseconds, a look 25 ns.
const RECORDS_PER_LOOK: usize = 16;

/// Handles one event of the event source mapping within the time given. Half of it may go by while records are read:
/// what is not read by then comes again, and what was is put.
pub async fn handle_event<E: Outlet, F: Outlet>(
    event: &[u8],
    settings: &BatchSettings,
    ports: &Ports<E, F, impl Clock, impl Randomness, impl Salt>,
    time: Duration,
) -> Result<BatchOutcome, EnvelopeError> {
    let (begun, time) = (ports.clock.monotonic(), time.saturating_sub(settings.margin));
    let (read_until, until) = (begun + time / 2, begun + time);
    let envelope = Envelope::parse(event)?;
    let now = ports.clock.now();
    let delivery = DeliveryColumns {
        ts_ingested: now,
        ingest_path: settings.ingest_path,
        pipeline_version: PIPELINE_VERSION,
    };
    let mut batch = Batch::new::<E, F>(settings, delivery, &ports.salt, ports.randomness.next());
    batch.reserve(event.len());
    let mut origin = Origin::default();
    let mut records = envelope.records(now);
    let mut read = 0;
    while let Some((position, record)) = records.next_record() {
        let record = match record {
            EnvelopeRecord::Good(record) => {
                batch.add(position, &record);
                record
            }
            EnvelopeRecord::Broken(record, expected) => {
                batch.add_broken(position, &record, expected);
                record
            }
        };
        if position == 0 {
            origin = Origin::of(&record);
        }
        read = position + 1;
        if read.is_multiple_of(RECORDS_PER_LOOK) && ports.clock.monotonic() > read_until {
            break;
        }
    }
    let packed = batch.finish();
    let puts = put_batch(&packed, ports, until).await;
    Ok(BatchOutcome::of(&envelope, read, origin, packed, puts))
}

impl BatchOutcome {
    /// Balances the books of a batch of which so many records were read and their blobs put, and judges it.
    fn of(
        envelope: &Envelope<'_>,
        read: usize,
        origin: Origin,
        packed: PackedBatch,
        puts: BatchPuts,
    ) -> BatchOutcome {
        let conserved = packed.is_conserved() && packed.counts().records == read as u64;
        let first_unread = Some(read).filter(|&read| read < envelope.len());
        let verdict = match puts.first_unconfirmed.or(first_unread) {
            _ if !conserved => Verdict::RetryAll,
            None => Verdict::Delivered,
            Some(position) => {
                // By position, never by comparing numbers; without one of its own, the record before will do.
                let mut before = (0..=position).rev();
                before
                    .find_map(|position| Some((position, envelope.sequence_number(position)?)))
                    .map_or(Verdict::RetryAll, |(position, number)| Verdict::RetryFrom {
                        sequence_number: number.to_owned(),
                        position,
                    })
            }
        };
        BatchOutcome {
            verdict,
            origin,
            counts: packed.into_counts(),
            event_puts: puts.events,
            failed_event_puts: puts.failed_events,
            conserved,
        }
    }
}

/// What became of a batch's blobs.
struct BatchPuts {
    /// The lowest batch position of which something is not confirmed, if there is one.
    first_unconfirmed: Option<usize>,
    events: PutCounts,
    failed_events: PutCounts,
}

/// Puts a batch's blobs, rows and failed events at once, so that neither outlet's trouble holds the other up.
/// `until` is a moment of the monotonic clock.
async fn put_batch<E: Outlet, F: Outlet>(
    packed: &PackedBatch,
    ports: &Ports<E, F, impl Clock, impl Randomness, impl Salt>,
    until: Duration,
) -> BatchPuts {
    let (clock, randomness) = (&ports.clock, &ports.randomness);
    let (rows, failures) = (packed.events.entries(), packed.failed_events.entries());
    let (events, failed_events) = join(
        put_all(&ports.events, &rows, clock, randomness, until),
        put_all(&ports.failed_events, &failures, clock, randomness, until),
    )
    .await;
    let position =
        |packed: &Packed, puts: &Puts| puts.first_unconfirmed.map(|blob| packed.first_position(blob));
    let positions = [
        position(&packed.events, &events),
        position(&packed.failed_events, &failed_events),
    ];
    BatchPuts {
        first_unconfirmed: positions.into_iter().flatten().min(),
        events: events.counts,
        failed_events: failed_events.counts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::tests::{balanced, unbalanced};

    /// Judges a batch that came from an event of so many records, with sequence numbers 100, 101 …
    fn judge(records: usize, packed: PackedBatch, first_unconfirmed: Option<usize>) -> BatchOutcome {
        let records: Vec<String> = (100..100 + records)
            .map(|number| format!(r#"{{"kinesis":{{"sequenceNumber":"{number}"}}}}"#))
            .collect();
        let event = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        let puts = BatchPuts {
            first_unconfirmed,
            events: PutCounts::default(),
            failed_events: PutCounts::default(),
        };
        let envelope = Envelope::parse(event.as_bytes()).unwrap();
        BatchOutcome::of(&envelope, envelope.len(), Origin::default(), packed, puts)
    }

    #[test]
    fn a_balanced_batch_is_done_or_comes_again_from_what_is_not_confirmed() {
        let delivered = judge(4, balanced(), None);
        assert_eq!(
            (delivered.verdict, delivered.conserved),
            (Verdict::Delivered, true)
        );
        let refused = judge(4, balanced(), Some(1));
        let from = Verdict::RetryFrom {
            sequence_number: "101".to_owned(),
            position: 1,
        };
        assert_eq!((refused.verdict, refused.conserved), (from, true));
    }

    /// Even where every blob is stored: what the books do not hold may be what was lost.
    #[test]
    fn books_that_do_not_balance_bring_the_whole_batch_again() {
        for first_unconfirmed in [None, Some(1)] {
            let unbalanced = unbalanced().map(|(fault, packed)| (fault, 4, packed));
            let miscounted = [
                ("a record too many", 3, balanced()),
                ("a record too few", 5, balanced()),
            ];
            for (fault, records, packed) in unbalanced.chain(miscounted) {
                let outcome = judge(records, packed, first_unconfirmed);
                let judged = (outcome.verdict, outcome.conserved);
                assert_eq!(judged, (Verdict::RetryAll, false), "{fault}");
            }
        }
    }
}
