//! Lines that can never become an event.
//!
//! Each has one fault: a time or a batch that cannot be read, or columns that are not those of the log.

use super::dice::Dice;
use super::request::{PIXEL, Request};

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Fault {
    /// Its `timestamp`.
    Time,
    /// Its `b`, a JSON array that is broken or holds no objects.
    Batch,
    /// A column is missing.
    ColumnMissing,
    /// A value holds a tab that was not encoded.
    ColumnExtra,
    /// The line ends early.
    Head,
    /// The line begins late.
    Tail,
    /// Tabs and nothing else.
    Tabs,
    /// Nothing.
    #[default]
    Empty,
    /// Text that was never a line of the log.
    Foreign,
}

/// Faults with how often they come.
pub(super) const FAULTS: &[(u64, Fault)] = &[
    (30, Fault::Time),
    (25, Fault::Batch),
    (10, Fault::ColumnMissing),
    (10, Fault::ColumnExtra),
    (8, Fault::Head),
    (5, Fault::Tail),
    (3, Fault::Tabs),
    (3, Fault::Empty),
    (6, Fault::Foreign),
];

/// Times outside the years that a line may come from, or no times. None depends on when it is read.
const TIMES: &[&str] = &[
    "-",
    "",
    "0",
    "0.000",
    "-1.000",
    "-1793491200.000",
    "NaN",
    "inf",
    "1e309",
    "1793491200123",
    "1793491200123.000",
    "1793491200123456.000",
    "253402300799.000", // the last second of the year 9999
    "9999-12-31T23:59:59Z",
    "1230768000.000", // 2009
    "99999999999999999999999999.999",
    "now",
    "0x6AE8A500",
    "%D9%A1%D9%A7", // Arabic digits
];

/// Values of `b` as on the wire that begin an array, and are none of objects.
const BATCHES: &[&str] = &[
    "%5Bpage",
    "%5B%7B%22e%22%3A%22click%22%7D",
    "%5B%7B%22e%22%3A%22click%22%2C%22v%22%3A1",
    "%5B%7B%22e%22%3A%22click%22%7D%2C%5D",
    "%5B%7Be%3A'click'%7D%5D",
    "%5B%7B%22e%22%3A%22click%22%7D%5D%5D",
    "%5B%7B%22v%22%3ANaN%7D%5D",
    "[4",
    "%5B42%5D",
    "%5B%22click%22%5D",
    "%5B%FF%00",
    "%5B%5B%5B%5B",
];

/// Lines from elsewhere.
const FOREIGN: &[&[u8]] = &[
    b"#Version: 1.0",
    b"#Fields: timestamp c-ip s-ip time-to-first-byte sc-status sc-bytes cs-method cs-protocol cs-host cs-uri-stem",
    b"GET /p.gif?e=click HTTP/1.1",
    b"{\"timestamp\":\"1793491200.123\",\"cs-uri-stem\":\"/p.gif\"}",
    b"192.0.2.7 - - [01/Nov/2026:00:00:00 +0000] \"GET /p.gif HTTP/1.1\" 200 43",
    b"2026-11-01\t00:00:00\tFRA60-P4\t43\t192.0.2.7\tGET\td111111abcdef8.cloudfront.net\t/p.gif\t200",
    b"\xf3\x89\x9a\xc2\x08",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff",
    b"\xef\xbb\xbf",
    b"\0",
    b"null",
    b" ",
];

impl Fault {
    /// The line's time as text, where that is the fault.
    pub(super) fn timestamp(self, dice: &mut Dice) -> Option<&'static str> {
        (self == Fault::Time).then(|| dice.choice(TIMES))
    }

    /// Gives the request its fault, where the request is at fault.
    pub(super) fn apply_to_request(self, request: &mut Request, dice: &mut Dice) {
        if self == Fault::Batch {
            request.method = "GET";
            request.path = PIXEL;
            request.query.clear();
            request.query.token("s", "shop");
            if dice.chance(500) {
                request.query.uuid("pv", [dice.bits(), dice.bits()]);
            }
            request.query.token("b", dice.choice(BATCHES));
        }
    }

    /// Gives a whole line (without its newline) of so many columns its fault, where the line is at fault.
    pub(super) fn apply_to_line(self, line: &mut Vec<u8>, columns: usize, dice: &mut Dice) {
        let columns: u64 = columns.try_into().unwrap_or_default();
        match self {
            Fault::Time | Fault::Batch => {}
            Fault::ColumnMissing => {
                let column = dice.below(columns);
                let (start, end) = (tab(line, column), tab(line, column + 1));
                // With its tab; the first column has that behind it.
                line.drain(start..end);
                if column == 0 {
                    line.drain(..line.len().min(1));
                }
            }
            Fault::ColumnExtra => {
                let at = tab(line, dice.between(1, columns));
                line.splice(at..at, *b"\t-");
            }
            Fault::Head => {
                let end = tab(line, dice.between(1, columns.saturating_sub(1)));
                line.truncate(end.saturating_sub(usize::from(dice.chance(500))));
            }
            Fault::Tail => {
                let start = tab(line, dice.between(2, columns.saturating_sub(1)));
                let end = start + usize::from(dice.chance(500));
                line.drain(..end.min(line.len()));
            }
            Fault::Tabs => {
                line.clear();
                line.resize(dice.choice(&[1, 11, 69, 70, 71]), b'\t');
            }
            Fault::Empty => line.clear(),
            Fault::Foreign => {
                line.clear();
                line.extend_from_slice(dice.choice(FOREIGN));
            }
        }
    }
}

/// Where a column begins, at the tab before it; the end of the line behind the last.
fn tab(line: &[u8], column: u64) -> usize {
    let Some(before) = column.checked_sub(1) else {
        return 0;
    };
    let tabs = line.iter().enumerate().filter(|(_, byte)| **byte == b'\t');
    let place = usize::try_from(before)
        .ok()
        .and_then(|before| tabs.map(|(place, _)| place).nth(before));
    place.unwrap_or(line.len())
}
