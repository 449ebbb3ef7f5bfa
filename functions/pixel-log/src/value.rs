//! The typed values of the pixel's parameters. A value that is not of its shape is none at all: it is never
//! bent into one.

use bumpalo::Bump;
use pixel_row::{Row, Timestamp};

use crate::scrubbing;

/// The event of a row that is not a hit: a request for another path. No page can send it.
pub const REQUEST_EVENT: &str = "request";

/// Any text.
#[expect(clippy::unnecessary_wraps, reason = "all readers of values have one shape")]
pub(crate) fn text<'a>(text: &'a str, _: &'a Bump) -> Option<&'a str> {
    Some(text)
}

/// Any text, scrubbed.
#[expect(clippy::unnecessary_wraps, reason = "all readers of values have one shape")]
pub(crate) fn scrubbed<'a>(text: &'a str, arena: &'a Bump) -> Option<&'a str> {
    Some(scrubbing::finds(text, arena))
}

/// Any name but the one that tells a request for another path.
pub(crate) fn event_name<'a>(text: &'a str, _: &'a Bump) -> Option<&'a str> {
    Some(text).filter(|name| *name != REQUEST_EVENT)
}

/// Whole milliseconds since 1970, of 2010 or later: seconds, which many clocks give, would be a day of 1970.
pub(crate) fn millis(text: &str, _: &Bump) -> Option<Timestamp> {
    Timestamp::parse_millis(text).filter(|time| *time >= Timestamp::EARLIEST)
}

/// A width or height in CSS pixels.
pub(crate) fn pixels(text: &str, _: &Bump) -> Option<i32> {
    let plain = text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// A decimal in millionths, exact: an optional minus, digits, up to 6 decimals; below a trillion.
pub(crate) fn micros(text: &str, _: &Bump) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (digits, ""),
    };
    if !(1..=12).contains(&whole.len()) || fraction.len() > 6 {
        return None;
    }
    let mut micros: i64 = 0;
    for byte in whole
        .bytes()
        .chain(fraction.bytes())
        .chain(b"000000".iter().copied().skip(fraction.len()))
    {
        if !byte.is_ascii_digit() {
            return None;
        }
        micros = micros * 10 + i64::from(byte - b'0');
    }
    Some(if negative { -micros } else { micros })
}

/// Three letters, in upper case.
pub(crate) fn currency<'a>(text: &'a str, arena: &'a Bump) -> Option<&'a str> {
    if text.len() != 3 || !text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(text);
    }
    let upper = arena.alloc_str(text);
    upper.make_ascii_uppercase();
    Some(upper)
}

/// A language tag of BCP 47 by its shape.
pub(crate) fn language<'a>(text: &'a str, _: &'a Bump) -> Option<&'a str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (text.len() <= const { Row::max_bytes("page_lang") } && text.bytes().all(plain)).then_some(text)
}

/// A name of the IANA time zone database by its shape.
pub(crate) fn time_zone<'a>(text: &'a str, _: &'a Bump) -> Option<&'a str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+' | b':');
    (text.len() <= const { Row::max_bytes("tz_name") } && text.bytes().all(plain)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact() {
        for (text, expected) in [
            ("19.90", Some(19_900_000)),
            ("0.1", Some(100_000)),
            ("-0", Some(0)),
            ("-1.000001", Some(-1_000_001)),
            ("999999999999.999999", Some(999_999_999_999_999_999)),
            ("1000000000000", None),
            ("1.0000001", None),
            ("1e309", None),
            ("NaN", None),
            ("9223372036854775808", None),
            ("+1", None),
            ("1.", None),
            (".5", None),
            ("1,50", None),
            ("١٢", None),
            ("-", None),
        ] {
            assert_eq!(micros(text, &Bump::new()), expected, "{text}");
        }
    }

    #[test]
    fn languages_are_plain_and_short() {
        for (text, right) in [
            ("de", true),
            ("de-CH", true),
            ("zh_Hant-TW", true),
            (&"a".repeat(35), true),
            (&"a".repeat(36), false),
            ("de CH", false),
            ("de,en", false),
            ("dé", false),
        ] {
            let found = language(text, &Bump::new()).map(str::to_owned);
            assert_eq!(found.as_deref(), right.then_some(text), "{text}");
        }
    }

    #[test]
    fn time_zones_are_plain_and_short() {
        for (text, right) in [
            ("UTC", true),
            ("America/Port-au-Prince", true),
            ("America/Los_Angeles", true),
            ("Etc/GMT+12", true),
            ("+05:30", true),
            (&"a".repeat(64), true),
            (&"a".repeat(65), false),
            ("Europe Zurich", false),
            ("Europe.Zurich", false),
            ("Zürich", false),
        ] {
            let found = time_zone(text, &Bump::new()).map(str::to_owned);
            assert_eq!(found.as_deref(), right.then_some(text), "{text}");
        }
    }

    #[test]
    fn pixels_have_up_to_six_digits() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1920", Some(1920)),
            ("999999", Some(999_999)),
            ("1000000", None),
            ("0000001", None),
            ("+1", None),
            ("-1", None),
            ("1.5", None),
        ] {
            assert_eq!(pixels(text, &Bump::new()), expected, "{text}");
        }
    }

    #[test]
    fn currencies_are_three_letters_in_upper_case() {
        for (text, expected) in [
            ("CHF", Some("CHF")),
            ("chf", Some("CHF")),
            ("cHf", Some("CHF")),
            ("CH", None),
            ("EURO", None),
            ("C1F", None),
            ("CH ", None),
            ("é1", None), // three bytes
        ] {
            let arena = Bump::new();
            assert_eq!(currency(text, &arena), expected, "{text}");
        }
    }
}
