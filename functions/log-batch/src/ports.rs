//! What a batch needs from outside: two outlets, a clock, randomness and the day's salt.

use std::future::Future;
use std::time::Duration;

use pixel_log::DaySalt;
use pixel_row::{Day, Timestamp};

use crate::service::Service;

/// One record to put: its bytes, and for a Kinesis stream its partition key.
#[derive(Clone, Copy)]
pub struct PutEntry<'a> {
    /// The bytes of the record.
    pub data: &'a [u8],
    /// Kinesis partition key; Firehose has none and ignores it.
    pub partition_key: &'a str,
}

/// What became of one entry of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryOutcome {
    /// The service answered with a sequence number or a record id.
    Stored,
    /// The shard or the stream is over its rate.
    Throttled,
    /// Anything else: an internal failure, an unknown code, no answer for this entry.
    Failed,
}

/// Why a whole put has no outcome for its entries. Each of them may or may not have been stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutError {
    /// The whole call was throttled.
    Throttled,
    /// The call failed in a way that may pass: a server error, a timeout, a broken connection.
    Failed,
    /// The call is refused and will be until somebody mends it: access, a missing stream, a disabled key.
    Denied,
}

/// A place that rows go to: a Kinesis stream or a Firehose stream.
pub trait Outlet: Sync {
    /// The service that it puts to.
    const SERVICE: Service;

    /// Puts the entries in one call, once, without a retry of its own. The outcomes stand in the order of
    /// the entries, one for each.
    fn put(
        &self,
        entries: &[PutEntry<'_>],
    ) -> impl Future<Output = Result<Vec<EntryOutcome>, PutError>> + Send;
}

/// Time.
pub trait Clock: Sync {
    /// The wall clock, for the delivery columns.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, which never jumps: for deadlines.
    fn monotonic(&self) -> Duration;

    /// Waits.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// Random numbers, for jitter and partition keys. They need not be secret.
pub trait Randomness: Sync {
    /// The next 64 bits.
    fn next(&self) -> u64;
}

/// The secret of each UTC day, under which visitors are counted.
pub trait Salt: Sync {
    /// The salt of a day; none where there is none, or none any more.
    fn salt(&self, day: Day) -> Option<DaySalt>;
}

/// Salts derived from one long-lived key; without a key visitors are not counted. No `Debug`: it is a secret.
#[derive(Clone)]
pub struct DerivedSalt {
    key: Option<[u8; 32]>,
}

impl DerivedSalt {
    /// From the key of a setting.
    #[must_use]
    pub const fn new(key: Option<[u8; 32]>) -> DerivedSalt {
        DerivedSalt { key }
    }
}

impl Salt for DerivedSalt {
    fn salt(&self, day: Day) -> Option<DaySalt> {
        self.key.as_ref().map(|key| DaySalt::derive(key, day))
    }
}

/// All that a batch needs from outside.
pub struct Ports<E, F, C, R, S> {
    /// Where blobs of rows go.
    pub events: E,
    /// Where failed events go.
    pub failed_events: F,
    /// Time.
    pub clock: C,
    /// Random numbers.
    pub randomness: R,
    /// The day's salt.
    pub salt: S,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_derived_for_each_day_and_without_a_key_there_is_none() {
        let days = ["2026-11-01", "2026-11-02"].map(|day| Day::parse(day).unwrap());
        let key = [7; 32];
        for day in days {
            // Not `assert_eq!`: a salt has no `Debug`.
            assert!(DerivedSalt::new(Some(key)).salt(day) == Some(DaySalt::derive(&key, day)));
            assert!(DerivedSalt::new(None).salt(day).is_none());
        }
    }
}
