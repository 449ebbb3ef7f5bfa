//! What the bench and the count of instructions share: the lines, the event and the job.

mod job;
mod mixed;
mod uniform;

use log_batch::{EventWriter, LogRecord};
use pixel_row::Timestamp;

pub(crate) use job::{Blobs, job, now};

/// Lines of one event.
pub(crate) const RECORDS: usize = 2_000;
/// 2026-11-01T00:00:00Z.
const SECONDS: i64 = 1_793_491_200;

/// The lines of one event, and what they are.
pub(crate) struct Given {
    pub(crate) name: &'static str,
    pub(crate) lines: Vec<String>,
    /// How many rows each line makes, by whoever wrote it; none where it can only fail.
    pub(crate) events: Vec<usize>,
}

/// Both kinds of lines.
pub(crate) fn given() -> [Given; 2] {
    [uniform::given(), mixed::given()]
}

impl Given {
    /// The mean length of a line.
    pub(crate) fn line_bytes(&self) -> usize {
        self.lines.iter().map(String::len).sum::<usize>() / self.lines.len()
    }

    /// The event as Lambda writes it.
    pub(crate) fn event(&self) -> Vec<u8> {
        let lines = &self.lines;
        let mut event = EventWriter::new();
        for (index, line) in lines.iter().enumerate() {
            event.write(&LogRecord {
                source: "arn:aws:kinesis:eu-central-1:111122223333:stream/logs",
                shard: "shardId-000000000006",
                sequence_number: format!("4959033827149025660855969253836157109592157598913{index:07}")
                    .as_bytes(),
                arrival: Timestamp::from_millis((SECONDS + 3_700) * 1_000 + 123).unwrap(),
                data: line.as_bytes(),
            });
        }
        event.finish()
    }
}
