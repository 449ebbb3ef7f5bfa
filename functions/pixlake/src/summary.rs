//! What a run over log files came to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use log_batch::{BatchCounts, DEFAULT_BLOB_BYTES};

use crate::terminal::Escaped;

/// The most failed lines that a summary shows; the table `failed_events` has them all.
pub const MAX_SHOWN_FAILURES: usize = 10;

/// The most paths that a hint names.
const SHOWN_PATHS: usize = 3;

/// The counts of a run, and the first of its failed lines.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Counts over the whole input.
    pub counts: BatchCounts,
    /// How long the run took.
    pub elapsed: Duration,
    /// `file:line: reason: what was expected`, of the first failed lines.
    pub failures: Vec<String>,
    /// The paths of the first lines, and how many of them have each.
    pub first_paths: BTreeMap<String, u64>,
}

impl Summary {
    /// One JSON object: `lines`, `rows`, `requests` (rows that are no hit of the pixel), `failed` (reason to
    /// count), `blobs`, `blob_bytes`.
    #[must_use]
    pub fn json(&self) -> String {
        let BatchCounts {
            lines,
            rows,
            requests,
            failed,
            blobs,
            blob_bytes,
            ..
        } = &self.counts;
        serde_json::json!({
            "lines": lines, "rows": rows, "requests": requests, "failed": failed,
            "blobs": blobs, "blob_bytes": blob_bytes,
        })
        .to_string()
    }

    /// How full the blobs are on average, in percent of their cap.
    #[must_use]
    pub fn fill_percent(&self) -> u64 {
        let cap = self.counts.blobs * DEFAULT_BLOB_BYTES as u64;
        (self.counts.blob_bytes * 100).checked_div(cap).unwrap_or(0)
    }

    /// What to do where rows came of the lines and none of them is a hit: the pixel's path may be another.
    #[must_use]
    pub fn pixel_hint(&self, pixel_paths: &[String]) -> Option<String> {
        if self.counts.rows == 0 || self.counts.requests < self.counts.rows {
            return None;
        }
        let mut paths: Vec<(&String, &u64)> = self.first_paths.iter().collect();
        paths.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let paths = paths.iter().take(SHOWN_PATHS);
        let paths: Vec<String> = paths.map(|(path, count)| format!("{path} ({count})")).collect();
        Some(format!(
            "no line has the path of a pixel, {}: every row is a request without an event. The first lines have {}; --pixel-path names the pixel's",
            pixel_paths.join(" or "),
            paths.join(", ")
        ))
    }

    /// What to do where no line has the fields that were expected: the lines are whole, and the list is another's.
    #[must_use]
    pub fn fields_hint(&self) -> Option<&'static str> {
        let other = self.counts.failed.get("field_count").copied().unwrap_or(0);
        (other > 0 && other == self.counts.lines).then_some(
            "every line has another number of columns than --fields names: `read` is what the stack logs by default, \
             `all` has every field, and a log of your own choice needs its own list",
        )
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
            "{} lines: {} rows, {} of them requests without an event, {failed} failed events",
            counts.lines, counts.rows, counts.requests
        )?;
        for failure in &self.failures {
            writeln!(f, "  {}", Escaped(failure))?;
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
    fn the_json_has_the_members_of_the_contract() {
        let mut summary = Summary::default();
        (summary.counts.lines, summary.counts.rows, summary.counts.requests) = (3, 2, 1);
        (summary.counts.blobs, summary.counts.blob_bytes) = (1, 2560);
        summary.counts.failed = [("field_count", 1)].into();
        let json: serde_json::Value = serde_json::from_str(&summary.json()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "lines": 3, "rows": 2, "requests": 1, "failed": {"field_count": 1}, "blobs": 1, "blob_bytes": 2560,
            })
        );
        assert_eq!(summary.fill_percent(), 50);
        assert_eq!(Summary::default().fill_percent(), 0);
        let sentence = "3 lines: 2 rows, 1 of them requests without an event, 1 failed events";
        assert!(summary.to_string().contains(sentence));
    }

    #[test]
    fn a_log_of_other_fields_is_told() {
        let mut summary = Summary::default();
        assert_eq!(summary.fields_hint(), None);
        (summary.counts.lines, summary.counts.failed) = (3, [("field_count", 2)].into());
        assert_eq!(summary.fields_hint(), None);
        summary.counts.failed = [("field_count", 3)].into();
        assert!(
            summary
                .fields_hint()
                .unwrap()
                .contains("`read` is what the stack logs")
        );
    }

    #[test]
    fn a_run_without_a_hit_names_the_paths_that_it_saw() {
        let paths = ["/p.gif".to_owned(), "/o.gif".to_owned()];
        let mut summary = Summary::default();
        assert_eq!(summary.pixel_hint(&paths), None);
        (summary.counts.rows, summary.counts.requests) = (9, 8);
        assert_eq!(summary.pixel_hint(&paths), None);
        summary.counts.requests = 9;
        let seen = [("/a", 1), ("/pixel.gif", 6), ("/b", 2), ("/c", 3)];
        summary.first_paths = seen.map(|(path, count)| (path.to_owned(), count)).into();
        let hint = summary.pixel_hint(&paths).unwrap();
        assert!(
            hint.starts_with("no line has the path of a pixel, /p.gif or /o.gif: "),
            "{hint}"
        );
        assert!(
            hint.contains("The first lines have /pixel.gif (6), /c (3), /b (2); --pixel-path"),
            "{hint}"
        );
    }
}
