//! Rows into blobs: sizes, order, keys, and which position a blob that is lost sends back to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod support;

use std::collections::HashSet;
use std::time::Duration;

use kpl::Payload;
use log_batch::ports::{DerivedSalt, Ports, PutError};
use log_batch::{BatchCounts, Service, Verdict, handle_event};
use proptest::prelude::*;
use support::{
    Always, Answer, Firehose, Kind, Kinesis, NOW_SECONDS, Put, Scripted, VirtualClock, documents, event, ids,
    ports, record, settings,
};

const TIME: Duration = Duration::from_mins(1);

struct Packed {
    blobs: Vec<Put>,
    counts: BatchCounts,
}

/// An event with one record for each line; the sequence numbers are the positions.
fn event_of(lines: &[String]) -> Vec<u8> {
    let records = lines.iter().enumerate();
    let records: Vec<String> = records
        .map(|(position, line)| record(&position.to_string(), line.as_bytes()))
        .collect();
    event(&records)
}

fn pack<K: Kind>(lines: &[String], blob_bytes: usize, seed: u64) -> Packed {
    let clock = VirtualClock::default();
    let ports = Ports {
        events: Scripted::<K>::new(&clock, []),
        failed_events: Scripted::<Firehose>::new(&clock, []),
        clock: clock.clone(),
        randomness: Always(seed), // what the partition keys begin with
        salt: DerivedSalt::new(None),
    };
    let (given, settings) = (event_of(lines), settings(blob_bytes));
    let handled = handle_event(&given, &settings, &ports, TIME);
    let outcome = clock.run(handled, None).unwrap().unwrap();
    assert_eq!((outcome.verdict, outcome.conserved), (Verdict::Delivered, true));
    Packed {
        blobs: ports.events.stored(),
        counts: outcome.counts,
    }
}

/// A line whose row is longer by so many bytes than that of a line without.
fn padded(id: &str, padding: usize) -> String {
    let title = if padding == 0 {
        String::new()
    } else {
        format!("t={}", "t".repeat(padding))
    };
    format!("{NOW_SECONDS}.000\t200\t/p.gif?{title}\t{id}\n")
}

/// The rows of each blob.
fn rows_of<K: Kind>(packed: &Packed) -> Vec<Vec<Vec<u8>>> {
    let unpack = |blob: &Put| {
        if K::SERVICE == Service::FIREHOSE {
            let rows = documents(&blob.data);
            return rows.iter().map(|row| row.to_string().into_bytes()).collect();
        }
        match kpl::deaggregate(&blob.data).unwrap() {
            Payload::Plain(row) => vec![row.to_vec()],
            Payload::Aggregated(rows) => rows
                .iter()
                .map(|row| {
                    assert_eq!(row.partition_key, blob.partition_key);
                    assert_eq!(row.explicit_hash_key, None);
                    row.data.to_vec()
                })
                .collect(),
        }
    };
    packed.blobs.iter().map(unpack).collect()
}

#[test]
fn a_cap_is_met_exactly_and_one_byte_less_makes_two_blobs() {
    fn check<K: Kind>() {
        let lines: Vec<String> = (0..6).map(|i| padded(&format!("r{i}"), 10)).collect();
        let all = pack::<K>(&lines, 100_000, 0);
        let [whole] = all.blobs.as_slice() else { panic!() };
        let exact = pack::<K>(&lines, whole.data.len(), 0);
        assert_eq!(exact.blobs.len(), 1);
        // The cap is that of each blob, not only of the first.
        let twice = pack::<K>(&[&*lines, &*lines].concat(), whole.data.len(), 0);
        let sizes: Vec<usize> = rows_of::<K>(&twice).iter().map(Vec::len).collect();
        assert_eq!(sizes, [6, 6]);
        let less = pack::<K>(&lines, whole.data.len() - 1, 0);
        let sizes: Vec<usize> = rows_of::<K>(&less).iter().map(Vec::len).collect();
        assert_eq!(sizes, [5, 1]);
    }
    check::<Kinesis>();
    check::<Firehose>();
}

