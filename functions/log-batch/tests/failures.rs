//! Lines that can never become rows: what is kept of them, and what they must not stop.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use log_batch::ports::{Ports, Salt};
use log_batch::{BatchOutcome, FailureReason, Verdict, handle_event};
use pixel_log::DaySalt;
use pixel_row::Day;
use serde_json::Value;
use sha2::Digest as _;
use support::{
    Dice, Firehose, Kind, Kinesis, Scripted, VirtualClock, documents, event, line, record, settings,
};

const TIME: Duration = Duration::from_mins(1);
/// The most raw bytes that a failed event keeps: 64 KiB.
const MAX_RAW_BYTES: usize = 65_536;

/// Panics at some calls, as a bug in the reading of a record would.
struct PanickingSalt {
    calls: AtomicU32,
    panic_at: Option<u32>,
}

impl Salt for PanickingSalt {
    fn salt(&self, _day: Day) -> Option<DaySalt> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        assert!(Some(call) != self.panic_at, "planted");
        None
    }
}

struct Handled {
    outcome: BatchOutcome,
    rows: Vec<String>,
    failures: Vec<Value>,
}

fn handle<K: Kind>(records: &[String], panic_at: Option<u32>) -> Handled {
    let clock = VirtualClock::default();
    let ports = Ports {
        events: Scripted::<K>::new(&clock, []),
        failed_events: Scripted::<Firehose>::new(&clock, []),
        clock: clock.clone(),
        randomness: Dice::new(1),
        salt: PanickingSalt {
            calls: AtomicU32::new(0),
            panic_at,
        },
    };
    let settings = settings(5_120);
    let given = event(records);
    let handled = handle_event(&given, &settings, &ports, TIME);
    let outcome = clock.run(handled, None).unwrap().unwrap();
    assert_eq!(outcome.verdict, Verdict::Delivered);
    assert!(outcome.conserved);
    Handled {
        outcome,
        rows: ports.events.stored_ids(),
        failures: ports
            .failed_events
            .stored()
            .iter()
            .flat_map(|put| documents(&put.data))
            .collect(),
    }
}

fn failures(records: &[String]) -> Vec<Value> {
    handle::<Kinesis>(records, None).failures
}

#[test]
fn requests_for_other_paths_are_counted_apart_whatever_a_page_calls_its_event() {
    let ask = |number: &str, stem: &str| {
        let line = format!("{}.000\t200\t{stem}\t{number}\n", support::NOW_SECONDS);
        record(number, line.as_bytes())
    };
    let records = [
        ask("1", "/"),
        ask("2", "/p.gif?e=request"),
        ask("3", "/p.gif?e=click"),
        ask("4", "/robots.txt"),
        ask("5", "/p.gif"),
    ];
    let counts = handle::<Kinesis>(&records, None).outcome.counts;
    assert_eq!((counts.lines, counts.rows, counts.requests), (5, 5, 2));
}

#[test]
fn every_reason_of_the_closed_list_is_reached() {
    let long_day = format!("{}.000\t200\t/p.gif\tx\n", support::NOW_SECONDS + 90_000);
    let b = |json: &str| format!("{}.000\t200\t/p.gif?b={json}\tx\n", support::NOW_SECONDS).into_bytes();
    let mut seen: Vec<String> = Vec::new();
    for (data, reason) in [
        (b"\n".to_vec(), "empty"),
        (b"a\tb\n".to_vec(), "field_count"),
        (long_day.into_bytes(), "bad_ts"),
        (b("[1]"), "batch_json"),
        (b("[]"), "batch_size"),
        (vec![b'\n'; 10_002], "too_many_lines"),
    ] {
        let found = failures(&[record("1", &data)]);
        assert_eq!(found.len(), 1, "{reason}");
        assert_eq!(found[0]["reason"], reason);
        // The newline belongs to the line only where the record is kept as a whole.
        let newline = usize::from(reason != "too_many_lines");
        assert_eq!(found[0]["raw_bytes"], data.len() - newline, "{reason}");
        assert!(found[0]["detail"].as_str().unwrap().len() > 10);
        seen.push(reason.to_owned());
    }
    // The others have tests of their own: bad_record and kpl_index beside the envelope, the rest below.
    seen.extend(["bad_record", "kpl_index", "oversize", "panic"].map(str::to_owned));
    seen.sort();
    let mut codes: Vec<&str> = FailureReason::REASONS.iter().map(|(code, _)| *code).collect();
    codes.sort_unstable();
    assert_eq!(seen, codes);
}

