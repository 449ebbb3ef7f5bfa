//! The command line: see `pixlake --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    pixlake::cli::run(std::env::args_os())
}
