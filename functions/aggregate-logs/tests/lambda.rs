//! The function as Lambda runs it: the real binary and the real SDK, between stand-ins for Lambda's Runtime
//! API and for the two services. What counts is said without looking into the code: whatever the function
//! calls done must have been stored, and after the redeliveries that it asks for, everything must.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails, in its helpers too"
)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::time::{Duration, Instant};

use pipeline_tests::aws::{Aws, Fault};
use pipeline_tests::event_files::event_files;
use pipeline_tests::function::{Answer, Ended, Function, FunctionBuilder};
use pipeline_tests::log_stream::{Batch, Hit, STREAM_ARN, base64, event_json, record_json, sequence_number};
use serde_json::{Value, json};

const EVENTS: &str = "events";
const FAILED: &str = "failed-events";
const THROTTLED: &str = "ProvisionedThroughputExceededException";

/// Plenty: nothing that may succeed runs out of it.
const PLENTY: Duration = Duration::from_mins(1);
/// Enough for some tries, for what cannot succeed.
const SOME: Duration = Duration::from_secs(2);

fn builder(aws: &Aws) -> FunctionBuilder {
    FunctionBuilder::new(env!("CARGO_BIN_EXE_aggregate-logs"))
        .aws(aws)
        .env("FAILED_EVENTS_FIREHOSE_NAME", FAILED)
        .env("DEADLINE_MARGIN_MS", "500")
}

fn kpl(aws: &Aws) -> Function {
    builder(aws).env("EVENT_STREAM_NAME", EVENTS).start()
}

fn direct_put(aws: &Aws) -> Function {
    let builder = builder(aws).env("DELIVERY", "DirectPut");
    builder.env("EVENT_FIREHOSE_NAME", EVENTS).start()
}

/// Lines, one in each record, and what has to become of them.
struct Traffic {
    batch: Batch,
    /// The id of the request of a good line, none for a broken one.
    ids: Vec<Option<String>>,
}

impl Traffic {
    /// That many lines, those at these positions broken.
    fn new(lines: usize, broken: &[usize]) -> Traffic {
        let id = |position| format!("request-{position:04}==");
        let line = |position| {
            if broken.contains(&position) {
                return b"no log line\n".to_vec();
            }
            format!("{}\n", Hit::default().line(&id(position))).into_bytes()
        };
        Traffic {
            batch: Batch::new((0..lines).map(line)),
            ids: (0..lines)
                .map(|position| (!broken.contains(&position)).then(|| id(position)))
                .collect(),
        }
    }

    /// Checks that the fate of every line from `begin` to before `end` is stored.
    fn assert_stored(&self, aws: &Aws, begin: usize, end: usize) {
        let (rows, failures) = (rows_by_request(aws), failures_by_record(aws));
        for position in begin..end {
            let stored = match &self.ids[position] {
                Some(id) => rows.contains_key(id),
                None => failures.contains_key(&self.batch.records[position].sequence_number),
            };
            assert!(stored, "the line at {position} is lost");
        }
    }

    /// Checks that every line is stored once and nothing else is.
    fn assert_stored_once(&self, aws: &Aws) {
        self.assert_stored(aws, 0, self.ids.len());
        let (rows, failures) = (rows_by_request(aws), failures_by_record(aws));
        assert!(rows.values().chain(failures.values()).all(|&times| times == 1));
        assert_eq!(rows.len() + failures.len(), self.ids.len());
    }

    /// Invokes the function with the records from `begin` on; says where Lambda would begin again, if it
    /// would, and checks that everything before is stored.
    fn invoke(&self, function: &Function, aws: &Aws, begin: usize, time: Duration) -> Option<usize> {
        let answer = function.invoke(&self.batch.from(begin).json(), time);
        let failures = answer.item_failures();
        assert!(failures.len() <= 1, "one item says where to begin again");
        let again = failures.first().map(|number| self.batch.position(number));
        assert!(again.is_none_or(|position| position >= begin));
        self.assert_stored(aws, begin, again.unwrap_or(self.ids.len()));
        again
    }

    /// Invokes the function as Lambda would, until nothing has to come again.
    fn deliver(&self, function: &Function, aws: &Aws, begin: usize) {
        let mut again = Some(begin);
        for _ in 0..10 {
            let Some(begin) = again else { return };
            again = self.invoke(function, aws, begin, PLENTY);
        }
        panic!("the batch never ends");
    }
}

fn rows_by_request(aws: &Aws) -> BTreeMap<String, usize> {
    count(&aws.documents(EVENTS), "request_id")
}

fn failures_by_record(aws: &Aws) -> BTreeMap<String, usize> {
    count(&aws.documents(FAILED), "sequence_number")
}

