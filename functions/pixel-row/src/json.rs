//! Writing JSON into a buffer.

use wide::u8x16;

use crate::block::{BLOCK, padded};
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
        let day = time.day();
        let midnight = match *self.day {
            Some((known, text)) if known == day => text,
            _ => self.day.insert((day, day.rfc3339_midnight())).1,
        };
        self.put(&time.rfc3339_on(midnight));
        self.put(b"\"");
    }

    /// Writes a JSON string behind its opening quote. Control characters, `"` and `\` are escaped; the rest
    /// is UTF-8 as it stands, so that a row never holds a newline byte. RFC 8259, section 7.
    pub(crate) fn put_string_tail(&mut self, text: &str) {
        let start = self.at;
        if !self.put_plain(text.as_bytes()) {
            self.at = start;
            self.put_escaped(text.as_bytes());
        }
    }

    /// Writes bytes as they stand and the closing quote; false where one of them needs an escape. Most texts
    /// have none, so copying first and looking once is the shortest way.
    #[inline]
    fn put_plain(&mut self, bytes: &[u8]) -> bool {
        let Some(last) = bytes.last_chunk::<BLOCK>() else {
            let block = padded(bytes);
            self.put(&block);
            self.at -= BLOCK - bytes.len();
            self.put(b"\"");
            return special(&block).to_bitmask() & ((1 << bytes.len()) - 1) == 0;
        };
        let (blocks, tail) = bytes.as_chunks::<BLOCK>();
        let mut found = special(last);
        for block in blocks {
            found |= special(block);
            self.put(block);
        }
        if !tail.is_empty() {
            // The last block overlaps the one before it: writing the same bytes once more is cheaper than a
            // copy of any length.
            self.at -= BLOCK - tail.len();
            self.put(last);
        }
        self.put(b"\"");
        found.to_bitmask() == 0
    }

    /// Writes bytes with all their escapes, and the closing quote.
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
            string("a\"b\\c\n\r\t\0\u{1f}\u{7f}</script>é😀"),
            "\"a\\\"b\\\\c\\n\\r\\t\\u0000\\u001f\u{7f}</script>é😀\""
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
        out.truncate(text.len() + 2);
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

    proptest! {
        #[test]
        fn serde_json_reads_back_every_string(text in "(\\PC|[\\x00-\\x1f\"\\\\]|[a-z]{1,12}){0,40}") {
            let written = string(&text);
            prop_assert!(!written.contains(|c: char| c < ' '));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }

    }
}
