//! What the stack costs: the formula against figures worked out by hand, and the documents against the
//! formula.
//!
//! `UPDATE_DOCS=1 cargo test --workspace --test costs` writes the tables of the README and of `docs/costs.md`
//! anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a panic is how a test fails, in its functions too"
)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a sample are small, and nobody pays fractions of a cent"
)]

mod bill;
mod figures;
mod prices;
mod quantities;
mod stack;
mod tables;
mod traffic;

use std::fs;
use std::path::{Path, PathBuf};

use lake::{EVENTS, Lake, LakeWriter};
use log_batch::DEFAULT_BLOB_BYTES;
use pixel_log::Field;

use self::bill::{Bill, Way};
use self::prices::Prices;
use self::stack::{Alarms, Deployment, Settings, Watch};
use self::traffic::{Traffic, steps};

/// Events a month, the columns of the tables.
const SIZES: [f64; 4] = [1e6, 1e7, 1e8, 1e9];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sample() -> Vec<u8> {
    fs::read(repository().join("events/sample.log")).unwrap()
}

/// What lines of the sample become in batches of so many.
fn pack(lines_a_batch: f64, way: Way, blob_bytes: usize) -> Traffic {
    traffic::pack(&sample(), lines_a_batch, way, blob_bytes)
}

/// The bill of a deployment as the templates and the code are.
fn bill_of(events: f64, deployment: &Deployment, prices: &Prices) -> Bill {
    let Deployment {
        way,
        alarms,
        settings,
    } = deployment;
    let pack = |lines| pack(lines, *way, DEFAULT_BLOB_BYTES);
    let line_bytes = traffic::line_bytes(&sample(), Field::READ);
    let watch = Watch::read(*way, *alarms);
    bill::bill(events, *way, settings, watch, line_bytes, pack, prices)
}

/// The settings of the figures that are worked out by hand.
const SETTINGS: Settings = Settings {
    log_retention_hours: 24.0,
    event_retention_hours: 24.0,
    buffer_seconds: 900.0,
    buffer_mib: 128.0,
    memory_mb: 512.0,
    batch_lines: 2_000.0,
    window_seconds: 5.0,
};

/// Equal to a tenth of a percent.
#[track_caller]
fn near(found: f64, expected: f64) {
    let off = (found - expected).abs();
    assert!(off <= expected.abs() / 1e3, "{found}, and not {expected}");
}

/// A million records of their own are 5,120,000,000 bytes, that is 4.768 GB; at 0.029 + 0.018 USD, 0.224 USD.
/// Eight rows of some 600 bytes in one record are an eighth of it.
#[test]
fn firehose_bills_steps_of_5_kb() {
    let prices = Prices::read();
    near(bill::firehose(1e6, &prices), 0.224_11);
    near(bill::firehose(1e6 / 8.0, &prices), 0.028_01);
    for (bytes, expected) in [(1, 1.0), (5_120, 1.0), (5_121, 2.0), (12_288, 3.0)] {
        near(steps(bytes), expected);
    }
}

/// A shard: 730 h × 0.015 = 10.95 USD, with a week's retention 730 × 0.035 = 25.55. A million lines put:
/// 0.014. Keys: 2,628,000 s / 300 s × 2 = 17,520 requests at 0.03 for 10,000 = 0.052 56.
#[test]
fn a_stream_costs_its_shards_its_puts_and_its_keys() {
    let prices = Prices::read();
    near(bill::stream(1.0, 24.0, 0.0, &prices), 10.95 + 0.052_56);
    near(bill::stream(1.0, 168.0, 0.0, &prices), 25.55 + 0.052_56);
    near(bill::stream(3.0, 168.0, 2e6, &prices), 76.65 + 0.028 + 0.052_56);
}

/// The peak is five times the mean, and a shard takes 1,000 records and 1 MB a second.
#[test]
fn shards_follow_the_peak_of_records_or_of_bytes() {
    near(bill::shards(0.0, 0.0), 1.0);
    near(bill::shards(200.0, 0.0), 1.0); // 1,000 a second at the peak, just one shard
    near(bill::shards(201.0, 0.0), 2.0);
    near(bill::shards(1.0, 450_000.0), 3.0); // 2.25 MB a second
}

