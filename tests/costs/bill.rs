//! The formula: what a month of so many events costs, hop by hop.

use super::prices::Prices;
use super::stack::{Settings, Watch};
use super::traffic::{STEP, Traffic};

/// Hours of a month, as AWS's own calculators count them: 365 days in twelve parts.
pub(crate) const HOURS: f64 = 730.0;
/// Seconds of a month.
pub(crate) const SECONDS: f64 = HOURS * 3600.0;
/// A GB of AWS's prices.
pub(crate) const GB: f64 = 1_073_741_824.0;
/// The busiest minute has so many times the hits of the mean one.
pub(crate) const PEAK_FACTOR: f64 = 5.0;
/// What a shard takes: records and bytes a second.
/// Source: <https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html>
pub(crate) const SHARD_RECORDS: f64 = 1_000.0;
/// Bytes a second; 1 MB is read as the smaller of its two meanings.
pub(crate) const SHARD_BYTES: f64 = 1_000_000.0;
/// What Firehose takes by Direct PUT, in bytes a second: in us-east-1, us-west-2 and eu-west-1, and
/// elsewhere.
/// Source: <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>
pub(crate) const DIRECT_PUT_BYTES: [f64; 2] = [5_242_880.0, 1_048_576.0];
/// Bytes of an answer to the pixel: 43 of the image, the rest headers.
pub(crate) const ANSWER_BYTES: f64 = 1_000.0;
/// Milliseconds that an invocation waits: it starts, and puts its blobs over the network.
pub(crate) const WAIT_MS: f64 = 50.0;
/// Microseconds of a whole processor for each line of [`MEASURED_LINE_BYTES`]: `docs/measurements.md`.
pub(crate) const LINE_US: f64 = 9.8;
/// Bytes of the line that was measured.
pub(crate) const MEASURED_LINE_BYTES: f64 = 750.0;
/// The memory in MB that comes with a whole processor.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
pub(crate) const WHOLE_PROCESSOR_MB: f64 = 1_769.0;
/// Bytes that an invocation writes to its log: some 850 of the ledger's line, the rest Lambda's own.
pub(crate) const LOG_BYTES: f64 = 1_500.0;
/// Hours of the rows' own time that Firehose writes to in one interval: this one and a late one.
pub(crate) const OPEN_HOURS: f64 = 2.0;
/// Bytes of a row in Parquet: 246 in objects of 280 rows, 130 in objects of 10,000.
pub(crate) const PARQUET_ROW_BYTES: f64 = 250.0;
/// Seconds after which Kinesis asks KMS for another data key, once for each who writes or reads.
/// Source: <https://docs.aws.amazon.com/streams/latest/dev/costs-performance.html>
pub(crate) const KEY_SECONDS: f64 = 300.0;
/// Who writes or reads a stream: CloudFront and the function, the function and Firehose.
pub(crate) const PARTIES: f64 = 2.0;

/// The way of rows to Firehose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Blobs to a second stream.
    Kpl,
    /// Concatenated JSON.
    DirectPut,
}

/// An amount, or the two ends of what it may be.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usd {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl From<f64> for Usd {
    fn from(usd: f64) -> Usd {
        Usd { low: usd, high: usd }
    }
}

/// What a month's events are in units that AWS counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Month {
    pub(crate) events: f64,
    pub(crate) line_bytes: f64,
    pub(crate) log_shards: f64,
    pub(crate) event_shards: f64,
    pub(crate) invocations: f64,
    pub(crate) objects: f64,
    pub(crate) traffic: Traffic,
}