fn count(documents: &[Value], column: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for document in documents {
        *counts
            .entry(document[column].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    counts
}

fn puts(line: &Value, which: &str) -> (u64, u64, u64, u64, u64) {
    let count = |name: &str| line[which][name].as_u64().unwrap();
    (
        count("calls"),
        count("throttled"),
        count("failed_entries"),
        count("unknown_calls"),
        count("denied"),
    )
}

#[test]
fn a_healthy_batch_is_stored_once_and_its_ledger_says_so() {
    let aws = Aws::start();
    let function = kpl(&aws);
    let traffic = Traffic::new(42, &[7, 30]);
    assert_eq!(traffic.invoke(&function, &aws, 0, PLENTY), None);
    traffic.assert_stored_once(&aws);

    let calls = aws.calls(EVENTS);
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].target, "Kinesis_20131202.PutRecords");
    assert!(calls[0].entries.len() > 1);
    let mut keys: Vec<_> = calls[0]
        .entries
        .iter()
        .map(|entry| entry.partition_key.clone().unwrap())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(
        keys.len(),
        calls[0].entries.len(),
        "each blob has a partition key of its own"
    );
    assert!(calls[0].entries.iter().all(|entry| entry.data.len() <= 5_120));
    let failed_calls = aws.calls(FAILED);
    assert_eq!(failed_calls.len(), 1);
    assert_eq!(failed_calls[0].target, "Firehose_20150804.PutRecordBatch");

    let line = function.log_line();
    let blob_bytes: usize = aws.stored(EVENTS).iter().map(Vec::len).sum();
    let expected = json!({
        "level": "INFO", "message": "batch", "request_id": "00000000-0000-4000-8000-000000000000",
        "delivery": "Kpl", "stream": STREAM_ARN, "shard": "shardId-000000000000",
        "first_seq": traffic.batch.records[0].sequence_number, "event_bytes": traffic.batch.json().len(),
        "cold_start": true, "records": 42, "lines": 42, "good_lines": 40, "rows": 40, "requests": 0,
        "failed_lines": 2, "failed": {"field_count": 2}, "blobs": calls[0].entries.len(), "blob_bytes": blob_bytes,
        "event_puts": {"calls": 1, "throttled": 0, "failed_entries": 0, "unknown_calls": 0, "denied": 0},
        "failed_event_puts": {"calls": 1, "throttled": 0, "failed_entries": 0, "unknown_calls": 0, "denied": 0},
        "conserved": true, "verdict": "delivered", "retry_position": null, "retry_seq": null,
        "version": log_batch::PIPELINE_VERSION,
    });
    let mut rest = line.as_object().unwrap().clone();
    let (ms, left) = (
        rest.remove("ms").unwrap(),
        rest.remove("deadline_left_ms").unwrap(),
    );
    assert!(ms.as_f64().unwrap() > 0.0 && left.as_u64().unwrap() <= 60_000);
    // As RFC 3339 has it, which Lambda wants of a line in JSON.
    let time = rest.remove("timestamp").unwrap();
    let shape = time.as_str().unwrap().replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
    assert_eq!(Value::Object(rest), expected);

    assert_eq!(traffic.invoke(&function, &aws, 40, PLENTY), None);
    let line = function.log_line();
    assert_eq!((&line["cold_start"], &line["lines"]), (&json!(false), &json!(2)));
}

