//! The columns of `failed_events_landed`: what could never become a row, and why.

use crate::json::JsonBuffer;
use crate::table::{Bigint, Int, Text, Time, table};

table! {
    /// One log line, or one log record, that can never become a row.
    ///
    /// The raw bytes are kept whole up to a limit, so that a later version can read them. There is no
    /// `Debug`: they hold addresses.
    FailedEvent;

    "Keys" {
        failure_key: Bigint, Technical, "XXH64", "Hash of where the line came from and of its raw bytes: redelivery gives the same";
        source: Text<'a>[2048], Technical, "", "Stream of the record by its ARN, or `file:` and the digest of the file up to the end of the line";
        shard: Text<'a>[128], Technical, "", "Shard of the record";
        sequence_number: Text<'a>[129], Technical, "", "Sequence number of the record in its shard, or the line's number in its file";
        line_index: Int, Technical, "from 0", "Place of the line in a record that carries several";
    }
    "Failure" {
        reason: Text<'a>[32], Technical, "closed list", "Code of the reason";
        detail: Text<'a>[255], Technical, "", "What was expected and where, without the data";
    }
    "Input" {
        raw_base64: Text<'a>[131_072], Personal, "base64", "The raw bytes, the first 64 KiB of them";
        raw_bytes: Bigint, Technical, "bytes", "Length of the raw bytes before they were cut";
        raw_sha256: Text<'a>[64], Personal, "hex", "SHA-256 of all raw bytes, where they were cut";
    }
    "Delivery" {
        ts_arrival: Time, Technical, "UTC, ms", "When the record arrived on the stream, or the file was read";
        ts_ingested: Time, Technical, "UTC, ms", "When this delivery was made";
        ingest_path: Text<'a>[16], Technical, "`realtime` or `file`", "The way that the line took";
        pipeline_version: Text<'a>[32], Technical, "", "Version of pixlake that refused it";
    }
}

impl FailedEvent<'_> {
    /// The row as one compact JSON line without its newline, texts cut to their columns' limits.
    pub fn write_line(&mut self, out: &mut JsonBuffer) {
        // The raw bytes are cut before, with their length and digest beside them; of the others only a
        // stream's name could be too long, and it is a name.
        self.cut_texts(&mut |_| {});
        self.write_json(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_past_its_limit_is_cut() {
        for (source, kept) in [
            ("s".repeat(2048), 2048),
            ("s".repeat(2049), 2048),
            (format!("{}é", "s".repeat(2047)), 2047), // never within a character
        ] {
            let mut line = JsonBuffer::default();
            let mut failed = FailedEvent {
                source: Some(&source),
                reason: Some("empty"),
                ..FailedEvent::default()
            };
            failed.write_line(&mut line);
            let expected = format!(r#"{{"source":"{}","reason":"empty"}}"#, "s".repeat(kept));
            assert!(line.bytes() == expected.as_bytes(), "{} bytes", source.len());
        }
    }
}
