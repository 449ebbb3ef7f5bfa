//! The step from block to block of MD5, for eight messages at once: a vector holds the same word of each.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc1321>, section 3.4.

#![allow(
    clippy::many_single_char_names,
    reason = "the names of RFC 1321, and eight lanes side by side"
)]
#![allow(
    clippy::inline_always,
    reason = "what is not inlined is compiled for the plainest processor"
)]

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x16, u32x4, u32x8};

/// Messages at once.
pub(crate) const LANES: usize = 8;

/// What a message is cut into: 16 words of 32 bits.
pub(crate) type Block = [u8; 64];

/// What the blocks so far have made of a message's four words A, B, C and D.
pub(crate) type State = [u32; 4];

/// The states after more blocks: of each lane as many as the lane with the fewest has.
pub(crate) fn compress(states: [State; LANES], blocks: [&[Block]; LANES]) -> [State; LANES] {
    dispatch!(level(), simd => compress_by(simd, states, blocks))
}

/// The widest vectors that the processor has, up to AVX2: those of AVX-512 could not be tested, and were no
/// faster.
fn level() -> Level {
    let level = Level::new();
    #[cfg(target_arch = "x86_64")]
    let level = level.as_avx2().map_or(level, Level::Avx2);
    level
}

/// The same with vectors of a width. What is called from here is inlined, so that it may use them too.
#[inline(always)]
fn compress_by<S: Simd>(simd: S, states: [State; LANES], blocks: [&[Block]; LANES]) -> [State; LANES] {
    let [a, b, c, d, e, f, g, h] = states.map(|state| state.simd_into(simd));
    let mut state = gather([a, b, c, d], [e, f, g, h]);
    let [a, b, c, d, e, f, g, h] = blocks;
    let abreast = a.iter().zip(b).zip(c).zip(d).zip(e).zip(f).zip(g).zip(h);
    for (((((((a, b), c), d), e), f), g), h) in abreast {
        state = compress_one(simd, state, &words(simd, [a, b, c, d], [e, f, g, h]));
    }
    let halves = state.map(u32x8::split);
    let [a, b, c, d] = transpose(halves.map(|(low, _)| low));
    let [e, f, g, h] = transpose(halves.map(|(_, high)| high));
    [a, b, c, d, e, f, g, h].map(u32x4::to_array)
}

/// The words of the lanes' blocks, four by four, and all of them once more, so that a round may begin with any
/// four and never comes to the end.
#[inline(always)]
fn words<S: Simd>(simd: S, low: [&Block; 4], high: [&Block; 4]) -> [[u32x8<S>; 4]; 8] {
    let mut words = [[u32x8::splat(simd, 0); 4]; 8];
    let (first, again) = words.split_at_mut(4);
    for (position, (first, again)) in first.iter_mut().zip(again).enumerate() {
        let four = |block: &Block| {
            let bytes = block.as_chunks().0.get(position);
            u8x16::load_array(simd, bytes.copied().unwrap_or_default()).bitcast()
        };
        *first = gather(low.map(four), high.map(four));
        *again = *first;
    }
    words
}

// The words of a block have their lowest byte first, and so have those of every processor that Lambda has.
const _: () = assert!(cfg!(target_endian = "little"), "loads words as they lie");

/// From four words of each lane, four vectors of one word of all lanes.
#[inline(always)]
fn gather<S: Simd>(low: [u32x4<S>; 4], high: [u32x4<S>; 4]) -> [u32x8<S>; 4] {
    let ([a, b, c, d], [e, f, g, h]) = (transpose(low), transpose(high));
    [a.combine(e), b.combine(f), c.combine(g), d.combine(h)]
}

/// Rows to columns. Taking words in turn from the rows 0 and 2, and from 1 and 3, moves the highest bit of a
/// word's row to the lowest of its column; done twice, row and column have changed places.
#[inline(always)]
fn transpose<S: Simd>(rows: [u32x4<S>; 4]) -> [u32x4<S>; 4] {
    let interleave = |[a, b, c, d]: [u32x4<S>; 4]| [a.zip_low(c), a.zip_high(c), b.zip_low(d), b.zip_high(d)];
    interleave(interleave(rows))
}

