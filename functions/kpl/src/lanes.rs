//! The MD5 of many messages, eight at a time.
//!
//! MD5 is one chain of steps in which each waits for the one before, so one message leaves most of a
//! processor idle, and eight messages do not. Each has a lane to itself: first its whole blocks, where they
//! lie, then what is left of it with the padding. As soon as a lane is free, the next message takes it.

use std::array;

use md5::block_api;

use crate::compress::{Block, LANES, State, compress};
use crate::frame::DIGEST_LEN;

/// A message's state before its first block: A, B, C and D of RFC 1321, section 3.3.
const INITIAL: State = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// Where in a message's last block its length stands.
const LENGTH_AT: usize = size_of::<Block>() - size_of::<u64>();

/// Writes the MD5 of each message into the room that comes with it.
pub(crate) fn digest_all<'a>(mut messages: impl Iterator<Item = (&'a [u8], &'a mut [u8; DIGEST_LEN])>) {
    let mut next = || messages.next().map(|(message, room)| Lane::new(message, room));
    let mut lanes: [Option<Lane<'a>>; LANES] = array::from_fn(|_| next());
    loop {
        let mut busy = lanes.iter_mut().flatten();
        match (busy.next(), busy.next()) {
            (None, _) => return,
            (Some(only), None) => only.advance_alone(),
            (Some(_), Some(_)) => advance_all(&mut lanes),
        }
        for lane in &mut lanes {
            if let Some(done) = lane.take_if(|lane| lane.blocks().is_empty()) {
                done.write_digest();
                *lane = next();
            }
        }
    }
}

/// Takes every lane over as many blocks as all of them have. A lane without a message goes over a
/// neighbour's, for nothing.
fn advance_all(lanes: &mut [Option<Lane<'_>>; LANES]) {
    let fewest = lanes
        .iter()
        .flatten()
        .map(Lane::blocks)
        .min_by_key(|blocks| blocks.len());
    let fewest = fewest.unwrap_or_default();
    let count = fewest.len();
    let lane = |lane: &Option<Lane<'_>>| lane.as_ref().map_or(INITIAL, |lane| lane.state);
    let states = lanes.each_ref().map(lane);
    let blocks = lanes
        .each_ref()
        .map(|lane| lane.as_ref().map_or(fewest, Lane::blocks));
    let states = compress(states, blocks);
    for (lane, state) in lanes.iter_mut().zip(states) {
        if let Some(lane) = lane {
            lane.move_on(state, count);
        }
    }
}

/// One message on its way.
struct Lane<'a> {
    state: State,
    /// Whole blocks of the message that are still to come.
    whole: &'a [Block],
    /// What is left of the message, a bit that is set, zeros and the message's length. All that fits into
    /// two blocks; if it fits into one, that is the second.
    end: [Block; 2],
    /// Blocks of `end` that are done, or were never needed.
    end_done: usize,
    room: &'a mut [u8; DIGEST_LEN],
}

impl<'a> Lane<'a> {
    fn new(message: &'a [u8], room: &'a mut [u8; DIGEST_LEN]) -> Self {
        let (whole, left) = message.as_chunks();
        let mut end = [[0; size_of::<Block>()]; 2];
        let end_done = usize::from(left.len() < LENGTH_AT);
        let bytes = end.get_mut(end_done..).unwrap_or_default().as_flattened_mut();
        if let Some((start, [mark, ..])) = bytes.split_at_mut_checked(left.len()) {
            start.copy_from_slice(left);
            *mark = 0x80;
        }
        if let Some(length) = bytes.last_chunk_mut() {
            *length = (message.len() as u64 * 8).to_le_bytes(); // in bits
        }
        Self {
            state: INITIAL,
            whole,
            end,
            end_done,
            room,
        }
    }

    /// The blocks that come next and lie in one piece. None if the message is done.
    fn blocks(&self) -> &[Block] {
        if self.whole.is_empty() {
            self.end.get(self.end_done..).unwrap_or_default()
        } else {
            self.whole
        }
    }

