//! Takes what Firehose takes and writes what Firehose writes.

use std::collections::BTreeMap;
use std::io::Write as _;

use kpl::Payload;
use pixel_row::{Day, Document, Documents, Timestamp};

use super::buffer::RowBuffer;
use super::error_line::{self, ErrorType};
use super::folder::{ERRORS, Lake, LakeError};
use super::object_name::object_name;
use super::parquet_file;
use super::sink::{Partition, Sink};
use super::staging::Staging;
use super::table::Table;

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
    /// By the table's name.
    sinks: BTreeMap<&'static str, Sink>,
    /// By the Firehose that would write them.
    errors: BTreeMap<(&'static str, ErrorType, Day), ErrorBuffer>,
    waiting_bytes: usize,
    max_waiting_bytes: usize,
    counts: Counts,
}

/// What a writer has put into the lake so far. Rows that wait are not in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records, or parts of records, that did not convert: lines in the errors folder.
    pub conversion_failures: u64,
    /// Objects of all kinds.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
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
            sinks: BTreeMap::new(),
            errors: BTreeMap::new(),
            waiting_bytes: 0,
            max_waiting_bytes: MAX_WAITING_BYTES,
            counts: Counts::default(),
        })
    }

    /// Takes one record for a table: a KPL blob, or JSON rows one after the other.
    ///
    /// A row goes into the partition that the table's declaration gives it. One that does not convert goes, alone, to
    /// the errors.
    pub fn put(&mut self, table: &'static Table, record: &[u8], arrival: Timestamp) -> Result<(), LakeError> {
        self.put_all(table, &[record], arrival)
    }

    /// Takes records as [`put`](LakeWriter::put) does, in less time.
    pub fn put_all(
        &mut self,
        table: &'static Table,
        records: &[impl AsRef<[u8]>],
        arrival: Timestamp,
    ) -> Result<(), LakeError> {
        for (record, payload) in records.iter().zip(kpl::deaggregate_all(records)) {
            match payload {
                Ok(Payload::Plain(data)) => self.put_documents(table, data, arrival)?,
                Ok(Payload::Aggregated(user_records)) => {
                    for user_record in user_records {
                        self.put_documents(table, user_record.data, arrival)?;
                    }
                }
                Err(error) => {
                    let message = format!("aggregated record: {error}");
                    let error_type = ErrorType::FormatConversion;
                    self.put_error(table, error_type, &message, record.as_ref(), arrival)?;
                }
            }
            self.write_largest()?;
        }
        Ok(())
    }

    /// Writes all that waits; when this returns, it is in the lake and survives a power cut.
    pub fn flush(&mut self) -> Result<(), LakeError> {
        while let Some((table, partition, buffer)) = self.sinks.values_mut().find_map(Sink::take_first) {
            self.write_rows(table, partition, buffer)?;
        }
        while let Some((key, buffer)) = self.errors.pop_first() {
            self.write_errors(key, &buffer)?;
        }
        self.waiting_bytes = 0;
        Ok(())
    }

    /// What is in the lake by now.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Rows of a table that are in the lake by now.
    pub fn rows(&self, table: &Table) -> u64 {
        self.sinks.get(table.name).map_or(0, |sink| sink.landed)
    }

    fn put_documents(
        &mut self,
        table: &'static Table,
        data: &[u8],
        arrival: Timestamp,
    ) -> Result<(), LakeError> {
        let mut documents = Documents::new(table.columns, data);
        while let Some(document) = documents.next() {
            let sink = self.sinks.entry(table.name).or_insert_with(|| Sink::new(table));
            let (error_type, message, raw) = match document {
                Document::Row { cells, raw } => match sink.partition(cells, arrival) {
                    Ok(partition) => {
                        self.waiting_bytes += sink.put(partition, cells, arrival);
                        continue;
                    }
                    Err(column) => (
                        ErrorType::MetadataExtraction,
                        format!("{column} expected: the partition is its hour"),
                        raw,
                    ),
                },
                Document::Unconvertible { raw, error } => {
                    (ErrorType::FormatConversion, error.to_string(), raw)
                }
            };
            self.put_error(table, error_type, &message, raw, arrival)?;
        }
        Ok(())
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
            .entry((table.stream, error_type, arrival.day()))
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
            let rows = self.sinks.values_mut().max_by_key(|sink| sink.largest_bytes());
            let rows_bytes = rows.as_ref().map_or(0, |sink| sink.largest_bytes());
            let errors = self.errors.iter().max_by_key(|(_, buffer)| buffer.lines.len());
            let errors = errors.map(|(key, buffer)| (*key, buffer.lines.len()));
            if let Some((key, bytes)) = errors
                && bytes > rows_bytes
                && let Some(buffer) = self.errors.remove(&key)
            {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes);
                self.write_errors(key, &buffer)?;
            } else if let Some((table, partition, buffer)) = rows.and_then(Sink::take_largest) {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(rows_bytes);
                self.write_rows(table, partition, buffer)?;
            } else {
                self.waiting_bytes = 0;
            }
        }
        Ok(())
    }

    fn write_rows(
        &mut self,
        table: &'static Table,
        partition: Partition,
        buffer: RowBuffer,
    ) -> Result<(), LakeError> {
        let (rows, since) = (buffer.rows, buffer.since);
        let folder = self.staging.root().join(partition.folder(table));
        let failed = || LakeError::parquet("write", &folder);
        let batch = buffer
            .finish(table.file_schema())
            .map_err(|error| failed()(error.into()))?;
        let name = object_name(table.stream, since, ".parquet");
        let len = self.staging.publish(&folder, &name, |file| {
            let mut writer = parquet_file::writer(file, table).map_err(failed())?;
            writer.write(&batch).map_err(failed())?;
            writer.close().map_err(failed())?;
            Ok(())
        })?;
        if let Some(sink) = self.sinks.get_mut(table.name) {
            sink.landed += rows;
        }
        self.count_file(len);
        Ok(())
    }

    fn write_errors(
        &mut self,
        (stream, error_type, day): (&'static str, ErrorType, Day),
        buffer: &ErrorBuffer,
    ) -> Result<(), LakeError> {
        let folder = format!("{ERRORS}/{}/dt={day}", error_type.name());
        let folder = self.staging.root().join(folder);
        let name = object_name(stream, buffer.since, "");
        let len = self.staging.publish(&folder, &name, |file| {
            file.write_all(&buffer.lines)
                .map_err(LakeError::io("write", &folder))
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
