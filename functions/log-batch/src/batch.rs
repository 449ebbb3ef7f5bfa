//! One batch: records in, blobs of rows and of failed events out. No I/O happens here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use kpl::Payload;
use pixel_log::{DaySalt, REQUEST_EVENT, RowScratch};
use pixel_row::{Day, DeliveryColumns, JsonBuffer};

use crate::counts::BatchCounts;
use crate::failure::{FailureReason, FailureTexts};
use crate::log_record::{LogRecord, MAX_LINE_BYTES, MAX_LINES_PER_RECORD};
use crate::packing::{Packed, Packer, documents};
use crate::ports::{Outlet, Salt};
use crate::settings::BatchSettings;

/// A batch under construction. Records are added in the order of the batch; nothing is carried over to the
/// next one.
pub(crate) struct Batch<'a, S> {
    settings: &'a BatchSettings,
    delivery: DeliveryColumns,
    salt: &'a S,
    salt_of_day: Option<(Day, Option<DaySalt>)>,
    events: Packer,
    failed_events: Packer,
    counts: BatchCounts,
    scratch: Scratch,
    row_scratch: RowScratch,
}

/// What one record gave, kept apart until the whole record is read: a panic half-way leaves nothing behind.
#[derive(Default)]
struct Scratch {
    /// Documents, one behind the other.
    rows: JsonBuffer,
    /// Where each document ends.
    row_ends: Vec<usize>,
    failures: JsonBuffer,
    failure_ends: Vec<usize>,
    texts: FailureTexts,
    counts: BatchCounts,
}

impl<'a, S: Salt> Batch<'a, S> {
    /// An empty batch for an outlet of rows and one of failed events. The seed decides the partition keys.
    pub(crate) fn new<E: Outlet, F: Outlet>(
        settings: &'a BatchSettings,
        delivery: DeliveryColumns,
        salt: &'a S,
        seed: u64,
    ) -> Batch<'a, S> {
        Batch {
            settings,
            delivery,
            salt,
            salt_of_day: None,
            events: Packer::new(E::SERVICE, settings.blob_bytes, seed),
            failed_events: Packer::new(F::SERVICE, settings.blob_bytes, seed),
            counts: BatchCounts::default(),
            scratch: Scratch::default(),
            row_scratch: RowScratch::default(),
        }
    }

    /// Makes room for the rows of an event of so many bytes: about as many, base64 and JSON weigh alike.
    pub(crate) fn reserve(&mut self, event_bytes: usize) {
        self.events.reserve(event_bytes);
    }

    /// Adds the record at this position of the batch.
    pub(crate) fn add(&mut self, position: usize, record: &LogRecord<'_>) {
        self.scratch.clear();
        let read = catch_unwind(AssertUnwindSafe(|| self.read_record(record)));
        if read.is_err() {
            self.scratch.clear();
            self.scratch.counts.lines = 1;
            self.fail(FailureReason::Panic, record, 0, record.data);
        }
        self.pack(position);
    }

    /// Adds a record of the envelope that could not be read; `data` is the record's own JSON.
    pub(crate) fn add_broken(&mut self, position: usize, record: &LogRecord<'_>, expected: &'static str) {
        self.scratch.clear();
        self.scratch.counts.lines = 1;
        self.fail(FailureReason::Record(expected), record, 0, record.data);
        self.pack(position);
    }

    /// Closes the batch.
    pub(crate) fn finish(self) -> PackedBatch {
        let events = self.events.finish();
        let failed_events = self.failed_events.finish();
        let mut counts = self.counts;
        counts.blobs = events.blobs() as u64;
        counts.blob_bytes = events.blob_bytes() as u64;
        PackedBatch {
            events,
            failed_events,
            counts,
        }
    }

    fn read_record(&mut self, record: &LogRecord<'_>) {
        match kpl::deaggregate(record.data) {
            Ok(Payload::Plain(data)) => {
                let lines = lines(data);
                // Fewer bytes cannot be more lines, and so are not counted.
                if data.len() > MAX_LINES_PER_RECORD && lines.clone().nth(MAX_LINES_PER_RECORD).is_some() {
                    return self.fail_whole(FailureReason::TooManyLines, record);
                }
                lines
                    .enumerate()
                    .for_each(|(index, line)| self.add_line(record, index, line));
            }
            // A stream may carry lines that a producer of the KPL format wrote.
            Ok(Payload::Aggregated(user_records)) => {
                let lines = || {
                    user_records
                        .iter()
                        .flat_map(|user_record| lines(user_record.data))
                };
                if lines().nth(MAX_LINES_PER_RECORD).is_some() {
                    return self.fail_whole(FailureReason::TooManyLines, record);
                }
                lines()
                    .enumerate()
                    .for_each(|(index, line)| self.add_line(record, index, line));
            }
            Err(_) => self.fail_whole(FailureReason::KplIndex, record),
        }
    }

    fn add_line(&mut self, record: &LogRecord<'_>, index: usize, line: &[u8]) {
        if line.len() > MAX_LINE_BYTES {
            self.scratch.counts.lines += 1;
            return self.fail(FailureReason::LongLine, record, index, line);
        }
        self.read_line(record, index, line);
    }

    fn read_line(&mut self, record: &LogRecord<'_>, index: usize, line: &[u8]) {
        let (first_row, start) = (self.scratch.row_ends.len(), self.scratch.rows.len());
        let mut oversize = false;
        let mut requests = 0;
        let Scratch {
            rows,
            row_ends,
            counts,
            ..
        } = &mut self.scratch;
        let events = &self.events;
        let (salt, cached) = (self.salt, &mut self.salt_of_day);
        counts.lines += 1;
        let read = self.settings.rows.read(
            line,
            record.arrival,
            self.delivery,
            &mut |day| match cached {
                Some((known, salt)) if *known == day => *salt,
                _ => cached.insert((day, salt.salt(day))).1,
            },
            &mut self.row_scratch,
            |row| {
                let begin = rows.len();
                row.write_json(rows);
                oversize |= !events.has_place(rows.len() - begin);
                row_ends.push(rows.len());
                requests += u64::from(row.event_name == Some(REQUEST_EVENT));
            },
        );
        let failure = match read {
            Ok(_) if oversize => FailureReason::Oversize,
            Ok(count) => {
                counts.rows += count as u64;
                counts.requests += requests;
                counts.good_lines += 1;
                return;
            }
            Err(error) => FailureReason::Line(error),
        };
        self.scratch.rows.truncate(start);
        self.scratch.row_ends.truncate(first_row);
        self.fail(failure, record, index, pixel_log::without_line_end(line));
    }

    fn fail_whole(&mut self, failure: FailureReason, record: &LogRecord<'_>) {
        self.scratch.counts.lines += 1;
        self.fail(failure, record, 0, record.data);
    }

    fn fail(&mut self, failure: FailureReason, record: &LogRecord<'_>, index: usize, raw: &[u8]) {
        let Scratch { failures, texts, .. } = &mut self.scratch;
        failure.write(record, index, raw, self.delivery, texts, failures);
        self.scratch.failure_ends.push(self.scratch.failures.len());
        *self.scratch.counts.failed.entry(failure.code()).or_default() += 1;
    }

    /// Moves what the record gave into the blobs.
    fn pack(&mut self, position: usize) {
        let scratch = &self.scratch;
        for row in documents(scratch.rows.bytes(), &scratch.row_ends) {
            self.events.push(position, row);
        }
        for failure in documents(scratch.failures.bytes(), &scratch.failure_ends) {
            self.failed_events.push(position, failure);
        }
        self.counts.add(&scratch.counts);
        self.counts.records += 1;
    }
}