    /// Notes the state after `count` of the blocks.
    fn move_on(&mut self, state: State, count: usize) {
        self.state = state;
        if self.whole.is_empty() {
            self.end_done += count;
        } else {
            self.whole = self.whole.get(count..).unwrap_or_default();
        }
    }

    /// Goes over the blocks without the other lanes: all of them together take a sixth to three
    /// quarters longer.
    fn advance_alone(&mut self) {
        let mut state = self.state;
        let blocks = self.blocks();
        let count = blocks.len();
        block_api::compress(&mut state, blocks);
        self.move_on(state, count);
    }

    fn write_digest(self) {
        for (bytes, word) in self.room.as_chunks_mut().0.iter_mut().zip(self.state) {
            *bytes = word.to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest, Md5};
    use proptest::prelude::*;
    use proptest::sample::Index;

    fn digests(messages: &[&[u8]]) -> Vec<[u8; DIGEST_LEN]> {
        let mut digests = vec![[0; DIGEST_LEN]; messages.len()];
        digest_all(messages.iter().copied().zip(&mut digests));
        digests
    }

    /// Bytes without a pattern that blocks or lanes could share.
    fn noise(len: usize) -> Vec<u8> {
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let states = std::iter::successors(Some(1), next);
        states
            .map(|state: u32| state.to_be_bytes()[0])
            .take(len)
            .collect()
    }

    /// RFC 1321, appendix A.5.
    const RFC_1321: [(&str, u128); 7] = [
        ("", 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e),
        ("a", 0x0cc1_75b9_c0f1_b6a8_31c3_99e2_6977_2661),
        ("abc", 0x9001_5098_3cd2_4fb0_d696_3f7d_28e1_7f72),
        ("message digest", 0xf96b_697d_7cb7_938d_525a_2f31_aaf1_61d0),
        (
            "abcdefghijklmnopqrstuvwxyz",
            0xc3fc_d3d7_6192_e400_7dfb_496c_ca67_e13b,
        ),
        (
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            0xd174_ab98_d277_d9f5_a561_1c2c_9f41_9d9f,
        ),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            0x57ed_f4a2_2be3_c955_ac49_da2e_2107_b67a,
        ),
    ];

    #[test]
    fn the_digests_of_rfc_1321_come_from_any_lane_and_from_a_message_alone() {
        // 25 of them in a row put each of the seven into each of the eight lanes.
        let many: Vec<_> = RFC_1321.iter().cycle().take(7 * 25).collect();
        for vectors in many.chunks(1).chain([&many[..]]) {
            let messages: Vec<_> = vectors.iter().map(|(message, _)| message.as_bytes()).collect();
            let expected: Vec<_> = vectors.iter().map(|(_, md5)| md5.to_be_bytes()).collect();
            assert_eq!(digests(&messages), expected);
        }
    }

    #[test]
    fn messages_of_every_length_have_the_digests_of_the_crate_md5() {
        // 7,919 and 20,001 share no factor: each length once, long ones beside short ones.
        let lengths = (0..=20_000).map(|n| n * 7_919 % 20_001);
        let bytes = noise(40_000);
        let messages: Vec<_> = lengths.map(|len| &bytes[20_000 - len..][..len]).collect();
        for (message, md5) in messages.iter().zip(digests(&messages)) {
            assert_eq!(md5, *Md5::digest(message), "{} bytes", message.len());
        }
    }

    proptest! {
        #[test]
        fn any_batch_has_the_digests_of_the_crate_md5(
            messages in prop::collection::vec((any::<Index>(), 0..6_000_usize), 0..40),
        ) {
            let bytes = noise(12_000);
            let messages: Vec<_> = messages.iter().map(|(at, len)| &bytes[at.index(6_000)..][..*len]).collect();
            let expected: Vec<[u8; DIGEST_LEN]> =
                messages.iter().map(|message| Md5::digest(message).into()).collect();
            prop_assert_eq!(digests(&messages), expected);
        }
    }
}
