//! Reads a timestamp as the OpenX JSON `SerDe` does.
//!
//! Formats: <https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion.html>

use std::ops::{Range, RangeInclusive};

use crate::{Day, Timestamp};

/// An integer of so many characters is in milliseconds, a shorter one in seconds.
const MILLIS_LEN: usize = 13;
/// The most digits of a fraction of a second.
const MAX_FRACTION_LEN: usize = 9;

/// `yyyy-MM-dd'T'HH:mm:ss[.S]'Z'`, `yyyy-[M]M-[d]d HH:mm:ss[.S]`, seconds, milliseconds, or seconds with a
/// fraction, since 1970. Digits past the millisecond are cut.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    if let Some(time) = parse_written(text) {
        return Some(time);
    }
    if text.contains(':') {
        return parse_civil(text);
    }
    if text.contains('.') {
        return Timestamp::parse_seconds(text.as_bytes());
    }
    let number: i64 = text.parse().ok()?;
    from_integer(number, text.len())
}

/// An integer as JSON wrote it.
pub(crate) fn parse_integer(number: i64) -> Option<Timestamp> {
    from_integer(number, number.to_string().len())
}

/// Seconds with a fraction, as JSON wrote them; rounded to the millisecond, which undoes the binary fraction.
pub(crate) fn parse_float(seconds: f64) -> Option<Timestamp> {
    // Within these bounds every millisecond has a float of its own.
    if !(-1e12..=1e12).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 10^15")]
    let millis = (seconds * 1000.0).round() as i64;
    Timestamp::from_millis(millis)
}

/// The day that `2026-11-01` names; none for another form or a day that no calendar has.
pub(crate) fn day_of(text: &str) -> Option<Day> {
    let (year, month, day) = date(text, false)?;
    Some(Timestamp::from_millis(days_from_civil(year, month, day) * 86_400_000)?.day())
}

fn from_integer(number: i64, len: usize) -> Option<Timestamp> {
    if len >= MILLIS_LEN {
        Timestamp::from_millis(number)
    } else {
        Timestamp::from_millis(number.checked_mul(1000)?)
    }
}

/// The one form in which our own rows come, `2026-11-01T07:12:33.456Z`, without a search for its parts.
fn parse_written(text: &str) -> Option<Timestamp> {
    let shape = b"0000-00-00T00:00:00.000Z";
    let fits = |(byte, shape): (u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        _ => byte == *shape,
    };
    if text.len() != shape.len() || !text.bytes().zip(shape).all(fits) {
        return None;
    }
    let append = |number, digit| number * 10 + i64::from(digit - b'0');
    let digits = |range: Range<usize>| Some(text.get(range)?.bytes().fold(0, append));
    moment(
        civil_date(digits(0..4)?, digits(5..7)?, digits(8..10)?)?,
        [digits(11..13)?, digits(14..16)?, digits(17..19)?],
        digits(20..23)?,
    )
}

fn parse_civil(text: &str) -> Option<Timestamp> {
    let (date_text, time, short) = if let Some((date, time)) = text.split_once('T') {
        (date, time.strip_suffix('Z')?, false)
    } else {
        let (date, time) = text.split_once(' ')?;
        (date, time, true)
    };
    let date = date(date_text, short)?;
    let (whole, fraction) = match time.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (time, None),
    };
    let mut parts = whole.split(':');
    let mut part = || number(parts.next()?, 2..=2);
    let time = [part()?, part()?, part()?];
    if parts.next().is_some() {
        return None;
    }
    let millis = match fraction {
        None => 0,
        Some(digits) => {
            number(digits, 1..=MAX_FRACTION_LEN)?;
            let mut millis = 0;
            for digit in digits.bytes().chain([b'0'; 3]).take(3) {
                millis = millis * 10 + i64::from(digit - b'0');
            }
            millis
        }
    };
    moment(date, time, millis)
}

/// The moment of a date and its hour, minute and second, if the clock has them.
fn moment(
    (year, month, day): (i64, i64, i64),
    [hour, minute, second]: [i64; 3],
    millis: i64,
) -> Option<Timestamp> {
    if hour >= 24 || minute >= 60 || second >= 60 {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Timestamp::from_millis(seconds * 1000 + millis)
}

/// Year, month and day; `short` lets month and day have one digit.
fn date(text: &str, short: bool) -> Option<(i64, i64, i64)> {
    let shortest = if short { 1 } else { 2 };
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4..=4)?;
    let month = number(parts.next()?, shortest..=2)?;
    let day = number(parts.next()?, shortest..=2)?;
    civil_date(year, month, day).filter(|_| parts.next().is_none())
}

/// A date, if the calendar has it.
fn civil_date(year: i64, month: i64, day: i64) -> Option<(i64, i64, i64)> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=days).contains(&day).then_some((year, month, day))
}

