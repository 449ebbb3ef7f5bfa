//! Many lines, and runs that are killed: nothing is lost and nothing counts twice.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::process::Stdio;
use std::time::{Duration, Instant};

use support::{events_of_the_lines, number, pixlake, query, succeed, write_log};

#[test]
fn a_hundred_thousand_lines_have_exactly_one_fate_each() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let log = write_log(folder.path(), 100_000, 42, 5.0);
    let (path, root) = (log.path.to_str().unwrap(), lake.to_str().unwrap());
    let summary = succeed(&["ingest", "--summary", "json", "--lake", root, path]);
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(
        (&summary["lines"], &summary["rows"]),
        (&log.lines.into(), &log.landed.into())
    );
    for (sql, expected) in [
        ("SELECT count(*) FROM events_landed", log.landed),
        ("SELECT count(*) FROM events", log.events),
        ("SELECT count(*) FROM failed_events_landed", log.broken),
        ("SELECT count(*) FROM failed_events", log.broken),
        // One key, one line: no two different lines share a key.
        (
            "SELECT count(*) FROM (SELECT event_key FROM events_landed GROUP BY event_key HAVING count(DISTINCT line_hash) > 1)",
            0,
        ),
    ] {
        assert_eq!(number(&lake, sql), expected, "{sql}");
    }
    assert!(!lake.join("errors").exists(), "a row did not fit the schema");
}

/// The moments are drawn over the time that a whole run takes here, so they fall into reading, writing and
/// flushing alike, whatever the machine's speed.
#[test]
fn a_run_that_is_killed_at_any_moment_and_run_again_loses_and_doubles_nothing() {
    const KILLS: u64 = 50;
    let folder = tempfile::tempdir().unwrap();
    let log = write_log(folder.path(), 5_000, 13, 1.0);
    let path = log.path.to_str().unwrap();
    let whole = folder.path().join("whole");
    let start = Instant::now();
    succeed(&["ingest", "--lake", whole.to_str().unwrap(), path]);
    let time = start.elapsed();

    let lake = folder.path().join("killed");
    // The same key for visitors, as one machine has it.
    std::fs::create_dir(&lake).unwrap();
    for file in [".pixlake", ".visitor-key"] {
        std::fs::copy(whole.join(file), lake.join(file)).unwrap();
    }
    let mut killed = 0;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for kill in 0..KILLS {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let moment = time.mul_f64(f64::from(u32::try_from(random >> 32).unwrap()) / f64::from(u32::MAX));
        let mut child = pixlake()
            .args(["ingest", "--lake", lake.to_str().unwrap(), path])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(moment.max(Duration::from_millis(1)));
        child.kill().unwrap();
        killed += u64::from(child.wait().unwrap().code().is_none());
        if kill % 10 == 9 {
            // No half file: the reader reads what there is.
            assert!(number(&lake, "SELECT count(*) FROM events") <= log.events);
        }
    }
    assert!(killed > 0, "every run ended before its kill");
    succeed(&["ingest", "--lake", lake.to_str().unwrap(), path]);
    assert_eq!(events_of_the_lines(&lake), events_of_the_lines(&whole));
    let failed =
        "SELECT failure_key, reason, detail, raw_base64, sequence_number FROM failed_events ORDER BY 1";
    assert_eq!(query(&lake, failed), query(&whole, failed));
    assert_eq!(number(&lake, "SELECT count(*) FROM events"), log.events);
}
