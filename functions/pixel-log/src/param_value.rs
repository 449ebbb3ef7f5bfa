//! The typed values of the pixel's parameters. A value that is not of its shape is none at all: it is never
//! bent into one.

use std::borrow::Cow;

/// A width or height in CSS pixels.
pub(crate) fn pixels(text: &str) -> Option<i32> {
    let plain = text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// A decimal in millionths, exact: an optional minus, digits, up to 6 decimals; below a trillion.
pub(crate) fn micros(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (digits, ""),
    };
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=12).contains(&whole.len()) || fraction.len() > 6 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let micros = whole.parse::<i64>().ok()? * 1_000_000 + format!("{fraction:0<6}").parse::<i64>().ok()?;
    Some(if negative { -micros } else { micros })
}

/// Three letters, in upper case.
pub(crate) fn currency<'a>(text: &str) -> Option<Cow<'a, str>> {
    let plain = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    plain.then(|| Cow::Owned(text.to_ascii_uppercase()))
}

/// A language tag of BCP 47 by its shape.
pub(crate) fn language(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let plain = text.len() <= 35
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    plain.then_some(text)
}

/// A name of the IANA time zone database by its shape.
pub(crate) fn time_zone(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let plain = text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+' | b':'));
    plain.then_some(text)
}
