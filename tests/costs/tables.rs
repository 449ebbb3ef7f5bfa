//! The generated parts of the README and of `docs/costs.md`.

use std::fmt::Write as _;

use serde_json::Value;

use super::bill::{self, Bill, DIRECT_PUT_BYTES, HOURS, PEAK_FACTOR, SECONDS, SHARD_BYTES, Usd, Way};
use super::figures::{amount, money, range, rounded, row};
use super::prices::Prices;
use super::quantities::{assumptions, quantities};
use super::stack::{Alarms, Deployment, Settings, Watch};
use super::{SIZES, bill_of};

/// A document: its path, and its generated parts by name.
type Document = (&'static str, Vec<(&'static str, String)>);

/// The bills of the columns.
pub(crate) type Bills = [Bill; 4];

/// The head of a table by events a month.
pub(crate) const HEAD: &str =
    " | 1 million | 10 million | 100 million | 1,000 million |\n| --- | --: | --: | --: | --: |\n";

/// The deployments of `samconfig.toml`, the cheapest first; `default` is what Enter buys.
pub(crate) const ENVIRONMENTS: [&str; 4] = ["blog", "dev", "default", "prod"];

/// The bill of an environment for so many events.
pub(crate) fn bill_of_environment(environment: &str, events: f64, prices: &Prices) -> Bill {
    let deployment = match environment {
        "default" => Deployment::read(),
        named => Deployment::of(named),
    };
    bill_of(events, &deployment, prices)
}

/// Every generated part.
pub(crate) fn documents(prices: &Prices) -> Vec<Document> {
    let default = Deployment::read();
    let bills = |deployment: Deployment| SIZES.map(|events| bill_of(events, &deployment, prices));
    let week = Settings {
        log_retention_hours: 168.0,
        event_retention_hours: 168.0,
        ..default.settings
    };
    let with = |way, alarms, settings| {
        bills(Deployment {
            way,
            alarms,
            settings,
        })
    };
    let of_ways = |alarms, settings| [Way::Kpl, Way::DirectPut].map(|way| with(way, alarms, settings));
    let [kpl, direct] = of_ways(default.alarms, default.settings);
    let safest = of_ways(Alarms::All, week);
    let mut costs = costs(&kpl, &direct, &safest, prices);
    costs.push_str(&formula(prices));
    costs.push_str(&knobs(&kpl[3], &direct[3], prices));
    let environments = environments(prices);
    vec![
        ("README.md", vec![("environments", environments.clone())]),
        (
            "docs/costs.md",
            vec![
                ("environments", environments),
                ("costs", costs),
                ("quantities", quantities(&kpl, &direct, prices)),
                ("assumptions", assumptions(&default.settings, &kpl[3])),
                ("prices", price_list(prices)),
                ("missing", missing(prices)),
            ],
        ),
    ]
}

/// What each environment costs at a million events a month, and at none of them for long.
fn environments(prices: &Prices) -> String {
    let mut text = String::from(
        "| USD a month at 1 million events | list price | free tiers, if nothing else uses them | left to pay |\n\
         | --- | --: | --: | --: |\n",
    );
    for environment in ENVIRONMENTS {
        let bill = bill_of_environment(environment, SIZES[0], prices);
        let (total, free) = (bill.total(), bill.free);
        let left = Usd {
            low: total.low - free,
            high: total.high - free,
        };
        let name = match environment {
            "default" => "`sam deploy --guided` and Enter".to_owned(),
            named => format!("`{named}`"),
        };
        row(
            &mut text,
            &name,
            [range(total), format!("−{}", money(free)), range(left)],
        );
    }
    text
}

/// What a month costs, hop by hop.
fn costs(kpl: &Bills, direct: &Bills, safest: &[Bills; 2], prices: &Prices) -> String {
    let mut text = format!(
        "USD a month at the list prices of {}, as read on {}, by events a month:\n\n| hop{HEAD}",
        prices.text("region"),
        prices.text("read"),
    );
    let of = |bills: &Bills, hop: &str| -> Option<Vec<String>> {
        let cell = |bill: &Bill| {
            let (_, usd) = bill.hops.iter().find(|(name, _)| *name == hop)?;
            Some(range(*usd))
        };
        bills.iter().map(cell).collect()
    };
    for (hop, _) in &kpl[0].hops {
        match (of(kpl, hop), of(direct, hop)) {
            (Some(cells), None) => row(&mut text, &format!("{hop}, `Kpl`"), cells),
            (Some(one), Some(other)) if one == other => row(&mut text, hop, one),
            (one, other) => {
                row(&mut text, &format!("{hop}, `Kpl`"), one.unwrap());
                row(&mut text, &format!("{hop}, `DirectPut`"), other.unwrap());
            }
        }
    }
    let totals = |bills: &Bills, per: fn(&Bill) -> f64| {
        let cell = |bill: &Bill| {
            let (usd, per) = (bill.total(), per(bill));
            range(Usd {
                low: usd.low / per,
                high: usd.high / per,
            })
        };
        bills.iter().map(cell).collect::<Vec<_>>()
    };
    let millions = |bill: &Bill| bill.month.events / 1e6;
    row(&mut text, "**all, `Kpl`**", totals(kpl, |_| 1.0));
    row(&mut text, "**all, `DirectPut`**", totals(direct, |_| 1.0));
    for (name, bills) in [("Kpl", kpl), ("DirectPut", direct)] {
        let free = bills.iter().map(|bill| format!("−{}", money(bill.free)));
        let what = format!("free tiers, if nothing else uses them, `{name}`");
        row(&mut text, &what, free);
    }
    for (name, bills) in [("Kpl", &safest[0]), ("DirectPut", &safest[1])] {
        let what = format!("with a week of retention and all alarms, `{name}`");
        row(&mut text, &what, totals(bills, |_| 1.0));
    }
    row(&mut text, "a million events, `Kpl`", totals(kpl, millions));
    row(
        &mut text,
        "a million events, `DirectPut`",
        totals(direct, millions),
    );
    text
}

