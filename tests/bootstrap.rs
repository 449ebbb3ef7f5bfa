//! The function as `sam build` leaves it for Lambda: the file that `BOOTSTRAP` names, between stand-ins for
//! Lambda's Runtime API and for AWS. The code's own tests stand beside the code; these are for what a build
//! for Lambda may spoil: other compiler flags, another linker, another C library. `.ci/build/run` calls
//! them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails, in its helpers too"
)]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use pipeline_tests::aws::Aws;
use pipeline_tests::event_files::event_files;
use pipeline_tests::function::{Answer, Ended, FunctionBuilder};
use serde_json::json;

const EVENTS: &str = "events";
const FAILED: &str = "failed-events";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:VisitorKey-a1B2c3";
const PLENTY: Duration = Duration::from_mins(1);

#[expect(clippy::disallowed_methods, reason = "the file under test is not cargo's")]
fn bootstrap() -> OsString {
    std::env::var_os("BOOTSTRAP").unwrap_or_else(|| panic!("BOOTSTRAP names no file; see .ci/build/run"))
}

/// The function in the environment that the template gives it.
fn builder(aws: &Aws) -> FunctionBuilder {
    FunctionBuilder::new(bootstrap())
        .aws(aws)
        .env("FAILED_EVENTS_FIREHOSE_NAME", FAILED)
        .env("VISITOR_KEY_SECRET", SECRET)
}

/// Hands the function every event file, and checks that each line is stored as a row or as a failed event.
fn handle_event_files(aws: &Aws, builder: FunctionBuilder) {
    aws.keep_secret(SECRET, json!({"SecretString": "0123456789abcdef".repeat(4)}));
    let function = builder.start();
    let (mut rows, mut failed) = (0, 0);
    for file in event_files() {
        let answer = function.invoke(file.json.as_bytes(), PLENTY);
        let success = Answer::Response(json!({"batchItemFailures": []}));
        assert_eq!(answer, success, "{}", file.name);
        let line = function.log_line();
        assert_eq!(line["conserved"], true, "{}: {line}", file.name);
        rows += line["rows"].as_u64().unwrap();
        failed += line["failed_lines"].as_u64().unwrap();
    }
    assert!(rows > 0 && failed > 0, "the event files hold both");
    assert_eq!(aws.documents(EVENTS).len() as u64, rows);
    assert_eq!(aws.documents(FAILED).len() as u64, failed);
}

#[test]
fn every_event_file_ends_in_blobs_and_failed_events() {
    let aws = Aws::start();
    handle_event_files(&aws, builder(&aws).env("EVENT_STREAM_NAME", EVENTS));
}

#[test]
fn every_event_file_ends_in_documents_with_direct_put() {
    let aws = Aws::start();
    let builder = builder(&aws).env("DELIVERY", "DirectPut");
    handle_event_files(&aws, builder.env("EVENT_FIREHOSE_NAME", EVENTS));
}

#[test]
fn a_missing_setting_ends_the_process_before_the_first_invocation() {
    let aws = Aws::start();
    let Ended {
        status, lines, polls, ..
    } = builder(&aws).start().ended();
    assert_eq!((status.code(), polls), (Some(1), 0));
    assert!(lines[0].contains("EVENT_STREAM_NAME"), "{lines:?}");
}

/// cargo-lambda asks for panics that abort wherever the release profile does not say otherwise. Under
/// Lambda one odd record would then kill the process and its batch, again and again.
#[test]
fn a_panic_unwinds() {
    let aws = Aws::start();
    aws.keep_secret(SECRET, json!({"SecretString": "0123456789abcdef".repeat(4)}));
    // The runtime reads this variable, and panics where it is not text.
    let function = builder(&aws)
        .env("EVENT_STREAM_NAME", EVENTS)
        .env("AWS_LAMBDA_FUNCTION_NAME", OsStr::from_bytes(b"\xff"))
        .start();
    let Ended { status, lines, .. } = function.ended();
    assert!(lines[0].contains("panic"), "{lines:?}");
    // What unwinds to the end of `main` leaves with 101; what aborts is killed by a signal and has no code.
    assert_eq!(status.code(), Some(101), "{status}");
}
