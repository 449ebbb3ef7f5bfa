//! The engine over small lakes whose answers can be worked out by hand.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Int64Array, RecordBatch, TimestampMillisecondArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::data_type::{Int96, Int96Type};
use datafusion::parquet::file::writer::SerializedFileWriter;
use datafusion::parquet::schema::parser::parse_message_type;
use pixel_row::{FailedEvent, Row, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use lake::report::{REPORTS, parse_day};
use lake::{EVENTS, FAILED_EVENTS, Lake, LakeWriter};

mod oracle;

/// Midnight of a UTC day.
fn midnight(day: &str) -> Timestamp {
    Timestamp::from_millis(i64::from(parse_day(day).unwrap().number()) * 86_400_000).unwrap()
}

/// A lake of events, each in a file of its own.
fn lake_of(rows: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).unwrap();
    let mut writer = LakeWriter::new(&lake).unwrap();
    for row in rows {
        writer
            .put(&EVENTS, row.as_bytes(), midnight("2026-11-03"))
            .unwrap();
        writer.flush().unwrap();
    }
    assert_eq!(
        writer.rows(&EVENTS),
        rows.len() as u64,
        "a row of the test does not convert"
    );
    folder
}

impl Engine {
    /// Answers a query and writes the answer.
    async fn print(&self, sql: &str, format: Format, out: &mut Vec<u8>) -> Result<u64, QueryError> {
        output::write(format, self.sql(sql).await?, out).await
    }
}

async fn print(lake: &Path, format: Format, sql: &str) -> String {
    let engine = Engine::open(lake).await.unwrap();
    let mut out = Vec::new();
    engine
        .print(sql, format, &mut out)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{sql}"));
    String::from_utf8(out).unwrap()
}

/// The answer's rows as JSON objects.
async fn rows(lake: &Path, sql: &str) -> Vec<Value> {
    serde_json::from_str(&print(lake, Format::Json, sql).await).unwrap()
}

async fn columns(engine: &Engine, sql: &str) -> Vec<String> {
    let schema = engine.sql(sql).await.unwrap().schema;
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

#[tokio::test]
async fn a_row_is_read_as_it_was_written() {
    let lake = lake_of(&[
        r#"{"event_key":9223372036854775807,"ts_server":"2025-12-31T23:59:59.999Z","event_name":"a\"\u001bé","parse_warnings":["v","é"],"utf8_ok":true,"value_micros":999999999999999999,"ts_ingested":"2026-01-01T00:00:01.000Z"}"#,
    ]);
    let sql = "SELECT event_key, ts_server, event_name, parse_warnings, truncated_fields, utf8_ok, value, dt, hour FROM events";
    assert_eq!(
        print(lake.path(), Format::Json, sql).await,
        r#"[
{"event_key":9223372036854775807,"ts_server":"2025-12-31T23:59:59.999Z","event_name":"a\"\u001bé","parse_warnings":["v","é"],"truncated_fields":null,"utf8_ok":true,"value":999999999999.999999,"dt":"2025-12-31","hour":"23"}
]
"#
    );
}