/// The sine of each step's number, 1 to 64 in radians: its absolute value times 2^32, without the fraction.
static SINES: [[[[u32; LANES]; 4]; 4]; 4] = [
    [
        [k(0xd76a_a478), k(0xe8c7_b756), k(0x2420_70db), k(0xc1bd_ceee)],
        [k(0xf57c_0faf), k(0x4787_c62a), k(0xa830_4613), k(0xfd46_9501)],
        [k(0x6980_98d8), k(0x8b44_f7af), k(0xffff_5bb1), k(0x895c_d7be)],
        [k(0x6b90_1122), k(0xfd98_7193), k(0xa679_438e), k(0x49b4_0821)],
    ],
    [
        [k(0xf61e_2562), k(0xc040_b340), k(0x265e_5a51), k(0xe9b6_c7aa)],
        [k(0xd62f_105d), k(0x0244_1453), k(0xd8a1_e681), k(0xe7d3_fbc8)],
        [k(0x21e1_cde6), k(0xc337_07d6), k(0xf4d5_0d87), k(0x455a_14ed)],
        [k(0xa9e3_e905), k(0xfcef_a3f8), k(0x676f_02d9), k(0x8d2a_4c8a)],
    ],
    [
        [k(0xfffa_3942), k(0x8771_f681), k(0x6d9d_6122), k(0xfde5_380c)],
        [k(0xa4be_ea44), k(0x4bde_cfa9), k(0xf6bb_4b60), k(0xbebf_bc70)],
        [k(0x289b_7ec6), k(0xeaa1_27fa), k(0xd4ef_3085), k(0x0488_1d05)],
        [k(0xd9d4_d039), k(0xe6db_99e5), k(0x1fa2_7cf8), k(0xc4ac_5665)],
    ],
    [
        [k(0xf429_2244), k(0x432a_ff97), k(0xab94_23a7), k(0xfc93_a039)],
        [k(0x655b_59c3), k(0x8f0c_cc92), k(0xffef_f47d), k(0x8584_5dd1)],
        [k(0x6fa8_7e4f), k(0xfe2c_e6e0), k(0xa301_4314), k(0x4e08_11a1)],
        [k(0xf753_7e82), k(0xbd3a_f235), k(0x2ad7_d2bb), k(0xeb86_d391)],
    ],
];

/// The same word for all lanes.
const fn k(word: u32) -> [u32; LANES] {
    [word; LANES]
}

#[inline(always)]
fn f<S: Simd>(x: u32x8<S>, y: u32x8<S>, z: u32x8<S>) -> u32x8<S> {
    z ^ (x & (y ^ z)) // RFC 1321's (x & y) | (!x & z)
}

#[inline(always)]
fn g<S: Simd>(x: u32x8<S>, y: u32x8<S>, z: u32x8<S>) -> u32x8<S> {
    f(z, x, y)
}

#[inline(always)]
fn h<S: Simd>(x: u32x8<S>, y: u32x8<S>, z: u32x8<S>) -> u32x8<S> {
    x ^ y ^ z
}

#[inline(always)]
fn i<S: Simd>(x: u32x8<S>, y: u32x8<S>, z: u32x8<S>) -> u32x8<S> {
    y ^ (x | !z)
}

