//! What can be asked of a sample.

use std::fmt;
use std::time::Duration;

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleOptions {
    /// Number of lines.
    pub lines: u64,
    /// Seed: another one, other lines.
    pub seed: u64,
    /// Time of the first line, UTC milliseconds since 1970.
    pub start_ms: i64,
    /// Lines per second of the lines' own time.
    pub rate: f64,
}

/// First time of a line. Readers accept lines from 2010 on, and a late line is some hours older than its neighbours.
const FIRST_MS: i128 = 1_262_390_400_000;
/// Last time of a line.
const LAST_MS: i128 = 4_102_444_799_999;

impl SampleOptions {
    /// Time of the first line and the time between two lines, if all lines lie in the years of a log.
    pub(super) fn clock(&self) -> Result<(u64, Duration), SampleError> {
        let rate = self.rate;
        if !(rate > 0.0 && rate.is_finite()) {
            return Err(SampleError::Rate { rate });
        }
        let gap = Duration::try_from_secs_f64(rate.recip()).map_err(|_| SampleError::Rate { rate })?;
        let span_ms = gap.as_nanos().saturating_mul(self.lines.saturating_sub(1).into()) / 1_000_000;
        let first = i128::from(self.start_ms);
        let last = first.saturating_add(span_ms.try_into().unwrap_or(i128::MAX));
        match [first, last]
            .into_iter()
            .find(|time_ms| !(FIRST_MS..=LAST_MS).contains(time_ms))
        {
            Some(time_ms) => Err(SampleError::Time { time_ms }),
            None => Ok((self.start_ms.unsigned_abs(), gap)),
        }
    }
}

/// Why there is no sample for some options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SampleError {
    /// The rate is not a positive number, or so small that a line would take centuries.
    Rate {
        /// That rate.
        rate: f64,
    },
    /// The first or the last line would lie outside the years that a log may come from.
    Time {
        /// Time of that line, UTC milliseconds since 1970.
        time_ms: i128,
    },
}

impl fmt::Display for SampleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SampleError::Rate { rate } => {
                write!(
                    f,
                    "the rate is {rate} lines per second; expected a number above 0, such as 0.1 or 500"
                )
            }
            SampleError::Time { time_ms } => write!(
                f,
                "a line would lie at {time_ms} ms since 1970; expected all lines from 2010-01-02 to 2099-12-31"
            ),
        }
    }
}

impl std::error::Error for SampleError {}
