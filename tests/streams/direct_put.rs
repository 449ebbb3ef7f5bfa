//! The delivery `DirectPut`: documents straight to Firehose.

use serde_json::value::RawValue;

use super::{LOG, check, connect_and_put};
use crate::emulator::firehose::Gate;
use crate::pipeline::Pipeline;
use crate::tools::Tools;
use crate::views::Events;

#[test]
fn every_line_lands_in_the_bucket_by_firehose_alone() {
    let tools = Tools::of_the_stage();
    let pipeline = Pipeline::deploy(
        &tools,
        "direct_put",
        &[("Delivery", "DirectPut"), ("LogStreamShards", "8")],
    );
    let log = &*LOG;
    pipeline.firehose.set(Gate::Throttling);
    let mapping = connect_and_put(&pipeline, log, |_| {});
    assert_eq!(mapping.finish().given_up, 0);

    let firehose = pipeline.variable("EVENT_FIREHOSE_NAME");
    let mut view = Events::default();
    for object in pipeline.objects(firehose) {
        view.land_all(&object);
    }
    let figures = check(&pipeline, log, &view);
    assert!(figures.throttled > 0, "nothing was refused: {figures}");
    assert_eq!(pipeline.firehose.excesses(), [] as [String; 0]);

    // A record is as large as the setting allows, or a single document that is larger by itself.
    let cap: usize = pipeline.variable("BLOB_BYTES").parse().unwrap();
    let records = pipeline.firehose.stored(firehose);
    for record in records.iter().filter(|record| record.data.len() > cap) {
        let documents = serde_json::Deserializer::from_slice(&record.data).into_iter::<&RawValue>();
        assert_eq!(documents.count(), 1, "a record of {} bytes", record.data.len());
    }
    let rows = view.landed() as f64 / records.len() as f64;
    println!("{} Firehose records of {rows:.1} rows", records.len());
}
