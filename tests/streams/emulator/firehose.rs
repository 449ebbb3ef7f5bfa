//! Firehose's Direct PUT: the emulator's, behind a gate that holds the service's limits, which the emulator
//! does not know, and that can refuse.
//!
//! Source: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipeline_tests::http::{Reply, Request, Server};
use serde::Deserialize;
use serde_json::{Value, json};

use super::service::Service;
use crate::wall_clock::now;

const PUT: &str = "Firehose_20150804.PutRecordBatch";
/// The most records of a call.
const MAX_RECORDS: usize = 500;
/// The most bytes of a call.
const MAX_BYTES: usize = 4 << 20;
/// The most bytes of a record before base64.
const MAX_RECORD_BYTES: usize = 1000 << 10;

/// What the gate does with calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Lets them through.
    Open,
    /// Refuses each third record of each second call, as a quota would.
    Throttling,
    /// Refuses every call, as a missing permission would.
    Denying,
    /// Stores everything and never says so.
    Silent,
}

/// The gate with the emulator behind it.
pub struct Firehose {
    server: Server,
    state: Arc<Mutex<State>>,
}

struct State {
    gate: Gate,
    calls: u64,
    excesses: Vec<String>,
    stored: Vec<Delivered>,
}

/// A record that was stored.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The Firehose stream.
    pub stream: String,
    /// When it came, in milliseconds since 1970.
    pub arrival_ms: u64,
    /// Its bytes.
    pub data: Vec<u8>,
}

impl Firehose {
    /// An open gate before the emulator.
    pub fn start(emulator: Service) -> Firehose {
        let state = Arc::new(Mutex::new(State {
            gate: Gate::Open,
            calls: 0,
            excesses: Vec::new(),
            stored: Vec::new(),
        }));
        let served = Arc::clone(&state);
        Firehose {
            server: Server::start(move |request| serve(&request, &emulator, &served)),
            state,
        }
    }

    /// The address, as the SDK wants it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.authority())
    }

    /// Changes what the gate does.
    pub fn set(&self, gate: Gate) {
        self.state.lock().unwrap().gate = gate;
    }

    /// Number of all records that were stored.
    pub fn count(&self) -> usize {
        self.state.lock().unwrap().stored.len()
    }

    /// The limits that calls broke.
    pub fn excesses(&self) -> Vec<String> {
        self.state.lock().unwrap().excesses.clone()
    }

    /// Records that were stored, in the order in which they came.
    pub fn stored(&self, stream: &str) -> Vec<Delivered> {
        let state = self.state.lock().unwrap();
        let of_stream = |delivered: &&Delivered| delivered.stream == stream;
        state.stored.iter().filter(of_stream).cloned().collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Call<'a> {
    delivery_stream_name: &'a str,
    #[serde(borrow)]
    records: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    data: &'a str,
}

fn serve(request: &Request, emulator: &Service, state: &Mutex<State>) -> Reply {
    assert_eq!(request.headers["x-amz-target"], PUT, "the function's only call");
    let call: Call<'_> = serde_json::from_slice(&request.body).unwrap();
    let decode = |entry: &Entry<'_>| STANDARD.decode(entry.data).unwrap();
    let records: Vec<Vec<u8>> = call.records.iter().map(decode).collect();
    let (gate, is_second) = {
        let mut state = state.lock().unwrap();
        state.calls += 1;
        state.excesses.extend(excess(&records));
        (state.gate, state.calls.is_multiple_of(2))
    };
    if gate == Gate::Denying {
        let error = json!({"__type": "AccessDeniedException", "message": "not authorized"});
        return Reply::json(400, error.to_string());
    }
    let is_refused = |index: usize| gate == Gate::Throttling && is_second && index % 3 == 1;
    let entries = call.records.iter().enumerate();
    let kept = entries.filter(|(index, _)| !is_refused(*index));
    let kept: Vec<Value> = kept.map(|(_, entry)| json!({"Data": entry.data})).collect();
    let refused = records.len() - kept.len();
    let put = json!({"DeliveryStreamName": call.delivery_stream_name, "Records": kept});
    let mut stored = emulator.ask(PUT, &put)["RequestResponses"].take();
    let mut stored = stored.as_array_mut().unwrap().drain(..);

    let mut outcomes = Vec::new();
    let mut state = state.lock().unwrap();
    let arrival_ms = u64::try_from(now().as_millis()).unwrap();
    for (index, data) in records.into_iter().enumerate() {
        if is_refused(index) {
            let why = json!({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow down"});
            outcomes.push(why);
        } else {
            outcomes.push(stored.next().unwrap());
            let stream = call.delivery_stream_name.to_owned();
            state.stored.push(Delivered {
                stream,
                arrival_ms,
                data,
            });
        }
    }
    if gate == Gate::Silent {
        return Reply::Hang;
    }
    let answer = json!({"FailedPutCount": refused, "RequestResponses": outcomes});
    Reply::json(200, answer.to_string())
}

/// Which limit a call breaks.
fn excess(records: &[Vec<u8>]) -> Option<String> {
    let bytes: usize = records.iter().map(Vec::len).sum();
    let largest = records.iter().map(Vec::len).max().unwrap_or_default();
    match () {
        () if records.is_empty() || records.len() > MAX_RECORDS => Some(format!("{} records", records.len())),
        () if bytes > MAX_BYTES => Some(format!("{bytes} bytes in a call")),
        () if largest > MAX_RECORD_BYTES => Some(format!("{largest} bytes in a record")),
        () => None,
    }
}
