//! The stack on emulators: what the template says, made of what runs here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pipeline_tests::stack::Stack;
use serde_json::{Value, json};

use crate::emulator::Emulator;
use crate::emulator::bucket::Bucket;
use crate::emulator::firehose::Firehose;
use crate::emulator::kinesis::Kinesis;
use crate::emulator::service::Service;
use crate::event_source_mapping::EventSourceMapping;
use crate::event_source_mapping::sandboxes::Sandboxes;
use crate::event_source_mapping::settings::MappingSettings;
use crate::log::VISITOR_KEY;
use crate::peers::hex;
use crate::tools::Tools;

/// The stack of the template, at work.
pub struct Pipeline {
    /// Kinesis with both streams.
    pub kinesis: Kinesis,
    /// Firehose.
    pub firehose: Arc<Firehose>,
    /// The function.
    pub function: Arc<Sandboxes>,
    /// What the template says of the event source mapping.
    pub mapping: MappingSettings,
    /// Its on-failure destination.
    pub on_failure: Arc<Bucket>,
    variables: BTreeMap<String, String>,
    /// Where each Firehose stream writes: the bucket, and the prefix of its keys.
    destinations: BTreeMap<String, (Arc<Bucket>, String)>,
    /// They end with this.
    _emulators: [Emulator; 2],
}

impl Pipeline {
    /// Deploys the template with these parameters. The name is that of a folder for the run's own files.
    pub fn deploy(tools: &Tools, name: &str, parameters: &[(&str, &str)]) -> Pipeline {
        std::fs::create_dir_all(tools.file(name)).unwrap();
        let stack = Stack::load(&tools.stack, parameters).unwrap_or_else(|error| panic!("{error}"));
        let function = &stack.resource("Functions/AggregateLogs")["Properties"];
        let mapping = MappingSettings::read(stack.resource("Functions/AggregateLogsLogLines"));
        let emulators = [Emulator::kinesis(tools), Emulator::moto(tools)];
        let [kinesis, moto] = [&emulators[0].service, &emulators[1].service];

        // As the template sets them, but for the secret's ARN: the service ends it with letters of its own.
        let set = function["Environment"]["Variables"]
            .as_object()
            .expect("variables");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mut variables: BTreeMap<String, String> = set
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect();
        let secret = variables.insert("VISITOR_KEY_SECRET".to_owned(), create_secret(moto));
        assert!(secret.is_some(), "the template names no secret");

        let firehose = Arc::new(Firehose::start(moto.clone()));
        let endpoints = [
            ("KINESIS", kinesis.endpoint()),
            ("FIREHOSE", firehose.endpoint()),
            ("SECRETS_MANAGER", moto.endpoint()),
        ];
        let mut environment: Vec<(String, String)> = variables.clone().into_iter().collect();
        environment.extend(endpoints.map(|(service, at)| (format!("AWS_ENDPOINT_URL_{service}"), at)));
        let timeout = Duration::from_secs(number(&function["Timeout"]));
        let function = Sandboxes::new(tools.file(name), tools.bootstrap.clone(), environment, timeout);

        let kinesis = Kinesis::new(kinesis.clone());
        for (stream, path) in [
            (&mapping.stream, "Streams/LogStream"),
            (&variables["EVENT_STREAM_NAME"], "Streams/EventStream"),
        ] {
            if !stream.is_empty() {
                kinesis.create_stream(stream, number(&stack.resource(path)["Properties"]["ShardCount"]));
            }
        }
        let mut buckets = BTreeMap::new();
        let mut bucket = |name: &str| {
            let make = || Arc::new(Bucket::create(moto.named("s3"), name));
            Arc::clone(buckets.entry(name.to_owned()).or_insert_with(make))
        };
        let on_failure = bucket(
            mapping
                .on_failure
                .as_ref()
                .expect("a destination for what is given up"),
        );
        let mut destinations = BTreeMap::new();
        for (stream, logical_id) in [
            (&variables["EVENT_FIREHOSE_NAME"], "/DirectEventFirehose"),
            (&variables["FAILED_EVENTS_FIREHOSE_NAME"], "/FailedEventsFirehose"),
        ] {
            if !stream.is_empty() {
                let (name, prefix) = create_firehose(moto, stream, &stack, logical_id);
                destinations.insert(stream.clone(), (bucket(&name), prefix));
            }
        }
        Pipeline {
            kinesis,
            firehose,
            function: Arc::new(function),
            mapping,
            on_failure,
            variables,
            destinations,
            _emulators: emulators,
        }
    }

    /// Connects the log stream with the function as the template says, or with some of its values changed.
    pub fn connect(&self, settings: &MappingSettings) -> EventSourceMapping {
        EventSourceMapping::start(
            settings.clone(),
            self.kinesis.clone(),
            Arc::clone(&self.function),
            Some(Arc::clone(&self.on_failure)),
        )
    }

    /// A variable of the function.
    pub fn variable(&self, name: &str) -> &str {
        &self.variables[name]
    }

    /// What the Firehose stream wrote to its bucket, object by object.
    pub fn objects(&self, firehose: &str) -> Vec<Vec<u8>> {
        let (bucket, prefix) = &self.destinations[firehose];
        bucket.keys(prefix).iter().map(|key| bucket.get(key)).collect()
    }
}

/// Makes the secret that holds the visitor key; says its ARN.
fn create_secret(moto: &Service) -> String {
    let secret = json!({"Name": "visitor-key", "SecretString": hex(&VISITOR_KEY)});
    let answer = moto
        .named("secretsmanager")
        .ask("secretsmanager.CreateSecret", &secret);
    answer["ARN"].as_str().unwrap().to_owned()
}

/// Makes a Firehose stream with the destination that the template gives it; says bucket and prefix.
fn create_firehose(moto: &Service, stream: &str, stack: &Stack, logical_id: &str) -> (String, String) {
    let mut found = stack.of_type("AWS::KinesisFirehose::DeliveryStream");
    let found = found.find(|(path, _)| path.ends_with(logical_id));
    let (_, resource) = found.unwrap_or_else(|| panic!("no {logical_id}"));
    let destination = &resource["Properties"]["ExtendedS3DestinationConfiguration"];
    let text = |property: &str| destination[property].as_str().unwrap();
    // The emulator has no conversion, no partitioning and no buffer: the rest would mean nothing to it.
    let request = json!({
        "DeliveryStreamName": stream,
        "DeliveryStreamType": resource["Properties"]["DeliveryStreamType"],
        "ExtendedS3DestinationConfiguration": {
            "RoleARN": text("RoleARN"),
            "BucketARN": text("BucketARN"),
            "Prefix": text("Prefix"),
        },
    });
    moto.ask("Firehose_20150804.CreateDeliveryStream", &request);
    let bucket = text("BucketARN")
        .strip_prefix("arn:aws:s3:::")
        .expect("a bucket's ARN");
    (bucket.to_owned(), text("Prefix").to_owned())
}

/// A number, which went through a parameter and may be a text.
fn number(value: &Value) -> u64 {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.unwrap_or_else(|| panic!("{value} is not a number"))
}

/// Leaves a file for the next stage, a value to a line.
pub fn leave(file: &Path, values: impl Iterator<Item = Value>) {
    let mut out = BufWriter::new(File::create(file).unwrap());
    for value in values {
        writeln!(out, "{value}").unwrap();
    }
    out.flush().unwrap();
}
