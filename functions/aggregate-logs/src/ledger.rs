//! What the function writes to its log: one JSON line per invocation, or per refusal to work.
//!
//! The line is the ledger of a batch: what came in, what became of it, and what the event source mapping
//! was told. Its names are an interface: metric filters and alarms select by them. It holds no input.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>

use std::collections::BTreeMap;
use std::io::Write as _;
use std::panic::Location;
use std::time::Duration;

use log_batch::ports::Clock as _;
use log_batch::{BatchOutcome, PIPELINE_VERSION, PutCounts, Verdict};
use serde::Serialize;

use crate::clock::SystemClock;
use crate::handler::InvocationError;
use crate::refusal::Refusal;

/// What is known of an invocation beside what its batch came to.
pub(crate) struct Invocation<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) delivery: &'static str,
    pub(crate) event_bytes: usize,
    pub(crate) cold_start: bool,
    pub(crate) taken: Duration,
    pub(crate) left: Duration,
}

/// Writes the line of an invocation that came to a verdict.
pub(crate) fn write_outcome(invocation: &Invocation<'_>, outcome: &BatchOutcome) {
    write(&Line {
        level: match () {
            () if !outcome.conserved || outcome.event_puts.denied + outcome.failed_event_puts.denied > 0 => {
                "ERROR"
            }
            () if outcome.verdict != Verdict::Delivered => "WARN",
            () => "INFO",
        },
        message: "batch",
        invocation: Some(invocation.into()),
        batch: Some(outcome.into()),
        ..Line::default()
    });
}

/// Writes the line of an invocation that came to none.
pub(crate) fn write_failure(invocation: &Invocation<'_>, error: &InvocationError) {
    write(&Line {
        level: "ERROR",
        message: "invocation failed",
        error_type: Some(error.error_type()),
        error: Some(error.to_string()),
        invocation: Some(invocation.into()),
        ..Line::default()
    });
}

/// Writes why the function does not work at all, also as a plain sentence to standard error.
pub fn write_refusal(refusal: &Refusal) {
    write(&Line {
        level: "ERROR",
        message: "the function cannot run",
        error_type: Some(refusal.error_type()),
        error: Some(refusal.to_string()),
        ..Line::default()
    });
    // A log that takes nothing leaves nobody to tell.
    writeln!(std::io::stderr().lock(), "{refusal}").ok();
}

/// Writes the place of a panic.
pub(crate) fn write_panic(location: Option<&Location<'_>>) {
    write(&Line {
        level: "ERROR",
        message: "panic",
        error_type: Some("Panic"),
        location: location.map(ToString::to_string),
        ..Line::default()
    });
}

fn write(line: &Line<'_>) {
    let Ok(mut json) = serde_json::to_vec(line) else {
        return;
    };
    json.push(b'\n');
    // In one piece, so that lines of two threads never mix. A log that takes nothing leaves nobody to tell.
    std::io::stdout().lock().write_all(&json).ok();
}

/// A line. Its first members are those that Lambda looks for in a log whose format is JSON.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html>
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(flatten)]
    invocation: Option<InvocationPart<'a>>,
    #[serde(flatten)]
    batch: Option<BatchPart<'a>>,
    version: &'static str,
}

impl Default for Line<'_> {
    fn default() -> Self {
        Line {
            timestamp: SystemClock::new().now().to_string(),
            level: "INFO",
            message: "",
            error_type: None,
            error: None,
            location: None,
            invocation: None,
            batch: None,
            version: PIPELINE_VERSION,
        }
    }
}

#[derive(Serialize)]
struct InvocationPart<'a> {
    request_id: &'a str,
    delivery: &'static str,
    event_bytes: usize,
    cold_start: bool,
    ms: f64,
    deadline_left_ms: u64,
}

#[derive(Serialize)]
struct BatchPart<'a> {
    stream: Option<&'a str>,
    shard: Option<&'a str>,
    first_seq: Option<&'a str>,
    records: u64,
    lines: u64,
    good_lines: u64,
    rows: u64,
    requests: u64,
    failed_lines: u64,
    failed: &'a BTreeMap<&'static str, u64>,
    blobs: u64,
    blob_bytes: u64,
    event_puts: PutsPart,
    failed_event_puts: PutsPart,
    conserved: bool,
    verdict: &'static str,
    retry_position: Option<usize>,
    retry_seq: Option<&'a str>,
}

#[derive(Serialize)]
struct PutsPart {
    calls: u64,
    throttled: u64,
    failed_entries: u64,
    unknown_calls: u64,
    denied: u64,
}

impl<'a> From<&'a Invocation<'_>> for InvocationPart<'a> {
    fn from(invocation: &'a Invocation<'_>) -> InvocationPart<'a> {
        InvocationPart {
            request_id: invocation.request_id,
            delivery: invocation.delivery,
            event_bytes: invocation.event_bytes,
            cold_start: invocation.cold_start,
            ms: (invocation.taken.as_secs_f64() * 1e6).round() / 1e3,
            deadline_left_ms: u64::try_from(invocation.left.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl<'a> From<&'a BatchOutcome> for BatchPart<'a> {
    fn from(outcome: &'a BatchOutcome) -> BatchPart<'a> {
        let (verdict, retry_position, retry_seq) = match &outcome.verdict {
            Verdict::Delivered => ("delivered", None, None),
            Verdict::RetryFrom {
                sequence_number,
                position,
            } => ("retry_from", Some(*position), Some(sequence_number.as_str())),
            Verdict::RetryAll => ("retry_all", None, None),
        };
        let origin = &outcome.origin;
        BatchPart {
            stream: name(&origin.source, ":/_.-").filter(|arn| arn.starts_with("arn:")),
            shard: name(&origin.shard, "-"),
            first_seq: name(&origin.first_sequence_number, ""),
            records: outcome.counts.records,
            lines: outcome.counts.lines,
            good_lines: outcome.counts.good_lines,
            rows: outcome.counts.rows,
            requests: outcome.counts.requests,
            failed_lines: outcome.counts.failed_events(),
            failed: &outcome.counts.failed,
            blobs: outcome.counts.blobs,
            blob_bytes: outcome.counts.blob_bytes,
            event_puts: (&outcome.event_puts).into(),
            failed_event_puts: (&outcome.failed_event_puts).into(),
            conserved: outcome.conserved,
            verdict,
            retry_position,
            retry_seq,
        }
    }
}

/// The most bytes of a name that the log repeats.
const MAX_NAME: usize = 512;

/// The name if it looks as AWS writes it, short and of letters, digits and these marks: an event can come
/// from anywhere, and the log repeats no input.
fn name<'a>(text: &'a str, marks: &str) -> Option<&'a str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    ((1..=MAX_NAME).contains(&text.len()) && text.chars().all(is_plain)).then_some(text)
}

impl From<&PutCounts> for PutsPart {
    fn from(counts: &PutCounts) -> PutsPart {
        PutsPart {
            calls: counts.calls,
            throttled: counts.throttled,
            failed_entries: counts.failed,
            unknown_calls: counts.unknown_calls,
            denied: counts.denied,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_repeats_only_names_that_aws_would_write() {
        let arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/pixel-log";
        assert_eq!(name(arn, ":/_.-"), Some(arn));
        for text in ["", "https://shop.example/?q=1", "a b", "192.0.2.1\n"] {
            assert_eq!(name(text, ":/_.-"), None, "{text}");
        }
        assert_eq!(name(&"x".repeat(513), ""), None);
    }
}
