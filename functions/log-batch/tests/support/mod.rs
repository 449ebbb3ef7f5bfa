//! What the tests share: virtual time, an executor that can kill what it runs, outlets that follow a script,
//! and events made by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]
#![allow(dead_code, reason = "every test file takes what it needs")]

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use log_batch::ports::{Clock, DerivedSalt, EntryOutcome, Outlet, Ports, PutEntry, PutError, Randomness};
use log_batch::{BatchSettings, PutLimits, Service};
use pixel_log::{FieldSet, RowConfig, RowReader};
use pixel_row::Timestamp;

/// 2026-11-01T00:00:00Z, as `date -u -d 2026-11-01 +%s` gives it.
pub(crate) const NOW_SECONDS: i64 = 1_793_491_200;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(NOW_SECONDS * 1000).unwrap()
}

/// Time that passes only when everything waits.
#[derive(Clone, Default)]
pub(crate) struct VirtualClock(Arc<Mutex<Time>>);

#[derive(Default)]
struct Time {
    now: Duration,
    timers: Vec<Duration>,
    sleeps: Vec<Duration>,
    progress: bool,
}

impl VirtualClock {
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    /// Every time that was asked for, slept through or not.
    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        self.0.lock().unwrap().sleeps.clone()
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.0.lock().unwrap().now += time;
    }

    /// Gives way to the executor once: a point at which it may kill.
    pub(crate) async fn give_way(&self) {
        let mut given = false;
        poll_fn(|_| {
            if given {
                return Poll::Ready(());
            }
            given = true;
            self.0.lock().unwrap().progress = true;
            Poll::Pending
        })
        .await;
    }

    /// Runs the future to its end, or drops it after so many polls.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>, kill_after: Option<u32>) -> Option<T> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        let mut polls = 0;
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return Some(value);
            }
            polls += 1;
            if kill_after == Some(polls) {
                return None;
            }
            let mut time = self.0.lock().unwrap();
            if !std::mem::take(&mut time.progress) {
                time.now = *time
                    .timers
                    .iter()
                    .min()
                    .expect("nothing waits for time: a deadlock");
            }
            time.timers.clear();
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        now()
    }

    fn monotonic(&self) -> Duration {
        self.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        let until = {
            let mut state = self.0.lock().unwrap();
            state.sleeps.push(time);
            state.now + time
        };
        poll_fn(|_| {
            let mut state = self.0.lock().unwrap();
            if state.now >= until {
                return Poll::Ready(());
            }
            state.timers.push(until);
            Poll::Pending
        })
        .await;
    }
}

/// What an outlet does with one call.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Stores every entry and says so.
    Stored,
    /// Stores those that it calls stored; the answer may have another length than the request.
    Entries(Vec<EntryOutcome>),
    /// Stores nothing.
    Error(PutError),
    /// Stores everything, but the answer is lost.
    Lost,
    /// Never answers.
    Hang,
    /// Answers after this time.
    Slow(Duration, Box<Answer>),
}

/// Which service an outlet of a test stands in for.
pub(crate) trait Kind: Send + Sync {
    const SERVICE: Service;
}

pub(crate) struct Kinesis;
pub(crate) struct Firehose;

impl Kind for Kinesis {
    const SERVICE: Service = Service::KINESIS;
}

impl Kind for Firehose {
    const SERVICE: Service = Service::FIREHOSE;
}

/// An outlet that follows a script, and stores everything once the script is at its end.
pub(crate) struct Scripted<K, const ENTRIES: usize = 500, const RECORD_BYTES: usize = 1_048_576> {
    kind: PhantomData<K>,
    clock: VirtualClock,
    script: Mutex<VecDeque<Answer>>,
    calls: Mutex<Vec<Vec<Put>>>,
    stored: Mutex<Vec<Put>>,
}

/// One entry as it was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Put {
    pub(crate) data: Vec<u8>,
    pub(crate) partition_key: String,
}

impl<K, const ENTRIES: usize, const RECORD_BYTES: usize> Scripted<K, ENTRIES, RECORD_BYTES> {
    pub(crate) fn new(clock: &VirtualClock, script: impl IntoIterator<Item = Answer>) -> Self {
        Scripted {
            kind: PhantomData,
            clock: clock.clone(),
            script: Mutex::new(script.into_iter().collect()),
            calls: Mutex::default(),
            stored: Mutex::default(),
        }
    }

    /// The calls, each with the ids in its entries.
    pub(crate) fn calls(&self) -> Vec<Vec<String>> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .map(|call| call.iter().flat_map(|put| ids(&put.data)).collect())
            .collect()
    }

    pub(crate) fn puts(&self) -> Vec<Vec<Put>> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn stored(&self) -> Vec<Put> {
        self.stored.lock().unwrap().clone()
    }

    pub(crate) fn stored_ids(&self) -> Vec<String> {
        self.stored().iter().flat_map(|put| ids(&put.data)).collect()
    }
}

