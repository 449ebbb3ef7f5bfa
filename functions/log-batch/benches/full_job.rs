//! The full job: from the bytes of a Lambda event to finished blobs, on one core.
//!
//! `cargo bench -p log-batch`. The job is checked against an expectation that comes from the lines alone
//! before it is timed, and its blobs are de-aggregated. `FULL_JOB_EVENT=path` writes the event of uniform
//! lines, so that another implementation can be timed on the same bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that fails says so and stops"
)]

mod support;

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use kpl::Payload;
use log_batch::{BatchOutcome, Envelope, EnvelopeRecord, Verdict};
use md5::{Digest as _, Md5};
use pixel_log::Field;
use pixel_log::fields::FIELD_COUNT;

use support::{Blobs, Given, RECORDS, given, job, now};

fn main() {
    for given in given() {
        let event = given.event();
        let kept = Some(Mutex::default());
        let (outcome, blobs) = job(&event, Blobs { kept });
        check(&outcome, &blobs.kept.unwrap().into_inner().unwrap(), &given);
        if given.name == "uniform"
            && let Some(path) = event_path()
        {
            std::fs::write(path, &event).expect("the event is written");
        }
        let Times { job, md5 } = times(
            || drop(black_box(job(black_box(&event), Blobs::default()))),
            || {
                for line in &given.lines {
                    black_box(Md5::digest(black_box(line)));
                }
            },
        );
        let (name, bytes, md5s) = (given.name, given.line_bytes(), job / md5);
        println!(
            "full job, {name}: {job:.0} ns per line of {bytes} bytes, {md5s:.2} times its MD5 of {md5:.0} ns (medians of {RUNS} runs)"
        );
    }
    divan::main();
}

#[divan::bench(args = [0, 1])]
fn full_job(bencher: divan::Bencher<'_, '_>, which: usize) {
    let event = given()[which].event();
    bencher
        .counter(divan::counter::ItemsCount::new(RECORDS))
        .bench_local(|| job(black_box(&event), Blobs::default()));
}

#[divan::bench]
fn envelope_alone(bencher: divan::Bencher<'_, '_>) {
    let event = given()[0].event();
    bencher
        .counter(divan::counter::ItemsCount::new(RECORDS))
        .bench_local(|| {
            let envelope = Envelope::parse(black_box(&event)).unwrap();
            let (mut records, mut good) = (envelope.records(now()), 0);
            while let Some((_, record)) = records.next_record() {
                good += usize::from(matches!(record, EnvelopeRecord::Good(_)));
            }
            good
        });
}

fn event_path() -> Option<std::ffi::OsString> {
    #[expect(clippy::disallowed_methods, reason = "a bench has no settings")]
    std::env::var_os("FULL_JOB_EVENT")
}

/// Runs of each of the two.
const RUNS: usize = 15;

/// Processor time for each line, in nanoseconds, medians.
struct Times {
    job: f64,
    md5: f64,
}

/// Measures the two in turn, so that both meet the same machine.
fn times(mut job: impl FnMut(), mut md5: impl FnMut()) -> Times {
    let (mut jobs, mut md5s) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        jobs.push(ns_per_line(&mut job));
        md5s.push(ns_per_line(&mut md5));
    }
    let median = |mut runs: Vec<f64>| {
        runs.sort_by(f64::total_cmp);
        runs[RUNS / 2]
    };
    Times {
        job: median(jobs),
        md5: median(md5s),
    }
}

fn ns_per_line(job: &mut impl FnMut()) -> f64 {
    // Of this thread, to the nanosecond: other work on the machine then counts less.
    let (begun, cpu, mut lines) = (Instant::now(), ThreadTime::now(), 0);
    while begun.elapsed() < Duration::from_millis(100) {
        job();
        lines += RECORDS;
    }
    cpu.elapsed().as_secs_f64() * 1e9 / f64::from(u32::try_from(lines).unwrap_or(u32::MAX))
}

/// Every line has the rows that whoever wrote it says, with their ids and the facts of the line, in order, in
/// blobs within the cap; what has none is a failed event.
fn check(outcome: &BatchOutcome, blobs: &[Vec<u8>], given: &Given) {
    assert_eq!((&outcome.verdict, outcome.conserved), (&Verdict::Delivered, true));
    let broken = given.events.iter().filter(|&&events| events == 0).count();
    assert_eq!(outcome.counts.failed_events(), broken as u64);
    let mut rows: Vec<serde_json::Value> = Vec::new();
    let mut blob_bytes = 0;
    for blob in blobs {
        blob_bytes += blob.len() as u64;
        match kpl::deaggregate(blob).unwrap() {
            Payload::Plain(row) => rows.push(serde_json::from_slice(row).unwrap()),
            Payload::Aggregated(some) => {
                assert!(blob.len() <= 5_120);
                rows.extend(some.iter().map(|row| serde_json::from_slice(row.data).unwrap()));
            }
        }
    }
    assert_eq!(rows.len(), given.events.iter().sum::<usize>());
    assert_eq!(outcome.counts.blob_bytes, blob_bytes);
    let mut keys = HashSet::new();
    let mut left = rows.iter();
    for (line, &events) in given.lines.iter().zip(&given.events) {
        for place in 0..events {
            let row = left.next().unwrap();
            assert_eq!(row["batch_index"], place);
            check_row(row, line);
            keys.insert(row["event_key"].to_string());
            if given.name == "uniform" {
                assert_eq!(row["page_host"], "shop.example");
                assert_eq!(row["event_name"], "page_view");
                assert_eq!(row["visitor_day_id"].as_str().map(str::len), Some(32));
            }
        }
    }
    // Some lines of the mixed kind come twice.
    assert!(keys.len() * 100 > rows.len() * 95, "{} keys", keys.len());
}

fn check_row(row: &serde_json::Value, line: &str) {
    let columns: Vec<&str> = line.trim_end_matches(['\r', '\n']).split('\t').collect();
    assert_eq!(columns.len(), FIELD_COUNT);
    let text = |field: Field| Some(columns[field as usize]).filter(|text| !matches!(*text, "-" | ""));
    let number = |field: Field| text(field).and_then(|text| text.parse::<i64>().ok());
    assert_eq!(
        row["request_id"].as_str(),
        text(Field::XEdgeRequestId).filter(|id| id.len() <= 200)
    );
    assert_eq!(row["http_status"].as_i64(), number(Field::ScStatus));
    assert_eq!(row["asn"].as_i64(), number(Field::Asn));
    assert_eq!(row["bytes_sent"].as_i64(), number(Field::ScBytes));
    if let Some(agent) = text(Field::CsUserAgent).filter(|agent| !agent.replace("%20", "").contains('%')) {
        let agent = agent.replace("%20", " ");
        assert!(
            row["user_agent"]
                .as_str()
                .is_some_and(|found| agent.starts_with(found))
        );
    }
    let (_, millis) = text(Field::Timestamp).unwrap().split_once('.').unwrap();
    let time = row["ts_server"].as_str().unwrap();
    assert!(time.ends_with(&format!(".{millis:.3}Z")), "{time}");
}
