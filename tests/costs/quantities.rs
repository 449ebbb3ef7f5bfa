//! What the bills are made of: quantities and assumptions.

use std::fmt::Write as _;

use super::bill::{self, Bill, GB, HOURS, PEAK_FACTOR, SECONDS, SHARD_BYTES, Way};
use super::figures::{amount, grouped, row};
use super::pack;
use super::prices::Prices;
use super::stack::{Alarms, Settings, Watch};
use super::tables::{Bills, HEAD};
use super::traffic::STEP;

/// A cap of blobs ten times the default.
const LARGE_BLOB_BYTES: usize = 51_200;

/// The units behind the bill.
pub(crate) fn quantities(kpl: &Bills, direct: &Bills, prices: &Prices) -> String {
    let mut text = format!("| what{HEAD}");
    let mut add = |what: &str, bills: &Bills, of: &dyn Fn(&Bill) -> f64| {
        row(&mut text, what, bills.iter().map(|bill| amount(of(bill))));
    };
    add("events a second, mean", kpl, &|bill| bill.month.events / SECONDS);
    add("events a second, peak", kpl, &|bill| {
        bill.month.events / SECONDS * PEAK_FACTOR
    });
    add("shards of the log stream", kpl, &|bill| bill.month.log_shards);
    add("shards of the event stream, `Kpl`", kpl, &|bill| {
        bill.month.event_shards
    });
    add("thousands of invocations", kpl, &|bill| {
        bill.month.invocations / 1e3
    });
    add("lines an invocation", kpl, &lines);
    let gigabytes = |bill: &Bill, steps: f64| bill.month.events * steps * STEP as f64 / GB;
    for (name, bills) in [("Kpl", kpl), ("DirectPut", direct)] {
        add(&format!("rows a blob, `{name}`"), bills, &|bill| {
            bill.month.traffic.rows / bill.month.traffic.blobs
        });
    }
    add(
        "GB that Firehose bills, `Kpl`, a blob being a record",
        kpl,
        &|bill| gigabytes(bill, bill.month.traffic.blob_steps),
    );
    add("the same, a row being a record", kpl, &|bill| {
        gigabytes(bill, bill.month.traffic.row_steps)
    });
    add("GB that Firehose bills, `DirectPut`", direct, &|bill| {
        gigabytes(bill, bill.month.traffic.blob_steps)
    });
    add(
        &format!(
            "the same with `BlobBytes` at {}",
            grouped(LARGE_BLOB_BYTES as f64)
        ),
        direct,
        &|bill| {
            let large = pack(lines(bill), Way::DirectPut, LARGE_BLOB_BYTES);
            gigabytes(bill, large.blob_steps)
        },
    );
    add("GB of rows in JSON", kpl, &|bill| {
        bill.month.events * bill.month.traffic.rows * bill.month.traffic.row_bytes / GB
    });
    add("objects", kpl, &|bill| bill.month.objects);
    add("GB of a month's rows in S3", kpl, &stored);
    add("USD for Athena to read all columns of a day", kpl, &|bill| {
        (stored(bill) / 30.4).max(0.01) / 1024.0 * prices.usd("athena_scan")
    });
    for memory in [128.0, 256.0, 512.0] {
        add(&format!("USD for the function with {memory} MB"), kpl, &|bill| {
            let month = bill.month;
            let line_bytes = month.line_bytes;
            bill::function(month.events, line_bytes, month.invocations, memory, prices)
        });
    }
    text
}

fn lines(bill: &Bill) -> f64 {
    bill.month.events / bill.month.invocations
}

fn stored(bill: &Bill) -> f64 {
    bill.month.events * bill.month.traffic.rows * bill::PARQUET_ROW_BYTES / GB
}

