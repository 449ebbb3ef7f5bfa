//! One record of the log stream, or one line of a log file.

use pixel_row::Timestamp;

/// The most lines that one record may hold, or user records where it is an aggregated one. `CloudFront`
/// writes one; a record of nothing but newlines would otherwise become a million failed events.
pub(crate) const MAX_LINES_PER_RECORD: usize = 10_000;

/// The most bytes of a line, without its newline. `CloudFront`'s have some 40 KiB at the very most, and a
/// record of a stream holds 1 MiB unless the stream allows more; a file may hold anything.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// The bytes of a record, and where they came from. There is no `Debug`: the bytes hold addresses.
#[derive(Clone, Copy)]
pub struct LogRecord<'a> {
    /// ARN of the stream; `file:` and a digest for a line of a file.
    pub source: &'a str,
    /// The shard; empty for a file.
    pub shard: &'a str,
    /// Sequence number in the shard, or the line's number in its file, as it stands in the event; empty where
    /// it has none. [`LogRecord::sequence_number()`] judges it.
    pub sequence_number: &'a [u8],
    /// When the record arrived on the stream, or the file was read.
    pub arrival: Timestamp,
    /// The record's data: usually one log line with its newline.
    pub data: &'a [u8],
}

impl<'a> LogRecord<'a> {
    /// The sequence number where it can be used: as the API describes it, 1 to 129 digits without a leading
    /// zero. Judged when it is asked for, for a record without a fault is never asked.
    ///
    /// Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html>
    #[must_use]
    pub fn sequence_number(&self) -> Option<&'a str> {
        usable_sequence_number(self.sequence_number)
    }
}

/// The text of a sequence number, unless it cannot be one.
pub(crate) fn usable_sequence_number(number: &[u8]) -> Option<&str> {
    let is_number = (1..=129).contains(&number.len())
        && number.iter().all(u8::is_ascii_digit)
        && (number == b"0" || !number.starts_with(b"0"));
    str::from_utf8(number).ok().filter(|_| is_number)
}
