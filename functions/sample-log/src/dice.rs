//! The sample's source of chance.

/// `SplitMix64`, written out because the sample's bytes are a promise: a library may change its generator
/// with any release, and the shipped sample would change with it.
/// Source: <https://prng.di.unimi.it/splitmix64.c>
#[derive(Debug, Clone)]
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    /// Dice that fall the same way for the same seed.
    pub(super) fn new(seed: u64) -> Dice {
        Dice { state: seed }
    }

    /// Any 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when `end` is 0. The bias of the remainder is far below what anyone would see.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.bits().checked_rem(end).unwrap_or(0)
    }

    /// A number from `first` to `last`, both included.
    pub(super) fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// True in so many of a thousand cases.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// A place in a list of that length.
    pub(super) fn index(&mut self, len: usize) -> usize {
        let index = self.below(len.try_into().unwrap_or_default());
        index.try_into().unwrap_or_default()
    }

    /// One of the items, each as likely as the other. No table of ours is empty.
    pub(super) fn choice<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let index = self.index(items.len());
        items.get(index).copied().unwrap_or_default()
    }

    /// One of the items, each as likely as its weight says.
    pub(super) fn weighted<T: Copy + Default>(&mut self, items: &[(u64, T)]) -> T {
        let total = items.iter().map(|(weight, _)| weight).sum();
        let mut rest = self.below(total);
        for (weight, item) in items {
            match rest.checked_sub(*weight) {
                Some(left) => rest = left,
                None => return *item,
            }
        }
        T::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_that_of_the_published_generator() {
        let mut dice = Dice::new(1_234_567);
        assert_eq!(
            [dice.bits(), dice.bits(), dice.bits()],
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn weights_are_kept_and_zero_is_never_drawn() {
        let mut dice = Dice::new(7);
        let drawn: Vec<u8> = (0..10_000)
            .map(|_| dice.weighted(&[(1, 1_u8), (0, 2), (3, 3)]))
            .collect();
        let ones = drawn.iter().filter(|item| **item < 2).count();
        assert!((2_200..2_800).contains(&ones), "{ones} of 10000 for a quarter");
        assert!(!drawn.contains(&2) && !drawn.contains(&0));
    }
}