/// At 512 MB, a function has 512 / 1,769 = 0.289 4 of a processor. A line of 750 bytes takes 9.8 µs of a
/// whole one, so 33.86 µs. A million lines in 500,000 invocations of 50 ms: 25,000 s + 33.86 s, times 0.5 GB
/// = 12,516.9 GB-s, at 0.000 013 333 4 USD = 0.166 9 USD, and 0.10 USD for half a million invocations.
#[test]
fn a_function_costs_what_it_waits_and_computes() {
    let prices = Prices::read();
    near(bill::function(1e6, 750.0, 5e5, 512.0, &prices), 0.266_9);
    // With 128 MB the waiting costs a quarter, the computing the same: 25,000 × 0.125 + 135.4 × 0.125 =
    // 3,141.9 GB-s.
    near(bill::function(1e6, 750.0, 5e5, 128.0, &prices), 0.141_9);
    // Above one whole processor the one thread of the handler gets no faster.
    near(
        bill::function(1e6, 750.0, 0.0, 3538.0, &prices),
        9.8 * 3.455_1 * 0.000_013_333_4,
    );
}

/// Windows of 5 s: 2,628,000 / 5 = 525,600 a shard, fewer where there are fewer lines, more where 2,000 fill
/// a batch. Intervals of 900 s: 2,920, with an object for each of two open hours.
#[test]
fn invocations_and_objects_follow_the_clock_until_there_is_too_much() {
    near(bill::invocations(100.0, 1.0, &SETTINGS), 100.0);
    near(bill::invocations(1e9, 2.0, &SETTINGS), 1_051_200.0);
    near(bill::invocations(1e10, 1.0, &SETTINGS), 5e6);
    near(bill::objects(1.0, &SETTINGS), 5_840.0);
    // 300 MiB in an interval are three objects of this hour and one of an earlier one.
    near(bill::objects(2_920.0 * 300.0 * 1_048_576.0, &SETTINGS), 11_680.0);
}

/// CloudFront: a million requests of its ten, 0.931 3 GB at 0.085; never more than 10 USD + 1,024 × 0.085 =
/// 87.04. The function: half a million invocations 0.10, 100,000 GB-seconds 1.333 34, 0.698 5 GB of log 0.349 2;
/// never more than 0.20, 5.333 36 and 2.50. Keys: of the 17,520 requests of one stream all, 0.052 56; of two
/// streams 20,000, 0.06. What watches: ten metrics of alarms and ten of logs, 1.00 and 3.00, and three dashboards.
#[test]
fn free_tiers_end() {
    let prices = Prices::read();
    near(bill::free_at_the_edge(1e6, &prices), 1.0 + 0.079_16);
    near(bill::free_at_the_edge(1e10, &prices), 97.04);
    near(bill::free_function(5e5, 1e5, &prices), 0.1 + 1.333_34 + 0.349_2);
    near(bill::free_function(1e9, 1e9, &prices), 0.2 + 5.333_36 + 2.5);
    near(bill::free_keys(1.0, &prices), 0.052_56);
    near(bill::free_keys(2.0, &prices), 0.06);
    let watch = |alarm_metrics, custom_metrics, dashboards| Watch {
        alarm_metrics,
        custom_metrics,
        dashboards,
    };
    near(bill::free_watched(watch(8.0, 2.0, 1.0), &prices), 0.8 + 0.6 + 3.0);
    near(
        bill::free_watched(watch(52.0, 11.0, 4.0), &prices),
        1.0 + 3.0 + 9.0,
    );
}

/// What a first deployment may cost: the bounds are promises, not measurements.
#[test]
fn a_first_deployment_costs_little() {
    let prices = Prices::read();
    let bill = |environment| tables::bill_of_environment(environment, 1e6, &prices);
    let (blog, default) = (bill("blog"), bill("default"));
    assert!(blog.total().high <= 21.0, "{:?}", blog.total());
    assert!(
        blog.total().high - blog.free <= 14.0,
        "{:?}, {}",
        blog.total(),
        blog.free
    );
    assert!(default.total().high <= 33.0, "{:?}", default.total());
}

