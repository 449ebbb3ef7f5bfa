//! Where a row lies: Firehose, the lake writer and the projection of Athena say the same.
//!
//! The expression that Firehose runs is run here by `jq` in the same version, on rows as the function writes
//! them; the folders are those that the lake writer makes of the same rows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex};

use lake::{EVENTS, FAILED_EVENTS, Lake, LakeWriter};
use pixel_log::{RowConfig, RowReader, RowScratch};
use pixel_row::{DeliveryColumns, JsonBuffer, Timestamp};
use sample_log::{Sample, SampleOptions};
use serde_json::Value;

use super::firehose::parameter;
use super::prefix::render;
use super::world::{Deployed, Violations, World, items, text};

/// 2026-01-01T00:00:02.500Z: objects of this arrival would lie in the year 2025 by their rows' time.
const ARRIVAL_MS: i64 = 1_767_225_602_500;

const EVENT_FIREHOSES: [&str; 2] = ["Delivering/EventFirehose", "Delivering/DirectEventFirehose"];

/// Times at which calendars and clocks go wrong, and a row without a time; where each lies, by the calendar.
const EDGE_CASES: [(&str, &str); 12] = [
    (
        r#"{"ts_server":"2025-12-31T23:59:59.999Z"}"#,
        "events/dt=2025-12-31/hour=23/",
    ),
    (
        r#"{"ts_server":"2026-01-01T00:00:00.000Z"}"#,
        "events/dt=2026-01-01/hour=00/",
    ),
    (
        r#"{"ts_server":"2026-01-01T00:00:00Z"}"#,
        "events/dt=2026-01-01/hour=00/",
    ),
    // Days of a week that belongs to the next year, and to the last.
    (
        r#"{"ts_server":"2024-12-30T12:00:00.000Z"}"#,
        "events/dt=2024-12-30/hour=12/",
    ),
    (
        r#"{"ts_server":"2027-01-03T12:00:00.000Z"}"#,
        "events/dt=2027-01-03/hour=12/",
    ),
    (
        r#"{"ts_server":"2024-02-29T23:00:00.001Z"}"#,
        "events/dt=2024-02-29/hour=23/",
    ),
    // Hours that clocks in Europe leave out, and have twice.
    (
        r#"{"ts_server":"2026-03-29T01:30:00.000Z"}"#,
        "events/dt=2026-03-29/hour=01/",
    ),
    (
        r#"{"ts_server":"2026-10-25T00:30:00.000Z"}"#,
        "events/dt=2026-10-25/hour=00/",
    ),
    (
        r#"{"ts_server":"2026-11-01T09:59:59.9Z"}"#,
        "events/dt=2026-11-01/hour=09/",
    ),
    (
        r#"{"event_name":"\"ts_server\":\"1999","ts_server":"2026-11-01T10:00:00.000Z"}"#,
        "events/dt=2026-11-01/hour=10/",
    ),
    (
        r#"{"ts_server":"2010-01-01T00:00:00.000Z"}"#,
        "events/dt=2010-01-01/hour=00/",
    ),
    (
        r#"{"event_name":"timeless"}"#,
        "errors/metadata-extraction-failed/dt=2026-01-01/",
    ),
];

/// Rows of sampled lines around the turn of a year, as the function writes them, and the odd ones.
static ROWS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let options = SampleOptions {
        lines: 2_000,
        seed: 4,
        start_ms: ARRIVAL_MS - 6 * 3_600_000,
        rate: 0.05,
    };
    let mut sample = Sample::new(options).unwrap();
    let (mut line, mut rows) = (Vec::new(), Vec::new());
    let reader = RowReader::new(RowConfig::default());
    let (mut scratch, mut json) = (RowScratch::default(), JsonBuffer::default());
    let now = Timestamp::from_millis(ARRIVAL_MS + 30 * 86_400_000).unwrap();
    let delivery = DeliveryColumns {
        ts_ingested: now,
        ingest_path: "realtime",
        pipeline_version: "0.1.0",
    };
    while sample.write_line(&mut line) {
        // A line that is not a row is a failed event, which has no hour.
        let read = reader.read(&line, now, delivery, &mut |_| None, &mut scratch, |row| {
            json.truncate(0);
            row.write_json(&mut json);
            rows.push(String::from_utf8(json.bytes().to_vec()).unwrap());
        });
        read.ok();
        line.clear();
    }
    rows.extend(EDGE_CASES.map(|(row, _)| row.to_owned()));
    rows
});

/// Day and hour of each row by an expression, as `jq` runs it; none where there are none.
type Partitions = Vec<Option<(String, String)>>;

/// The same expression stands in many stacks, and `jq` gives the same each time.
static ASKED: Mutex<BTreeMap<String, Result<Partitions, String>>> = Mutex::new(BTreeMap::new());

