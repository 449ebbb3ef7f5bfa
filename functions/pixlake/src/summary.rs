//! What a run over log files came to.

use std::fmt;
use std::time::Duration;

use log_batch::{BatchCounts, DEFAULT_BLOB_BYTES};

/// The most failed lines that a summary shows; the table `failed_events` has them all.
pub const MAX_SHOWN_FAILURES: usize = 10;

/// The counts of a run, and the first of its failed lines.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Counts over the whole input.
    pub counts: BatchCounts,
    /// How long the run took.
    pub elapsed: Duration,
    /// `file:line: reason: what was expected`, of the first failed lines.
    pub failures: Vec<String>,
}

impl Summary {
    /// One JSON object: `lines`, `rows`, `failed` (reason to count), `blobs`, `blob_bytes`.
    #[must_use]
    pub fn json(&self) -> String {
        let BatchCounts {
            lines,
            rows,
            failed,
            blobs,
            blob_bytes,
            ..
        } = &self.counts;
        serde_json::json!({
            "lines": lines, "rows": rows, "failed": failed, "blobs": blobs, "blob_bytes": blob_bytes,
        })
        .to_string()
    }

    /// How full the blobs are on average, in percent of their cap.
    #[must_use]
    pub fn fill_percent(&self) -> u64 {
        let cap = self.counts.blobs * DEFAULT_BLOB_BYTES as u64;
        (self.counts.blob_bytes * 100).checked_div(cap).unwrap_or(0)
    }

    fn per_second(&self, count: u64) -> u64 {
        let millis = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        count.saturating_mul(1000) / millis
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        let failed = counts.failed_events();
        writeln!(
            f,
            "{} lines: {} rows, {failed} failed events",
            counts.lines, counts.rows
        )?;
        for failure in &self.failures {
            writeln!(f, "  {failure}")?;
        }
        if failed > self.failures.len() as u64 {
            writeln!(f, "  … all of them: SELECT * FROM failed_events")?;
        }
        writeln!(
            f,
            "{} blobs, {} bytes, {} % full",
            counts.blobs,
            counts.blob_bytes,
            self.fill_percent()
        )?;
        write!(
            f,
            "{:.1} s, {} lines/s, {} rows/s",
            self.elapsed.as_secs_f64(),
            self.per_second(counts.lines),
            self.per_second(counts.rows)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_the_five_members_of_the_contract() {
        let mut summary = Summary::default();
        (summary.counts.lines, summary.counts.rows) = (3, 2);
        (summary.counts.blobs, summary.counts.blob_bytes) = (1, 2560);
        summary.counts.failed = [("field_count", 1)].into();
        let json: serde_json::Value = serde_json::from_str(&summary.json()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"lines": 3, "rows": 2, "failed": {"field_count": 1}, "blobs": 1, "blob_bytes": 2560})
        );
        assert_eq!(summary.fill_percent(), 50);
        assert_eq!(Summary::default().fill_percent(), 0);
        assert!(summary.to_string().contains("3 lines: 2 rows, 1 failed events"));
    }
}
