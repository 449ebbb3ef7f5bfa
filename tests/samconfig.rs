//! `samconfig.toml` holds what `sam deploy` is to be told: parameters that the template has, with values that
//! its rules allow, and just the capabilities that the stack needs.
//!
//! Reads the transformed templates, which `.ci/stack/transform` makes, so it is no part of `cargo test
//! --workspace`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails, in its functions too"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pipeline_tests::stack::{Stack, StackError, Templates};

/// The environments of the file.
const ENVIRONMENTS: [&str; 4] = ["default", "blog", "dev", "prod"];

/// The settings of one environment for one command, as they stand in the file.
fn section(environment: &str, command: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samconfig.toml");
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text
        .split_once(&format!("\n[{environment}.{command}.parameters]\n"))
        .unwrap_or_else(|| panic!("no section for {environment} and {command}"));
    rest.split("\n[").next().unwrap().to_owned()
}

/// The parameters of the template that an environment sets.
fn parameters(environment: &str) -> Vec<(String, String)> {
    let section = section(environment, "deploy");
    let Some((_, list)) = section.split_once("parameter_overrides = [\n") else {
        return Vec::new();
    };
    let (list, _) = list.split_once("\n]").unwrap();
    list.lines()
        .map(|line| {
            let (pair, _) = line
                .trim()
                .strip_prefix('"')
                .and_then(|line| line.split_once("\","))
                .unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

fn templates() -> Templates {
    // Beside the folder for temporary files lies what stages make.
    let transformed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../ci/stack/transformed");
    Templates::read(&transformed).unwrap_or_else(|error| panic!(".ci/stack/transform first: {error}"))
}

/// The stack that an environment makes, with one more parameter.
fn stack(environment: &str, more: &[(&str, &str)]) -> Result<Stack, StackError> {
    let parameters = parameters(environment);
    let pairs = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    templates().stack(&pairs.chain(more.iter().copied()).collect::<Vec<_>>())
}

fn has_text(section: &str, line: &str) -> bool {
    section
        .lines()
        .any(|found| found.split(" #").next() == Some(line))
}

#[test]
fn every_environment_makes_a_stack() {
    assert!(parameters("default").is_empty(), "the guided deployment asks");
    for environment in ENVIRONMENTS {
        let stack = stack(environment, &[]).unwrap_or_else(|error| panic!("{environment}: {error}"));
        assert!(stack.find("Streams/LogStream").is_some());
    }
}

/// What all alarms are, and essential ones are not.
const OF_ALL_ALARMS: &str = "Watching/FunctionErrors";

#[test]
fn enter_and_blog_and_dev_are_cheap_and_prod_keeps_a_week() {
    let hours = |stack: &Stack, stream: &str| {
        let hours = &stack.resource(stream)["Properties"]["RetentionPeriodHours"];
        hours.as_str().map_or_else(|| hours.to_string(), str::to_owned)
    };
    let enter = stack("default", &[]).unwrap();
    assert_eq!(hours(&enter, "Streams/LogStream"), "24");
    assert_eq!(hours(&enter, "Streams/EventStream"), "24");
    assert!(enter.find(OF_ALL_ALARMS).is_none());
    for environment in ["blog", "dev"] {
        let cheap = stack(environment, &[]).unwrap();
        assert_eq!(hours(&cheap, "Streams/LogStream"), "24");
        assert!(cheap.find("Streams/EventStream").is_none());
        assert!(cheap.find("Delivering/DirectEventFirehose").is_some());
        assert!(cheap.find(OF_ALL_ALARMS).is_none());
    }
    let (dev, prod) = (stack("dev", &[]).unwrap(), stack("prod", &[]).unwrap());
    assert!(prod.find(OF_ALL_ALARMS).is_some());
    assert_eq!(hours(&prod, "Streams/LogStream"), "168");
    assert_eq!(hours(&prod, "Streams/EventStream"), "168");
    assert!(prod.find("Delivering/DirectEventFirehose").is_none());
    assert!(prod.find("Watching/Email").is_some());
    assert!(dev.find("Watching/Email").is_none());
}

#[test]
fn environments_fit_into_one_account() {
    let database = |environment: &str| {
        let parameters = parameters(environment);
        let found = parameters.into_iter().find(|(known, _)| known == "DatabaseName");
        found.unwrap().1
    };
    let databases: BTreeSet<String> = ["blog", "dev", "prod"].map(database).into();
    assert_eq!(databases.len(), 3);
    let names = ENVIRONMENTS.map(|environment| section(environment, "global"));
    assert!(names.iter().all(|name| name.starts_with("stack_name = \"")));
    assert!(
        names
            .iter()
            .enumerate()
            .all(|(index, name)| !names[..index].contains(name))
    );
}

/// What the template refuses, it refuses here too: a parameter that it does not have, a value and a
/// combination that it does not allow.
#[test]
fn a_mistake_in_an_environment_is_seen() {
    for (name, value) in [
        ("LogStreamRetention", "24"),
        ("LogRetentionDays", "8"),
        ("AlarmEmail", "nobody"),
        ("EventStreamShards", "2"),       // without Kpl
        ("DomainName", "px.example.com"), // without a certificate
    ] {
        assert!(stack("dev", &[(name, value)]).is_err(), "{name}={value}");
    }
}

/// Roles and policies ask for `CAPABILITY_IAM`, those with names for `CAPABILITY_NAMED_IAM`, nested stacks
/// with transforms for `CAPABILITY_AUTO_EXPAND`.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>
#[test]
fn capabilities_are_those_that_the_stack_needs() {
    for environment in ENVIRONMENTS {
        let stack = stack(environment, &[]).unwrap();
        let iam = stack.resources().filter(|(_, resource)| {
            let kind = resource["Type"].as_str();
            kind.is_some_and(|kind| kind.starts_with("AWS::IAM::"))
        });
        let mut count = 0;
        for (path, resource) in iam {
            for name in [
                "RoleName",
                "ManagedPolicyName",
                "UserName",
                "GroupName",
                "InstanceProfileName",
            ] {
                assert!(resource["Properties"].get(name).is_none(), "{path} has a {name}");
            }
            count += 1;
        }
        assert!(count > 0);
        let section = section(environment, "deploy");
        let expected = "capabilities = \"CAPABILITY_IAM CAPABILITY_AUTO_EXPAND\"";
        assert!(has_text(&section, expected), "{environment}");
        assert!(has_text(&section, "resolve_s3 = true"), "{environment}");
    }
}

/// A first deployment that fails stays as far as it came, so that the second try goes on from there.
#[test]
fn a_second_deployment_repairs_the_first() {
    for environment in ENVIRONMENTS {
        let section = section(environment, "deploy");
        assert!(has_text(&section, "disable_rollback = true"), "{environment}");
    }
}
