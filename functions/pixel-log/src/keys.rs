//! What makes a row the same row: keys that SQL can recompute.

use twox_hash::XxHash64;

use crate::fields::Field;
use crate::line::LogLine;

/// Longer ids are none of the edge's: its own have 56 characters.
const MAX_REQUEST_ID: usize = 200;

/// XXH64 with seed 0 as a signed number: what Trino's `from_big_endian_64(xxhash64(…))` gives.
/// Source: <https://trino.io/docs/476/functions/binary.html>
#[must_use]
pub fn xxh64(bytes: &[u8]) -> i64 {
    XxHash64::oneshot(0, bytes).cast_signed()
}

/// The edge's id of the request as logged; none where it is missing, too long, or no text.
pub(crate) fn request_id<'a>(line: &LogLine<'a>) -> Option<&'a str> {
    let id = line
        .bytes(Field::XEdgeRequestId)
        .filter(|id| id.len() <= MAX_REQUEST_ID)?;
    std::str::from_utf8(id).ok()
}

/// Hash of the raw line without its line end.
#[must_use]
pub fn line_hash(raw: &[u8]) -> i64 {
    xxh64(raw)
}

/// The key of one event: hash of the request's id, or of the raw line where there is none, then `:` and the
/// place in the hit. In Athena: `from_big_endian_64(xxhash64(to_utf8(request_id || ':' || cast(batch_index AS varchar))))`.
#[must_use]
pub fn event_key(request_id: Option<&str>, raw: &[u8], batch_index: usize) -> i64 {
    let head = request_id.map_or(raw, str::as_bytes);
    let mut text = Vec::with_capacity(head.len() + 4);
    text.extend_from_slice(head);
    text.push(b':');
    text.extend_from_slice(batch_index.to_string().as_bytes());
    xxh64(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_xxh64_with_seed_0() {
        // Values of the reference implementation (`xxhsum -H64`): "" and "abc".
        assert_eq!(xxh64(b"").cast_unsigned(), 0xef46_db37_51d8_e999);
        assert_eq!(xxh64(b"abc").cast_unsigned(), 0x44bc_2cf5_ad77_0999);
    }

    #[test]
    fn a_key_is_the_hash_of_id_and_place() {
        assert_eq!(event_key(Some("id"), b"line", 0), xxh64(b"id:0"));
        assert_eq!(event_key(None, b"line", 12), xxh64(b"line:12"));
    }
}
