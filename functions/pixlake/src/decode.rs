//! What is inside a log line, a blob or a Lambda event, for people who debug a stream.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;
use kpl::Payload;
use log_batch::{Envelope, EnvelopeRecord, LogRecord, PIPELINE_VERSION};
use pixel_log::{LogLine, RowConfig, RowReader, RowScratch};
use pixel_row::{DeliveryColumns, JsonBuffer, Timestamp};

use crate::error::CommandError;
use crate::terminal::Escaped;

/// What an input can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Log lines, tab-separated
    Line,
    /// An aggregated record of the KPL format, raw or base64
    Blob,
    /// The JSON event that Lambda hands over
    Event,
}

/// Says what the bytes are where `kind` does not, and shows what is inside.
pub fn run(
    bytes: &[u8],
    kind: Option<Kind>,
    config: &RowConfig,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    let mut view = View {
        config,
        out: io::BufWriter::new(out),
    };
    match kind.unwrap_or_else(|| guess(bytes)) {
        Kind::Line => view.lines(bytes, ""),
        Kind::Blob => view.blob(bytes),
        Kind::Event => view.event(bytes),
    }?;
    Ok(view.out.flush()?)
}

fn guess(bytes: &[u8]) -> Kind {
    if bytes.trim_ascii_start().starts_with(b"{") {
        return Kind::Event;
    }
    let is_blob = |bytes: &[u8]| bytes.starts_with(&kpl::MAGIC);
    if is_blob(bytes) || unbase64(bytes).is_some_and(|bytes| is_blob(&bytes)) {
        Kind::Blob
    } else {
        Kind::Line
    }
}

fn unbase64(bytes: &[u8]) -> Option<Vec<u8>> {
    STANDARD
        .decode(bytes.trim_ascii())
        .ok()
        .filter(|decoded| !decoded.is_empty())
}

struct View<'a, W> {
    config: &'a RowConfig,
    out: W,
}