#[test]
fn an_invocation_mends_what_can_be_mended_and_resends_only_what_was_refused() {
    let traffic = Traffic::new(40, &[]);
    let all = {
        let aws = Aws::start();
        traffic.deliver(&kpl(&aws), &aws, 0);
        aws.calls(EVENTS)[0].entries.len()
    };
    assert!(all > 4);
    let entries = u64::try_from(all).unwrap();
    // The fault of the first call; the entries that have to come again; throttled, failed and unknown.
    for (fault, again, expected) in [
        (Fault::Refuse(vec![1, 3], THROTTLED), vec![1, 3], (2, 0, 0)),
        (Fault::Refuse(vec![0], "InternalFailure"), vec![0], (0, 1, 0)),
        (
            Fault::Refuse(vec![all - 1], "NobodyKnows"),
            vec![all - 1],
            (0, 1, 0),
        ),
        (Fault::NoIdentifier(vec![2]), vec![2], (0, 1, 0)),
        (Fault::OneOutcomeShort, (0..all).collect(), (0, entries, 1)),
        (Fault::NullOutcome, (0..all).collect(), (0, entries, 1)),
        (Fault::Error(400, THROTTLED), (0..all).collect(), (entries, 0, 0)),
        (
            Fault::Error(400, "KMSThrottlingException"),
            (0..all).collect(),
            (entries, 0, 0),
        ),
        (
            Fault::Error(400, "NobodyKnowsException"),
            (0..all).collect(),
            (0, entries, 1),
        ),
        (
            Fault::Error(500, "InternalFailureException"),
            (0..all).collect(),
            (0, entries, 1),
        ),
        (Fault::Status(500), (0..all).collect(), (0, entries, 1)),
        (Fault::Status(503), (0..all).collect(), (0, entries, 1)),
        (Fault::Garbled, (0..all).collect(), (0, entries, 1)),
        (Fault::Truncated, (0..all).collect(), (0, entries, 1)),
        (Fault::Close, (0..all).collect(), (0, entries, 1)),
        (Fault::CloseAfterStoring, (0..all).collect(), (0, entries, 1)),
    ] {
        let aws = Aws::start();
        let function = kpl(&aws);
        aws.fail_next(EVENTS, [fault.clone()]);
        assert_eq!(traffic.invoke(&function, &aws, 0, PLENTY), None, "{fault:?}");
        let calls = aws.calls(EVENTS);
        let resent: Vec<_> = again
            .iter()
            .map(|&index| calls[0].entries[index].clone())
            .collect();
        assert_eq!(calls.len(), 2, "{fault:?}");
        assert!(calls[1].entries == resent, "{fault:?}");
        // Rows come twice only where an answer was lost after the entries were stored.
        let is_double = matches!(
            fault,
            Fault::OneOutcomeShort | Fault::Garbled | Fault::Truncated | Fault::CloseAfterStoring
        );
        let times = if is_double { 2 } else { 1 };
        assert!(
            rows_by_request(&aws).values().all(|&stored| stored == times),
            "{fault:?}"
        );
        let (throttled, failed, unknown) = expected;
        let line = function.log_line();
        assert_eq!(
            puts(&line, "event_puts"),
            (2, throttled, failed, unknown, 0),
            "{fault:?}"
        );
        assert_eq!(line["verdict"], "delivered");
    }
}

#[test]
fn several_faults_after_each_other_match_each_answer_to_the_right_entries() {
    let aws = Aws::start();
    let function = kpl(&aws);
    let traffic = Traffic::new(60, &[]);
    aws.fail_next(
        EVENTS,
        [
            Fault::Refuse(vec![0, 2, 4, 5], THROTTLED),
            // Positions of the second call, which carries four entries: those that were 0 and 5.
            Fault::Refuse(vec![0, 3], "InternalFailure"),
            Fault::NoIdentifier(vec![1]),
        ],
    );
    assert_eq!(traffic.invoke(&function, &aws, 0, PLENTY), None);
    traffic.assert_stored_once(&aws);
    let calls = aws.calls(EVENTS);
    let first = &calls[0].entries;
    assert_eq!(
        calls[1].entries,
        [0, 2, 4, 5].map(|index: usize| first[index].clone())
    );
    assert_eq!(calls[2].entries, [first[0].clone(), first[5].clone()]);
    assert_eq!(calls[3].entries, [first[5].clone()]);
}

#[test]
fn a_hanging_service_costs_one_attempt_and_the_batch_is_delivered() {
    let aws = Aws::start();
    let function = kpl(&aws);
    let traffic = Traffic::new(20, &[]);
    aws.fail_next(EVENTS, [Fault::Hang]);
    assert_eq!(traffic.invoke(&function, &aws, 0, PLENTY), None);
    traffic.assert_stored_once(&aws);
    let line = function.log_line();
    assert_eq!(puts(&line, "event_puts").3, 1);
    // An attempt ends after 3 s; only the operation as a whole may take 8.
    assert!(line["ms"].as_f64().unwrap() < 7_000.0, "{line}");
}

#[test]
fn a_service_that_hangs_on_leaves_time_for_the_answer() {
    let aws = Aws::start();
    let function = kpl(&aws);
    let traffic = Traffic::new(20, &[]);
    aws.fail_always(EVENTS, Fault::Hang);
    assert_eq!(traffic.invoke(&function, &aws, 0, SOME), Some(0));
    let line = function.log_line();
    assert!(line["deadline_left_ms"].as_u64().unwrap() > 0, "{line}");
    assert_eq!(
        (&line["level"], &line["verdict"]),
        (&json!("WARN"), &json!("retry_from"))
    );
    aws.fail_always(EVENTS, Fault::None);
    traffic.deliver(&function, &aws, 0);
    traffic.assert_stored_once(&aws);
}

