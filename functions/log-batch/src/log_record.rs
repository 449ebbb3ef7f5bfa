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
    /// Sequence number in the shard, or the line's number in its file; none where it cannot be used.
    pub sequence_number: Option<&'a str>,
    /// When the record arrived on the stream, or the file was read.
    pub arrival: Timestamp,
    /// The record's data: usually one log line with its newline.
    pub data: &'a [u8],
}