impl<W: Write> View<'_, W> {
    fn lines(&mut self, data: &[u8], indent: &str) -> Result<(), CommandError> {
        let data = data.strip_suffix(b"\n").unwrap_or(data);
        for (index, line) in data.split(|&byte| byte == b'\n').enumerate() {
            writeln!(self.out, "{indent}line {}, {} bytes", index + 1, line.len())?;
            self.line(line, indent)?;
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], indent: &str) -> Result<(), CommandError> {
        let parsed = match LogLine::parse(line, &self.config.fields) {
            Ok(parsed) => parsed,
            Err(error) => return self.invalid(error, indent),
        };
        for &field in self.config.fields.fields() {
            if let Some(text) = parsed.text(field) {
                writeln!(self.out, "{indent}  {:<28}{}", field.name(), Escaped(text))?;
            }
        }
        let mut rows = Vec::new();
        // The line's own time passes for its arrival: how late it is does not matter here.
        let delivery = DeliveryColumns {
            ts_ingested: Timestamp::LATEST,
            ingest_path: "decode",
            pipeline_version: PIPELINE_VERSION,
        };
        let mut json = JsonBuffer::default();
        let read = RowReader::new(self.config.clone()).read(
            line,
            Timestamp::LATEST,
            delivery,
            &mut |_| None,
            &mut RowScratch::default(),
            |row| {
                let mut row = row.clone();
                (row.ts_ingested, row.ingest_path, row.pipeline_version) = (None, None, None);
                json.truncate(0);
                row.write_json(&mut json);
                rows.push(json.bytes().to_vec());
            },
        );
        if let Err(error) = read {
            return self.invalid(error, indent);
        }
        for row in rows {
            writeln!(
                self.out,
                "{indent}  row {}",
                Escaped(String::from_utf8_lossy(&row))
            )?;
        }
        Ok(())
    }

    fn invalid(&mut self, error: pixel_log::LineError, indent: &str) -> Result<(), CommandError> {
        Ok(writeln!(self.out, "{indent}  no row: {}: {error}", error.code())?)
    }

    fn blob(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        let decoded = if bytes.starts_with(&kpl::MAGIC) {
            None
        } else {
            unbase64(bytes)
        };
        let bytes = decoded.as_deref().unwrap_or(bytes);
        match kpl::deaggregate(bytes) {
            Ok(Payload::Aggregated(user_records)) => self.user_records(bytes.len(), &user_records, ""),
            Ok(Payload::Plain(_)) => Err(CommandError::Job(format!(
                "the input is not an aggregated record: expected the bytes f3 89 9a c2, a protobuf message and its MD5; {}",
                match kpl::has_right_digest(bytes) {
                    None => "it begins otherwise, or is too short",
                    Some(false) => "the MD5 is that of other bytes: the blob is cut or damaged",
                    Some(true) => "the MD5 is right, and what it covers is no such message",
                }
            ))),
            Err(error) => Err(CommandError::job(error)),
        }
    }

    fn user_records(
        &mut self,
        len: usize,
        records: &[kpl::UserRecord<'_>],
        indent: &str,
    ) -> Result<(), CommandError> {
        writeln!(
            self.out,
            "{indent}aggregated record, {len} bytes, {} user records",
            records.len()
        )?;
        for (index, record) in records.iter().enumerate() {
            let hash_key = record
                .explicit_hash_key
                .map(|key| format!(", explicit hash key {}", Escaped(key)));
            writeln!(
                self.out,
                "{indent}  {index}: partition key {}{}, {} bytes",
                Escaped(record.partition_key),
                hash_key.unwrap_or_default(),
                record.data.len()
            )?;
            writeln!(self.out, "{indent}     {}", text_or_base64(record.data))?;
        }
        Ok(())
    }

    fn event(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        let envelope = Envelope::parse(bytes).map_err(CommandError::job)?;
        writeln!(self.out, "Lambda event, {} records", envelope.len())?;
        let mut records = envelope.records(Timestamp::LATEST);
        while let Some((index, record)) = records.next_record() {
            match record {
                EnvelopeRecord::Good(record) => {
                    self.record(index, &record)?;
                    match kpl::deaggregate(record.data) {
                        Ok(Payload::Plain(data)) => self.lines(data, "  ")?,
                        Ok(Payload::Aggregated(records)) => {
                            self.user_records(record.data.len(), &records, "  ")?;
                        }
                        Err(error) => writeln!(self.out, "  no row: kpl_index: {error}")?,
                    }
                }
                EnvelopeRecord::Broken(record, expected) => {
                    self.record(index, &record)?;
                    writeln!(self.out, "  no row: bad_record: {expected}")?;
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, index: usize, record: &LogRecord<'_>) -> Result<(), CommandError> {
        let number = record.sequence_number().unwrap_or("none");
        Ok(writeln!(
            self.out,
            "record {index}: {} sequence number {number}",
            Escaped(record.shard)
        )?)
    }
}

fn text_or_base64(data: &[u8]) -> String {
    match std::str::from_utf8(data) {
        Ok(text) => Escaped(text).to_string(),
        Err(_) => format!("base64 {}", STANDARD.encode(data)),
    }
}

#[cfg(test)]
mod tests {
    use pixel_log::FieldSet;

    use super::*;

    fn decode(bytes: &[u8], kind: Option<Kind>) -> Result<String, CommandError> {
        let config = RowConfig {
            fields: FieldSet::parse("timestamp,sc-status,cs-method,cs-uri-stem").unwrap(),
            ..RowConfig::default()
        };
        let mut out = Vec::new();
        run(bytes, kind, &config, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    const LINE: &[u8] = b"1668968526.477\t200\tGET\t/p.gif?e=a%2520b%1b\n";
    /// Partition key "pk", data `{"a":1}` and `{"a":2}`: a check value of the format's reference.
    const BLOB: &str = "84mawgoCcGsaCwgAGgd7ImEiOjF9GgsIABoHeyJhIjoyfaWXf3tDCjVUBf5IKqAEbpk=";

    #[test]
    fn a_line_is_shown_field_by_field_and_as_its_row() {
        let text = decode(LINE, None).unwrap();
        assert!(text.contains("timestamp                   1668968526.477"));
        assert!(text.contains(r#""event_name":"a b"#));
        assert!(
            !text.contains('\u{1b}'),
            "an escape sequence reached the terminal"
        );
        let text = decode(b"1\t2\n", None).unwrap();
        assert!(
            text.contains("no row: field_count: the line has 2 tab-separated columns; the field set has 4")
        );
    }

    #[test]
    fn a_blob_is_shown_raw_or_base64() {
        let raw = STANDARD.decode(BLOB).unwrap();
        for input in [BLOB.as_bytes(), &raw] {
            let text = decode(input, None).unwrap();
            assert!(
                text.starts_with("aggregated record, 50 bytes, 2 user records"),
                "{text}"
            );
            assert!(text.contains("partition key pk, 7 bytes\n     {\"a\":1}"));
        }
        assert!(
            matches!(decode(b"no blob", Some(Kind::Blob)), Err(CommandError::Job(message)) if message.contains("f3 89 9a c2"))
        );
        // The message of RFC 1321's test suite, which is not protobuf.
        let digest = b"\x90\x01\x50\x98\x3c\xd2\x4f\xb0\xd6\x96\x3f\x7d\x28\xe1\x7f\x72";
        let no_message = [&kpl::MAGIC[..], b"abc", digest].concat();
        let mut damaged = raw.clone();
        damaged[10] ^= 1;
        for (bytes, what) in [
            (&raw[..10], "too short"),
            (&damaged, "cut or damaged"),
            (&raw[..raw.len() - 1], "cut or damaged"),
            (&no_message, "no such message"),
        ] {
            let Err(CommandError::Job(message)) = decode(bytes, None) else {
                panic!("{what}");
            };
            assert!(message.ends_with(what), "{message}");
        }
    }

    #[test]
    fn an_event_is_shown_record_by_record() {
        let line = STANDARD.encode(LINE);
        let event = format!(
            r#"{{"Records":[{{"eventID":"shardId-0:49","kinesis":{{"sequenceNumber":"49","data":"{line}"}}}},
                {{"eventID":"shardId-0:50","kinesis":{{"sequenceNumber":"50","data":"{BLOB}"}}}},
                {{"eventID":"shardId-0:51","kinesis":{{"sequenceNumber":"51","data":null}}}}]}}"#
        );
        let text = decode(event.as_bytes(), None).unwrap();
        for part in [
            "3 records",
            "record 0: shardId-0 sequence number 49",
            "event_name",
            "2 user records",
            "bad_record",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(
            matches!(decode(b"{}", None), Err(CommandError::Job(message)) if message.contains("Records"))
        );
    }
}
