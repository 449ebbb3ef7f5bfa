//! Kinesis' `PutRecords` and Firehose's `PutRecordBatch`, which can be told to fail.
//!
//! Sources: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>,
//! <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::{Reply, Request, Server};

/// What a stream does with a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing: it stores all entries.
    None,
    /// Refuses the entries at these positions of the call with a code and stores the others.
    Refuse(Vec<usize>, &'static str),
    /// Refuses every entry that holds these bytes and stores the others.
    RefuseContaining(String, &'static str),
    /// Answers without an identifier for the entries at these positions, counts no failure, and does not
    /// store them.
    NoIdentifier(Vec<usize>),
    /// Stores all entries and leaves the last out of its answer.
    OneOutcomeShort,
    /// Stores nothing and answers with null for the first entry.
    NullOutcome,
    /// Refuses the call with a status and a code.
    Error(u16, &'static str),
    /// Answers with this status and no body.
    Status(u16),
    /// Stores all entries and answers with what is no JSON.
    Garbled,
    /// Stores all entries and breaks off in the middle of the answer.
    Truncated,
    /// Stores nothing, and never answers.
    Hang,
    /// Closes the connection before it stores anything.
    Close,
    /// Stores all entries, answers, and closes the connection that the client keeps for its next call.
    CloseAfterAnswering,
    /// Stores all entries and closes the connection without an answer.
    CloseAfterStoring,
}

/// One call, as the stand-in saw it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The name of the stream.
    pub stream: String,
    /// The operation: `Kinesis_20131202.PutRecords` or `Firehose_20150804.PutRecordBatch`.
    pub target: String,
    /// The entries in order.
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

/// The stand-in. Streams exist as soon as somebody puts to them.
pub struct Aws {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Faults of the next calls, stream by stream.
    next: BTreeMap<String, VecDeque<Fault>>,
    /// Fault of every call after those.
    then: BTreeMap<String, Fault>,
    calls: Vec<Call>,
    stored: BTreeMap<String, Vec<Vec<u8>>>,
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
    let fault = state.next.get_mut(&stream).and_then(VecDeque::pop_front);
    let fault = fault
        .or_else(|| state.then.get(&stream).cloned())
        .unwrap_or(Fault::None);
    state.calls.push(Call {
        stream: stream.clone(),
        target,
        entries: entries.clone(),
    });
    let stored = state.stored.entry(stream).or_default();
    let outcomes = put(&entries, &fault, stored, is_kinesis);
    let answer = |outcomes: Vec<Value>| {
        let failures = outcomes
            .iter()
            .filter(|outcome| !outcome["ErrorCode"].is_null())
            .count();
        let answer = if is_kinesis {
            json!({"FailedRecordCount": failures, "Records": outcomes})
        } else {
            json!({"FailedPutCount": failures, "RequestResponses": outcomes})
        };
        answer.to_string()
    };
    match fault {
        Fault::Error(status, code) => {
            let error = json!({"__type": code, "message": "canary message of the service"});
            Reply::json(status, error.to_string())
        }
        Fault::Status(status) => Reply::Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        },
        Fault::Garbled => Reply::json(200, r#"{"Records":[{"Sequ"#),
        Fault::Truncated => Reply::Truncate(answer(outcomes).into_bytes()),
        Fault::CloseAfterAnswering => Reply::AnswerAndClose(answer(outcomes).into_bytes()),
        Fault::Hang => Reply::Hang,
        Fault::Close | Fault::CloseAfterStoring => Reply::Close,
        Fault::None
        | Fault::Refuse(..)
        | Fault::RefuseContaining(..)
        | Fault::NoIdentifier(..)
        | Fault::OneOutcomeShort
        | Fault::NullOutcome => Reply::json(200, answer(outcomes)),
    }
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