/// The state after one more block of each lane: four rounds of 16 steps each.
///
/// Step *n* of a round, from 0, takes word *n*, 5*n* + 1, 3*n* + 5 or 7*n* modulo 16. Four steps later that is
/// four words further on in the first two rounds, and four words back in the others; so the words are looked
/// at through a window that moves.
///
/// The rounds are loops for speed. In one straight line of steps the compiler puts all of one half of a vector
/// before all of the other, and a processor waits for each as for a single message.
#[inline(always)]
fn compress_one<S: Simd>(simd: S, state: [u32x8<S>; 4], words: &[[u32x8<S>; 4]; 8]) -> [u32x8<S>; 4] {
    let ascending = || words.array_windows::<4>();
    let descending = || words.array_windows::<4>().rev();
    let mut s = state;
    for (w, k) in ascending().zip(&SINES[0]) {
        s = steps::<S, 7, 12, 17, 22>(simd, f, s, w[0], k);
    }
    for (w, k) in ascending().zip(&SINES[1]) {
        s = steps::<S, 5, 9, 14, 20>(simd, g, s, [w[0][1], w[1][2], w[2][3], w[0][0]], k);
    }
    for (w, k) in descending().zip(&SINES[2]) {
        s = steps::<S, 4, 11, 16, 23>(simd, h, s, [w[1][1], w[2][0], w[2][3], w[3][2]], k);
    }
    for (w, k) in descending().zip(&SINES[3]) {
        s = steps::<S, 6, 10, 15, 21>(simd, i, s, [w[0][0], w[1][3], w[3][2], w[1][1]], k);
    }
    let [[a, b, c, d], [e, f, g, h]] = [state, s];
    [a + e, b + f, c + g, d + h]
}

/// Four steps, after which each word of the state stands where it began.
#[inline(always)]
fn steps<S: Simd, const S1: u32, const S2: u32, const S3: u32, const S4: u32>(
    simd: S,
    mix: impl Fn(u32x8<S>, u32x8<S>, u32x8<S>) -> u32x8<S>,
    [a, b, c, d]: [u32x8<S>; 4],
    [w1, w2, w3, w4]: [u32x8<S>; 4],
    sines: &[[u32; LANES]; 4],
) -> [u32x8<S>; 4] {
    let [k1, k2, k3, k4] = sines.map(|sines| u32x8::load_array(simd, sines));
    let a = b + rotate_left::<S, S1>(a + k1 + w1 + mix(b, c, d));
    let d = a + rotate_left::<S, S2>(d + k2 + w2 + mix(a, b, c));
    let c = d + rotate_left::<S, S3>(c + k3 + w3 + mix(d, a, b));
    let b = c + rotate_left::<S, S4>(b + k4 + w4 + mix(c, d, a));
    [a, b, c, d]
}

#[inline(always)]
fn rotate_left<S: Simd, const BITS: u32>(x: u32x8<S>) -> u32x8<S> {
    (x << BITS) | (x >> (32 - BITS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::block_api;
    use std::array;

    /// A processor takes one way; here are those that others take, as far as this one can.
    #[test]
    fn vectors_of_every_width_give_the_same() {
        // Another state and other bytes in each lane.
        let states: [State; LANES] = array::from_fn(|lane| [1, 2, 3, 4].map(|word| word << lane));
        let bytes = (0..LANES * 3 * 64).map(|at| u8::try_from(at * at / 7 % 251).unwrap());
        let bytes: Vec<u8> = bytes.collect();
        let blocks: [&[Block]; LANES] = array::from_fn(|lane| &bytes.as_chunks().0[lane * 3..][..3]);
        let mut expected = states;
        for (state, blocks) in expected.iter_mut().zip(blocks) {
            block_api::compress(state, blocks);
        }
        let check = |way: &str, given: Option<[State; LANES]>| match given {
            Some(given) => assert_eq!(given, expected, "{way}"),
            None => println!("{way} skipped: this processor lacks it"),
        };
        macro_rules! way {
            ($simd:expr) => {
                check(
                    stringify!($simd),
                    $simd.map(|simd| simd.vectorize(|| compress_by(simd, states, blocks))),
                )
            };
        }
        let level = Level::new();
        check("own", Some(compress(states, blocks)));
        #[cfg(target_arch = "x86_64")]
        {
            way!(level.as_sse2());
            way!(level.as_sse4_2());
            way!(level.as_avx2());
        }
        #[cfg(target_arch = "aarch64")]
        way!(level.as_neon());
    }
}