/// So many ASCII digits and nothing else.
fn number(text: &str, lens: RangeInclusive<usize>) -> Option<i64> {
    if lens.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
/// Source: <https://howardhinnant.github.io/date_algorithms.html#days_from_civil>
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_documented_form_is_read() {
        // The examples of the documentation, and their values from `date -u -d … +%s`.
        for (text, millis) in [
            ("2017-02-07T15:13:01.39256Z", 1_486_480_381_392),
            ("2017-02-07T15:13:01Z", 1_486_480_381_000),
            ("2017-02-07 15:13:01.14", 1_486_480_381_140),
            ("2017-2-7 15:13:01", 1_486_480_381_000),
            ("1518033528", 1_518_033_528_000),
            ("1518033528123", 1_518_033_528_123),
            ("1518033528.123", 1_518_033_528_123),
            ("2025-12-31T23:59:59.999Z", 1_767_225_599_999),
            ("2024-02-29T00:00:00.000000001Z", 1_709_164_800_000),
            ("1969-12-31T23:59:59.999Z", -1),
            ("0", 0),
            ("-1", -1_000),
        ] {
            assert_eq!(parse(text).map(Timestamp::as_millis), Some(millis), "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            " ",
            "today",
            "2026-11-01",
            "2026-11-01T07:00:00",
            "2026-11-01T07:00:00+00:00",
            "2026-11-01T7:00:00Z",
            "2026-1-1T07:00:00Z",
            "2026-11-01T07:00Z",
            "2026-11-01T24:00:00Z",
            "2026-11-01T07:60:00Z",
            "2026-11-01T07:00:60Z",
            "2026-11-01T07:00:00.Z",
            "2026-11-01T07:00:00.1234567890Z",
            "2026-11-01T07:00:00:00Z",
            "2026-02-29T07:00:00Z",
            "2026-13-01T07:00:00Z",
            "2026-00-01T07:00:00Z",
            "2026-11-00T07:00:00Z",
            "2026-11-01-01T07:00:00Z",
            "26-11-01 07:00:00",
            "２026-11-01T07:00:00Z",
            "99999999999999999999",
            "1e9",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse_float(f64::NAN), None);
        assert_eq!(parse_float(1e300), None);
        assert_eq!(parse_integer(i64::MIN), None);
    }

    #[test]
    fn numbers_are_read_like_their_texts() {
        assert_eq!(parse_integer(1_518_033_528), parse("1518033528"));
        assert_eq!(parse_integer(1_518_033_528_123), parse("1518033528123"));
        assert_eq!(parse_float(1_518_033_528.123), parse("1518033528.123"));
        // The two values that a cut instead of a rounding gets wrong.
        assert_eq!(parse_float(1_668_968_526.477), parse("1668968526.477"));
        assert_eq!(parse_float(1_545_084_650.9), parse("1545084650.9"));
    }

    #[test]
    fn a_day_is_read_in_one_form_only() {
        assert_eq!(
            day_of("2026-11-01").map(|day| day.to_string()).as_deref(),
            Some("2026-11-01")
        );
        for text in [
            "2026-11-1",
            "2026-11-31",
            "20261101",
            "2026-11-01 ",
            "",
            "0000-00-00",
        ] {
            assert!(day_of(text).is_none(), "{text}");
        }
    }

    /// Day for day through all years that a text can hold, with nothing but the lengths of the months.
    #[test]
    fn both_calendars_are_the_gregorian_one() {
        let mut number = -719_528; // 0000-01-01 before 1970-01-01, by `date -u -d 0000-01-01 +%s`
        for year in 0..10_000 {
            // Of full centuries only every fourth is a leap year: 1600 and 2000, not 1900.
            let leap = if year % 100 == 0 { year / 100 } else { year } % 4 == 0;
            let february = if leap { 29 } else { 28 };
            let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, days) in (1_u8..).zip(months) {
                for day in 1..=days {
                    let time = Timestamp::from_millis(number * 86_400_000).unwrap();
                    assert_eq!(time.day().civil(), (year, month, day));
                    let found = days_from_civil(year.into(), month.into(), day.into());
                    assert_eq!(found, number, "{year}-{month}-{day}");
                    number += 1;
                }
                let is_day = |day: u8| day_of(&format!("{year:04}-{month:02}-{day:02}")).is_some();
                assert!(is_day(days) && !is_day(days + 1), "{year}-{month}");
            }
        }
    }

    proptest! {
        // One character wrong at the most: the short way reads no more than the other, and the same.
        #[test]
        fn a_written_time_is_read_as_any_other(
            millis in -62_167_219_200_000_i64..=253_402_300_799_999,
            at in 0..24_usize,
            character in "[0-9:.TZ+ -]",
        ) {
            let mut text = Timestamp::from_millis(millis).unwrap().to_string();
            prop_assert_eq!(parse_written(&text), parse_civil(&text));
            text.replace_range(at..=at, &character);
            if let Some(time) = parse_written(&text) {
                prop_assert_eq!(Some(time), parse_civil(&text));
            }
        }

        #[test]
        fn what_pixel_log_writes_is_read_again(millis in -62_167_219_200_000_i64..=253_402_300_799_999) {
            let time = Timestamp::from_millis(millis).unwrap();
            prop_assert_eq!(parse(&time.to_string()), Some(time));
            prop_assert_eq!(day_of(&time.day().to_string()), Some(time.day()));
        }
    }
}
