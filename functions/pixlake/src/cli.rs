//! The command line: what can be asked, and what each exit code means.
//!
//! Exit codes: 0 done, 1 the job failed, 2 wrong use. Bad log lines are failed events, never a failed job.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use datafusion::arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use pixel_log::{FieldSet, RowConfig};
use sample_log::{Sample, SampleOptions};

use crate::compact::{self, CompactArgs};
use crate::decode::{self, Kind};
use crate::demo;
use crate::error::CommandError;
use crate::ingest::{self, Input, Summary};
use crate::query::{Engine, Format, QueryError, output};
use crate::runtime;
use crate::statement::{self, StatementArgs};
use crate::terminal::{self, Escaped};
use crate::visitor_key;
use lake::Lake;

/// The pixel pipeline on one machine: log lines in, a lake that SQL can query out.
#[derive(Debug, Parser)]
#[command(
    name = "pixlake",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
#[command(after_help = "Exit codes: 0 done, 1 the job failed, 2 wrong use.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole pipeline on the log lines that ship with pixlake, and show what came out
    ///
    /// Starts the lake folder afresh; refuses one that pixlake did not make, or that holds other rows.
    Demo {
        /// Folder of the lake
        #[arg(long, value_name = "DIR", default_value = "demo-lake")]
        lake: PathBuf,
    },
    /// Run CloudFront real-time log lines through the pipeline into the lake
    ///
    /// Files are plain or gzip, a line a record. Reading a file twice changes nothing in the tables `events`
    /// and `failed_events`. A line that cannot become a row becomes a failed event with its reason.
    Ingest(IngestArgs),
    /// Ask the lake in SQL
    ///
    /// Tables: `events` and `failed_events` (one of each), `events_landed` and `failed_events_landed` (all
    /// that was delivered). Filters on `dt` and `hour` read only those partitions. A statement with `:from_day`
    /// and `:to_day` takes its days from --from and --to.
    Query {
        /// Folder of the lake
        #[arg(long, value_name = "DIR", default_value = "lake")]
        lake: PathBuf,
        /// How to print the rows
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        /// Name the statements that come with pixlake, and answer none
        #[arg(long, conflicts_with_all = ["file", "saved", "sql"])]
        list: bool,
        #[command(flatten)]
        statement: StatementArgs,
    },
    /// Merge the small files of each hour into one, without copies of a row
    ///
    /// Lines may be ingested meanwhile. A query that runs at this moment may miss a file that it was about to read:
    /// ask it again. Rows of one event that came from different lines stay, as a conflict that can be looked into.
    Compact(CompactArgs),
    /// Show what is inside a log line, a blob or a Lambda event
    ///
    /// Reads a file, or standard input. A blob may be raw bytes or base64. Prints what it finds, addresses
    /// and user agents too: mind where you paste it.
    Decode {
        /// What the input is; guessed where it is not said
        #[arg(long, value_enum)]
        kind: Option<Kind>,
        #[command(flatten)]
        lines: LineArgs,
        /// The input; `-` is standard input
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Write log lines of made-up pixel traffic to standard output
    ///
    /// The same options give the same bytes, on every machine.
    Sample {
        /// Number of lines
        #[arg(long, value_name = "N")]
        lines: u64,
        /// Seed: another one, other lines
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// Time of the first line, as RFC 3339
        #[arg(long, value_name = "TIME", default_value = "2026-11-01T00:00:00Z", value_parser = parse_time)]
        start: Time,
        /// Lines per second of the lines' own time
        #[arg(long, value_name = "PER_SECOND", default_value_t = 10.0)]
        rate: f64,
        /// The fields that the lines carry: `all`, `read` for those that the stack logs by default, or a list of names
        #[arg(long, value_name = "LIST", default_value = "all", value_parser = parse_fields)]
        fields: FieldSet,
    },
}

