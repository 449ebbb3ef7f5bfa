//! The two layers of encoding of a log line, each undone exactly once.
//!
//! The *log layer* percent-encodes every field, `%` included, so that a field holds no tab and no newline.
//! Below it, the query of a pixel is *form-encoded* by the page: `+` is a space and values are
//! percent-encoded. `https://x/?a=1` thus stands in the log as `u=https%253A%252F%252Fx%252F%253Fa%253D1`.
//! Decoding a layer twice, or until nothing changes, corrupts data; both layers keep a `%` that begins no
//! escape as it stands.

use std::cell::Cell;

use bumpalo::Bump;
use pixel_row::block::{BLOCK, padded};

use crate::log_text::LogText;
use crate::marks::{self, Marks, is_any};

/// Undoes the layers for one line. What has to be decoded lives in the arena, as long as the line; all else
/// is borrowed from the line.
pub(crate) struct Decoder<'a> {
    pub(crate) arena: &'a Bump,
    /// Whether all text so far was UTF-8; what was not holds U+FFFD.
    utf8_ok: Cell<bool>,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(arena: &'a Bump) -> Decoder<'a> {
        Decoder {
            arena,
            utf8_ok: Cell::new(true),
        }
    }

    /// Whether all text so far was UTF-8.
    pub(crate) fn utf8_ok(&self) -> bool {
        self.utf8_ok.get()
    }

    /// Goes back to an earlier answer of [`utf8_ok`](Self::utf8_ok): the events of one hit are judged apart.
    pub(crate) fn reset_utf8_ok(&self, utf8_ok: bool) {
        self.utf8_ok.set(utf8_ok);
    }

    /// The log layer undone, as text.
    #[inline]
    pub(crate) fn text(&self, encoded: LogText<'a>) -> &'a str {
        self.to_text(encoded, marks::first(b'%', encoded.bytes()), Layer::Log)
    }

    /// The log layer undone, as bytes.
    #[inline]
    pub(crate) fn bytes(&self, encoded: LogText<'a>) -> LogText<'a> {
        match marks::first(b'%', encoded.bytes()) {
            None => encoded,
            Some(first) => LogText::new(decode(encoded.bytes(), first, Layer::Log, self.arena)),
        }
    }

    /// The form layer of a name or value undone, as text: `+` is a space, then percent-encoding. `first` is
    /// where the first of either stands.
    /// Source: <https://url.spec.whatwg.org/#urlencoded-parsing>
    #[inline]
    pub(crate) fn form_text(&self, encoded: LogText<'a>, first: Option<usize>) -> &'a str {
        self.to_text(encoded, first, Layer::Form)
    }

    #[expect(
        clippy::inline_always,
        reason = "nearly all texts are as they stand: no call for those"
    )]
    #[inline(always)]
    fn to_text(&self, encoded: LogText<'a>, first: Option<usize>, layer: Layer) -> &'a str {
        match (first, encoded) {
            (None, LogText::Utf8(text)) => text,
            (None, LogText::Bytes(bytes)) => self.checked(bytes),
            (Some(first), encoded) => self.decoded(encoded.bytes(), first, layer),
        }
    }

    /// Kept apart: most texts are not encoded.
    #[inline(never)]
    fn decoded(&self, bytes: &[u8], first: usize, layer: Layer) -> &'a str {
        self.checked(decode(bytes, first, layer, self.arena))
    }

    fn checked(&self, decoded: &'a [u8]) -> &'a str {
        std::str::from_utf8(decoded).unwrap_or_else(|_| {
            self.utf8_ok.set(false);
            self.arena.alloc_str(&String::from_utf8_lossy(decoded))
        })
    }
}

/// A layer of encoding.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// The log's own: percent-encoding.
    Log,
    /// The page's: percent-encoding, and `+` for a space.
    Form,
}

/// Undoes one layer of bytes; nothing is encoded before `first`.
fn decode<'a>(bytes: &[u8], first: usize, layer: Layer, arena: &'a Bump) -> &'a [u8] {
    let plus = if layer == Layer::Form { b'+' } else { b'%' };
    // Decoded bytes are never more than encoded ones. With a block to spare every copy is one of whole blocks.
    let mut decoded = Decoded {
        bytes: arena.alloc_slice_fill_copy(bytes.len() + BLOCK, 0),
        len: 0,
    };
    let mut from = 0;
    let rest = bytes.get(first..).unwrap_or_default();
    for mark in Marks::new(rest, is_any([b'%', plus])).map(|mark| first + mark) {
        decoded.copy(bytes, from, mark);
        let (byte, used) = match escaped(bytes, mark) {
            Some(byte) => (byte, 3),
            None if layer == Layer::Form && bytes.get(mark) == Some(&b'+') => (b' ', 1),
            None => (b'%', 1),
        };
        decoded.push(byte);
        from = mark + used;
    }
    decoded.copy(bytes, from, bytes.len());
    decoded.bytes.get(..decoded.len).unwrap_or_default()
}

