//! The function's own bootstrap, with the real SDK over HTTP, between a Kinesis emulator that has the limits
//! of real shards and a Firehose emulator, as the template wires them. `.ci/streams/run` starts it.
//!
//! The lines come from the generator, which knows what has to become of each. What the function wrote is read
//! back with our reader and with other people's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    unreachable_pub,
    reason = "a panic is how a test fails, in its helpers too; its figures are read by people"
)]

mod blobs;
mod direct_put;
mod emulator;
mod event_source_mapping;
mod failures;
mod figures;
mod log;
mod peers;
mod pipeline;
mod tools;
mod views;
mod wall_clock;

use std::sync::LazyLock;

use self::event_source_mapping::EventSourceMapping;
use self::figures::Figures;
use self::log::Log;
use self::pipeline::Pipeline;
use self::views::{Events, FailedEvents};

/// The lines of the long runs.
static LOG: LazyLock<Log> = LazyLock::new(|| Log::generate(200_000, 4));
/// Lines that are there before anybody reads: they count too.
const EARLY: usize = 1_000;

/// Puts the lines to the log stream in three parts and connects it with the function after the first few.
/// `between` is called twice, with the number of parts that are put.
fn connect_and_put(pipeline: &Pipeline, log: &Log, between: impl Fn(usize)) -> EventSourceMapping {
    let put = |lines: &[Vec<u8>]| {
        let lines = lines.iter().map(Vec::as_slice);
        pipeline.kinesis.put_all(&pipeline.mapping.stream, lines)
    };
    let (early, later) = log.lines.split_at(EARLY);
    let mut refused = put(early);
    let mapping = pipeline.connect(&pipeline.mapping);
    for (part, lines) in later.chunks(later.len().div_ceil(3)).enumerate() {
        if part > 0 {
            between(part);
        }
        refused += put(lines);
    }
    println!(
        "{} lines put; {refused} refused by the log stream and sent again",
        log.lines.len()
    );
    mapping
}

/// Holds what was delivered against what had to be.
fn check(pipeline: &Pipeline, log: &Log, view: &Events) -> Figures {
    let events = view.shown();
    assert!(
        events == log.events,
        "{} events, not the {} of the lines",
        events.len(),
        log.events.len()
    );
    let mut failed = FailedEvents::default();
    for object in pipeline.objects(pipeline.variable("FAILED_EVENTS_FIREHOSE_NAME")) {
        failed.land(&object);
    }
    assert!(
        failed.lines() == log.broken,
        "other failed events than the {} broken lines",
        log.broken_lines()
    );
    println!(
        "{} lines: {} events, {} failed events",
        log.lines.len(),
        events.len(),
        log.broken_lines()
    );

    let mut figures = Figures::of(&pipeline.function.ledger());
    figures.twice = view.landed() - log.landed + failed.landed() - log.broken_lines();
    println!("{figures}");
    let has_cause = figures.unfinished + figures.unknown + pipeline.function.killed() > 0;
    assert!(
        figures.twice == 0 || has_cause,
        "something was delivered twice, and nothing had failed"
    );
    figures
}