#[test]
fn a_blob_holds_at_most_500_rows() {
    fn check<K: Kind>() {
        let lines: Vec<String> = (0..1_001).map(|i| padded(&format!("r{i}"), 0)).collect();
        let packed = pack::<K>(&lines, 900_000, 0);
        let sizes: Vec<usize> = rows_of::<K>(&packed).iter().map(Vec::len).collect();
        assert_eq!(sizes, [500, 500, 1]);
        let bytes: usize = packed.blobs.iter().map(|blob| blob.data.len()).sum();
        assert_eq!((packed.counts.blobs, packed.counts.blob_bytes), (3, bytes as u64));
    }
    check::<Kinesis>();
    check::<Firehose>();
}

#[test]
fn a_single_row_goes_out_raw_and_one_above_the_cap_goes_alone() {
    let lines = [
        padded("a", 0),
        padded("b", 0),
        padded("big", 600),
        padded("c", 0),
        padded("d", 0),
    ];
    let packed = pack::<Kinesis>(&lines, 900, 0);
    assert_eq!(rows_of::<Kinesis>(&packed).concat().len(), 5);
    let big = packed
        .blobs
        .iter()
        .find(|blob| ids(&blob.data) == ["big"])
        .unwrap();
    // A raw row is one JSON document without newline or envelope.
    assert!(big.data.starts_with(b"{") && big.data.len() > 900);
    assert_eq!(documents(&big.data).len(), 1);
}

#[test]
fn every_blob_has_its_own_key_and_another_seed_other_keys() {
    let lines: Vec<String> = (0..50).map(|i| padded(&format!("r{i}"), 0)).collect();
    let keys = |seed| -> Vec<String> {
        let packed = pack::<Kinesis>(&lines, 1, seed);
        packed.blobs.into_iter().map(|blob| blob.partition_key).collect()
    };
    for seed in [0, 5, u64::from(u32::MAX) - 3, u64::MAX - 1] {
        let keys = keys(seed);
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 50);
        // The API takes 1 to 256 characters; ours are ASCII.
        assert!(keys.iter().all(|key| key.is_ascii() && key.len() == 8));
    }
    assert_ne!(keys(1), keys(1_000));
    assert_eq!(keys(1), keys(1));
}

#[test]
fn a_cap_above_the_outlets_own_is_the_outlets() {
    fn check<K: Kind>() {
        let lines: Vec<String> = (0..30).map(|i| padded(&format!("r{i}"), 100)).collect();
        let clock = VirtualClock::default();
        let ports = ports(
            &clock,
            Scripted::<K, 500, 2_000>::new(&clock, []),
            Scripted::<Firehose>::new(&clock, []),
        );
        let (given, settings) = (event_of(&lines), settings(1 << 30));
        let handled = handle_event(&given, &settings, &ports, TIME);
        let outcome = clock.run(handled, None).unwrap().unwrap();
        assert_eq!(outcome.verdict, Verdict::Delivered);
        let stored = ports.events.stored();
        assert!(
            stored
                .iter()
                .all(|put| put.data.len() + put.partition_key.len() <= 2_000)
        );
        assert_eq!(ports.events.stored_ids().len(), 30);
    }
    check::<Kinesis>();
    check::<Firehose>();
}

#[test]
fn a_document_without_a_place_brings_the_whole_batch_again() {
    // No failed event has as few as 100 bytes.
    let clock = VirtualClock::default();
    let ports = ports(
        &clock,
        Scripted::<Kinesis>::new(&clock, []),
        Scripted::<Firehose, 500, 100>::new(&clock, []),
    );
    let (given, settings) = (event_of(&[padded("a", 0), "bad\n".to_owned()]), settings(5_120));
    let handled = handle_event(&given, &settings, &ports, TIME);
    let outcome = clock.run(handled, None).unwrap().unwrap();
    assert_eq!((outcome.verdict, outcome.conserved), (Verdict::RetryAll, false));
    assert_eq!(ports.events.stored_ids(), ["a"]);
}

