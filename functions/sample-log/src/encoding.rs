//! The encodings that a value passes before it reaches the edge, and ids as text.
//!
//! A page encodes a value with `encodeURIComponent`; the log then encodes the field again, `%` included, as
//! [`log_line`](crate::log_line) does. So `:` travels as `%3A` and is logged as `%253A`.

/// Appends text as `encodeURIComponent` of a browser writes it.
pub(super) fn push_uri_component(out: &mut Vec<u8>, text: &[u8]) {
    push_escaped(out, text, |byte| {
        !(byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')'
            ))
    });
}

/// Appends a path as a browser's address bar hands it to scripts: text outside ASCII and spaces encoded.
pub(super) fn push_path(out: &mut Vec<u8>, path: &str) {
    push_escaped(out, path.as_bytes(), |byte| !byte.is_ascii_graphic());
}

/// Copies whole runs: most bytes stay as they are, and the sample is measured in lines per second.
pub(super) fn push_escaped(out: &mut Vec<u8>, bytes: &[u8], is_escaped: impl Fn(u8) -> bool) {
    for run in bytes.split_inclusive(|byte| is_escaped(*byte)) {
        match run.split_last() {
            Some((last, kept)) if is_escaped(*last) => {
                out.extend_from_slice(kept);
                out.extend_from_slice(&[b'%', hex_digit(last >> 4), hex_digit(last & 15)]);
            }
            _ => out.extend_from_slice(run),
        }
    }
}

/// The upper-case hexadecimal digit of a number below 16.
fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'A' + (nibble - 10),
    }
}

/// Appends 128 bits as a UUID of version 4.
pub(super) fn push_uuid(out: &mut Vec<u8>, [high, low]: [u64; 2]) {
    let high = (high & !0xF000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    for (nibbles, bits) in [
        (8, high >> 32),
        (4, high >> 16),
        (4, high),
        (4, low >> 48),
        (12, low),
    ] {
        if nibbles != 8 {
            out.push(b'-');
        }
        for place in (0..nibbles).rev() {
            out.push(hex_digit(low_byte(bits >> (4 * place)) & 15).to_ascii_lowercase());
        }
    }
}

/// Appends so many characters of URL-safe base64, 6 bits each; at most 10.
pub(super) fn push_base64url(out: &mut Vec<u8>, mut bits: u64, characters: u32) {
    for _ in 0..characters {
        out.push(match low_byte(bits) & 63 {
            six @ 0..=25 => b'A' + six,
            six @ 26..=51 => b'a' + (six - 26),
            six @ 52..=61 => b'0' + (six - 52),
            62 => b'-',
            _ => b'_',
        });
        bits >>= 6;
    }
}

/// The lowest 8 bits.
pub(super) fn low_byte(number: u64) -> u8 {
    let [byte, ..] = number.to_le_bytes();
    byte
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_line::push_logged;

    fn written(push: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_value_is_encoded_once_by_the_page_and_once_by_the_log() {
        let page = written(|out| push_uri_component(out, "https://a.example/ü b'~".as_bytes()));
        assert_eq!(page, "https%3A%2F%2Fa.example%2F%C3%BC%20b'~");
        let log = written(|out| push_logged(out, page.as_bytes()));
        assert_eq!(log, "https%253A%252F%252Fa.example%252F%25C3%25BC%2520b%27%7E");
    }

    #[test]
    fn ids_have_their_shapes() {
        assert_eq!(
            written(|out| push_uuid(out, [0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210])),
            "01234567-89ab-4def-bedc-ba9876543210"
        );
        assert_eq!(written(|out| push_base64url(out, 0b11_1111_0000_0001, 3)), "B8D");
    }
}
