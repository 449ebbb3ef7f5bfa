//! Log files through the pipeline into the lake.
//!
//! One thread reads lines, makes the events that Lambda would make of them and calls the function; this one
//! writes what the function hands over into the lake. A few batches lie between the two, so memory does not
//! grow with the input.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use log_batch::ports::Clock as _;
use log_batch::{BatchSettings, EventWriter, LogRecord};
use pixel_log::{Field, LogLine, RowConfig, RowReader};
use pixel_row::Timestamp;

use crate::error::CommandError;
use crate::landing::{Landed, Landing};
use crate::local_pipeline::LocalPipeline;
pub use crate::log_file::Input;
use crate::log_file::{InputError, LogFile};
use crate::runtime::{Interrupt, SystemClock};
use crate::summary::MAX_SHOWN_FAILURES;
pub use crate::summary::Summary;
use lake::Lake;

/// Lines of a batch, as an event source mapping would hand them to the function.
const BATCH_LINES: usize = 2_000;
/// Bytes of lines after which a batch is closed in any case.
const BATCH_BYTES: usize = 4 << 20;
/// Lines of a file whose paths are counted.
const FIRST_LINES: u64 = 1_000;
/// How often the writing thread looks whether somebody pressed Ctrl-C.
const GLANCE: Duration = Duration::from_millis(100);

/// Runs the inputs through the pipeline. The summary holds what was done, also when an error ends the run.
pub fn run(
    lake: &Lake,
    inputs: Vec<Input>,
    config: &RowConfig,
    summary: &mut Summary,
) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.map_err(CommandError::job)?;
    let interrupt = Interrupt::listen(&runtime);
    let clock = SystemClock::start();
    let settings = BatchSettings {
        rows: RowReader::new(config.clone()),
        ingest_path: "file",
        ..BatchSettings::default()
    };
    let (pipeline, mut landing) = LocalPipeline::new(lake, settings, clock)?;
    let progress = progress_bar(&inputs);
    let first_paths = FirstPaths::default();
    let reader = Reader {
        pipeline,
        arrival: clock.now(),
        progress: progress.clone(),
        config: config.clone(),
        first_paths: first_paths.clone(),
    };
    let reading = thread::spawn(move || reader.read(&inputs));
    let result = land_all(&mut landing, reading, &interrupt, summary);
    progress.finish_and_clear();
    // Also after an error: what the summary counts lies in the lake.
    let flushed = landing.close();
    summary.elapsed = clock.monotonic();
    summary.first_paths = std::mem::take(&mut first_paths.lock().unwrap_or_else(PoisonError::into_inner));
    if let Err(error) = flushed {
        *summary = Summary {
            elapsed: summary.elapsed,
            ..Summary::default()
        };
        return Err(error);
    }
    result
}

/// Writes batches until the reading ends. It is not waited for otherwise: it may hang in a read of standard
/// input when Ctrl-C ends the run.
fn land_all(
    landing: &mut Landing,
    reading: thread::JoinHandle<Result<(), CommandError>>,
    interrupt: &Interrupt,
    summary: &mut Summary,
) -> Result<(), CommandError> {
    loop {
        if interrupt.is_set() {
            let lines = summary.counts.lines;
            return Err(CommandError::Job(format!(
                "interrupted after {lines} lines; they are in the lake, run again for the rest"
            )));
        }
        match landing.next_batch(GLANCE)? {
            Landed::Batch(counts, failures) => {
                summary.counts.add(&counts);
                let room = MAX_SHOWN_FAILURES.saturating_sub(summary.failures.len());
                summary.failures.extend(failures.into_iter().take(room));
            }
            Landed::Nothing => {}
            Landed::End => {
                let panicked = || CommandError::Job("reading the log files panicked".to_owned());
                return reading.join().unwrap_or_else(|_| Err(panicked()));
            }
        }
    }
}

/// Reads lines and hands them to the function.
struct Reader {
    pipeline: LocalPipeline,
    arrival: Timestamp,
    progress: ProgressBar,
    config: RowConfig,
    first_paths: FirstPaths,
}

/// The paths of each file's first lines, and how many lines have each.
type FirstPaths = Arc<Mutex<BTreeMap<String, u64>>>;

impl Reader {
    /// Reads all inputs, each as far as it can be read.
    fn read(self, inputs: &[Input]) -> Result<(), CommandError> {
        let mut errors = Vec::new();
        for input in inputs {
            match input.open(&self.progress) {
                Ok(mut file) => errors.extend(self.read_file(&mut file, &input.name())?.err()),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(CommandError::Parts(
            errors.iter().map(InputError::to_string).collect(),
        ))
    }

    /// Hands over all lines that can be read, and says why others could not.
    fn read_file(&self, file: &mut LogFile, name: &str) -> Result<Result<(), InputError>, CommandError> {
        loop {
            let mut event = EventWriter::new();
            let end = self.fill(&mut event, file);
            if !event.is_empty() {
                self.pipeline.handle(&event.finish(), name)?;
            }
            match end {
                Ok(true) => {}
                Ok(false) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// Writes the next lines into an event, a line a record; false when the file has no more.
    fn fill(&self, event: &mut EventWriter, file: &mut LogFile) -> Result<bool, InputError> {
        let mut line = Vec::new();
        let mut bytes = 0;
        while event.len() < BATCH_LINES && bytes < BATCH_BYTES {
            if !file.read_line(&mut line)? {
                return Ok(false);
            }
            event.write(&LogRecord {
                source: &format!("file:{:016x}", file.digest()),
                shard: "",
                sequence_number: file.line_number().to_string().as_bytes(),
                arrival: self.arrival,
                data: &line,
            });
            bytes += line.len();
            if file.line_number() <= FIRST_LINES {
                self.count_path(&line);
            }
        }
        Ok(true)
    }

    fn count_path(&self, line: &[u8]) {
        let line = LogLine::parse(line, &self.config.fields).ok();
        let stem = line
            .and_then(|line| line.text(Field::CsUriStem))
            .unwrap_or_default();
        // A query is nobody's business, and some logs have it behind the path.
        if let Some(path) = stem.split('?').next().filter(|path| !path.is_empty()) {
            let mut paths = self.first_paths.lock().unwrap_or_else(PoisonError::into_inner);
            *paths.entry(path.to_owned()).or_default() += 1;
        }
    }
}

/// A bar over the bytes of all files, a counter where they are not known; nothing where no person looks.
fn progress_bar(inputs: &[Input]) -> ProgressBar {
    let sizes: Option<Vec<u64>> = inputs.iter().map(Input::size).collect();
    let (length, template) = match sizes {
        Some(sizes) => (
            Some(sizes.iter().sum()),
            "{wide_bar} {bytes} of {total_bytes}, {eta} left",
        ),
        None => (None, "{spinner} {bytes} read, {bytes_per_sec}"),
    };
    let progress = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        progress.set_style(style);
    }
    progress
}
