//! One line of the real-time log, borrowed.

use bumpalo::Bump;
use fearless_simd::prelude::*;
use fearless_simd::{dispatch, u8x64};
use pixel_row::block;

use crate::decoding::Decoder;
use crate::error::LineError;
use crate::fields::{FIELD_COUNT, Field, FieldSet};
use crate::log_text::LogText;

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// Tabs that are noted at once, whether a block has as many or not: what is too much is written over or never
/// read. So a processor need not guess how many there are, and it would guess wrong.
const TABS: usize = 8;

/// Every column, the end of the last one, and room for tabs that are not there.
const STARTS: usize = FIELD_COUNT + 1 + TABS;

/// Places in a line, counted from 0.
type Starts = [usize; STARTS];

/// A borrowed view of one tab-separated log line: which bytes stand in which field.
pub struct LogLine<'a> {
    fields: &'a FieldSet,
    /// The line without its line end.
    text: LogText<'a>,
    /// Where each column begins, and one past the tab that would follow the last.
    starts: Starts,
}

impl<'a> LogLine<'a> {
    /// Splits a line of the given field set, with or without its line end (`\n` or `\r\n`).
    pub fn parse(line: &'a [u8], fields: &'a FieldSet) -> Result<LogLine<'a>, LineError> {
        let mut split = LogLine::new(fields);
        split.split(line)?;
        Ok(split)
    }

    /// A line without columns. It is large, so it is filled where it stands.
    #[inline]
    pub(crate) fn new(fields: &'a FieldSet) -> LogLine<'a> {
        LogLine {
            fields,
            text: LogText::Utf8(""),
            starts: [0; STARTS],
        }
    }

    /// Fills the view with a line.
    #[inline]
    pub(crate) fn split(&mut self, line: &'a [u8]) -> Result<(), LineError> {
        let raw = without_line_end(line);
        if raw.is_empty() {
            return Err(LineError::Empty);
        }
        let found = dispatch!(block::level(), simd => find_columns(simd, raw, &mut self.starts));
        let expected = self.fields.len();
        if found != expected {
            return Err(LineError::FieldCount { expected, found });
        }
        if let Some(end) = self.starts.get_mut(found) {
            *end = raw.len() + 1;
        }
        self.text = LogText::new(raw);
        Ok(())
    }

    /// The line without its line end.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.text.bytes()
    }

    /// The bytes of a field as they stand in the log; none where it is not configured, empty, or `-`, the
    /// log's sign for a missing value.
    #[must_use]
    pub fn bytes(&self, field: Field) -> Option<&'a [u8]> {
        self.field(field).map(LogText::bytes)
    }

    /// Whether the field is configured, whatever the line says of it.
    pub(crate) fn has(&self, field: Field) -> bool {
        self.fields.column(field).is_some()
    }

    /// The field as a text, the log layer undone; U+FFFD stands for what is not UTF-8. For a look at a single
    /// line: rows are read another way.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<String> {
        let arena = Bump::new();
        self.field(field)
            .map(|value| Decoder::new(&arena).text(value).to_owned())
    }

    /// The bytes, with what is known of their being text.
    #[inline]
    pub(crate) fn field(&self, field: Field) -> Option<LogText<'a>> {
        let column = self.fields.column(field)?;
        let (start, end) = (self.starts.get(column)?, self.starts.get(column + 1)?);
        match self.text.get(*start..*end - 1) {
            None | Some(LogText::Utf8("" | "-") | LogText::Bytes(b"" | b"-")) => None,
            value => value,
        }
    }

    /// The column of a field, counted from 1; 0 where it is not configured.
    pub(crate) fn place(&self, field: Field) -> usize {
        self.fields.column(field).map_or(0, |index| index + 1)
    }
}

/// Notes where each column but the first begins, and counts all of them, also those that there is no room for.
/// What is called from here is inlined, so that the widest vectors of the processor may be used.
#[expect(
    clippy::inline_always,
    reason = "else it would not be compiled for those vectors"
)]
#[inline(always)]
fn find_columns<S: Simd>(simd: S, line: &[u8], starts: &mut Starts) -> usize {
    let (blocks, tail) = line.as_chunks::<BLOCK>();
    let mut last = [0; BLOCK];
    if let Some(room) = last.get_mut(..tail.len()) {
        room.copy_from_slice(tail);
    }
    let mut found = 1;
    for (index, block) in blocks.iter().chain([&last]).enumerate() {
        let is_tab = u8x64::load_array_ref(simd, block).simd_eq(b'\t');
        let mut tabs = is_tab.to_bitmask();
        let next = found + tabs.count_ones() as usize;
        while found < next {
            let room = starts.get_mut(found..).and_then(<[usize]>::first_chunk_mut);
            let Some(room): Option<&mut [usize; TABS]> = room else {
                break;
            };
            for start in room {
                *start = index * BLOCK + tabs.trailing_zeros() as usize + 1;
                tabs &= tabs.wrapping_sub(1);
            }
            found += TABS;
        }
        found = next;
    }
    found
}

