//! The two layers of encoding of a log line, each undone exactly once.
//!
//! The *log layer* percent-encodes every field, `%` included, so that a field holds no tab and no newline.
//! Below it, the query of a pixel is *form-encoded* by the page: `+` is a space and values are
//! percent-encoded. `https://x/?a=1` thus stands in the log as `u=https%253A%252F%252Fx%252F%253Fa%253D1`.
//! Decoding a layer twice, or until nothing changes, corrupts data; both layers keep a `%` that begins no
//! escape as it stands.

use std::borrow::Cow;

/// Undoes one layer of percent-encoding. Lone `%` and `%2` stay.
#[must_use]
pub fn percent_decode(bytes: &[u8]) -> Cow<'_, [u8]> {
    decode(bytes, false)
}

/// Undoes the form layer of a name or value: `+` is a space, then percent-encoding.
/// Source: <https://url.spec.whatwg.org/#urlencoded-parsing>
#[must_use]
pub fn form_decode(bytes: &[u8]) -> Cow<'_, [u8]> {
    decode(bytes, true)
}

fn decode(bytes: &[u8], plus_is_space: bool) -> Cow<'_, [u8]> {
    let next = |rest: &[u8]| {
        if plus_is_space {
            memchr::memchr2(b'%', b'+', rest)
        } else {
            memchr::memchr(b'%', rest)
        }
    };
    let Some(first) = next(bytes) else {
        return Cow::Borrowed(bytes);
    };
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut stop = Some(first);
    while let Some((literal, tail)) = stop.and_then(|at| rest.split_at_checked(at)) {
        decoded.extend_from_slice(literal);
        let (byte, used) = match tail {
            [b'%', high, low, ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => (b'%', 1),
            },
            [b'+', ..] => (b' ', 1),
            _ => (b'%', 1),
        };
        decoded.push(byte);
        rest = tail.get(used..).unwrap_or_default();
        stop = next(rest);
    }
    decoded.extend_from_slice(rest);
    Cow::Owned(decoded)
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Bytes as text. What is no UTF-8 becomes U+FFFD, and the flag says so.
pub fn text<'a>(bytes: Cow<'a, [u8]>, utf8_ok: &mut bool) -> Cow<'a, str> {
    match bytes {
        // Checked first: the strict check takes many bytes at a time, the lossy one does not.
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map_or_else(
            |_| {
                *utf8_ok = false;
                String::from_utf8_lossy(bytes)
            },
            Cow::Borrowed,
        ),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).unwrap_or_else(|error| {
            *utf8_ok = false;
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        assert_eq!(&*form_decode(b"a+b%2Bc"), b"a b+c");
    }

    #[test]
    fn invalid_utf8_is_replaced_and_flagged() {
        for bad in [&b"%FF"[..], b"%C0%AF", b"%ED%A0%80", b"ok%E2%82"] {
            let mut ok = true;
            assert!(text(percent_decode(bad), &mut ok).contains('\u{FFFD}'));
            assert!(!ok);
        }
        let mut ok = true;
        assert_eq!(text(percent_decode(b"%E2%82%AC"), &mut ok), "€");
        assert!(ok);
    }

    proptest! {
        /// The `percent-encoding` crate follows the WHATWG rule; both must agree on every input.
        #[test]
        fn agrees_with_percent_encoding(bytes in "([%+a-fA-F0-9]|[ -~]|\\PC){0,60}") {
            prop_assert_eq!(
                percent_decode(bytes.as_bytes()),
                Cow::from(percent_encoding::percent_decode(bytes.as_bytes()))
            );
        }

        #[test]
        fn encoding_then_decoding_is_the_identity(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let encoded = percent_encoding::percent_encode(&bytes, percent_encoding::NON_ALPHANUMERIC).to_string();
            prop_assert_eq!(&*percent_decode(encoded.as_bytes()), &*bytes);
        }
    }
}
