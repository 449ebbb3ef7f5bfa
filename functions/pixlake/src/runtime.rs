//! The clock, the randomness and the executor of one machine.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log_batch::ports::{Clock, Randomness};
use pixel_row::Timestamp;

use crate::error::CommandError;

/// Runs a future to its end on all cores.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CommandError::job)?;
    runtime.block_on(future)
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    #[must_use]
    pub(crate) fn start() -> SystemClock {
        SystemClock {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is handed"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis())
            .ok()
            .and_then(Timestamp::from_millis)
            .unwrap_or(Timestamp::EARLIEST)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// The machine's randomness.
#[derive(Debug)]
pub(crate) struct SystemRandomness(Mutex<fastrand::Rng>);

impl SystemRandomness {
    /// Seeded by the machine.
    #[must_use]
    pub(crate) fn new() -> SystemRandomness {
        SystemRandomness(Mutex::new(fastrand::Rng::new()))
    }
}

impl Default for SystemRandomness {
    fn default() -> SystemRandomness {
        SystemRandomness::new()
    }
}

impl Randomness for SystemRandomness {
    fn next(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).u64(..)
    }
}

/// Whether somebody pressed Ctrl-C. The second time ends the process at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C for as long as the runtime lives.
    #[must_use]
    pub(crate) fn listen(runtime: &tokio::runtime::Runtime) -> Interrupt {
        let interrupt = Interrupt::default();
        let flag = Arc::clone(&interrupt.0);
        runtime.spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if flag.swap(true, Ordering::Relaxed) {
                    std::process::exit(1);
                }
            }
        });
        interrupt
    }

    /// Whether it was pressed.
    #[must_use]
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