/// 100 million lines of 750 bytes, a row of 1,000 each, in blobs of four: every hop by itself.
#[test]
fn a_bill_has_an_amount_for_each_hop() {
    let prices = Prices::read();
    let traffic = Traffic {
        row_bytes: 1_000.0,
        rows: 1.0,
        blobs: 0.25,
        blob_bytes: 1_010.0,
        blob_steps: 0.25,
        row_steps: 1.0,
        failed_steps: 0.01,
    };
    let watch = Watch {
        alarm_metrics: 20.0,
        custom_metrics: 5.0,
        dashboards: 1.0,
    };
    let kpl = [
        // 100 of requests; 1e11 bytes are 93.132 GB, × 0.085 = 7.916.
        ("CloudFront, requests and bytes", 107.916),
        ("real-time log lines", 1.0),
        // 38 lines a second, 190 at the peak: one shard 10.95, 100 × 0.014 of puts, 0.052 56 of keys.
        ("log stream", 12.402_56),
        // 525,600 invocations of 50 ms are 26,280 s, 1e8 lines of 33.86 µs 3,386 s; × 0.5 GB ×
        // 0.000 013 333 4 = 0.197 8; and 0.105 12 of invocations.
        ("function", 0.302_9),
        // 525,600 × 1,500 bytes are 0.734 25 GB, × 0.50.
        ("its log", 0.367_1),
        // One shard for 0.19 MB a second at the peak: 10.95, 25 × 0.014 and 0.052 56.
        ("event stream", 11.352_56),
        // 25 million steps are 119.209 GB, × 0.047 = 5.602 8; partitioning of 93.132 GB × 0.02 = 1.862 6
        // and of 5,840 objects × 0.005 / 1,000 = 0.029 2.
        ("Firehose, rows", 7.494_6),
        // A million steps.
        ("Firehose, failed events", 0.224_1),
        // 0.029 2 for the objects; 1e8 rows of 250 bytes are 23.283 GB, × 0.023 = 0.535 5.
        ("S3, new objects and a month's rows", 0.564_7),
        ("two keys and a secret", 2.4),
        // 2.00 + 1.50 + 3.00.
        ("alarms and dashboard", 6.5),
    ];
    let bill = |way| bill::bill(1e8, way, &SETTINGS, watch, 750.0, |_| traffic, &prices);
    let found = bill(Way::Kpl);
    assert_eq!(found.hops.len(), kpl.len());
    for ((hop, usd), (expected_hop, expected)) in found.hops.iter().zip(kpl) {
        assert_eq!(*hop, expected_hop);
        near(usd.low, expected);
        // Where each row is a record of its own, 100 million steps: 22.411 in place of 5.602 8.
        near(
            usd.high,
            if usd.low < usd.high {
                22.411 + 1.891_8
            } else {
                expected
            },
        );
    }
    near(found.total().low, 150.524);
    near(found.total().high, 167.333);
    // 97.04 would be CloudFront's all: 10 million requests are 10.00, and 93.132 GB 7.916. The function: 0.105 12,
    // 14,833 GB-seconds 0.197 8, its log 0.367 1. Keys 0.06. Ten of 20 metrics 1.00, five of the log 1.50, the
    // dashboard 3.00.
    near(
        found.free,
        17.916 + 0.105_12 + 0.197_8 + 0.367_1 + 0.06 + 1.0 + 1.5 + 3.0,
    );
    // The same without the event stream, and without a doubt.
    let direct = bill(Way::DirectPut);
    assert!(direct.hops.iter().all(|(hop, _)| *hop != "event stream"));
    near(direct.total().low, 139.172);
    near(direct.total().high, 139.172);
}

/// An independent reckoning of the second stream: it costs 10.95 USD a month. Against rows put one by one
/// (0.224 a million, JSON of some 600 bytes) blobs of eight (0.028) save 0.196 a million, so from 10.95 /
/// 0.196 = 56 million events on it pays. Against concatenated JSON, whose records are as full, it never does.
#[test]
fn a_second_stream_pays_against_single_rows_and_never_against_direct_put() {
    let prices = Prices::read();
    let saved = bill::firehose(1e6, &prices) - bill::firehose(1e6 / 8.0, &prices);
    near(prices.usd("kinesis_shard") * 730.0 / saved, 55.84);
    for events in SIZES.into_iter().chain([1e10]) {
        let default = Deployment::read();
        let bill = |way| bill_of(events, &Deployment { way, ..default }, &prices).total();
        let (kpl, direct) = (bill(Way::Kpl), bill(Way::DirectPut));
        assert!(kpl.low > direct.high, "{events}");
    }
}

/// What the demo prints of the same log: 2,490 rows in 574 blobs of 4,571 bytes. Its rows say another way and
/// time of ingestion, so that a blob more or less is not an error.
#[test]
fn the_sample_is_packed_as_the_function_packs_it() {
    let kpl = pack(2_000.0, Way::Kpl, DEFAULT_BLOB_BYTES);
    near(kpl.rows * 2_500.0, 2_490.0);
    assert!((kpl.blobs * 2_500.0 - 574.0).abs() <= 2.0);
    assert!((kpl.blob_bytes / kpl.blobs - 4_571.0).abs() <= 20.0);
    // Blobs stay below a step, but for a row that is larger itself.
    assert!(kpl.blob_steps >= kpl.blobs && kpl.blob_steps < 1.01 * kpl.blobs);
    assert!(kpl.row_steps >= kpl.rows && kpl.row_steps < 1.01 * kpl.rows);
    // A row is the same in both, and concatenated JSON has nothing around it.
    let direct = pack(2_000.0, Way::DirectPut, DEFAULT_BLOB_BYTES);
    near(direct.rows, kpl.rows);
    near(direct.row_bytes, kpl.row_bytes);
    near(direct.blob_bytes, direct.rows * direct.row_bytes);
    assert!(kpl.blob_bytes > direct.blob_bytes && direct.blobs <= kpl.blobs);
    // Lines that come one by one make blobs of one row.
    let single = pack(1.0, Way::DirectPut, DEFAULT_BLOB_BYTES);
    assert!(single.blobs > 0.97 && single.blobs < single.rows);
}

