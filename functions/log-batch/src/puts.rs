//! Blobs to an outlet, resending only what was refused, until all is stored or the time is up.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};

use crate::ports::{Clock, EntryOutcome, Outlet, PutEntry, PutError, Randomness};
use crate::service::PutLimits;

/// The most times that one call's entries are put in one invocation; after that the event source mapping
/// tries again.
pub const MAX_ATTEMPTS: u32 = 8;

/// A curve of waiting times with full jitter: anything from nothing to `base` doubled each time, up to `cap`.
/// Source: <https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>
struct Backoff {
    base: Duration,
    cap: Duration,
}

/// After throttling: a shard needs time.
const THROTTLED: Backoff = Backoff {
    base: Duration::from_millis(100),
    cap: Duration::from_secs(2),
};
/// After a failure: the next try may well succeed.
const FAILED: Backoff = Backoff {
    base: Duration::from_millis(25),
    cap: Duration::from_secs(1),
};

impl Backoff {
    fn wait(&self, attempt: u32, randomness: &impl Randomness) -> Duration {
        let ceiling = self.base.saturating_mul(1 << attempt.min(16)).min(self.cap);
        let nanos = u64::try_from(ceiling.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(randomness.next() % nanos.max(1))
    }
}

/// What the calls of one outlet came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutCounts {
    /// Calls of `put`.
    pub calls: u64,
    /// Entries that were refused because of a rate.
    pub throttled: u64,
    /// Entries that were refused otherwise, or had no outcome.
    pub failed: u64,
    /// Calls without an outcome for their entries: what they carried may be stored twice.
    pub unknown_calls: u64,
    /// Calls that were refused for a reason that only a person can mend.
    pub denied: u64,
}

/// What became of all entries for one outlet.
pub(crate) struct Puts {
    /// Index of the first entry that is not confirmed, if there is one. Everything before it is stored; of
    /// what follows, some may be.
    pub(crate) first_unconfirmed: Option<usize>,
    pub(crate) counts: PutCounts,
}

/// Puts the entries in order, until all are stored or a moment of the monotonic clock has come.
pub(crate) async fn put_all<O: Outlet>(
    outlet: &O,
    entries: &[PutEntry<'_>],
    clock: &impl Clock,
    randomness: &impl Randomness,
    until: Duration,
) -> Puts {
    let mut calls = Calls {
        outlet,
        entries,
        clock,
        until,
        counts: PutCounts::default(),
    };
    let first_unconfirmed = calls.put_all(randomness).await;
    Puts {
        first_unconfirmed,
        counts: calls.counts,
    }
}

/// Why a call has to be made again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Throttled,
    Failed,
    Denied,
}

/// The calls that put the entries.
struct Calls<'a, O, C> {
    outlet: &'a O,
    entries: &'a [PutEntry<'a>],
    clock: &'a C,
    until: Duration,
    counts: PutCounts,
}

impl<O: Outlet, C: Clock> Calls<'_, O, C> {
    /// Answers with the index of the first entry that is not confirmed.
    async fn put_all(&mut self, randomness: &impl Randomness) -> Option<usize> {
        let mut first = 0;
        while first < self.entries.len() {
            let end = end_of_call(self.entries, first, O::SERVICE.limits());
            // Indices into `entries`, not into the last request: its answer has other positions.
            let mut pending: Vec<usize> = (first..end).collect();
            let mut attempt = 0;
            loop {
                if self.time_left().is_zero() {
                    return pending.first().copied();
                }
                attempt += 1;
                let backoff = match self.put_once(&mut pending).await {
                    None => break,
                    Some(Refusal::Denied) => return pending.first().copied(),
                    Some(Refusal::Throttled) => THROTTLED,
                    Some(Refusal::Failed) => FAILED,
                };
                // Calls after this one are not begun: they would only add duplicates to the redelivery.
                if attempt == MAX_ATTEMPTS {
                    return pending.first().copied();
                }
                let wait = backoff.wait(attempt, randomness).min(self.time_left());
                self.clock.sleep(wait).await;
            }
            first = end;
        }
        None
    }

    fn time_left(&self) -> Duration {
        self.until.saturating_sub(self.clock.monotonic())
    }

    /// One call with the pending entries; those that are stored leave the list.
    async fn put_once(&mut self, pending: &mut Vec<usize>) -> Option<Refusal> {
        let request: Vec<PutEntry<'_>> = pending
            .iter()
            .filter_map(|&index| self.entries.get(index))
            .copied()
            .collect();
        self.counts.calls += 1;
        let end = pin!(self.clock.sleep(self.time_left()));
        let answer = match select(pin!(self.outlet.put(&request)), end).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(PutError::Failed), // no answer in time: stored or not, nobody knows
        };
        let counts = &mut self.counts;
        let outcomes = match answer {
            // An answer of another length says nothing about any entry.
            Ok(outcomes) if outcomes.len() == request.len() => outcomes,
            Ok(_) | Err(PutError::Failed) => {
                counts.unknown_calls += 1;
                counts.failed += request.len() as u64;
                return Some(Refusal::Failed);
            }
            Err(PutError::Throttled) => {
                counts.throttled += request.len() as u64;
                return Some(Refusal::Throttled);
            }
            Err(PutError::Denied) => {
                counts.denied += 1;
                return Some(Refusal::Denied);
            }
        };
        let mut refusal = None;
        let mut outcomes = outcomes.into_iter();
        pending.retain(|_| match outcomes.next() {
            Some(EntryOutcome::Stored) => false,
            Some(EntryOutcome::Throttled) => {
                counts.throttled += 1;
                refusal = Some(Refusal::Throttled);
                true
            }
            Some(EntryOutcome::Failed) | None => {
                counts.failed += 1;
                refusal = refusal.or(Some(Refusal::Failed));
                true
            }
        });
        refusal
    }
}

/// The end of the call that begins with this entry: as many as the outlet's limits allow, at least one.
fn end_of_call(entries: &[PutEntry<'_>], first: usize, limits: PutLimits) -> usize {
    let mut bytes = 0;
    let fitting = entries
        .iter()
        .skip(first)
        .take(limits.entries)
        .take_while(|entry| {
            bytes += entry.data.len() + entry.partition_key.len();
            bytes <= limits.request_bytes
        })
        .count();
    first + fitting.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_carries_as_much_as_its_limits_allow_and_at_least_one_entry() {
        // Ten bytes, four of them the key's.
        let entry = PutEntry {
            data: b"6bytes",
            partition_key: "four",
        };
        for (first, entries, request_bytes, end) in [
            (0, 500, 20, 2),
            (0, 500, 19, 1),
            (0, 500, 9, 1),
            (0, 1, 20, 1),
            (3, 500, 20, 5),
            (4, 500, 20, 5), // there are only five
        ] {
            let limits = PutLimits {
                entries,
                request_bytes,
                record_bytes: 10,
            };
            let found = end_of_call(&[entry; 5], first, limits);
            assert_eq!(found, end, "from {first}, {entries} of {request_bytes} bytes");
        }
    }
}
