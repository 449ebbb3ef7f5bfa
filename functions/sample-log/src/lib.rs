//! Log lines of pixel traffic, as `CloudFront` would have written them.
//!
//! The lines serve demos, tests and measurements. They come from a seed: the same options give the same bytes
//! on every machine. Nothing is kept but a few hundred visitors and some lines to repeat, so a sample may be as
//! long as one likes.
//!
//! Some lines are late, some come twice, some are odd and some are broken, because real ones are.
//! [`Sample::last_kind`] says what was meant, so that a test can hold a reader to it.

mod answer;
mod broken;
mod campaign;
mod client;
mod dice;
mod encoding;
mod line;
pub mod log_line;
mod odd;
mod options;
mod place;
mod query;
mod request;
mod scene;
mod site;
#[cfg(test)]
mod tests;
mod visitor;

use std::time::Duration;

use pixel_log::FieldSet;

use self::answer::Answer;
use self::broken::FAULTS;
use self::dice::Dice;
use self::line::Line;
use self::log_line::{push_logged, push_seconds};
pub use self::options::{SampleError, SampleOptions};
use self::request::Request;
use self::visitor::Visitor;

/// What a line is meant to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LineKind {
    /// An ordinary line.
    #[default]
    Good,
    /// A line with something strange in it, which is an event all the same.
    Odd,
    /// A line that can only be a failed event.
    Broken,
}

/// Visitors that are around at any one time.
const VISITORS: usize = 300;
/// Of a thousand requests, so many are the first of somebody new.
const NEW_VISITORS: u64 = 70;
/// Lines that may come again.
const REMEMBERED: usize = 64;
/// Of a thousand lines, so many are remembered: one comes again within a few thousand lines.
const REMEMBER: u64 = 30;

/// What becomes of the next line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Plan {
    #[default]
    Good,
    /// Good, and hours older than its neighbours.
    Late,
    Odd,
    Broken,
    /// An earlier line once more.
    Repeated,
}

/// Of a thousand lines, so many have each plan.
const PLANS: &[(u64, Plan)] = &[
    (950, Plan::Good),
    (10, Plan::Late),
    (10, Plan::Odd),
    (20, Plan::Broken),
    (10, Plan::Repeated),
];

/// The lines, one after the other.
#[derive(Debug, Clone)]
pub struct Sample {
    options: SampleOptions,
    fields: FieldSet,
    start_ms: u64,
    gap: Duration,
    written: u64,
    dice: Dice,
    /// Decide what is cut from the lists of headers. They fall apart from the others, so that a sample is the same
    /// in all its other fields however often lists are cut.
    cut_dice: Dice,
    visitors: Vec<Visitor>,
    remembered: Vec<Written>,
    last: Written,
    is_repeated: bool,
    request: Request,
    timestamp: Vec<u8>,
    logged_query: Vec<u8>,
}

/// A line with what is known about it.
#[derive(Debug, Clone, Default)]
struct Written {
    bytes: Vec<u8>,
    kind: LineKind,
    events: u64,
}

impl Sample {
    /// A sample from its beginning.
    pub fn new(options: SampleOptions) -> Result<Sample, SampleError> {
        let (start_ms, gap) = options.clock()?;
        let mut dice = Dice::new(options.seed);
        let cut_dice = Dice::new(!options.seed);
        let visitors = (0..VISITORS).map(|_| Visitor::draw(&mut dice)).collect();
        Ok(Sample {
            options,
            fields: FieldSet::all(),
            start_ms,
            gap,
            written: 0,
            dice,
            cut_dice,
            visitors,
            remembered: Vec::with_capacity(REMEMBERED),
            last: Written::default(),
            is_repeated: false,
            request: Request::default(),
            timestamp: Vec::new(),
            logged_query: Vec::new(),
        })
    }

    /// The same sample in a log of these fields alone. Without this a line has all of them.
    #[must_use]
    pub fn with_fields(self, fields: FieldSet) -> Sample {
        Sample { fields, ..self }
    }

