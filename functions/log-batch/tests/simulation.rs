//! A whole world from a seed: shards of log records, an event source mapping that cuts, retries and bisects,
//! the real handler, killed at any await, and outlets that throttle, fail, lie and lose answers. Whatever
//! happens, every line has to be found again, once.
//!
//! The same seed gives the same run: `SIMULATION_SEED=17 cargo test -p log-batch --test simulation`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kpl::Payload;
use log_batch::ports::{Clock as _, DerivedSalt, EntryOutcome, Outlet, Ports, PutEntry, PutError};
use log_batch::{PutLimits, Service, Verdict, handle_event};
use support::{Dice, Firehose, Kind, Kinesis, NOW_SECONDS, VirtualClock, event, ids, record, settings};

/// How many seeds a normal run tries.
const SEEDS: u64 = 20_000;
/// Faults end after so many invocations of a run; then everything has to drain.
const FAULTY_INVOCATIONS: u32 = 40;

/// What can go wrong. Each is on in half of the runs, at a rate of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Fault {
    /// Single entries are throttled.
    EntryThrottled,
    /// Single entries fail, stored or not.
    EntryFailed,
    /// The call is throttled.
    CallThrottled,
    /// The call fails before anything is stored.
    CallFailed,
    /// Everything is stored and the answer is lost.
    AnswerLost,
    /// Some is stored and the answer is lost.
    HalfStored,
    /// The answer has another number of outcomes.
    WrongCount,
    /// The call is refused until somebody mends it.
    Denied,
    /// The call never answers.
    Hang,
    /// The call takes seconds.
    Slow,
    /// The function is killed at an await.
    Kill,
    /// The mapping hands the batch over again although it was answered well.
    Redelivery,
    /// The mapping halves a batch that failed.
    Bisect,
}

const FAULTS: [Fault; 13] = [
    Fault::EntryThrottled,
    Fault::EntryFailed,
    Fault::CallThrottled,
    Fault::CallFailed,
    Fault::AnswerLost,
    Fault::HalfStored,
    Fault::WrongCount,
    Fault::Denied,
    Fault::Hang,
    Fault::Slow,
    Fault::Kill,
    Fault::Redelivery,
    Fault::Bisect,
];

/// A bug planted between the handler and its world, to see whether the world notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    /// The adapter takes an entry that was refused for stored.
    RefusedIsStored,
    /// The adapter takes a call that failed for one that stored everything.
    FailedCallIsStored,
    /// The adapter takes a short answer for a good one.
    ShortAnswerIsStored,
    /// The verdict names the record after the right one.
    OffByOne,
    /// The verdict is always success.
    AlwaysDelivered,
    /// The verdict names the number that is lowest as text.
    TextOrder,
    /// The outcomes come in reverse.
    OutcomesReversed,
    /// The outlet cuts the last byte of every blob.
    CutBlob,
    /// The outlet stores under another partition key.
    OtherKey,
    /// The last entry of a call is dropped and called stored.
    LastEntryLost,
    /// Failed events are called stored and thrown away.
    FailedEventLost,
}

/// The dice of one run.
struct Luck {
    rates: BTreeMap<Fault, u32>,
    fired: BTreeMap<Fault, u64>,
    dice: fastrand::Rng,
    calm: bool,
}

impl Luck {
    fn new(seed: u64) -> Luck {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut rates = BTreeMap::new();
        for fault in FAULTS {
            if dice.bool() {
                rates.insert(fault, dice.u32(1..=300));
            }
        }
        Luck {
            rates,
            fired: BTreeMap::new(),
            dice,
            calm: false,
        }
    }

    fn strikes(&mut self, fault: Fault) -> bool {
        let rate = self.rates.get(&fault).copied().unwrap_or(0);
        let strikes = !self.calm && rate > 0 && self.dice.u32(0..1000) < rate;
        if strikes {
            *self.fired.entry(fault).or_default() += 1;
        }
        strikes
    }
}

type Shared = Arc<Mutex<Luck>>;

/// A stream that commits, or not, blob by blob.
struct FaultyOutlet<K, const ENTRIES: usize> {
    kind: PhantomData<K>,
    clock: VirtualClock,
    luck: Shared,
    bug: Bug,
    stored: Mutex<Vec<(String, Vec<u8>)>>,
    is_events: bool,
    /// How far any call went into its entries: nothing may exceed the limits.
    worst: Mutex<(usize, usize)>,
}

