//! The MD5 over a blob's protobuf. MD5 guards against damage here, not against malice.

use std::ops::Range;

use md5::{Digest, Md5};

use crate::wire::MAGIC;

/// Bytes of the digest that ends a blob.
pub const DIGEST_LEN: usize = 16;

/// MD5 of `bytes`.
pub(crate) fn digest(bytes: &[u8]) -> [u8; DIGEST_LEN] {
    Md5::digest(bytes).into()
}

/// Fills in the digests of finished blobs. A range covers one blob in `buffer`, from its magic number to the
/// room left for its digest.
///
/// All blobs come in one call because MD5 cannot be spread over the lanes of a processor within one message,
/// only over several messages. Whoever replaces the loop has all of them here.
pub(crate) fn seal(buffer: &mut [u8], blobs: impl Iterator<Item = Range<usize>>) {
    for range in blobs {
        let blob = buffer
            .get_mut(range)
            .and_then(|blob| blob.split_last_chunk_mut::<DIGEST_LEN>());
        if let Some((signed, room)) = blob {
            *room = digest(signed.get(MAGIC.len()..).unwrap_or_default());
        }
    }
}
