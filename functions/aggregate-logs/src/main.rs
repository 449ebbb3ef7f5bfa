//! The process that Lambda starts.

use std::process::ExitCode;

use aggregate_logs::{Settings, ledger, panic_hook, run};

/// One thread: an invocation packs first and puts afterwards, never both at once.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    panic_hook::install();
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            ledger::write_refusal("WrongSetting", &error);
            return ExitCode::FAILURE;
        }
    };
    match run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ledger::write_refusal("RuntimeApi", &*error);
            ExitCode::FAILURE
        }
    }
}
