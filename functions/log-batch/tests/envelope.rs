//! Events that Lambda might hand over: what is read, what becomes a failed event, what is refused whole.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod support;

use kpl::{Aggregator, Limits, Pushed};
use log_batch::{BatchOutcome, Envelope, EnvelopeRecord, Origin, Verdict, handle_event};
use serde_json::Value;
use support::{
    Firehose, Kinesis, Scripted, VirtualClock, documents, event, ids, line, now, ports, record, settings,
};

const TEN_SECONDS: std::time::Duration = std::time::Duration::from_secs(10);

struct Handled {
    outcome: BatchOutcome,
    rows: Vec<String>,
    failures: Vec<Value>,
}

fn handle(event: &[u8]) -> Option<Handled> {
    let clock = VirtualClock::default();
    let ports = ports(
        &clock,
        Scripted::<Kinesis>::new(&clock, []),
        Scripted::<Firehose>::new(&clock, []),
    );
    let settings = settings(5_120);
    let outcome = clock
        .run(handle_event(event, &settings, &ports, TEN_SECONDS), None)
        .unwrap()
        .ok()?;
    let failures = ports.failed_events.stored();
    Some(Handled {
        outcome,
        rows: ports.events.stored_ids(),
        failures: failures.iter().flat_map(|put| documents(&put.data)).collect(),
    })
}

/// The record with one piece of its JSON replaced, between two good ones.
fn between_good_ones(from: &str, to: &str) -> Handled {
    let odd = record("200", line("odd").as_bytes());
    assert!(from.is_empty() || odd.contains(from), "{from}");
    let odd = if from.is_empty() {
        to.to_owned()
    } else {
        odd.replacen(from, to, 1)
    };
    let records = [
        record("100", line("before").as_bytes()),
        odd,
        record("300", line("after").as_bytes()),
    ];
    handle(&event(&records)).unwrap_or_else(|| panic!("the event was refused for {to}"))
}

