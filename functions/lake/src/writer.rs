//! Takes what Firehose takes and writes what Firehose writes.

use std::collections::BTreeMap;
use std::io::Write as _;

use arrow::datatypes::SchemaRef;
use kpl::{DeaggregateError, Payload};
use pixel_row::{Day, Timestamp};

use super::buffer::RowBuffer;
use super::error_line::{self, ErrorType};
use super::folder::{ERRORS, Lake, LakeError};
use super::object_name::object_name;
use super::parquet_file;
use super::partition::{Destination, Partition};
use super::staging::Staging;
use super::table::{EVENTS, FAILED_EVENTS, Table};
use pixel_row::Cell;
use pixel_row::{Document, Documents};

/// Over so many bytes of waiting rows, of all partitions together, the largest partition is written. With
/// the encoder's own needs and vectors that grow by doubling, a writer stays below about four times this.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// Writes records into a lake: the local stand-in for both Firehose streams.
///
/// Rows wait in memory until [`flush`](LakeWriter::flush), or until they are too many. After an error the
/// rows that waited may be lost: go on from the records after the last flush that succeeded.
#[derive(Debug)]
pub struct LakeWriter {
    staging: Staging,
    events: Sink,
    failed_events: Sink,
    rows: BTreeMap<Partition, RowBuffer>,
    errors: BTreeMap<(ErrorType, Day), ErrorBuffer>,
    waiting_bytes: usize,
    max_waiting_bytes: usize,
    counts: Counts,
}

/// What a writer has put into the lake so far. Rows that wait are not in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows of `events_landed`.
    pub rows: u64,
    /// Rows of `failed_events_landed`.
    pub failed_rows: u64,
    /// Records, or parts of records, that did not convert: lines in the errors folder.
    pub conversion_failures: u64,
    /// Objects of all kinds.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A table and what the writer needs to know of it.
#[derive(Debug)]
struct Sink {
    table: Table,
    schema: SchemaRef,
}

/// Lines for one object of the errors folder.
#[derive(Debug)]
struct ErrorBuffer {
    lines: Vec<u8>,
    count: u64,
    since: Timestamp,
}

impl LakeWriter {
    /// A writer of its own; several may write to one lake at once. Removes what killed ones left.
    pub fn new(lake: &Lake) -> Result<LakeWriter, LakeError> {
        Ok(LakeWriter {
            staging: Staging::open(lake.root())?,
            events: Sink {
                table: EVENTS,
                schema: EVENTS.file_schema(),
            },
            failed_events: Sink {
                table: FAILED_EVENTS,
                schema: FAILED_EVENTS.file_schema(),
            },
            rows: BTreeMap::new(),
            errors: BTreeMap::new(),
            waiting_bytes: 0,
            max_waiting_bytes: MAX_WAITING_BYTES,
            counts: Counts::default(),
        })
    }

    /// Takes one record of the event stream or of a Direct PUT: a KPL blob, or JSON rows one after the other.
    ///
    /// A row goes into the hour of its own `ts_server`. One that does not convert goes, alone, to the errors.
    pub fn put_event(&mut self, record: &[u8], arrival: Timestamp) -> Result<(), LakeError> {
        self.put_events(&[record], arrival)
    }

    /// Takes records of the event stream as [`put_event`](LakeWriter::put_event) does, in less time.
    pub fn put_events(&mut self, records: &[impl AsRef<[u8]>], arrival: Timestamp) -> Result<(), LakeError> {
        for (record, payload) in records.iter().zip(kpl::deaggregate_all(records)) {
            self.put_payload(record.as_ref(), payload, arrival)?;
        }
        Ok(())
    }

    fn put_payload(
        &mut self,
        record: &[u8],
        payload: Result<Payload<'_>, DeaggregateError>,
        arrival: Timestamp,
    ) -> Result<(), LakeError> {
        match payload {
            Ok(Payload::Plain(data)) => self.put_documents(Destination::Events, data, arrival)?,
            Ok(Payload::Aggregated(user_records)) => {
                for user_record in user_records {
                    self.put_documents(Destination::Events, user_record.data, arrival)?;
                }
            }
            Err(error) => {
                let message = format!("aggregated record: {error}");
                self.put_error(&EVENTS, ErrorType::FormatConversion, &message, record, arrival)?;
            }
        }
        self.write_largest()
    }

    /// Takes one record of the failed events' stream: JSON rows one after the other. They go into the day of
    /// `arrival`.
    pub fn put_failed_event(&mut self, record: &[u8], arrival: Timestamp) -> Result<(), LakeError> {
        self.put_documents(Destination::FailedEvents, record, arrival)?;
        self.write_largest()
    }

    /// Writes all that waits; when this returns, it is in the lake and survives a power cut.
    pub fn flush(&mut self) -> Result<(), LakeError> {
        while let Some((partition, buffer)) = self.rows.pop_first() {
            self.write_rows(partition, buffer)?;
        }
        while let Some(((error_type, day), buffer)) = self.errors.pop_first() {
            self.write_errors(error_type, day, &buffer)?;
        }
        self.waiting_bytes = 0;
        Ok(())
    }

