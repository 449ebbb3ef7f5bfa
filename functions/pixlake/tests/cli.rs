//! The command line as a contract: what scripts rely on.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use pixel_log::Field;
use support::{events_of_the_lines, number, pixlake, query, run, succeed, write_log};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn wrong_use_is_2_a_failed_job_is_1_and_each_says_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let lake = lake.to_str().unwrap();
    succeed(&[
        "ingest",
        "--lake",
        lake,
        repository().join("events/sample.log").to_str().unwrap(),
    ]);
    let no_gzip = folder.path().join("cut.gz");
    fs::write(&no_gzip, [0x1f, 0x8b, 8, 0]).unwrap();
    for (args, code, message) in [
        (&["nope"][..], 2, "unrecognized subcommand 'nope'"),
        (&[], 2, "Usage: pixlake <COMMAND>"),
        (
            &["ingest", "--fields", "timestamp,nope"],
            2,
            "name 2 of the field list is not a real-time log field",
        ),
        (&["sample", "--lines", "1", "--rate", "0"], 2, "rate"),
        (
            &["ingest", "--lake", lake, "missing.log"],
            1,
            "missing.log: No such file",
        ),
        (
            &["ingest", "--lake", lake, no_gzip.to_str().unwrap()],
            1,
            "cut.gz: after line 0: ",
        ),
        (
            &["ingest", "--lake", env!("CARGO_MANIFEST_DIR")],
            1,
            "was not made by pixlake",
        ),
        (
            &["demo", "--lake", env!("CARGO_MANIFEST_DIR")],
            1,
            "was not made by pixlake",
        ),
        (&["query", "--lake", lake, "SELEC 1"], 1, "SELEC"),
        (&["query", "--lake", lake, "SELECT nope FROM events"], 1, "nope"),
        (
            &["query", "--lake", lake, "DROP TABLE events"],
            1,
            "only one SELECT",
        ),
        (
            &["query", "--lake", "no-such-lake", "SELECT 1"],
            1,
            "no-such-lake: there is no lake",
        ),
        (
            &["query", "--lake", "src", "SELECT 1"],
            1,
            "src: there is no lake",
        ),
        (&["demo", "--lake", lake], 1, "holds rows that would be lost"),
        (
            &["decode", "--kind", "blob", "Cargo.toml"],
            1,
            "expected the bytes f3 89 9a c2",
        ),
    ] {
        let output = pixlake()
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(message), "{args:?}: {stderr}");
    }
}