/// The line without the `\n` or `\r\n` that ends it.
#[must_use]
pub fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fearless_simd::Level;

    fn set() -> FieldSet {
        FieldSet::parse("timestamp,c-ip,cs-uri-stem").unwrap()
    }

    #[test]
    fn columns_are_found_by_name() {
        let set = set();
        let line = LogLine::parse(b"1.000\t-\t/p.gif?a=%2541\r\n", &set)
            .ok()
            .unwrap();
        assert_eq!(line.bytes(Field::Timestamp), Some(&b"1.000"[..]));
        assert_eq!(line.bytes(Field::CIp), None);
        assert_eq!(line.bytes(Field::Asn), None);
        assert_eq!(line.bytes(Field::CsUriStem), Some(&b"/p.gif?a=%2541"[..]));
        assert_eq!(line.text(Field::CsUriStem).as_deref(), Some("/p.gif?a=%41"));
        assert_eq!(line.raw(), b"1.000\t-\t/p.gif?a=%2541");
    }

    #[test]
    fn a_column_may_begin_and_end_anywhere_in_a_block() {
        let set = set();
        for first in 0..140 {
            for second in [0, 1, 62, 63, 64, 65] {
                let columns = ["a".repeat(first), "é".repeat(second), "c".to_owned()];
                let line = columns.join("\t");
                let line = LogLine::parse(line.as_bytes(), &set).ok().unwrap();
                for (field, column) in [Field::Timestamp, Field::CIp, Field::CsUriStem]
                    .into_iter()
                    .zip(&columns)
                {
                    assert_eq!(line.bytes(field).unwrap_or_default(), column.as_bytes());
                }
            }
        }
    }

    /// Every column of lines of all fields, and lines with more and fewer, on each width of vectors.
    #[test]
    fn columns_are_those_of_a_plain_split() {
        let mut state = 1_u32;
        let mut dice = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 24
        };
        for number in (0..3_000).map(|turn| [FIELD_COUNT, 70, 72, 78, 80, 200][turn % 6]) {
            // Mostly none, so that many tabs stand close together, and some long ones.
            let lengths = (0..number).map(|_| [0, 0, 0, 1, 2, 7, 69, 129][dice() as usize % 8]);
            let columns: Vec<String> = lengths.map(|length| "x".repeat(length)).collect();
            let line = columns.join("\t");
            let expected = columns.iter().scan(0, |at, column| {
                *at += column.len() + 1;
                Some(*at)
            });
            let expected: Vec<usize> = [0]
                .into_iter()
                .chain(expected)
                .take(number.min(FIELD_COUNT))
                .collect();
            let check = |found: usize, starts: Starts| {
                assert_eq!(found, number);
                assert_eq!(starts.get(..expected.len()).unwrap(), expected);
            };
            macro_rules! on {
                ($simd:expr) => {
                    let mut starts = [0; STARTS];
                    if let Some(simd) = $simd {
                        let found = simd.vectorize(|| find_columns(simd, line.as_bytes(), &mut starts));
                        check(found, starts);
                    }
                };
            }
            #[cfg(target_arch = "x86_64")]
            {
                on!(Level::new().as_sse2());
                on!(Level::new().as_sse4_2());
                on!(Level::new().as_avx2());
            }
            #[cfg(target_arch = "aarch64")]
            on!(Level::new().as_neon());
        }
    }

    #[test]
    fn another_number_of_columns_is_refused_and_counted() {
        for (line, found) in [
            (&b"a"[..], 1),
            (b"\t", 2),
            (b"a\tb", 2),
            (b"a\tb\tc\td", 4),
            (b"\t\t\t\t\n", 5),
        ] {
            assert_eq!(
                LogLine::parse(line, &set()).err(),
                Some(LineError::FieldCount { expected: 3, found })
            );
        }
        for empty in [&b""[..], b"\n", b"\r\n"] {
            assert_eq!(LogLine::parse(empty, &set()).err(), Some(LineError::Empty));
        }
        let many = vec![b'\t'; 10_000];
        assert!(matches!(
            LogLine::parse(&many, &set()).err(),
            Some(LineError::FieldCount { found: 10_001, .. })
        ));
    }
}
