//! `infra/try-stack` against stand-ins for a deployed stack: one that works, and others that do not.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::deployment::{Deployment, root, target, work};

/// What `.ci/athena/stack_api.py` stands in for. It is killed with this value.
struct DeployedStack {
    process: Child,
    url: String,
}

/// How the script ended, and what it said.
struct Tried {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl DeployedStack {
    fn start(name: &str, options: &[&str]) -> DeployedStack {
        let mut deployment = Deployment::new(name, &[]);
        // Buckets of its own: other tests know every row of theirs.
        let buckets = format!("pixlake-{}-", name.replace('_', "-"));
        let json = deployment.stack.to_string().replace("pixlake-lake-", &buckets);
        deployment.stack = serde_json::from_str(&json).unwrap();
        let mut process = Command::new(work().join("venv/bin/python"))
            .arg(root().join(".ci/athena/stack_api.py"))
            .arg("--pixlake")
            .arg(target().join("debug/pixlake"))
            .args(options)
            .arg(deployment.write())
            .stdout(Stdio::piped())
            .stderr(File::create(work().join(format!("{name}.log"))).unwrap())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        assert!(
            url.starts_with("http://127.0.0.1:"),
            "see {name}.log in {}",
            work().display()
        );
        DeployedStack {
            process,
            url: url.trim_end().to_owned(),
        }
    }

    fn try_stack(&self, arguments: &[&str]) -> Tried {
        let tools = work().join("venv/bin");
        let output = Command::new(root().join("infra/try-stack"))
            .args(arguments)
            .env("PATH", format!("{}:/usr/bin:/bin", tools.display()))
            .env("AWS_ENDPOINT_URL", &self.url)
            .output()
            .unwrap();
        Tried {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Drop for DeployedStack {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Tried {
    #[track_caller]
    fn ends(&self, code: i32, sentence: &str) {
        let Tried { stdout, stderr, .. } = self;
        assert_eq!(self.code, Some(code), "{stdout}{stderr}");
        let said = if code == 0 { stdout } else { stderr };
        assert!(said.contains(sentence), "{stdout}{stderr}\nexpected: {sentence}");
    }
}

#[test]
fn a_stack_that_works_is_said_to_work() {
    // Every line comes twice, as any hop may deliver it twice.
    let stack = DeployedStack::start("try_stack", &["--twice"]);
    stack
        .try_stack(&["--hits", "5", "--patience", "120", "pixlake"])
        .ends(
            0,
            "the stack pixlake works: 5 of 5 hits in events, 7 saved queries",
        );
    for (arguments, code, sentence) in [
        (&["nope"][..], 2, "cannot read the stack nope"),
        (&["unfinished"], 2, "the stack unfinished is CREATE_IN_PROGRESS"),
        (&["foreign"], 2, "the stack foreign is not a pixlake stack"),
        (
            &["--pixel", "http://127.0.0.1:1/p.gif"],
            1,
            "the pixel http://127.0.0.1:1/p.gif cannot be reached",
        ),
        (
            &["--pixel", &format!("{}/other.gif", stack.url)],
            1,
            "answered 403 text/plain; expected 200 image/gif",
        ),
        (
            &["--pixel", &format!("{}/kept.gif", stack.url)],
            1,
            "its Cache-Control is \"max-age=60\"; expected no-store",
        ),
        (
            &["--pixel", &format!("{}/silent.gif", stack.url)],
            1,
            "its Cache-Control is \"\"; expected no-store",
        ),
        (
            &["--pixel", &format!("{}/varied.gif", stack.url)],
            1,
            "answers with No-Vary-Search: params",
        ),
        (&["--hits", "0"], 2, "--hits 0: expected a number from 1 on"),
        (&["--patience"], 2, "--patience needs a value"),
        (
            &["--pixel", "px.example"],
            2,
            "--pixel px.example: expected an address",
        ),
        (&["--fast"], 2, "there is no option --fast"),
        (&["one", "two"], 2, "one stack at a time: one or two"),
    ] {
        stack.try_stack(arguments).ends(code, sentence);
    }
}

#[test]
fn a_hit_that_never_comes_and_a_query_that_cannot_run_are_named() {
    let broken = "broken=SELECT no_such_column FROM events";
    let stack = DeployedStack::start("try_stack_broken", &["--lose", "1", "--named-query", broken]);
    stack
        .try_stack(&["--hits", "2", "--patience", "15"])
        .ends(1, "1 of 2 hits came within");
    let tried = stack.try_stack(&["--hits", "1", "--patience", "120"]);
    tried.ends(1, "Athena cannot plan 1 of the saved queries: broken");
    tried.ends(1, "Column 'no_such_column' cannot be resolved");
}