#[test]
fn every_command_has_help() {
    for command in ["demo", "ingest", "query", "compact", "decode", "sample"] {
        let help = succeed(&[command, "--help"]);
        assert!(help.contains("Usage: pixlake"), "{help}");
    }
    assert!(succeed(&["--help"]).contains("Exit codes"));
    assert!(succeed(&["--version"]).starts_with("pixlake "));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let log = write_log(folder.path(), 3_000, 3, 1.0);
    succeed(&[
        "ingest",
        "--lake",
        lake.to_str().unwrap(),
        log.path.to_str().unwrap(),
    ]);
    for args in [
        &["sample", "--lines", "1000000"][..],
        &[
            "query",
            "--format",
            "csv",
            "--lake",
            lake.to_str().unwrap(),
            "SELECT * FROM events",
        ],
        &["decode", log.path.to_str().unwrap()],
    ] {
        let mut child = pixlake().args(args).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        assert!(!first.is_empty(), "{args:?}");
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn the_demo_answers_the_seven_questions_and_starts_afresh() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("demo-lake");
    let first = succeed(&["demo", "--lake", lake.to_str().unwrap()]);
    for title in [
        "events per hour",
        "visitor count",
        "user agents",
        "abnormal events",
        "aggregate event count",
        "referrers",
        "recent events",
    ] {
        assert!(first.contains(&format!("\n{title}\n")), "{title}");
    }
    for line in first
        .lines()
        .filter(|line| line.starts_with(['┌', '│', '╞', '└']))
    {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let landed = number(&lake, "SELECT count(*) FROM events_landed");
    let second = succeed(&["demo", "--lake", lake.to_str().unwrap()]);
    assert_eq!(number(&lake, "SELECT count(*) FROM events_landed"), landed);
    assert_eq!(second, first);
}

#[test]
fn the_same_file_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let log = write_log(folder.path(), 4_000, 5, 0.5);
    let ingest = [
        "ingest",
        "--summary",
        "json",
        "--lake",
        lake.to_str().unwrap(),
        log.path.to_str().unwrap(),
    ];
    let failed = "SELECT * FROM failed_events ORDER BY failure_key";
    let summary = succeed(&ingest);
    let (events, failures) = (events_of_the_lines(&lake), query(&lake, failed));
    assert_eq!(events.len() as u64, log.events);
    assert_eq!(failures.len() as u64, log.broken);

    assert_eq!(succeed(&ingest), summary);
    // Under another name, compressed, and through a pipe: still the same lines.
    let gzip = folder.path().join("other.gz");
    let mut encoder =
        flate2::write::GzEncoder::new(fs::File::create(&gzip).unwrap(), flate2::Compression::fast());
    encoder.write_all(&fs::read(&log.path).unwrap()).unwrap();
    encoder.finish().unwrap();
    succeed(&["ingest", "--lake", lake.to_str().unwrap(), gzip.to_str().unwrap()]);
    let piped = pixlake()
        .args(["ingest", "--lake", lake.to_str().unwrap()])
        .stdin(fs::File::open(&log.path).unwrap())
        .output();
    assert!(piped.unwrap().status.success());

    assert_eq!(
        number(&lake, "SELECT count(*) FROM events_landed"),
        4 * log.landed
    );
    assert_eq!(events_of_the_lines(&lake), events);
    assert_eq!(query(&lake, failed), failures);
}

#[test]
fn the_summary_counts_the_whole_input() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let log = write_log(folder.path(), 2_500, 7, 1.0);
    let path = log.path.to_str().unwrap();
    let summary = succeed(&[
        "ingest",
        "--summary",
        "json",
        "--lake",
        lake.to_str().unwrap(),
        path,
        path,
    ]);
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["lines"], 2 * log.lines);
    assert_eq!(summary["rows"], 2 * log.landed);
    let failed: u64 = summary["failed"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(failed, 2 * log.broken);
    let (blobs, bytes) = (
        summary["blobs"].as_u64().unwrap(),
        summary["blob_bytes"].as_u64().unwrap(),
    );
    assert!(
        blobs > 0 && bytes > blobs * 2_500,
        "blobs are not filled: {bytes} bytes in {blobs}"
    );
    assert_eq!(summary.as_object().unwrap().len(), 6);
}

#[test]
fn a_line_that_is_too_long_is_shown_by_its_place_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let good = write_log(folder.path(), 1, 7, 1.0);
    let log = folder.path().join("long.log");
    let long = [b"x".repeat(3 << 20), b"\n".to_vec()].concat();
    fs::write(&log, [&*long, &*fs::read(&good.path).unwrap()].concat()).unwrap();
    let output = run(&[
        "ingest",
        "--summary",
        "json",
        "--lake",
        lake.to_str().unwrap(),
        log.to_str().unwrap(),
    ]);
    assert!(output.status.success());
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&summary["lines"], &summary["failed"]["bad_record"]),
        (&2.into(), &1.into())
    );
    let shown = String::from_utf8(output.stderr).unwrap();
    let sentence = "long.log:1: bad_record: the line is longer than 1 MiB; its first 64 KiB are kept";
    assert!(shown.contains(sentence), "{shown}");
}

#[test]
fn what_can_be_read_is_ingested_and_what_cannot_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let log = write_log(folder.path(), 5_000, 13, 1.0);
    let lines = fs::read(&log.path).unwrap();
    // One whole member, which is not a whole number of batches, and the head of another.
    let expected = 3_000;
    let ends = lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let end = ends.map(|(at, _)| at + 1).nth(expected - 1).unwrap();
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let cut = [&*gzip(&lines[..end]), &gzip(&lines[end..])[..12]].concat();
    fs::write(path("cut.gz"), &cut).unwrap();
    fs::write(path("standard.log"), "#Version: 1.0\n").unwrap();
    let damage = cut.len();

    let (cut, standard, missing, good) = (
        path("cut.gz"),
        path("standard.log"),
        path("none.log"),
        path("good.log"),
    );
    let last = lines.iter().rposition(|&byte| byte == b'\t').unwrap();
    fs::write(
        &good,
        &lines[lines[..last].iter().rposition(|&byte| byte == b'\n').unwrap() + 1..],
    )
    .unwrap();
    let lake = path("lake");
    let output = run(&[
        "ingest",
        "--summary",
        "json",
        "--lake",
        &lake,
        &cut,
        &standard,
        &missing,
        &good,
    ]);
    assert_eq!(output.status.code(), Some(1));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["lines"], expected + 1);
    let shown = String::from_utf8(output.stderr).unwrap();
    let errors: Vec<&str> = shown
        .lines()
        .filter(|line| line.starts_with("pixlake: "))
        .collect();
    for (error, (file, what)) in errors.iter().zip([
        (
            &cut,
            format!("after line {expected}: the gzip data is damaged near byte {damage}"),
        ),
        (
            &standard,
            "is a standard log of CloudFront; pixlake reads real-time logs".to_owned(),
        ),
        (&missing, "No such file".to_owned()),
    ]) {
        assert!(error.starts_with(&format!("pixlake: {file}: {what}")), "{error}");
    }
    assert_eq!(errors.len(), 3, "{shown}");
}

