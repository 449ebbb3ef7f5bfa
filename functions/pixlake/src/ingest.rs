//! Log files through the pipeline into the lake.
//!
//! One thread reads lines and packs them into blobs with the very code of the Lambda; this one delivers the
//! blobs to the lake, as Firehose would. A few batches lie between the two, so memory does not grow with
//! the input.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use log_batch::ports::{Clock as _, DerivedSalt, Outlet as _, Ports, Randomness as _};
use log_batch::{Batch, BatchSettings, LogRecord, PIPELINE_VERSION, PackedBatch, deliver_batch};
use pixel_log::{Delivery, RowConfig};

use crate::error::Failure;
use crate::lake::{Lake, LakeWriter};
use crate::lake_outlet::{EventLake, FailedEventLake};
pub use crate::log_file::Input;
use crate::log_file::{LogFile, MAX_LINE_BYTES, ReadLine};
use crate::runtime::{Interrupt, SystemClock, SystemRandomness};
use crate::summary::MAX_SHOWN_FAILURES;
pub use crate::summary::Summary;
use crate::visitor_key;

/// Lines of a batch, as an event source mapping would hand them to the function.
const BATCH_LINES: usize = 2_000;
/// Bytes of lines after which a batch is closed in any case.
const BATCH_BYTES: usize = 4 << 20;
/// Batches that may wait between the two threads.
const WAITING: usize = 2;
/// How often the delivering thread looks whether somebody pressed Ctrl-C.
const GLANCE: Duration = Duration::from_millis(100);
/// A lake on this machine has no deadline; an hour for one batch means that it hangs.
const PATIENCE: Duration = Duration::from_hours(1);

/// Runs the inputs through the pipeline. The summary holds what was done, also when an error ends the run.
pub fn run(
    lake: &Lake,
    inputs: Vec<Input>,
    config: &RowConfig,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.map_err(Failure::job)?;
    let interrupt = Interrupt::listen(&runtime);
    let clock = SystemClock::start();
    let now = clock.now();
    let writer = Mutex::new(LakeWriter::new(lake).map_err(Failure::job)?);
    let fault = Mutex::new(None);
    let ports = Ports {
        events: EventLake {
            writer: &writer,
            fault: &fault,
            now,
        },
        failed_events: FailedEventLake {
            writer: &writer,
            fault: &fault,
            now,
        },
        clock,
        randomness: SystemRandomness::new(),
        salt: DerivedSalt::new(Some(visitor_key::of_lake(lake.root()).map_err(Failure::job)?)),
    };
    let settings = BatchSettings {
        rows: config.clone(),
        ingest_path: "file",
        ..BatchSettings::default()
    };
    let progress = progress_bar(&inputs);
    let (sender, receiver) = sync_channel(WAITING);
    let reader = Reader {
        settings: settings.clone(),
        salt: ports.salt.clone(),
        seed: ports.randomness.next(),
        delivery: Delivery {
            ingested: now,
            path: settings.ingest_path,
            version: PIPELINE_VERSION,
        },
        progress: progress.clone(),
        sender,
    };
    // Not joined: it may hang in a read of standard input when Ctrl-C ends the run.
    thread::spawn(move || reader.read(&inputs));
    let result = deliver_all(&receiver, &ports, &runtime, &interrupt, &fault, summary);
    progress.finish_and_clear();
    // Also after an error: what the summary counts lies in the lake.
    let flushed = writer
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .flush()
        .map_err(Failure::job);
    summary.elapsed = ports.clock.monotonic();
    if let Err(failure) = flushed {
        *summary = Summary {
            elapsed: summary.elapsed,
            ..Summary::default()
        };
        return Err(failure);
    }
    result
}

/// What the reading thread sends.
enum Work {
    /// A batch of lines, packed, and the sentences on its first failed lines.
    Batch(Box<PackedBatch>, Vec<String>),
    /// The end of the input, or what ended the reading before.
    End(Result<(), Failure>),
}