#[derive(Debug, Args)]
struct IngestArgs {
    /// Folder of the lake; it is made where it does not exist
    #[arg(long, value_name = "DIR", default_value = "lake")]
    lake: PathBuf,
    #[command(flatten)]
    lines: LineArgs,
    /// Print a summary of the run on standard output
    #[arg(long, value_enum)]
    summary: Option<SummaryArg>,
    /// Log files, plain or gzip; `-` is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// How lines are to be read.
#[derive(Debug, Args)]
struct LineArgs {
    /// The fields that the lines carry: `all`, `read` for those that the stack logs by default, or CloudFront's names in
    /// the order of the log, separated by commas
    #[arg(long, value_name = "LIST", default_value = "all", value_parser = parse_fields)]
    fields: FieldSet,
    /// The path of the pixel; several are separated by commas, or given one by one
    #[arg(long, value_name = "PATH", default_value = "/p.gif", value_delimiter = ',', value_parser = parse_path)]
    pixel_path: Vec<String>,
}

impl LineArgs {
    fn config(self) -> RowConfig {
        RowConfig {
            fields: self.fields,
            pixel_paths: self.pixel_path,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SummaryArg {
    /// One JSON object: `lines`, `rows`, `requests`, `failed` (reason to count), `blobs`, `blob_bytes`
    Json,
}

/// A point in time, UTC milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Time(i64);

fn parse_time(text: &str) -> Result<Time, String> {
    string_to_timestamp_nanos(text)
        .map(|nanos| Time(nanos.div_euclid(1_000_000)))
        .map_err(|_| "expected a time like 2026-11-01T00:00:00Z".to_owned())
}

fn parse_fields(list: &str) -> Result<FieldSet, String> {
    FieldSet::parse(list).map_err(|error| error.to_string())
}

fn parse_path(path: &str) -> Result<String, String> {
    let path = path.trim();
    if path.starts_with('/') && !path.contains('?') {
        Ok(path.to_owned())
    } else {
        Err("expected a path like /p.gif, without a query".to_owned())
    }
}

/// Runs the command line and gives its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are not errors; a pipe that closed on them is none either.
            let code = error.exit_code();
            drop(error.print());
            return ExitCode::from(u8::try_from(code).unwrap_or(2));
        }
    };
    match execute(cli.command) {
        Ok(()) | Err(CommandError::ClosedPipe) => ExitCode::SUCCESS,
        Err(CommandError::Job(message)) => complain(&message, 1),
        Err(CommandError::Parts(messages)) => messages
            .iter()
            .fold(ExitCode::FAILURE, |_, message| complain(message, 1)),
        Err(CommandError::Usage(message)) => complain(&message, 2),
    }
}

fn complain(message: &str, code: u8) -> ExitCode {
    // Nobody is left to tell if standard error is closed.
    drop(writeln!(io::stderr(), "pixlake: {}", Escaped(message)));
    ExitCode::from(code)
}

fn execute(command: Command) -> Result<(), CommandError> {
    match command {
        Command::Demo { lake } => demo::run(&lake, &mut terminal::stdout()),
        Command::Ingest(args) => ingest(args),
        Command::Query { list: true, .. } => Ok(terminal::stdout().write_all(statement::list().as_bytes())?),
        Command::Query {
            lake,
            format,
            statement,
            ..
        } => query(&lake, format, &statement),
        Command::Compact(args) => compact::run(&args, &mut terminal::stdout()),
        Command::Decode { kind, lines, file } => {
            let input = one_input(file)?;
            let bytes = input.read_all()?;
            decode::run(&bytes, kind, &lines.config(), &mut terminal::stdout())
        }
        Command::Sample {
            lines,
            seed,
            start: Time(start_ms),
            rate,
            fields,
        } => {
            let options = SampleOptions {
                lines,
                seed,
                start_ms,
                rate,
            };
            write_sample(options, fields)
        }
    }
}

fn ingest(args: IngestArgs) -> Result<(), CommandError> {
    let inputs = if args.files.is_empty() {
        vec![one_input(None)?]
    } else {
        args.files.into_iter().map(Input::new).collect()
    };
    let lake = Lake::open(&args.lake).map_err(CommandError::job)?;
    if visitor_key::is_lost(&lake) {
        drop(writeln!(
            io::stderr(),
            "the lake has events and no .visitor-key: a new one is made, and who comes again counts as somebody else"
        ));
    }
    let mut summary = Summary::default();
    let config = args.lines.config();
    let result = ingest::run(&lake, inputs, &config, &mut summary);
    // What was done is reported whether or not the run came to its end.
    drop(writeln!(io::stderr(), "{summary}"));
    if let Some(hint) = summary.pixel_hint(&config.pixel_paths) {
        drop(writeln!(io::stderr(), "{}", Escaped(hint)));
    }
    if let Some(hint) = summary.fields_hint() {
        drop(writeln!(io::stderr(), "{hint}"));
    }
    if matches!(args.summary, Some(SummaryArg::Json)) {
        writeln!(io::stdout(), "{}", summary.json())?;
    }
    result
}

fn query(lake: &Path, format: Format, statement: &StatementArgs) -> Result<(), CommandError> {
    let lake = Lake::find(lake).map_err(CommandError::job)?;
    if let Some(path) = lake.first_ambiguous() {
        return Err(CommandError::Job(format!(
            "{}: readers differ about a file that is empty, or whose name begins with a dot or an underscore; move it \
             out of the lake",
            path.display()
        )));
    }
    let sql = statement.read(&lake)?;
    runtime::block_on(|| async {
        match answer(&lake, format, &sql).await {
            Err(QueryError::Parquet { message }) => Err(CommandError::Job(match lake.first_damaged() {
                Some(path) => format!(
                    "{}: this file is damaged, or its values do not fit the table; move it away: {message}",
                    path.display()
                ),
                None => message,
            })),
            answered => Ok(answered?),
        }
    })
}

async fn answer(lake: &Lake, format: Format, sql: &str) -> Result<(), QueryError> {
    let engine = Engine::open(lake.root()).await?;
    let result = engine.sql(sql).await?;
    output::write(format, result, &mut io::BufWriter::new(terminal::stdout())).await?;
    Ok(())
}

fn write_sample(options: SampleOptions, fields: FieldSet) -> Result<(), CommandError> {
    let sample = Sample::new(options).map_err(|error| CommandError::Usage(error.to_string()))?;
    let mut sample = sample.with_fields(fields);
    let mut out = io::stdout().lock();
    let mut buffer = Vec::with_capacity(1 << 17);
    while sample.write_line(&mut buffer) {
        if buffer.len() >= 1 << 16 {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    out.write_all(&buffer)?;
    Ok(out.flush()?)
}

/// The one input of a command: the file, or standard input unless a person sits at it.
fn one_input(file: Option<PathBuf>) -> Result<Input, CommandError> {
    match file {
        Some(file) => Ok(Input::new(file)),
        None if io::stdin().is_terminal() => Err(CommandError::Usage(
            "no FILE, and standard input is a terminal: name a file or pipe one in".to_owned(),
        )),
        None => Ok(Input::stdin()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn values_are_refused_with_what_was_expected() {
        for (args, expected) in [
            (
                &["pixlake", "ingest", "--fields", "nope"][..],
                "name 1 of the field list",
            ),
            (
                &["pixlake", "ingest", "--pixel-path", "p.gif"],
                "expected a path like /p.gif",
            ),
            (
                &["pixlake", "sample", "--lines", "1", "--start", "noon"],
                "expected a time like",
            ),
            (
                &["pixlake", "query", "--format", "xml", "SELECT 1"],
                "possible values: table, json, csv",
            ),
        ] {
            let error = Cli::try_parse_from(args).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