impl<K, const ENTRIES: usize> FaultyOutlet<K, ENTRIES> {
    fn new(clock: &VirtualClock, luck: &Shared, bug: Bug, is_events: bool) -> Self {
        FaultyOutlet {
            kind: PhantomData,
            clock: clock.clone(),
            luck: Arc::clone(luck),
            bug,
            stored: Mutex::default(),
            is_events,
            worst: Mutex::default(),
        }
    }

    fn strikes(&self, fault: Fault) -> bool {
        self.luck.lock().unwrap().strikes(fault)
    }

    fn commit(&self, entry: &PutEntry<'_>) {
        let mut data = entry.data.to_vec();
        let mut key = entry.partition_key.to_owned();
        match self.bug {
            Bug::CutBlob if self.is_events => drop(data.pop()),
            Bug::OtherKey if self.is_events => key.push('x'),
            Bug::FailedEventLost if !self.is_events => return,
            _ => {}
        }
        self.stored.lock().unwrap().push((key, data));
    }
}

impl<K: Kind, const ENTRIES: usize> Outlet for FaultyOutlet<K, ENTRIES> {
    const SERVICE: Service = K::SERVICE.within(PutLimits {
        entries: ENTRIES,
        request_bytes: 4_000,
        record_bytes: 3_000,
    });

    async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
        {
            let bytes = entries
                .iter()
                .map(|entry| entry.data.len() + entry.partition_key.len())
                .sum();
            let mut worst = self.worst.lock().unwrap();
            *worst = (
                worst.0.max(entries.len()),
                worst.1.max(if entries.len() > 1 { bytes } else { 0 }),
            );
        }
        self.clock.give_way().await; // killed before anything is stored
        if self.strikes(Fault::Slow) {
            let seconds = self.luck.lock().unwrap().dice.u64(1..20);
            self.clock.sleep(Duration::from_secs(seconds)).await;
        }
        if self.strikes(Fault::Denied) {
            return Err(PutError::Denied);
        }
        if self.strikes(Fault::CallThrottled) {
            return Err(PutError::Throttled);
        }
        if self.strikes(Fault::CallFailed) {
            let lie = self.bug == Bug::FailedCallIsStored;
            return if lie {
                Ok(vec![EntryOutcome::Stored; entries.len()])
            } else {
                Err(PutError::Failed)
            };
        }
        let half = self.strikes(Fault::HalfStored);
        let mut outcomes = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            if half && self.luck.lock().unwrap().dice.bool() {
                continue;
            }
            let last = index + 1 == entries.len();
            if self.bug == Bug::LastEntryLost && last && index > 0 {
                outcomes.push(EntryOutcome::Stored);
            } else if self.strikes(Fault::EntryThrottled) {
                outcomes.push(EntryOutcome::Throttled);
            } else if self.strikes(Fault::EntryFailed) {
                // A failure may come after the record was stored.
                if self.luck.lock().unwrap().dice.bool() {
                    self.commit(entry);
                }
                outcomes.push(EntryOutcome::Failed);
            } else {
                self.commit(entry);
                outcomes.push(EntryOutcome::Stored);
            }
        }
        self.clock.give_way().await; // killed after it was stored and before anybody knows
        if half || self.strikes(Fault::AnswerLost) {
            return Err(PutError::Failed);
        }
        if self.strikes(Fault::Hang) {
            loop {
                self.clock.sleep(Duration::from_hours(1)).await;
            }
        }
        if self.strikes(Fault::WrongCount) {
            let len = self.luck.lock().unwrap().dice.usize(0..=entries.len() + 1);
            if len != entries.len() {
                outcomes.resize(len, EntryOutcome::Stored);
                if self.bug == Bug::ShortAnswerIsStored {
                    outcomes.resize(entries.len(), EntryOutcome::Stored);
                }
            }
        }
        match self.bug {
            Bug::RefusedIsStored => outcomes.fill(EntryOutcome::Stored),
            Bug::OutcomesReversed => outcomes.reverse(),
            _ => {}
        }
        Ok(outcomes)
    }
}

/// A record of a shard: its sequence number, and what it has to become.
struct Input {
    sequence_number: String,
    json: String,
    good: Vec<String>,
    bad: usize,
}

struct Outcome {
    fired: BTreeMap<Fault, u64>,
    invocations: u64,
    partial: u64,
    copies: u64,
    rows: u64,
    failures: u64,
    /// Everything that was stored, in order: two runs of one seed have the same.
    trace: u64,
}