#[test]
fn an_event_without_records_is_refused_or_done() {
    for refused in [
        "",
        "{}",
        "null",
        "[]",
        r#"{"Records":null}"#,
        r#"{"records":[]}"#,
        r#"{"Records":[{}"#,
    ] {
        assert!(handle(refused.as_bytes()).is_none(), "{refused}");
    }
    let empty = handle(br#"{"Records":[]}"#).unwrap();
    assert_eq!(
        (empty.outcome.verdict, empty.outcome.counts.records),
        (Verdict::Delivered, 0)
    );
}

#[test]
fn a_refusal_says_where_and_not_what() {
    // NaN is not JSON (RFC 8259): nothing says where such a record would end.
    let error = Envelope::parse(b"{\"Records\":[\n{\"secret\":NaN}]}")
        .err()
        .unwrap();
    let text = error.to_string();
    assert!(text.contains("line 2"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn an_odd_member_does_not_make_good_data_bad() {
    let deep = format!(r#""deep":{}1{},"data":"#, "[".repeat(10_000), "]".repeat(10_000));
    for (from, to) in [
        (r#""eventID":"shardId-000000000006:200""#, r#""eventID":5"#),
        (r#""eventID":"shardId-000000000006:200","#, ""),
        (r#""kinesisSchemaVersion":"1.0""#, r#""encryptionType":"FUTURE""#),
        (r#""kinesisSchemaVersion":"1.0""#, r#""encryptionType":null"#),
        (
            r#""kinesisSchemaVersion":"1.0""#,
            r#""new":{"a":[1,2,{"b":null}]}"#,
        ),
        (r#""eventName":"aws:kinesis:record""#, r#""eventName":[]"#),
        (r#""eventSource":"aws:kinesis""#, r#""eventSource":"aws:sqs""#),
        (
            r#""awsRegion":"eu-central-1""#,
            r#""awsRegion":"a","awsRegion":"b""#,
        ),
        (
            r#""partitionKey":"1""#,
            r#""partitionKey":"1","partitionKey":"2""#,
        ),
        (r#""sequenceNumber":"200""#, r#""sequenceNumber":null"#),
        (r#""sequenceNumber":"200","#, ""),
        (r#""sequenceNumber":"200""#, r#""sequenceNumber":200"#),
        (
            r#""sequenceNumber":"200""#,
            r#""sequenceNumber":"200","sequenceNumber":"201""#,
        ),
        (
            r#""approximateArrivalTimestamp":1793491200.9"#,
            r#""approximateArrivalTimestamp":null"#,
        ),
        (
            r#""approximateArrivalTimestamp":1793491200.9"#,
            r#""approximateArrivalTimestamp":"1793491200.9""#,
        ),
        (
            r#""approximateArrivalTimestamp":1793491200.9"#,
            r#""approximateArrivalTimestamp":1.7934912e9"#,
        ),
        (
            r#""approximateArrivalTimestamp":1793491200.9"#,
            r#""approximateArrivalTimestamp":-1"#,
        ),
        (
            r#""approximateArrivalTimestamp":1793491200.9"#,
            r#""approximateArrivalTimestamp":0"#,
        ),
        (
            r#""approximateArrivalTimestamp":1793491200.9"#,
            r#""approximateArrivalTimestamp":1793491200900"#,
        ),
        (
            r#""eventSourceARN":"arn:aws:kinesis:eu-central-1:111122223333:stream/logs""#,
            r#""eventSourceARN":{}"#,
        ),
        (r#""data":"#, deep.as_str()),
    ] {
        let handled = between_good_ones(from, to);
        let short: String = to.chars().take(60).collect();
        assert_eq!(handled.rows, ["before", "odd", "after"], "{short}");
        assert_eq!(handled.outcome.verdict, Verdict::Delivered, "{short}");
        assert!(handled.failures.is_empty(), "{short}");
    }
}

#[test]
fn a_record_without_readable_data_is_one_failed_event_between_good_rows() {
    let data = format!(r#""data":"{}""#, {
        let odd = record("200", line("odd").as_bytes());
        odd.split(r#""data":""#)
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    });
    let deep = format!(r#""data":{}{}"#, "[".repeat(10_000), "]".repeat(10_000));
    for (from, to) in [
        (data.as_str(), r#""data":"@@@""#),
        (data.as_str(), r#""data":"YQ""#),
        (data.as_str(), r#""data":"YQ==\n""#),
        (data.as_str(), r#""data":null"#),
        (data.as_str(), r#""data":7"#),
        (data.as_str(), r#""other":1"#),
        (data.as_str(), deep.as_str()),
    ] {
        let handled = between_good_ones(from, to);
        let short: String = to.chars().take(40).collect();
        assert_eq!(handled.rows, ["before", "after"], "{short}");
        assert_eq!(handled.outcome.verdict, Verdict::Delivered, "{short}");
        let [failure] = handled.failures.as_slice() else {
            panic!("{short}")
        };
        assert_eq!(failure["reason"], "bad_record", "{short}");
        assert_eq!(failure["sequence_number"], "200", "{short}");
        assert_eq!(failure["shard"], "shardId-000000000006", "{short}");
        assert!(
            failure["source"].as_str().unwrap().ends_with("stream/logs"),
            "{short}"
        );
    }
    for whole in [
        "null",
        "1",
        "\"text\"",
        "[]",
        "{}",
        r#"{"kinesis":null}"#,
        r#"{"kinesis":{}}"#,
    ] {
        let handled = between_good_ones("", whole);
        assert_eq!(handled.rows, ["before", "after"], "{whole}");
        assert_eq!(handled.failures.len(), 1, "{whole}");
        // The record's own JSON is what is kept. `printf null | base64` gives bnVsbA==.
        if whole == "null" {
            assert_eq!(handled.failures[0]["raw_base64"], "bnVsbA==");
        }
    }
}

#[test]
fn empty_data_is_an_empty_line() {
    let handled = handle(&event(&[record("1", b"")])).unwrap();
    assert_eq!(handled.failures[0]["reason"], "empty");
    assert_eq!(handled.outcome.verdict, Verdict::Delivered);
}

#[test]
fn an_escaped_slash_in_the_data_is_the_same_data() {
    // "???" is Pz8/ in base64, and a JSON writer may escape the slash.
    let json = br#"{"Records":[{"kinesis":{"data":"Pz8\/","sequenceNumber":"1"}}]}"#;
    let envelope = Envelope::parse(json).unwrap();
    assert_eq!((envelope.len(), envelope.is_empty()), (1, false));
    let mut records = envelope.records(now());
    let first = records.next_record().unwrap();
    assert!(matches!(first, (0, EnvelopeRecord::Good(record)) if record.data == b"???"));
}

#[test]
fn arrival_times_are_read_exactly() {
    for (text, millis) in [
        ("1545084650.9", Some(1_545_084_650_900)),
        ("1545084650.09", Some(1_545_084_650_090)),
        ("1545084650.987", Some(1_545_084_650_987)),
        ("1545084650.9876543", Some(1_545_084_650_987)),
        ("1545084650", Some(1_545_084_650_000)),
        ("0", None), // older than any log: the time of reading stands in
        ("1e9", None),
        ("\"1545084650.9\"", None),
        ("null", None),
        ("{}", None),
    ] {
        let json = format!(
            r#"{{"Records":[{{"kinesis":{{"data":"","sequenceNumber":"1","approximateArrivalTimestamp":{text}}}}}]}}"#
        );
        let envelope = Envelope::parse(json.as_bytes()).unwrap();
        let mut records = envelope.records(now());
        let Some((_, EnvelopeRecord::Good(record))) = records.next_record() else {
            panic!("{text}");
        };
        assert_eq!(
            record.arrival.as_millis(),
            millis.unwrap_or(now().as_millis()),
            "{text}"
        );
    }
}

#[test]
fn sequence_numbers_are_those_of_the_api() {
    let long = "9".repeat(129);
    let too_long = "9".repeat(130);
    for (text, usable) in [
        ("0", true),
        ("49590338271490256608559692538361571095921575989136588898", true),
        (long.as_str(), true),
        (too_long.as_str(), false),
        ("007", false),
        ("", false),
        ("-1", false),
        ("1a", false),
        ("١", false),
    ] {
        let json = format!(r#"{{"Records":[{{"kinesis":{{"data":"","sequenceNumber":"{text}"}}}}]}}"#);
        let envelope = Envelope::parse(json.as_bytes()).unwrap();
        let mut records = envelope.records(now());
        let Some((_, EnvelopeRecord::Good(record))) = records.next_record() else {
            panic!("{text}");
        };
        assert_eq!(record.sequence_number(), usable.then_some(text), "{text}");
    }
}

#[test]
fn several_lines_in_one_record_are_several_rows() {
    let data = [
        line("a"),
        line("b").replace('\n', "\r\n"),
        line("c").trim_end().to_owned(),
    ]
    .concat();
    let handled = handle(&event(&[record("1", data.as_bytes())])).unwrap();
    assert_eq!(handled.rows, ["a", "b", "c"]);
    // A second newline is an empty line, and has its fate as well.
    let handled = handle(&event(&[record("1", format!("{}\n", line("a")).as_bytes())])).unwrap();
    assert_eq!(handled.rows, ["a"]);
    assert_eq!(handled.failures[0]["reason"], "empty");
    assert_eq!(handled.failures[0]["line_index"], 1);
    assert_eq!(handled.outcome.counts.lines, 2);
}

#[test]
fn lines_in_an_aggregated_record_are_read_and_a_bad_index_is_one_failed_event() {
    // Bytes of the format's own description, with the line as data and a digest by another MD5.
    let line = line("inside");
    let record_of = |index: u8| {
        let body = [
            &[0x08, index, 0x1a, u8::try_from(line.len()).unwrap()],
            line.as_bytes(),
        ]
        .concat();
        [
            &[0x0a, 0x01, b'k', 0x1a, u8::try_from(body.len()).unwrap()][..],
            &body,
        ]
        .concat()
    };
    let wrap = |protobuf: &[u8]| {
        use md5::Digest as _;
        [
            &[0xf3, 0x89, 0x9a, 0xc2][..],
            protobuf,
            &md5::Md5::digest(protobuf),
        ]
        .concat()
    };
    let good = handle(&event(&[record("1", &wrap(&record_of(0)))])).unwrap();
    assert_eq!(good.rows, ["inside"]);
    let bad = handle(&event(&[record("1", &wrap(&record_of(1)))])).unwrap();
    assert_eq!(
        (bad.rows.len(), &bad.failures[0]["reason"]),
        (0, &Value::from("kpl_index"))
    );
    let mut damaged = wrap(&record_of(0));
    *damaged.last_mut().unwrap() ^= 1;
    let damaged = handle(&event(&[record("1", &damaged)])).unwrap();
    assert_eq!(damaged.outcome.counts.good_lines, 0);
    assert_eq!(damaged.outcome.verdict, Verdict::Delivered);
}

#[test]
fn a_record_of_newlines_is_one_failed_event() {
    let handled = handle(&event(&[record("1", &vec![b'\n'; 1 << 20])])).unwrap();
    let [failure] = handled.failures.as_slice() else {
        panic!()
    };
    assert_eq!(failure["reason"], "too_many_lines");
    assert_eq!(failure["raw_bytes"], 1 << 20);
}

/// A record in the KPL format of user records with so many lines each.
fn aggregated(lines_of: &[usize]) -> Vec<u8> {
    let mut aggregator = Aggregator::new(Limits {
        max_bytes: 1 << 20,
        max_user_records: lines_of.len(),
        max_record_bytes: 1 << 20,
    });
    for &lines in lines_of {
        let data = line("r").repeat(lines);
        assert_eq!(aggregator.push("k", None, data.as_bytes()), Pushed::Added);
    }
    aggregator.finish().get(0).unwrap().bytes.to_vec()
}

#[test]
fn a_record_holds_at_most_10_000_lines_however_they_are_put_together() {
    let good = |data: &[u8]| {
        let handled = handle(&event(&[record("1", data)])).unwrap();
        assert_eq!((handled.rows.len(), handled.failures.len()), (10_000, 0));
    };
    let too_many = |data: &[u8]| {
        let handled = handle(&event(&[record("1", data)])).unwrap();
        assert_eq!((handled.rows.len(), handled.failures.len()), (0, 1));
        assert_eq!(handled.failures[0]["reason"], "too_many_lines");
        assert_eq!(handled.failures[0]["raw_bytes"], data.len());
        assert_eq!(
            (handled.outcome.counts.lines, handled.outcome.conserved),
            (1, true)
        );
    };
    good(line("r").repeat(10_000).as_bytes());
    too_many(line("r").repeat(10_001).as_bytes());
    good(&aggregated(&[1_000; 10]));
    too_many(&aggregated(&[&[1_000; 10][..], &[1]].concat()));
}

#[test]
fn a_batch_comes_from_where_its_first_record_says() {
    let origin = |records: &[String]| handle(&event(records)).unwrap().outcome.origin;
    let from = |number: &str| Origin {
        source: "arn:aws:kinesis:eu-central-1:111122223333:stream/logs".to_owned(),
        shard: "shardId-000000000006".to_owned(),
        first_sequence_number: number.to_owned(),
    };
    let [first, second] = ["100", "101"].map(|number| record(number, b"x"));
    assert_eq!(origin(&[first.clone(), second.clone()]), from("100"));
    let broken = first.replace(r#""data":""#, r#""data":"@"#);
    assert_eq!(origin(&[broken, second.clone()]), from("100"));
    // Empty where the first does not say, whatever the second does.
    assert_eq!(origin(&["{}".to_owned(), second]), Origin::default());
    assert_eq!(origin(&[]), Origin::default());
}

#[test]
fn broken_events_never_panic() {
    let good = event(&[record("1", line("a").as_bytes()), record("2", b"\xff")]);
    for cut in 0..good.len() {
        assert!(handle(&good[..cut]).is_none(), "{cut}");
    }
    for at in 0..good.len() {
        for byte in [0, b'"', b'{', b'\\', 0xff] {
            let mut event = good.clone();
            event[at] = byte;
            if let Some(handled) = handle(&event) {
                assert!(handled.outcome.conserved, "{at} {byte}");
                assert_eq!(handled.outcome.verdict, Verdict::Delivered, "{at} {byte}");
            }
        }
    }
    assert_eq!(ids(b"{}"), Vec::<String>::new());
}