/// The formula in short.
fn formula(prices: &Prices) -> String {
    let usd = |name: &str| prices.usd(name);
    let watched =
        [Alarms::Essential, Alarms::All].map(|alarms| bill::watched(Watch::read(Way::Kpl, alarms), prices));
    format!(
        "\nThe formula, with M for millions of events:\n\n\
         ```text\n\
         CloudFront    {:.2} M + {} × GB out + {:.2} M of log lines\n\
         log stream    shards × ({:.2} + {:.2} for retention of more than 24 hours) + {} M\n\
         event stream  the same for its shards and {} × millions of blobs (Kpl)\n\
         function      {:.2} × millions of invocations + {:.6} × GB-seconds + {:.2} × GB of log\n\
         Firehose      {:.3} × GB in steps of 5 KB + {:.3} × GB of rows + {} × thousands of objects\n\
         S3            {} × GB kept + {} × thousands of objects\n\
         always        {:.2} for keys and secret; {:.2} for essential alarms and dashboard, {:.2} for all\n\
         ```\n",
        usd("cloudfront_requests"),
        usd("cloudfront_transfer"),
        usd("cloudfront_log_lines"),
        usd("kinesis_shard") * HOURS,
        usd("kinesis_retention") * HOURS,
        usd("kinesis_put_units"),
        usd("kinesis_put_units"),
        usd("lambda_requests"),
        usd("lambda_arm64"),
        usd("cloudwatch_logs"),
        bill::firehose_gb(prices),
        usd("firehose_partitioning"),
        usd("firehose_objects"),
        usd("s3_storage"),
        usd("s3_puts"),
        bill::keys_and_secret(prices),
        watched[0],
        watched[1],
    )
}

/// What to turn, and when.
fn knobs(kpl: &Bill, direct: &Bill, prices: &Prices) -> String {
    // Events a month whose peak is so many events a second.
    let month = |peak: f64| rounded(peak / PEAK_FACTOR * SECONDS / 1e6);
    let (line, blob) = (kpl.month.line_bytes, kpl.month.traffic.blob_bytes);
    let log_peak = bill::SHARD_RECORDS.min(SHARD_BYTES / line);
    let event_peak = SHARD_BYTES / blob;
    let [large, small] = DIRECT_PUT_BYTES.map(|bytes| bytes / direct.month.traffic.blob_bytes);
    let retention = prices.usd("kinesis_retention") * HOURS;
    format!(
        "\nWith a peak of {PEAK_FACTOR} times the mean:\n\n\
         - `LogStreamShards`: one for each {} events a second at the peak, some {} million a month.\n  \
         CloudFront drops what a shard refuses, so count the peak.\n\
         - `EventStreamShards`, with `Kpl`: one for each {} events a second at the peak, some {} million\n  \
         a month.\n\
         - `DirectPut` meets Firehose's quota at {} events a second ({} million a month) in us-east-1,\n  \
         us-west-2 and eu-west-1, and at {} ({} million) elsewhere.\n\
         - `LogStreamRetentionHours` above 24 costs {retention:.2} a shard and leaves up to a week to repair\n  \
         an outage without a replay. `EventStreamRetentionHours` likewise.\n",
        rounded(log_peak),
        month(log_peak),
        rounded(event_peak),
        month(event_peak),
        rounded(large),
        month(large),
        rounded(small),
        month(small),
    )
}

/// The prices with their sources.
fn price_list(prices: &Prices) -> String {
    let mut text = String::from("| what | USD | per | source | of |\n| --- | --: | --- | --- | --- |\n");
    for price in prices.part("prices").values() {
        let member = |name: &str| price[name].as_str().unwrap();
        let usd = price["usd"].as_f64().unwrap();
        let usd = if (usd * 100.0).fract() < 1e-9 {
            format!("{usd:.2}")
        } else {
            usd.to_string()
        };
        let (what, per) = (member("what"), member("per"));
        writeln!(
            text,
            "| {what} | {usd} | {per} | {} | {} |",
            member("source"),
            member("date")
        )
        .unwrap();
    }
    for free in prices.part("free").values() {
        let member = |name: &str| free[name].as_str().unwrap();
        let amount = amount(free["amount"].as_f64().unwrap());
        let per = format!("the first {amount} {}", member("unit"));
        let what = member("what");
        writeln!(
            text,
            "| {what} | 0.00 | {per} | {} | {} |",
            member("source"),
            member("date")
        )
        .unwrap();
    }
    text
}

/// What has no price here, and why.
fn missing(prices: &Prices) -> String {
    let mut text = String::new();
    for (what, why) in prices.part("not_in_the_table") {
        writeln!(text, "- **{what}**: {}.", Value::as_str(why).unwrap()).unwrap();
    }
    text
}
