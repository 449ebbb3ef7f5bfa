//! The process that Lambda starts.

use std::process::ExitCode;

use aggregate_logs::{ledger, panic_hook, run};

/// One thread: an invocation packs first and puts afterwards, never both at once.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    panic_hook::install();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            ledger::write_refusal(&refusal);
            ExitCode::FAILURE
        }
    }
}
