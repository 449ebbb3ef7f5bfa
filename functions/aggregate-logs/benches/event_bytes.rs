//! What the runtime would add to each line if it read the event before the handler does, beside what the
//! handler itself takes. Figures are per log line of `events/sample.log`.

use std::future::Future;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use log_batch::ports::{Clock, DerivedSalt, EntryOutcome, Outlet, Ports, PutEntry, PutError, Randomness};
use log_batch::{BatchOutcome, BatchSettings, Service, handle_event};
use pipeline_tests::log_stream::Batch;
use pixel_row::Timestamp;
use serde_json::value::RawValue;

const LINES: usize = 2_000;

static EVENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/sample.log");
    let log = std::fs::read(path).unwrap_or_default();
    assert!(!log.is_empty(), "{path} is missing");
    let lines = log.split_inclusive(|&byte| byte == b'\n').take(LINES);
    Batch::new(lines.map(<[u8]>::to_vec)).json()
});

fn main() {
    divan::main();
}

/// The event as a raw JSON value, which is the least that `lambda_runtime` can be asked for: one scan, one
/// copy. `EventBytes` goes round it.
#[divan::bench]
fn runtime_reads_raw_value(bencher: Bencher<'_, '_>) {
    let bench = || serde_json::from_slice::<Box<RawValue>>(divan::black_box(&EVENT));
    bencher.counter(ItemsCount::new(LINES)).bench(bench);
}

/// The handler, with outlets that take everything at once.
#[divan::bench]
fn handler_delivers(bencher: Bencher<'_, '_>) {
    let settings = BatchSettings::default();
    let ports = Ports {
        events: Abyss,
        failed_events: FailedAbyss,
        clock: Abyss,
        randomness: Abyss,
        salt: DerivedSalt::new(Some([7; 32])),
    };
    let bench = || {
        let mut handled = pin!(handle_event(&EVENT, &settings, &ports, Duration::from_mins(1)));
        let report: Option<BatchOutcome> =
            match handled.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(report) => report.ok(),
                Poll::Pending => None,
            };
        assert_eq!(report.map(|report| report.counts.lines), Some(LINES as u64));
    };
    bencher.counter(ItemsCount::new(LINES)).bench(bench);
}

/// Takes all failed events.
struct FailedAbyss;

impl Outlet for FailedAbyss {
    const SERVICE: Service = Service::FIREHOSE;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        Ok(vec![EntryOutcome::Stored; entries.len()])
    }
}

/// Takes everything, and stands still on 2026-11-02.
struct Abyss;

impl Outlet for Abyss {
    const SERVICE: Service = Service::KINESIS;

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        Ok(vec![EntryOutcome::Stored; entries.len()])
    }
}

impl Clock for Abyss {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_793_577_600_000).unwrap_or(Timestamp::LATEST)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _time: Duration) {
        std::future::pending::<()>().await;
    }
}

impl Randomness for Abyss {
    fn next(&self) -> u64 {
        7
    }
}
