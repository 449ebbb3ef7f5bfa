//! The clock, the randomness and the executor of one machine.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use log_batch::ports::{Clock, Randomness};
use pixel_row::Timestamp;

use crate::error::CommandError;

/// Stack of the thread that plans a query, in bytes: the engine calls itself for each level of an expression. A debug
/// build needs a quarter of it for the most levels that are let through. Only what is used takes memory.
const PLANNING_STACK: usize = 256 * 1024 * 1024;
/// The same of the threads that answer it.
const ANSWERING_STACK: usize = 64 * 1024 * 1024;

/// Runs the future that this makes to its end, on all cores.
pub(crate) fn block_on<T: Send, F: Future<Output = Result<T, CommandError>>>(
    make: impl FnOnce() -> F + Send,
) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(ANSWERING_STACK)
        .enable_all()
        .build()
        .map_err(CommandError::job)?;
    thread::scope(|scope| {
        let planning = thread::Builder::new()
            .stack_size(PLANNING_STACK)
            .spawn_scoped(scope, || runtime.block_on(make()))
            .map_err(CommandError::job)?;
        let panicked = |_| Err(CommandError::Job("answering the query panicked".to_owned()));
        planning.join().unwrap_or_else(panicked)
    })
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
            .unwrap_or(Timestamp::LATEST)
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
