//! What makes a row the same row: keys that SQL can recompute.

use std::hash::Hasher as _;

use twox_hash::XxHash64;

/// XXH64 with seed 0 as a signed number: what Trino's `from_big_endian_64(xxhash64(…))` gives.
/// Source: <https://trino.io/docs/476/functions/binary.html>
#[must_use]
pub fn xxh64(bytes: &[u8]) -> i64 {
    XxHash64::oneshot(0, bytes).cast_signed()
}

/// The same of parts, one behind the other.
#[must_use]
pub fn xxh64_of(parts: &[&[u8]]) -> i64 {
    let mut hasher = XxHash64::with_seed(0);
    for part in parts {
        hasher.write(part);
    }
    hasher.finish().cast_signed()
}

/// Hash of the raw line without its line end.
#[must_use]
pub fn line_hash(raw: &[u8]) -> i64 {
    xxh64(raw)
}

/// Bytes of an id and a place that are hashed without an allocation; the edge's ids have 56.
const SHORT_KEY: usize = 256;

/// The key of one event: hash of the request's id, or of the raw line where there is none, then `:` and the
/// place in the hit. In Athena: `from_big_endian_64(xxhash64(to_utf8(request_id || ':' || cast(batch_index AS varchar))))`.
#[must_use]
pub fn event_key(request_id: Option<&str>, raw: &[u8], batch_index: usize) -> i64 {
    let head = request_id.map_or(raw, str::as_bytes);
    let mut buffer = itoa::Buffer::new();
    let place = buffer.format(batch_index).as_bytes();
    let mut short = [0; SHORT_KEY];
    let len = head.len() + 1 + place.len();
    let Some(text) = short.get_mut(..len) else {
        return xxh64(&[head, b":", place].concat());
    };
    let (start, end) = text.split_at_mut(head.len());
    start.copy_from_slice(head);
    if let Some((colon, end)) = end.split_first_mut() {
        *colon = b':';
        end.copy_from_slice(place);
    }
    xxh64(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_xxh64_with_seed_0() {
        // Values of the reference implementation (`xxhsum -H64`): "" and "abc".
        assert_eq!(xxh64(b"").cast_unsigned(), 0xef46_db37_51d8_e999);
        assert_eq!(xxh64(b"abc").cast_unsigned(), 0x44bc_2cf5_ad77_0999);
        assert_eq!(line_hash(b"abc"), xxh64(b"abc"));
        // Across the 32 bytes that are hashed at once.
        for len in 0..40 {
            let text = vec![b'x'; len];
            let (start, end) = text.split_at(len / 3);
            assert_eq!(xxh64_of(&[start, b"", end]), xxh64(&text), "{len}");
        }
    }

    #[test]
    fn a_key_is_the_hash_of_id_and_place() {
        assert_eq!(event_key(Some("id"), b"line", 0), xxh64(b"id:0"));
        assert_eq!(event_key(None, b"line", 12), xxh64(b"line:12"));
        // On both sides of what is hashed without an allocation.
        for len in 250..260 {
            let id = "x".repeat(len);
            assert_eq!(
                event_key(Some(&id), b"", 99),
                xxh64(format!("{id}:99").as_bytes())
            );
        }
    }
}
