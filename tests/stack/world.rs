//! The templates under every supported set of parameters, and what a check says of them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;

use pipeline_tests::stack::{Stack, Templates};
use serde_json::Value;

/// What a check finds wrong; nothing where the contract holds.
pub(crate) type Check = fn(&World) -> Vec<String>;

/// One set of parameters, by a name for messages.
type Set = (String, Vec<(&'static str, String)>);

pub(crate) const CERTIFICATE: &str =
    "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";
pub(crate) const WEB_ACL: &str =
    "arn:aws:wafv2:us-east-1:123456789012:global/webacl/pixlake/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";

/// Everything on: each role, alarm and Firehose that there can be.
pub(crate) const EVERYTHING: &str = "everything on";

/// What retention the log stream may have, in hours.
pub(crate) const RETENTIONS: [&str; 7] = ["24", "48", "72", "96", "120", "144", "168"];

fn sets() -> Vec<Set> {
    let set = |name: &str, parameters: &[(&'static str, &str)]| -> Set {
        let parameters = parameters.iter().map(|&(name, value)| (name, value.to_owned()));
        (name.to_owned(), parameters.collect())
    };
    let kpl_kept = ("KeepDelivery", "Kpl");
    let direct_put_kept = ("KeepDelivery", "DirectPut");
    let direct_put = ("Delivery", "DirectPut");
    let mut sets = vec![
        set("defaults", &[]),
        set("Direct PUT", &[direct_put]),
        set("Direct PUT after Kpl", &[direct_put, kpl_kept]),
        set("Kpl after Direct PUT", &[direct_put_kept]),
        set("on demand", &[("StreamMode", "ON_DEMAND")]),
        set("archive", &[("RawArchive", "Yes")]),
        set(
            "own domain",
            &[("DomainName", "px.example.com"), ("CertificateArn", CERTIFICATE)],
        ),
        set("web ACL", &[("WebAclArn", WEB_ACL)]),
        set(
            "existing distribution",
            &[("ExistingDistributionId", "E2QWRUHAPOMQZL")],
        ),
        set(
            EVERYTHING,
            &[
                direct_put_kept,
                ("RawArchive", "Yes"),
                ("DomainName", "px.example.com"),
                ("CertificateArn", CERTIFICATE),
                ("WebAclArn", WEB_ACL),
                ("EventRetentionDays", "400"),
                ("ReservedConcurrency", "12"),
                ("LogStreamShards", "8"),
                ("EventStreamShards", "4"),
                ("Alarms", "All"),
                ("AlarmEmail", "on-call@example.com"),
            ],
        ),
        // What Alarms=All makes of each delivery, for the alarms of both ways have conditions of their own.
        set("all alarms", &[("Alarms", "All")]),
        set(
            "all alarms of Direct PUT",
            &[direct_put, kpl_kept, ("Alarms", "All")],
        ),
        set(
            "essential alarms with all Firehoses",
            &[direct_put_kept, ("RawArchive", "Yes")],
        ),
        set(
            "everything else",
            &[
                direct_put,
                ("LogFields", "timestamp, cs-uri-stem,c-ip, x-edge-request-id"),
                ("PixelPath", "/pixels/o.gif"),
                ("BlobBytes", "10240"),
                ("Architecture", "x86_64"),
                ("FunctionMemory", "1769"),
                ("PriceClass", "PriceClass_100"),
                ("DatabaseName", "clicks"),
                ("FirstDay", "2025-07-01"),
                ("BufferSeconds", "60"),
                ("BufferMegabytes", "64"),
                ("ScanLimitBytes", "10000000"),
                ("LogRetentionDays", "7"),
                ("EventStreamRetentionHours", "168"),
            ],
        ),
    ];
    for hours in RETENTIONS {
        sets.push(set(
            &format!("retention of {hours} h"),
            &[("LogStreamRetentionHours", hours)],
        ));
    }
    sets
}

/// Templates under every set of parameters.
pub(crate) struct World {
    pub(crate) templates: Templates,
    pub(crate) deployed: Vec<Deployed>,
    /// `us-east-1.yaml` with all that it can make.
    pub(crate) us_east_1: Option<Stack>,
    /// Why a set makes no stack.
    pub(crate) refused: Vec<String>,
}

/// The stack of one set.
pub(crate) struct Deployed {
    pub(crate) set: String,
    /// The root's parameters, defaults included.
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) stack: Stack,
}

impl World {
    pub(crate) fn of(templates: Templates) -> World {
        let (mut deployed, mut refused) = (Vec::new(), Vec::new());
        for (set, given) in sets() {
            let borrowed: Vec<(&str, &str)> = given
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            match templates.stack(&borrowed) {
                Ok(stack) => deployed.push(Deployed {
                    parameters: parameters(&templates, &borrowed),
                    set,
                    stack,
                }),
                Err(error) => refused.push(format!("{set}: {error}")),
            }
        }
        let everything = [
            ("DomainName", "px.example.com"),
            ("HostedZoneId", "Z1D633PJN98FT9"),
            ("WafAction", "Count"),
            ("DistributionId", "E2QWRUHAPOMQZL"),
            ("MinRequestsPerHour", "10"),
            ("AlarmEmail", "on-call@example.com"),
        ];
        let us_east_1 = templates.stack_of("us-east-1", "us-east-1", &everything);
        let us_east_1 = us_east_1.map_err(|error| refused.push(error.to_string())).ok();
        World {
            templates,
            deployed,
            us_east_1,
            refused,
        }
    }

    /// Asks a question of each set.
    pub(crate) fn each(&self, ask: impl Fn(&Deployed, &mut Violations)) -> Vec<String> {
        let mut violations = Violations::default();
        for deployed in &self.deployed {
            violations.of.clone_from(&deployed.set);
            ask(deployed, &mut violations);
        }
        violations.found
    }

    /// The stack of that set.
    pub(crate) fn set(&self, name: &str) -> Option<&Deployed> {
        self.deployed.iter().find(|deployed| deployed.set == name)
    }
}

fn parameters(templates: &Templates, given: &[(&str, &str)]) -> BTreeMap<String, String> {
    let declared = templates
        .get("template")
        .and_then(|root| root["Parameters"].as_object());
    let defaults = declared.into_iter().flatten();
    let defaults = defaults.map(|(name, declaration)| (name.clone(), text(&declaration["Default"])));
    let given = given
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()));
    defaults.chain(given).collect()
}