#[test]
fn a_pixel_under_another_path_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let lake = lake.to_str().unwrap();
    let log = write_log(folder.path(), 200, 3, 1.0);
    let other = fs::read_to_string(&log.path)
        .unwrap()
        .replace("\t/p.gif", "\t/x.gif");
    fs::write(&log.path, other).unwrap();
    let log = log.path.to_str().unwrap();
    let shown = |paths: &str| {
        let output = run(&["ingest", "--lake", lake, "--pixel-path", paths, log]);
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let hint = "no line has the path of a pixel, /p.gif or /o.gif: every row is a request without an event. The first lines have /x.gif (";
    assert!(shown("/p.gif,/o.gif").contains(hint));
    assert!(!shown("/p.gif, /x.gif").contains("no line has the path"));
}

#[test]
fn a_statement_may_be_typed_saved_or_read() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let lake = lake.to_str().unwrap();
    let log = write_log(folder.path(), 3_000, 5, 0.02);
    succeed(&["ingest", "--lake", lake, log.path.to_str().unwrap()]);
    let file = repository().join("infra/athena/queries/events_per_hour.sql");
    let file = file.to_str().unwrap();
    let answer = |args: &[&str]| succeed(&[&["query", "--lake", lake, "--format", "csv"], args].concat());

    let list = answer(&["--list"]);
    for name in fs::read_dir(repository().join("infra/athena/queries")).unwrap() {
        let name = name.unwrap().path();
        let name = name.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(
            list.lines().any(|line| line.starts_with(&format!("{name} "))),
            "{name}"
        );
        answer(&["--saved", &name]);
    }
    let all = answer(&["--file", file]);
    assert_eq!(answer(&["--saved", "events_per_hour"]), all);
    let days = |answer: &str| -> Vec<String> {
        let mut days: Vec<String> = answer
            .lines()
            .skip(1)
            .filter_map(|line| Some(line.split_once(',')?.0.to_owned()))
            .collect();
        days.dedup();
        days
    };
    let all_days = days(&all);
    assert!(all_days.len() >= 2, "{all_days:?}");
    for day in &all_days {
        assert_eq!(
            days(&answer(&["--file", file, "--from", day, "--to", day])),
            [day.as_str()]
        );
    }
    assert_eq!(
        days(&answer(&["--file", file, "--from", &all_days[1]])),
        all_days[1..]
    );

    let empty = folder.path().join("empty");
    succeed(&["ingest", "--lake", empty.to_str().unwrap(), "/dev/null"]);
    let none = succeed(&[
        "query",
        "--lake",
        empty.to_str().unwrap(),
        "--format",
        "csv",
        "--saved",
        "abnormal_events",
    ]);
    assert_eq!(none.lines().count(), 1);

    assert_eq!(answer(&["-- a comment\nSELECT 7 AS a"]), "a\r\n7\r\n");
    let mut child = pixlake()
        .args(["query", "--lake", lake, "--format", "csv", "--file", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"SELECT 8 AS a;\n")
        .unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"a\r\n8\r\n");

    for (args, message) in [
        (&["--saved", "nope"][..], "--list` has them all"),
        (
            &["--from", "2026-11-01", "SELECT 1"],
            "--from needs a statement with :from_day",
        ),
        (
            &[
                "--from",
                "2026-11-02",
                "--to",
                "2026-11-01",
                "--saved",
                "events_per_hour",
            ],
            "--from is after --to",
        ),
        (
            &["--from", "November", "SELECT 1"],
            "expected a day like 2026-11-01",
        ),
        (&["--file", file, "SELECT 1"], "cannot be used with"),
        (&[], "<SQL>"),
    ] {
        let output = run(&[&["query", "--lake", lake], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(message), "{stderr}");
    }
}