/// A month and what it costs, hop by hop.
pub(crate) struct Bill {
    pub(crate) month: Month,
    pub(crate) hops: Vec<(&'static str, Usd)>,
    /// What an account has free of it, where nothing else of the account uses that up.
    pub(crate) free: f64,
}

impl Bill {
    /// The sum of all hops.
    pub(crate) fn total(&self) -> Usd {
        Usd {
            low: self.hops.iter().map(|(_, usd)| usd.low).sum(),
            high: self.hops.iter().map(|(_, usd)| usd.high).sum(),
        }
    }
}

/// The shards that a mean rate needs: records a second, bytes a second.
pub(crate) fn shards(records: f64, bytes: f64) -> f64 {
    let need = (records / SHARD_RECORDS).max(bytes / SHARD_BYTES);
    (need * PEAK_FACTOR).ceil().max(1.0)
}

/// Invocations of a month: one for each shard and window, or each line where those are fewer; more where
/// batches are full.
pub(crate) fn invocations(lines: f64, shards: f64, settings: &Settings) -> f64 {
    let windows = shards * SECONDS / settings.window_seconds;
    windows.min(lines).max(lines / settings.batch_lines)
}

/// Objects of a month: in each interval one for each open hour, and more where the buffer fills earlier.
pub(crate) fn objects(bytes: f64, settings: &Settings) -> f64 {
    let intervals = SECONDS / settings.buffer_seconds;
    let full = (bytes / intervals / (settings.buffer_mib * 1_048_576.0)).ceil();
    intervals * (full - 1.0 + OPEN_HOURS)
}

/// What Firehose takes for a GB, converted to Parquet.
pub(crate) fn firehose_gb(prices: &Prices) -> f64 {
    prices.usd("firehose_ingestion") + prices.usd("firehose_conversion")
}

/// What Firehose takes for so many steps of 5 KB, converted to Parquet.
pub(crate) fn firehose(steps: f64, prices: &Prices) -> f64 {
    steps * STEP as f64 / GB * firehose_gb(prices)
}

/// A provisioned stream: its shards, what is put, and the keys that it asks for.
pub(crate) fn stream(shards: f64, retention_hours: f64, put_units: f64, prices: &Prices) -> f64 {
    let retention = if retention_hours > 24.0 {
        prices.usd("kinesis_retention")
    } else {
        0.0
    };
    let keys = SECONDS / KEY_SECONDS * PARTIES;
    shards * HOURS * (prices.usd("kinesis_shard") + retention)
        + put_units / 1e6 * prices.usd("kinesis_put_units")
        + keys / 1e4 * prices.usd("kms_requests")
}

/// GB-seconds of the function: its memory for as long as it waits and computes.
pub(crate) fn gb_seconds(lines: f64, line_bytes: f64, invocations: f64, memory_mb: f64) -> f64 {
    let line_seconds = LINE_US / 1e6 * line_bytes / MEASURED_LINE_BYTES;
    let processor = (memory_mb / WHOLE_PROCESSOR_MB).min(1.0);
    let seconds = invocations * WAIT_MS / 1e3 + lines * line_seconds / processor;
    seconds * memory_mb / 1024.0
}

/// The function: invocations, and its memory.
pub(crate) fn function(
    lines: f64,
    line_bytes: f64,
    invocations: f64,
    memory_mb: f64,
    prices: &Prices,
) -> f64 {
    invocations / 1e6 * prices.usd("lambda_requests")
        + gb_seconds(lines, line_bytes, invocations, memory_mb) * prices.usd("lambda_arm64")
}

/// The two keys of the stack and the secret of its visitors.
pub(crate) fn keys_and_secret(prices: &Prices) -> f64 {
    2.0 * prices.usd("kms_key") + prices.usd("secret")
}

/// Alarms, metrics made of logs, and the dashboard.
pub(crate) fn watched(watch: Watch, prices: &Prices) -> f64 {
    watch.alarm_metrics * prices.usd("cloudwatch_alarm")
        + watch.custom_metrics * prices.usd("cloudwatch_metric")
        + watch.dashboards * prices.usd("cloudwatch_dashboard")
}

/// What CloudFront's free tier takes off.
pub(crate) fn free_at_the_edge(events: f64, prices: &Prices) -> f64 {
    let requests = (events / 1e6).min(prices.free("cloudfront_requests"));
    let gigabytes = (events * ANSWER_BYTES / GB).min(prices.free("cloudfront_transfer"));
    requests * prices.usd("cloudfront_requests") + gigabytes * prices.usd("cloudfront_transfer")
}

/// What the free tiers of function and log take off.
pub(crate) fn free_function(invocations: f64, gb_seconds: f64, prices: &Prices) -> f64 {
    let log = (invocations * LOG_BYTES / GB).min(prices.free("cloudwatch_logs"));
    (invocations / 1e6).min(prices.free("lambda_requests")) * prices.usd("lambda_requests")
        + gb_seconds.min(prices.free("lambda_gb_seconds")) * prices.usd("lambda_arm64")
        + log * prices.usd("cloudwatch_logs")
}

/// What the free tier of KMS takes off what so many streams ask.
pub(crate) fn free_keys(streams: f64, prices: &Prices) -> f64 {
    let requests = (streams * SECONDS / KEY_SECONDS * PARTIES).min(prices.free("kms_requests"));
    requests / 1e4 * prices.usd("kms_requests")
}

/// What the free tier of `CloudWatch` takes off what watches the stack.
pub(crate) fn free_watched(watch: Watch, prices: &Prices) -> f64 {
    let free = Watch {
        alarm_metrics: watch.alarm_metrics.min(prices.free("cloudwatch_alarms")),
        custom_metrics: watch.custom_metrics.min(prices.free("cloudwatch_metrics")),
        dashboards: watch.dashboards.min(prices.free("cloudwatch_dashboards")),
    };
    watched(free, prices)
}

/// The bill. `pack` says what lines of these bytes become in batches of so many.
pub(crate) fn bill(
    events: f64,
    way: Way,
    settings: &Settings,
    watch: Watch,
    line_bytes: f64,
    pack: impl Fn(f64) -> Traffic,
    prices: &Prices,
) -> Bill {
    let log_shards = shards(events / SECONDS, events / SECONDS * line_bytes);
    let invocations = invocations(events, log_shards, settings);
    let traffic = pack(events / invocations);
    let event_shards = shards(
        events / SECONDS * traffic.blobs,
        events / SECONDS * traffic.blob_bytes,
    );
    let json_bytes = events * traffic.rows * traffic.row_bytes;
    let month = Month {
        events,
        line_bytes,
        log_shards,
        event_shards,
        invocations,
        objects: objects(json_bytes, settings),
        traffic,
    };

    let partitioning = json_bytes / GB * prices.usd("firehose_partitioning")
        + month.objects / 1e3 * prices.usd("firehose_objects");
    // A record of a stream may be billed whole or each row in it: that is not documented.
    let rows = match way {
        Way::Kpl => Usd {
            low: firehose(events * traffic.blob_steps, prices) + partitioning,
            high: firehose(events * traffic.row_steps, prices) + partitioning,
        },
        Way::DirectPut => (firehose(events * traffic.blob_steps, prices) + partitioning).into(),
    };
    let stored = events * traffic.rows * PARQUET_ROW_BYTES / GB * prices.usd("s3_storage");

    let mut hops: Vec<(&str, Usd)> = vec![
        (
            "CloudFront, requests and bytes",
            (events / 1e6 * prices.usd("cloudfront_requests")
                + events * ANSWER_BYTES / GB * prices.usd("cloudfront_transfer"))
            .into(),
        ),
        (
            "real-time log lines",
            (events / 1e6 * prices.usd("cloudfront_log_lines")).into(),
        ),
        (
            "log stream",
            stream(log_shards, settings.log_retention_hours, events, prices).into(),
        ),
        (
            "function",
            function(events, line_bytes, invocations, settings.memory_mb, prices).into(),
        ),
        (
            "its log",
            (invocations * LOG_BYTES / GB * prices.usd("cloudwatch_logs")).into(),
        ),
    ];
    if way == Way::Kpl {
        let units = events * traffic.blobs;
        hops.push((
            "event stream",
            stream(event_shards, settings.event_retention_hours, units, prices).into(),
        ));
    }
    hops.extend([
        ("Firehose, rows", rows),
        (
            "Firehose, failed events",
            firehose(events * traffic.failed_steps, prices).into(),
        ),
        (
            "S3, new objects and a month's rows",
            (month.objects / 1e3 * prices.usd("s3_puts") + stored).into(),
        ),
        ("two keys and a secret", keys_and_secret(prices).into()),
        ("alarms and dashboard", watched(watch, prices).into()),
    ]);
    let streams = if way == Way::Kpl { 2.0 } else { 1.0 };
    let computed = gb_seconds(events, line_bytes, invocations, settings.memory_mb);
    let free = free_at_the_edge(events, prices)
        + free_function(invocations, computed, prices)
        + free_keys(streams, prices)
        + free_watched(watch, prices);
    Bill { month, hops, free }
}
