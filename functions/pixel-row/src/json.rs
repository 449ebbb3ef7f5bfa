//! Writing JSON into a buffer.

use wide::u8x16;

use crate::block::BLOCK;
use crate::timestamp::{Day, Timestamp};

/// A buffer of JSON documents, one behind the other. Its memory is initialised once and used again and
/// again, so that a writer only ever overwrites. There is no `Debug`: rows hold what people typed.
#[derive(Default)]
pub struct JsonBuffer {
    /// Initialised memory, of which the first `len` bytes are written.
    room: Vec<u8>,
    len: usize,
    /// The day that was written last, and its text: nearly all times of a row are of one day.
    day: Option<(Day, [u8; 24])>,
}

/// Bytes of a time and of the quote behind it.
const TIME_TAIL: usize = 24 + 1;

/// The room of a buffer that was never used: some rows.
const FIRST_ROOM: usize = 1 << 14;

impl JsonBuffer {
    /// What was written.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or_default()
    }

    /// Number of bytes that were written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all but the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Appends one text as a JSON string, quotes included.
    pub fn push_string(&mut self, text: &str) {
        self.append(|cursor| {
            cursor.put(b"\"");
            cursor.put_string_tail(text);
        });
    }

    /// Appends a byte.
    pub fn push(&mut self, byte: u8) {
        self.append(|cursor| cursor.put(&[byte]));
    }

    /// Appends what the writer writes. It is called again where there was too little room.
    pub(crate) fn append(&mut self, write: impl Fn(&mut Cursor<'_>)) {
        loop {
            let mut cursor = Cursor {
                room: &mut self.room,
                at: self.len,
                full: false,
                day: &mut self.day,
            };
            write(&mut cursor);
            if !cursor.full {
                self.len = cursor.at;
                return;
            }
            let more = (self.room.len() * 2).max(FIRST_ROOM);
            self.room.resize(more, 0);
        }
    }
}

/// A place in a buffer that is written.
pub(crate) struct Cursor<'a> {
    room: &'a mut [u8],
    at: usize,
    /// Whether something found no room: then what was written is not whole.
    full: bool,
    day: &'a mut Option<(Day, [u8; 24])>,
}

impl Cursor<'_> {
    /// Writes bytes, best where their number is known when this is compiled.
    #[expect(
        clippy::inline_always,
        reason = "a copy of known length is a move or two, a call is more"
    )]
    #[inline(always)]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        match self
            .room
            .get_mut(self.at..)
            .and_then(|room| room.get_mut(..bytes.len()))
        {
            Some(room) => room.copy_from_slice(bytes),
            None => self.full = true,
        }
        self.at += bytes.len();
    }

    /// Where the next byte will stand.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Ends an object whose members, from here on, were each written behind a comma.
    pub(crate) fn end_object(&mut self, start: usize) {
        if self.at == start {
            self.put(b"{");
        } else if let Some(comma) = self.room.get_mut(start) {
            *comma = b'{';
        }
        self.put(b"}");
    }

    /// Writes a time as a JSON string behind its opening quote.
    #[inline]
    pub(crate) fn put_time_tail(&mut self, time: Timestamp) {
        let start = self.at;
        self.at += TIME_TAIL;
        let room = self.room.get_mut(start..).and_then(<[u8]>::first_chunk_mut);
        let Some(room): Option<&mut [u8; TIME_TAIL]> = room else {
            self.full = true;
            return;
        };
        let day = time.day();
        let midnight = match *self.day {
            Some((known, text)) if known == day => text,
            _ => self.day.insert((day, day.rfc3339_midnight())).1,
        };
        if let Some((text, quote)) = room.split_first_chunk_mut() {
            *text = midnight;
            time.write_time_of_day(text);
            quote.fill(b'"');
        }
    }

    /// Writes a JSON string behind its opening quote. Control characters, `"` and `\` are escaped; the rest
    /// is UTF-8 as it stands, so that a row never holds a newline byte. RFC 8259, section 7.
    // Not inlined: some fifty copies of it would fill a processor's cache of instructions.
    #[inline(never)]
    pub(crate) fn put_string_tail(&mut self, text: &str) {
        let (start, bytes) = (self.at, text.as_bytes());
        self.at += bytes.len() + 1;
        let Some([room @ .., quote]) = self.room.get_mut(start..self.at) else {
            self.full = true;
            return;
        };
        // Most texts have no escape, so copying first and looking once is the shortest way.
        *quote = b'"';
        let special = if bytes.len() < BLOCK {
            copy_short(bytes, room)
        } else {
            copy_blocks(bytes, room)
        };
        if special.to_bitmask() != 0 {
            self.at = start;
            self.put_escaped(bytes);
        }
    }

    /// Writes bytes with all their escapes, and the closing quote. Kept apart: most texts have none.
    #[cold]
    #[inline(never)]
    fn put_escaped(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'"' => self.put(b"\\\""),
                b'\\' => self.put(b"\\\\"),
                b'\n' => self.put(b"\\n"),
                b'\r' => self.put(b"\\r"),
                b'\t' => self.put(b"\\t"),
                0x00..=0x1f => {
                    let hex = |nibble: u8| {
                        if nibble < 10 {
                            b'0' + nibble
                        } else {
                            b'a' + nibble - 10
                        }
                    };
                    self.put(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
                }
                plain => self.put(&[plain]),
            }
        }
        self.put(b"\"");
    }
}

