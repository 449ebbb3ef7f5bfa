//! The time of day: records arrive when they arrive, and their age is by this clock.

use std::time::SystemTime;

use pixel_row::Timestamp;

/// Now.
pub fn now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one reader of the clock in these tests"
    )]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_millis(i64::try_from(now.unwrap().as_millis()).unwrap()).unwrap()
}
