//! Where certain bytes stand, found a block at a time.

use pixel_row::block::{BLOCK, padded};
use wide::u8x16;

/// The places of marks in a text, in order. A mark is a byte that the test finds in a block; 0 is none.
pub(crate) struct Marks<'a, T> {
    bytes: &'a [u8],
    is_mark: T,
    /// Where the block after the present one begins.
    next: usize,
    /// The marks of the present block that are left, a bit for each.
    left: u32,
}

impl<'a, T: Fn(u8x16) -> u8x16> Marks<'a, T> {
    #[inline]
    pub(crate) fn new(bytes: &'a [u8], is_mark: T) -> Marks<'a, T> {
        Marks {
            bytes,
            is_mark,
            next: 0,
            left: 0,
        }
    }
}

impl<T: Fn(u8x16) -> u8x16> Iterator for Marks<'_, T> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            let rest = self.bytes.get(self.next..).filter(|rest| !rest.is_empty())?;
            let block = rest.first_chunk().map_or_else(|| padded(rest), |block| *block);
            self.left = (self.is_mark)(u8x16::new(block)).to_bitmask();
            self.next += BLOCK;
        }
        let at = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(self.next - BLOCK + at)
    }
}

/// The test for one byte.
#[inline]
pub(crate) fn is(byte: u8) -> impl Fn(u8x16) -> u8x16 {
    move |block| block.simd_eq(u8x16::splat(byte))
}

/// The test for any of several bytes.
#[inline]
pub(crate) fn is_any<const N: usize>(bytes: [u8; N]) -> impl Fn(u8x16) -> u8x16 {
    move |block| {
        bytes.into_iter().fold(u8x16::ZERO, |found, byte| {
            found | block.simd_eq(u8x16::splat(byte))
        })
    }
}

/// The first place of a byte.
#[inline]
pub(crate) fn first(byte: u8, bytes: &[u8]) -> Option<usize> {
    Marks::new(bytes, is(byte)).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_mark_is_found_once_in_order(bytes in "[ab&=é]{0,70}") {
            let places = |wanted: &[u8]| -> Vec<usize> {
                let bytes = bytes.bytes().enumerate();
                bytes.filter(|(_, byte)| wanted.contains(byte)).map(|(place, _)| place).collect()
            };
            prop_assert_eq!(Marks::new(bytes.as_bytes(), is(b'&')).collect::<Vec<_>>(), places(b"&"));
            let any = Marks::new(bytes.as_bytes(), is_any([b'&', b'='])).collect::<Vec<_>>();
            prop_assert_eq!(any, places(b"&="));
            prop_assert_eq!(first(b'=', bytes.as_bytes()), places(b"=").first().copied());
        }
    }
}
