//! Compaction as a whole: what becomes one file, which copy stays, and that nothing is lost beside a writer or a kill.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, Float64Array, Int32Array, Int64Array, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::ArrowWriter;
use parquet::data_type::{Int64Type, Int96, Int96Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use pixel_row::Day;

use super::super::staging::begin_compaction;
use super::*;

fn landed(lake: &Lake) -> Vec<(String, usize)> {
    files(lake)
        .into_iter()
        .map(|file| {
            let rows = batches(lake, &file).iter().map(RecordBatch::num_rows).sum();
            let folder = file.rsplit_once('/').unwrap().0.to_owned();
            (folder, rows)
        })
        .collect()
}

fn put(lake: &Lake, table: &'static Table, rows: &[&str]) {
    let mut writer = LakeWriter::new(lake).unwrap();
    writer.put(table, rows.concat().as_bytes(), arrival()).unwrap();
    writer.flush().unwrap();
}

/// A row of an event's line, taken in at this second.
fn delivery(event_key: i64, line_hash: i64, second: u32) -> String {
    format!(
        r#"{{"ts_server":"2026-11-01T06:00:00.000Z","event_key":{event_key},"line_hash":{line_hash},"ts_ingested":"2026-11-01T07:00:{second:02}.000Z"}}"#
    )
}

fn all_days() -> RangeInclusive<Day> {
    Timestamp::EARLIEST.day()..=Timestamp::LATEST.day()
}

/// Each column of the only file of a partition as numbers, null as -1.
fn numbers(lake: &Lake, folder: &str, columns: [&str; 2]) -> Vec<[i64; 2]> {
    let file = files(lake)
        .into_iter()
        .find(|file| file.starts_with(folder))
        .unwrap();
    let mut rows = Vec::new();
    for batch in batches(lake, &file) {
        let columns = columns.map(|name| {
            let numbers = cast(batch.column_by_name(name).unwrap(), &DataType::Int64).unwrap();
            numbers.as_primitive::<arrow::datatypes::Int64Type>().clone()
        });
        for row in 0..batch.num_rows() {
            rows.push([0, 1].map(|at: usize| {
                if columns[at].is_null(row) {
                    -1
                } else {
                    columns[at].value(row)
                }
            }));
        }
    }
    rows.sort_unstable();
    rows
}

#[test]
fn an_hour_becomes_one_file_and_its_rows_stay() {
    let (_folder, lake) = lake();
    for event in 1..=5 {
        put(
            &lake,
            &EVENTS,
            &[
                &row(event, "2026-11-01T06:00:00.000Z"),
                &row(event, "2026-11-02T07:00:00.000Z"),
            ],
        );
    }
    put(&lake, &EVENTS, &[&row(9, "2026-11-03T00:00:00.000Z")]);
    // Readers skip such names, and so does this.
    let hidden = lake
        .root()
        .join("events/dt=2026-11-02/hour=07/_temporary.parquet");
    fs::write(&hidden, "").unwrap();
    let day = |day| Day::parse(day).unwrap();
    let compaction = lake.compact(&(day("2026-11-02")..=day("2026-11-03"))).unwrap();
    assert_eq!((compaction.partitions, compaction.copies), (1, 0));
    assert_eq!((compaction.merged.files, compaction.written.files), (5, 1));
    fs::remove_file(hidden).unwrap();
    assert!(compaction.written.bytes < compaction.merged.bytes / 3);
    let mut expected = vec![("events/dt=2026-11-01/hour=06".to_owned(), 1); 5];
    expected.push(("events/dt=2026-11-02/hour=07".to_owned(), 5));
    expected.push(("events/dt=2026-11-03/hour=00".to_owned(), 1));
    assert_eq!(landed(&lake), expected);
    assert_eq!(lake.compact(&all_days()).unwrap().partitions, 1);
    // There is nothing left to do.
    let again = lake.compact(&all_days()).unwrap();
    assert_eq!(
        (again.partitions, again.merged, again.written),
        (0, Size::default(), Size::default())
    );
}

/// Nobody can say which of two is the later one where both were taken in at once; the same file has one answer.
#[test]
fn of_copies_of_one_moment_the_first_is_kept() {
    let ingested = r#""ts_ingested":"2026-11-01T07:00:00.000Z""#;
    let event = |site: &str| {
        format!(
            r#"{{"ts_server":"2026-11-01T06:00:00.000Z","event_key":1,"line_hash":1,"site_id":"{site}",{ingested}}}"#
        )
    };
    let failed = |source: &str| format!(r#"{{"failure_key":1,"source":"{source}",{ingested}}}"#);
    let (_folder, lake) = lake();
    put(&lake, &EVENTS, &[&event("first"), &event("second")]);
    put(&lake, &FAILED_EVENTS, &[&failed("first"), &failed("second")]);
    assert_eq!(lake.compact(&all_days()).unwrap().copies, 2);
    for (file, column) in files(&lake).iter().zip(["site_id", "source"]) {
        let [batch] = &batches(&lake, file)[..] else {
            panic!("{file}")
        };
        let texts = batch.column_by_name(column).unwrap().as_string::<i32>();
        assert_eq!(texts.iter().collect::<Vec<_>>(), [Some("first")], "{file}");
    }
}

/// The views say which delivery counts: the latest of an event, the first of a failed one.
#[test]
fn of_copies_the_one_that_the_view_shows_is_kept() {
    let (_folder, lake) = lake();
    // Event 1 came three times, the second time last; event 2 twice from different lines, which is a conflict; event 3
    // once without a time, which never counts beside one that has it. A row that does not say its event has no copy.
    let untimed = r#"{"ts_server":"2026-11-01T06:00:00.000Z","event_key":3,"line_hash":10}"#;
    let nameless = r#"{"ts_server":"2026-11-01T06:00:00.000Z"}"#;
    put(&lake, &EVENTS, &[&delivery(1, 10, 20), &delivery(2, 10, 25)]);
    put(&lake, &EVENTS, &[&delivery(1, 10, 40), &delivery(2, 11, 25)]);
    put(
        &lake,
        &EVENTS,
        &[
            untimed,
            &delivery(3, 10, 30),
            nameless,
            nameless,
            &delivery(1, 10, 30),
        ],
    );
    let failed = |key: i64, second: u32| {
        format!(r#"{{"failure_key":{key},"ts_ingested":"2026-11-01T07:00:{second:02}.000Z"}}"#)
    };
    put(&lake, &FAILED_EVENTS, &[&failed(1, 20), &failed(2, 5)]);
    put(&lake, &FAILED_EVENTS, &[&failed(1, 10)]);
    put(
        &lake,
        &FAILED_EVENTS,
        &[r#"{"failure_key":3}"#, &failed(3, 50), &failed(1, 30)],
    );

    let compaction = lake.compact(&all_days()).unwrap();
    assert!(compaction.failures.is_empty(), "{:?}", compaction.failures);
    assert_eq!((compaction.partitions, compaction.copies), (2, 6));
    let seven = 1_793_516_400_000; // 2026-11-01T07:00:00Z
    assert_eq!(
        numbers(&lake, "events/", ["event_key", "ts_ingested"]),
        [
            [-1, -1],
            [-1, -1],
            [1, seven + 40_000],
            [2, seven + 25_000],
            [2, seven + 25_000],
            [3, seven + 30_000]
        ]
    );
    assert_eq!(
        numbers(&lake, "failed_events/", ["failure_key", "ts_ingested"]),
        [[1, seven + 10_000], [2, seven + 5_000], [3, seven + 50_000]]
    );
    // The name says when the first row was taken in, as Firehose's does.
    assert!(
        files(&lake)[0].contains("-2026-11-01-07-00-20-"),
        "{:?}",
        files(&lake)
    );
}

#[test]
fn copies_within_one_file_go_too() {
    let (_folder, lake) = lake();
    put(&lake, &EVENTS, &[&delivery(1, 10, 20), &delivery(1, 10, 20)]);
    assert_eq!(lake.compact(&all_days()).unwrap().copies, 1);
    assert_eq!(landed(&lake), [("events/dt=2026-11-01/hour=06".to_owned(), 1)]);
}

/// A compaction that was killed after its file appeared leaves the old ones: copies, which the next one removes.
#[test]
fn a_kill_between_writing_and_removing_loses_nothing() {
    let (_folder, lake) = lake();
    for event in 1..=3 {
        put(&lake, &EVENTS, &[&delivery(event, 10, 20)]);
    }
    let saved: Vec<(PathBuf, Vec<u8>)> = files(&lake)
        .into_iter()
        .map(|file| {
            (
                lake.root().join(&file),
                fs::read(lake.root().join(&file)).unwrap(),
            )
        })
        .collect();
    lake.compact(&all_days()).unwrap();
    for (path, bytes) in saved.iter().skip(1) {
        fs::write(path, bytes).unwrap();
    }
    let compaction = lake.compact(&all_days()).unwrap();
    assert_eq!((compaction.merged.files, compaction.copies), (3, 2));
    assert_eq!(landed(&lake), [("events/dt=2026-11-01/hour=06".to_owned(), 3)]);
}

#[test]
fn a_partition_that_cannot_be_read_stays_and_the_others_go_on() {
    let (_folder, lake) = lake();
    for event in 1..=2 {
        for hour in [1, 2, 3] {
            put(
                &lake,
                &EVENTS,
                &[&row(event, &format!("2026-11-01T0{hour}:00:00.000Z"))],
            );
        }
    }
    let damaged = lake.root().join(&files(&lake)[0]);
    fs::write(&damaged, "PAR1 no more").unwrap();
    let newer = lake.root().join("events/dt=2026-11-01/hour=02/newer.parquet");
    let column: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("of_tomorrow", column)]).unwrap();
    let file = File::create(&newer).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();

    let before = files(&lake);
    let compaction = lake.compact(&all_days()).unwrap();
    assert_eq!(compaction.partitions, 1);
    let failures: Vec<String> = compaction.failures.iter().map(ToString::to_string).collect();
    assert_eq!(failures.len(), 2);
    assert!(
        failures[0].starts_with(&format!("cannot read {} as Parquet: ", damaged.display())),
        "{failures:?}"
    );
    assert!(
        failures[1].starts_with(&format!("{} has a column `of_tomorrow`", newer.display())),
        "{failures:?}"
    );
    let after = files(&lake);
    assert_eq!(after[..5], before[..5]);
    assert_eq!(after.len(), 6);
}

/// A status of 2^40 is more than an `int` holds, half a micro is no whole one, and a time has milliseconds: merged, each
/// would be another value without a word.
#[test]
fn a_value_that_its_column_cannot_hold_keeps_the_files_as_they_are() {
    let values: [(&str, ArrayRef); 4] = [
        ("http_status", Arc::new(Int64Array::from(vec![1_i64 << 40]))),
        ("value_micros", Arc::new(Float64Array::from(vec![1.5]))),
        (
            "ts_server",
            Arc::new(TimestampMicrosecondArray::from(vec![1_793_512_800_000_001])),
        ),
        ("utf8_ok", Arc::new(Int64Array::from(vec![2]))),
    ];
    for (column, value) in values {
        let (_folder, lake) = lake();
        put(&lake, &EVENTS, &[&delivery(1, 10, 20)]);
        let other = lake.root().join("events/dt=2026-11-01/hour=06/other.parquet");
        let batch = RecordBatch::try_from_iter([(column, value)]).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(&other).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let before = files(&lake);
        let compaction = lake.compact(&all_days()).unwrap();
        assert_eq!(
            (compaction.partitions, compaction.failures.len()),
            (0, 1),
            "{column}"
        );
        let failure = compaction.failures[0].to_string();
        assert!(failure.contains("other.parquet"), "{failure}");
        assert!(
            failure.contains(&format!("column {column} holds a value that")),
            "{failure}"
        );
        assert_eq!(files(&lake), before);
        assert_eq!(lake.first_damaged(), Some(other), "{column}");
    }
}

/// Files of others have other types for the same columns, and lack some.
#[test]
fn what_firehose_or_an_older_version_wrote_is_read_too() {
    let (_folder, lake) = lake();
    put(&lake, &EVENTS, &[&delivery(1, 10, 20)]);
    let other = lake.root().join("events/dt=2026-11-01/hour=06/other.parquet");
    let time: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![1_793_512_800_000_000]).with_timezone("UTC"));
    let batch = RecordBatch::try_from_iter([
        ("ts_server", time),
        ("event_key", Arc::new(Int32Array::from(vec![2])) as ArrayRef),
        ("site_id", Arc::new(StringViewArray::from(vec!["blog"]))),
    ])
    .unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&other).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let compaction = lake.compact(&all_days()).unwrap();
    assert!(compaction.failures.is_empty(), "{:?}", compaction.failures);
    assert_eq!(
        numbers(&lake, "events/", ["event_key", "ts_server"]),
        [[1, 1_793_512_800_000], [2, 1_793_512_800_000]]
    );
}

