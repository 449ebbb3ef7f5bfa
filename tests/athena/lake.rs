//! The lake of the stage: the delivered rows as the lake writer stores them, in S3 under the template's
//! prefixes, and beside it the rows themselves.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use lake::report::{REPORTS, parse_day};
use lake::{EVENTS, FAILED_EVENTS, Lake as LakeFolder, LakeWriter};
use pixel_row::Timestamp;

use crate::answer::{Answer, Cell};
use crate::deployment::{Deployment, setting, target, work};
use crate::landed::{EventRow, FailedRow, records};
use crate::trino::Trino;

/// The database that holds what the template declares, as it declares it.
pub(crate) const DATABASE: &str = "pixlake";
const MILLIS_A_DAY: i64 = 86_400_000;

/// Made once, for all tests.
pub(crate) static LAKE: LazyLock<Lake> = LazyLock::new(Lake::deploy);

pub(crate) struct Lake {
    pub(crate) trino: Trino,
    pub(crate) deployment: Deployment,
    /// Rows as they were delivered, some of them twice.
    pub(crate) events: Vec<EventRow>,
    /// Failed events as they were delivered.
    pub(crate) failed_events: Vec<FailedRow>,
    /// The same as Parquet in folders, for `pixlake query`.
    folder: PathBuf,
}

impl Lake {
    fn deploy() -> Lake {
        let folder = work().join("lake");
        drop(fs::remove_dir_all(&folder));
        let mut writer = LakeWriter::new(&LakeFolder::open(&folder).unwrap()).unwrap();
        let (mut events, mut failed_events) = (Vec::new(), Vec::new());
        let streams = target().join("ci/streams");
        for record in records(&streams.join("events.jsonl")) {
            writer.put(&EVENTS, &record.data, record.arrival).unwrap();
            events.extend(record.events());
        }
        for record in records(&streams.join("failed_events.jsonl")) {
            writer.put(&FAILED_EVENTS, &record.data, record.arrival).unwrap();
            failed_events.extend(record.failed_events());
        }
        writer.flush().unwrap();
        let counts = writer.counts();
        assert_eq!(counts.conversion_failures, 0, "rows that do not convert");
        assert_eq!(writer.rows(&EVENTS), events.len() as u64);
        assert_eq!(writer.rows(&FAILED_EVENTS), failed_events.len() as u64);
        assert!(
            writer.rows(&EVENTS) > 100_000 && writer.rows(&FAILED_EVENTS) > 0,
            "{counts:?}"
        );

        // Every partition since the first day is one listing of objects for a query without a range of days.
        let first_day = events.iter().map(EventRow::dt).min().unwrap().to_owned();
        let deployment = Deployment::new(DATABASE, &[("FirstDay", &first_day)]);
        Deployment::create(&[&deployment], Some(&folder));
        let lake = Lake {
            trino: Trino::new(setting("TRINO_URL").expect("TRINO_URL: run .ci/athena/run")),
            deployment,
            events,
            failed_events,
            folder,
        };
        let days = lake.last_seven_days();
        assert!(
            days.contains(&first_day),
            "the rows begin on {first_day}, the named queries ask for days since {}: run .ci/streams/run",
            days[0]
        );
        lake
    }

    /// The seven days of the named queries, the last of them being the day that the engine's clock shows.
    pub(crate) fn last_seven_days(&self) -> Vec<String> {
        let today = self.trino.cell(DATABASE, "SELECT CAST(current_date AS varchar)");
        let Cell::Text(today) = today else {
            panic!("{today}")
        };
        let today = i64::from(parse_day(&today).unwrap().number());
        (today - 6..=today).map(day).collect()
    }

    /// An answer of `pixlake query`, its values read by the types of another answer's columns.
    pub(crate) fn pixlake_query(&self, sql: &str, columns: &[(String, String)]) -> Answer {
        let output = Command::new(target().join("debug/pixlake"))
            .args(["query", "--format", "json", "--lake"])
            .arg(&self.folder)
            .args(["--", sql])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Answer::from_pixlake(&String::from_utf8(output.stdout).unwrap(), columns)
    }

    /// An answer of `pixlake query` to one of its questions about a range of days.
    pub(crate) fn pixlake_report(&self, name: &str, days: &[String], columns: &[(String, String)]) -> Answer {
        let report = REPORTS.iter().find(|report| report.name == name).unwrap();
        let [from, to] = [days.first(), days.last()].map(|day| parse_day(day.unwrap()).unwrap());
        self.pixlake_query(&report.render(from, to), columns)
    }
}

/// The name of a day, from its number since 1970.
fn day(number: i64) -> String {
    Timestamp::from_millis(number * MILLIS_A_DAY)
        .unwrap()
        .day()
        .to_string()
}