/// Bytes under construction.
struct Decoded<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Decoded<'_> {
    #[inline]
    fn push(&mut self, byte: u8) {
        if let Some(room) = self.bytes.get_mut(self.len) {
            *room = byte;
        }
        self.len += 1;
    }

    /// Appends a range of the input, a block at a time; what a last block holds too much is written over.
    #[inline]
    fn copy(&mut self, input: &[u8], from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let rest = input.get(at..).unwrap_or_default();
            let block = rest.first_chunk().map_or_else(|| padded(rest), |block| *block);
            if let Some(room) = self.bytes.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut) {
                *room = block;
            }
            let used = BLOCK.min(to - at);
            self.len += used;
            at += used;
        }
    }
}

/// The byte that the escape at this place stands for, if it is one.
#[inline]
fn escaped(bytes: &[u8], at: usize) -> Option<u8> {
    let [b'%', high, low] = bytes.get(at..)?.first_chunk::<3>()? else {
        return None;
    };
    from_hex(*high, *low)
}

/// The byte of two hexadecimal digits.
#[inline]
pub(crate) fn from_hex(high: u8, low: u8) -> Option<u8> {
    match [HEX.get(usize::from(high))?, HEX.get(usize::from(low))?] {
        [high @ 0..=15, low @ 0..=15] => Some(high << 4 | low),
        _ => None,
    }
}

/// The value of each hexadecimal digit, and 255 for every other byte.
#[expect(clippy::indexing_slicing, reason = "checked at compile time")]
const HEX: [u8; 256] = {
    let mut values = [255; 256];
    let mut digit: u8 = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit as usize] as usize] = digit;
        values[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        digit += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn percent_decode(encoded: &[u8]) -> Vec<u8> {
        Decoder::new(&Bump::new())
            .bytes(LogText::new(encoded))
            .bytes()
            .to_vec()
    }

    fn text(encoded: &[u8], read: impl for<'a> Fn(&Decoder<'a>, LogText<'a>) -> &'a str) -> (String, bool) {
        let arena = Bump::new();
        let decoder = Decoder::new(&arena);
        (
            read(&decoder, LogText::new(encoded)).to_owned(),
            decoder.utf8_ok(),
        )
    }

    fn form(encoded: &[u8]) -> String {
        let first = Marks::new(encoded, is_any([b'%', b'+'])).next();
        text(encoded, |decoder, text| decoder.form_text(text, first)).0
    }

    #[test]
    fn one_layer_is_undone_and_no_more() {
        for (encoded, decoded) in [
            ("a%2527b", "a%27b"),
            ("%25", "%"),
            ("%", "%"),
            ("%2", "%2"),
            ("%zz%41", "%zzA"),
            ("%%41", "%A"),
            ("%u0041", "%u0041"),
            ("%0a%0A", "\n\n"),
            ("a+b", "a+b"),
            ("", ""),
        ] {
            assert_eq!(
                percent_decode(encoded.as_bytes()),
                decoded.as_bytes(),
                "{encoded}"
            );
        }
        assert_eq!(form(b"a+b%2Bc"), "a b+c");
        assert_eq!(text(b"a+b%2Bc", |decoder, text| decoder.text(text)).0, "a+b+c");
    }

    #[test]
    fn invalid_utf8_is_replaced_and_flagged() {
        for bad in [&b"%FF"[..], b"%C0%AF", b"%ED%A0%80", b"ok%E2%82", b"\xff"] {
            let (text, ok) = text(bad, |decoder, text| decoder.text(text));
            assert!(text.contains('\u{FFFD}') && !ok);
        }
        let euro = text(b"%E2%82%AC", |decoder, text| decoder.text(text));
        assert_eq!(euro, ("€".to_owned(), true));
    }

    proptest! {
        /// The `percent-encoding` crate follows the WHATWG rule; both must agree on every input.
        #[test]
        fn agrees_with_percent_encoding(bytes in "([%+a-fA-F0-9]|[ -~]|\\PC|[a-z]{15,40}){0,60}") {
            prop_assert_eq!(
                percent_decode(bytes.as_bytes()),
                percent_encoding::percent_decode(bytes.as_bytes()).collect::<Vec<_>>()
            );
            let form = form(bytes.as_bytes());
            let spaced = bytes.replace('+', " ");
            prop_assert_eq!(
                form,
                percent_encoding::percent_decode(spaced.as_bytes()).decode_utf8_lossy()
            );
        }

        #[test]
        fn encoding_then_decoding_is_the_identity(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let encoded = percent_encoding::percent_encode(&bytes, percent_encoding::NON_ALPHANUMERIC).to_string();
            prop_assert_eq!(percent_decode(encoded.as_bytes()), bytes);
        }
    }
}