/// Expressions of many levels, which the engine walks by calling itself.
#[test]
fn a_deep_expression_is_answered_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let lake = lake.to_str().unwrap();
    succeed(&["ingest", "--lake", lake, "/dev/null"]);
    let keys = |count: usize| -> String {
        let keys: Vec<String> = (0..count).map(|key| format!("event_key = {key}")).collect();
        format!(
            "SELECT count(*) AS n FROM events_landed WHERE {}",
            keys.join(" OR ")
        )
    };
    let answer = succeed(&["query", "--lake", lake, "--format", "csv", &keys(1_000)]);
    assert_eq!(answer, "n\r\n0\r\n");
    for explain in ["", "EXPLAIN ", "EXPLAIN ANALYZE "] {
        let refused = run(&["query", "--lake", lake, &(explain.to_owned() + &keys(3_000))]);
        assert_eq!(refused.status.code(), Some(1));
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert!(stderr.contains("more than 2000 levels"), "{stderr}");
    }
}

/// A file that some readers pass over is no answer and no silence.
#[test]
fn a_file_about_which_readers_differ_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let log = write_log(folder.path(), 100, 5, 0.02);
    succeed(&[
        "ingest",
        "--lake",
        lake.to_str().unwrap(),
        log.path.to_str().unwrap(),
    ]);
    let hour = fs::read_dir(lake.join("events"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let hour = fs::read_dir(hour).unwrap().next().unwrap().unwrap().path();
    let object = fs::read_dir(&hour).unwrap().next().unwrap().unwrap().path();
    let query = [
        "query",
        "--lake",
        lake.to_str().unwrap(),
        "SELECT count(*) FROM events",
    ];
    for (name, bytes) in [
        ("_aside.parquet", fs::read(&object).unwrap()),
        (".aside.parquet", fs::read(&object).unwrap()),
        ("cut.parquet", Vec::new()),
    ] {
        let path = hour.join(name);
        fs::write(&path, bytes).unwrap();
        let refused = run(&query);
        assert_eq!(refused.status.code(), Some(1), "{name}");
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert!(
            stderr.contains(&format!("{name}: readers differ about a file")),
            "{stderr}"
        );
        fs::remove_file(path).unwrap();
        succeed(&query);
    }
}

/// Visitors are counted under the lake's key: with another one they are others.
#[test]
fn a_lost_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let log = write_log(folder.path(), 50, 5, 0.02);
    let ingest = [
        "ingest",
        "--lake",
        lake.to_str().unwrap(),
        log.path.to_str().unwrap(),
    ];
    let told = || {
        String::from_utf8(run(&ingest).stderr)
            .unwrap()
            .contains("no .visitor-key")
    };
    assert_eq!([told(), told()], [false, false]);
    fs::remove_file(lake.join(".visitor-key")).unwrap();
    assert_eq!([told(), told()], [true, false]);
}

/// A log of the stack's default read as one of all fields.
#[test]
fn a_log_of_other_fields_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("read.log");
    fs::write(&path, succeed(&["sample", "--lines", "50", "--fields", "read"])).unwrap();
    let lake = folder.path().join("lake");
    let told = run(&["ingest", "--lake", lake.to_str().unwrap(), path.to_str().unwrap()]);
    let stderr = String::from_utf8(told.stderr).unwrap();
    assert!(
        stderr.contains("`read` is what the stack logs by default"),
        "{stderr}"
    );
}

/// The fields that the stack logs by default make the rows that all fields make.
#[test]
fn fields_that_are_not_read_change_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let [all, some] = ["all", "read"].map(|fields| {
        let path = |name: &str| {
            folder
                .path()
                .join(format!("{fields}.{name}"))
                .to_str()
                .unwrap()
                .to_owned()
        };
        let log = succeed(&["sample", "--lines", "1500", "--fields", fields]);
        fs::write(path("log"), &log).unwrap();
        succeed(&[
            "ingest",
            "--lake",
            &path("lake"),
            "--fields",
            fields,
            &path("log"),
        ]);
        let sql = "SELECT * FROM events ORDER BY ts_server, request_id, batch_index";
        let mut rows = query(Path::new(&path("lake")), sql);
        for row in &mut rows {
            let row = row.as_object_mut().unwrap();
            // Of the whole line, of the lake's own key, and of the run.
            for column in ["line_hash", "visitor_day_id", "ts_ingested"] {
                row.remove(column).unwrap();
            }
            if row["request_id"].is_null() {
                row.remove("event_key"); // of the whole line, too
            }
        }
        (log.len(), rows)
    });
    assert!(all.1.len() > 1_000 && some.0 * 5 < all.0 * 4);
    assert_eq!(some.1, all.1);
}