/// Runs one world to its end and checks what it left; says what is wrong.
fn simulate(seed: u64, bug: Bug) -> Result<Outcome, String> {
    let mut dice = fastrand::Rng::with_seed(seed ^ 0xabcd);
    if dice.u8(0..4) == 0 {
        simulate_with::<Firehose>(seed, dice, bug)
    } else {
        simulate_with::<Kinesis>(seed, dice, bug)
    }
}

/// Rows go to a service of this kind, failed events to Firehose.
fn simulate_with<K: Kind>(seed: u64, mut dice: fastrand::Rng, bug: Bug) -> Result<Outcome, String> {
    let luck: Shared = Arc::new(Mutex::new(Luck::new(seed)));
    let clock = VirtualClock::default();
    let ports = Ports {
        events: FaultyOutlet::<K, 4>::new(&clock, &luck, bug, true),
        failed_events: FaultyOutlet::<Firehose, 2>::new(&clock, &luck, bug, false),
        clock: clock.clone(),
        randomness: Dice::new(seed),
        salt: DerivedSalt::new(None),
    };
    let settings = settings([1, 500, 700, 1_100, 2_000][dice.usize(0..5)]);
    let mut outcome = Outcome {
        fired: BTreeMap::new(),
        invocations: 0,
        partial: 0,
        copies: 0,
        rows: 0,
        failures: 0,
        trace: 0,
    };
    let mut issued: HashMap<String, u64> = HashMap::new();
    let mut bad_lines = 0;
    let mut excess_cause = false;
    for shard in 0..dice.u32(1..3) {
        let inputs = shard_of(shard, &mut dice);
        for input in &inputs {
            issued.extend(input.good.iter().map(|id| (id.clone(), 0)));
            bad_lines += input.bad;
        }
        excess_cause |= drain(&inputs, &settings, &ports, &luck, &mut dice, bug, &mut outcome)?;
    }

    // What is in the streams now, read as their consumers read it.
    let mut event_keys: HashMap<i64, String> = HashMap::new();
    let stored = ports.events.stored.lock().unwrap();
    for (key, data) in stored.iter() {
        let rows: Vec<&[u8]> = if K::SERVICE == Service::FIREHOSE {
            split_documents(data)
        } else {
            match kpl::deaggregate(data).map_err(|error| error.to_string())? {
                Payload::Plain(row) => vec![row],
                // A reader that knows its shard drops user records with another key.
                Payload::Aggregated(rows) => rows
                    .iter()
                    .filter(|row| row.partition_key == key)
                    .map(|row| row.data)
                    .collect(),
            }
        };
        for row in rows {
            let (id, event_key) = check_row(row)?;
            let copies = issued.get_mut(&id).ok_or_else(|| format!("invented: {id}"))?;
            *copies += 1;
            outcome.copies += 1;
            let known = event_keys.entry(event_key).or_insert_with(|| id.clone());
            if *known != id {
                return Err(format!("{id} and {known} have one key"));
            }
        }
        outcome.trace = data
            .iter()
            .chain(key.as_bytes())
            .fold(outcome.trace, |hash, &byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            });
    }
    if let Some((id, _)) = issued.iter().find(|(_, copies)| **copies == 0) {
        return Err(format!("lost: {id}"));
    }
    if event_keys.len() != issued.len() {
        return Err("a row has two keys".to_owned());
    }
    if !excess_cause && outcome.copies != issued.len() as u64 {
        return Err("a row stands twice without a cause".to_owned());
    }
    let failed = ports.failed_events.stored.lock().unwrap();
    let mut failure_keys: Vec<String> = failed
        .iter()
        .flat_map(|(_, data)| split_documents(data))
        .map(|document| member(&String::from_utf8_lossy(document), "failure_key").to_owned())
        .collect();
    failure_keys.sort_unstable();
    failure_keys.dedup();
    if failure_keys.len() != bad_lines {
        return Err(format!(
            "{} failed events of {bad_lines} bad lines",
            failure_keys.len()
        ));
    }
    let worst = [
        *ports.events.worst.lock().unwrap(),
        *ports.failed_events.worst.lock().unwrap(),
    ];
    for ((entries, bytes), most) in worst.into_iter().zip([4, 2]) {
        if entries > most || bytes > 4_000 {
            return Err(format!("a call of {entries} entries, {bytes} bytes"));
        }
    }
    outcome.rows = issued.len() as u64;
    outcome.failures = bad_lines as u64;
    outcome.fired.clone_from(&luck.lock().unwrap().fired);
    Ok(outcome)
}

