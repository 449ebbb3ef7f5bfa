//! The delivery `Kpl`: blobs on the event stream, which everybody reads alike.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{LOG, check, connect_and_put};
use crate::emulator::kinesis::{Shard, StreamRecord};
use crate::peers::{self, PEERS};
use crate::pipeline::{Pipeline, leave};
use crate::tools::Tools;
use crate::views::Events;

/// All that the event stream holds, shard by shard.
type Stream = [(Shard, Vec<StreamRecord>)];

#[test]
fn every_line_has_one_fate_and_every_reader_finds_the_same_rows() {
    let tools = Tools::of_the_stage();
    // Few shards of the event stream, so that it throttles.
    let pipeline = Pipeline::deploy(
        &tools,
        "kpl",
        &[("LogStreamShards", "20"), ("EventStreamShards", "6")],
    );
    let log = &*LOG;
    let mapping = connect_and_put(&pipeline, log, |_| {});
    let deliveries = mapping.finish();
    assert_eq!(deliveries.given_up, 0);
    let stream = pipeline.kinesis.read_all(pipeline.variable("EVENT_STREAM_NAME"));
    let view = read(&pipeline, &tools, "kpl", &stream);
    let figures = check(&pipeline, log, &view);
    assert!(
        figures.throttled > 0 && figures.partial > 0,
        "no shard was at its limit: {figures}"
    );
    leave_for_the_next_stage(&pipeline, &tools, &stream);
}

/// Writes what Firehose would get of both kinds, in the order of arrival.
fn leave_for_the_next_stage(pipeline: &Pipeline, tools: &Tools, stream: &Stream) {
    let mut records: Vec<_> = stream.iter().flat_map(|(_, records)| records).collect();
    records.sort_by_key(|record| record.arrival_ms());
    let events = records.into_iter();
    let events = events.map(|record| json!({"arrival_ms": record.arrival_ms(), "data": record.data}));
    leave(&tools.file("events.jsonl"), events);

    let failed = pipeline
        .firehose
        .stored(pipeline.variable("FAILED_EVENTS_FIREHOSE_NAME"));
    let failed = failed.into_iter().map(|delivered| {
        let data = STANDARD.encode(&delivered.data);
        json!({"arrival_ms": delivered.arrival_ms, "data": data})
    });
    leave(&tools.file("failed_events.jsonl"), failed);
}

#[test]
fn shards_that_are_split_and_merged_while_lines_flow_lose_nothing() {
    let tools = Tools::of_the_stage();
    let pipeline = Pipeline::deploy(
        &tools,
        "reshard",
        &[("LogStreamShards", "12"), ("EventStreamShards", "8")],
    );
    let streams = [&*pipeline.mapping.stream, pipeline.variable("EVENT_STREAM_NAME")];
    let log = &*LOG;
    let mapping = connect_and_put(&pipeline, log, |part| {
        for stream in streams {
            match part {
                1 => pipeline.kinesis.split_first(stream),
                _ => pipeline.kinesis.merge_last(stream),
            }
        }
    });
    let deliveries = mapping.finish();
    assert_eq!(deliveries.given_up, 0);

    // One shard became two, and two became one; each is read after those from which it was made.
    let shards = pipeline.kinesis.shards(&pipeline.mapping.stream);
    assert_eq!(shards.iter().filter(|shard| shard.is_closed()).count(), 3);
    let first = |shard: &str| deliveries.shards.iter().position(|of| of == shard);
    let last = |shard: &str| deliveries.shards.iter().rposition(|of| of == shard);
    for shard in &shards {
        for parent in shard.parents() {
            assert!(last(parent) < first(&shard.id), "{} before {parent}", shard.id);
        }
    }

    let stream = pipeline.kinesis.read_all(streams[1]);
    for (shard, blobs) in &stream {
        let is_of_the_change = shard.is_closed() || shard.parents().next().is_some();
        assert!(!is_of_the_change || !blobs.is_empty(), "no blob in {}", shard.id);
    }
    let view = read(&pipeline, &tools, "reshard", &stream);
    check(&pipeline, log, &view);
}

/// Lands the rows of the event stream that our reader finds, if all the others find the same.
fn read(pipeline: &Pipeline, tools: &Tools, name: &str, stream: &Stream) -> Events {
    let cap: usize = pipeline.variable("BLOB_BYTES").parse().unwrap();
    let mut view = Events::default();
    let reading = peers::ours(stream, cap, |row| view.land(row));
    let file = tools.file(&format!("{name}/stream.tsv"));
    peers::write(&file, stream, |shard| shard.hash_key_range.clone());
    for peer in PEERS {
        let found = peers::read(peer, tools, &file);
        assert_eq!(found, reading, "{peer}");
        let blobs: u64 = found.values().map(|found| found.blobs).sum();
        let rows: u64 = found.values().map(|found| found.user_records).sum();
        println!(
            "{peer}: {blobs} blobs, {rows} user records, as ours in each of {} shards",
            found.len()
        );
    }
    // The range counts: with another shard's, the Kinesis Client Library drops every aggregated record.
    let few: Vec<(Shard, Vec<StreamRecord>)> = stream
        .iter()
        .filter(|(shard, _)| !shard.is_closed())
        .map(|(shard, records)| (shard.clone(), records.iter().take(20).cloned().collect()))
        .collect();
    let another = |shard: &Shard| {
        few.iter()
            .map(|(other, _)| other)
            .find(|other| other.id != shard.id)
    };
    peers::write(&file, &few, |shard| {
        another(shard).expect("another shard").hash_key_range.clone()
    });
    let [_, _, kcl] = PEERS;
    let misled = peers::read(kcl, tools, &file);
    let kept: u64 = misled.values().map(|found| found.user_records).sum();
    let read: u64 = peers::ours(&few, cap, |_| {})
        .values()
        .map(|found| found.user_records)
        .sum();
    assert!(
        kept < read / 2,
        "{kcl} keeps {kept} of {read} user records outside of their shards' ranges"
    );
    std::fs::remove_file(file).unwrap();
    view
}