/// The same lines three times: an hour has three files and each row at least thrice, and then one file and what the view
/// shows.
#[test]
fn compaction_changes_files_and_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let path = lake.to_str().unwrap();
    let log = write_log(folder.path(), 600, 4, 0.1);
    for _ in 0..3 {
        succeed(&["ingest", "--lake", path, log.path.to_str().unwrap()]);
    }
    let everything = || {
        ["events", "failed_events"].map(|view| {
            let sql = format!("SELECT * FROM {view} ORDER BY 1, 2, 3");
            succeed(&["query", "--lake", path, "--format", "csv", &sql])
        })
    };
    let rows = || number(&lake, "SELECT count(*) AS n FROM events_landed");
    let before = everything();
    assert_eq!(rows(), 3 * log.landed);
    let said = succeed(&["compact", "--lake", path]);
    assert!(said.contains("copies of rows are gone"), "{said}");
    assert_eq!(everything(), before);
    assert_eq!(rows(), log.events);
    assert_eq!(
        succeed(&["compact", "--lake", path]),
        "there is nothing to merge\n"
    );

    // Two files that cannot be read are named, each on a line of its own.
    let folders = ["events/dt=2026-11-01/hour=00", "events/dt=2026-11-01/hour=01"];
    for folder in folders {
        fs::write(lake.join(folder).join("damaged.parquet"), "PAR1").unwrap();
    }
    let failed = run(&["compact", "--lake", path]);
    assert_eq!(failed.status.code(), Some(1));
    let stderr = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 2, "{stderr}");
    for (line, folder) in stderr.lines().zip(folders) {
        assert!(
            line.starts_with("pixlake: cannot read ") && line.contains(folder),
            "{line}"
        );
    }

    let late = [
        "compact",
        "--lake",
        path,
        "--from",
        "2026-12-01",
        "--to",
        "2026-11-01",
    ];
    assert_eq!(run(&late).status.code(), Some(2));
    assert_eq!(run(&["compact", "--lake", "/dev/null"]).status.code(), Some(1));
}

#[test]
fn a_damaged_file_of_the_lake_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let log = write_log(folder.path(), 50, 5, 1.0);
    succeed(&[
        "ingest",
        "--lake",
        lake.to_str().unwrap(),
        log.path.to_str().unwrap(),
    ]);
    let hour = lake.join("events/dt=2026-11-01/hour=00");
    let whole = fs::read_dir(&hour).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(whole).unwrap();
    let mut pages = whole.clone();
    pages[4..1_000].fill(0xff);
    for bytes in [&whole[..whole.len() - 1], &whole[..100], b"no Parquet", &pages] {
        let damaged = hour.join("damaged.parquet");
        fs::write(&damaged, bytes).unwrap();
        let output = run(&["query", "--lake", lake.to_str().unwrap(), "SELECT * FROM events"]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr.starts_with(&format!("pixlake: {}: this file is damaged", damaged.display())),
            "{stderr}"
        );
    }
}

/// What a stranger may put into an address, a file's name and a statement.
const STEERING: &str = "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m\u{202e}";