impl Deployed {
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Whether rows take, or lately took, this way.
    pub(crate) fn has(&self, delivery: &str) -> bool {
        ["Delivery", "KeepDelivery"]
            .iter()
            .any(|name| self.parameter(name) == delivery)
    }

    /// The properties of a resource; null where it does not exist.
    pub(crate) fn properties(&self, path: &str) -> &Value {
        self.stack
            .find(path)
            .map_or(&Value::Null, |resource| &resource["Properties"])
    }

    pub(crate) fn arn(&self, path: &str) -> Value {
        self.of(path, |path| self.stack.attribute(path, "Arn"))
    }

    pub(crate) fn name(&self, path: &str) -> Value {
        self.of(path, |path| self.stack.reference(path))
    }

    /// A text that nothing equals stands for what does not exist.
    fn of(&self, path: &str, ask: impl Fn(&str) -> String) -> Value {
        match self.stack.find(path) {
            Some(_) => ask(path).into(),
            None => format!("({path} does not exist)").into(),
        }
    }
}

/// What is wrong, each with the set under which it is.
#[derive(Default)]
pub(crate) struct Violations {
    of: String,
    found: Vec<String>,
}

impl Violations {
    pub(crate) fn found(self) -> Vec<String> {
        self.found
    }

    pub(crate) fn unless(&mut self, holds: bool, what: impl Display) {
        if !holds {
            self.found.push(format!("{}: {what}", self.of));
        }
    }

    /// A value has to be this one; a number may stand as a text.
    pub(crate) fn equal(&mut self, what: impl Display, found: &Value, expected: impl Into<Value>) {
        let expected = expected.into();
        let is_equal = *found == expected || (!text(found).is_empty() && text(found) == text(&expected));
        self.unless(is_equal, format!("{what} is {found}; expected {expected}"));
    }

    pub(crate) fn same<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: impl Display,
        found: &T,
        expected: &T,
    ) {
        self.unless(
            found == expected,
            format!("{what} is {found:?}; expected {expected:?}"),
        );
    }
}

/// The text of a scalar, as `CloudFormation` hands any of them on; empty for all else.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => String::new(),
    }
}

/// One text, or a list of them.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        Value::Null => Vec::new(),
        one => vec![text(one)],
    }
}

/// A number, which may stand as a text; not a number where there is none.
pub(crate) fn number(value: &Value) -> f64 {
    text(value).parse().unwrap_or(f64::NAN)
}

/// The items of a list; none where there is no list.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A file of the repository.
pub(crate) fn repository_file(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}