fn partitions(expression: &str) -> Result<Partitions, String> {
    let mut asked = ASKED.lock().unwrap();
    if let Some(known) = asked.get(expression) {
        return known.clone();
    }
    let answer = ask_jq(expression);
    asked.insert(expression.to_owned(), answer.clone());
    answer
}

fn ask_jq(expression: &str) -> Result<Partitions, String> {
    let version = Command::new("jq").arg("--version").output();
    let version = version
        .expect("jq 1.6 has to be installed: Firehose's expression is run by it")
        .stdout;
    assert_eq!(
        String::from_utf8_lossy(&version).trim(),
        "jq-1.6",
        "Firehose runs jq 1.6, so its expression is tested with no other"
    );
    let mut jq = Command::new("jq")
        .args(["--compact-output", expression])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = jq.stdin.take().unwrap();
    let rows = ROWS.join("\n");
    let writer = std::thread::spawn(move || input.write_all(rows.as_bytes()));
    let output = jq.wait_with_output().unwrap();
    // An expression that jq refuses closes the pipe; its message says more.
    writer.join().unwrap().ok();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let part = |answer: &Value, key: &str| answer[key].as_str().map(str::to_owned);
    let answers: Vec<Value> = serde_json::Deserializer::from_slice(&output.stdout)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    Ok(answers
        .iter()
        .map(|answer| Some((part(answer, "dt")?, part(answer, "hour")?)))
        .collect())
}

/// The folders that a lake has after some records: below the root, without their objects.
fn folders(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut ahead = vec![root.to_path_buf()];
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            match entry.file_type().unwrap().is_dir() {
                _ if is_hidden => {}
                true => ahead.push(entry.path()),
                false => {
                    let relative = folder.strip_prefix(root).unwrap();
                    found.insert(format!("{}/", relative.display()));
                }
            }
        }
    }
    found
}

/// What the lake writer makes of records.
fn lake_of(put: impl FnOnce(&mut LakeWriter, Timestamp)) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).unwrap();
    let mut writer = LakeWriter::new(&lake).unwrap();
    put(&mut writer, Timestamp::from_millis(ARRIVAL_MS).unwrap());
    writer.flush().unwrap();
    folders(folder.path())
}

/// The folder that the lake writer puts each row into. Rows of one text of an hour go into a lake of their
/// own, which has one folder then, so that no row hides among others.
static LAKE_FOLDERS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let hours: Vec<String> = ROWS.iter().map(|row| hour_text(row)).collect();
    let folder_of = |hour: &String| {
        let rows = ROWS.iter().zip(&hours).filter(|(_, other)| *other == hour);
        let folders = lake_of(|writer, arrival| {
            for (row, _) in rows {
                writer.put(&EVENTS, row.as_bytes(), arrival).unwrap();
            }
        });
        assert_eq!(folders.len(), 1, "{hour}: {folders:?}");
        folders.into_iter().next().unwrap()
    };
    let known: BTreeMap<&String, String> = BTreeSet::from_iter(&hours)
        .into_iter()
        .map(|hour| (hour, folder_of(hour)))
        .collect();
    hours.iter().map(|hour| known[hour].clone()).collect()
});

fn hour_text(row: &str) -> String {
    let row: Value = serde_json::from_str(row).unwrap();
    text(&row["ts_server"])
        .chars()
        .take("2026-01-01T00".len())
        .collect()
}

/// Each row lies where the lake writer puts it, and where Athena looks for it.
pub(crate) fn rows_lie_where_the_lake_writer_puts_them(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for path in EVENT_FIREHOSES {
            let destination = &deployed.properties(path)["ExtendedS3DestinationConfiguration"];
            if destination.is_null() {
                continue;
            }
            let processors = items(&destination["ProcessingConfiguration"]["Processors"]);
            let expression = processors
                .iter()
                .find_map(|processor| parameter(processor, "MetadataExtractionQuery"))
                .unwrap_or_default();
            let partitions = match partitions(&expression) {
                Ok(partitions) => partitions,
                Err(error) => {
                    violations.unless(false, format!("{path}: jq refuses `{expression}`: {error}"));
                    continue;
                }
            };
            violations.same("the number of answers", &partitions.len(), &ROWS.len());
            let prefix = text(&destination["Prefix"]);
            for ((row, partition), lake) in ROWS.iter().zip(&partitions).zip(LAKE_FOLDERS.iter()) {
                let wrong = compare(deployed, &prefix, partition.as_ref(), lake);
                if let Err(wrong) = wrong {
                    violations.unless(false, format!("{path}: {wrong}: {row}"));
                    // One row says enough.
                    break;
                }
            }
        }
    })
}

