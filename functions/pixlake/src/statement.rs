//! The statement that `pixlake query` answers: typed, from a file, or one of those that come with pixlake.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use pixel_row::Day;

use crate::error::CommandError;
use lake::Lake;
use lake::report::{REPORTS, parse_day, replace_days};

/// Where the statement comes from, and the days that it asks for.
#[derive(Debug, Args)]
pub(crate) struct StatementArgs {
    /// The first day of a statement with `:from_day`; without it the first that has events
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<Day>,
    /// The last day of a statement with `:to_day`; without it the last that has events
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Option<Day>,
    /// A file with the statement; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["saved", "sql"])]
    file: Option<PathBuf>,
    /// A statement that comes with pixlake, by its name
    #[arg(long, value_name = "NAME", conflicts_with = "sql")]
    saved: Option<String>,
    /// The statement
    #[arg(value_name = "SQL", required_unless_present_any = ["file", "saved", "list"], allow_hyphen_values = true)]
    sql: Option<String>,
}

/// A day of the command line.
pub(crate) fn day(text: &str) -> Result<Day, String> {
    parse_day(text).ok_or_else(|| "expected a day like 2026-11-01".to_owned())
}

impl StatementArgs {
    /// The statement, with the days in place of its tokens.
    pub(crate) fn read(&self, lake: &Lake) -> Result<String, CommandError> {
        let sql = match (&self.file, &self.saved, &self.sql) {
            (Some(file), ..) => read_file(file)?,
            (_, Some(name), _) => saved(name)?.to_owned(),
            (.., sql) => sql.clone().unwrap_or_default(),
        };
        for (given, option, token) in [(self.from, "--from", ":from_day"), (self.to, "--to", ":to_day")] {
            if given.is_some() && !sql.contains(token) {
                return Err(CommandError::Usage(format!(
                    "{option} needs a statement with {token}, as BETWEEN :from_day AND :to_day"
                )));
            }
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(CommandError::Usage(
                "--from is after --to; there is no day between them".to_owned(),
            ));
        }
        if !sql.contains(":from_day") && !sql.contains(":to_day") {
            return Ok(sql);
        }
        let hours = lake.event_hours().map_err(CommandError::job)?;
        let ends = [(self.from, hours.first()), (self.to, hours.last())];
        // A lake without events has no days: no row is of this one.
        let [from, to] = ends.map(|(given, end)| given.or(end.map(|(day, _)| *day)));
        let [from, to] =
            [from.or(to), to.or(from)].map(|day| day.map_or("1970-01-01".to_owned(), |day| day.to_string()));
        Ok(replace_days(&sql, &from, &to))
    }
}

/// The names of the statements that come with pixlake, a line each.
pub(crate) fn list() -> String {
    let lines = REPORTS.map(|report| format!("{:<24}{}\n", report.name, report.title));
    lines.concat()
}

fn saved(name: &str) -> Result<&'static str, CommandError> {
    let report = REPORTS.iter().find(|report| report.name == name);
    report.map(|report| report.sql).ok_or_else(|| {
        CommandError::Usage(
            "no saved statement has this name; `pixlake query --list` has them all".to_owned(),
        )
    })
}

fn read_file(file: &Path) -> Result<String, CommandError> {
    let read = if file.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    read.map_err(|error| CommandError::Job(format!("{}: {error}", file.display())))
}
