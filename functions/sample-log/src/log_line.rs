//! The writer of `CloudFront`'s real-time log lines: whoever answers as the edge writes its lines with this.
//!
//! ```
//! use pixel_log::Field;
//! use sample_log::log_line::{push_line, push_logged, push_seconds};
//!
//! let fields = [Field::Timestamp, Field::CsReferer, Field::CsUriQuery];
//! let mut line = Vec::new();
//! push_line(&mut line, &fields, |field, out| match field {
//!     Field::Timestamp => push_seconds(out, 1_793_491_200_007),
//!     Field::CsUriQuery => push_logged(out, b"e=click&p.button=Buy%20now"),
//!     _ => {} // nothing to say
//! });
//! assert_eq!(line, b"1793491200.007\t-\te=click&p.button=Buy%2520now");
//! ```

use pixel_log::Field;

use crate::encoding::{low_byte, push_escaped};

/// `CloudFront` cuts `cs-cookie`, `cs-headers` and `cs-header-names` after so many bytes.
/// Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/real-time-logs.html>
pub const CUT_BYTES: usize = 800;

/// Appends a line without its newline: `push_field` appends each field in turn, encoded, or nothing where the log
/// has `-`. The fields are those of the log's configuration, in `CloudFront`'s order.
pub fn push_line(out: &mut Vec<u8>, fields: &[Field], mut push_field: impl FnMut(Field, &mut Vec<u8>)) {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        let start = out.len();
        push_field(*field, out);
        if out.len() == start {
            out.push(b'-');
        }
    }
}

/// Appends bytes as `CloudFront` writes them into a field.
///
/// The rule is undocumented for real-time logs; the captured lines agree with the table of the standard logs:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html>
pub fn push_logged(out: &mut Vec<u8>, bytes: &[u8]) {
    push_escaped(out, bytes, is_escaped_in_logs);
}

/// Appends the first [`CUT_BYTES`] of an encoded field, wherever that ends: within a header, within an escape.
/// The documentation says no more than "800 bytes"; this is its plainest reading.
pub fn push_cut(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    push_logged(out, bytes);
    out.truncate(start + CUT_BYTES);
}

/// Appends the first entries of a list, each with its newline, that have no more than [`CUT_BYTES`] together before
/// they are encoded. A captured line suggests it: its `cs-headers` ends with a whole header after 457 bytes, while
/// `cs-header-names` goes on to name `cookie`, which would not have fitted if it was long.
pub fn push_whole_entries(out: &mut Vec<u8>, list: &[u8]) {
    let mut left = CUT_BYTES;
    for entry in list.split_inclusive(|byte| *byte == b'\n') {
        match left.checked_sub(entry.len()) {
            Some(rest) => left = rest,
            None => return,
        }
        push_logged(out, entry);
    }
}

/// Whether the log percent-encodes the byte.
pub(crate) fn is_escaped_in_logs(byte: u8) -> bool {
    matches!(
        byte,
        0..=b' '
            | 127..
            | b'<'
            | b'>'
            | b'"'
            | b'#'
            | b'%'
            | b'{'
            | b'}'
            | b'|'
            | b'\\'
            | b'^'
            | b'~'
            | b'['
            | b']'
            | b'`'
            | b'\''
    )
}

/// Appends a number in decimal.
pub fn push_decimal(out: &mut Vec<u8>, number: u64) {
    if number >= 10 {
        push_decimal(out, number / 10);
    }
    out.push(b'0' + low_byte(number % 10));
}

/// Appends a number of milliseconds as seconds with 3 decimals, as all times in the log are: UTC since 1970, or
/// how long something took.
pub fn push_seconds(out: &mut Vec<u8>, millis: u64) {
    push_decimal(out, millis / 1000);
    let rest = millis % 1000;
    out.extend_from_slice(&[
        b'.',
        b'0' + low_byte(rest / 100),
        b'0' + low_byte(rest / 10 % 10),
        b'0' + low_byte(rest % 10),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(push: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_log_leaves_what_the_captured_lines_leave() {
        let kept = "AZaz09:/?&=+,;()*@-._!$";
        assert_eq!(written(|out| push_logged(out, kept.as_bytes())), kept);
        assert_eq!(
            written(|out| push_logged(out, b"\0\t\n <>\"#%{}|\\^~[]`'\x7f\xff")),
            "%00%09%0A%20%3C%3E%22%23%25%7B%7D%7C%5C%5E%7E%5B%5D%60%27%7F%FF"
        );
    }

    #[test]
    fn numbers_have_their_shapes() {
        assert_eq!(written(|out| push_decimal(out, 0)), "0");
        assert_eq!(written(|out| push_decimal(out, u64::MAX)), u64::MAX.to_string());
        assert_eq!(written(|out| push_seconds(out, 7)), "0.007");
        assert_eq!(
            written(|out| push_seconds(out, 1_668_968_526_477)),
            "1668968526.477"
        );
    }

    #[test]
    fn a_list_is_cut_before_the_entry_that_is_too_much() {
        let list = |last: usize| {
            [
                "a:1\n".to_owned(),
                "b: ".repeat(199),
                "\n".into(),
                "c".repeat(last),
                "\nd\n".into(),
            ]
            .concat()
        };
        // 4 bytes, 598 bytes, and then 198 more are 800; `d` is more than that, and so is what comes after it.
        let two = format!("a:1%0A{}%0A", "b:%20".repeat(199));
        let three = format!("{two}{}%0A", "c".repeat(197));
        assert_eq!(
            written(|out| push_whole_entries(out, list(197).as_bytes())),
            three
        );
        assert_eq!(written(|out| push_whole_entries(out, list(198).as_bytes())), two);
        assert_eq!(written(|out| push_whole_entries(out, b"")), "");
    }

    #[test]
    fn a_field_is_cut_wherever_800_bytes_end() {
        let cookie = [b"a".repeat(798), b" b".to_vec()].concat();
        assert_eq!(
            written(|out| push_cut(out, &cookie)),
            format!("{}%2", "a".repeat(798))
        );
        // What stands before the field does not count.
        assert_eq!(
            written(|out| {
                out.push(b'-');
                push_cut(out, &cookie);
            }),
            format!("-{}%2", "a".repeat(798))
        );
    }
}
