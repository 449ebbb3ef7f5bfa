//! Kinesis' `PutRecords`, Firehose's `PutRecordBatch` and Secrets Manager's `GetSecretValue`, which can be
//! told to fail.
//!
//! Sources: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>,
//! <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>,
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>

mod fault;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::{Reply, Request, Server};

pub use fault::Fault;

/// One call, as the stand-in saw it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The name of the stream, or the ARN of the secret.
    pub stream: String,
    /// The operation: `Kinesis_20131202.PutRecords`, `Firehose_20150804.PutRecordBatch` or
    /// `secretsmanager.GetSecretValue`.
    pub target: String,
    /// The entries in order; a secret is asked for without any.
    pub entries: Vec<PutEntry>,
}

/// One entry of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutEntry {
    /// The bytes.
    pub data: Vec<u8>,
    /// The Kinesis partition key.
    pub partition_key: Option<String>,
}

/// The stand-in. Streams exist as soon as somebody puts to them; of secrets, those that it was given.
pub struct Aws {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Faults of the next calls, stream by stream; a secret's stand here too.
    next: BTreeMap<String, VecDeque<Fault>>,
    /// Fault of every call after those.
    then: BTreeMap<String, Fault>,
    calls: Vec<Call>,
    stored: BTreeMap<String, Vec<Vec<u8>>>,
    /// The members of each secret's answer that hold its value.
    secrets: BTreeMap<String, Value>,
}

impl Aws {
    /// Starts it. It ends with this value.
    pub fn start() -> Aws {
        let state: Arc<Mutex<State>> = Arc::default();
        let served = Arc::clone(&state);
        Aws {
            server: Server::start(move |request| serve(&request, &mut served.lock().unwrap())),
            state,
        }
    }

    /// The address, as the SDK wants it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.authority())
    }

    /// Keeps a secret under its ARN. The value is what the answer holds of it: `{"SecretString": …}` or
    /// `{"SecretBinary": …}`.
    pub fn keep_secret(&self, arn: &str, value: Value) {
        self.state.lock().unwrap().secrets.insert(arn.to_owned(), value);
    }

    /// The faults of the stream's next calls, one each.
    pub fn fail_next(&self, stream: &str, faults: impl IntoIterator<Item = Fault>) {
        let mut state = self.state.lock().unwrap();
        state.next.entry(stream.to_owned()).or_default().extend(faults);
    }

    /// The fault of every later call to the stream; `Fault::None` mends it.
    pub fn fail_always(&self, stream: &str, fault: Fault) {
        self.state.lock().unwrap().then.insert(stream.to_owned(), fault);
    }

    /// The calls to the stream.
    pub fn calls(&self, stream: &str) -> Vec<Call> {
        let state = self.state.lock().unwrap();
        state
            .calls
            .iter()
            .filter(|call| call.stream == stream)
            .cloned()
            .collect()
    }

    /// The operations that were called, in order.
    pub fn targets(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.calls.iter().map(|call| call.target.clone()).collect()
    }

    /// What the stream stored, in the order in which it did.
    pub fn stored(&self, stream: &str) -> Vec<Vec<u8>> {
        self.state
            .lock()
            .unwrap()
            .stored
            .get(stream)
            .cloned()
            .unwrap_or_default()
    }

    /// The JSON documents that the stream stored: of aggregated records, and of concatenated ones.
    pub fn documents(&self, stream: &str) -> Vec<Value> {
        let mut documents = Vec::new();
        for data in self.stored(stream) {
            match kpl::deaggregate(&data).unwrap() {
                kpl::Payload::Plain(data) => read_documents(data, &mut documents),
                kpl::Payload::Aggregated(user_records) => {
                    for user_record in &user_records {
                        read_documents(user_record.data, &mut documents);
                    }
                }
            }
        }
        documents
    }
}

impl State {
    /// The fault of the call that is being served.
    fn fault(&mut self, stream: &str) -> Fault {
        let next = self.next.get_mut(stream).and_then(VecDeque::pop_front);
        next.or_else(|| self.then.get(stream).cloned())
            .unwrap_or(Fault::None)
    }
}

fn read_documents(data: &[u8], documents: &mut Vec<Value>) {
    for document in serde_json::Deserializer::from_slice(data).into_iter::<Value>() {
        documents.push(document.unwrap());
    }
}

