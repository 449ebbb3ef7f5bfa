//! What the log says of a panic.

/// From now on a panic writes one line with the place in the code and nothing else: its message may hold
/// input.
pub fn install() {
    std::panic::set_hook(Box::new(|panic| {
        crate::ledger::write_panic(panic.location());
    }));
}
