//! What a batch, or a whole run, held.

use std::collections::BTreeMap;

/// Counts of one batch; they add up over batches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchCounts {
    /// Records of the batch.
    pub records: u64,
    /// Log lines in them; a record that cannot be taken apart counts as one.
    pub lines: u64,
    /// Lines that became rows.
    pub good_lines: u64,
    /// Rows: at least one for each good line, more where a hit carries several events.
    pub rows: u64,
    /// Rows with the event `request`: for other paths than the pixel's, or that were refused or redirected.
    pub requests: u64,
    /// Failed events by reason.
    pub failed: BTreeMap<&'static str, u64>,
    /// Blobs of rows.
    pub blobs: u64,
    /// Bytes of those blobs.
    pub blob_bytes: u64,
}

impl BatchCounts {
    /// Adds another batch's counts.
    pub fn add(&mut self, other: &BatchCounts) {
        self.records += other.records;
        self.lines += other.lines;
        self.good_lines += other.good_lines;
        self.rows += other.rows;
        self.requests += other.requests;
        self.blobs += other.blobs;
        self.blob_bytes += other.blob_bytes;
        for (reason, count) in &other.failed {
            *self.failed.entry(reason).or_default() += count;
        }
    }

    /// Failed events of all reasons.
    #[must_use]
    pub fn failed_events(&self) -> u64 {
        self.failed.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every field is named, in what is added and in what is asked: a new one does not compile without.
    #[test]
    fn every_count_adds_up() {
        let batch = BatchCounts {
            records: 1,
            lines: 2,
            good_lines: 3,
            rows: 4,
            requests: 5,
            failed: [("empty", 6), ("panic", 7)].into(),
            blobs: 8,
            blob_bytes: 9,
        };
        let mut run = BatchCounts::default();
        run.add(&batch);
        run.add(&batch);
        let BatchCounts {
            records,
            lines,
            good_lines,
            rows,
            requests,
            failed,
            blobs,
            blob_bytes,
        } = run;
        assert_eq!(
            [records, lines, good_lines, rows, requests, blobs, blob_bytes],
            [2, 4, 6, 8, 10, 16, 18]
        );
        assert_eq!(failed, [("empty", 12), ("panic", 14)].into());
    }
}
