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
use log_batch::ports::{DerivedSalt, OutletLimits, PutError};
use log_batch::{Batch, DeliveryMode, LogRecord, PIPELINE_VERSION, PackedBatch, Verdict, handle_event};
use pixel_log::Delivery;
use proptest::prelude::*;
use support::{
    Answer, NOW_SECONDS, Scripted, VirtualClock, documents, event, ids, now, ports, record, settings,
};

fn pack(lines: &[String], mode: DeliveryMode, blob_bytes: usize, seed: u64) -> PackedBatch {
    let settings = settings(mode, blob_bytes);
    let delivery = Delivery {
        ingested: now(),
        path: "realtime",
        version: PIPELINE_VERSION,
    };
    let salt = DerivedSalt::new(None);
    let outlet = match mode {
        DeliveryMode::Kpl => OutletLimits::KINESIS,
        DeliveryMode::DirectPut => OutletLimits::FIREHOSE,
    };
    let mut batch = Batch::new(&settings, delivery, &salt, seed, outlet, OutletLimits::FIREHOSE);
    for (position, line) in lines.iter().enumerate() {
        let record = LogRecord {
            source: "test",
            shard: "",
            sequence_number: Some(&position.to_string()),
            arrival: now(),
            data: line.as_bytes(),
        };
        batch.add(position, &record);
    }
    let packed = batch.finish();
    assert!(packed.is_conserved());
    packed
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
fn rows_of(packed: &PackedBatch, mode: DeliveryMode) -> Vec<Vec<Vec<u8>>> {
    let entries = packed.event_entries();
    let unpack = |entry: &log_batch::ports::Entry<'_>| match mode {
        DeliveryMode::DirectPut => documents(entry.data)
            .iter()
            .map(|row| row.to_string().into_bytes())
            .collect(),
        DeliveryMode::Kpl => match kpl::deaggregate(entry.data).unwrap() {
            Payload::Plain(row) => vec![row.to_vec()],
            Payload::Aggregated(rows) => rows
                .iter()
                .map(|row| {
                    assert_eq!(row.partition_key, entry.partition_key);
                    assert_eq!(row.explicit_hash_key, None);
                    row.data.to_vec()
                })
                .collect(),
        },
    };
    entries.iter().map(unpack).collect()
}

#[test]
fn a_cap_is_met_exactly_and_one_byte_less_makes_two_blobs() {
    let lines: Vec<String> = (0..6).map(|i| padded(&format!("r{i}"), 10)).collect();
    for mode in [DeliveryMode::Kpl, DeliveryMode::DirectPut] {
        let all = pack(&lines, mode, 100_000, 0);
        let [whole] = all.event_entries()[..] else {
            panic!()
        };
        let exact = pack(&lines, mode, whole.data.len(), 0);
        assert_eq!(exact.event_entries().len(), 1);
        let less = pack(&lines, mode, whole.data.len() - 1, 0);
        let blobs = rows_of(&less, mode);
        assert_eq!(blobs.iter().map(Vec::len).collect::<Vec<_>>(), [5, 1]);
    }
}

#[test]
fn a_blob_holds_at_most_500_rows() {
    let lines: Vec<String> = (0..1_001).map(|i| padded(&format!("r{i}"), 0)).collect();
    for mode in [DeliveryMode::Kpl, DeliveryMode::DirectPut] {
        let packed = pack(&lines, mode, 900_000, 0);
        let sizes: Vec<usize> = rows_of(&packed, mode).iter().map(Vec::len).collect();
        assert_eq!(sizes, [500, 500, 1]);
        assert_eq!(packed.counts().blobs, 3);
    }
}

#[test]
fn a_single_row_goes_out_raw_and_one_above_the_cap_goes_alone() {
    let lines = [
        padded("a", 0),
        padded("b", 0),
        padded("big", 500),
        padded("c", 0),
        padded("d", 0),
    ];
    let packed = pack(&lines, DeliveryMode::Kpl, 900, 0);
    let entries = packed.event_entries();
    let shapes: Vec<_> = entries
        .iter()
        .map(|entry| (entry.data.starts_with(&kpl::MAGIC), entry.data.len() > 800))
        .collect();
    let plain: Vec<bool> = entries.iter().map(|entry| entry.data.starts_with(b"{")).collect();
    assert_eq!(rows_of(&packed, DeliveryMode::Kpl).concat().len(), 5);
    let big = entries
        .iter()
        .position(|entry| ids(entry.data) == ["big"])
        .unwrap();
    assert!(plain[big], "{shapes:?}");
    // A raw row is one JSON document without newline or envelope.
    assert_eq!(documents(entries[big].data).len(), 1);
}

