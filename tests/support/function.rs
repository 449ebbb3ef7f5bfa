//! A function's process, served by Lambda's Runtime API.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::PATIENCE;
use crate::aws::Aws;
use crate::http::{Reply, Request, Server};

/// A function's process before it starts.
pub struct FunctionBuilder {
    command: Command,
    api: RuntimeApi,
}

/// A function's process. It is killed with this value.
pub struct Function {
    child: Child,
    api: RuntimeApi,
    stdout: Receiver<String>,
    output: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// What the function answered to an invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The response.
    Response(Value),
    /// A function error: an object with `errorType` and `errorMessage`.
    Error(Value),
}

/// A process that ended by itself.
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// All that it wrote, to both outputs.
    pub output: String,
    /// The lines of its standard output.
    pub lines: Vec<String>,
    /// How often it asked for an invocation.
    pub polls: u64,
}

impl Answer {
    /// The identifiers of the batch item failures of a response.
    pub fn item_failures(&self) -> Vec<String> {
        let Answer::Response(response) = self else {
            panic!("no response but {self:?}");
        };
        let failures = response["batchItemFailures"].as_array().unwrap();
        let identifier = |failure: &Value| failure["itemIdentifier"].as_str().unwrap().to_owned();
        failures.iter().map(identifier).collect()
    }

    /// The type of a function error.
    pub fn error_type(&self) -> &str {
        let Answer::Error(error) = self else {
            panic!("no error but {self:?}");
        };
        error["errorType"].as_str().unwrap()
    }
}

impl FunctionBuilder {
    /// The function with this binary, in the environment that Lambda gives it and no other.
    pub fn new(binary: impl AsRef<OsStr>) -> FunctionBuilder {
        let api = RuntimeApi::start();
        let mut command = Command::new(binary);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.server.authority())
            .env("AWS_LAMBDA_FUNCTION_NAME", "function-under-test")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        FunctionBuilder { command, api }
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> FunctionBuilder {
        self.command.env(name, value);
        self
    }

    /// Lets the function's SDK call this stand-in.
    #[must_use]
    pub fn aws(self, aws: &Aws) -> FunctionBuilder {
        let endpoint = aws.endpoint();
        self.env("AWS_ENDPOINT_URL_KINESIS", &endpoint)
            .env("AWS_ENDPOINT_URL_FIREHOSE", &endpoint)
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", &endpoint)
    }

    /// Starts the process.
    pub fn start(mut self) -> Function {
        let program = Path::new(self.command.get_program()).to_owned();
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let (line, stdout) = channel();
        let output = Arc::default();
        let readers = vec![
            collect(child.stdout.take().unwrap(), Some(line), &output),
            collect(child.stderr.take().unwrap(), None, &output),
        ];
        Function {
            child,
            api: self.api,
            stdout,
            output,
            readers,
        }
    }
}

/// Reads what the process writes, line by line, until it ends.
fn collect(
    pipe: impl Read + Send + 'static,
    to: Option<Sender<String>>,
    output: &Arc<Mutex<String>>,
) -> JoinHandle<()> {
    let output = Arc::clone(output);
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            output.lock().unwrap().extend([line.as_str(), "\n"]);
            // Nobody may be listening any more.
            to.as_ref().and_then(|to| to.send(line).ok());
        }
    })
}

impl Function {
    /// Invokes the function, which has this much time.
    pub fn invoke(&self, event: &[u8], time: Duration) -> Answer {
        #[expect(
            clippy::disallowed_methods,
            reason = "Lambda's deadline is a moment of the wall clock"
        )]
        let deadline = SystemTime::now() + time;
        let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        self.api.invoke(event, deadline.as_millis())
    }

    /// Invokes the function after its time is up.
    pub fn invoke_too_late(&self, event: &[u8]) -> Answer {
        self.api.invoke(event, 1)
    }

    /// The next line of standard output, which has to be JSON.
    pub fn log_line(&self) -> Value {
        let line = self.stdout.recv_timeout(PATIENCE).expect("a line of the log");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"))
    }

    /// All that the process wrote until now, to both outputs.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits for the process to end by itself.
    pub fn ended(mut self) -> Ended {
        let mut lines = Vec::new();
        while let Ok(line) = self.stdout.recv_timeout(PATIENCE) {
            lines.push(line);
        }
        // The pipe closes when the process ends.
        let is_over = self.stdout.try_recv() == Err(TryRecvError::Disconnected);
        assert!(is_over, "the process goes on: {}", self.output());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        Ended {
            status: self.child.wait().unwrap(),
            output: self.output(),
            lines,
            polls: self.api.polls.load(Ordering::SeqCst),
        }
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

struct RuntimeApi {
    server: Server,
    invocations: Sender<Invocation>,
    answers: Receiver<(String, Answer)>,
    count: AtomicU64,
    polls: Arc<AtomicU64>,
}

struct Invocation {
    id: String,
    deadline: u128,
    event: Vec<u8>,
}

impl RuntimeApi {
    fn start() -> RuntimeApi {
        let (invocations, next) = channel();
        let (answer, answers) = channel();
        let (next, polls) = (Mutex::new(next), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&polls);
        let server = Server::start(move |request: Request| {
            let path = request
                .path
                .strip_prefix("/2018-06-01/runtime/")
                .unwrap_or_default();
            let Some(("invocation", call)) = path.split_once('/') else {
                return Reply::json(404, "{}");
            };
            match (request.method.as_str(), call.split_once('/')) {
                ("GET", None) if call == "next" => {
                    counted.fetch_add(1, Ordering::SeqCst);
                    // Without another invocation the function waits, as it does under Lambda.
                    next.lock().unwrap().recv().map_or(Reply::Hang, next_invocation)
                }
                ("POST", Some((id, kind))) => {
                    let body = serde_json::from_slice(&request.body).unwrap();
                    let answered = match kind {
                        "response" => Answer::Response(body),
                        "error" => Answer::Error(body),
                        _ => return Reply::json(404, "{}"),
                    };
                    answer.send((id.to_owned(), answered)).ok();
                    Reply::json(202, r#"{"status":"OK"}"#)
                }
                _ => Reply::json(404, "{}"),
            }
        });
        RuntimeApi {
            server,
            invocations,
            answers,
            count: AtomicU64::new(0),
            polls,
        }
    }

    fn invoke(&self, event: &[u8], deadline: u128) -> Answer {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        let invocation = Invocation {
            id: format!("00000000-0000-4000-8000-{number:012}"),
            deadline,
            event: event.to_owned(),
        };
        let id = invocation.id.clone();
        self.invocations.send(invocation).unwrap();
        let (answered, answer) = self
            .answers
            .recv_timeout(PATIENCE)
            .expect("an answer to the invocation");
        assert_eq!(answered, id);
        answer
    }
}

fn next_invocation(invocation: Invocation) -> Reply {
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:function-under-test";
    let trace = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0";
    Reply::Answer {
        status: 200,
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("Lambda-Runtime-Aws-Request-Id", invocation.id),
            ("Lambda-Runtime-Deadline-Ms", invocation.deadline.to_string()),
            ("Lambda-Runtime-Invoked-Function-Arn", arn.to_owned()),
            ("Lambda-Runtime-Trace-Id", trace.to_owned()),
        ],
        body: invocation.event,
    }
}
