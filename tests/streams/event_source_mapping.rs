//! The event source mapping between the log stream and the function: it polls each shard, makes batches,
//! invokes the function, and does with its answers what the template says.
//!
//! Sources: <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html>

mod attempts;
mod event;
pub mod sandbox;
pub mod sandboxes;
pub mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use self::attempts::{Condition, Outcome, see_through};
use self::event::{Record, event_json, fitting, given_up};
use self::sandboxes::Sandboxes;
use self::settings::{MappingSettings, StartingPosition};
use crate::emulator::bucket::Bucket;
use crate::emulator::kinesis::{Kinesis, Shard, StreamRecord};

/// Between two polls of a shard that holds nothing new. Lambda polls once a second.
const POLL: Duration = Duration::from_millis(100);

/// A mapping at work.
pub struct EventSourceMapping {
    shared: Arc<Shared>,
    coordinator: JoinHandle<()>,
}

/// What the mapping did.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// The shard of each invocation, in the order in which they ended.
    pub shards: Vec<String>,
    /// Batches that were given up.
    pub given_up: u64,
}

struct Shared {
    settings: MappingSettings,
    kinesis: Kinesis,
    function: Arc<Sandboxes>,
    on_failure: Option<Arc<Bucket>>,
    is_last_round: AtomicBool,
    objects: AtomicU64,
    deliveries: Mutex<Deliveries>,
}

impl EventSourceMapping {
    /// Begins to read the stream.
    pub fn start(
        settings: MappingSettings,
        kinesis: Kinesis,
        function: Arc<Sandboxes>,
        on_failure: Option<Arc<Bucket>>,
    ) -> EventSourceMapping {
        assert_eq!(settings.on_failure.is_some(), on_failure.is_some());
        let shared = Arc::new(Shared {
            settings,
            kinesis,
            function,
            on_failure,
            is_last_round: AtomicBool::new(false),
            objects: AtomicU64::new(0),
            deliveries: Mutex::default(),
        });
        let latest = shared.skipped();
        let coordinated = Arc::clone(&shared);
        let coordinator = thread::spawn(move || coordinate(&coordinated, &latest));
        EventSourceMapping { shared, coordinator }
    }

    /// Waits until all that the stream holds is seen through. Nothing may be put to the stream any more.
    pub fn finish(self) -> Deliveries {
        self.shared.is_last_round.store(true, Ordering::SeqCst);
        self.coordinator.join().expect("the mapping");
        let mut deliveries = self.shared.deliveries.lock().unwrap();
        std::mem::take(&mut *deliveries)
    }
}

/// Reads every shard in a thread of its own, each after the shards from which it was made.
fn coordinate(shared: &Arc<Shared>, latest: &BTreeMap<String, Option<String>>) {
    let mut reading: BTreeMap<String, JoinHandle<()>> = BTreeMap::new();
    let mut read: BTreeSet<String> = BTreeSet::new();
    loop {
        let is_last_round = shared.is_last_round.load(Ordering::SeqCst);
        let (ended, still): (BTreeMap<_, _>, BTreeMap<_, _>) =
            reading.into_iter().partition(|(_, reader)| reader.is_finished());
        reading = still;
        for (shard, reader) in ended {
            reader.join().expect("the reader of a shard");
            read.insert(shard);
        }
        let shards = shared.kinesis.shards(&shared.settings.stream);
        let names: BTreeSet<&String> = shards.iter().map(|shard| &shard.id).collect();
        for shard in &shards {
            let is_new = !read.contains(&shard.id) && !reading.contains_key(&shard.id);
            // A parent whose records have all expired is listed no more.
            if is_new
                && shard
                    .parents()
                    .all(|parent| read.contains(parent) || !names.contains(parent))
            {
                let (shared, shard_id) = (Arc::clone(shared), shard.id.clone());
                let after = latest.get(&shard_id).cloned().flatten();
                let reader = thread::spawn(move || shared.read(&shard_id, after));
                reading.insert(shard.id.clone(), reader);
            }
        }
        if is_last_round && reading.is_empty() {
            return;
        }
        thread::sleep(POLL);
    }
}

