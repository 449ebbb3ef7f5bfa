//! Bytes of the log, and whether they are known to be text.

use std::ops::Range;

use crate::marks;

/// Bytes that the log holds. Real lines are ASCII, so one check of the whole line makes every part of it a
/// text; only a line that is not UTF-8 has its parts checked one by one.
#[derive(Clone, Copy)]
pub(crate) enum LogText<'a> {
    /// They are UTF-8.
    Utf8(&'a str),
    /// They are a part of something that is not.
    Bytes(&'a [u8]),
}

impl<'a> LogText<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> LogText<'a> {
        simdutf8::basic::from_utf8(bytes).map_or(LogText::Bytes(bytes), LogText::Utf8)
    }

    #[inline]
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            LogText::Utf8(text) => text.as_bytes(),
            LogText::Bytes(bytes) => bytes,
        }
    }

    /// The text, if it is one.
    #[inline]
    pub(crate) fn utf8(self) -> Option<&'a str> {
        match self {
            LogText::Utf8(text) => Some(text),
            LogText::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        }
    }

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.bytes().is_empty()
    }

    /// A part; none where it ends outside, or within a character.
    #[inline]
    pub(crate) fn get(self, range: Range<usize>) -> Option<LogText<'a>> {
        match self {
            LogText::Utf8(text) => text.get(range).map(LogText::Utf8),
            LogText::Bytes(bytes) => bytes.get(range).map(LogText::Bytes),
        }
    }

    /// What stands before and after the first byte of this value, which is ASCII.
    #[inline]
    pub(crate) fn split_once(self, byte: u8) -> Option<(LogText<'a>, LogText<'a>)> {
        let at = marks::first(byte, self.bytes())?;
        Some((self.get(0..at)?, self.get(at + 1..self.bytes().len())?))
    }
}
