//! Blobs to outlets that fail, throttle, lie, hang and refuse.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use log_batch::ports::EntryOutcome::{Failed, Stored, Throttled};
use log_batch::ports::{Clock, DerivedSalt, Ports, PutError};
use log_batch::{BatchOutcome, MAX_ATTEMPTS, PutLimits, Service, Verdict, handle_event};
use pixel_row::Timestamp;
use support::{
    Always, Answer, Firehose, Kinesis, Scripted, VirtualClock, event, good_event, line, ports, record,
    settings,
};

const TIME: Duration = Duration::from_mins(1);
/// `BatchSettings::default` keeps two seconds.
const UNTIL: Duration = Duration::from_secs(58);

struct Run<const ENTRIES: usize> {
    outcome: BatchOutcome,
    clock: VirtualClock,
    events: Scripted<Kinesis, ENTRIES>,
}

/// Puts r0, r1 … each in a blob of its own.
fn run<const ENTRIES: usize>(rows: usize, script: Vec<Answer>) -> Run<ENTRIES> {
    let clock = VirtualClock::default();
    let events = Scripted::<Kinesis, ENTRIES>::new(&clock, script);
    let ports = ports(&clock, events, Scripted::<Firehose>::new(&clock, []));
    let settings = settings(1);
    let outcome = clock
        .run(handle_event(&good_event(rows), &settings, &ports, TIME), None)
        .unwrap()
        .unwrap();
    assert!(clock.elapsed() <= UNTIL, "answered at {:?}", clock.elapsed());
    Run {
        outcome,
        clock,
        events: ports.events,
    }
}

fn retry_from(position: usize) -> Verdict {
    Verdict::RetryFrom {
        sequence_number: (100 + position).to_string(),
        position,
    }
}

fn names(positions: &[usize]) -> Vec<String> {
    positions.iter().map(|i| format!("r{i}")).collect()
}

#[test]
fn the_handler_can_move_between_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let clock = VirtualClock::default();
    let ports = ports(
        &clock,
        Scripted::<Kinesis>::new(&clock, []),
        Scripted::<Firehose>::new(&clock, []),
    );
    let (given, settings) = (good_event(1), settings(1));
    let handled = is_send(handle_event(&given, &settings, &ports, TIME));
    assert!(clock.run(handled, None).unwrap().is_ok());
}

#[test]
fn without_a_fault_every_row_is_put_once_and_in_order() {
    let run = run::<2>(5, vec![]);
    assert_eq!(run.outcome.verdict, Verdict::Delivered);
    assert_eq!(run.events.calls(), [names(&[0, 1]), names(&[2, 3]), names(&[4])]);
    assert_eq!(run.outcome.event_puts.calls, 3);
    assert_eq!(run.clock.elapsed(), Duration::ZERO);
}

#[test]
fn only_refused_entries_are_sent_again_and_stay_matched_to_their_blobs() {
    // The second answer's positions are those of the second request: 1, 3 and 4 of the batch.
    let run = run::<500>(
        5,
        vec![
            Answer::Entries(vec![Stored, Throttled, Stored, Failed, Throttled]),
            Answer::Entries(vec![Stored, Failed, Stored]),
            Answer::Entries(vec![Failed]),
        ],
    );
    assert_eq!(run.outcome.verdict, Verdict::Delivered);
    assert_eq!(
        run.events.calls(),
        [
            names(&[0, 1, 2, 3, 4]),
            names(&[1, 3, 4]),
            names(&[3]),
            names(&[3])
        ]
    );
    assert_eq!(run.events.stored_ids(), names(&[0, 2, 1, 4, 3]));
    let counts = &run.outcome.event_puts;
    assert_eq!(
        (
            counts.calls,
            counts.throttled,
            counts.failed,
            counts.unknown_calls
        ),
        (4, 2, 3, 0)
    );
    // A blob keeps its partition key over every attempt.
    let puts = run.events.puts();
    assert_eq!(puts[0][3], puts[3][0]);
}

