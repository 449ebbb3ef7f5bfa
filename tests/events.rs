//! The Lambda inputs under `events/`: each is what its generator writes, and each of its lines has a fate.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails, in its helpers too"
)]

use std::collections::BTreeMap;

use log_batch::{BatchOutcome, BatchSettings, Verdict};
use pipeline_tests::event_files::{event_files, folder};
use pipeline_tests::standstill::{KinesisShelf, handle};
use pixel_row::Timestamp;
use serde_json::Value;

/// Handles an event on 2025-11-02; says what came of it and the ids of the requests whose rows were stored.
fn ids_of(event: &[u8]) -> (BatchOutcome, Vec<String>) {
    let now = Timestamp::from_millis(1_762_041_600_000).unwrap();
    let handled = handle::<KinesisShelf>(event, &BatchSettings::default(), now).unwrap();
    let mut ids = Vec::new();
    for blob in &handled.blobs {
        let mut read = |row: &[u8]| {
            let row: Value = serde_json::from_slice(row).unwrap();
            ids.push(row["request_id"].as_str().unwrap_or_default().to_owned());
        };
        match kpl::deaggregate(blob).unwrap() {
            kpl::Payload::Plain(row) => read(row),
            kpl::Payload::Aggregated(rows) => rows.iter().for_each(|row| read(row.data)),
        }
    }
    (handled.outcome, ids)
}

/// Handles the file of that name and checks its counts.
fn check(name: &str, records: u64, requests: u64, failed: &[(&'static str, u64)], ids: &[String]) {
    let file = event_files().into_iter().find(|file| file.name == name).unwrap();
    let (outcome, stored) = ids_of(file.json.as_bytes());
    assert_eq!(outcome.verdict, Verdict::Delivered);
    assert!(outcome.conserved);
    assert_eq!(outcome.counts.records, records);
    assert_eq!(outcome.counts.requests, requests);
    let failed: BTreeMap<_, _> = failed.iter().copied().collect();
    assert_eq!(outcome.counts.failed, failed);
    assert_eq!(stored, ids);
}

fn numbered(prefix: &str, numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers
        .into_iter()
        .map(|number| format!("{prefix}-{number}=="))
        .collect()
}

#[test]
fn the_files_are_what_their_generator_writes() {
    #[expect(clippy::disallowed_methods, reason = "a switch of this test alone")]
    let update = std::env::var_os("UPDATE_EVENTS").is_some();
    for file in event_files() {
        let path = folder().join(file.name);
        if update {
            std::fs::write(&path, &file.json).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == file.json,
            "{} differs; UPDATE_EVENTS=1 cargo test -p pipeline-tests --test events writes it",
            file.name
        );
    }
}

#[test]
fn one_line_becomes_one_row() {
    check("kinesis-one-line.json", 1, 0, &[], &numbered("one-line", [1]));
}

#[test]
fn broken_lines_of_a_mixed_batch_fail_and_the_others_become_rows() {
    let failed = [("bad_ts", 2), ("batch_json", 1), ("empty", 2), ("field_count", 4)];
    let ids = [
        numbered("mixed-good", 1..=5),
        // The second of the odd ones is a hit with two events.
        numbered("mixed-odd", [1, 2, 2, 3]),
        numbered("mixed-request", 1..=3),
        numbered("mixed-good", [6]),
    ];
    check("kinesis-mixed-batch.json", 19, 3, &failed, &ids.concat());
}

#[test]
fn records_without_readable_data_fail_and_other_oddities_do_not_matter() {
    let ids = [
        numbered("odd-good", 1..=10),
        // The same record twice is two rows of the same event.
        numbered("odd-good", 10..=12),
    ];
    check(
        "kinesis-odd-records.json",
        19,
        0,
        &[("bad_record", 6)],
        &ids.concat(),
    );
}

#[test]
fn lines_of_an_aggregated_record_become_rows_in_their_order() {
    check(
        "kinesis-aggregated.json",
        3,
        0,
        &[],
        &numbered("aggregated", 0..=4),
    );
}

#[test]
fn the_files_hold_addresses_of_documentation_only() {
    for file in event_files() {
        let event: Value = serde_json::from_str(&file.json).unwrap();
        for record in event["Records"].as_array().unwrap() {
            let data = record["kinesis"]["data"].as_str().unwrap_or_default();
            let data = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data);
            let text = String::from_utf8_lossy(&data.unwrap_or_default()).into_owned();
            let addresses = text.split(['\t', '\n']).filter(|column| {
                let is_v4 = column
                    .split('.')
                    .filter(|part| part.parse::<u8>().is_ok())
                    .count()
                    == 4;
                is_v4 || column.contains("::")
            });
            for address in addresses {
                let documented = ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"];
                assert!(
                    documented.iter().any(|range| address.starts_with(range)),
                    "{address}"
                );
            }
        }
    }
}