/// Hands a shard's records over until all are done, as the event source mapping does. Says whether anything
/// happened that explains a second copy.
fn drain<K: Kind>(
    inputs: &[Input],
    settings: &log_batch::BatchSettings,
    ports: &Ports<FaultyOutlet<K, 4>, FaultyOutlet<Firehose, 2>, VirtualClock, Dice, DerivedSalt>,
    luck: &Shared,
    dice: &mut fastrand::Rng,
    bug: Bug,
    outcome: &mut Outcome,
) -> Result<bool, String> {
    let clock = &ports.clock;
    let mut excess_cause = false;
    let mut at = 0;
    let mut size = dice.usize(1..=12);
    let mut invocations = 0;
    while at < inputs.len() {
        invocations += 1;
        if invocations > FAULTY_INVOCATIONS + 4 * 24 {
            return Err("not drained although the faults are over".to_owned());
        }
        luck.lock().unwrap().calm = invocations > FAULTY_INVOCATIONS;
        let batch = &inputs[at..(at + size).min(inputs.len())];
        let json: Vec<String> = batch.iter().map(|input| input.json.clone()).collect();
        let given = event(&json);
        let kill = {
            let mut luck = luck.lock().unwrap();
            luck.strikes(Fault::Kill).then(|| luck.dice.u32(1..12))
        };
        let before = luck.lock().unwrap().fired.clone();
        let begun = clock.elapsed();
        let time = Duration::from_secs(30);
        let handled = clock.run(handle_event(&given, settings, ports, time), kill);
        outcome.invocations += 1;
        // Denied, Hang and Slow may leave a call unfinished; what was stored then comes again.
        excess_cause |= luck.lock().unwrap().fired != before || kill.is_some();
        if clock.elapsed() + settings.margin > begun + time {
            return Err("answered after the deadline".to_owned());
        }
        let batch_outcome = match handled {
            None => {
                // An invocation error: the same again, or its first half.
                if luck.lock().unwrap().strikes(Fault::Bisect) {
                    size = (size / 2).max(1);
                }
                continue;
            }
            Some(batch_outcome) => batch_outcome.map_err(|error| error.to_string())?,
        };
        if !batch_outcome.conserved {
            return Err("the books do not balance".to_owned());
        }
        let verdict = planted(batch_outcome.verdict, bug, batch);
        match verdict {
            Verdict::Delivered => at += batch.len(),
            Verdict::RetryAll => return Err("every record has a number".to_owned()),
            Verdict::RetryFrom {
                sequence_number,
                position,
            } => {
                outcome.partial += 1;
                let named = batch
                    .iter()
                    .position(|input| input.sequence_number == sequence_number);
                let Some(named) = named else {
                    return Err("a number that is not of this batch".to_owned());
                };
                if bug == Bug::None && named != position {
                    return Err(format!("position {position} is not that of its number, {named}"));
                }
                if luck.lock().unwrap().calm && bug == Bug::None {
                    return Err("a failure without a fault".to_owned());
                }
                at += named;
                if luck.lock().unwrap().strikes(Fault::Bisect) {
                    size = (size / 2).max(1);
                }
            }
        }
        if at > 0 && luck.lock().unwrap().strikes(Fault::Redelivery) {
            at -= dice.usize(1..=at.min(6));
            excess_cause = true;
        }
        size = if dice.u8(0..4) == 0 {
            dice.usize(1..=12)
        } else {
            size
        };
    }
    Ok(excess_cause)
}

/// The verdict with a bug in it.
fn planted(verdict: Verdict, bug: Bug, batch: &[Input]) -> Verdict {
    let Verdict::RetryFrom {
        sequence_number,
        position,
    } = verdict
    else {
        return verdict;
    };
    let of = |position: usize| Verdict::RetryFrom {
        sequence_number: batch[position].sequence_number.clone(),
        position,
    };
    match bug {
        Bug::AlwaysDelivered => Verdict::Delivered,
        Bug::OffByOne if position + 1 == batch.len() => Verdict::Delivered,
        Bug::OffByOne => of(position + 1),
        // The lowest *text* of what is not confirmed, as a comparison of strings finds it.
        Bug::TextOrder => of((position..batch.len())
            .min_by_key(|&position| &batch[position].sequence_number)
            .unwrap_or(position)),
        _ => Verdict::RetryFrom {
            sequence_number,
            position,
        },
    }
}