#[test]
fn entries_that_stay_refused_are_reported_from_their_first_line_on() {
    let aws = Aws::start();
    let function = kpl(&aws);
    let traffic = Traffic::new(40, &[30]);
    aws.fail_always(
        EVENTS,
        Fault::RefuseContaining("request-0017==".to_owned(), THROTTLED),
    );
    let again = traffic
        .invoke(&function, &aws, 0, SOME)
        .expect("a line that is not stored");
    assert!(
        (8..=17).contains(&again),
        "a blob holds about seven rows: {again}"
    );
    let line = function.log_line();
    assert_eq!(line["retry_position"], again);
    assert_eq!(line["retry_seq"], traffic.batch.records[again].sequence_number);
    assert!(puts(&line, "event_puts").1 >= 1, "{line}");
    // Whatever comes after the gap may be stored twice; nothing before it is.
    aws.fail_always(EVENTS, Fault::None);
    traffic.deliver(&function, &aws, again);
    traffic.assert_stored(&aws, 0, 40);
    let rows = rows_by_request(&aws);
    assert!((0..again).all(|position| traffic.ids[position].as_ref().is_none_or(|id| rows[id] == 1)));
}

#[test]
fn a_call_that_is_denied_is_not_repeated_and_asks_for_a_person() {
    for code in [
        "AccessDeniedException",
        "ResourceNotFoundException",
        "KMSDisabledException",
        "KMSAccessDeniedException",
        "KMSNotFoundException",
        "KMSInvalidStateException",
        "KMSOptInRequired",
    ] {
        let aws = Aws::start();
        let function = kpl(&aws);
        let traffic = Traffic::new(20, &[3]);
        aws.fail_always(EVENTS, Fault::Error(400, code));
        assert_eq!(traffic.invoke(&function, &aws, 0, PLENTY), Some(0), "{code}");
        let line = function.log_line();
        assert_eq!(puts(&line, "event_puts"), (1, 0, 0, 0, 1), "{code}");
        assert_eq!(line["level"], "ERROR");
        aws.fail_always(EVENTS, Fault::None);
        traffic.deliver(&function, &aws, 0);
        traffic.assert_stored(&aws, 0, 20);
        assert!(rows_by_request(&aws).values().all(|&times| times == 1));
    }
}

#[test]
fn failed_events_that_cannot_be_stored_come_again_from_the_broken_line() {
    let aws = Aws::start();
    let function = kpl(&aws);
    let traffic = Traffic::new(20, &[11, 15]);
    aws.fail_always(FAILED, Fault::Error(400, "AccessDeniedException"));
    assert_eq!(traffic.invoke(&function, &aws, 0, PLENTY), Some(11));
    assert_eq!(puts(&function.log_line(), "failed_event_puts"), (1, 0, 0, 0, 1));
    aws.fail_always(FAILED, Fault::None);
    aws.fail_next(FAILED, [Fault::Refuse(vec![0], "ServiceUnavailableException")]);
    traffic.deliver(&function, &aws, 11);
    traffic.assert_stored(&aws, 0, 20);
    assert_eq!(puts(&function.log_line(), "failed_event_puts"), (2, 1, 0, 0, 0));
}

#[test]
fn the_lower_of_two_gaps_is_reported() {
    let aws = Aws::start();
    let function = kpl(&aws);
    let traffic = Traffic::new(40, &[2, 39]);
    aws.fail_always(FAILED, Fault::Error(400, "ResourceNotFoundException"));
    aws.fail_always(
        EVENTS,
        Fault::RefuseContaining("request-0030==".to_owned(), THROTTLED),
    );
    assert_eq!(traffic.invoke(&function, &aws, 0, SOME), Some(2));
    aws.fail_always(FAILED, Fault::None);
    aws.fail_always(EVENTS, Fault::None);
    traffic.deliver(&function, &aws, 2);
    traffic.assert_stored(&aws, 0, 40);
}

#[test]
fn direct_put_sends_json_documents_to_firehose_and_mends_its_partial_failures() {
    let aws = Aws::start();
    let function = direct_put(&aws);
    let traffic = Traffic::new(40, &[0]);
    aws.fail_next(
        EVENTS,
        [
            Fault::Error(503, "ServiceUnavailableException"),
            Fault::Refuse(vec![1], "ServiceUnavailableException"),
            Fault::NoIdentifier(vec![0]),
        ],
    );
    assert_eq!(traffic.invoke(&function, &aws, 0, PLENTY), None);
    traffic.assert_stored_once(&aws);
    let calls = aws.calls(EVENTS);
    assert_eq!(calls.len(), 4);
    assert!(
        calls
            .iter()
            .all(|call| call.target == "Firehose_20150804.PutRecordBatch")
    );
    assert!(
        aws.stored(EVENTS)
            .iter()
            .all(|data| data.starts_with(b"{") && data.len() <= 5_120)
    );
    let line = function.log_line();
    let entries = u64::try_from(calls[0].entries.len()).unwrap();
    assert_eq!(puts(&line, "event_puts"), (4, entries + 1, 1, 0, 0));
    assert_eq!(line["delivery"], "DirectPut");
}

