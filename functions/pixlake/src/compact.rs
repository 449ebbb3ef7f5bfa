//! Merges the small files of a lake, and says what became of them.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use lake::Lake;
use pixel_row::{Day, Timestamp};

use crate::error::CommandError;
use crate::statement::day;

/// Which files are to be merged.
#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    /// Folder of the lake
    #[arg(long, value_name = "DIR", default_value = "lake")]
    lake: PathBuf,
    /// The first day; without it, from the beginning
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<Day>,
    /// The last day; without it, to the end
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Option<Day>,
}

/// Merges them. Partitions that cannot be read stay as they are and are named.
pub(crate) fn run(args: &CompactArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let lake = Lake::find(&args.lake).map_err(CommandError::job)?;
    let (first, last) = (Timestamp::EARLIEST.day(), Timestamp::LATEST.day());
    let days = args.from.unwrap_or(first)..=args.to.unwrap_or(last);
    if days.is_empty() {
        return Err(CommandError::Usage(
            "--from is after --to; there is no day between them".to_owned(),
        ));
    }
    let compaction = lake.compact(&days).map_err(CommandError::job)?;
    if compaction.partitions == 0 {
        if compaction.failures.is_empty() {
            writeln!(out, "there is nothing to merge")?;
        }
    } else {
        let (merged, written) = (compaction.merged, compaction.written);
        writeln!(
            out,
            "{} files with {} bytes became {} with {}; {} copies of rows are gone",
            merged.files, merged.bytes, written.files, written.bytes, compaction.copies
        )?;
    }
    let failures: Vec<String> = compaction.failures.iter().map(ToString::to_string).collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(CommandError::Parts(failures))
    }
}