    /// What is in the lake by now.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn put_documents(&mut self, to: Destination, data: &[u8], arrival: Timestamp) -> Result<(), LakeError> {
        let table = to.table();
        let mut documents = Documents::new(table.columns, data);
        while let Some(document) = documents.next() {
            match document {
                Document::Row { cells, raw } => {
                    if let Some(partition) = to.partition(cells, arrival) {
                        self.put_row(partition, table, cells, arrival);
                    } else {
                        let message = "ts_server expected: the partition is its hour";
                        self.put_error(table, ErrorType::MetadataExtraction, message, raw, arrival)?;
                    }
                }
                Document::Unconvertible { raw, error } => {
                    self.put_error(
                        table,
                        ErrorType::FormatConversion,
                        &error.to_string(),
                        raw,
                        arrival,
                    )?;
                }
            }
        }
        Ok(())
    }

    fn put_row(&mut self, partition: Partition, table: &Table, cells: &[Cell<'_>], arrival: Timestamp) {
        let waiting_bytes = &mut self.waiting_bytes;
        let buffer = self.rows.entry(partition).or_insert_with(|| {
            let buffer = RowBuffer::new(table.columns, arrival);
            *waiting_bytes += buffer.bytes;
            buffer
        });
        let before = buffer.bytes;
        buffer.append(cells);
        *waiting_bytes += buffer.bytes - before;
    }

    fn put_error(
        &mut self,
        table: &Table,
        error_type: ErrorType,
        message: &str,
        raw: &[u8],
        arrival: Timestamp,
    ) -> Result<(), LakeError> {
        let buffer = self
            .errors
            .entry((error_type, arrival.day()))
            .or_insert_with(|| ErrorBuffer {
                lines: Vec::new(),
                count: 0,
                since: arrival,
            });
        let before = buffer.lines.len();
        error_line::write(&mut buffer.lines, table, error_type, message, raw, arrival)
            .map_err(|error| LakeError::io("write", self.staging.root())(error.into()))?;
        buffer.count += 1;
        self.waiting_bytes += buffer.lines.len() - before;
        Ok(())
    }

    /// Writes the largest of what waits, again and again, until the rest is within the limit: so the hours
    /// in which much happens get files of a good size and a late row waits for others of its hour.
    fn write_largest(&mut self) -> Result<(), LakeError> {
        while self.waiting_bytes > self.max_waiting_bytes {
            let rows = self.rows.iter().max_by_key(|(_, buffer)| buffer.bytes);
            let rows = rows.map(|(partition, buffer)| (*partition, buffer.bytes));
            let errors = self.errors.iter().max_by_key(|(_, buffer)| buffer.lines.len());
            let errors = errors.map(|(key, buffer)| (*key, buffer.lines.len()));
            match (rows, errors) {
                (rows, Some((key, len))) if rows.is_none_or(|(_, bytes)| bytes < len) => {
                    if let Some(buffer) = self.errors.remove(&key) {
                        self.waiting_bytes = self.waiting_bytes.saturating_sub(len);
                        self.write_errors(key.0, key.1, &buffer)?;
                    }
                }
                (Some((partition, bytes)), _) => {
                    if let Some(buffer) = self.rows.remove(&partition) {
                        self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes);
                        self.write_rows(partition, buffer)?;
                    }
                }
                (None, _) => self.waiting_bytes = 0,
            }
        }
        Ok(())
    }

    fn write_rows(&mut self, partition: Partition, buffer: RowBuffer) -> Result<(), LakeError> {
        let sink = match partition {
            Partition::Events { .. } => &self.events,
            Partition::FailedEvents { .. } => &self.failed_events,
        };
        let (rows, since) = (buffer.rows, buffer.since);
        let batch = buffer.finish(sink.schema.clone())?;
        let name = object_name(sink.table.stream, since, ".parquet");
        let len = self.staging.publish(&partition.folder(), &name, |file| {
            parquet_file::write(&batch, file).map_err(LakeError::from)
        })?;
        match partition {
            Partition::Events { .. } => self.counts.rows += rows,
            Partition::FailedEvents { .. } => self.counts.failed_rows += rows,
        }
        self.count_file(len);
        Ok(())
    }

    fn write_errors(
        &mut self,
        error_type: ErrorType,
        day: Day,
        buffer: &ErrorBuffer,
    ) -> Result<(), LakeError> {
        let folder = format!("{ERRORS}/{}/dt={day}", error_type.name());
        let name = object_name(EVENTS.stream, buffer.since, "");
        let len = self.staging.publish(&folder, &name, |file| {
            file.write_all(&buffer.lines)
                .map_err(LakeError::io("write", self.staging.root()))
        })?;
        self.counts.conversion_failures += buffer.count;
        self.count_file(len);
        Ok(())
    }

    fn count_file(&mut self, len: u64) {
        self.counts.files += 1;
        self.counts.bytes += len;
    }

    #[cfg(test)]
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// For tests: other limits.
    #[cfg(test)]
    pub(super) fn with_max_waiting_bytes(mut self, max_waiting_bytes: usize) -> LakeWriter {
        self.max_waiting_bytes = max_waiting_bytes;
        self
    }
}