#[test]
fn raw_bytes_are_whole_up_to_64_kib_and_then_cut_with_length_and_digest() {
    for len in [1, MAX_RAW_BYTES - 1, MAX_RAW_BYTES] {
        let raw = vec![b'x'; len];
        let found = failures(&[record("1", &raw)]);
        assert_eq!(found[0]["raw_base64"], STANDARD.encode(&raw), "{len}");
        assert_eq!(found[0]["raw_bytes"], len);
        assert!(found[0].get("raw_sha256").is_none());
    }
    let mut raw = vec![b'x'; MAX_RAW_BYTES + 1];
    raw[MAX_RAW_BYTES] = 0xff;
    let found = failures(&[record("1", &raw)]);
    assert_eq!(found[0]["raw_base64"], STANDARD.encode(&raw[..MAX_RAW_BYTES]));
    assert_eq!(found[0]["raw_bytes"], 65_537);
    let digest: Vec<String> = sha2::Sha256::digest(&raw)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(found[0]["raw_sha256"], digest.concat());
}

#[test]
fn a_line_of_more_than_1_mib_is_a_failed_event_between_its_neighbours() {
    let longest = [&vec![b'x'; 1 << 20][..], b"\n"].concat();
    let longer = [b"x", &*longest].concat();
    let data = [line("a").as_bytes(), &longest, &longer, line("b").as_bytes()].concat();
    let handled = handle::<Kinesis>(&[record("1", &data)], None);
    assert_eq!(handled.rows, ["a", "b"]);
    let [whole, cut] = handled.failures.as_slice() else {
        panic!()
    };
    assert_eq!(whole["reason"], "field_count");
    assert_eq!(cut["reason"], "bad_record");
    assert_eq!(
        cut["detail"],
        "the line is longer than 1 MiB; its first 64 KiB are kept"
    );
    assert_eq!(
        (&cut["line_index"], &cut["raw_bytes"]),
        (&2.into(), &1_048_577.into())
    );
}

#[test]
fn a_failure_says_where_the_line_came_from() {
    let found = failures(&[record("7", &[line("a").as_bytes(), b"bad\r\n"].concat())]);
    let [failure] = found.as_slice() else { panic!() };
    assert_eq!(
        failure["source"],
        "arn:aws:kinesis:eu-central-1:111122223333:stream/logs"
    );
    assert_eq!(failure["shard"], "shardId-000000000006");
    assert_eq!(failure["sequence_number"], "7");
    assert_eq!(failure["line_index"], 1);
    assert_eq!(failure["raw_base64"], "YmFk"); // printf bad | base64
    assert_eq!(failure["ts_arrival"], "2026-11-01T00:00:00.900Z");
    assert_eq!(failure["ts_ingested"], "2026-11-01T00:00:00.000Z");
    assert_eq!(failure["ingest_path"], "realtime");
}

#[test]
fn the_key_is_the_same_on_redelivery_and_another_for_another_place_or_line() {
    let key = |records: &[String], at: usize| failures(records)[at]["failure_key"].as_i64().unwrap();
    let bad = |number: &str| record(number, b"bad\n");
    let base = key(&[bad("1")], 0);
    assert_eq!(base, key(&[bad("1")], 0));
    // A bisected delivery: the record stands elsewhere in its batch.
    assert_eq!(base, key(&[record("0", line("a").as_bytes()), bad("1")], 0));
    let other_shard = bad("1").replace("shardId-000000000006", "shardId-000000000007");
    let other_stream = bad("1").replace("stream/logs", "stream/others");
    for other in [bad("2"), record("1", b"bae\n"), other_shard, other_stream] {
        assert_ne!(base, key(&[other], 0));
    }
    // Nor does one part of a place run into the next.
    let longer_shard = bad("2").replace("shardId-000000000006", "shardId-0000000000061");
    assert_ne!(key(&[longer_shard], 0), key(&[bad("12")], 0));
    // Equal lines in one record are different events of failure.
    let twins = [record("1", b"bad\nbad\n")];
    assert_ne!(key(&twins, 0), key(&twins, 1));
    assert_eq!(base, key(&twins, 0));
}