/// Copies fewer bytes than a block, and finds what needs an escape. From four bytes on the first and the last
/// half of them overlap, so that two moves do for each length.
#[inline]
fn copy_short(bytes: &[u8], room: &mut [u8]) -> u8x16 {
    // Zeros would be control characters.
    const NO_MORE: u64 = u64::from_le_bytes([b' '; 8]);
    let [low, high] = if let Some(words) = copy_ends::<8>(bytes, room) {
        words.map(u64::from_le_bytes)
    } else if let Some([first, last]) = copy_ends::<4>(bytes, room) {
        let (first, last) = (u32::from_le_bytes(first), u32::from_le_bytes(last));
        [u64::from(first) | u64::from(last) << 32, NO_MORE]
    } else if let Some([[first], [last]]) = copy_ends::<1>(bytes, room) {
        let middle = bytes.get(1).copied().unwrap_or(first);
        if let [_, room, _] = room {
            *room = middle;
        }
        let three = u32::from_le_bytes([first, middle, last, b' ']);
        [u64::from(three) | NO_MORE << 32, NO_MORE]
    } else {
        return u8x16::ZERO;
    };
    special(&(u128::from(low) | u128::from(high) << 64).to_le_bytes())
}

/// Copies the first and the last bytes to both ends of the room, which is as long; none where they are fewer.
#[inline]
fn copy_ends<const N: usize>(bytes: &[u8], room: &mut [u8]) -> Option<[[u8; N]; 2]> {
    let (first, last) = (*bytes.first_chunk()?, *bytes.last_chunk()?);
    *room.first_chunk_mut()? = first;
    *room.last_chunk_mut()? = last;
    Some([first, last])
}

/// Copies a block of bytes or more, and finds what needs an escape. The last block overlaps the one before
/// it: copying some bytes twice is cheaper than a copy of any length.
#[inline]
fn copy_blocks(bytes: &[u8], room: &mut [u8]) -> u8x16 {
    let (blocks, rooms) = (bytes.as_chunks().0, room.as_chunks_mut().0);
    let mut found = u8x16::ZERO;
    for (block, room) in blocks.iter().zip(rooms) {
        *room = *block;
        found |= special(block);
    }
    if let (Some(last), Some(room)) = (bytes.last_chunk(), room.last_chunk_mut()) {
        *room = *last;
        found |= special(last);
    }
    found
}

/// All bits of a byte that needs an escape, none of the others.
#[inline]
fn special(block: &[u8; BLOCK]) -> u8x16 {
    let block = u8x16::new(*block);
    let control = block.min(u8x16::splat(0x1f)).simd_eq(block);
    control | block.simd_eq(u8x16::splat(b'"')) | block.simd_eq(u8x16::splat(b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string(text: &str) -> String {
        let mut out = JsonBuffer::default();
        out.push_string(text);
        String::from_utf8(out.bytes().to_vec()).unwrap()
    }

    #[test]
    fn what_must_be_escaped_is_and_nothing_else() {
        assert_eq!(
            string("a\"b\\c\n\r\t\0\u{19}\u{1a}\u{1f}\u{7f}</script>é😀"),
            "\"a\\\"b\\\\c\\n\\r\\t\\u0000\\u0019\\u001a\\u001f\u{7f}</script>é😀\""
        );
    }

    #[test]
    fn a_buffer_grows_and_keeps_what_it_holds() {
        let text = "0123456789abcdef0".repeat(1 << 12);
        let mut out = JsonBuffer::default();
        for _ in 0..3 {
            out.push_string(&text);
            out.push(b',');
        }
        assert_eq!(out.bytes(), format!("\"{text}\",").repeat(3).as_bytes());
        assert_eq!(out.len(), out.bytes().len());
        assert!(out.len() >= text.len() + 2);
        out.truncate(text.len() + 2);
        assert!(!out.is_empty());
        out.push_string("\n");
        assert_eq!(out.bytes(), format!("\"{text}\"\"\\n\"").as_bytes());
        out.truncate(0);
        assert!(out.is_empty());
    }

    #[test]
    fn every_length_is_written_whole_and_an_escape_found_at_every_place() {
        for len in 0..70 {
            let plain = "x".repeat(len);
            assert_eq!(string(&plain), format!("\"{plain}\""));
            for at in 0..len {
                let mut text = plain.clone();
                text.replace_range(at..=at, "\u{1f}");
                assert_eq!(
                    string(&text),
                    format!("\"{}\"", text.replace('\u{1f}', "\\u001f"))
                );
            }
        }
    }

    #[test]
    fn what_is_plain_is_copied_in_one_go() {
        // Taken for something to escape it would be written byte by byte, to the same.
        for len in 1..BLOCK {
            let (text, mut room) = (vec![b'x'; len], vec![0; len]);
            assert_eq!(copy_short(&text, &mut room).to_bitmask(), 0, "{len}");
            assert_eq!(room, text);
        }
    }

    proptest! {
        #[test]
        fn serde_json_reads_back_every_string(text in "(\\PC|[\\x00-\\x1f\"\\\\]|[a-z]{1,12}){0,40}") {
            let written = string(&text);
            prop_assert!(!written.contains(|c: char| c < ' '));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }

    }
}
