//! Lines and records that can never become rows.

use std::fmt::{self, Write as _};

use base64_simd::STANDARD;
use pixel_log::LineError;
use pixel_row::keys::xxh64_of;
use pixel_row::{DeliveryColumns, FailedEvent, JsonBuffer};
use sha2::{Digest as _, Sha256};

use crate::log_record::{LogRecord, MAX_LINE_BYTES, MAX_LINES_PER_RECORD};

/// The most raw bytes that a failed event keeps.
const MAX_RAW_BYTES: usize = 64 << 10;
const _: () = assert!(MAX_RAW_BYTES.div_ceil(3) * 4 <= FailedEvent::max_bytes("raw_base64"));

const _: () = assert!(MAX_LINE_BYTES == 1 << 20, "the sentences below say so");

/// Texts of a failed event under construction: memory that serves one after the other.
#[derive(Default)]
pub(crate) struct FailureTexts {
    detail: String,
    raw_base64: String,
}

/// Why a line, or a whole record, can never become a row. The codes are a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureReason {
    /// The line cannot be read.
    Line(LineError),
    /// The record of the envelope cannot be read; says what was expected.
    Record(&'static str),
    /// The record is an aggregated record with a bad index or key.
    KplIndex,
    /// The line is longer than a line may be.
    LongLine,
    /// The record holds more lines than one record may.
    TooManyLines,
    /// A row of the line is larger than the outlet takes.
    Oversize,
    /// Reading the record panicked.
    Panic,
}

impl FailureReason {
    /// Every code, and when a line or record gets it.
    pub const REASONS: [(&'static str, &'static str); 10] = [
        ("empty", "the line has no bytes"),
        (
            "field_count",
            "the line has another number of columns than the configured fields",
        ),
        (
            "bad_ts",
            "`timestamp` is not a time between 2010 and a day after the line's arrival",
        ),
        (
            "batch_json",
            "the parameter `b` begins a JSON array, but is not one of objects with plain values",
        ),
        ("batch_size", "the parameter `b` holds no event, or more than 100"),
        (
            "bad_record",
            "the record of the Lambda event has no readable data, or the line is longer than 1 MiB",
        ),
        (
            "kpl_index",
            "the record is an aggregated one with an index outside its table, or a key that is not text",
        ),
        ("too_many_lines", "the record holds more than 10,000 lines"),
        (
            "oversize",
            "a row of the line is larger than one record of the outlet",
        ),
        ("panic", "reading the record panicked: a bug of ours"),
    ];

    /// The code in the column `reason`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            FailureReason::Line(error) => error.code(),
            FailureReason::Record(_) | FailureReason::LongLine => "bad_record",
            FailureReason::KplIndex => "kpl_index",
            FailureReason::TooManyLines => "too_many_lines",
            FailureReason::Oversize => "oversize",
            FailureReason::Panic => "panic",
        }
    }

    /// Writes what was expected and where.
    fn write_detail(self, out: &mut String) -> fmt::Result {
        out.push_str(match self {
            FailureReason::Line(error) => return write!(out, "{error}"),
            FailureReason::TooManyLines => {
                return write!(out, "the record holds more than {MAX_LINES_PER_RECORD} lines");
            }
            FailureReason::Record(expected) => expected,
            FailureReason::KplIndex => {
                "an index of the aggregated record lies outside its table, or a key is not UTF-8"
            }
            FailureReason::LongLine => "the line is longer than 1 MiB; its first 64 KiB are kept",
            FailureReason::Oversize => "a row of the line is larger than one record of the outlet",
            FailureReason::Panic => "reading the record panicked",
        });
        Ok(())
    }

    /// Appends the failed event as a JSON document.
    pub(crate) fn write(
        self,
        record: &LogRecord<'_>,
        line_index: usize,
        raw: &[u8],
        delivery: DeliveryColumns,
        texts: &mut FailureTexts,
        out: &mut JsonBuffer,
    ) {
        let sequence_number = record.sequence_number().unwrap_or_default();
        let mut index = itoa::Buffer::new();
        let places = [
            record.source,
            record.shard,
            sequence_number,
            index.format(line_index),
        ];
        let key = places.map(str::as_bytes);
        let key = [key[0], b"\0", key[1], b"\0", key[2], b"\0", key[3], b"\0", raw];
        let kept = raw.get(..MAX_RAW_BYTES).unwrap_or(raw);
        let is_cut = kept.len() < raw.len();
        let FailureTexts { detail, raw_base64 } = texts;
        detail.clear();
        raw_base64.clear();
        STANDARD.encode_append(kept, raw_base64);
        // A string takes whatever is written; without a detail the reason still stands.
        let detail = self.write_detail(detail).ok().map(|()| detail.as_str());
        let raw_sha256 = is_cut.then(|| hex(&Sha256::digest(raw)));
        FailedEvent {
            failure_key: Some(xxh64_of(&key)),
            source: present(record.source),
            shard: present(record.shard),
            sequence_number: present(sequence_number),
            line_index: i32::try_from(line_index).ok(),
            reason: Some(self.code()),
            detail,
            raw_base64: Some(raw_base64),
            raw_bytes: i64::try_from(raw.len()).ok(),
            raw_sha256: raw_sha256.as_deref(),
            ts_arrival: Some(record.arrival),
            ts_ingested: Some(delivery.ts_ingested),
            ingest_path: Some(delivery.ingest_path),
            pipeline_version: Some(delivery.pipeline_version),
        }
        .write_line(out);
    }
}

fn present(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    text
}