#[tokio::test]
async fn an_empty_lake_has_all_columns_and_no_rows() {
    let empty = tempfile::tempdir().unwrap(); // not even a folder of a table
    for lake in [lake_of(&[]).path(), empty.path()] {
        let engine = Engine::open(lake).await.unwrap();
        let declared = |columns: &[pixel_row::Column], partitions: &[&str]| {
            let names = columns
                .iter()
                .map(|column| column.name)
                .chain(partitions.iter().copied());
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        let landed = declared(Row::COLUMNS, &["dt", "hour"]);
        let failed = declared(FailedEvent::COLUMNS, &["dt"]);
        assert_eq!(columns(&engine, "SELECT * FROM events_landed").await, landed);
        assert_eq!(
            columns(&engine, "SELECT * FROM failed_events_landed").await,
            failed
        );
        // The views list their columns one by one: nothing may be missing.
        let mut events = landed;
        let value = events.iter().position(|name| name == "value_micros").unwrap() + 1;
        events.insert(value, "value".to_owned());
        assert_eq!(columns(&engine, "SELECT * FROM events").await, events);
        assert_eq!(columns(&engine, "SELECT * FROM failed_events").await, failed);
        for table in ["events_landed", "events", "failed_events_landed", "failed_events"] {
            let mut out = Vec::new();
            let sql = format!("SELECT * FROM {table}");
            assert_eq!(engine.print(&sql, Format::Json, &mut out).await.unwrap(), 0);
            assert_eq!(out, b"[]\n");
        }
        for report in REPORTS {
            let sql = report.render(parse_day("2026-11-01").unwrap(), parse_day("2026-11-02").unwrap());
            assert_eq!(
                engine.print(&sql, Format::Csv, &mut Vec::new()).await.unwrap(),
                0,
                "{}",
                report.name
            );
        }
    }
}

#[tokio::test]
async fn the_latest_delivery_of_an_event_counts() {
    let at = r#""ts_server":"2026-11-01T07:59:59.999Z""#;
    let lake = lake_of(&[
        // Once delivered, twice: the later delivery counts, whatever its hash.
        &format!(
            r#"{{"event_key":1,{at},"line_hash":9,"ts_ingested":"2026-11-01T08:00:00.000Z","site_id":"old"}}"#
        ),
        &format!(
            r#"{{"event_key":1,{at},"line_hash":1,"ts_ingested":"2026-11-02T08:00:00.000Z","site_id":"new"}}"#
        ),
        // Delivered at one moment: the larger hash.
        &format!(
            r#"{{"event_key":2,{at},"line_hash":-5,"ts_ingested":"2026-11-01T08:00:00.000Z","site_id":"small"}}"#
        ),
        &format!(
            r#"{{"event_key":2,{at},"line_hash":5,"ts_ingested":"2026-11-01T08:00:00.000Z","site_id":"large"}}"#
        ),
        // Without a time of delivery it counts least.
        &format!(r#"{{"event_key":3,{at},"line_hash":9,"site_id":"untimed"}}"#),
        &format!(
            r#"{{"event_key":3,{at},"line_hash":1,"ts_ingested":"2026-11-01T08:00:00.000Z","site_id":"timed"}}"#
        ),
        // Another time is another event, in the same hour and in the next.
        r#"{"event_key":1,"ts_server":"2026-11-01T07:59:59.998Z","site_id":"earlier"}"#,
        r#"{"event_key":1,"ts_server":"2026-11-01T08:00:00.000Z","site_id":"later"}"#,
    ]);
    assert_eq!(
        rows(
            lake.path(),
            "SELECT event_key, site_id, hour FROM events ORDER BY event_key, ts_server"
        )
        .await,
        [
            json!({"event_key": 1, "site_id": "earlier", "hour": "07"}),
            json!({"event_key": 1, "site_id": "new", "hour": "07"}),
            json!({"event_key": 1, "site_id": "later", "hour": "08"}),
            json!({"event_key": 2, "site_id": "large", "hour": "07"}),
            json!({"event_key": 3, "site_id": "timed", "hour": "07"}),
        ]
    );
    assert_eq!(
        rows(lake.path(), "SELECT count(*) AS n FROM events_landed").await,
        [json!({"n": 8})]
    );
}

#[tokio::test]
async fn a_failed_event_counts_once_over_all_days() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = LakeWriter::new(&Lake::open(folder.path()).unwrap()).unwrap();
    for (day, key, ingested) in [
        ("2026-11-02", 1, "2026-11-02T00:00:00.000Z"),
        ("2026-11-01", 1, "2026-11-01T00:00:00.000Z"),
        ("2026-11-03", 1, "2026-11-03T00:00:00.000Z"),
        ("2026-11-03", 2, "2026-11-03T00:00:00.000Z"),
    ] {
        let row = format!(r#"{{"failure_key":{key},"reason":"time","ts_ingested":"{ingested}"}}"#);
        writer.put(&FAILED_EVENTS, row.as_bytes(), midnight(day)).unwrap();
        writer.flush().unwrap();
    }
    assert_eq!(
        rows(
            folder.path(),
            "SELECT failure_key, dt FROM failed_events ORDER BY failure_key"
        )
        .await,
        [
            json!({"failure_key": 1, "dt": "2026-11-01"}),
            json!({"failure_key": 2, "dt": "2026-11-03"})
        ]
    );
    // The first delivery lies in another day, so the day of a later one has none.
    assert!(
        rows(
            folder.path(),
            "SELECT * FROM failed_events WHERE dt = '2026-11-02'"
        )
        .await
        .is_empty()
    );
}

#[tokio::test]
async fn filters_on_day_and_hour_spare_the_other_files() {
    let times = ["2026-11-01T07", "2026-11-01T08", "2026-11-02T07", "2026-11-02T08"];
    let texts = times.map(|time| format!(r#"{{"event_key":1,"ts_server":"{time}:00:00.000Z"}}"#));
    let lake = lake_of(&texts.each_ref().map(String::as_str));
    let day = parse_day("2026-11-02").unwrap();
    let reports = REPORTS.map(|report| (report.render(day, day), vec![2, 3]));
    let mut cases = vec![];
    for table in ["events_landed", "events"] {
        let select = format!("SELECT site_id FROM {table}");
        cases.push((select.clone(), vec![0, 1, 2, 3]));
        cases.push((format!("{select} WHERE dt = '2026-11-01'"), vec![0, 1]));
        cases.push((format!("{select} WHERE dt >= '2026-11-02'"), vec![2, 3]));
        cases.push((
            format!("{select} WHERE dt BETWEEN '2026-11-02' AND '2026-11-30'"),
            vec![2, 3],
        ));
        cases.push((
            format!("{select} WHERE dt = '2026-11-02' AND hour = '08'"),
            vec![3],
        ));
        cases.push((format!("{select} WHERE hour = '07'"), vec![0, 2]));
        cases.push((format!("{select} WHERE dt = '2027-01-01'"), vec![]));
    }
    cases.extend(reports);
    for (sql, expected) in cases {
        let plan = rows(lake.path(), &format!("EXPLAIN {sql}")).await;
        let plan = plan
            .iter()
            .find(|row| row["plan_type"] == "physical_plan")
            .unwrap()["plan"]
            .to_string();
        let read: Vec<usize> = (0..times.len())
            .filter(|&index| {
                let (day, hour) = times[index].split_once('T').unwrap();
                plan.contains(&format!("events/dt={day}/hour={hour}/"))
            })
            .collect();
        assert_eq!(read, expected, "{sql}\n{plan}");
    }
}

#[tokio::test]
async fn a_column_that_a_file_lacks_is_null() {
    let lake = lake_of(&[r#"{"event_key":1,"ts_server":"2026-11-01T07:00:00.000Z","site_id":"new"}"#]);
    // A file of an earlier version: fewer columns, in another order, and one that is there no more.
    let schema = Arc::new(Schema::new(vec![
        Field::new("gone", DataType::Int64, true),
        Field::new(
            "ts_server",
            DataType::Timestamp(TimeUnit::Millisecond, None),
            true,
        ),
        Field::new("event_key", DataType::Int64, true),
    ]));
    let batch = RecordBatch::try_new(
        schema.clone(),
        vec![
            Arc::new(Int64Array::from(vec![7])),
            Arc::new(TimestampMillisecondArray::from(vec![1_793_516_400_000])),
            Arc::new(Int64Array::from(vec![2])),
        ],
    )
    .unwrap();
    let path = lake.path().join("events/dt=2026-11-01/hour=07/old.parquet");
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert_eq!(
        rows(
            lake.path(),
            "SELECT event_key, site_id, parse_warnings, value, ts_server FROM events ORDER BY 1 DESC"
        )
        .await,
        [
            json!({"event_key": 2, "site_id": null, "parse_warnings": null, "value": null, "ts_server": "2026-11-01T07:00:00.000Z"}),
            json!({"event_key": 1, "site_id": "new", "parse_warnings": null, "value": null, "ts_server": "2026-11-01T07:00:00.000Z"}),
        ]
    );
}

#[tokio::test]
async fn an_open_engine_sees_what_lands_later_and_never_what_is_staged() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).unwrap();
    let engine = Engine::open(folder.path()).await.unwrap();
    let mut writer = LakeWriter::new(&lake).unwrap();
    let staged = folder.path().join(".staging/half.parquet");
    fs::write(&staged, b"PAR1").unwrap();
    for landed in 1..4 {
        let row = format!(r#"{{"event_key":{landed},"ts_server":"2026-11-01T07:00:00.000Z"}}"#);
        writer
            .put(&EVENTS, row.as_bytes(), midnight("2026-11-01"))
            .unwrap();
        writer.flush().unwrap();
        let mut out = Vec::new();
        engine
            .print("SELECT count(*) AS n FROM events", Format::Json, &mut out)
            .await
            .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!("[\n{{\"n\":{landed}}}\n]\n")
        );
    }
}

#[tokio::test]
async fn a_lake_may_have_any_path() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a b", "50%20", "grün", "[x]*?", "dt=1", "#a&b"] {
        let path = folder.path().join(name);
        let mut writer = LakeWriter::new(&Lake::open(&path).unwrap()).unwrap();
        let row = br#"{"event_key":1,"ts_server":"2026-11-01T07:00:00.000Z"}"#;
        writer.put(&EVENTS, row, midnight("2026-11-01")).unwrap();
        writer.flush().unwrap();
        assert_eq!(
            rows(&path, "SELECT dt FROM events").await,
            [json!({"dt": "2026-11-01"})],
            "{name}"
        );
    }
    let missing = Engine::open(&folder.path().join("missing")).await.err().unwrap();
    assert!(missing.to_string().starts_with("there is no lake at "));
}

#[tokio::test]
async fn nothing_can_be_changed() {
    let lake = lake_of(&[r#"{"event_key":1,"ts_server":"2026-11-01T07:00:00.000Z"}"#]);
    let engine = Engine::open(lake.path()).await.unwrap();
    let out = lake.path().join("out.csv");
    for sql in [
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE OR REPLACE VIEW events AS SELECT 1 AS dt",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE SCHEMA s",
        "CREATE DATABASE d",
        "DROP VIEW events",
        "DROP TABLE events_landed",
        "INSERT INTO events_landed (event_key) VALUES (1)",
        "DELETE FROM events_landed",
        "UPDATE events_landed SET event_key = 1",
        "TRUNCATE TABLE events_landed",
        &format!("COPY events TO '{}'", out.display()),
        &format!("EXPLAIN COPY events TO '{}'", out.display()),
        &format!("EXPLAIN ANALYZE COPY events TO '{}'", out.display()),
        "EXPLAIN ANALYZE INSERT INTO events_landed (event_key) VALUES (1)",
        "SET datafusion.execution.batch_size = 1",
        "RESET datafusion.execution.batch_size",
        "PREPARE p AS SELECT 1",
        "CREATE FUNCTION f(DOUBLE) RETURNS DOUBLE RETURN $1",
        "START TRANSACTION",
        "SELECT 1; SELECT 2",
        "",
        "-- nothing",
    ] {
        let error = engine.sql(sql).await.err();
        let sentence = error.unwrap_or_else(|| panic!("{sql} was answered")).to_string();
        assert!(
            !sentence.is_empty() && !sentence.contains('\n'),
            "{sql}: {sentence}"
        );
    }
    assert!(!out.exists());
    // No file outside the tables can be read either.
    assert!(engine.sql("SELECT * FROM '/etc/passwd'").await.is_err());
    assert_eq!(
        rows(lake.path(), "SELECT count(*) AS n FROM events_landed").await,
        [json!({"n": 1})]
    );
    for sql in [
        "SHOW TABLES",
        "DESCRIBE events",
        "EXPLAIN SELECT 1",
        "VALUES (1)",
        "SELECT 1;",
    ] {
        assert!(engine.sql(sql).await.is_ok(), "{sql}");
    }
}

#[tokio::test]
async fn an_error_is_one_sentence_about_the_query() {
    let lake = lake_of(&[]);
    let engine = Engine::open(lake.path()).await.unwrap();
    for (sql, part) in [
        ("SELECT nobody FROM events", "nobody"),
        ("SELECT 1 FROM nowhere", "nowhere"),
        ("SELEC 1", "SELEC"),
        ("SELECT nofunction(1)", "nofunction"),
    ] {
        let sentence = engine.sql(sql).await.err().unwrap().to_string();
        assert!(sentence.contains(part) && !sentence.contains('\n'), "{sentence}");
        for noise in [
            "Error during planning",
            "DataFusion error",
            "backtrace",
            "Diagnostic",
        ] {
            assert!(!sentence.contains(noise), "{sentence}");
        }
    }
    let mut out = Vec::new();
    let error = engine
        .print("SELECT CAST('x' AS bigint)", Format::Csv, &mut out)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("'x'"), "{error}");
}

#[tokio::test]
async fn the_engine_reads_and_sorts_as_athena_does() {
    let lake = lake_of(&[]);
    // Nulls last, up and down; a literal with a point is a decimal; integers divide to integers.
    for (direction, expected) in [
        ("ASC", [json!(1), json!(2), json!(null)]),
        ("DESC", [json!(2), json!(1), json!(null)]),
    ] {
        let sql = format!("SELECT n FROM (VALUES (2), (NULL), (1)) AS t (n) ORDER BY n {direction}");
        let found: Vec<Value> = rows(lake.path(), &sql)
            .await
            .into_iter()
            .map(|row| row["n"].clone())
            .collect();
        assert_eq!(found, expected);
    }
    assert_eq!(
        print(
            lake.path(),
            Format::Csv,
            "SELECT 0.1 + 0.2 AS a, 7 / 2 AS b, cast('2026-11-01' AS date) AS c"
        )
        .await,
        "a,b,c\r\n0.3,3,2026-11-01\r\n"
    );
}

#[tokio::test]
async fn json_keeps_every_digit_and_every_column() {
    let lake = lake_of(&[]);
    let sql = "SELECT * FROM (VALUES \
        (CAST(-9223372036854775808 AS bigint), CAST('-0.000001' AS decimal(20, 6)), CAST('NaN' AS double), true, \
         CAST('2026-11-01 07:00:00.5' AS timestamp), make_array('a', NULL), CAST(1.5 AS double), 'ü\"'), \
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) \
        AS t (big, dec, nan, yes, time, list, half, text)";
    assert_eq!(
        print(lake.path(), Format::Json, sql).await,
        concat!(
            "[\n",
            r#"{"big":-9223372036854775808,"dec":-0.000001,"nan":null,"yes":true,"time":"2026-11-01T07:00:00.500Z","list":["a",null],"half":1.5,"text":"ü\""},"#,
            "\n",
            r#"{"big":null,"dec":null,"nan":null,"yes":null,"time":null,"list":null,"half":null,"text":null}"#,
            "\n]\n"
        )
    );
}

#[tokio::test]
async fn csv_is_quoted_and_harmless_in_spreadsheets() {
    let lake = lake_of(&[]);
    let sql = "SELECT * FROM (VALUES \
        ('=HYPERLINK(\"http://x\")', -1, make_array('=a', 'b,c'), CAST('-0.5' AS decimal(3, 1))), \
        ('a,\"b\"\nc', +2, NULL, NULL), (NULL, NULL, NULL, NULL)) AS t (\"=text\", number, list, dec)";
    let csv = print(lake.path(), Format::Csv, sql).await;
    assert_eq!(
        csv,
        "'=text,number,list,dec\r\n\
         \"'=HYPERLINK(\"\"http://x\"\")\",-1,\"[\"\"=a\"\",\"\"b,c\"\"]\",-0.5\r\n\
         \"a,\"\"b\"\"\nc\",2,,\r\n\
         ,,,\r\n"
    );
    // An answer without rows still says its columns.
    assert_eq!(
        print(lake.path(), Format::Csv, "SELECT dt, hour FROM events").await,
        "dt,hour\r\n"
    );
}

#[tokio::test]
async fn a_table_is_aligned_cut_and_counted() {
    let lake = lake_of(&[]);
    let table = print(
        lake.path(),
        Format::Table,
        "SELECT * FROM (VALUES ('\u{1b}[31m', 5), (NULL, 1234)) AS t (name, events) ORDER BY events",
    )
    .await;
    assert!(table.contains("│ \\u{1b}[31m ┆      5 │"), "{table}");
    assert!(
        table.contains("│             ┆   1234 │") || table.contains("┆   1234 │"),
        "{table}"
    );
    let long = print(
        lake.path(),
        Format::Table,
        "SELECT value FROM generate_series(1, 20000) ORDER BY value",
    )
    .await;
    assert!(long.ends_with("the first 1000 of 20000 rows; JSON and CSV have all of them\n"));
    assert!(long.contains(" 1000 ") && !long.contains(" 1001 "));
}

#[tokio::test]
async fn the_head_of_an_answer_says_how_long_it_is() {
    let lake = lake_of(&[]);
    let engine = Engine::open(lake.path()).await.unwrap();
    let sql = "SELECT value FROM generate_series(1, 12) ORDER BY value";
    for (max_rows, last, note) in [(3, 3, "the first 3 of 12 rows\n"), (12, 12, ""), (20, 12, "")] {
        let mut out = Vec::new();
        let rows = output::write_head(engine.sql(sql).await.unwrap(), max_rows, &mut out)
            .await
            .unwrap();
        assert_eq!(rows, 12);
        let out = String::from_utf8(out).unwrap();
        assert!(out.ends_with(&format!("┘\n{note}")), "{out}");
        assert!(
            out.contains(&format!(" {last} ")) && !out.contains(&format!(" {} ", last + 1)),
            "{out}"
        );
    }
}

/// Ten columns of 20 characters, each 23 with what is around it: four fit into 100.
#[tokio::test]
async fn the_head_of_an_answer_fits_the_terminal() {
    let lake = lake_of(&[]);
    let engine = Engine::open(lake.path()).await.unwrap();
    let columns: Vec<String> = (0..10)
        .map(|at| format!("'{}' AS c{at}", "é".repeat(20)))
        .collect();
    for (count, note) in [(4, ""), (5, "and 1 more column\n"), (10, "and 6 more columns\n")] {
        let sql = format!("SELECT {}", columns[..count].join(", "));
        let mut out = Vec::new();
        output::write_head(engine.sql(&sql).await.unwrap(), 8, &mut out)
            .await
            .unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.ends_with(&format!("┘\n{note}")), "{out}");
        assert!(out.lines().all(|line| line.chars().count() <= 93), "{out}");
        assert!(out.contains(" c3 ") && !out.contains(" c4 "), "{out}");
    }
}

/// Values of Trino's documentation on the two functions, and of its rules for what is missing.
#[tokio::test]
async fn properties_are_taken_apart_as_athena_does_it() {
    let lake = lake_of(&[
        r#"{"event_key":1,"ts_server":"2026-11-01T00:00:00.000Z","event_props":"{\"plan\":\"pro\",\"seats\":3,\"list\":[true]}"}"#,
        r#"{"event_key":2,"ts_server":"2026-11-01T00:00:01.000Z"}"#,
    ]);
    let sql = "SELECT json_extract_scalar(event_props, '$.plan') AS plan,
        CAST(json_extract_scalar(event_props, '$.seats') AS bigint) + 1 AS seats,
        json_extract(event_props, '$.list') AS list,
        json_extract_scalar(event_props, '$.list') AS no_scalar,
        json_extract_scalar(event_props, '$.none') AS none,
        json_extract_scalar('[1, 2, 3]', '$[2]') AS third
        FROM events ORDER BY event_key";
    assert_eq!(
        rows(lake.path(), sql).await,
        [
            json!({"plan": "pro", "seats": 4, "list": "[true]", "no_scalar": null, "none": null, "third": "3"}),
            json!({"plan": null, "seats": null, "list": null, "no_scalar": null, "none": null, "third": "3"}),
        ]
    );
    let engine = Engine::open(lake.path()).await.unwrap();
    for (sql, message) in [
        (
            "SELECT json_extract_scalar(event_props, 'plan') FROM events",
            "no JSON path",
        ),
        (
            "SELECT max(ts_server AT TIME ZONE 'Europe/Berlin') FROM events",
            "answered by Athena alone",
        ),
        (
            "EXPLAIN ANALYZE SELECT max(ts_server AT TIME ZONE 'Europe/Berlin') FROM events",
            "answered by Athena alone",
        ),
    ] {
        let mut out = Vec::new();
        let error = engine.print(sql, Format::Json, &mut out).await.unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

/// Firehose writes times of 96 bits: nanoseconds of the day, then the Julian day, of which 2,440,588 is 1970-01-01. As
/// nanoseconds since 1970 in 64 bits the year 3000 would be 1830.
#[tokio::test]
async fn times_of_firehose_keep_their_year() {
    let lake = lake_of(&[r#"{"event_key":1,"ts_server":"2026-11-01T06:00:00.000Z"}"#]);
    let folder = lake.path().join("events/dt=2026-11-01/hour=06");
    let schema = Arc::new(parse_message_type("message hive_schema { optional int96 ts_client; }").unwrap());
    let file = File::create(folder.join("firehose.parquet")).unwrap();
    let mut file = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    // 376,200 days after 1970-01-01 is 3000-01-01.
    let mut time = Int96::new();
    time.set_data(0, 0, 2_440_588 + 376_200);
    column
        .typed::<Int96Type>()
        .write_batch(&[time], Some(&[1]), None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
    let sql = "SELECT ts_client FROM events_landed WHERE ts_client IS NOT NULL";
    assert_eq!(
        rows(lake.path(), sql).await,
        [json!({"ts_client": "3000-01-01T00:00:00.000Z"})]
    );
}

/// Two files an hour, the second with copies of half of the first: 60 events of three hours.
fn lake_of_three_hours() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = LakeWriter::new(&Lake::open(folder.path()).unwrap()).unwrap();
    for keys in [0..60, 30..90] {
        for key in keys {
            let (event, hour) = (key % 60, key % 3);
            let row = format!(
                r#"{{"event_key":{event},"ts_server":"2026-11-01T0{hour}:00:00.000Z","ts_ingested":"2026-11-02T00:00:{event:02}.000Z"}}"#
            );
            writer
                .put(&EVENTS, row.as_bytes(), midnight("2026-11-02"))
                .unwrap();
        }
        writer.flush().unwrap();
    }
    folder
}

/// The pages of the last hour are damaged, its footers are not: who gets there fails.
#[tokio::test]
async fn a_few_rows_end_with_the_hour_that_has_them() {
    let lake = lake_of_three_hours();
    for entry in fs::read_dir(lake.path().join("events/dt=2026-11-01/hour=02")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        bytes[4..1_000].fill(0xff);
        fs::write(&path, bytes).unwrap();
    }
    let engine = Engine::open(lake.path()).await.unwrap();
    for (sql, is_answered) in [
        ("SELECT * FROM events LIMIT 5", true),
        ("SELECT event_key FROM events LIMIT 5 OFFSET 10", true),
        ("SELECT * FROM (SELECT * FROM events) LIMIT 19", true),
        ("SELECT * FROM events LIMIT 60", false),
        ("SELECT * FROM events", false),
        ("SELECT * FROM events ORDER BY event_key LIMIT 5", false),
        (
            "SELECT count(*) FROM (SELECT event_key, ts_ingested FROM events) LIMIT 5",
            false,
        ),
        ("SELECT DISTINCT ts_ingested FROM events LIMIT 5", false),
        ("SELECT * FROM events OFFSET 5", false),
        (
            "SELECT * FROM events WHERE event_key IN (SELECT max(event_key) FROM events GROUP BY hour) LIMIT 1",
            false,
        ),
        (
            "SELECT a.event_key FROM events a JOIN events b ON a.event_key = b.event_key LIMIT 5",
            false,
        ),
    ] {
        let answer = engine.print(sql, Format::Csv, &mut Vec::new()).await;
        assert_eq!(answer.is_ok(), is_answered, "{sql}");
    }
}

#[tokio::test]
async fn a_number_of_rows_is_a_part_of_the_view() {
    let lake = lake_of_three_hours();
    let plan = print(lake.path(), Format::Csv, "EXPLAIN SELECT * FROM events LIMIT 5").await;
    assert!(
        plan.contains("PartialSortExec"),
        "EXPLAIN shows another plan: {plan}"
    );
    let keys = |rows: Vec<Value>| {
        let mut keys: Vec<i64> = rows
            .iter()
            .map(|row| row["event_key"].as_i64().unwrap())
            .collect();
        keys.sort_unstable();
        keys
    };
    let all: Vec<i64> = (0..60).collect();
    assert_eq!(
        keys(rows(lake.path(), "SELECT event_key FROM events LIMIT 1000").await),
        all
    );
    for limit in [1, 19, 20, 21, 59] {
        let some = keys(
            rows(
                lake.path(),
                &format!("SELECT event_key FROM events LIMIT {limit}"),
            )
            .await,
        );
        assert_eq!(some.len(), limit);
        let mut distinct = some.clone();
        distinct.dedup();
        assert_eq!(distinct, some, "LIMIT {limit}");
    }
    let none = rows(lake.path(), "SELECT event_key FROM events LIMIT 0").await;
    assert_eq!(none.len(), 0);
}

#[tokio::test]
async fn memory_is_limited_and_what_does_not_fit_may_spill() {
    let engine = Engine::open(tempfile::tempdir().unwrap().path()).await.unwrap();
    let runtime = engine.context.runtime_env();
    assert!(matches!(
        runtime.memory_pool.memory_limit(),
        MemoryLimit::Finite(_)
    ));
    assert!(runtime.disk_manager.tmp_files_enabled());
}