fn serve(request: &Request, state: &mut State) -> Reply {
    let target = request
        .headers
        .get("x-amz-target")
        .expect("a call in AWS JSON 1.1")
        .clone();
    assert_eq!(request.headers["content-type"], "application/x-amz-json-1.1");
    assert!(request.headers.contains_key("authorization"), "an unsigned call");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    if target == "secretsmanager.GetSecretValue" {
        return get_secret(body["SecretId"].as_str().unwrap(), target, state);
    }
    let is_kinesis = target == "Kinesis_20131202.PutRecords";
    assert!(
        is_kinesis || target == "Firehose_20150804.PutRecordBatch",
        "{target}"
    );
    let name = if is_kinesis {
        "StreamName"
    } else {
        "DeliveryStreamName"
    };
    let stream = body[name].as_str().unwrap().to_owned();
    let entry = |record: &Value| PutEntry {
        data: STANDARD.decode(record["Data"].as_str().unwrap()).unwrap(),
        partition_key: record["PartitionKey"].as_str().map(str::to_owned),
    };
    let entries: Vec<PutEntry> = body["Records"].as_array().unwrap().iter().map(entry).collect();
    assert!(
        (1..=500).contains(&entries.len()),
        "{} entries in a call",
        entries.len()
    );
    let fault = state.fault(&stream);
    state.calls.push(Call {
        stream: stream.clone(),
        target,
        entries: entries.clone(),
    });
    let stored = state.stored.entry(stream).or_default();
    let outcomes = put(&entries, &fault, stored, is_kinesis);
    let failures = outcomes
        .iter()
        .filter(|outcome| !outcome["ErrorCode"].is_null())
        .count();
    let answer = if is_kinesis {
        json!({"FailedRecordCount": failures, "Records": outcomes})
    } else {
        json!({"FailedPutCount": failures, "RequestResponses": outcomes})
    };
    fault.reply(&answer)
}

fn get_secret(arn: &str, target: String, state: &mut State) -> Reply {
    state.calls.push(Call {
        stream: arn.to_owned(),
        target,
        entries: Vec::new(),
    });
    let Some(value) = state.secrets.get(arn) else {
        return Fault::Error(400, "ResourceNotFoundException").reply(&Value::Null);
    };
    let mut answer = json!({"ARN": arn, "VersionId": "00000000-0000-4000-8000-000000000000"});
    answer
        .as_object_mut()
        .unwrap()
        .extend(value.as_object().unwrap().clone());
    state.fault(arn).reply(&answer)
}

/// Stores what the fault leaves, and says what the answer says of each entry.
fn put(entries: &[PutEntry], fault: &Fault, stored: &mut Vec<Vec<u8>>, is_kinesis: bool) -> Vec<Value> {
    let mut outcomes = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let refused = match fault {
            Fault::Refuse(indices, code) if indices.contains(&index) => Some(*code),
            Fault::RefuseContaining(text, code) if contains(&entry.data, text.as_bytes()) => Some(*code),
            _ => None,
        };
        let is_lost = match fault {
            Fault::NoIdentifier(indices) => indices.contains(&index),
            Fault::NullOutcome | Fault::Error(..) | Fault::Status(_) | Fault::Hang | Fault::Close => true,
            _ => refused.is_some(),
        };
        if !is_lost {
            stored.push(entry.data.clone());
        }
        let number = stored.len();
        outcomes.push(match (refused, fault) {
            (Some(code), _) => json!({"ErrorCode": code, "ErrorMessage": "canary message of the service"}),
            (None, Fault::NullOutcome) if index == 0 => Value::Null,
            (None, _) if is_lost && is_kinesis => json!({"ShardId": "shardId-000000000000"}),
            (None, _) if is_lost => json!({}),
            (None, _) if is_kinesis => {
                json!({"SequenceNumber": number.to_string(), "ShardId": "shardId-000000000000"})
            }
            (None, _) => json!({"RecordId": format!("record-{number}")}),
        });
    }
    if matches!(fault, Fault::OneOutcomeShort) {
        outcomes.pop();
    }
    outcomes
}

fn contains(data: &[u8], text: &[u8]) -> bool {
    data.windows(text.len()).any(|window| window == text)
}