fn deliver_all(
    receiver: &Receiver<Work>,
    ports: &Ports<EventLake<'_>, FailedEventLake<'_>, SystemClock, SystemRandomness, DerivedSalt>,
    runtime: &tokio::runtime::Runtime,
    interrupt: &Interrupt,
    fault: &Mutex<Option<String>>,
    summary: &mut Summary,
) -> Result<(), Failure> {
    loop {
        if interrupt.is_set() {
            let lines = summary.counts.lines;
            return Err(Failure::Job(format!(
                "interrupted after {lines} lines; they are in the lake, run again for the rest"
            )));
        }
        let (packed, failures) = match receiver.recv_timeout(GLANCE) {
            Ok(Work::Batch(packed, failures)) => (packed, failures),
            Ok(Work::End(result)) => return result,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Job("reading the log files panicked".to_owned()));
            }
        };
        if !packed.is_conserved() {
            return Err(Failure::Job(
                "a line has no fate: a bug of pixlake; nothing of its batch was written".to_owned(),
            ));
        }
        let until = ports.clock.monotonic() + PATIENCE;
        let (unconfirmed, ..) = runtime.block_on(deliver_batch(&packed, ports, until));
        if unconfirmed.is_some() {
            let reason = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Err(Failure::Job(
                reason.unwrap_or_else(|| "the lake did not take a batch".to_owned()),
            ));
        }
        summary.counts.add(packed.counts());
        let room = MAX_SHOWN_FAILURES.saturating_sub(summary.failures.len());
        summary.failures.extend(failures.into_iter().take(room));
    }
}

/// Reads lines and packs them.
struct Reader {
    settings: BatchSettings,
    salt: DerivedSalt,
    seed: u64,
    delivery: Delivery,
    progress: ProgressBar,
    sender: SyncSender<Work>,
}

impl Reader {
    fn read(mut self, inputs: &[Input]) {
        let result = inputs.iter().try_for_each(|input| self.read_input(input));
        // Nobody listens where the other thread has an error of its own.
        drop(self.sender.send(Work::End(result)));
    }

    fn read_input(&mut self, input: &Input) -> Result<(), Failure> {
        let mut file = input.open(&self.progress)?;
        while let Some(work) = self.next_batch(&mut file, &input.name())? {
            if self.sender.send(work).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn next_batch(&mut self, file: &mut LogFile, name: &str) -> Result<Option<Work>, Failure> {
        // Another seed for each batch, far from its neighbours: its blobs count on from there.
        self.seed = self.seed.wrapping_add(1 << 16);
        let limits = (EventLake::LIMITS, FailedEventLake::LIMITS);
        let mut batch = Batch::new(
            &self.settings,
            self.delivery,
            &self.salt,
            self.seed,
            limits.0,
            limits.1,
        );
        let mut line = Vec::new();
        let (mut lines, mut bytes) = (0, 0);
        while lines < BATCH_LINES && bytes < BATCH_BYTES {
            line.clear();
            let read = file.read_line(&mut line)?;
            if read == ReadLine::End {
                break;
            }
            let record = LogRecord {
                source: &format!("file:{:016x}", file.digest()),
                shard: "",
                sequence_number: Some(&file.line_number().to_string()),
                arrival: self.delivery.ingested,
                data: &line,
            };
            match read {
                ReadLine::TooLong => batch.add_broken(lines, &record, TOO_LONG),
                _ => batch.add(lines, &record),
            }
            lines += 1;
            bytes += line.len();
        }
        if lines == 0 {
            return Ok(None);
        }
        let packed = batch.finish();
        let failures = failures_of(&packed, name);
        Ok(Some(Work::Batch(Box::new(packed), failures)))
    }
}

const TOO_LONG: &str = "the line is longer than 1 MiB; its first MiB is kept";
const _: () = assert!(MAX_LINE_BYTES == 1 << 20, "the sentence above says so");

/// `file:line: reason: what was expected`, for the first failed lines of a batch.
fn failures_of(packed: &PackedBatch, name: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for entry in packed.failed_event_entries() {
        let documents = serde_json::Deserializer::from_slice(entry.data).into_iter::<serde_json::Value>();
        for document in documents.filter_map(Result::ok) {
            if sentences.len() == MAX_SHOWN_FAILURES {
                return sentences;
            }
            let text = |member: &str| {
                document
                    .get(member)
                    .and_then(|text| text.as_str())
                    .unwrap_or_default()
                    .to_owned()
            };
            sentences.push(format!(
                "{name}:{}: {}: {}",
                text("sequence_number"),
                text("reason"),
                text("detail")
            ));
        }
    }
    sentences
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