/// Piped JSON and CSV are left out: they are data for programs, and only on a terminal they are escaped.
#[test]
fn nothing_that_a_stranger_wrote_steers_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let lake = lake.to_str().unwrap();
    let good = write_log(folder.path(), 1, 7, 1.0);
    let good = fs::read_to_string(&good.path).unwrap();
    let planted = |texts: &[(Field, &str)]| {
        let mut columns: Vec<&str> = good.trim_end().split('\t').collect();
        for (field, text) in texts {
            columns[*field as usize] = text;
        }
        columns.join("\t") + "\n"
    };
    // In each column, and in the parameters of a hit.
    let mut lines: String = Field::ALL
        .iter()
        .map(|field| planted(&[(*field, STEERING)]))
        .collect();
    let parameters = format!(
        "e={0}&t={0}&u=https://a.example/{0}&p.{0}={0}",
        STEERING.replace(['[', ']', ';'], ".")
    );
    lines += &planted(&[
        (Field::CsMethod, "GET"),
        (Field::ScStatus, "200"),
        (Field::CsUriStem, "/p.gif"),
        (Field::CsUriQuery, &parameters),
    ]);
    lines += &["1\t", STEERING, "\n"].concat();
    let log = folder.path().join(format!("a{STEERING}.log"));
    fs::write(&log, lines).unwrap();
    let log = log.to_str().unwrap();
    let missing = format!("missing{STEERING}.log");
    succeed(&["ingest", "--lake", lake, log]);
    let reached = "SELECT 1 FROM events_landed WHERE strpos(page_title, chr(27)) > 0 AND strpos(event_props, 'u001b') > 0";
    assert_eq!(query(Path::new(lake), reached).len(), 1);

    for (args, code) in [
        (&["ingest", "--lake", lake, log, &missing][..], 1),
        (&["ingest", "--lake", lake, "--pixel-path", "/none", log], 0),
        (&["query", "--lake", lake, "SELECT * FROM events_landed"], 0),
        (
            &["query", "--lake", lake, "SELECT * FROM failed_events_landed"],
            0,
        ),
        (
            &[
                "query",
                "--lake",
                lake,
                &format!("SELECT '{STEERING}' AS \"{STEERING}\""),
            ],
            0,
        ),
        (&["query", "--lake", lake, &format!("SELECT \"{STEERING}\"")], 1),
        (&["query", "--lake", lake, &format!("SELECT {STEERING}")], 1),
        (
            &[
                "query",
                "--lake",
                lake,
                "SELECT CAST(user_agent AS bigint) FROM events_landed",
            ],
            1,
        ),
        (&["decode", log], 0),
    ] {
        let output = run(args);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        for bytes in [&output.stdout, &output.stderr] {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let steering = text
                .chars()
                .find(|char| (char.is_control() && *char != '\n') || *char == '\u{202e}');
            assert_eq!(steering, None, "{args:?}");
        }
    }
}

#[test]
fn each_captured_line_is_a_row_under_its_own_fields() {
    let folder = tempfile::tempdir().unwrap();
    let captured = fs::read(repository().join("events/captured-lines.json")).unwrap();
    let captured: Vec<serde_json::Value> = serde_json::from_slice(&captured).unwrap();
    assert!(captured.len() >= 5);
    for (index, line) in captured.iter().enumerate() {
        let lake = folder.path().join(format!("lake-{index}"));
        let mut fields: Vec<&str> = line["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f.as_str().unwrap())
            .collect();
        fields.reverse(); // any order will do
        let log = folder.path().join("captured.log");
        fs::write(&log, line["line"].as_str().unwrap()).unwrap();
        let summary = succeed(&[
            "ingest",
            "--summary",
            "json",
            "--fields",
            &fields.join(","),
            "--lake",
            lake.to_str().unwrap(),
            log.to_str().unwrap(),
        ]);
        let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
        assert_eq!(
            (&summary["rows"], &summary["failed"]),
            (&1.into(), &serde_json::json!({})),
            "line {index}"
        );
        let rows = query(&lake, "SELECT http_status, event_name, utf8_ok FROM events");
        assert_eq!(
            rows,
            [serde_json::json!({"http_status": 200, "event_name": "request", "utf8_ok": true})]
        );
    }
}

#[test]
fn decode_guesses_what_it_is_shown() {
    for (file, expected) in [
        ("kinesis-one-line.json", "Lambda event, 1 records"),
        ("kinesis-aggregated.json", "aggregated record, "),
        ("sample.log", "line 1, "),
    ] {
        let shown = succeed(&["decode", repository().join("events").join(file).to_str().unwrap()]);
        assert!(shown.contains(expected), "{file}");
    }
}

/// Ctrl-C: what the summary reports is in the lake.
#[cfg(unix)]
#[test]
fn an_interrupt_keeps_what_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let log = write_log(folder.path(), 6_000, 11, 1.0);
    let mut child = pixlake()
        .args([
            "ingest",
            "--summary",
            "json",
            "--lake",
            lake.to_str().unwrap(),
            "-",
        ])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Three batches, and the pipe stays open: only the interrupt can end this run.
    stdin.write_all(&fs::read(&log.path).unwrap()).unwrap();
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    let mut summary = String::new();
    child.stdout.take().unwrap().read_to_string(&mut summary).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    drop(stdin);
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(
        summary["rows"],
        number(&lake, "SELECT count(*) FROM events_landed")
    );
}

#[test]
fn standard_input_that_is_empty_is_an_empty_run() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let output = run(&["ingest", "--summary", "json", "--lake", lake.to_str().unwrap()]);
    assert!(output.status.success());
    assert_eq!(number(&lake, "SELECT count(*) FROM events"), 0);
}