#[test]
fn many_blobs_go_in_calls_of_at_most_500_and_a_fault_in_one_of_them_is_mended() {
    let aws = Aws::start();
    let function = builder(&aws)
        .env("EVENT_STREAM_NAME", EVENTS)
        .env("BLOB_BYTES", "1024")
        .start();
    let traffic = Traffic::new(1_200, &[]);
    aws.fail_next(EVENTS, [Fault::None, Fault::Refuse(vec![499], "InternalFailure")]);
    assert_eq!(traffic.invoke(&function, &aws, 0, PLENTY), None);
    traffic.assert_stored_once(&aws);
    let sizes: Vec<usize> = aws.calls(EVENTS).iter().map(|call| call.entries.len()).collect();
    assert_eq!(sizes, [500, 500, 1, 200]);
}

#[test]
fn without_time_nothing_is_put_and_the_batch_comes_again() {
    let aws = Aws::start();
    let function = kpl(&aws);
    let traffic = Traffic::new(10, &[1]);
    let answer = function.invoke_too_late(&traffic.batch.json());
    assert_eq!(
        answer.item_failures(),
        [traffic.batch.records[0].sequence_number.clone()]
    );
    assert!(aws.calls(EVENTS).is_empty() && aws.calls(FAILED).is_empty());
    assert_eq!(function.log_line()["deadline_left_ms"], 0);
    traffic.deliver(&function, &aws, 0);
    traffic.assert_stored_once(&aws);
}

#[test]
fn a_service_that_cannot_be_reached_is_tried_until_the_time_is_up() {
    let aws = Aws::start();
    let gone = Aws::start().endpoint();
    let builder = builder(&aws).env("EVENT_STREAM_NAME", EVENTS);
    let function = builder.env("AWS_ENDPOINT_URL_KINESIS", gone).start();
    let traffic = Traffic::new(10, &[]);
    assert_eq!(traffic.invoke(&function, &aws, 0, SOME), Some(0));
    let (calls, _, _, unknown, _) = puts(&function.log_line(), "event_puts");
    assert!(calls > 1 && calls == unknown);
}

#[test]
fn a_connection_that_died_between_invocations_loses_nothing() {
    let aws = Aws::start();
    let function = kpl(&aws);
    let traffic = Traffic::new(10, &[4]);
    for times in 1..=3 {
        aws.fail_next(EVENTS, [Fault::CloseAfterAnswering]);
        aws.fail_next(FAILED, [Fault::CloseAfterAnswering]);
        assert_eq!(traffic.invoke(&function, &aws, 0, PLENTY), None);
        assert!(rows_by_request(&aws).values().all(|&stored| stored >= times));
    }
}

#[test]
fn every_event_file_is_handled_without_a_failure() {
    let aws = Aws::start();
    let function = kpl(&aws);
    for file in event_files() {
        let answer = function.invoke(file.json.as_bytes(), PLENTY);
        assert_eq!(
            answer,
            Answer::Response(json!({"batchItemFailures": []})),
            "{}",
            file.name
        );
        let line = function.log_line();
        let count = |name: &str| line[name].as_u64().unwrap();
        let reasons = line["failed"].as_object().unwrap().values();
        let failed: u64 = reasons.map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(count("failed_lines"), failed, "{}", file.name);
        assert_eq!(count("lines"), count("good_lines") + failed, "{}", file.name);
        assert_eq!(line["conserved"], true);
    }
}

