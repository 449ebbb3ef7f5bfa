//! The writer as a whole: what lands where, and that a killed run leaves nothing that a reader sees.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::{ArrayRef, AsArray as _, RecordBatch};
use base64::Engine as _;
use md5::{Digest as _, Md5};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use pixel_row::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

use super::staging::{STAGING, Staging};
use super::*;

mod compaction;

const ARRIVAL: i64 = 1_793_516_400_123; // 2026-11-01T07:00:00.123Z

fn arrival() -> Timestamp {
    Timestamp::from_millis(ARRIVAL).unwrap()
}

fn lake() -> (TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).unwrap();
    (folder, lake)
}

/// All files of the lake but its own, from its root, sorted.
fn files(lake: &Lake) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(lake.root(), &mut found);
    let mut files: Vec<String> = found
        .iter()
        .map(|path| {
            path.strip_prefix(lake.root())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .filter(|path| path != ".pixlake" && path != ".staging/gate" && path != ".staging/compaction")
        .collect();
    files.sort();
    files
}

fn folders(lake: &Lake) -> Vec<String> {
    files(lake)
        .iter()
        .map(|file| file.rsplit_once('/').unwrap().0.to_owned())
        .collect()
}

fn batches(lake: &Lake, file: &str) -> Vec<RecordBatch> {
    let file = File::open(lake.root().join(file)).unwrap();
    ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn row(key: i64, ts_server: &str) -> String {
    format!(r#"{{"event_key":{key},"ts_server":"{ts_server}","event_name":"page_view"}}"#)
}

/// A KPL blob of several user records; the format is written out in the crate `kpl`.
fn blob(user_records: &[&str]) -> Vec<u8> {
    let limits = kpl::Limits {
        max_bytes: 1 << 20,
        max_user_records: 500,
        max_record_bytes: 1 << 20,
    };
    let mut aggregator = kpl::Aggregator::new(limits);
    for data in user_records {
        assert_eq!(aggregator.push("key", None, data.as_bytes()), kpl::Pushed::Added);
    }
    let blobs = aggregator.finish();
    blobs.get(0).unwrap().bytes.to_vec()
}

#[test]
fn a_row_lies_in_the_hour_of_its_own_time() {
    let (_folder, lake) = lake();
    let mut writer = LakeWriter::new(&lake).unwrap();
    let rows = [
        row(1, "2025-12-31T23:59:59.999Z"),
        row(2, "2026-01-01T00:00:00.000Z"),
        row(3, "2024-02-29T07:30:00.000Z"),
    ];
    writer.put(&EVENTS, rows.concat().as_bytes(), arrival()).unwrap();
    writer
        .put(
            &EVENTS,
            &blob(&[&row(4, "2026-11-01T06:59:59.999Z"), &rows.join("\n")]),
            arrival(),
        )
        .unwrap();
    assert_eq!(writer.counts(), Counts::default());
    writer.flush().unwrap();
    drop(writer);
    assert_eq!(
        folders(&lake),
        [
            "events/dt=2024-02-29/hour=07",
            "events/dt=2025-12-31/hour=23",
            "events/dt=2026-01-01/hour=00",
            "events/dt=2026-11-01/hour=06"
        ]
    );
    let file = &files(&lake)[1];
    assert!(
        file.contains("/pixlake-events-1-2026-11-01-07-00-00-") && file.ends_with(".parquet"),
        "{file}"
    );
    assert_eq!(batches(&lake, file)[0].num_rows(), 2); // the same row, plain and in a blob
}

#[test]
fn failed_events_lie_in_the_day_of_arrival() {
    let (_folder, lake) = lake();
    let mut writer = LakeWriter::new(&lake).unwrap();
    let failed = r#"{"failure_key":7,"reason":"x","ts_arrival":"2020-01-01T00:00:00.000Z"}"#;
    writer
        .put(
            &FAILED_EVENTS,
            format!("{failed}\n{failed}").as_bytes(),
            arrival(),
        )
        .unwrap();
    writer.flush().unwrap();
    let counts = writer.counts();
    assert_eq!(
        (
            writer.rows(&EVENTS),
            writer.rows(&FAILED_EVENTS),
            counts.conversion_failures,
            counts.files
        ),
        (0, 2, 0, 1)
    );
    drop(writer);
    assert_eq!(folders(&lake), ["failed_events/dt=2026-11-01"]);
    assert_eq!(
        fs::metadata(lake.root().join(&files(&lake)[0])).unwrap().len(),
        counts.bytes
    );
}

#[test]
fn a_file_has_the_declared_columns_and_snappy() {
    let (_folder, lake) = lake();
    let mut writer = LakeWriter::new(&lake).unwrap();
    writer
        .put(&EVENTS, row(1, "2026-11-01T06:00:00.000Z").as_bytes(), arrival())
        .unwrap();
    writer.flush().unwrap();
    drop(writer);
    let file = File::open(lake.root().join(&files(&lake)[0])).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = reader.schema().clone();
    assert_eq!(
        schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect::<Vec<_>>(),
        pixel_row::Row::COLUMNS
            .iter()
            .map(|column| column.name)
            .collect::<Vec<_>>()
    );
    assert_eq!(schema.fields(), EVENTS.file_schema().fields());
    for column in reader.metadata().row_group(0).columns() {
        assert_eq!(column.compression(), Compression::SNAPPY);
        assert!(column.statistics().is_some(), "{}", column.column_path());
        let name = column.column_path().string();
        let parts = column.column_path().parts();
        if name.starts_with("parse_warnings") {
            assert_eq!(parts, ["parse_warnings", "list", "element"]);
        }
    }
}

/// Parquet passes over a setting for a column that there is not.
#[test]
fn columns_without_a_dictionary_are_columns() {
    for name in parquet_file::UNIQUE_COLUMNS {
        let has = |table: &Table| table.columns.iter().any(|column| column.name == name);
        assert!(TABLES.into_iter().any(has), "{name}");
    }
}

/// Each value of a kind, and none.
#[test]
fn booleans_and_lists_are_stored_as_they_are() {
    let (_folder, lake) = lake();
    let mut writer = LakeWriter::new(&lake).unwrap();
    for rest in [
        r#""utf8_ok":true,"parse_warnings":["a","b","a"]"#,
        r#""utf8_ok":false,"parse_warnings":[]"#,
        r#""batch_index":0"#,
    ] {
        let row = format!(r#"{{"ts_server":"2026-11-01T06:00:00.000Z",{rest}}}"#);
        writer.put(&EVENTS, row.as_bytes(), arrival()).unwrap();
    }
    writer.flush().unwrap();
    drop(writer);
    let [batch] = &batches(&lake, &files(&lake)[0])[..] else {
        panic!()
    };
    let booleans = batch.column_by_name("utf8_ok").unwrap().as_boolean();
    assert_eq!(
        booleans.iter().collect::<Vec<_>>(),
        [Some(true), Some(false), None]
    );
    let lists = batch.column_by_name("parse_warnings").unwrap().as_list::<i32>();
    let texts = |list: ArrayRef| -> Vec<String> {
        list.as_string::<i32>()
            .iter()
            .map(|text| text.unwrap().to_owned())
            .collect()
    };
    let lists: Vec<_> = lists.iter().map(|list| list.map(texts)).collect();
    assert_eq!(lists[0], Some(["a", "b", "a"].map(str::to_owned).to_vec()));
    assert_eq!(lists[1..], [Some(Vec::new()), None]);
}

/// Each table has a Firehose of its own, which names its objects.
#[test]
fn errors_of_two_tables_are_two_objects() {
    let (_folder, lake) = lake();
    let mut writer = LakeWriter::new(&lake).unwrap();
    for table in [&EVENTS, &FAILED_EVENTS] {
        writer.put(table, b"no JSON", arrival()).unwrap();
    }
    writer.flush().unwrap();
    for table in [&EVENTS, &FAILED_EVENTS] {
        let [file] = &files(&lake)
            .into_iter()
            .filter(|file| file.contains(table.stream))
            .collect::<Vec<_>>()[..]
        else {
            panic!("{:?}", files(&lake));
        };
        let text = fs::read_to_string(lake.root().join(file)).unwrap();
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["dataCatalogTable"]["tableName"], table.name);
    }
}

#[test]
fn what_does_not_convert_lands_as_firehose_writes_it() {
    let (_folder, lake) = lake();
    let mut writer = LakeWriter::new(&lake).unwrap();
    let bad = r#"{"ts_server":"2026-11-01T06:00:00.000Z","http_status":"secret"}"#;
    let untimed = r#"{"event_key":5}"#;
    // An aggregated record that is whole, whose one user record has key 5 of a table without keys.
    let protobuf = b"\x1a\x04\x08\x05\x1a\x00";
    let broken = [&kpl::MAGIC[..], protobuf, &Md5::digest(protobuf)[..]].concat();
    let mixed = format!("{}{bad}{untimed}", row(1, "2026-11-01T06:00:00.000Z"));
    writer.put(&EVENTS, mixed.as_bytes(), arrival()).unwrap();
    writer.put(&EVENTS, &broken, arrival()).unwrap();
    writer.flush().unwrap();
    let counts = writer.counts();
    assert_eq!(
        (writer.rows(&EVENTS), counts.conversion_failures, counts.files),
        (1, 3, 3)
    );
    drop(writer);
    assert_eq!(
        folders(&lake),
        [
            "errors/format-conversion-failed/dt=2026-11-01",
            "errors/metadata-extraction-failed/dt=2026-11-01",
            "events/dt=2026-11-01/hour=06"
        ]
    );
    let lines: Vec<serde_json::Value> = files(&lake)[..2]
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(lake.root().join(file)).unwrap();
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect::<Vec<_>>()
        })
        .collect();
    let raw: [&[u8]; 3] = [bad.as_bytes(), &broken, untimed.as_bytes()];
    for (line, raw) in lines.iter().zip(raw) {
        let data = base64::engine::general_purpose::STANDARD.decode(line["rawData"].as_str().unwrap());
        assert_eq!(data.unwrap(), raw);
        assert_eq!(line["attemptsMade"], 1);
        assert_eq!(line["arrivalTimestamp"], ARRIVAL);
        assert_eq!(line["attemptEndingTimestamp"], ARRIVAL);
        assert_eq!(line["dataCatalogTable"]["tableName"], "events_landed");
        assert!(!line["ErrorMessage"].as_str().unwrap().contains("secret"));
    }
    assert!(files(&lake)[..2].iter().all(|file| file.contains(EVENTS.stream)));
    assert_eq!(lines[0]["ErrorMessage"], "column http_status: int expected");
    assert_eq!(lines[0]["ErrorCode"], "DataFormatConversion.ParseError");
    assert!(
        lines[1]["ErrorMessage"]
            .as_str()
            .unwrap()
            .starts_with("aggregated record: ")
    );
    assert_eq!(
        lines[2]["ErrorCode"],
        "DynamicPartitioning.MetadataExtractionFailed"
    );
}

#[test]
fn a_killed_run_leaves_nothing_in_sight_and_the_next_run_tidies_up() {
    let (_folder, lake) = lake();
    // A run that is killed: its lock goes with the process, its half file stays.
    let staging = lake.root().join(STAGING);
    let dead = staging.join("dead");
    fs::create_dir_all(&dead).unwrap();
    fs::write(dead.join("half.parquet"), b"PAR1").unwrap();
    fs::write(staging.join("dead.lock"), b"").unwrap();
    fs::create_dir(staging.join("without-lock")).unwrap();
    fs::write(staging.join("only-lock.lock"), b"").unwrap();
    // A run that lives.
    let mut alive = LakeWriter::new(&lake).unwrap();
    alive
        .put(&EVENTS, row(1, "2026-11-01T06:00:00.000Z").as_bytes(), arrival())
        .unwrap();
    assert!(!dead.exists());
    assert_eq!(folders(&lake), [STAGING]); // the living run's lock

    let mut other = LakeWriter::new(&lake).unwrap();
    other
        .put(&EVENTS, row(2, "2026-11-01T06:00:00.000Z").as_bytes(), arrival())
        .unwrap();
    other.flush().unwrap();
    alive.flush().unwrap();
    drop((alive, other));
    assert_eq!(folders(&lake), ["events/dt=2026-11-01/hour=06"; 2]);
}

#[test]
fn a_file_that_fails_half_way_never_appears() {
    let (_folder, lake) = lake();
    let staging = Staging::open(lake.root()).unwrap();
    let failed = staging.publish(
        &lake.root().join("events/dt=2026-11-01/hour=06"),
        "a.parquet",
        |file| {
            std::io::Write::write_all(file, b"half").unwrap();
            Err(LakeError::Foreign { path: PathBuf::new() })
        },
    );
    assert!(failed.is_err());
    assert!(files(&lake).iter().all(|file| file.starts_with(STAGING)));
    drop(staging);
    assert!(files(&lake).is_empty());
}

#[test]
fn a_name_that_is_there_is_not_written_over() {
    let (_folder, lake) = lake();
    let staging = Staging::open(lake.root()).unwrap();
    let put = |text: &'static [u8]| {
        let write = move |file: &mut File| {
            std::io::Write::write_all(file, text).map_err(LakeError::io("write", Path::new("a")))
        };
        staging.publish(
            &lake.root().join("events/dt=2026-11-01/hour=06"),
            "a.parquet",
            write,
        )
    };
    assert_eq!(put(b"first").unwrap(), 5);
    let error = put(b"second").unwrap_err();
    assert!(
        matches!(&error, LakeError::Io { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists)
    );
    let path = lake.root().join("events/dt=2026-11-01/hour=06/a.parquet");
    assert_eq!(fs::read(path).unwrap(), b"first");
}

const OWNER: &str = "notes.txt";

#[test]
fn only_a_folder_of_ours_is_emptied_and_only_of_our_things() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine");
    fs::write(folder.path().join("thesis.txt"), b"years of work").unwrap();
    for refused in [
        Lake::open(folder.path()),
        Lake::create_afresh(folder.path(), OWNER),
    ] {
        assert!(matches!(refused, Err(LakeError::Foreign { .. })));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(matches!(Lake::find(folder.path()), Err(LakeError::NoLake { .. })));
    assert!(matches!(Lake::find(&mine), Err(LakeError::NoLake { .. })));

    let lake = Lake::create_afresh(mine.join("deep"), OWNER).unwrap();
    assert!(Lake::find(lake.root()).is_ok());
    let mut writer = LakeWriter::new(&lake).unwrap();
    writer
        .put(&EVENTS, row(1, "2026-11-01T06:00:00.000Z").as_bytes(), arrival())
        .unwrap();
    writer.put(&EVENTS, b"x", arrival()).unwrap();
    writer.put(&FAILED_EVENTS, b"{}", arrival()).unwrap();
    writer.flush().unwrap();
    assert!(matches!(
        Lake::create_afresh(lake.root(), OWNER),
        Err(LakeError::InUse { .. })
    ));
    assert_eq!(writer.counts().files, 3);
    drop(writer);
    assert_eq!(files(&lake).len(), 3);
    // Rows that are not those of whoever starts afresh.
    assert!(matches!(
        Lake::create_afresh(lake.root(), OWNER),
        Err(LakeError::OthersRows { .. })
    ));
    assert_eq!(files(&lake).len(), 3);
    fs::write(lake.root().join(OWNER), b"kept").unwrap();
    let lake = Lake::create_afresh(lake.root(), OWNER).unwrap();
    assert_eq!(files(&lake), [OWNER]);
    // What somebody copied from S3 has folders alone.
    fs::create_dir_all(mine.join("copy/failed_events/dt=2026-11-01")).unwrap();
    assert!(Lake::find(mine.join("copy")).is_ok());
    // Many a folder has one of that name.
    fs::create_dir_all(mine.join("repository/events/2026")).unwrap();
    assert!(matches!(
        Lake::find(mine.join("repository")),
        Err(LakeError::NoLake { .. })
    ));
}

#[test]
fn memory_is_bounded_and_late_rows_make_few_files() {
    let (_folder, lake) = lake();
    // A partition without rows counts 22 KiB; a row here about 560 bytes.
    let mut writer = LakeWriter::new(&lake).unwrap().with_max_waiting_bytes(256 * 1024);
    for key in 0..2_000 {
        let late = if key % 100 == 0 { "05" } else { "06" };
        writer
            .put(
                &EVENTS,
                row(key, &format!("2026-11-01T{late}:00:00.000Z")).as_bytes(),
                arrival(),
            )
            .unwrap();
        assert!(writer.waiting_bytes() <= 256 * 1024);
    }
    writer.flush().unwrap();
    assert_eq!(writer.waiting_bytes(), 0);
    assert_eq!(writer.rows(&EVENTS), 2_000);
    drop(writer);
    let folders = folders(&lake);
    let of = |hour: &str| folders.iter().filter(|folder| folder.ends_with(hour)).count();
    assert_eq!(of("hour=05"), 1);
    assert!((3..12).contains(&of("hour=06")), "{folders:?}");
}

#[test]
fn errors_are_bounded_too() {
    let (_folder, lake) = lake();
    let mut writer = LakeWriter::new(&lake).unwrap().with_max_waiting_bytes(4096);
    for _ in 0..100 {
        writer.put(&EVENTS, &[b'x'; 1000], arrival()).unwrap();
        assert!(writer.waiting_bytes() <= 4096);
    }
    writer.flush().unwrap();
    assert_eq!(writer.counts().conversion_failures, 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// No record makes the writer fail or panic, and every document of it is counted once.
    #[test]
    fn any_bytes_are_rows_or_errors(
        records in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 1..64),
                "\\{\"ts_server\":[0-9]{1,14}(,\"batch_index\":-?[0-9]{1,11})?\\}".prop_map(String::into_bytes),
            ],
            0..20,
        )
    ) {
        let (_folder, lake) = lake();
        let mut writer = LakeWriter::new(&lake).unwrap();
        let mut documents = 0;
        for record in &records {
            let mut parts = pixel_row::Documents::new(EVENTS.columns, record);
            while parts.next().is_some() {
                documents += 1;
            }
            writer.put(&EVENTS, record, arrival()).unwrap();
        }
        writer.flush().unwrap();
        let counts = writer.counts();
        let rows = writer.rows(&EVENTS);
        prop_assert_eq!(rows + counts.conversion_failures, documents);
        drop(writer);
        let landed: usize = files(&lake)
            .iter()
            .filter(|file| file.ends_with(".parquet"))
            .flat_map(|file| batches(&lake, file))
            .map(|batch| batch.num_rows())
            .sum();
        prop_assert_eq!(landed as u64, rows);
    }
}

/// A full disk is told by the path that it was met at, and leaves nothing.
#[test]
fn a_file_that_does_not_fit_is_named_and_removed() {
    let (_folder, lake) = lake();
    let staging = Staging::open(lake.root()).unwrap();
    let folder = lake.root().join("events/dt=2026-11-01/hour=06");
    let full = || parquet::errors::ParquetError::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
    let error = staging
        .publish(&folder, "a.parquet", |_| {
            Err(LakeError::parquet("write", &folder)(full()))
        })
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot write {}: no storage space; make room and do the same again: what landed is counted once",
            folder.display()
        )
    );
    assert_eq!(files(&lake).len(), 1, "the lock of the run");
}
