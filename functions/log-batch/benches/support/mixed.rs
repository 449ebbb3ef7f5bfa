//! Lines as mixed as the generator makes them: many browsers, sites, query shapes and batches, odd and broken
//! lines among them.

use sample_log::{Sample, SampleOptions};

use super::{Given, RECORDS, SECONDS};

pub(crate) fn given() -> Given {
    let mut sample = Sample::new(SampleOptions {
        lines: RECORDS as u64,
        seed: 1,
        start_ms: SECONDS * 1_000,
        rate: 10.0,
    })
    .expect("these are options");
    let (mut lines, mut events) = (Vec::new(), Vec::new());
    let mut line = Vec::new();
    while sample.write_line(&mut line) {
        events.push(usize::try_from(sample.last_events()).expect("a few"));
        lines.push(String::from_utf8_lossy(&line).into_owned());
        line.clear();
    }
    Given {
        name: "mixed",
        lines,
        events,
    }
}