/// A time as Hive's writer has it, which Firehose uses: nanoseconds of the day, then the Julian day.
fn int96(millis: i64) -> Int96 {
    let (day, of_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let nanos = u64::try_from(of_day).unwrap() * 1_000_000;
    let word = |number: u64| u32::try_from(number & 0xffff_ffff).unwrap();
    let mut time = Int96::new();
    // 1970-01-01 is the Julian day 2,440,588.
    time.set_data(
        word(nanos),
        word(nanos >> 32),
        u32::try_from(day + 2_440_588).unwrap(),
    );
    time
}

/// As nanoseconds since 1970 in 64 bits, the years 1600 and 3000 would be 2184 and 1830.
#[test]
fn times_of_96_bits_keep_their_year() {
    let (_folder, lake) = lake();
    put(&lake, &EVENTS, &[&delivery(1, 10, 20)]);
    let other = lake.root().join("events/dt=2026-11-01/hour=06/other.parquet");
    let schema = "message hive_schema { optional int96 ts_server; optional int64 event_key; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(File::create(&other).unwrap(), schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    // 1600-01-01, 3000-01-01 and 9999-12-31.
    let times = [
        -11_676_096_000_000,
        1_793_512_800_123,
        32_503_680_000_000,
        253_402_300_799_999,
    ];
    let mut column = group.next_column().unwrap().unwrap();
    let levels = [1; 4];
    let stored = column
        .typed::<Int96Type>()
        .write_batch(&times.map(int96), Some(&levels), None);
    stored.unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<Int64Type>()
        .write_batch(&[2, 3, 4, 5], Some(&levels), None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
    let compaction = lake.compact(&all_days()).unwrap();
    assert!(compaction.failures.is_empty(), "{:?}", compaction.failures);
    let merged = numbers(&lake, "events/", ["event_key", "ts_server"]);
    for (key, time) in (2..).zip(times) {
        assert!(merged.contains(&[key, time]), "{key}: {merged:?}");
    }
}

#[test]
fn a_second_compaction_is_refused_and_a_writer_goes_on() {
    let (_folder, lake) = lake();
    let mut writer = LakeWriter::new(&lake).unwrap();
    let alone = begin_compaction(lake.root()).unwrap();
    assert!(matches!(
        lake.compact(&all_days()),
        Err(LakeError::Compacting { .. })
    ));
    drop(alone);
    // What lands while a compaction is at work stays, and the next one takes it in.
    thread::scope(|scope| {
        let compactions = scope.spawn(|| {
            for _ in 0..20 {
                assert!(lake.compact(&all_days()).unwrap().failures.is_empty());
            }
        });
        for event in 0..60 {
            writer
                .put(&EVENTS, delivery(event, 10, 20).as_bytes(), arrival())
                .unwrap();
            writer.flush().unwrap();
        }
        compactions.join().unwrap();
    });
    lake.compact(&all_days()).unwrap();
    drop(writer);
    assert_eq!(landed(&lake), [("events/dt=2026-11-01/hour=06".to_owned(), 60)]);
}