impl<K: Kind, const ENTRIES: usize, const RECORD_BYTES: usize> Outlet for Scripted<K, ENTRIES, RECORD_BYTES> {
    const SERVICE: Service = K::SERVICE.within(PutLimits {
        entries: ENTRIES,
        request_bytes: 10 << 20,
        record_bytes: RECORD_BYTES,
    });

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        let puts: Vec<Put> = entries
            .iter()
            .map(|entry| Put {
                data: entry.data.to_vec(),
                partition_key: entry.partition_key.to_owned(),
            })
            .collect();
        self.calls.lock().unwrap().push(puts.clone());
        let mut answer = self.script.lock().unwrap().pop_front().unwrap_or(Answer::Stored);
        loop {
            match answer {
                Answer::Slow(time, then) => {
                    self.clock.sleep(time).await;
                    answer = *then;
                }
                Answer::Stored => {
                    self.stored.lock().unwrap().extend(puts);
                    return Ok(vec![EntryOutcome::Stored; entries.len()]);
                }
                Answer::Entries(outcomes) => {
                    let kept = puts.into_iter().zip(&outcomes);
                    let kept = kept.filter(|(_, outcome)| **outcome == EntryOutcome::Stored);
                    self.stored.lock().unwrap().extend(kept.map(|(put, _)| put));
                    return Ok(outcomes);
                }
                Answer::Error(error) => return Err(error),
                Answer::Lost => {
                    self.stored.lock().unwrap().extend(puts);
                    return Err(PutError::Failed);
                }
                Answer::Hang => loop {
                    self.clock.sleep(Duration::from_hours(1)).await;
                },
            }
        }
    }
}

/// Splitmix64: random enough, and the same in every run.
pub(crate) struct Dice(Mutex<u64>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(Mutex::new(seed))
    }
}

impl Randomness for Dice {
    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Always the same number.
pub(crate) struct Always(pub(crate) u64);

impl Randomness for Always {
    fn next(&self) -> u64 {
        self.0
    }
}

pub(crate) type TestPorts<E, F> = Ports<E, F, VirtualClock, Dice, DerivedSalt>;

pub(crate) fn ports<E, F>(clock: &VirtualClock, events: E, failed_events: F) -> TestPorts<E, F> {
    Ports {
        events,
        failed_events,
        clock: clock.clone(),
        randomness: Dice::new(7),
        salt: DerivedSalt::new(None),
    }
}

/// Lines of four fields, and blobs of at most so many bytes.
pub(crate) fn settings(blob_bytes: usize) -> BatchSettings {
    BatchSettings {
        rows: RowReader::new(RowConfig {
            fields: FieldSet::parse("timestamp,sc-status,cs-uri-stem,x-edge-request-id").unwrap(),
            ..RowConfig::default()
        }),
        blob_bytes,
        ..BatchSettings::default()
    }
}

/// A good line whose request has this id.
pub(crate) fn line(id: &str) -> String {
    format!("{NOW_SECONDS}.000\t200\t/p.gif?e=click\t{id}\n")
}

/// One record of an event, as Lambda writes it.
pub(crate) fn record(sequence_number: &str, data: &[u8]) -> String {
    format!(
        concat!(
            r#"{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":"1","sequenceNumber":"{}","#,
            r#""data":"{}","approximateArrivalTimestamp":{}.9}},"eventSource":"aws:kinesis","#,
            r#""eventVersion":"1.0","eventID":"shardId-000000000006:{}","eventName":"aws:kinesis:record","#,
            r#""invokeIdentityArn":"arn:aws:iam::111122223333:role/r","awsRegion":"eu-central-1","#,
            r#""eventSourceARN":"arn:aws:kinesis:eu-central-1:111122223333:stream/logs"}}"#
        ),
        sequence_number,
        STANDARD.encode(data),
        NOW_SECONDS,
        sequence_number
    )
}

/// An event of these records.
pub(crate) fn event(records: &[String]) -> Vec<u8> {
    format!(r#"{{"Records":[{}]}}"#, records.join(",")).into_bytes()
}

/// An event of good lines r0, r1 …, whose sequence numbers are 100, 101 …
pub(crate) fn good_event(count: usize) -> Vec<u8> {
    let records: Vec<String> = (0..count)
        .map(|i| record(&(100 + i).to_string(), line(&format!("r{i}")).as_bytes()))
        .collect();
    event(&records)
}

/// The request ids in bytes that hold rows of any packing.
pub(crate) fn ids(data: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(data);
    text.split(r#""request_id":""#)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

/// The documents of concatenated JSON.
pub(crate) fn documents(data: &[u8]) -> Vec<serde_json::Value> {
    serde_json::Deserializer::from_slice(data)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("concatenated JSON documents")
}