impl Scratch {
    fn clear(&mut self) {
        self.rows.truncate(0);
        self.row_ends.clear();
        self.failures.truncate(0);
        self.failure_ends.clear();
        self.counts = BatchCounts::default();
    }
}

/// The lines of a record's data, each without its newline. Data without a newline is one line, and so is
/// empty data: it has a fate too.
fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    let ends = memchr::memchr_iter(b'\n', data).chain([data.len()]);
    ends.scan(0, |start, end| {
        let line = data.get(*start..end);
        *start = end + 1;
        line
    })
}

/// The blobs of one batch, ready to be put.
pub(crate) struct PackedBatch {
    pub(crate) events: Packed,
    pub(crate) failed_events: Packed,
    counts: BatchCounts,
}

impl PackedBatch {
    /// What the batch held.
    pub(crate) fn counts(&self) -> &BatchCounts {
        &self.counts
    }

    /// What the batch held, for whoever needs nothing else of it.
    pub(crate) fn into_counts(self) -> BatchCounts {
        self.counts
    }

    /// Whether every line has exactly one fate and every row its place in a blob. It is asserted before
    /// success is answered: a bug then stops the shard, where somebody sees it, and loses nothing.
    #[must_use]
    pub(crate) fn is_conserved(&self) -> bool {
        let counts = &self.counts;
        let failed = counts.failed_events();
        counts.lines == counts.good_lines + failed
            && counts.rows == self.events.rows() as u64
            && failed == self.failed_events.rows() as u64
            && self.events.is_whole()
            && self.failed_events.is_whole()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::packing::tests::packed;
    use crate::service::Service;

    /// Four records of one line each: the first gave two rows, the third one, the others are failed events.
    pub(crate) fn balanced() -> PackedBatch {
        PackedBatch {
            events: packed(Service::KINESIS, &[0, 0, 2]),
            failed_events: packed(Service::FIREHOSE, &[1, 3]),
            counts: BatchCounts {
                records: 4,
                lines: 4,
                good_lines: 2,
                rows: 3,
                failed: [("empty", 1), ("bad_ts", 1)].into(),
                ..BatchCounts::default()
            },
        }
    }

    /// The balanced batch with one fault at a time; each leaves every other account in balance.
    pub(crate) fn unbalanced() -> impl Iterator<Item = (&'static str, PackedBatch)> {
        type Fault = fn(&mut PackedBatch);
        let faults: [(&str, Fault); 5] = [
            ("a line without a fate", |batch| batch.counts.lines += 1),
            ("a row that no blob holds", |batch| batch.counts.rows += 1),
            ("a failed line without its event", |batch| {
                batch.counts.lines += 1;
                batch.counts.failed.insert("panic", 1);
            }),
            ("rows out of order", |batch| {
                batch.events = packed(Service::KINESIS, &[2, 0, 0]);
            }),
            ("failed events out of order", |batch| {
                batch.failed_events = packed(Service::FIREHOSE, &[3, 1]);
            }),
        ];
        faults.into_iter().map(|(fault, apply)| {
            let mut batch = balanced();
            apply(&mut batch);
            (fault, batch)
        })
    }

    #[test]
    fn every_account_has_to_balance() {
        assert!(balanced().is_conserved());
        for (fault, batch) in unbalanced() {
            assert!(!batch.is_conserved(), "{fault}");
        }
    }
}
