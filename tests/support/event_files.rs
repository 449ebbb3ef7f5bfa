//! The Lambda inputs under `events/`, one situation per file.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kpl::{Aggregator, Limits, Pushed};

use crate::log_stream::{ARRIVAL, Batch, Hit, event_json, record_json, sequence_number};

/// A file under `events/` and what it holds.
pub struct EventFile {
    /// The file's name.
    pub name: &'static str,
    /// Its contents.
    pub json: String,
}

/// The folder of the files.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../events"))
}

/// All of them.
pub fn event_files() -> Vec<EventFile> {
    let file = |name, json| EventFile { name, json };
    vec![
        file("kinesis-one-line.json", one_line()),
        file("kinesis-mixed-batch.json", mixed_batch()),
        file("kinesis-odd-records.json", odd_records()),
        file("kinesis-aggregated.json", aggregated()),
    ]
}

fn text(batch: &Batch) -> String {
    String::from_utf8(batch.json()).unwrap()
}

/// One record with one line, as on a quiet stream.
fn one_line() -> String {
    let line = Hit::default().line("one-line-1==");
    text(&Batch::new([format!("{line}\n").into_bytes()]))
}

/// Good lines, odd ones that are still rows, and broken ones that have to become failed events.
fn mixed_batch() -> String {
    let good = Hit::default();
    let with_newline = |line: String| format!("{line}\n").into_bytes();
    let records = [
        with_newline(good.line("mixed-good-1==")),
        // Without a newline, and with that of another system.
        good.line("mixed-good-2==").into_bytes(),
        format!("{}\r\n", good.line("mixed-good-3==")).into_bytes(),
        // Three lines in one record, the second of them empty.
        format!("{}\n\n{}\n", good.line("mixed-good-4=="), good.line("mixed-good-5==")).into_bytes(),
        // IPv6, no query, and an agent that is not UTF-8.
        with_newline(
            Hit {
                address: "2001:db8:85a3::8a2e:370:7334",
                query: "",
                user_agent: "caf%E9",
                ..good
            }
            .line("mixed-odd-1=="),
        ),
        // Several events in one hit: `b` is a JSON array.
        with_newline(
            Hit {
                query: "b=%255B%257B%2522e%2522%253A%2522view%2522%257D%252C%257B%2522e%2522%253A%2522add%2522%257D%255D",
                ..good
            }
            .line("mixed-odd-2=="),
        ),
        // A viewer that left before the answer: the hit counts.
        with_newline(Hit { status: "000", ..good }.line("mixed-odd-3==")),
        // No pixel, a hit that was refused, and one that was sent on to HTTPS: rows with the event `request`.
        with_newline(
            Hit {
                path: "/favicon.ico",
                query: "",
                ..good
            }
            .line("mixed-request-1=="),
        ),
        with_newline(Hit { status: "403", ..good }.line("mixed-request-2==")),
        with_newline(Hit { status: "301", ..good }.line("mixed-request-3==")),
        // No fields, too few, one too many.
        b"no log line at all\n".to_vec(),
        with_newline("1761980400.123\t192.0.2.10\t200".to_owned()),
        with_newline(good.line("mixed-broken-1==") + "\t-"),
        // Nothing.
        Vec::new(),
        // A time that is none, and one that is long past.
        with_newline(
            Hit {
                timestamp: "yesterday",
                ..good
            }
            .line("mixed-broken-2=="),
        ),
        with_newline(
            Hit {
                timestamp: "0.000",
                ..good
            }
            .line("mixed-broken-3=="),
        ),
        // Several events in one hit, in JSON that breaks off.
        with_newline(
            Hit {
                query: "b=%255B%257B",
                ..good
            }
            .line("mixed-broken-4=="),
        ),
        // No text.
        vec![0xff, 0xfe, 0x00, 0x1f, 0x8b],
        with_newline(good.line("mixed-good-6==")),
    ];
    text(&Batch::new(records))
}

/// Records of other shapes than the documented one. Good data counts, whatever stands around it.
fn odd_records() -> String {
    let data = |id: &str| STANDARD.encode(format!("{}\n", Hit::default().line(id)));
    let number = sequence_number;
    let record = |position: usize, members: String| record_json(&number(position), &members);
    let usual = |position: usize, id: &str| {
        format!(
            r#""sequenceNumber":"{}","data":"{}","approximateArrivalTimestamp":{ARRIVAL}"#,
            number(position),
            data(id)
        )
    };
    let at = |position: usize, id: &str, arrival: &str| {
        let sequence_number = number(position);
        record(
            position,
            format!(
                r#""sequenceNumber":"{sequence_number}","data":"{}","approximateArrivalTimestamp":{arrival}"#,
                data(id)
            ),
        )
    };
    event_json(&[
        record(0, usual(0, "odd-good-1==")),
        // Data that is not base64, null, a number, or not there.
        record(
            1,
            format!(r#""sequenceNumber":"{}","data":"not*base64""#, number(1)),
        ),
        record(2, format!(r#""sequenceNumber":"{}","data":null"#, number(2))),
        record(3, format!(r#""sequenceNumber":"{}","data":7"#, number(3))),
        record(4, format!(r#""sequenceNumber":"{}""#, number(4))),
        // No sequence number, and one that is none.
        record(5, format!(r#""data":"{}""#, data("odd-good-2=="))),
        record(
            6,
            format!(r#""sequenceNumber":"first","data":"{}""#, data("odd-good-3==")),
        ),
        // A word that no list of encryption types holds, and a member that nobody knows.
        record(
            7,
            format!(
                r#"{},"encryptionType":"ROT13","tomorrow":{{"a":[1]}}"#,
                usual(7, "odd-good-4==")
            ),
        ),
        // Times of arrival.
        at(8, "odd-good-5==", "1761980401"),
        at(9, "odd-good-6==", "1.76198040125E9"),
        at(10, "odd-good-7==", r#""2025-11-01T07:00:01Z""#),
        at(11, "odd-good-8==", "null"),
        at(12, "odd-good-9==", "-1"),
        // The same sequence number twice.
        record(13, usual(13, "odd-good-10==")),
        record(13, usual(13, "odd-good-10==")),
        // Records that are not objects.
        "null".to_owned(),
        "7".to_owned(),
        // No members around `kinesis`.
        format!(r#"{{"kinesis":{{{}}}}}"#, usual(17, "odd-good-11==")),
        record(18, usual(18, "odd-good-12==")),
    ])
}

/// Lines that a producer put in the KPL format on the log stream, between two plain records.
fn aggregated() -> String {
    let line = |id: &str| format!("{}\n", Hit::default().line(id)).into_bytes();
    let mut aggregator = Aggregator::new(Limits {
        max_bytes: 51_200,
        max_user_records: 500,
        max_record_bytes: 1 << 20,
    });
    for id in ["aggregated-1==", "aggregated-2==", "aggregated-3=="] {
        assert_eq!(aggregator.push("producer", None, &line(id)), Pushed::Added);
    }
    let blobs = aggregator.finish();
    let blob = blobs.get(0).expect("one blob").bytes.to_vec();
    text(&Batch::new([
        line("aggregated-0=="),
        blob,
        line("aggregated-4=="),
    ]))
}