    /// Appends the next line with its newline; false when all are written.
    pub fn write_line(&mut self, out: &mut Vec<u8>) -> bool {
        if self.written == self.options.lines {
            return false;
        }
        let plan = match self.written {
            0 => Plan::Good, // the first line shows where the sample begins
            _ => self.dice.weighted(PLANS),
        };
        self.is_repeated = plan == Plan::Repeated && !self.remembered.is_empty();
        if self.is_repeated {
            let index = self.dice.index(self.remembered.len());
            if let Some(written) = self.remembered.get(index) {
                self.last.clone_from(written);
            }
        } else {
            self.write_new(plan);
            if self.dice.chance(REMEMBER) && plan != Plan::Broken {
                self.remember();
            }
        }
        out.extend_from_slice(&self.last.bytes);
        self.written += 1;
        true
    }

    /// What the last line is meant to be. A repeated line is what it was the first time.
    pub fn last_kind(&self) -> LineKind {
        self.last.kind
    }

    /// Number of events that the last line reports, a plain request counting as one; 0 when it is broken.
    pub fn last_events(&self) -> u64 {
        self.last.events
    }

    /// Whether the last line is the exact copy of an earlier one.
    pub fn last_is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// Writes a line that was not there before.
    fn write_new(&mut self, plan: Plan) {
        let dice = &mut self.dice;
        let time_ms = line_time(self.start_ms, self.gap, self.written, plan, dice);
        let mut nobody = Visitor::default();
        let index = dice.index(VISITORS);
        let visitor = self.visitors.get_mut(index).unwrap_or(&mut nobody);
        if dice.chance(NEW_VISITORS) {
            *visitor = Visitor::draw(dice);
        }
        let request = &mut self.request;
        request.draw(visitor, time_ms, dice);
        let fault = (plan == Plan::Broken).then(|| dice.weighted(FAULTS));
        let mut answer = None;
        match fault {
            Some(fault) => {
                fault.apply_to_request(request, dice);
                answer = Some(Answer::pixel(dice));
            }
            None if plan == Plan::Odd => odd::apply(request, dice),
            None => {}
        }
        request.draw_cut(&visitor.client, &mut self.cut_dice);
        request.write_headers(visitor);

        self.timestamp.clear();
        match fault.and_then(|fault| fault.timestamp(dice)) {
            Some(text) => self.timestamp.extend_from_slice(text.as_bytes()),
            None => push_seconds(&mut self.timestamp, time_ms),
        }
        self.logged_query.clear();
        push_logged(&mut self.logged_query, request.query.as_bytes());
        let Written { bytes, kind, events } = &mut self.last;
        bytes.clear();
        Line {
            timestamp: &self.timestamp,
            visitor,
            request,
            answer: &answer.unwrap_or_else(|| Answer::draw(request, visitor, dice)),
            logged_query: &self.logged_query,
            port: dice.between(1_024, 65_535),
        }
        .write(self.fields.fields(), bytes);
        if let Some(fault) = fault {
            fault.apply_to_line(bytes, self.fields.len(), dice);
        }
        bytes.push(b'\n');
        (*kind, *events) = match plan {
            Plan::Broken => (LineKind::Broken, 0),
            Plan::Odd => (LineKind::Odd, request.events),
            Plan::Good | Plan::Late | Plan::Repeated => (LineKind::Good, request.events),
        };
    }

    /// Keeps the last line, in the place of another when there are enough.
    fn remember(&mut self) {
        let index = self.dice.index(REMEMBERED);
        match self.remembered.get_mut(index) {
            Some(place) => place.clone_from(&self.last),
            None => self.remembered.push(self.last.clone()),
        }
    }
}

/// Time of a line. Edges deliver on their own, so neighbours are not quite in order.
fn line_time(start_ms: u64, gap: Duration, index: u64, plan: Plan, dice: &mut Dice) -> u64 {
    let passed_ms = gap.as_nanos().saturating_mul(index.into()) / 1_000_000;
    let time_ms = start_ms.saturating_add(passed_ms.try_into().unwrap_or(u64::MAX));
    let delay_ms = match plan {
        _ if index == 0 => 0,
        Plan::Late => dice.between(3_600_000, 8 * 3_600_000),
        _ => dice.below(1_500),
    };
    time_ms.saturating_sub(delay_ms)
}
