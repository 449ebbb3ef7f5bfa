//! What the templates and `samconfig.toml` say of the bill: parameters, and how much watches the stack.

use std::fs;

use super::bill::Way;
use super::repository;

/// The values that the bill depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) log_retention_hours: f64,
    pub(crate) event_retention_hours: f64,
    pub(crate) buffer_seconds: f64,
    pub(crate) buffer_mib: f64,
    pub(crate) memory_mb: f64,
    pub(crate) batch_lines: f64,
    pub(crate) window_seconds: f64,
}

/// Which alarms are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alarms {
    /// Those that tell of a loss before it is final.
    Essential,
    /// Every one.
    All,
}

/// A deployment, as far as the bill depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deployment {
    pub(crate) way: Way,
    pub(crate) alarms: Alarms,
    pub(crate) settings: Settings,
}

impl Deployment {
    /// The defaults of the templates.
    pub(crate) fn read() -> Deployment {
        Deployment::with("")
    }

    /// An environment of `samconfig.toml`.
    pub(crate) fn of(environment: &str) -> Deployment {
        let config = read("samconfig.toml");
        let section = after(&config, &format!("\n[{environment}.deploy.parameters]\n"));
        let section = section.split("\n[").next().unwrap();
        let (overrides, _) = after(section, "parameter_overrides = [")
            .split_once("\n]")
            .unwrap();
        Deployment::with(overrides)
    }

    /// The defaults, but for what the lines of `parameter_overrides` say.
    fn with(overrides: &str) -> Deployment {
        let root = read("template.yaml");
        let functions = read("infra/functions.yaml");
        let parameter = |name: &str| -> String {
            if let Some((_, value)) = overrides.split_once(&format!("\"{name}=")) {
                return value.split('"').next().unwrap().to_owned();
            }
            let declared = after(&root, &format!("\n  {name}:\n"));
            value(declared, "    Default: ").unwrap().to_owned()
        };
        let number = |name: &str| parameter(name).parse().unwrap();
        Deployment {
            way: match parameter("Delivery").as_str() {
                "Kpl" => Way::Kpl,
                "DirectPut" => Way::DirectPut,
                other => panic!("what does the delivery {other} cost?"),
            },
            alarms: match parameter("Alarms").as_str() {
                "Essential" => Alarms::Essential,
                "All" => Alarms::All,
                other => panic!("what do the alarms {other} cost?"),
            },
            settings: Settings {
                log_retention_hours: number("LogStreamRetentionHours"),
                event_retention_hours: number("EventStreamRetentionHours"),
                buffer_seconds: number("BufferSeconds"),
                buffer_mib: number("BufferMegabytes"),
                memory_mb: number("FunctionMemory"),
                batch_lines: number_after(&functions, " BatchSize: "),
                window_seconds: number_after(&functions, "MaximumBatchingWindowInSeconds: "),
            },
        }
    }
}

/// Alarms by the metrics that they look at, metrics made of logs, and dashboards.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Watch {
    pub(crate) alarm_metrics: f64,
    pub(crate) custom_metrics: f64,
    pub(crate) dashboards: f64,
}

impl Watch {
    /// What `infra/alarms.yaml` makes for one way of delivery, without the archive of raw lines.
    pub(crate) fn read(way: Way, alarms: Alarms) -> Watch {
        Watch::of(&read("infra/alarms.yaml"), way, alarms, "")
    }

    /// What a template makes; `nested` is the resource that nests it.
    pub(crate) fn of(template: &str, way: Way, alarms: Alarms, nested: &str) -> Watch {
        let mut watch = Watch::default();
        let resources = after(template, "\nResources:\n");
        let (resources, _) = resources.split_once("\nOutputs:\n").unwrap_or((resources, ""));
        // A resource begins with its logical id, two spaces from the left.
        let mut blocks: Vec<String> = Vec::new();
        for line in resources
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
        {
            if line.starts_with("  ") && !line.starts_with("   ") {
                blocks.push(String::new());
            }
            if let Some(block) = blocks.last_mut() {
                *block += line;
                *block += "\n";
            }
        }
        for block in blocks.iter().filter(|block| exists(block, way, alarms, nested)) {
            let metrics = block.matches("MetricName:").count() as f64;
            match value(block, "    Type: ").unwrap() {
                // A band is a metric above and one below.
                "AWS::CloudWatch::Alarm" => {
                    watch.alarm_metrics += metrics;
                    watch.alarm_metrics += 2.0 * block.matches("ANOMALY_DETECTION_BAND").count() as f64;
                }
                "AWS::Logs::MetricFilter" => watch.custom_metrics += metrics,
                "AWS::CloudWatch::Dashboard" => watch.dashboards += 1.0,
                "AWS::CloudFormation::Stack" => {
                    let name = value(block, "      TemplateURL: ").unwrap();
                    let nested = Watch::of(&read(&format!("infra/{name}")), way, alarms, block);
                    watch.alarm_metrics += nested.alarm_metrics;
                    watch.custom_metrics += nested.custom_metrics;
                    watch.dashboards += nested.dashboards;
                }
                _ => {}
            }
        }
        watch
    }
}

/// Whether a resource is there, by its condition and what is handed to its template.
fn exists(block: &str, way: Way, alarms: Alarms, nested: &str) -> bool {
    let all = alarms == Alarms::All;
    match value(block, "    Condition: ") {
        None | Some("HasEmail" | "HasDistribution") => true,
        Some("HasEventFirehose") => way == Way::Kpl,
        Some("HasDirectEventFirehose") => way == Way::DirectPut,
        Some("HasRawArchive") => false,
        Some("WatchesAll") => all,
        Some("WatchesEventStream") => all && way == Way::Kpl,
        Some("WatchesConversion") => all && nested.contains("Converts: \"Yes\""),
        Some("WatchesPartitions") => all && nested.contains("Partitions: \"Yes\""),
        Some("WatchesReads") => all && !nested.contains("SourceStreamName: \"\""),
        Some("WatchesPuts") => all && nested.contains("SourceStreamName: \"\""),
        Some(condition) => panic!("does {condition} hold for {way:?} and {alarms:?}?"),
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn after<'a>(text: &'a str, mark: &str) -> &'a str {
    let (_, rest) = text.split_once(mark).unwrap_or_else(|| panic!("no {mark:?}"));
    rest
}

fn number_after(text: &str, mark: &str) -> f64 {
    let rest = after(text, mark);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits]
        .parse()
        .unwrap_or_else(|_| panic!("no number after {mark:?}"))
}

/// The rest of the line that begins so.
fn value<'a>(block: &'a str, begin: &str) -> Option<&'a str> {
    let line = block.lines().find_map(|line| line.strip_prefix(begin))?;
    Some(line.split(" #").next().unwrap_or(line).trim())
}