#[test]
fn a_panic_is_a_failed_event_and_stops_nothing_else() {
    // The salt is asked once a day and kept: four lines of three days ask three times.
    let of_day = |id: &str, day: i64| {
        let line = format!("{}.000\t200\t/p.gif\t{id}\n", support::NOW_SECONDS - day * 86_400);
        record(&(100 + day).to_string(), line.as_bytes())
    };
    let records = [of_day("a", 0), of_day("a2", 0), of_day("b", 1), of_day("c", 2)];
    let handled = handle::<Kinesis>(&records, Some(1));
    assert_eq!(handled.rows, ["a", "a2", "c"]);
    let [failure] = handled.failures.as_slice() else {
        panic!()
    };
    assert_eq!(failure["reason"], "panic");
    assert_eq!(failure["sequence_number"], "101");
    assert!(!failure.to_string().contains("planted"));
    assert_eq!(handled.outcome.counts.failed.get("panic"), Some(&1));
}

#[test]
fn a_panic_in_a_later_line_takes_the_whole_record_and_leaves_no_half() {
    let old = format!("{}.000\t200\t/p.gif\told\n", support::NOW_SECONDS - 86_400);
    let records = [
        record("1", line("first").as_bytes()),
        record("2", &[line("new"), old].concat().into_bytes()),
    ];
    let handled = handle::<Kinesis>(&records, Some(1));
    assert_eq!(handled.rows, ["first"]);
    assert_eq!(handled.failures.len(), 1);
}

#[test]
fn a_row_larger_than_the_outlet_takes_is_a_failed_event_with_its_line() {
    a_row_is_too_large_for::<Kinesis>();
    a_row_is_too_large_for::<Firehose>();
}

fn a_row_is_too_large_for<K: Kind>() {
    let clock = VirtualClock::default();
    // Rows of these lines have about 400 bytes; with the title, a thousand.
    let long = format!(
        "{}.000\t200\t/p.gif?t={}\tlong\n",
        support::NOW_SECONDS,
        "t".repeat(500)
    );
    let two = format!(
        r#"{}.000	200	/p.gif?b=[{{}},{{"t":"{}"}}]	two{}"#,
        support::NOW_SECONDS,
        "t".repeat(500),
        "\n"
    );
    let records = [
        record("1", line("a").as_bytes()),
        record("2", long.as_bytes()),
        record("3", two.as_bytes()),
        // Two rows that fit, each on its own.
        record("4", [line("c"), line("d")].concat().as_bytes()),
        record("5", [&*long, &*line("e")].concat().as_bytes()),
    ];
    let ports = support::ports(
        &clock,
        Scripted::<K, 500, 600>::new(&clock, []),
        Scripted::<Firehose>::new(&clock, []),
    );
    let settings = settings(5_120);
    let given = event(&records);
    let handled = handle_event(&given, &settings, &ports, TIME);
    let outcome = clock.run(handled, None).unwrap().unwrap();
    assert_eq!(outcome.verdict, Verdict::Delivered);
    // No row of a line is delivered when one of them cannot be.
    assert_eq!(ports.events.stored_ids(), ["a", "c", "d", "e"]);
    assert!(
        ports
            .events
            .stored()
            .iter()
            .all(|put| put.data.len() + put.partition_key.len() <= 600)
    );
    let stored = ports.failed_events.stored();
    let found: Vec<Value> = stored.iter().flat_map(|put| documents(&put.data)).collect();
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|failure| failure["reason"] == "oversize"));
    assert_eq!(found[0]["raw_base64"], STANDARD.encode(long.trim_end()));
}

#[test]
fn failed_events_are_never_rows_even_where_both_go_to_one_kind_of_outlet() {
    let records: Vec<String> = (0..40).map(|i| record(&(i + 1).to_string(), b"bad\n")).collect();
    let handled = handle::<Firehose>(&records, None);
    assert!(handled.rows.is_empty());
    assert_eq!(handled.failures.len(), 40);
    assert_eq!(handled.outcome.counts.failed_events(), 40);
}