#[test]
fn an_event_that_is_no_batch_is_an_error_and_the_next_batch_is_served() {
    let aws = Aws::start();
    let function = kpl(&aws);
    for event in [
        "null",
        "{}",
        "[]",
        r#"{"Records":7}"#,
        "no JSON",
        r#"{"Records":[{]}"#,
    ] {
        let answer = function.invoke(event.as_bytes(), PLENTY);
        assert_eq!(answer.error_type(), "UnreadableEvent", "{event}");
        let line = function.log_line();
        assert_eq!(
            (&line["level"], &line["error_type"]),
            (&json!("ERROR"), &json!("UnreadableEvent"))
        );
    }
    let answer = function.invoke(br#"{"Records":[]}"#, PLENTY);
    assert_eq!(answer, Answer::Response(json!({"batchItemFailures": []})));
    let traffic = Traffic::new(10, &[]);
    traffic.deliver(&function, &aws, 0);
    traffic.assert_stored_once(&aws);
}

#[test]
fn a_gap_without_any_sequence_number_is_an_error_so_that_all_comes_again() {
    let aws = Aws::start();
    let function = kpl(&aws);
    aws.fail_always(EVENTS, Fault::Error(400, "AccessDeniedException"));
    let data = base64(format!("{}\n", Hit::default().line("nobody-1==")).as_bytes());
    let record = record_json("0", &format!(r#""data":"{data}""#));
    let answer = function.invoke(event_json(&[record]).as_bytes(), PLENTY);
    assert_eq!(answer.error_type(), "NoSequenceNumber");
    assert_eq!(function.log_line()["verdict"], "retry_all");
}

/// The secret of the key in [`KEY`].
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:VisitorKey-a1B2c3";
const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF";
/// A part of it, as an error could quote it.
const KEY_PART: &str = "0123456789abcdef";

fn counting(aws: &Aws) -> Function {
    builder(aws)
        .env("EVENT_STREAM_NAME", EVENTS)
        .env("VISITOR_KEY_SECRET", SECRET)
        .start()
}

/// Checks that the process refused to start with this sentence, before it asked for an invocation.
fn assert_no_visitor_key(function: Function, says: &str) {
    let Ended {
        status,
        output,
        lines,
        polls,
    } = function.ended();
    assert_eq!((status.code(), polls), (Some(1), 0), "{output}");
    let mut line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert!(line.as_object_mut().unwrap().remove("timestamp").is_some());
    let expected = json!({
        "level": "ERROR", "message": "the function cannot run", "error_type": "NoVisitorKey", "error": says,
        "version": log_batch::PIPELINE_VERSION,
    });
    assert_eq!(line, expected);
    assert_eq!(output.lines().filter(|line| *line == says).count(), 1, "{output}");
    assert_eq!(output.lines().count(), 2, "{output}");
    assert!(
        !output.contains(KEY_PART) && !output.contains("canary"),
        "{output}"
    );
}

#[test]
fn visitors_are_counted_under_the_key_in_the_secret() {
    let aws = Aws::start();
    aws.keep_secret(SECRET, json!({"SecretString": KEY}));
    let function = counting(&aws);
    let traffic = Traffic::new(3, &[]);
    traffic.deliver(&function, &aws, 0);
    traffic.deliver(&function, &aws, 0);
    let ids: Vec<Value> = aws
        .documents(EVENTS)
        .iter()
        .map(|row| row["visitor_day_id"].clone())
        .collect();
    // Python's blake3: keyed with blake3("pixlake day salt v1 2025-11-01", key=KEY), over the site, the
    // address and the user agent of the hit, each behind its length as 2 bytes, little end first.
    assert_eq!(ids, vec![json!("9bcf68a8b202327145aed5b35a22026e"); 6]);
    // Once per process, and before anything else.
    assert_eq!(aws.calls(SECRET).len(), 1);
    assert_eq!(aws.targets()[0], "secretsmanager.GetSecretValue");
    assert!(!function.output().contains(KEY_PART));
}

#[test]
fn without_a_secret_nobody_is_counted_and_none_is_asked_for() {
    let aws = Aws::start();
    aws.keep_secret(SECRET, json!({"SecretString": KEY}));
    for builder in [
        builder(&aws),
        builder(&aws).env("VISITOR_KEY_SECRET", ""),
        // The key itself is not a setting.
        builder(&aws).env("VISITOR_KEY", KEY),
    ] {
        let function = builder.env("EVENT_STREAM_NAME", EVENTS).start();
        Traffic::new(3, &[]).deliver(&function, &aws, 0);
    }
    let rows = aws.documents(EVENTS);
    assert_eq!(rows.len(), 9);
    assert!(rows.iter().all(|row| row.get("visitor_day_id").is_none()));
    assert_eq!(aws.targets(), ["Kinesis_20131202.PutRecords"; 3]);
}

#[test]
fn a_secret_that_answers_at_the_second_or_third_try_is_no_trouble() {
    for faults in [
        vec![Fault::Status(500)],
        vec![Fault::Error(400, "ThrottlingException"), Fault::Close],
        vec![Fault::CloseAfterStoring],
        vec![Fault::Truncated, Fault::Status(503)],
    ] {
        let aws = Aws::start();
        aws.keep_secret(SECRET, json!({"SecretString": KEY}));
        let calls = faults.len() + 1;
        aws.fail_next(SECRET, faults);
        let function = counting(&aws);
        Traffic::new(1, &[]).deliver(&function, &aws, 0);
        assert!(aws.documents(EVENTS)[0]["visitor_day_id"].is_string());
        assert_eq!(aws.calls(SECRET).len(), calls);
    }
}

#[test]
fn a_secret_that_cannot_be_read_keeps_the_function_from_starting() {
    let cannot = |why: &str| format!("VISITOR_KEY_SECRET names a secret that cannot be read: {why}");
    let nobody = Aws::start();
    assert_no_visitor_key(counting(&nobody), &cannot("ResourceNotFoundException"));
    // The fault, how it is said, and the calls: only what may pass is tried again.
    for (fault, why, calls) in [
        (
            Fault::Error(400, "AccessDeniedException"),
            "AccessDeniedException",
            1,
        ),
        (Fault::Error(400, "DecryptionFailure"), "DecryptionFailure", 1),
        (
            Fault::Error(400, "InvalidRequestException"),
            "InvalidRequestException",
            1,
        ),
        (
            Fault::Error(500, "InternalServiceError"),
            "InternalServiceError",
            3,
        ),
        (Fault::Error(400, "ThrottlingException"), "ThrottlingException", 3),
        // Not the words of a code: not repeated.
        (
            Fault::Error(400, "canary 192.0.2.1"),
            "no answer that can be read",
            1,
        ),
        (Fault::Status(503), "no answer that can be read", 3),
        (Fault::Close, "no answer that can be read", 3),
        (Fault::Truncated, "no answer that can be read", 3),
    ] {
        let aws = Aws::start();
        aws.keep_secret(SECRET, json!({"SecretString": KEY}));
        aws.fail_always(SECRET, fault.clone());
        assert_no_visitor_key(counting(&aws), &cannot(why));
        assert_eq!(aws.calls(SECRET).len(), calls, "{fault:?}");
        assert_eq!(aws.targets().len(), calls, "nothing else is called");
    }
}

#[test]
fn a_secret_that_hangs_ends_the_process_within_the_init_phase() {
    let aws = Aws::start();
    aws.keep_secret(SECRET, json!({"SecretString": KEY}));
    aws.fail_always(SECRET, Fault::Hang);
    let started = Instant::now();
    assert_no_visitor_key(
        counting(&aws),
        "VISITOR_KEY_SECRET names a secret that cannot be read: no answer in time",
    );
    // Lambda gives it 10 s. Once may be bad luck; an attempt ends after 3 s.
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(aws.calls(SECRET).len() > 1);
}

#[test]
fn a_secret_that_is_no_key_keeps_the_function_from_starting() {
    for value in [
        json!({"SecretString": ""}),
        json!({"SecretString": KEY.strip_prefix('0').unwrap()}),
        json!({"SecretString": format!("{KEY}0")}),
        json!({"SecretString": format!("{KEY}\n")}),
        json!({"SecretString": KEY.replace('f', "g")}),
        json!({"SecretString": format!(r#"{{"key":"{KEY}"}}"#)}),
        json!({"SecretString": "canary"}),
        json!({"SecretBinary": base64(KEY.as_bytes())}),
        json!({"SecretString": null}),
        json!({}),
    ] {
        let aws = Aws::start();
        aws.keep_secret(SECRET, value);
        assert_no_visitor_key(
            counting(&aws),
            "VISITOR_KEY_SECRET names a secret that is not a key; expected 64 hexadecimal digits as its text",
        );
        assert_eq!(aws.targets().len(), 1);
    }
}

#[test]
fn nothing_of_the_input_reaches_the_log() {
    let canaries = ["203.0.113.77", "canary", "Y2FuYXJ5"];
    let hit = Hit {
        address: "203.0.113.77",
        query: "e=canary-event&u=https%253A%252F%252Fcanary.example%252F",
        user_agent: "canary/1.0",
        ..Hit::default()
    };
    let good = base64(format!("{}\n", hit.line("canary-request==")).as_bytes());
    let broken = base64(b"203.0.113.77\tcanary\tcolumns\n");
    let record = |position: usize, members: String| record_json(&sequence_number(position), &members);
    let seq = |position| format!(r#""sequenceNumber":"{}""#, sequence_number(position));
    let events = [
        event_json(&[
            record(0, format!(r#"{},"data":"{good}""#, seq(0))),
            record(1, format!(r#"{},"data":"{broken}""#, seq(1))),
            record(
                2,
                format!(
                    r#"{},"data":"canary 203.0.113.77","encryptionType":"canary""#,
                    seq(2)
                ),
            ),
            record(
                3,
                format!(r#""sequenceNumber":"canary 203.0.113.77","data":"{good}""#),
            ),
            r#"{"kinesis":"canary","eventID":"canary:1","eventSourceARN":"canary"}"#.to_owned(),
        ]),
        // As the first record, from which the log takes the names.
        event_json(&[
            r#"{"kinesis":{"sequenceNumber":"canary 203.0.113.77"},"eventID":"canary 203.0.113.77:1",
            "eventSourceARN":"arn:canary 203.0.113.77"}"#
                .to_owned(),
        ]),
        r#"{"Records":"canary 203.0.113.77"}"#.to_owned(),
        "canary 203.0.113.77".to_owned(),
    ];
    // The messages of the stand-in's errors hold the canary too.
    let faults = [
        Fault::None,
        Fault::Refuse(vec![0], "InternalFailure"),
        Fault::Error(500, "CanaryException"),
        Fault::Error(400, "AccessDeniedException"),
    ];
    let aws = Aws::start();
    let function = kpl(&aws);
    for fault in faults {
        for event in &events {
            aws.fail_next(EVENTS, [fault.clone()]);
            aws.fail_next(FAILED, [fault.clone()]);
            let answer = function.invoke(event.as_bytes(), PLENTY);
            let said = format!("{answer:?}");
            assert!(canaries.iter().all(|canary| !said.contains(canary)), "{said}");
            function.log_line();
        }
    }
    let output = function.output();
    assert!(canaries.iter().all(|canary| !output.contains(canary)), "{output}");
    // The rows hold some of it: the canaries did go through.
    assert!(
        aws.documents(EVENTS)
            .iter()
            .any(|row| row["event_name"] == "canary-event")
    );
}

#[test]
fn a_wrong_setting_ends_the_process_before_the_first_invocation() {
    let secret = "deadbeef".repeat(8);
    for (name, value, says) in [
        (
            "EVENT_STREAM_NAME",
            "",
            "EVENT_STREAM_NAME is missing; expected a Kinesis stream's name",
        ),
        (
            "FAILED_EVENTS_FIREHOSE_NAME",
            "",
            "FAILED_EVENTS_FIREHOSE_NAME is missing; expected",
        ),
        (
            "EVENT_FIREHOSE_NAME",
            "rows",
            "EVENT_FIREHOSE_NAME contradicts DELIVERY Kpl",
        ),
        (
            "DELIVERY",
            "DirectPut",
            "EVENT_STREAM_NAME contradicts DELIVERY DirectPut",
        ),
        (
            "DELIVERY",
            "directput",
            "DELIVERY is wrong; expected `Kpl` or `DirectPut`",
        ),
        (
            "BLOB_BYTES",
            "5 KB",
            "BLOB_BYTES is wrong; expected a whole number of bytes from 1024",
        ),
        (
            "VISITOR_KEY_SECRET",
            &secret,
            "VISITOR_KEY_SECRET is wrong; expected a secret's ARN",
        ),
        (
            "LOG_FIELDS",
            "timestamp,c-ipp",
            "LOG_FIELDS is wrong; name 2 of the field list",
        ),
        (
            "PIXEL_PATHS",
            "p.gif",
            "PIXEL_PATHS is wrong; expected paths like `/p.gif,/o.gif`",
        ),
        (
            "DEADLINE_MARGIN_MS",
            "0",
            "DEADLINE_MARGIN_MS is wrong; expected a whole number",
        ),
    ] {
        let aws = Aws::start();
        let function = builder(&aws)
            .env("EVENT_STREAM_NAME", EVENTS)
            .env(name, value)
            .start();
        let Ended {
            status,
            output,
            lines,
            polls,
        } = function.ended();
        assert_eq!((status.code(), polls), (Some(1), 0), "{output}");
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(
            (&line["level"], &line["error_type"]),
            (&json!("ERROR"), &json!("WrongSetting"))
        );
        assert!(line["error"].as_str().unwrap().starts_with(says), "{line}");
        assert!(
            output.lines().any(|line| line.starts_with(says)),
            "also as a plain sentence: {output}"
        );
        assert!(!output.contains(&secret));
    }
}

#[test]
fn a_panic_shows_its_place_and_never_its_message() {
    // The runtime reads this variable, and panics with its value where it is not text.
    let aws = Aws::start();
    let builder = builder(&aws).env("EVENT_STREAM_NAME", EVENTS);
    let name = OsStr::from_bytes(b"canary 203.0.113.77 \xff");
    let function = builder.env("AWS_LAMBDA_FUNCTION_NAME", name).start();
    let Ended {
        status,
        output,
        lines,
        ..
    } = function.ended();
    assert!(!status.success());
    assert_eq!(lines.len(), 1, "{output}");
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(
        (&line["level"], &line["message"]),
        (&json!("ERROR"), &json!("panic"))
    );
    assert!(line["location"].as_str().unwrap().contains(".rs:"), "{line}");
    assert!(
        !output.contains("canary") && !output.contains("203.0.113.77"),
        "{output}"
    );
}
