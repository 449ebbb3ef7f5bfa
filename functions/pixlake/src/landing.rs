//! What the function handed over, on its way into the lake: Firehose's part on this machine.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use log_batch::BatchCounts;
use pixel_row::Timestamp;

use crate::error::CommandError;
use crate::lake_outlet::Accepted;
use crate::summary::MAX_SHOWN_FAILURES;
use lake::{EVENTS, FAILED_EVENTS, Lake, LakeWriter};

/// Writes accepted records into the lake, batch by batch.
pub(crate) struct Landing {
    accepted: Receiver<Accepted>,
    writer: LakeWriter,
    now: Timestamp,
    /// Whether records of a batch were written that is not complete.
    is_amid: bool,
    failures: Vec<String>,
}

/// What came of waiting for a batch.
pub(crate) enum Landed {
    /// All records of a batch are with the writer. What it held, and sentences on its first failed lines.
    Batch(BatchCounts, Vec<String>),
    /// Nothing of a batch came in the time given.
    Nothing,
    /// There is no function any more.
    End,
}

impl Landing {
    /// `now` is the time of arrival of all that lands.
    pub(crate) fn new(
        lake: &Lake,
        accepted: Receiver<Accepted>,
        now: Timestamp,
    ) -> Result<Landing, CommandError> {
        Ok(Landing {
            accepted,
            writer: LakeWriter::new(lake).map_err(CommandError::job)?,
            now,
            is_amid: false,
            failures: Vec::new(),
        })
    }

    /// Writes the next batch. A batch that has begun is waited for to its end: so whoever stops between two
    /// calls stops between two batches.
    pub(crate) fn next_batch(&mut self, patience: Duration) -> Result<Landed, CommandError> {
        loop {
            match self.accepted.recv_timeout(patience) {
                Ok(Accepted::Events(records)) => {
                    self.is_amid = true;
                    self.writer
                        .put_all(&EVENTS, &records, self.now)
                        .map_err(CommandError::job)?;
                }
                Ok(Accepted::FailedEvents(records)) => {
                    self.is_amid = true;
                    for record in records {
                        self.keep_failures(&record);
                        self.writer
                            .put(&FAILED_EVENTS, &record, self.now)
                            .map_err(CommandError::job)?;
                    }
                }
                Ok(Accepted::Batch(input, counts)) => {
                    self.is_amid = false;
                    let failures = self.failures.drain(..);
                    let failures = failures.map(|failure| format!("{input}:{failure}")).collect();
                    return Ok(Landed::Batch(counts, failures));
                }
                Err(RecvTimeoutError::Timeout) if self.is_amid => {}
                Err(RecvTimeoutError::Timeout) => return Ok(Landed::Nothing),
                Err(RecvTimeoutError::Disconnected) => return Ok(Landed::End),
            }
        }
    }

    /// Takes no more, and writes all that waits: when this returns, what landed is in the lake to stay.
    pub(crate) fn close(self) -> Result<(), CommandError> {
        let Landing {
            accepted, mut writer, ..
        } = self;
        drop(accepted);
        writer.flush().map_err(CommandError::job)
    }

    /// Keeps `line: reason: what was expected` of the first failed lines of a batch.
    fn keep_failures(&mut self, record: &[u8]) {
        let documents = serde_json::Deserializer::from_slice(record).into_iter::<serde_json::Value>();
        let room = MAX_SHOWN_FAILURES - self.failures.len().min(MAX_SHOWN_FAILURES);
        for document in documents.filter_map(Result::ok).take(room) {
            let text = |member: &str| {
                let text = document.get(member).and_then(|text| text.as_str());
                text.unwrap_or_default().to_owned()
            };
            let (line, reason, detail) = (text("sequence_number"), text("reason"), text("detail"));
            self.failures.push(format!("{line}: {reason}: {detail}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};
    use std::thread;

    use log_batch::{BatchSettings, EventWriter, LogRecord};

    use super::*;
    use crate::local_pipeline::LocalPipeline;
    use crate::runtime::SystemClock;

    const PATIENCE: Duration = Duration::from_millis(1);

    fn landing(lake: &Lake) -> (SyncSender<Accepted>, Landing) {
        let (sender, receiver) = sync_channel(2);
        (sender, Landing::new(lake, receiver, Timestamp::EARLIEST).unwrap())
    }

    #[test]
    fn a_batch_that_has_begun_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().join("lake")).unwrap();
        let (sender, mut landing) = landing(&lake);
        assert!(matches!(landing.next_batch(PATIENCE), Ok(Landed::Nothing)));
        sender.send(Accepted::Events(vec![b"{}".to_vec()])).unwrap();
        let function = thread::spawn(move || {
            thread::sleep(PATIENCE * 20);
            let failed = br#"{"sequence_number":"7","reason":"empty","detail":"no bytes"}"#.to_vec();
            sender.send(Accepted::FailedEvents(vec![failed])).unwrap();
            let counts = BatchCounts {
                lines: 2,
                ..BatchCounts::default()
            };
            sender.send(Accepted::Batch("a.log".to_owned(), counts)).unwrap();
            // A batch that never ends.
            sender.send(Accepted::Events(vec![b"{}".to_vec()])).unwrap();
        });
        let Ok(Landed::Batch(counts, failures)) = landing.next_batch(PATIENCE) else {
            panic!("no batch");
        };
        assert_eq!(counts.lines, 2);
        assert_eq!(failures, ["a.log:7: empty: no bytes"]);
        // The channel has room for what is left to send.
        function.join().unwrap();
        assert!(matches!(landing.next_batch(PATIENCE), Ok(Landed::End)));
    }

    #[test]
    fn a_function_whose_records_nobody_lands_stops() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().join("lake")).unwrap();
        let (pipeline, landing) =
            LocalPipeline::new(&lake, BatchSettings::default(), SystemClock::start()).unwrap();
        let mut event = EventWriter::new();
        event.write(&LogRecord {
            source: "file:0",
            shard: "",
            sequence_number: b"1",
            arrival: Timestamp::EARLIEST,
            data: b"no log line\n",
        });
        let event = event.finish();
        pipeline.handle(&event, "a.log").unwrap();
        landing.close().unwrap();
        let error = pipeline.handle(&event, "a.log").unwrap_err();
        assert!(matches!(error, CommandError::Job(message) if message.contains("did not take")));
    }
}
