//! The whole pipeline on the log lines that ship with the repository.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use pixel_log::RowConfig;

use crate::error::CommandError;
use crate::ingest::{self, Input, Summary};
use crate::query::{Engine, output};
use crate::runtime;
use lake::Lake;
use lake::report::REPORTS;

/// The log lines: `pixlake sample --lines 2500 --seed 1 --rate 0.1`.
const SAMPLE: &[u8] = include_bytes!("../../../events/sample.log");
/// The file of those lines in the lake's folder: it says that the rows are the demo's.
const LOG: &str = "sample.log";
/// Rows that each question shows.
const SHOWN_ROWS: usize = 8;

/// Runs the demo in a lake folder that it starts afresh.
pub(crate) fn run(lake_folder: &Path, out: &mut (impl Write + Send)) -> Result<(), CommandError> {
    let lake = Lake::create_afresh(lake_folder, LOG).map_err(CommandError::job)?;
    let unwritable = |path: &Path| {
        let path = path.display().to_string();
        move |error: io::Error| CommandError::Job(format!("{path}: {error}"))
    };
    let log = lake.root().join(LOG);
    fs::write(&log, SAMPLE).map_err(unwritable(&log))?;

    let mut summary = Summary::default();
    ingest::run(&lake, vec![Input::new(log)], &RowConfig::default(), &mut summary)?;
    show_counts(&summary, out)?;

    let hours = lake.event_hours().map_err(CommandError::job)?;
    let (Some(&(first_day, _)), Some(&(last_day, _))) = (hours.first(), hours.last()) else {
        return Err(CommandError::Job(
            "the sample left no rows in the lake".to_owned(),
        ));
    };
    runtime::block_on(|| async {
        let engine = Engine::open(lake_folder).await?;
        for report in &REPORTS {
            writeln!(out, "\n{}", report.title)?;
            let answer = engine.sql(&report.render(first_day, last_day)).await?;
            output::write_head(answer, SHOWN_ROWS, out).await?;
        }
        Ok(())
    })?;

    let shown = lake_folder.display();
    writeln!(
        out,
        "\nThe lake lies in {shown}, as Firehose would lay it out in S3:"
    )?;
    for (day, hour) in hours.iter().take(2) {
        writeln!(out, "  {shown}/events/dt={day}/hour={hour}/")?;
    }
    writeln!(
        out,
        "  … {} hours in all

Try next:
  pixlake query --lake {shown} \"SELECT event_name, count(*) AS events FROM events GROUP BY 1 ORDER BY 2 DESC\"
  pixlake query --lake {shown} \"SELECT reason, detail FROM failed_events LIMIT 5\"
  pixlake sample --lines 100000 --rate 50 | pixlake ingest --lake {shown}
  pixlake sample --lines 1 | pixlake decode",
        hours.len()
    )?;
    Ok(())
}

fn show_counts(summary: &Summary, out: &mut impl Write) -> Result<(), CommandError> {
    let counts = &summary.counts;
    let per_blob = |count: u64| count.checked_div(counts.blobs).unwrap_or(0);
    writeln!(
        out,
        "{} log lines became {} rows and {} failed events: {} lines are good, and some of them\ncarry several events.",
        counts.lines,
        counts.rows,
        counts.failed_events(),
        counts.lines.saturating_sub(counts.failed_events())
    )?;
    for (reason, count) in &counts.failed {
        writeln!(out, "  {count:>4} {reason}")?;
    }
    writeln!(
        out,
        "The rows travelled in {} blobs, on average {} rows and {} bytes each: {} % full.",
        counts.blobs,
        per_blob(counts.rows),
        per_blob(counts.blob_bytes),
        summary.fill_percent()
    )?;
    Ok(())
}
