//! Points in time, in UTC milliseconds, and their text.

use std::fmt;

use crate::time_text;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A UTC day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Timestamp {
    /// 2010-01-01T00:00:00Z: nothing that `CloudFront` logs is older.
    pub const EARLIEST: Timestamp = Timestamp(1_262_304_000_000);
    /// 9999-12-31T23:59:59.999Z: the last moment that the text format can hold.
    pub const LATEST: Timestamp = Timestamp(253_402_300_799_999);

    /// From milliseconds since 1970; none outside the years 0000 to 9999, which the text cannot hold.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Option<Timestamp> {
        if millis < -62_167_219_200_000 || millis > Timestamp::LATEST.0 {
            return None;
        }
        Some(Timestamp(millis))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads seconds since 1970 with any number of decimals, as the log writes them (`1668968526.477`).
    /// Digits past the millisecond are cut. No sign, no exponent, no space.
    #[must_use]
    pub fn parse_seconds(text: &[u8]) -> Option<Timestamp> {
        let (seconds, fraction) = match text.iter().position(|&byte| byte == b'.') {
            Some(dot) => (text.get(..dot)?, text.get(dot + 1..)?),
            None => (text, &b""[..]),
        };
        if seconds.len() > 12 || (fraction.is_empty() && seconds.len() != text.len()) {
            return None;
        }
        let mut millis = whole_number(seconds)? * 1000;
        let mut unit = 100;
        for &byte in fraction {
            if !byte.is_ascii_digit() {
                return None;
            }
            millis += i64::from(byte - b'0') * unit;
            unit /= 10;
        }
        Timestamp::from_millis(millis)
    }

    /// Reads whole milliseconds since 1970, as JavaScript's `Date.now()` gives them.
    #[must_use]
    pub fn parse_millis(text: &str) -> Option<Timestamp> {
        match text.len() {
            1..=15 => Timestamp::from_millis(whole_number(text.as_bytes())?),
            _ => None,
        }
    }

    /// The UTC day that this moment lies in.
    #[must_use]
    pub fn day(self) -> Day {
        // Within the years 0000 to 9999, so it fits.
        Day(i32::try_from(self.0.div_euclid(DAY_MS)).unwrap_or(i32::MAX))
    }

    /// The hour of the UTC day, 0 to 23.
    #[must_use]
    pub fn hour(self) -> u8 {
        u8::try_from(self.0.rem_euclid(DAY_MS) / 3_600_000).unwrap_or(0)
    }

    /// The later moment by so many milliseconds, kept within what the text can hold.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Timestamp {
        Timestamp(
            self.0
                .saturating_add(millis)
                .clamp(-62_167_219_200_000, Timestamp::LATEST.0),
        )
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-01T07:12:33.456Z`, 24 bytes. Firehose's OpenX `SerDe`
    /// reads it as a timestamp.
    #[must_use]
    pub fn rfc3339(self) -> [u8; 24] {
        let mut text = self.day().rfc3339_midnight();
        self.write_time_of_day(&mut text);
        text
    }

    /// Writes hours, minutes, seconds and milliseconds over those of another moment of the same day.
    #[inline]
    pub(crate) fn write_time_of_day(self, text: &mut [u8; 24]) {
        let of_day = u32::try_from(self.0.rem_euclid(DAY_MS)).unwrap_or(0);
        let (seconds, millis) = (of_day / 1000, of_day % 1000);
        [text[11], text[12]] = two_digits(seconds / 3600);
        [text[14], text[15]] = two_digits(seconds / 60 % 60);
        [text[17], text[18]] = two_digits(seconds % 60);
        [text[20], text[21]] = two_digits(millis / 10);
        [_, text[22]] = two_digits(millis % 10);
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.rfc3339()).unwrap_or_default())
    }
}

impl Day {
    /// The day that `2026-11-01` names; none for another form or a day that no calendar has.
    #[must_use]
    pub fn parse(text: &str) -> Option<Day> {
        time_text::day_of(text)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The first moment of the day, as [`Timestamp::rfc3339`] writes it.
    pub(crate) fn rfc3339_midnight(self) -> [u8; 24] {
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let (year, month, day) = self.civil();
        let year = u32::try_from(year).unwrap_or(0);
        [text[0], text[1]] = two_digits(year / 100);
        [text[2], text[3]] = two_digits(year % 100);
        [text[5], text[6]] = two_digits(u32::from(month));
        [text[8], text[9]] = two_digits(u32::from(day));
        text
    }

    /// Year, month and day of the proleptic Gregorian calendar.
    /// Source: <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
    #[must_use]
    pub fn civil(self) -> (i32, u8, u8) {
        // Days since -0400-03-01, one era of 400 years before any day that a text can hold: never negative.
        let shifted = u32::try_from(self.0 + 719_468 + 146_097).unwrap_or(0);
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + u32::from(month <= 2);
        (
            year.cast_signed() - 400,
            u8::try_from(month).unwrap_or(1),
            u8::try_from(day).unwrap_or(1),
        )
    }
}

/// `2026-11-01`, the partition column `dt`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// The decimal digits of a number below 100.
#[inline]
fn two_digits(number: u32) -> [u8; 2] {
    usize::try_from(number)
        .ok()
        .and_then(|number| TWO_DIGITS.get(number))
        .copied()
        .unwrap_or(*b"00")
}

#[expect(clippy::indexing_slicing, reason = "checked at compile time")]
const TWO_DIGITS: [[u8; 2]; 100] = {
    let mut digits = [[0; 2]; 100];
    let mut number: u8 = 0;
    while number < 100 {
        digits[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    digits
};

/// A whole number of 1 to 18 ASCII digits, which cannot overflow; no sign, no space.
#[inline]
#[must_use]
pub fn whole_number(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0_i64, |number, &byte| match byte {
        b'0'..=b'9' => Some(number * 10 + i64::from(byte - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Option<i64> {
        Timestamp::parse_seconds(text.as_bytes()).map(Timestamp::as_millis)
    }

    #[test]
    fn seconds_are_read_exactly() {
        // 1668968526.477 is AWS' shape; 1545084650.9 and .90 are the values that float parsers get wrong.
        assert_eq!(millis("1668968526.477"), Some(1_668_968_526_477));
        assert_eq!(millis("1545084650.9"), Some(1_545_084_650_900));
        assert_eq!(millis("1545084650.987654321"), Some(1_545_084_650_987));
        assert_eq!(millis("1545084650"), Some(1_545_084_650_000));
        assert_eq!(millis("0"), Some(0));
        for bad in [
            "",
            "-",
            "-1.000",
            "+1",
            " 1",
            "1.",
            ".5",
            "NaN",
            "1e9",
            "1.2.3",
            "1668968526477000",
            "١",
        ] {
            assert_eq!(millis(bad), None, "{bad}");
        }
    }

    #[test]
    fn text_is_rfc3339_in_utc() {
        // Values from `date -u -d @…`.
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_668_968_526_477, "2022-11-20T18:22:06.477Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (1_709_164_800_001, "2024-02-29T00:00:00.001Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::from_millis(ms).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_day_has_its_own_year_at_the_turn_of_the_year() {
        // 2025-12-31 lies in week 1 of 2026: the trap of `YYYY` in prefixes.
        let last = Timestamp::from_millis(1_767_225_599_999).unwrap();
        assert_eq!(last.day().to_string(), "2025-12-31");
        assert_eq!(last.hour(), 23);
        assert_eq!(last.plus_millis(1).day().to_string(), "2026-01-01");
    }

    #[test]
    fn out_of_range_is_refused() {
        assert_eq!(Timestamp::from_millis(253_402_300_800_000), None);
        // One before 0000-01-01T00:00:00Z, as `date -u -d … +%s` gives that.
        assert_eq!(Timestamp::from_millis(-62_167_219_200_001), None);
        assert_eq!(
            Timestamp::parse_millis("1668968526477").map(Timestamp::as_millis),
            Some(1_668_968_526_477)
        );
        assert_eq!(Timestamp::parse_millis("16689685264770000"), None);
        assert_eq!(Timestamp::parse_millis("-5"), None);
    }

    #[test]
    fn a_number_has_no_more_digits_than_the_last_moment() {
        // 9999-12-31T23:59:59Z by `date -u -d … +%s`. With a zero before it, it is the same number: refused for
        // its length alone.
        let latest = Some(Timestamp::LATEST);
        for (text, expected) in [("253402300799.999", latest), ("0253402300799.999", None)] {
            assert_eq!(Timestamp::parse_seconds(text.as_bytes()), expected, "{text}");
        }
        for (text, expected) in [
            ("253402300799999", latest),
            ("0253402300799999", None),
            ("000000000000000", Timestamp::from_millis(0)),
            ("0000000000000000", None),
            ("", None),
        ] {
            assert_eq!(Timestamp::parse_millis(text), expected, "{text}");
        }
    }

    #[test]
    fn a_whole_number_has_1_to_18_digits() {
        for (text, expected) in [
            ("", None),
            ("9", Some(9)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("0000000000000000000", None), // nineteen
        ] {
            assert_eq!(whole_number(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn adding_stays_within_what_the_text_can_hold() {
        // 0000-01-01T00:00:00Z by `date -u -d … +%s`.
        let first = Timestamp::from_millis(-62_167_219_200_000).unwrap();
        let last = Timestamp::from_millis(253_402_300_799_999).unwrap();
        let start = Timestamp::from_millis(0).unwrap();
        for (from, millis, expected) in [
            (last, -1, 253_402_300_799_998),
            (last, 0, 253_402_300_799_999),
            (last, 1, 253_402_300_799_999),
            (start, i64::MAX, 253_402_300_799_999),
            (last, i64::MAX, 253_402_300_799_999),
            (first, 1, -62_167_219_199_999),
            (first, 0, -62_167_219_200_000),
            (first, -1, -62_167_219_200_000),
            (start, i64::MIN, -62_167_219_200_000),
            (first, i64::MIN, -62_167_219_200_000),
        ] {
            assert_eq!(
                from.plus_millis(millis).as_millis(),
                expected,
                "{from} + {millis}"
            );
        }
    }

    #[test]
    fn a_day_is_read_and_counted_from_1970() {
        for (text, number) in [("1970-01-01", 0), ("1969-12-31", -1), ("2000-03-01", 11_017)] {
            assert_eq!(Day::parse(text).map(Day::number), Some(number), "{text}");
        }
        assert_eq!(Day::parse("2026-02-29"), None);
    }
}
