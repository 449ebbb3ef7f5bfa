//! Random numbers for jitter and partition keys.

use log_batch::ports::Randomness;

/// A fast generator, seeded anew in each process. Nobody must be unable to guess it.
pub struct FastRandomness;

impl Randomness for FastRandomness {
    fn next(&self) -> u64 {
        fastrand::u64(..)
    }
}
