//! A key table: each key once, found again by its bytes.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::ops::Range;

use crate::wire;

/// A key table of the open blob, as it will stand on the wire.
///
/// Most blobs hold one key, pushed over and over: that costs one comparison and no hash. From the second key
/// on, an index finds keys in constant time, so that a blob of 100,000 keys is no more work than its bytes.
/// All memory is kept from blob to blob.
pub(crate) struct KeyTable {
    /// The entries as they stand on the wire: tag, length, key.
    encoded: Vec<u8>,
    tag: u8,
    /// Where each key lies in `encoded`, without tag and length.
    keys: Vec<Range<usize>>,
    /// Position of the key that was asked for last.
    last: usize,
    /// Open addressing, a power of two long, at most half full: 0 is free, else a key's position plus 1.
    /// Empty as long as there is at most one key.
    slots: Vec<usize>,
    /// Seeded at random: keys may come from outside, and must not be able to collide at will.
    hasher: RandomState,
}

/// Where a key stands or would stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Position in the table.
    pub(crate) index: usize,
    /// Bytes by which the table grows if the key is added: 0 if it is there.
    pub(crate) growth: usize,
}

/// Slots of the first index; room for 8 keys.
const FIRST_SLOTS: usize = 16;

impl KeyTable {
    pub(crate) fn new(tag: u8) -> Self {
        Self {
            encoded: Vec::new(),
            tag,
            keys: Vec::new(),
            last: 0,
            slots: Vec::new(),
            hasher: RandomState::new(),
        }
    }

    /// The table on the wire.
    pub(crate) fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Finds a key, or says what adding it would cost. Adds nothing.
    pub(crate) fn place(&mut self, key: &str) -> Place {
        if self.key(self.last) == Some(key.as_bytes()) {
            return Place {
                index: self.last,
                growth: 0,
            };
        }
        if let Some(index) = self.find(key.as_bytes()) {
            self.last = index;
            return Place { index, growth: 0 };
        }
        Place {
            index: self.keys.len(),
            growth: wire::delimited_len(key.len()),
        }
    }

    /// Adds a key that [`place`](Self::place) did not find.
    pub(crate) fn add(&mut self, key: &str) {
        let index = self.keys.len();
        wire::put_delimited(&mut self.encoded, self.tag, key.as_bytes());
        let end = self.encoded.len();
        self.keys.push(end - key.len()..end);
        self.last = index;
        if self.keys.len() * 2 > self.slots.len() {
            self.index_all();
        } else {
            self.index_one(index);
        }
    }

    /// Forgets the keys and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.encoded.clear();
        self.keys.clear();
        self.last = 0;
        // Not filled with zeros: one blob of many keys must not make every later blob pay for its index.
        self.slots.clear();
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        self.encoded.get(self.keys.get(index)?.clone())
    }

    fn find(&self, key: &[u8]) -> Option<usize> {
        for slot in self.probe(key) {
            let index = self.slots.get(slot)?.checked_sub(1)?; // a free slot: the key is not there
            if self.key(index) == Some(key) {
                return Some(index);
            }
        }
        None
    }

    /// The slots in which a key may stand, in the order of looking. At least one of them is free.
    fn probe(&self, key: &[u8]) -> impl Iterator<Item = usize> + use<> {
        let len = self.slots.len();
        let mask = len.wrapping_sub(1);
        // Only the lower bits count, on any size of pointer.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the mask takes the lower bits anyway"
        )]
        let start = if len == 0 {
            0
        } else {
            self.hasher.hash_one(key) as usize
        };
        (0..len).map(move |step| start.wrapping_add(step) & mask)
    }

    fn index_one(&mut self, index: usize) {
        let Some(key) = self.key(index) else { return };
        let free = self.probe(key).find(|&slot| self.slots.get(slot) == Some(&0));
        if let Some(slot) = free.and_then(|slot| self.slots.get_mut(slot)) {
            *slot = index + 1;
        }
    }

    /// Makes room and enters every key anew; nothing to do for a first key.
    fn index_all(&mut self) {
        if self.keys.len() < 2 {
            return;
        }
        let len = (self.slots.len() * 2).max(FIRST_SLOTS);
        self.slots.clear();
        self.slots.resize(len, 0);
        for index in 0..self.keys.len() {
            self.index_one(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_key_is_found_again_at_its_first_position() {
        let mut table = KeyTable::new(wire::PARTITION_KEY_TABLE);
        for round in 0..3 {
            let mut naive = HashMap::new();
            for n in (0..1_000).chain(500..1_500).chain([0, 0, 7]) {
                let key = format!("{round}-{n}");
                let next = naive.len();
                let place = table.place(&key);
                assert_eq!(place.growth > 0, !naive.contains_key(&key), "{key}");
                assert_eq!(place.index, *naive.entry(key.clone()).or_insert(next), "{key}");
                if place.growth > 0 {
                    let before = table.encoded().len();
                    table.add(&key);
                    assert_eq!(table.encoded().len(), before + place.growth);
                }
            }
            table.clear();
            assert!(table.encoded().is_empty());
        }
    }

    #[test]
    fn the_index_begins_with_the_second_key_and_is_never_more_than_half_full() {
        let mut table = KeyTable::new(wire::PARTITION_KEY_TABLE);
        assert!(table.slots.is_empty());
        table.add("0");
        assert!(table.slots.is_empty());
        for count in 2..=100_usize {
            table.add(&(count - 1).to_string());
            let half_full = (count * 2).next_power_of_two();
            assert_eq!(table.slots.len(), half_full.max(FIRST_SLOTS), "{count} keys");
        }
    }

    #[test]
    fn the_empty_key_is_a_key() {
        let mut table = KeyTable::new(wire::PARTITION_KEY_TABLE);
        assert_eq!(table.place("").growth, 2);
        table.add("");
        assert_eq!(table.place("").growth, 0);
        assert_eq!(table.encoded(), [0x0a, 0]);
    }
}