#[test]
fn rows_of_one_line_may_share_a_blob_boundary_and_send_back_to_their_line() {
    // Three lines of four rows, one blob a row: the sixth blob belongs to position 1.
    let batch = |id: &str| format!("{NOW_SECONDS}.000\t200\t/p.gif?b=[{{}},{{}},{{}},{{}}]\t{id}\n");
    let lines = ["a", "b", "c"].map(batch);
    for blob in 0..12 {
        let clock = VirtualClock::default();
        let mut script = vec![Answer::Stored; blob];
        script.push(Answer::Error(PutError::Denied));
        let ports = ports(
            &clock,
            Scripted::<Kinesis, 1>::new(&clock, script),
            Scripted::<Firehose>::new(&clock, []),
        );
        let (given, settings) = (event_of(&lines), settings(1));
        let handled = handle_event(&given, &settings, &ports, TIME);
        let outcome = clock.run(handled, None).unwrap().unwrap();
        let position = blob / 4;
        assert_eq!(
            outcome.verdict,
            Verdict::RetryFrom {
                sequence_number: position.to_string(),
                position
            }
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever the sizes: every row once and in order, blobs within their bounds, and the position that is
    /// reported for a lost blob is that of its first row.
    #[test]
    fn every_row_is_in_one_blob_in_order(
        paddings in prop::collection::vec(0_usize..500, 1..60),
        blob_bytes in 1_usize..6_000,
        direct: bool,
        seed: u64,
        lost in any::<prop::sample::Index>(),
    ) {
        let lines: Vec<String> =
            paddings.iter().enumerate().map(|(i, &padding)| padded(&format!("r{i}"), padding)).collect();
        if direct {
            rows_are_whole::<Firehose>(&lines, blob_bytes, seed, lost)?;
        } else {
            rows_are_whole::<Kinesis>(&lines, blob_bytes, seed, lost)?;
        }
    }
}

fn rows_are_whole<K: Kind>(
    lines: &[String],
    blob_bytes: usize,
    seed: u64,
    lost: prop::sample::Index,
) -> Result<(), TestCaseError> {
    let has_keys = K::SERVICE == Service::KINESIS;
    let packed = pack::<K>(lines, blob_bytes, seed);
    let blobs = rows_of::<K>(&packed);
    let all: Vec<String> = blobs.iter().flatten().flat_map(|row| ids(row)).collect();
    prop_assert_eq!(
        &all,
        &(0..lines.len()).map(|i| format!("r{i}")).collect::<Vec<_>>()
    );
    for (blob, rows) in packed.blobs.iter().zip(&blobs) {
        prop_assert!(blob.data.len() <= blob_bytes || rows.len() == 1);
        prop_assert!((1..=500).contains(&rows.len()));
        prop_assert_eq!(rows.len() > 1 && has_keys, blob.data.starts_with(&kpl::MAGIC));
    }
    let keys: HashSet<&str> = packed
        .blobs
        .iter()
        .map(|blob| blob.partition_key.as_str())
        .collect();
    prop_assert_eq!(keys.len(), if has_keys { blobs.len() } else { 1 });

    let lost = lost.index(blobs.len());
    let expected: usize = blobs.iter().take(lost).map(Vec::len).sum();
    let clock = VirtualClock::default();
    let mut script = vec![Answer::Stored; lost];
    script.push(Answer::Error(PutError::Denied));
    let ports = ports(
        &clock,
        Scripted::<K, 1>::new(&clock, script),
        Scripted::<Firehose>::new(&clock, []),
    );
    let (given, settings) = (event_of(lines), settings(blob_bytes));
    let handled = handle_event(&given, &settings, &ports, TIME);
    let outcome = clock.run(handled, None).unwrap().unwrap();
    let from = Verdict::RetryFrom {
        sequence_number: expected.to_string(),
        position: expected,
    };
    prop_assert_eq!(outcome.verdict, from);
    Ok(())
}
