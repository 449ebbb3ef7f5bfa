//! The MD5 over a blob's protobuf. MD5 guards against damage here, not against malice.

use std::mem;
use std::ops::Range;

use md5::{Digest, Md5};

use crate::frame::{DIGEST_LEN, MAGIC};
use crate::lanes;

/// MD5 of `bytes`.
pub(crate) fn digest(bytes: &[u8]) -> [u8; DIGEST_LEN] {
    Md5::digest(bytes).into()
}

/// Fills in the digests of finished blobs. A range covers one blob in `buffer`, from its magic number to the
/// room left for its digest; the ranges come in the order of the buffer.
///
/// All blobs come in one call because MD5 gains from a processor's vectors only over several messages.
pub(crate) fn seal(buffer: &mut [u8], blobs: impl Iterator<Item = Range<usize>>) {
    let (mut rest, mut rest_at) = (buffer, 0);
    lanes::digest_all(blobs.filter_map(move |blob| {
        let (before, after) = mem::take(&mut rest).split_at_mut_checked(blob.end - rest_at)?;
        let (signed, room) = before.get_mut(blob.start - rest_at..)?.split_last_chunk_mut()?;
        (rest, rest_at) = (after, blob.end);
        Some((signed.get(MAGIC.len()..)?, room))
    }));
}
