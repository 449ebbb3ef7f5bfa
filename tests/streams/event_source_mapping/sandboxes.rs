//! The function: its processes, as Lambda keeps them.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pipeline_tests::function::Answer;
use serde_json::Value;

use super::sandbox::{Moment, Sandbox};

/// Says of an event whether the process that gets it is to be killed, and then when.
type Killer = Box<dyn Fn(&str) -> Option<Moment> + Send + Sync>;

/// The function. An invocation takes an idle process or starts another.
pub struct Sandboxes {
    folder: PathBuf,
    bootstrap: PathBuf,
    environment: Vec<(String, String)>,
    timeout: Duration,
    started: AtomicU64,
    killed: AtomicU64,
    idle: Mutex<Vec<Sandbox>>,
    killer: Mutex<Killer>,
    ledger: Mutex<Vec<Value>>,
}

impl Sandboxes {
    /// The function with this program, environment and time for an invocation. The folder is for files of its
    /// own.
    pub fn new(
        folder: PathBuf,
        bootstrap: PathBuf,
        environment: Vec<(String, String)>,
        timeout: Duration,
    ) -> Sandboxes {
        Sandboxes {
            folder,
            bootstrap,
            environment,
            timeout,
            started: AtomicU64::new(0),
            killed: AtomicU64::new(0),
            idle: Mutex::default(),
            killer: Mutex::new(Box::new(|_| None)),
            ledger: Mutex::default(),
        }
    }

    /// Invokes the function. None says that its process ended without an answer.
    pub fn invoke(&self, event: &str) -> Option<Answer> {
        let idle = self.idle.lock().unwrap().pop();
        let sandbox = idle.unwrap_or_else(|| {
            let number = self.started.fetch_add(1, Ordering::SeqCst);
            Sandbox::start(
                &self.folder,
                number,
                &self.bootstrap,
                &self.environment,
                self.timeout,
            )
        });
        let kill_at = self.killer.lock().unwrap()(event);
        let Some((answer, line)) = sandbox.invoke(event.as_bytes(), kill_at.as_ref()) else {
            self.killed.fetch_add(1, Ordering::SeqCst);
            return None;
        };
        self.ledger.lock().unwrap().push(line);
        self.idle.lock().unwrap().push(sandbox);
        Some(answer)
    }

    /// From now on, kills each process that gets an event for which the function names a moment.
    pub fn kill(&self, killer: impl Fn(&str) -> Option<Moment> + Send + Sync + 'static) {
        *self.killer.lock().unwrap() = Box::new(killer);
    }

    /// Processes that ended without an answer.
    pub fn killed(&self) -> u64 {
        self.killed.load(Ordering::SeqCst)
    }

    /// Processes that were started.
    pub fn started(&self) -> u64 {
        self.started.load(Ordering::SeqCst)
    }

    /// The lines that the function wrote, one for each invocation that it answered.
    pub fn ledger(&self) -> Vec<Value> {
        self.ledger.lock().unwrap().clone()
    }
}
