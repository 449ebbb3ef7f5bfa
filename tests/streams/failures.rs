//! What the mapping, the function and the destination do when something is wrong: nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipeline_tests::stack::Stack;
use serde_json::Value;

use super::{check, peers};
use crate::emulator::firehose::Gate;
use crate::event_source_mapping::Deliveries;
use crate::event_source_mapping::sandbox::Moment;
use crate::event_source_mapping::settings::{MappingSettings, StartingPosition};
use crate::log::Log;
use crate::pipeline::Pipeline;
use crate::tools::Tools;
use crate::views::Events;

/// Where the mapping leaves what it gives up.
const GIVEN_UP: &str = "aws/lambda/";

fn deploy(name: &str) -> Pipeline {
    Pipeline::deploy(
        &Tools::of_the_stage(),
        name,
        &[("LogStreamShards", "2"), ("EventStreamShards", "4")],
    )
}

/// The lines through the function, with at most so many retries.
fn drive(pipeline: &Pipeline, log: &Log, retries: u64) -> Deliveries {
    let settings = MappingSettings {
        retries: Some(retries),
        ..pipeline.mapping.clone()
    };
    let stream = &pipeline.mapping.stream;
    pipeline
        .kinesis
        .put_all(stream, log.lines.iter().map(Vec::as_slice));
    pipeline.connect(&settings).finish()
}

fn view(pipeline: &Pipeline) -> Events {
    let stream = pipeline.kinesis.read_all(pipeline.variable("EVENT_STREAM_NAME"));
    let mut view = Events::default();
    peers::ours(&stream, usize::MAX, |row| view.land(row));
    view
}

/// What the mapping gave up.
fn given_up(pipeline: &Pipeline) -> Vec<Value> {
    let keys = pipeline.on_failure.keys(GIVEN_UP);
    let objects = keys
        .iter()
        .map(|key| serde_json::from_slice(&pipeline.on_failure.get(key)).unwrap());
    objects.collect()
}

/// Invokes the function with what was given up, as the runbook says.
fn replay(pipeline: &Pipeline, objects: &[Value]) {
    for object in objects {
        let answer = pipeline.function.invoke(object["payload"].as_str().unwrap());
        assert_eq!(answer.expect("an answer").item_failures(), [] as [String; 0]);
    }
}

#[test]
fn the_mapping_has_the_values_that_the_design_asks_for() {
    let stack = Stack::load(&Tools::of_the_stage().stack, &[]).unwrap();
    let settings = MappingSettings::read(stack.resource("Functions/AggregateLogsLogLines"));
    let expected = MappingSettings {
        starting_position: StartingPosition::TrimHorizon,
        batch_size: 2_000,
        window: Duration::from_secs(5),
        parallelization: 1,
        reports_item_failures: true,
        bisects: true,
        retries: Some(100),
        // An hour before a day of retention ends.
        record_age: Some(Duration::from_hours(23)),
        // What the stream, the function and the bucket are called is the template's affair.
        ..settings.clone()
    };
    assert_eq!(settings, expected);
    assert!(settings.on_failure.is_some());
}

#[test]
fn a_function_that_is_killed_at_any_moment_loses_nothing() {
    /// Killed when what they put is stored, and before they hear of it.
    const STORED: usize = 6;
    /// Killed after so many milliseconds: before the puts, in and after them, on fast machines and slow ones.
    const MOMENTS: [u64; 8] = [0, 20, 80, 200, 500, 1_000, 2_000, 4_000];
    const KILLS: usize = STORED + 4 * MOMENTS.len();
    let pipeline = deploy("killed");
    let log = Log::generate(20_000, 5);
    pipeline.firehose.set(Gate::Silent);
    let (invocations, firehose) = (AtomicUsize::new(0), Arc::clone(&pipeline.firehose));
    pipeline.function.kill(move |_| {
        let number = invocations.fetch_add(1, Ordering::SeqCst);
        if number < STORED {
            let (firehose, before) = (Arc::clone(&firehose), firehose.count());
            return Some(Box::new(move |_| firehose.count() > before));
        }
        firehose.set(Gate::Open);
        let moment = Duration::from_millis(MOMENTS[number % MOMENTS.len()]);
        (number < KILLS).then(|| Box::new(move |passed| passed >= moment) as Moment)
    });
    let deliveries = drive(&pipeline, &log, 100);
    assert_eq!(deliveries.given_up, 0);
    println!(
        "{} processes killed, {} started",
        pipeline.function.killed(),
        pipeline.function.started()
    );
    let figures = check(&pipeline, &log, &view(&pipeline));
    assert!(
        figures.twice > 0,
        "no process was killed between its puts and its answer"
    );
}

#[test]
fn a_record_that_kills_the_function_is_isolated_kept_and_replayed() {
    const RETRIES: u64 = 2;
    let pipeline = deploy("poison");
    let log = Log::generate(5_000, 6);
    let is_once = |line: &&Vec<u8>| log.lines.iter().filter(|other| other == line).count() == 1;
    let poison = STANDARD.encode(log.lines.iter().skip(1_000).find(is_once).unwrap());
    let data = format!(r#""data":"{poison}""#);
    pipeline
        .function
        .kill(move |event| event.contains(&data).then(|| Box::new(|_| true) as Moment));
    let deliveries = drive(&pipeline, &log, RETRIES);

    assert_eq!(deliveries.given_up, 1);
    let objects = given_up(&pipeline);
    let [object] = objects.as_slice() else {
        panic!("{} objects", objects.len());
    };
    let payload: Value = serde_json::from_str(object["payload"].as_str().unwrap()).unwrap();
    let records = payload["Records"].as_array().unwrap();
    assert_eq!(records.len(), 1, "good records were given up too");
    assert_eq!(records[0]["kinesis"]["data"], poison);
    assert_eq!(object["KinesisBatchInfo"]["batchSize"], 1);
    assert_eq!(
        object["KinesisBatchInfo"]["startSequenceNumber"],
        records[0]["kinesis"]["sequenceNumber"]
    );
    assert_eq!(object["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(object["requestContext"]["approximateInvokeCount"], RETRIES + 1);
    println!(
        "{} processes killed to isolate one record",
        pipeline.function.killed()
    );

    assert!(
        view(&pipeline).shown() != log.events,
        "the record was delivered all the same"
    );
    pipeline.function.kill(|_| None);
    replay(&pipeline, &objects);
    check(&pipeline, &log, &view(&pipeline));
}

#[test]
fn failed_events_that_nobody_takes_come_back_from_the_destination() {
    let pipeline = deploy("denied");
    let log = Log::generate(5_000, 7);
    pipeline.firehose.set(Gate::Denying);
    let deliveries = drive(&pipeline, &log, 1);
    let objects = given_up(&pipeline);
    assert!(!objects.is_empty());
    assert_eq!(objects.len() as u64, deliveries.given_up);
    // What stood before the first broken line of a batch was done, and is in no object.
    let kept = objects
        .iter()
        .map(|object| object["KinesisBatchInfo"]["batchSize"].as_u64().unwrap());
    let kept: u64 = kept.sum();
    assert!(kept < log.lines.len() as u64, "whole batches were given up");

    pipeline.firehose.set(Gate::Open);
    replay(&pipeline, &objects);
    let figures = check(&pipeline, &log, &view(&pipeline));
    println!(
        "{kept} records given up in {} objects and replayed",
        objects.len()
    );
    assert!(
        figures.twice > 0,
        "the rows beside the broken lines were not delivered before the replay"
    );
}