impl Shared {
    /// Where reading begins in the shards that are there already, if not at their beginning.
    fn skipped(&self) -> BTreeMap<String, Option<String>> {
        match self.settings.starting_position {
            StartingPosition::TrimHorizon => BTreeMap::new(),
            StartingPosition::Latest => {
                let all = self.kinesis.read_all(&self.settings.stream);
                let last = |(shard, records): (Shard, Vec<StreamRecord>)| {
                    (shard.id, records.last().map(|last| last.sequence_number.clone()))
                };
                all.into_iter().map(last).collect()
            }
        }
    }

    /// Reads a shard to its end, or until the last round.
    fn read(&self, shard: &str, mut after: Option<String>) {
        let settings = &self.settings;
        let mut waiting: Vec<Record> = Vec::new();
        let mut since = Instant::now();
        loop {
            // Asked before the poll: what was put by then is seen by it.
            let is_last_round = self.is_last_round.load(Ordering::SeqCst);
            let mut is_at_end = false;
            if waiting.len() < settings.batch_size {
                let found = self.poll(shard, after.as_deref());
                if found.is_empty() {
                    is_at_end = self.is_drained(shard, after.as_deref());
                    if waiting.is_empty() && (is_at_end || is_last_round) {
                        return;
                    }
                    if !is_at_end {
                        thread::sleep(POLL);
                    }
                } else if waiting.is_empty() {
                    since = Instant::now();
                }
                if let Some(last) = found.last() {
                    after = Some(last.sequence_number.clone());
                }
                waiting.extend(found);
            }
            let fitting = fitting(&waiting, settings.batch_size);
            let is_full = fitting == settings.batch_size || fitting < waiting.len();
            if fitting > 0 && (is_full || is_at_end || since.elapsed() >= settings.window) {
                let rest = waiting.split_off(fitting);
                self.deliver(shard, waiting);
                waiting = rest;
                since = Instant::now();
            }
        }
    }

    fn poll(&self, shard: &str, after: Option<&str>) -> Vec<Record> {
        let found = self
            .kinesis
            .records_after(&self.settings.stream, shard, after, self.settings.batch_size);
        let record = |found| Record::new(found, shard, &self.settings.stream_arn);
        found.into_iter().map(record).collect()
    }

    /// Whether the shard is closed and holds nothing more.
    fn is_drained(&self, shard: &str, after: Option<&str>) -> bool {
        let shards = self.kinesis.shards(&self.settings.stream);
        let is_closed = shards.iter().any(|found| found.id == shard && found.is_closed());
        is_closed && self.poll(shard, after).is_empty()
    }

    /// Sees a batch through, in as many lanes as the mapping has for a shard. A key stays in its lane.
    fn deliver(&self, shard: &str, batch: Vec<Record>) {
        let mut lanes: BTreeMap<u128, Vec<Record>> = BTreeMap::new();
        for record in batch {
            let lane = kpl::hash_key(&record.partition_key) % self.settings.parallelization;
            lanes.entry(lane).or_default().push(record);
        }
        thread::scope(|scope| {
            for lane in lanes.values() {
                scope.spawn(|| {
                    see_through(
                        lane,
                        &self.settings,
                        |records| self.invoke(shard, records),
                        |records, condition, invocations| {
                            self.give_up(shard, records, condition, invocations);
                        },
                    );
                });
            }
        });
    }

    fn invoke(&self, shard: &str, records: &[Record]) -> Outcome {
        let event = event_json(records);
        let answer = self.function.invoke(&event);
        self.deliveries.lock().unwrap().shards.push(shard.to_owned());
        Outcome::of(answer.as_ref(), records, self.settings.reports_item_failures)
    }

    /// Leaves the batch at the on-failure destination, with the event itself.
    fn give_up(&self, shard: &str, records: &[Record], condition: Condition, invocations: u64) {
        self.deliveries.lock().unwrap().given_up += 1;
        // Without a destination the records are gone.
        if let Some(bucket) = &self.on_failure {
            let number = self.objects.fetch_add(1, Ordering::SeqCst);
            let (key, body) = given_up(&self.settings, shard, records, condition, invocations, number);
            bucket.put(&key, body.as_bytes());
        }
    }
}
