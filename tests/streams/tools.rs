//! What the stage put in place for the tests: `.ci/streams/run` sets the variables.

use std::path::PathBuf;

/// The folder of this repository's scripts for the stage.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/streams");

/// The emulators, the peers, the function and its stack.
pub struct Tools {
    /// The function's program.
    pub bootstrap: PathBuf,
    /// The transformed templates.
    pub stack: PathBuf,
    /// Where the stage keeps programs, and leaves what it made.
    folder: PathBuf,
}

impl Tools {
    /// From the environment of the stage.
    pub fn of_the_stage() -> Tools {
        #[expect(
            clippy::disallowed_methods,
            reason = "the only reader of the stage's variables"
        )]
        let path = |name: &str| {
            let value = std::env::var_os(name);
            PathBuf::from(value.unwrap_or_else(|| panic!("no {name}: run these tests by .ci/streams/run")))
        };
        Tools {
            bootstrap: path("STREAMS_BOOTSTRAP"),
            stack: path("STREAMS_STACK"),
            folder: path("STREAMS_FOLDER"),
        }
    }

    /// The Kinesis emulator.
    pub fn kinesis(&self) -> PathBuf {
        self.folder.join("kinesis/release/kinesis")
    }

    /// Python with moto and a de-aggregator.
    pub fn python(&self) -> PathBuf {
        self.folder.join("venv/bin/python")
    }

    /// Node's packages.
    pub fn node_modules(&self) -> PathBuf {
        self.folder.join("node_modules")
    }

    /// The Java client library, and the class that calls it.
    pub fn jars(&self) -> PathBuf {
        self.folder.join("jars")
    }

    /// A script of the stage.
    pub fn script(name: &str) -> PathBuf {
        PathBuf::from(SCRIPTS).join(name)
    }

    /// A file for this run.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
