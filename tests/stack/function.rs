//! The function: its settings, its event source mapping, how it runs, and its secret.

use std::collections::BTreeSet;
use std::time::Duration;

use aggregate_logs::settings::SETTINGS;
use aggregate_logs::{EventDelivery, Settings};
use pixel_log::FieldSet;
use serde_json::json;

use super::world::{World, number, text};

const FUNCTION: &str = "Functions/AggregateLogs";
const MAPPING: &str = "Functions/AggregateLogsLogLines";
const SECRET: &str = "Functions/VisitorKey";

/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_ENVIRONMENT: usize = 4 << 10;

/// The environment is what the function's settings take, and says what the parameters say.
pub(crate) fn settings(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let variables = &deployed.properties(FUNCTION)["Environment"]["Variables"];
        let names: BTreeSet<&str> = variables
            .as_object()
            .into_iter()
            .flat_map(|variables| variables.keys().map(String::as_str))
            .collect();
        let known: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        violations.same("the names of the variables", &names, &known);
        let all = variables.as_object().into_iter().flatten();
        let bytes: usize = all.map(|(name, value)| name.len() + text(value).len()).sum();
        violations.unless(
            bytes <= MAX_ENVIRONMENT,
            format!("the environment has {bytes} bytes"),
        );
        let read = Settings::from_lookup(|name| variables.get(name).map(text));
        let settings = match read {
            Ok(settings) => settings,
            Err(error) => return violations.unless(false, format!("the function refuses to start: {error}")),
        };
        let name = |path| text(&deployed.name(path));
        let delivery = match deployed.parameter("Delivery") {
            "Kpl" => EventDelivery::Kpl {
                event_stream: name("Streams/EventStream"),
            },
            _ => EventDelivery::DirectPut {
                event_firehose: name("Delivering/DirectEventFirehose"),
            },
        };
        violations.same("the delivery", &settings.delivery, &delivery);
        violations.same(
            "the Firehose of failed events",
            &settings.failed_events_firehose,
            &name("Delivering/FailedEventsFirehose"),
        );
        violations.same(
            "the secret",
            &settings.visitor_key_secret,
            &Some(deployed.stack.reference(SECRET)),
        );
        let batch = &settings.batch;
        violations.same(
            "the cap of a blob",
            &batch.blob_bytes.to_string().as_str(),
            &deployed.parameter("BlobBytes"),
        );
        violations.same(
            "the pixel's path",
            &batch.rows.config().pixel_paths,
            &vec![deployed.parameter("PixelPath").to_owned()],
        );
        violations.same(
            "the fields",
            &Ok(batch.rows.config().fields.clone()),
            &FieldSet::parse(deployed.parameter("LogFields")),
        );
    })
}

/// The values without which a batch is lost, or blocks the others.
///
/// The age is below the stream's retention by an hour and more: a record that the stream drops leaves no
/// trace.
pub(crate) fn event_source(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let mapping = deployed.properties(MAPPING);
        violations.equal(
            "EventSourceArn",
            &mapping["EventSourceArn"],
            deployed.arn("Streams/LogStream"),
        );
        violations.equal("FunctionName", &mapping["FunctionName"], deployed.name(FUNCTION));
        for (property, expected) in [
            ("StartingPosition", json!("TRIM_HORIZON")),
            ("BatchSize", json!(2_000)),
            ("MaximumBatchingWindowInSeconds", json!(5)),
            ("BisectBatchOnFunctionError", json!(true)),
            ("FunctionResponseTypes", json!(["ReportBatchItemFailures"])),
            ("MaximumRetryAttempts", json!(100)),
            ("MetricsConfig", json!({"Metrics": ["EventCount"]})),
        ] {
            violations.equal(property, &mapping[property], expected);
        }
        violations.equal(
            "the on-failure destination",
            &mapping["DestinationConfig"]["OnFailure"]["Destination"],
            deployed.arn("Lake/RawBucket"),
        );
        let age = number(&mapping["MaximumRecordAgeInSeconds"]);
        let retention = 3_600.0 * number(&deployed.properties("Streams/LogStream")["RetentionPeriodHours"]);
        violations.unless(
            age >= 3_600.0 && age <= retention - 3_600.0,
            format!("records may grow {age} s old in a stream that keeps them for {retention} s"),
        );
        if deployed.parameter("LogStreamRetentionHours") == "168" {
            violations.equal("age", &mapping["MaximumRecordAgeInSeconds"], 518_400);
        }
        // Two batches of a shard at once; state across batches; and a filter, which drops what is not JSON.
        let is_one = mapping
            .get("ParallelizationFactor")
            .is_none_or(|factor| number(factor) <= 1.0);
        violations.unless(is_one, "ParallelizationFactor is not 1");
        for absent in ["TumblingWindowInSeconds", "FilterCriteria"] {
            violations.unless(mapping.get(absent).is_none(), format!("{absent} is set"));
        }
        violations.unless(
            mapping.get("Enabled").is_none_or(|enabled| enabled == true),
            "the mapping is disabled",
        );
    })
}

