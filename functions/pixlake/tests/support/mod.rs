//! Running the command line as a person or a script would.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test target is a crate of its own and uses a part of this"
)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sample_log::{LineKind, Sample, SampleOptions};

/// The command, ready for arguments.
pub fn pixlake() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pixlake"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs to the end, whatever the end is.
pub fn run(args: &[&str]) -> Output {
    pixlake().args(args).output().unwrap()
}

/// Runs to the end, which must be a good one, and gives standard output.
pub fn succeed(args: &[&str]) -> String {
    let output = run(args);
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The rows of a query, as JSON.
pub fn query(lake: &Path, sql: &str) -> Vec<serde_json::Value> {
    let out = succeed(&["query", "--format", "json", "--lake", lake.to_str().unwrap(), sql]);
    serde_json::from_str(&out).unwrap()
}

/// The one number of a query.
pub fn number(lake: &Path, sql: &str) -> u64 {
    let rows = query(lake, sql);
    assert_eq!(rows.len(), 1, "{sql}");
    rows[0]
        .as_object()
        .unwrap()
        .values()
        .next()
        .unwrap()
        .as_u64()
        .unwrap()
}

/// Everything of `events` that is a function of the lines: all but the delivery columns.
pub fn events_of_the_lines(lake: &Path) -> Vec<serde_json::Value> {
    let mut rows = query(
        lake,
        "SELECT * FROM events ORDER BY dt, hour, ts_server, event_key",
    );
    for row in &mut rows {
        for column in ["ts_ingested", "ingest_path", "pipeline_version"] {
            assert!(row.as_object_mut().unwrap().remove(column).is_some());
        }
    }
    rows
}

/// A generated log, and what a correct reader makes of it.
pub struct Log {
    pub path: PathBuf,
    pub lines: u64,
    pub broken: u64,
    /// Rows that land, copies of a line included.
    pub landed: u64,
    /// Rows of `events`.
    pub events: u64,
}

/// Writes a log of generated lines into the folder.
pub fn write_log(folder: &Path, lines: u64, seed: u64, rate: f64) -> Log {
    let options = SampleOptions {
        lines,
        seed,
        start_ms: 1_793_491_200_000,
        rate,
    };
    let mut sample = Sample::new(options).unwrap();
    let mut log = Log {
        path: folder.join(format!("sample-{seed}.log")),
        lines,
        broken: 0,
        landed: 0,
        events: 0,
    };
    let mut bytes = Vec::new();
    while sample.write_line(&mut bytes) {
        log.landed += sample.last_events();
        if !sample.last_is_repeated() {
            log.events += sample.last_events();
        }
        log.broken += u64::from(sample.last_kind() == LineKind::Broken);
    }
    std::fs::write(&log.path, bytes).unwrap();
    log
}
