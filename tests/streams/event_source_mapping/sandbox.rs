//! One process of the function, which can be killed in the middle of an invocation.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use pipeline_tests::PATIENCE;
use pipeline_tests::function::{Answer, FunctionBuilder};
use serde_json::Value;

use crate::tools::Tools;

/// Between two looks at a process.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Whether it is time to kill a process, so long after it was given its event.
pub type Moment = Box<dyn Fn(Duration) -> bool + Send>;

/// A process of the function.
pub struct Sandbox {
    process: String,
    events: Sender<Vec<u8>>,
    answers: Receiver<(Answer, Value)>,
    timeout: Duration,
}

impl Sandbox {
    /// Starts one with this program, environment and time for each invocation. The folder is for files of its
    /// own, which the number keeps apart from another's.
    pub fn start(
        folder: &Path,
        number: u64,
        bootstrap: &Path,
        environment: &[(String, String)],
        timeout: Duration,
    ) -> Sandbox {
        let pid_file = folder.join(format!("{number}.pid"));
        std::fs::write(&pid_file, "").unwrap();
        let mut builder = FunctionBuilder::new(Tools::script("launch"))
            .env("PID_FILE", &pid_file)
            .env("BOOTSTRAP", bootstrap);
        for (name, value) in environment {
            builder = builder.env(name, value);
        }
        let function = builder.start();
        let process = read_number(&pid_file);
        let (events, next) = channel::<Vec<u8>>();
        let (answer, answers) = channel();
        // A thread of its own, because the process may never answer: it then waits as long as it can.
        thread::spawn(move || {
            for event in next {
                let answered = function.invoke(&event, timeout);
                // Before each answer stands one line in the log.
                if answer.send((answered, function.log_line())).is_err() {
                    break;
                }
            }
        });
        Sandbox {
            process,
            events,
            answers,
            timeout,
        }
    }

    /// The answer and the function's line in the log; none if the process ends without an answer. It is
    /// killed when its time is over, or at the moment given.
    pub fn invoke(&self, event: &[u8], kill_at: Option<&Moment>) -> Option<(Answer, Value)> {
        let begin = Instant::now();
        let is_over = |passed| passed >= self.timeout || kill_at.is_some_and(|is_it| is_it(passed));
        // At once: before it has read the event.
        if is_over(Duration::ZERO) {
            self.kill();
            return None;
        }
        self.events.send(event.to_owned()).unwrap();
        loop {
            match self.answers.recv_timeout(LOOK_AGAIN) {
                Ok(answer) => return Some(answer),
                Err(RecvTimeoutError::Disconnected) => panic!("the function neither answers nor ends"),
                Err(RecvTimeoutError::Timeout) if is_over(begin.elapsed()) => self.kill(),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.has_ended() {
                return None;
            }
        }
    }

    fn kill(&self) {
        let killed = Command::new("kill").args(["-KILL", &self.process]).status();
        assert!(killed.unwrap().success());
        while !self.has_ended() {
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Whether the process runs no more. Its entry stays until its parent asks for it.
    fn has_ended(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process)).unwrap();
        let (_, state) = stat.rsplit_once(") ").unwrap();
        state.starts_with(['Z', 'X'])
    }
}

/// The number that the launcher wrote.
fn read_number(file: &Path) -> String {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        let text = std::fs::read_to_string(file).unwrap();
        if let Some(number) = text.strip_suffix('\n') {
            return number.to_owned();
        }
        thread::sleep(LOOK_AGAIN);
    }
    panic!("the function does not start");
}