/// The records of one shard: one line each, sometimes several, none or a bad one.
fn shard_of(shard: u32, dice: &mut fastrand::Rng) -> Vec<Input> {
    let count = dice.usize(1..24);
    // Around a power of ten, where text order and number order part.
    let first = dice.u64(95..120);
    (0..count)
        .map(|i| {
            let sequence_number = (first + i as u64 * 3).to_string();
            let (mut data, mut good, mut bad) = (String::new(), Vec::new(), 0);
            let lines = if dice.u8(0..8) == 0 { dice.usize(2..4) } else { 1 };
            for part in 0..lines {
                if dice.u8(0..8) == 0 {
                    data.push_str("bad\n");
                    bad += 1;
                } else {
                    let id = format!("s{shard}-{i}-{part}");
                    data.push_str(&line(&id));
                    good.push(id);
                }
            }
            let json = record(&sequence_number, data.as_bytes())
                .replace("shardId-000000000006", &format!("shardId-00000000000{shard}"));
            Input {
                sequence_number,
                json,
                good,
                bad,
            }
        })
        .collect()
}

/// A line whose path and time follow from its id, so that a row can be held against it.
fn line(id: &str) -> String {
    format!("{}.{:03}\t404\t/c/{id}\t{id}\n", NOW_SECONDS, id.len())
}

/// Holds a row against the line of its id, delivery columns and hashes aside. Gives its id and its key.
fn check_row(row: &[u8]) -> Result<(String, i64), String> {
    let text = std::str::from_utf8(row).map_err(|error| error.to_string())?;
    let [id] = ids(row).try_into().map_err(|_| format!("not one row: {text}"))?;
    let key = member(text, "event_key");
    let hash = member(text, "line_hash");
    let expected = format!(
        concat!(
            r#"{{"request_id":"{}","batch_index":0,"event_key":{},"line_hash":{},"schema_version":1,"#,
            r#""utf8_ok":true,"ts_server":"2026-11-01T00:00:00.{:03}Z","ts_event":"2026-11-01T00:00:00.{:03}Z","#,
            r#""event_name":"request","http_status":404,"request_path":"/c/{}","#,
            r#""ts_ingested":"2026-11-01T00:00:00.000Z","ingest_path":"realtime","pipeline_version":"{}"}}"#
        ),
        id,
        key,
        hash,
        id.len(),
        id.len(),
        id,
        env!("CARGO_PKG_VERSION")
    );
    if text != expected {
        return Err(format!("row {text} is not {expected}"));
    }
    key.parse()
        .map(|key| (id, key))
        .map_err(|_| "a key that is not a number".to_owned())
}

/// The number under a name.
fn member<'a>(json: &'a str, name: &str) -> &'a str {
    let (_, rest) = json.split_once(&format!("\"{name}\":")).unwrap_or_default();
    rest.split([',', '}']).next().unwrap_or_default()
}

/// The documents of concatenated JSON whose texts hold no braces.
fn split_documents(data: &[u8]) -> Vec<&[u8]> {
    data.split_inclusive(|&byte| byte == b'}').collect()
}

fn seeds() -> (u64, u64) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a seed that failed is tried again by hand"
    )]
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("SIMULATION_SEED") {
        Some(seed) => (seed, 1),
        None => (0, number("SIMULATION_SEEDS").unwrap_or(SEEDS)),
    }
}

#[test]
fn no_line_is_lost_invented_or_doubled_whatever_happens() {
    let (first, count) = seeds();
    let mut total: BTreeMap<Fault, u64> = BTreeMap::new();
    let (mut invocations, mut partial, mut rows, mut copies, mut failures, mut traced) = (0, 0, 0, 0, 0, 0);
    for seed in first..first + count {
        let outcome = simulate(seed, Bug::None).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        for (fault, fired) in &outcome.fired {
            *total.entry(*fault).or_default() += fired;
        }
        invocations += outcome.invocations;
        partial += outcome.partial;
        rows += outcome.rows;
        copies += outcome.copies;
        failures += outcome.failures;
        if seed % 1_000 == 0 {
            let again = simulate(seed, Bug::None).map(|again| again.trace);
            assert_eq!(again, Ok(outcome.trace), "seed {seed} is not the same twice");
            traced += 1;
        }
    }
    println!(
        "{count} seeds, {invocations} invocations, {} faults, {partial} partial answers, {rows} rows in \
         {copies} copies, {failures} bad lines, {traced} runs twice: {total:?}",
        total.values().sum::<u64>()
    );
    if count > 1_000 {
        // Otherwise the run proves nothing.
        for fault in FAULTS {
            assert!(
                total.get(&fault).copied().unwrap_or(0) > 100,
                "{fault:?} hardly happened"
            );
        }
        assert!(partial > 100 && failures > 100 && copies > rows);
    }
}