/// A row in Parquet, measured: the sample fills 13 hours, so its objects are as small as those of few events.
#[test]
fn rows_in_parquet_are_not_larger_than_assumed() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("costs-lake");
    drop(fs::remove_dir_all(&folder));
    let mut writer = LakeWriter::new(&Lake::open(&folder).unwrap()).unwrap();
    let log = fs::read(repository().join("events/sample.log")).unwrap();
    for handled in traffic::batches(&log, 2_000.0, Way::Kpl, DEFAULT_BLOB_BYTES) {
        writer
            .put_all(&EVENTS, &handled.blobs, traffic::arrival())
            .unwrap();
    }
    writer.flush().unwrap();
    let (mut bytes, mut folders) = (0, vec![folder.join("events")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.metadata().unwrap() {
                found if found.is_dir() => folders.push(entry.path()),
                found => bytes += found.len(),
            }
        }
    }
    let of_a_row = bytes as f64 / writer.rows(&EVENTS) as f64;
    assert!(of_a_row < bill::PARQUET_ROW_BYTES * 1.2, "{of_a_row}");
    assert!(of_a_row > bill::PARQUET_ROW_BYTES / 2.5, "{of_a_row}");
}

/// Alarms are counted by the metrics that they look at, a band as two more, and conditions are heeded.
#[test]
fn what_watches_the_stack_is_counted_by_delivery() {
    let template = "
Resources:
  # one metric, MetricName: in a comment
  Lag:
    Type: AWS::CloudWatch::Alarm
    Properties:
      MetricName: IteratorAge
  Ratio:
    Type: AWS::CloudWatch::Alarm
    Condition: WatchesEventStream
    Properties:
      Metrics: [{Metric: {MetricName: Failed}}, {Metric: {MetricName: All}}]
  Surge:
    Type: AWS::CloudWatch::Alarm
    Condition: HasDirectEventFirehose
    Properties:
      Metrics: [{Expression: ANOMALY_DETECTION_BAND(m)}, {Metric: {MetricName: All}}]
  Lines:
    Type: AWS::Logs::MetricFilter
    Properties:
      MetricTransformations: [{MetricName: Lines}]
  Board:
    Type: AWS::CloudWatch::Dashboard
Outputs:
  Name: {Value: MetricName:}
";
    let watch = |alarm_metrics| Watch {
        alarm_metrics,
        custom_metrics: 1.0,
        dashboards: 1.0,
    };
    assert_eq!(Watch::of(template, Way::Kpl, Alarms::All, ""), watch(3.0));
    assert_eq!(Watch::of(template, Way::DirectPut, Alarms::All, ""), watch(4.0));
    assert_eq!(Watch::of(template, Way::Kpl, Alarms::Essential, ""), watch(1.0));
}

/// A price without a source or a day is an invention.
#[test]
fn every_price_has_a_source_and_a_day() {
    let prices = Prices::read();
    for part in ["prices", "free"] {
        for (name, price) in prices.part(part) {
            let long = |member: &str| price[member].as_str().is_some_and(|text| text.len() >= 4);
            assert!(long("what") && long("source") && long("date"), "{name}");
        }
    }
    for (name, price) in prices.part("prices") {
        let usd = price["usd"].as_f64();
        assert!(usd.is_some_and(|usd| usd > 0.0), "{name}");
    }
}

/// One test, because its parts write to the same files.
#[test]
fn documents_are_up_to_date() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of this test is not a setting of the program"
    )]
    let update = std::env::var("UPDATE_DOCS").is_ok_and(|value| value == "1");
    let prices = Prices::read();
    let documents = tables::documents(&prices);
    assert_eq!(
        prices.unused(),
        Vec::<&String>::new(),
        "prices that are in no table"
    );
    for (path, sections) in documents {
        let path = repository().join(path);
        let found = fs::read_to_string(&path).unwrap();
        let mut expected = found.clone();
        for (name, text) in sections {
            let (begin, end) = (
                format!("<!-- begin: {name} -->\n"),
                format!("<!-- end: {name} -->"),
            );
            let (before, rest) = expected.split_once(&begin).unwrap();
            let (_, after) = rest.split_once(&end).unwrap();
            expected = format!("{before}{begin}{text}{end}{after}");
        }
        if update {
            fs::write(&path, &expected).unwrap();
        }
        assert!(
            update || found == expected,
            "{} is out of date: UPDATE_DOCS=1 writes it anew",
            path.display()
        );
    }
}
