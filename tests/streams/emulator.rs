//! An emulator: another program that serves HTTP on the loopback address.

pub mod bucket;
pub mod firehose;
pub mod kinesis;
pub mod service;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use self::service::Service;
use crate::tools::Tools;

/// An emulator's process. It is killed with this value.
pub struct Emulator {
    child: Child,
    /// The way to it.
    pub service: Service,
}

impl Emulator {
    /// Kinesis with the limits of real shards.
    pub fn kinesis(tools: &Tools) -> Emulator {
        Emulator::start(Command::new(tools.kinesis()), "kinesis")
    }

    /// Firehose's Direct PUT, S3 and Secrets Manager.
    pub fn moto(tools: &Tools) -> Emulator {
        let mut moto = Command::new(tools.python());
        moto.arg(Tools::script("firehose.py"));
        Emulator::start(moto, "firehose")
    }

    /// Starts the program, whose first line says where it listens. It ends with its standard input, whatever
    /// becomes of this process.
    fn start(mut command: Command, signs_for: &'static str) -> Emulator {
        let program = command.get_program().to_owned();
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut address = String::new();
        let output = child.stdout.take().expect("its standard output");
        BufReader::new(output).read_line(&mut address).unwrap();
        assert!(
            address.starts_with("127.0.0.1:"),
            "{} does not start",
            program.display()
        );
        Emulator {
            child,
            service: Service::new(address.trim_end().to_owned(), signs_for),
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
