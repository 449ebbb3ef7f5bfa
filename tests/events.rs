//! The Lambda inputs under `events/`: each is what its generator writes, and each of its lines has a fate.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails, in its helpers too"
)]

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use log_batch::ports::{
    Clock, DerivedSalt, Entry, EntryOutcome, Outlet, OutletLimits, Ports, PutError, Randomness,
};
use log_batch::{BatchSettings, Report, Verdict, handle_event};
use pipeline_tests::event_files::{event_files, folder};
use pixel_log::Timestamp;
use serde_json::Value;

/// Keeps what is put.
#[derive(Default)]
struct Shelf(Mutex<Vec<Vec<u8>>>);

impl Outlet for Shelf {
    const LIMITS: OutletLimits = OutletLimits::KINESIS;

    async fn put(&self, entries: &[Entry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        let mut shelf = self.0.lock().unwrap();
        shelf.extend(entries.iter().map(|entry| entry.data.to_vec()));
        Ok(vec![EntryOutcome::Stored; entries.len()])
    }
}

/// Stands still on 2025-11-02.
struct Standstill;

impl Clock for Standstill {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_762_041_600_000).unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _time: Duration) {
        std::future::pending::<()>().await;
    }
}

impl Randomness for Standstill {
    fn next(&self) -> u64 {
        7
    }
}

/// Handles an event; says what came of it and the ids of the requests whose rows were stored.
fn handle(event: &[u8]) -> (Report, Vec<String>) {
    let ports = Ports {
        events: Shelf::default(),
        failed_events: Shelf::default(),
        clock: Standstill,
        randomness: Standstill,
        salt: DerivedSalt::new(None),
    };
    let settings = BatchSettings::default();
    let mut handled = pin!(handle_event(event, &settings, &ports, Duration::from_mins(1)));
    let Poll::Ready(report) = handled.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("nothing here waits");
    };
    let mut ids = Vec::new();
    for blob in ports.events.0.lock().unwrap().iter() {
        let mut read = |row: &[u8]| {
            let row: Value = serde_json::from_slice(row).unwrap();
            ids.push(row["request_id"].as_str().unwrap_or_default().to_owned());
        };
        match kpl::deaggregate(blob).unwrap() {
            kpl::Payload::Plain(row) => read(row),
            kpl::Payload::Aggregated(rows) => rows.iter().for_each(|row| read(row.data)),
        }
    }
    (report.unwrap(), ids)
}

/// Handles the file of that name and checks its counts.
fn check(name: &str, records: u64, requests: u64, failed: &[(&'static str, u64)], ids: &[String]) {
    let file = event_files().into_iter().find(|file| file.name == name).unwrap();
    let (report, stored) = handle(file.json.as_bytes());
    assert_eq!(report.verdict, Verdict::Delivered);
    assert!(report.conserved);
    assert_eq!(report.counts.records, records);
    assert_eq!(report.counts.requests, requests);
    let failed: BTreeMap<_, _> = failed.iter().copied().collect();
    assert_eq!(report.counts.failed, failed);
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