/// What the bill takes for granted, and from where.
pub(crate) fn assumptions(settings: &Settings, bill: &Bill) -> String {
    let essential = Watch::read(Way::Kpl, Alarms::Essential);
    let all = Watch::read(Way::Kpl, Alarms::All);
    let traffic = bill.month.traffic;
    let lines = [
        ("hours of a month", HOURS, "365 days in twelve parts"),
        ("bytes of a GB", GB, "2^30, for every service"),
        (
            "peak over mean",
            PEAK_FACTOR,
            "assumed: the busiest minute of a month against its mean. Look at yours",
        ),
        (
            "events a line",
            1.0,
            "a hit that carries several is cheaper for each",
        ),
        (
            "bytes a log line",
            bill.month.line_bytes.round(),
            "mean of [`events/sample.log`](../events/sample.log), with the default of `LogFields`",
        ),
        (
            "bytes a row, JSON",
            traffic.row_bytes.round(),
            "of the same lines",
        ),
        (
            "bytes a row, Parquet",
            bill::PARQUET_ROW_BYTES,
            "measured with `pixlake ingest`: 246 in objects of 280 rows, 130 in objects of 10,000. \
             Firehose has another writer",
        ),
        (
            "bytes an answer",
            bill::ANSWER_BYTES,
            "assumed: 43 of the image, the rest headers",
        ),
        (
            "lines a second and shard",
            bill::SHARD_RECORDS,
            "[quota](https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html)",
        ),
        ("bytes a second and shard", SHARD_BYTES, "the same, 1 MB"),
        (
            "lines a batch at the most",
            settings.batch_lines,
            "`BatchSize` of `infra/functions.yaml`",
        ),
        (
            "seconds of a window",
            settings.window_seconds,
            "`MaximumBatchingWindowInSeconds` there; what comes in one window to one shard shares blobs",
        ),
        (
            "MB of memory",
            settings.memory_mb,
            "`FunctionMemory`; a whole processor comes with \
             [1,769](https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)",
        ),
        (
            "µs of a whole processor for a line",
            bill::LINE_US,
            "measured for 750 bytes on x86-64 ([measurements](measurements.md)), taken in proportion to bytes, and for \
             arm64 alike",
        ),
        (
            "ms of waiting an invocation",
            bill::WAIT_MS,
            "assumed: its start and a put over the network",
        ),
        (
            "bytes of log an invocation",
            bill::LOG_BYTES,
            "850 of the ledger's line, counted; Lambda's own lines assumed",
        ),
        (
            "hours of retention, log stream",
            settings.log_retention_hours,
            "`LogStreamRetentionHours`",
        ),
        (
            "hours of retention, event stream",
            settings.event_retention_hours,
            "`EventStreamRetentionHours`",
        ),
        (
            "seconds of Firehose's buffer",
            settings.buffer_seconds,
            "`BufferSeconds`",
        ),
        (
            "MiB of it",
            settings.buffer_mib,
            "`BufferMegabytes`, counted on JSON",
        ),
        (
            "hours open in it",
            bill::OPEN_HOURS,
            "assumed: rows are laid by their own hour, so late ones make objects of their own",
        ),
        (
            "seconds between data keys",
            bill::KEY_SECONDS,
            "[Kinesis](https://docs.aws.amazon.com/streams/latest/dev/costs-performance.html) asks KMS for \
             each who writes or reads a stream: two of them",
        ),
        (
            "metrics that essential alarms look at",
            essential.alarm_metrics,
            "`infra/alarms.yaml` and what it nests",
        ),
        (
            "metrics that all alarms look at",
            all.alarm_metrics,
            "the same, with `Kpl`; a band of an anomaly is taken for two more",
        ),
        (
            "metrics made of the log, essential",
            essential.custom_metrics,
            "the same",
        ),
        ("metrics made of the log, all", all.custom_metrics, "the same"),
    ];
    let mut text = String::from("| what | value | from |\n| --- | --: | --- |\n");
    for (what, value, from) in lines {
        writeln!(text, "| {what} | {} | {from} |", amount(value)).unwrap();
    }
    text
}
