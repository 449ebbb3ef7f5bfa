//! The engine behind Athena asks a lake through the catalog of the template.
//!
//! `.ci/athena/run` runs it, beside Trino and stand-ins for S3 and Glue. The rows are those that the function
//! delivered in the stage before. What Trino answers is compared with plain loops over these rows, which know
//! nothing of SQL, and with `pixlake query` over the same objects.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a panic is how a test fails, in its functions too"
)]

mod abnormal;
mod answer;
mod deployment;
mod http;
mod lake;
mod landed;
mod oracle;
mod trino;
mod try_stack;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::Answer;
use crate::deployment::Deployment;
use crate::lake::{DATABASE, LAKE};
use crate::landed::{all_columns, all_failed_events, each_once};
use crate::trino::Scan;

/// What makes a row of `events` one event.
const EVENT: &[&str] = &["ts_server", "event_key"];
/// And a row of `failed_events` one failure.
const FAILED_EVENT: &[&str] = &["failure_key"];

fn agree(what: &str, expected: &Answer, found: &Answer) {
    if let Some(difference) = expected.difference(found) {
        panic!("{what}: {difference}");
    }
}

/// The quietest day of those with enough rows to prove something.
fn quiet_day() -> String {
    let mut days: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &LAKE.events {
        *days.entry(event.dt()).or_default() += 1;
    }
    days.retain(|_, rows| *rows >= 10_000);
    let (day, _) = days.iter().min_by_key(|(_, rows)| **rows).unwrap();
    (*day).to_owned()
}

#[test]
fn a_day_of_events_is_what_was_delivered_each_once() {
    let day = quiet_day();
    let sql = format!("SELECT * FROM events WHERE dt = '{day}'");
    let events = each_once(&LAKE.events);
    let expected = all_columns(events.into_iter().filter(|event| event.dt() == day)).sorted_by(EVENT);
    let found = LAKE.trino.query(DATABASE, &sql).unwrap();
    assert_eq!(found.columns, expected.columns, "names and types");
    let pixlake = LAKE.pixlake_query(&sql, &found.columns).sorted_by(EVENT);
    agree("Trino", &expected, &found.sorted_by(EVENT));
    agree("pixlake query", &expected, &pixlake);
}

#[test]
fn what_landed_is_all_that_was_delivered() {
    assert!(
        each_once(&LAKE.events).len() < LAKE.events.len(),
        "without a row that came twice the view proves nothing"
    );
    for (sql, rows) in [
        ("SELECT count(*) FROM events_landed", LAKE.events.len()),
        ("SELECT count(*) FROM events", each_once(&LAKE.events).len()),
        (
            "SELECT count(*) FROM failed_events_landed",
            LAKE.failed_events.len(),
        ),
    ] {
        assert_eq!(LAKE.trino.cell(DATABASE, sql), answer::Cell::count(rows), "{sql}");
    }
}

#[test]
fn failed_events_are_what_was_delivered_each_once() {
    let sql = "SELECT * FROM failed_events";
    let expected = all_failed_events(&LAKE.failed_events).sorted_by(FAILED_EVENT);
    let found = LAKE.trino.query(DATABASE, sql).unwrap();
    assert_eq!(found.columns, expected.columns, "names and types");
    let pixlake = LAKE.pixlake_query(sql, &found.columns).sorted_by(FAILED_EVENT);
    agree("Trino", &expected, &found.sorted_by(FAILED_EVENT));
    agree("pixlake query", &expected, &pixlake);
}

#[test]
fn each_named_query_answers_as_plain_loops_and_pixlake_do() {
    let events = each_once(&LAKE.events);
    for (name, sql) in LAKE.deployment.named_queries() {
        let (days, found) = loop {
            let days = LAKE.last_seven_days();
            let found = LAKE
                .trino
                .query(DATABASE, &sql)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            // At midnight the question becomes another one.
            if days == LAKE.last_seven_days() {
                break (days, found);
            }
        };
        let expected = oracle::answer(name, &events, &days);
        assert!(!expected.rows.is_empty(), "{name} proves nothing");
        agree(&format!("{name}, Trino"), &expected, &found);
        let pixlake = LAKE.pixlake_report(name, &days, &found.columns);
        agree(&format!("{name}, pixlake query"), &expected, &pixlake);
    }
}

/// A scan of the landing table's partitions of these days, in all hours.
fn scan_of<'a>(days: impl IntoIterator<Item = &'a String>) -> Scan {
    Scan {
        table: "events_landed".to_owned(),
        days: Some(days.into_iter().cloned().collect()),
        hours: Some((0..24).map(|hour| format!("{hour:02}")).collect()),
    }
}

#[test]
fn each_query_scans_its_own_partitions_only() {
    // With the template's own first day there are many more partitions than those of a question.
    let since_long = Deployment::new("since_long", &[]);
    Deployment::create(&[&since_long], None);
    let scans = |sql: &str| LAKE.trino.scans(&since_long.database, sql);
    for (name, sql) in since_long.named_queries() {
        let (days, scans) = loop {
            let (days, scans) = (LAKE.last_seven_days(), scans(&sql));
            if days == LAKE.last_seven_days() {
                break (days, scans);
            }
        };
        assert!(!scans.is_empty(), "{name} reads nothing");
        for scan in scans {
            assert_eq!(scan, scan_of(&days), "{name}");
        }
    }
    let day = quiet_day();
    let one_day = format!("SELECT * FROM events WHERE dt = '{day}'");
    assert_eq!(scans(&one_day), [scan_of([&day])]);
    let one_hour = Scan {
        hours: Some(BTreeSet::from(["07".to_owned()])),
        ..scan_of([&day])
    };
    assert_eq!(scans(&format!("{one_day} AND hour = '07'")), [one_hour]);
    // And what such a check says of a question without a range.
    assert_ne!(scans("SELECT count(*) FROM events"), [scan_of([&day])]);
}