/// The runtime, and time enough for an answer.
pub(crate) fn runtime(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let function = deployed.properties(FUNCTION);
        violations.equal("Runtime", &function["Runtime"], "provided.al2023");
        violations.equal("Handler", &function["Handler"], "bootstrap");
        violations.equal(
            "Architectures",
            &function["Architectures"],
            json!([deployed.parameter("Architecture")]),
        );
        violations.equal(
            "MemorySize",
            &function["MemorySize"],
            deployed.parameter("FunctionMemory"),
        );
        violations.equal(
            "Role",
            &function["Role"],
            deployed.arn("Functions/AggregateLogsRole"),
        );
        let log = &function["LoggingConfig"];
        // The function's own lines are JSON; so are Lambda's then, and one query reads both.
        violations.equal("the format of its log", &log["LogFormat"], "JSON");
        violations.unless(
            log.get("ApplicationLogLevel").is_none(),
            "a level would drop lines that alarms count",
        );
        violations.equal(
            "its log group",
            &function["LoggingConfig"]["LogGroup"],
            deployed.name("Functions/AggregateLogsLogGroup"),
        );
        violations.unless(function.get("VpcConfig").is_none(), "the function lies in a VPC");
        let reserved = match deployed.parameter("ReservedConcurrency") {
            "0" => "",
            some => some,
        };
        violations.same(
            "ReservedConcurrentExecutions",
            &text(&function["ReservedConcurrentExecutions"]).as_str(),
            &reserved,
        );
        // What is put again and again ends two seconds before the function does, and has most of its time.
        let margin = number(&function["Environment"]["Variables"]["DEADLINE_MARGIN_MS"]);
        let margin = Duration::try_from_secs_f64(margin / 1_000.0).unwrap_or_default();
        let timeout = Duration::try_from_secs_f64(number(&function["Timeout"])).unwrap_or_default();
        violations.unless(
            margin >= Duration::from_secs(2) && margin * 4 <= timeout && timeout <= Duration::from_mins(15),
            format!("the deadline's margin is {margin:?} of {timeout:?}"),
        );
        if deployed.set == "defaults" {
            violations.equal(
                "the default processor",
                &function["Architectures"],
                json!(["arm64"]),
            );
        }
    })
}

/// The secret is 64 hexadecimal digits of chance.
/// Source: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html>
pub(crate) fn visitor_key(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let secret = deployed.properties(SECRET);
        violations.equal(
            "the secret's KmsKeyId",
            &secret["KmsKeyId"],
            deployed.arn("Keys/RawKey"),
        );
        violations.unless(
            secret.get("SecretString").is_none(),
            "the secret stands in the template",
        );
        let generated = &secret["GenerateSecretString"];
        violations.equal("PasswordLength", &generated["PasswordLength"], 64);
        let excluded = text(&generated["ExcludeCharacters"]);
        let without = |class: &str| generated[format!("Exclude{class}")] == true;
        let classes = [
            ("Lowercase", 'a'..='z'),
            ("Uppercase", 'A'..='Z'),
            ("Numbers", '0'..='9'),
            ("Punctuation", '!'..='/'),
        ];
        let left: String = classes
            .into_iter()
            .filter(|(class, _)| !without(class))
            .flat_map(|(_, characters)| characters)
            .filter(|character| !excluded.contains(*character))
            .collect();
        violations.same("what the secret is made of", &left.as_str(), &"abcdef0123456789");
        for key in ["GenerateStringKey", "SecretStringTemplate", "IncludeSpace"] {
            violations.unless(
                generated.get(key).is_none_or(|value| value == false),
                format!("{key} is set"),
            );
        }
    })
}
