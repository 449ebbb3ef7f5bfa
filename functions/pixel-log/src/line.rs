//! One line of the real-time log, borrowed.

use std::borrow::Cow;

use crate::decoding;
use crate::error::LineError;
use crate::fields::{FIELD_COUNT, Field, FieldSet};

/// A borrowed view of one tab-separated log line: which bytes stand in which field.
pub struct LogLine<'a> {
    raw: &'a [u8],
    values: [&'a [u8]; FIELD_COUNT],
}

impl<'a> LogLine<'a> {
    /// Splits a line of the given field set, with or without its line end (`\n` or `\r\n`).
    pub fn parse(line: &'a [u8], fields: &FieldSet) -> Result<LogLine<'a>, LineError> {
        let raw = without_line_end(line);
        if raw.is_empty() {
            return Err(LineError::Empty);
        }
        let mut values: [&[u8]; FIELD_COUNT] = [b""; FIELD_COUNT];
        let mut columns = fields.fields().iter();
        let mut start = 0;
        let mut found = 0;
        for end in memchr::memchr_iter(b'\t', raw).chain([raw.len()]) {
            found += 1;
            let slot = columns.next().and_then(|&field| values.get_mut(field as usize));
            if let (Some(slot), Some(value)) = (slot, raw.get(start..end)) {
                *slot = value;
            }
            start = end + 1;
        }
        if found != fields.len() {
            return Err(LineError::FieldCount {
                expected: fields.len(),
                found,
            });
        }
        Ok(LogLine { raw, values })
    }

    /// The line without its line end.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The bytes of a field as they stand in the log; none where it is not configured, empty, or `-`, the
    /// log's sign for a missing value.
    #[must_use]
    pub fn bytes(&self, field: Field) -> Option<&'a [u8]> {
        match self.values.get(field as usize) {
            None | Some(&(b"" | b"-")) => None,
            Some(value) => Some(value),
        }
    }

    /// The field with the log layer undone, as text. Clears the flag where it is no UTF-8.
    pub fn text(&self, field: Field, utf8_ok: &mut bool) -> Option<Cow<'a, str>> {
        let bytes = self.bytes(field)?;
        Some(decoding::text(decoding::percent_decode(bytes), utf8_ok))
    }
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

    fn set() -> FieldSet {
        FieldSet::parse("timestamp,c-ip,cs-uri-stem").unwrap()
    }

    #[test]
    fn columns_are_found_by_name() {
        let line = LogLine::parse(b"1.000\t-\t/p.gif?a=%2541\r\n", &set())
            .ok()
            .unwrap();
        assert_eq!(line.bytes(Field::Timestamp), Some(&b"1.000"[..]));
        assert_eq!(line.bytes(Field::CIp), None);
        assert_eq!(line.bytes(Field::Asn), None);
        assert_eq!(line.text(Field::CsUriStem, &mut true).unwrap(), "/p.gif?a=%41");
        assert_eq!(line.raw(), b"1.000\t-\t/p.gif?a=%2541");
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