fn compare(
    deployed: &Deployed,
    prefix: &str,
    partition: Option<&(String, String)>,
    lake: &str,
) -> Result<(), String> {
    let Some((dt, hour)) = partition else {
        let wrong = || format!("jq gives no partition; the lake writer says {lake}");
        return lake.starts_with("errors/").then_some(()).ok_or_else(wrong);
    };
    let keys = BTreeMap::from([("dt", dt.as_str()), ("hour", hour.as_str())]);
    let arrival = Timestamp::from_millis(ARRIVAL_MS).unwrap();
    let firehose = render(prefix, &keys, None, arrival)?;
    if firehose != lake {
        return Err(format!(
            "Firehose writes to {firehose}, the lake writer to {lake}"
        ));
    }
    let table = &deployed.properties("Catalog/EventsLanded")["TableInput"]["Parameters"];
    let place = text(&table["storage.location.template"])
        .replace("${dt}", dt)
        .replace("${hour}", hour);
    let bucket = text(&deployed.name("Lake/LakeBucket"));
    if place != format!("s3://{bucket}/{firehose}") {
        return Err(format!(
            "Firehose writes to {firehose}, Athena looks into {place}"
        ));
    }
    is_projected(table, hour)
        .then_some(())
        .ok_or_else(|| format!("Athena never counts to hour {hour}"))
}

/// Whether Athena comes by this hour when it counts.
fn is_projected(table: &Value, hour: &str) -> bool {
    let range = text(&table["projection.hour.range"]);
    let bounds = range
        .split_once(',')
        .and_then(|(first, last)| Some((first.parse::<u32>().ok()?, last.parse::<u32>().ok()?)));
    let (Some((first, last)), Ok(digits)) = (bounds, text(&table["projection.hour.digits"]).parse::<usize>())
    else {
        return false;
    };
    (first..=last).any(|number| format!("{number:0digits$}") == hour)
}

/// Failed events, errors and the archive lie by arrival, each in the folder of its kind.
pub(crate) fn folders_by_arrival(world: &World) -> Vec<String> {
    let failed_event = br#"{"failure_key":1,"reason":"empty"}"#;
    let failed = lake_of(|writer, arrival| writer.put(&FAILED_EVENTS, failed_event, arrival).unwrap());
    let errors = lake_of(|writer, arrival| writer.put(&EVENTS, b"no row", arrival).unwrap());
    let arrival = Timestamp::from_millis(ARRIVAL_MS).unwrap();
    let none = BTreeMap::new();
    world.each(|deployed, violations| {
        for (path, _) in deployed.stack.of_type("AWS::KinesisFirehose::DeliveryStream") {
            let destination = &deployed.properties(path)["ExtendedS3DestinationConfiguration"];
            let prefix = text(&destination["ErrorOutputPrefix"]);
            let rendered = render(&prefix, &none, Some("format-conversion-failed"), arrival);
            is_folder(format!("{path}: errors"), &rendered, &errors, violations);
            // Without the type, rows that did not convert and rows of too many hours lie together.
            violations.unless(
                prefix.contains("!{firehose:error-output-type}"),
                format!("{path}: the prefix of errors does not say their type"),
            );
        }
        let prefix =
            |path: &str| text(&deployed.properties(path)["ExtendedS3DestinationConfiguration"]["Prefix"]);
        let rendered = render(&prefix("Delivering/FailedEventsFirehose"), &none, None, arrival);
        is_folder("failed events".to_owned(), &rendered, &failed, violations);
        if deployed.parameter("RawArchive") == "Yes" {
            let rendered = render(&prefix("Delivering/RawArchiveFirehose"), &none, None, arrival);
            let archive = BTreeSet::from(["raw/dt=2026-01-01/hour=00/".to_owned()]);
            is_folder("the archive".to_owned(), &rendered, &archive, violations);
        }
        let table = &deployed.properties("Catalog/FailedEventsLanded")["TableInput"]["Parameters"];
        let place = text(&table["storage.location.template"]).replace("${dt}", "2026-01-01");
        let bucket = text(&deployed.name("Lake/RawBucket"));
        violations.unless(
            failed
                .iter()
                .any(|folder| place == format!("s3://{bucket}/{folder}")),
            format!("Athena looks for failed events in {place}"),
        );
    })
}

fn is_folder(
    what: String,
    rendered: &Result<String, String>,
    expected: &BTreeSet<String>,
    violations: &mut Violations,
) {
    let expected = expected.first().cloned().unwrap_or_default();
    violations.same(what, rendered, &Ok(expected));
}

#[test]
fn the_rows_are_of_many_hours_and_lie_where_the_calendar_says() {
    let sampled = LAKE_FOLDERS.len() - EDGE_CASES.len();
    assert!(sampled > 1_500, "{sampled}");
    let hours: BTreeSet<&String> = LAKE_FOLDERS[..sampled].iter().collect();
    assert!(hours.len() > 10, "{hours:?}");
    for day in ["2025-12-31", "2026-01-01"] {
        let is_of_day = |folder: &&String| folder.starts_with(&format!("events/dt={day}/"));
        assert!(hours.iter().any(is_of_day), "{day}: {hours:?}");
    }
    let edge_cases = EDGE_CASES.map(|(_, folder)| folder);
    assert_eq!(LAKE_FOLDERS[sampled..], edge_cases);
}