#[test]
fn an_entry_that_stays_refused_is_reported_by_its_position_after_the_last_attempt() {
    let mut script = vec![Answer::Entries(vec![
        Stored, Stored, Throttled, Stored, Throttled,
    ])];
    script.extend(vec![Answer::Entries(vec![Throttled, Stored])]);
    script.extend(vec![Answer::Entries(vec![Throttled]); 20]);
    let run = run::<5>(8, script);
    assert_eq!(run.outcome.verdict, retry_from(2));
    let calls = run.events.calls();
    assert_eq!(calls.len(), MAX_ATTEMPTS as usize);
    // The call for r5 to r7 is not begun: it would only make duplicates.
    assert!(calls.iter().flatten().all(|id| id.as_str() < "r5"));
}

#[test]
fn whole_calls_that_fail_or_are_throttled_come_again() {
    for error in [PutError::Failed, PutError::Throttled] {
        let run = run::<500>(3, vec![Answer::Error(error); 3]);
        assert_eq!(run.outcome.verdict, Verdict::Delivered);
        assert_eq!(run.events.calls(), vec![names(&[0, 1, 2]); 4]);
        assert_eq!(run.events.stored_ids(), names(&[0, 1, 2]));
        // Three calls of three entries; a throttled call has surely stored none of them.
        let counts = &run.outcome.event_puts;
        let expected = match error {
            PutError::Throttled => (9, 0, 0),
            _ => (0, 9, 3),
        };
        assert_eq!((counts.throttled, counts.failed, counts.unknown_calls), expected);
    }
}

#[test]
fn a_lost_answer_is_sent_again_because_nobody_knows() {
    let run = run::<500>(2, vec![Answer::Lost]);
    assert_eq!(run.outcome.verdict, Verdict::Delivered);
    assert_eq!(run.events.stored_ids(), names(&[0, 1, 0, 1]));
    assert_eq!(run.outcome.event_puts.unknown_calls, 1);
}

#[test]
fn an_answer_of_another_length_confirms_nothing() {
    for answer in [vec![], vec![Stored], vec![Stored; 2], vec![Stored; 4]] {
        let run = run::<500>(3, vec![Answer::Entries(answer)]);
        assert_eq!(run.outcome.verdict, Verdict::Delivered);
        assert_eq!(run.events.calls(), vec![names(&[0, 1, 2]); 2]);
        assert_eq!(
            (
                run.outcome.event_puts.unknown_calls,
                run.outcome.event_puts.failed
            ),
            (1, 3)
        );
    }
}

#[test]
fn a_denied_call_stops_at_once() {
    let run = run::<2>(5, vec![Answer::Stored, Answer::Error(PutError::Denied)]);
    assert_eq!(run.outcome.verdict, retry_from(2));
    assert_eq!(run.events.calls().len(), 2);
    assert_eq!(run.outcome.event_puts.denied, 1);
    assert_eq!(run.clock.elapsed(), Duration::ZERO);
}

#[test]
fn a_call_that_hangs_is_left_in_time_to_answer() {
    let hangs = run::<2>(5, vec![Answer::Stored, Answer::Hang]);
    assert_eq!(hangs.outcome.verdict, retry_from(2));
    assert_eq!(hangs.clock.elapsed(), UNTIL);
    assert_eq!(hangs.outcome.event_puts.unknown_calls, 1);

    let slow = Answer::Slow(Duration::from_secs(30), Box::new(Answer::Stored));
    let run = run::<2>(5, vec![slow; 3]);
    assert_eq!(run.outcome.verdict, retry_from(2));
    assert_eq!(run.events.stored_ids(), names(&[0, 1]));
}

/// Each look at it takes five seconds.
struct SlowMachine(AtomicU64);

impl Clock for SlowMachine {
    fn now(&self) -> Timestamp {
        Timestamp::EARLIEST
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(5 * self.0.fetch_add(1, Ordering::Relaxed))
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending::<()>().await;
    }
}

