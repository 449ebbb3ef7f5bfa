//! Blocks of bytes that are looked at together.

use fearless_simd::Level;

/// Bytes of a block.
pub const BLOCK: usize = 16;

/// Fewer than [`BLOCK`] bytes as a block, zeros behind them; without the call that a copy of any length is.
/// Of more bytes the first few count.
#[inline]
#[must_use]
pub fn padded(bytes: &[u8]) -> [u8; BLOCK] {
    let (low, high) = if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        // The last eight overlap the first: their head is shifted out.
        let overlap = BLOCK.saturating_sub(bytes.len()) * 8;
        let last = u64::from_le_bytes(*last);
        (
            u64::from_le_bytes(*first),
            last.checked_shr(u32::try_from(overlap).unwrap_or(64))
                .unwrap_or(0),
        )
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let overlap = (8_usize.saturating_sub(bytes.len())) * 8;
        let last = u64::from(u32::from_le_bytes(*last)) >> overlap;
        (u64::from(u32::from_le_bytes(*first)) | last << 32, 0)
    } else {
        let byte = |at: usize| bytes.get(at).copied().map_or(0, u64::from);
        (byte(0) | byte(1) << 8 | byte(2) << 16, 0)
    };
    (u128::from(low) | u128::from(high) << 64).to_le_bytes()
}

/// The widest vectors that the processor has, up to AVX2: those of AVX-512 could not be tested.
#[inline]
#[must_use]
pub fn level() -> Level {
    let level = Level::new();
    #[cfg(target_arch = "x86_64")]
    let level = level.as_avx2().map_or(level, Level::Avx2);
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_padded_with_zeros() {
        let bytes: Vec<u8> = (1..=16).collect();
        for len in 0..=BLOCK {
            let mut expected = [0; BLOCK];
            expected[..len].copy_from_slice(&bytes[..len]);
            assert_eq!(padded(&bytes[..len]), expected, "{len}");
        }
    }
}
