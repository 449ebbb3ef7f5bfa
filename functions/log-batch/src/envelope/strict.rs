//! The reader of the one shape in which AWS writes the event.
//!
//! All members in AWS's order, nothing between them, and between quotes only bytes that stand for themselves.
//! Such an event is JSON, so whatever this reader takes, the lenient one takes too and finds the same.
//! Anything else it leaves alone, as a whole. With whatever AWS may change one day, batches get slower, never
//! wrong.

use std::borrow::Cow;

use fearless_simd::prelude::*;
use fearless_simd::{dispatch, u8x64};
use pixel_row::block;

use super::{RecordParts, shape};

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// The records of an event of AWS's shape; none where the shape is any other.
pub(super) fn read(event: &[u8]) -> Option<Vec<RecordParts<'_>>> {
    let mut cursor = Cursor { rest: event };
    let mut records = Vec::new();
    cursor.literal(shape::EVENT_BEGIN)?;
    if cursor.rest == shape::EVENT_END {
        return Some(records);
    }
    let mut end = None;
    loop {
        let before = cursor.rest.len();
        records.push(cursor.record(&mut end)?);
        if records.len() == 1 {
            // The others are about as long.
            let len = before - cursor.rest.len();
            records.reserve(cursor.rest.len().checked_div(len).unwrap_or(0) + 1);
        }
        if cursor.literal(shape::BETWEEN_RECORDS).is_none() {
            return (cursor.rest == shape::EVENT_END).then_some(records);
        }
    }
}

/// The end of a record, which says where it came from. But for the sequence number it is the same in all
/// records of an event, so it is read once and compared from then on.
struct RecordEnd<'a> {
    /// The JSON up to the sequence number in the event id.
    before_number: &'a [u8],
    /// The JSON behind it.
    after_number: &'a [u8],
    shard: &'a str,
    source: &'a str,
}

/// What is left of the event.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn record(&mut self, known: &mut Option<RecordEnd<'a>>) -> Option<RecordParts<'a>> {
        self.literal(shape::TO_PARTITION_KEY)?;
        self.text()?;
        self.literal(shape::TO_SEQUENCE_NUMBER)?;
        let number = self.text()?;
        self.literal(shape::TO_DATA)?;
        let data = self.text()?;
        self.literal(shape::TO_ARRIVAL)?;
        let arrival = self.number()?;
        if !known.as_ref().is_some_and(|known| self.is_end(known, number)) {
            *known = Some(self.end(number)?);
        }
        let end = known.as_ref()?;
        Some(RecordParts {
            data: Some(Cow::Borrowed(data)),
            sequence_number: Some(Cow::Borrowed(number)),
            shard: Some(Cow::Borrowed(end.shard)),
            source: Some(Cow::Borrowed(end.source)),
            arrival: Some(arrival),
        })
    }

    /// Passes over the end of a record where it is this one, with this sequence number.
    fn is_end(&mut self, end: &RecordEnd<'_>, number: &[u8]) -> bool {
        let start = self.rest;
        let parts = [end.before_number, number, end.after_number];
        let is_end = parts.iter().all(|part| self.literal(part).is_some());
        if !is_end {
            self.rest = start;
        }
        is_end
    }

    /// Reads the end of a record.
    fn end(&mut self, number: &[u8]) -> Option<RecordEnd<'a>> {
        let start = self.rest;
        self.literal(shape::TO_EVENT_ID)?;
        let event_id = self.text()?;
        let after_number = self.rest;
        self.literal(shape::TO_INVOKER)?;
        self.text()?;
        self.literal(shape::TO_REGION)?;
        self.text()?;
        self.literal(shape::TO_SOURCE)?;
        let source = self.text()?;
        self.literal(shape::RECORD_END)?;
        let shard = event_id.strip_suffix(number)?.strip_suffix(b":")?;
        Some(RecordEnd {
            before_number: start.get(..start.len() - after_number.len() - number.len())?,
            after_number: after_number.get(..after_number.len() - self.rest.len())?,
            shard: str::from_utf8(shard).ok().filter(|shard| !shard.contains(':'))?,
            source: str::from_utf8(source).ok()?,
        })
    }

    fn literal(&mut self, literal: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// What stands in the quotes, up to the closing one.
    fn text(&mut self) -> Option<&'a [u8]> {
        let len = dispatch!(block::level(), simd => plain_len(simd, self.rest));
        let (text, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        rest.starts_with(b"\"").then_some(text)
    }

    /// A number without sign and exponent, as JSON allows it.
    fn number(&mut self) -> Option<&'a [u8]> {
        let start = self.rest;
        match self.digits() {
            0 => return None,
            1 => {}
            _ if start.starts_with(b"0") => return None,
            _ => {}
        }
        if self.literal(b".").is_some() && self.digits() == 0 {
            return None;
        }
        start.get(..start.len() - self.rest.len())
    }

    /// Passes over digits and counts them.
    fn digits(&mut self) -> usize {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = self.rest.get(count..).unwrap_or_default();
        count
    }
}

/// How many bytes, from the first, stand for themselves in a JSON string of ASCII: all up to the first quote,
/// backslash or control character, or the first byte beyond ASCII.
/// What is called from here is inlined, so that the widest vectors of the processor may be used.
#[expect(
    clippy::inline_always,
    reason = "else it would not be compiled for those vectors"
)]
#[inline(always)]
fn plain_len<S: Simd>(simd: S, bytes: &[u8]) -> usize {
    let (blocks, tail) = bytes.as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        let block: u8x64<S> = u8x64::load_array_ref(simd, block);
        // With the high bit turned, what is plain stands above all else.
        let odd = (block ^ 0x80).simd_lt(0x80 | b' ') | block.simd_eq(b'"') | block.simd_eq(b'\\');
        let odd = odd.to_bitmask();
        if odd != 0 {
            return index * BLOCK + odd.trailing_zeros() as usize;
        }
    }
    let is_odd = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\' || !byte.is_ascii();
    bytes.len() - tail.len() + tail.iter().position(is_odd).unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fearless_simd::Level;

    /// Each byte at each place of two blocks and a rest, on each width of vectors.
    #[test]
    fn a_text_ends_where_a_byte_does_not_stand_for_itself() {
        let ends = |byte: u8| matches!(byte, ..0x20 | b'"' | b'\\' | 0x80..);
        for at in 0..2 * BLOCK + 5 {
            for byte in 0..=u8::MAX {
                let mut text = [b'A'; 2 * BLOCK + 5];
                text[at] = byte;
                let expected = if ends(byte) { at } else { text.len() };
                macro_rules! on {
                    ($simd:expr) => {
                        if let Some(simd) = $simd {
                            let found = simd.vectorize(|| plain_len(simd, &text));
                            assert_eq!(found, expected, "{byte} at {at}");
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
    }
}