/// The first look begins the 58 seconds, so half of them are over at the seventh, which is the sixth after 16 records.
#[test]
fn what_cannot_be_read_in_time_comes_again_and_the_rest_is_put() {
    let clock = VirtualClock::default();
    let ports = Ports {
        events: Scripted::<Kinesis>::new(&clock, []),
        failed_events: Scripted::<Firehose>::new(&clock, []),
        clock: SlowMachine(AtomicU64::new(0)),
        randomness: Always(0),
        salt: DerivedSalt::new(None),
    };
    let (given, settings) = (good_event(200), settings(5_120));
    let handled = handle_event(&given, &settings, &ports, TIME);
    let outcome = clock.run(handled, None).unwrap().unwrap();
    assert_eq!((outcome.verdict, outcome.conserved), (retry_from(96), true));
    assert_eq!((outcome.counts.rows, outcome.event_puts.failed), (96, 0));
    assert!(!ports.events.calls().is_empty());
    // All of it is read where the clock says nothing of the kind, and where it is over with the last record.
    let given = good_event(96);
    let ports = Ports {
        clock: SlowMachine(AtomicU64::new(0)),
        ..ports
    };
    let handled = handle_event(&given, &settings, &ports, TIME);
    assert_eq!(
        clock.run(handled, None).unwrap().unwrap().verdict,
        Verdict::Delivered
    );
}

#[test]
fn no_call_is_begun_after_the_deadline() {
    let clock = VirtualClock::default();
    let ports = ports(
        &clock,
        Scripted::<Kinesis>::new(&clock, []),
        Scripted::<Firehose>::new(&clock, []),
    );
    let settings = settings(5_120);
    for time in [Duration::ZERO, Duration::from_secs(2)] {
        let given = good_event(3);
        let handled = handle_event(&given, &settings, &ports, time);
        assert_eq!(clock.run(handled, None).unwrap().unwrap().verdict, retry_from(0));
    }
    assert!(ports.events.calls().is_empty());
}

/// The waits between the calls for two rows that are refused like this each time.
fn waits(refusal: &Answer, random: u64) -> Vec<Duration> {
    let clock = VirtualClock::default();
    let ports = Ports {
        events: Scripted::<Kinesis>::new(&clock, vec![refusal.clone(); 20]),
        failed_events: Scripted::<Firehose>::new(&clock, []),
        clock: clock.clone(),
        randomness: Always(random),
        salt: DerivedSalt::new(None),
    };
    let (given, settings) = (good_event(2), settings(1));
    let handled = handle_event(&given, &settings, &ports, TIME);
    let outcome = clock.run(handled, None).unwrap().unwrap();
    assert_eq!(outcome.verdict, retry_from(0));
    // Every call has a sleep beside it, its deadline; the others are the waits between calls.
    let longest = Duration::from_secs(2);
    clock
        .sleeps()
        .into_iter()
        .filter(|&time| time <= longest)
        .collect()
}

#[test]
fn waits_grow_with_full_jitter_on_the_curve_of_the_refusal() {
    let (ms, nanosecond) = (Duration::from_millis, Duration::from_nanos(1));
    // Ceilings: 100 ms (throttled) and 25 ms (failed), doubled each time, at most 2 s and 1 s. There is no
    // wait after the last attempt.
    let throttled = [200, 400, 800, 1600, 2000, 2000, 2000].map(ms);
    let failed = [50, 100, 200, 400, 800, 1000, 1000].map(ms);
    // Eight seconds are a multiple of every ceiling: one nanosecond less leaves the longest wait below each.
    let highest = 8_000_000_000 - 1;
    for (refusal, ceilings) in [
        (Answer::Error(PutError::Throttled), throttled),
        (Answer::Entries(vec![Throttled, Throttled]), throttled),
        // One throttled entry is enough, wherever it stands.
        (Answer::Entries(vec![Throttled, Failed]), throttled),
        (Answer::Entries(vec![Failed, Throttled]), throttled),
        (Answer::Entries(vec![Failed, Failed]), failed),
        (Answer::Error(PutError::Failed), failed),
        (Answer::Entries(vec![]), failed), // says nothing about any entry
    ] {
        assert_eq!(
            waits(&refusal, highest),
            ceilings.map(|ceiling| ceiling.saturating_sub(nanosecond)),
            "{refusal:?}"
        );
        assert_eq!(waits(&refusal, 0), [Duration::ZERO; 7], "{refusal:?}");
    }
}