#[test]
fn planted_bugs_are_found_within_a_thousand_seeds() {
    for bug in [
        Bug::RefusedIsStored,
        Bug::FailedCallIsStored,
        Bug::ShortAnswerIsStored,
        Bug::OffByOne,
        Bug::AlwaysDelivered,
        Bug::TextOrder,
        Bug::OutcomesReversed,
        Bug::CutBlob,
        Bug::OtherKey,
        Bug::LastEntryLost,
        Bug::FailedEventLost,
    ] {
        let found = (0..1_000).find(|&seed| simulate(seed, bug).is_err());
        println!("{bug:?}: seed {found:?}");
        assert!(found.is_some(), "{bug:?} goes unseen");
    }
}

/// Every way in which four calls of a batch can each be answered well, be refused, fail or be lost, and
/// every await at which the first invocation can be killed.
#[test]
fn every_small_case_is_repaired_by_the_next_delivery() {
    use support::{Answer, Scripted, good_event, ports};
    let answers = [
        Answer::Stored,
        Answer::Lost,
        Answer::Error(PutError::Failed),
        Answer::Error(PutError::Denied),
        Answer::Entries(vec![EntryOutcome::Throttled, EntryOutcome::Stored]),
        Answer::Entries(vec![EntryOutcome::Stored, EntryOutcome::Failed]),
        Answer::Entries(vec![]),
        Answer::Hang,
    ];
    let settings = settings(1);
    let given = good_event(6);
    let mut cases = 0;
    for case in 0..answers.len().pow(5) {
        let script: Vec<Answer> = (0..5)
            .map(|at| answers[case / answers.len().pow(at) % answers.len()].clone())
            .collect();
        let clock = VirtualClock::default();
        let ports = ports(
            &clock,
            Scripted::<Kinesis, 2>::new(&clock, script),
            Scripted::<Firehose>::new(&clock, []),
        );
        let handled = handle_event(&given, &settings, &ports, Duration::from_secs(10));
        let batch_outcome = clock.run(handled, None).unwrap().unwrap();
        let done = match batch_outcome.verdict {
            Verdict::Delivered => 6,
            Verdict::RetryFrom { position, .. } => position,
            Verdict::RetryAll => panic!("every record has a number"),
        };
        let stored = ports.events.stored_ids();
        for position in 0..done {
            assert!(
                stored.contains(&format!("r{position}")),
                "case {case}: r{position} is reported done"
            );
        }
        cases += 1;
    }
    assert_eq!(cases, 32_768);
}

#[test]
fn a_kill_at_any_await_is_repaired_by_the_next_delivery() {
    let records: Vec<String> = (0..8)
        .map(|i| record(&(100 + i).to_string(), line(&format!("k{i}")).as_bytes()))
        .collect();
    let given = event(&records);
    let settings = settings(700);
    let mut killed = 0;
    for polls in 1.. {
        let luck: Shared = Arc::new(Mutex::new(Luck {
            calm: true,
            ..Luck::new(0)
        }));
        let clock = VirtualClock::default();
        let ports = Ports {
            events: FaultyOutlet::<Kinesis, 4>::new(&clock, &luck, Bug::None, true),
            failed_events: FaultyOutlet::<Firehose, 2>::new(&clock, &luck, Bug::None, false),
            clock: clock.clone(),
            randomness: Dice::new(1),
            salt: DerivedSalt::new(None),
        };
        let time = Duration::from_secs(30);
        let first = clock.run(handle_event(&given, &settings, &ports, time), Some(polls));
        let partial = ports.events.stored.lock().unwrap().len();
        if first.is_none() {
            killed += 1;
            let second = clock.run(handle_event(&given, &settings, &ports, time), None);
            assert_eq!(second.unwrap().unwrap().verdict, Verdict::Delivered);
        }
        let stored = ports.events.stored.lock().unwrap();
        let mut found: Vec<String> = stored.iter().flat_map(|(_, data)| ids(data)).collect();
        found.sort();
        found.dedup();
        assert_eq!(
            found.len(),
            8,
            "killed at poll {polls} with {partial} blobs stored"
        );
        if first.is_some() {
            break;
        }
    }
    // Two awaits for each call of at most four blobs.
    assert!(killed >= 2, "{killed}");
}
