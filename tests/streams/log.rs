//! Generated log lines, and what has to become of them.

use std::collections::{BTreeMap, HashMap};

use pixel_log::visitor::DaySalt;
use pixel_log::{FieldSet, RowConfig, RowReader, RowScratch};
use pixel_row::{Day, DeliveryColumns, JsonBuffer, Timestamp};
use sample_log::{LineKind, Sample, SampleOptions};

use crate::views::{EventId, Fingerprint, fingerprint};
use crate::wall_clock::now;

/// The key under which the visitors of these lines are counted.
pub const VISITOR_KEY: [u8; 32] = [0x5a; 32];
/// How long ago the first line was written: the saved queries ask for the last seven days.
const AGE_MS: i64 = 60 * 3_600_000;
/// Lines a second, so that 200,000 of them are 56 hours.
const RATE: f64 = 1.0;

/// A log.
pub struct Log {
    /// The lines, each with its newline, as `CloudFront` puts them to the log stream.
    pub lines: Vec<Vec<u8>>,
    /// Rows that the lines make, copies of a line included, as the generator says.
    pub landed: u64,
    /// The events that the view has to show.
    pub events: HashMap<EventId, Fingerprint>,
    /// The lines that can never become rows, without their newlines, and how often each stands there.
    pub broken: BTreeMap<Vec<u8>, u64>,
}

impl Log {
    /// So many lines, of the fields that the stack logs by default.
    ///
    /// How many rows there are, and which lines have none, is the generator's word. What a row says is the
    /// word of the parser, which other tests hold to its references: here it must only arrive.
    pub fn generate(lines: u64, seed: u64) -> Log {
        let arrival = now();
        let options = SampleOptions {
            lines,
            seed,
            start_ms: arrival.as_millis() - AGE_MS,
            rate: RATE,
        };
        let mut sample = Sample::new(options).unwrap().with_fields(FieldSet::read());
        let mut log = Log {
            lines: Vec::new(),
            landed: 0,
            events: HashMap::new(),
            broken: BTreeMap::new(),
        };
        let mut distinct = 0;
        let mut line = Vec::new();
        while sample.write_line(&mut line) {
            if sample.last_kind() == LineKind::Broken {
                let bare = line.strip_suffix(b"\n").expect("a line's end");
                *log.broken.entry(bare.to_vec()).or_default() += 1;
            }
            log.landed += sample.last_events();
            distinct += if sample.last_is_repeated() {
                0
            } else {
                sample.last_events()
            };
            let rows = log.read(&line, arrival);
            assert_eq!(rows, sample.last_events());
            log.lines.push(std::mem::take(&mut line));
        }
        assert_eq!(log.events.len() as u64, distinct);
        log
    }

    /// Number of lines that can never become rows.
    pub fn broken_lines(&self) -> u64 {
        self.broken.values().sum()
    }

    /// Adds the rows of a line to the events; says how many there are.
    fn read(&mut self, line: &[u8], arrival: Timestamp) -> u64 {
        let delivery = DeliveryColumns {
            ts_ingested: arrival,
            ingest_path: "",
            pipeline_version: "",
        };
        let mut salt = |day: Day| Some(DaySalt::derive(&VISITOR_KEY, day));
        let (mut scratch, mut json) = (RowScratch::default(), JsonBuffer::default());
        let reader = RowReader::new(RowConfig {
            fields: FieldSet::read(),
            ..RowConfig::default()
        });
        let read = reader.read(line, arrival, delivery, &mut salt, &mut scratch, |row| {
            json.truncate(0);
            row.write_json(&mut json);
            let (id, row) = fingerprint(json.bytes());
            let known = self.events.insert(id, row.fingerprint);
            assert!(
                known.is_none_or(|known| known == row.fingerprint),
                "two events with one key"
            );
        });
        read.map_or(0, |rows| rows as u64)
    }
}