#[test]
fn failed_events_are_delivered_even_when_the_rows_are_not_and_the_lowest_position_counts() {
    let records: Vec<String> = (0..6)
        .map(|i| {
            let data = if i % 2 == 0 {
                line(&format!("r{i}"))
            } else {
                "bad\n".to_owned()
            };
            record(&(100 + i).to_string(), data.as_bytes())
        })
        .collect();
    let denied = || vec![Answer::Error(PutError::Denied)];
    let second_denied = || vec![Answer::Entries(vec![Stored; 1]), Answer::Error(PutError::Denied)];
    for (events, failed, expected) in [
        (denied(), vec![], retry_from(0)),
        (vec![], denied(), retry_from(1)),
        (second_denied(), denied(), retry_from(1)),
        (second_denied(), vec![], retry_from(2)),
        (second_denied(), second_denied(), retry_from(2)),
        (vec![], vec![], Verdict::Delivered),
    ] {
        let clock = VirtualClock::default();
        let ports = ports(
            &clock,
            Scripted::<Kinesis, 1>::new(&clock, events),
            Scripted::<Firehose, 1>::new(&clock, failed),
        );
        let settings = settings(1);
        let given = event(&records);
        let handled = handle_event(&given, &settings, &ports, TIME);
        let outcome = clock.run(handled, None).unwrap().unwrap();
        assert_eq!(outcome.verdict, expected);
        assert!(!ports.failed_events.puts().is_empty());
    }
}

#[test]
fn the_reported_number_is_that_of_a_position_and_never_compared() {
    let numbers = |given: [&str; 3]| given.map(|number| record(number, line("x").as_bytes())).to_vec();
    let blocked_at = |records: &[String], position: usize| {
        let clock = VirtualClock::default();
        let mut script = vec![Answer::Stored; position];
        script.push(Answer::Error(PutError::Denied));
        let ports = ports(
            &clock,
            Scripted::<Kinesis, 1>::new(&clock, script),
            Scripted::<Firehose>::new(&clock, []),
        );
        let settings = settings(1);
        let given = event(records);
        let handled = handle_event(&given, &settings, &ports, TIME);
        clock.run(handled, None).unwrap().unwrap().verdict
    };
    let from = |number: &str, position| Verdict::RetryFrom {
        sequence_number: number.into(),
        position,
    };
    // Text order and number order both differ from the batch's.
    assert_eq!(blocked_at(&numbers(["100", "99", "7"]), 1), from("99", 1));
    assert_eq!(blocked_at(&numbers(["5", "5", "5"]), 2), from("5", 2));
    // Without a usable number, the record before it; without one before it, all.
    assert_eq!(blocked_at(&numbers(["100", "", "102"]), 1), from("100", 0));
    assert_eq!(blocked_at(&numbers(["", "x", "102"]), 1), Verdict::RetryAll);
    assert_eq!(blocked_at(&numbers(["", "101", "102"]), 0), Verdict::RetryAll);
}

#[test]
fn calls_keep_to_the_bytes_that_one_may_carry() {
    // 40 rows of 300 KiB are 12 MB; a call carries 10 MiB.
    struct Small(Scripted<Kinesis>);
    impl log_batch::ports::Outlet for Small {
        const SERVICE: Service = Service::KINESIS.within(PutLimits {
            entries: 500,
            request_bytes: 1_000,
            record_bytes: 1 << 20,
        });
        fn put(
            &self,
            entries: &[log_batch::ports::PutEntry<'_>],
        ) -> impl Future<Output = Result<Vec<log_batch::ports::EntryOutcome>, PutError>> + Send {
            self.0.put(entries)
        }
    }
    let clock = VirtualClock::default();
    let ports = ports(
        &clock,
        Small(Scripted::new(&clock, [])),
        Scripted::<Firehose>::new(&clock, []),
    );
    let settings = settings(1);
    let given = good_event(20);
    let handled = handle_event(&given, &settings, &ports, TIME);
    assert_eq!(
        clock.run(handled, None).unwrap().unwrap().verdict,
        Verdict::Delivered
    );
    let calls = ports.events.0.puts();
    let bytes = |call: &Vec<support::Put>| -> usize {
        call.iter()
            .map(|put| put.data.len() + put.partition_key.len())
            .sum()
    };
    assert!(calls.iter().all(|call| bytes(call) <= 1_000));
    // No call could have taken the next one's first entry too.
    assert!(
        calls
            .windows(2)
            .all(|pair| bytes(&pair[0]) + bytes(&pair[1][..1].to_vec()) > 1_000)
    );
    assert_eq!(calls.iter().map(Vec::len).sum::<usize>(), 20);
}