#[test]
fn every_blob_has_its_own_key_and_another_seed_other_keys() {
    let lines: Vec<String> = (0..50).map(|i| padded(&format!("r{i}"), 0)).collect();
    let keys = |seed| -> Vec<String> {
        let packed = pack(&lines, DeliveryMode::Kpl, 1, seed);
        packed
            .event_entries()
            .iter()
            .map(|entry| entry.partition_key.to_owned())
            .collect()
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
    let lines: Vec<String> = (0..30).map(|i| padded(&format!("r{i}"), 100)).collect();
    for mode in [DeliveryMode::Kpl, DeliveryMode::DirectPut] {
        let clock = VirtualClock::default();
        let ports = ports(
            &clock,
            Scripted::<500, 2_000>::new(&clock, []),
            <Scripted>::new(&clock, []),
        );
        let settings = settings(mode, 1 << 30);
        let records: Vec<String> = lines.iter().map(|line| record("1", line.as_bytes())).collect();
        let given = event(&records);
        let handled = handle_event(&given, &settings, &ports, Duration::from_mins(1));
        assert_eq!(
            clock.run(handled, None).unwrap().unwrap().verdict,
            Verdict::Delivered
        );
        let stored = ports.events.stored();
        assert!(
            stored
                .iter()
                .all(|put| put.data.len() + put.partition_key.len() <= 2_000)
        );
        assert_eq!(ports.events.stored_ids().len(), 30);
    }
}

#[test]
fn rows_of_one_line_may_share_a_blob_boundary_and_send_back_to_their_line() {
    // Three lines of four rows, one blob a row: the sixth blob belongs to position 1.
    let batch = |id: &str| format!("{NOW_SECONDS}.000\t200\t/p.gif?b=[{{}},{{}},{{}},{{}}]\t{id}\n");
    let records: Vec<String> = ["a", "b", "c"]
        .iter()
        .map(|id| record(id, batch(id).as_bytes()))
        .collect();
    let records: Vec<String> = records
        .iter()
        .enumerate()
        .map(|(i, record)| {
            record.replacen(
                &format!(r#""sequenceNumber":"{}""#, ["a", "b", "c"][i]),
                &format!(r#""sequenceNumber":"{i}""#),
                1,
            )
        })
        .collect();
    for blob in 0..12 {
        let clock = VirtualClock::default();
        let mut script = vec![Answer::Stored; blob];
        script.push(Answer::Error(PutError::Denied));
        let ports = ports(
            &clock,
            Scripted::<1>::new(&clock, script),
            <Scripted>::new(&clock, []),
        );
        let settings = settings(DeliveryMode::Kpl, 1);
        let given = event(&records);
        let handled = handle_event(&given, &settings, &ports, Duration::from_mins(1));
        let report = clock.run(handled, None).unwrap().unwrap();
        let position = blob / 4;
        assert_eq!(
            report.verdict,
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
        let mode = if direct { DeliveryMode::DirectPut } else { DeliveryMode::Kpl };
        let lines: Vec<String> =
            paddings.iter().enumerate().map(|(i, &padding)| padded(&format!("r{i}"), padding)).collect();
        let packed = pack(&lines, mode, blob_bytes, seed);
        let blobs = rows_of(&packed, mode);
        let all: Vec<String> = blobs.iter().flatten().flat_map(|row| ids(row)).collect();
        prop_assert_eq!(&all, &(0..lines.len()).map(|i| format!("r{i}")).collect::<Vec<_>>());
        let entries = packed.event_entries();
        for (entry, rows) in entries.iter().zip(&blobs) {
            prop_assert!(entry.data.len() <= blob_bytes || rows.len() == 1);
            prop_assert!((1..=500).contains(&rows.len()));
            prop_assert_eq!(rows.len() > 1 && !direct, entry.data.starts_with(&kpl::MAGIC));
        }
        let keys: HashSet<&str> = entries.iter().map(|entry| entry.partition_key).collect();
        prop_assert_eq!(keys.len(), if direct { 1 } else { entries.len() });

        let lost = lost.index(blobs.len());
        let expected: usize = blobs.iter().take(lost).map(Vec::len).sum();
        let clock = VirtualClock::default();
        let mut script = vec![Answer::Stored; lost];
        script.push(Answer::Error(PutError::Denied));
        let ports = ports(&clock, Scripted::<1>::new(&clock, script), <Scripted>::new(&clock, []));
        let records: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(i, line)| record(&i.to_string(), line.as_bytes()))
            .collect();
        let settings = settings(mode, blob_bytes);
        let given = event(&records);
        let handled = handle_event(&given, &settings, &ports, Duration::from_mins(1));
        let report = clock.run(handled, None).unwrap().unwrap();
        let from = Verdict::RetryFrom { sequence_number: expected.to_string(), position: expected };
        prop_assert_eq!(report.verdict, from);
    }
}
