//! Kinesis as producers, the event source mapping and consumers call it.

use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipeline_tests::PATIENCE;
use serde::Deserialize;
use serde_json::json;

use super::service::Service;

/// The most entries of a call of `PutRecords`.
const MAX_ENTRIES: usize = 500;
/// The most bytes of a call that the emulator takes; the service takes 10 MiB.
const MAX_BYTES: usize = 5 << 20;
/// Between two looks at something that changes by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Kinesis.
#[derive(Clone)]
pub struct Kinesis {
    service: Service,
}

/// One record of a stream.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamRecord {
    /// Its sequence number.
    pub sequence_number: String,
    /// The partition key that it was put with.
    pub partition_key: String,
    /// Its data in base64.
    pub data: String,
    /// When it arrived, in seconds since 1970.
    pub approximate_arrival_timestamp: f64,
}

/// One shard.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shard {
    /// Its name.
    #[serde(rename = "ShardId")]
    pub id: String,
    /// The shard that was split into this one, or merged with another.
    pub parent_shard_id: Option<String>,
    /// That other one.
    pub adjacent_parent_shard_id: Option<String>,
    /// The hash keys that it owns.
    pub hash_key_range: HashKeyRange,
    sequence_number_range: SequenceNumberRange,
}

/// The hash keys of a shard, both ends included, in decimal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HashKeyRange {
    /// The lowest.
    pub starting_hash_key: String,
    /// The highest.
    pub ending_hash_key: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SequenceNumberRange {
    ending_sequence_number: Option<String>,
}

impl StreamRecord {
    /// When it arrived, in milliseconds since 1970.
    pub fn arrival_ms(&self) -> u64 {
        let arrival = Duration::from_secs_f64(self.approximate_arrival_timestamp);
        u64::try_from(arrival.as_millis()).unwrap()
    }
}

impl Shard {
    /// Whether it was split or merged, so that nothing is put to it any more.
    pub fn is_closed(&self) -> bool {
        self.sequence_number_range.ending_sequence_number.is_some()
    }

    /// The shards that have to be read before it.
    pub fn parents(&self) -> impl Iterator<Item = &String> {
        self.parent_shard_id.iter().chain(&self.adjacent_parent_shard_id)
    }

    /// The hash key that halves the shard.
    fn middle(&self) -> u128 {
        let [start, end] = self.ends();
        start + (end - start) / 2
    }

    fn ends(&self) -> [u128; 2] {
        let HashKeyRange {
            starting_hash_key,
            ending_hash_key,
        } = &self.hash_key_range;
        [starting_hash_key, ending_hash_key].map(|key| key.parse().unwrap())
    }
}

impl Kinesis {
    /// The one at this service.
    pub fn new(service: Service) -> Kinesis {
        Kinesis { service }
    }

    /// Makes a stream and waits until it is there.
    pub fn create_stream(&self, name: &str, shards: u64) {
        let stream = json!({"StreamName": name, "ShardCount": shards});
        self.service.ask("Kinesis_20131202.CreateStream", &stream);
        self.wait_until_active(name);
    }

    /// Waits for the end of a change.
    pub fn wait_until_active(&self, stream: &str) {
        let question = json!({"StreamName": stream});
        for _ in 0..PATIENCE.as_millis() / LOOK_AGAIN.as_millis() {
            let answer = self
                .service
                .ask("Kinesis_20131202.DescribeStreamSummary", &question);
            if answer["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE" {
                return;
            }
            thread::sleep(LOOK_AGAIN);
        }
        panic!("{stream} does not become active");
    }

    /// Puts each data as one record. What a shard refuses is sent again until all is stored; says how often
    /// that was.
    pub fn put_all<'a>(&self, stream: &str, data: impl IntoIterator<Item = &'a [u8]>) -> u64 {
        let mut refused = 0;
        let mut data = data.into_iter().peekable();
        let mut pending: Vec<(String, &[u8])> = Vec::new();
        let mut number: u64 = 0;
        loop {
            let mut bytes: usize = pending.iter().map(|(key, data)| key.len() + data.len()).sum();
            while let Some(next) =
                data.next_if(|next| pending.len() < MAX_ENTRIES && bytes + next.len() + 20 <= MAX_BYTES)
            {
                number += 1;
                // CloudFront's keys spread its lines over the shards.
                let key = number.to_string();
                bytes += key.len() + next.len();
                pending.push((key, next));
            }
            if pending.is_empty() {
                return refused;
            }
            let before = pending.len();
            let mut is_stored = self.put_records(stream, &pending).into_iter();
            pending.retain(|_| !is_stored.next().unwrap());
            refused += pending.len() as u64;
            if pending.len() == before {
                thread::sleep(LOOK_AGAIN);
            }
        }
    }

    /// One call; whether each entry is stored.
    fn put_records(&self, stream: &str, entries: &[(String, &[u8])]) -> Vec<bool> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            records: Vec<Outcome>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Outcome {
            sequence_number: Option<String>,
        }
        let mut body = format!(r#"{{"StreamName":"{stream}","Records":["#);
        for (index, (key, data)) in entries.iter().enumerate() {
            body.push_str(if index == 0 { "" } else { "," });
            body.extend([r#"{"PartitionKey":""#, key, r#"","Data":""#]);
            STANDARD.encode_string(data, &mut body);
            body.push_str(r#""}"#);
        }
        body.push_str("]}");
        let answer = self.service.call("Kinesis_20131202.PutRecords", body.as_bytes());
        let answer = answer.unwrap_or_else(|refusal| panic!("PutRecords: {refusal}"));
        let answer: Answer = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer.records.len(), entries.len());
        let is_stored = |outcome: &Outcome| outcome.sequence_number.is_some();
        answer.records.iter().map(is_stored).collect()
    }

    /// The shards of a stream, closed ones included.
    pub fn shards(&self, stream: &str) -> Vec<Shard> {
        let answer = self
            .service
            .ask("Kinesis_20131202.ListShards", &json!({"StreamName": stream}));
        assert!(answer["NextToken"].is_null(), "more shards than one page");
        serde_json::from_value(answer["Shards"].clone()).unwrap()
    }

    /// The records of a shard behind a sequence number, or from the shard's beginning.
    ///
    /// Each call asks for a new iterator. The emulator's own next one goes on from the time of the call, and
    /// would skip a record that has its number already but is stored a moment later.
    pub fn records_after(
        &self,
        stream: &str,
        shard: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<StreamRecord> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            records: Vec<StreamRecord>,
        }
        let mut question = json!({"StreamName": stream, "ShardId": shard});
        question["ShardIteratorType"] = match after {
            Some(_) => "AFTER_SEQUENCE_NUMBER".into(),
            None => "TRIM_HORIZON".into(),
        };
        if let Some(after) = after {
            question["StartingSequenceNumber"] = after.into();
        }
        let iterator = self.service.ask("Kinesis_20131202.GetShardIterator", &question);
        let question = json!({"ShardIterator": iterator["ShardIterator"], "Limit": limit});
        let answer = self
            .service
            .call("Kinesis_20131202.GetRecords", question.to_string().as_bytes());
        let answer = answer.unwrap_or_else(|refusal| panic!("GetRecords: {refusal}"));
        let answer: Answer = serde_json::from_slice(&answer).unwrap();
        answer.records
    }

    /// All that a stream holds, shard by shard, in the order of each shard.
    pub fn read_all(&self, stream: &str) -> Vec<(Shard, Vec<StreamRecord>)> {
        let read = |shard: Shard| {
            let mut records: Vec<StreamRecord> = Vec::new();
            loop {
                let after = records.last().map(|record| record.sequence_number.clone());
                let more = self.records_after(stream, &shard.id, after.as_deref(), 2_000);
                if more.is_empty() {
                    return (shard, records);
                }
                records.extend(more);
            }
        };
        self.shards(stream).into_iter().map(read).collect()
    }

    /// Splits the first open shard in halves, and waits for the end of it.
    pub fn split_first(&self, stream: &str) {
        let shards = self.shards(stream);
        let shard = shards.iter().find(|shard| !shard.is_closed()).unwrap();
        let split = json!({
            "StreamName": stream,
            "ShardToSplit": shard.id,
            "NewStartingHashKey": shard.middle().to_string(),
        });
        self.service.ask("Kinesis_20131202.SplitShard", &split);
        self.wait_until_active(stream);
    }

    /// Merges the two open shards with the highest hash keys, and waits for the end of it.
    pub fn merge_last(&self, stream: &str) {
        let mut open = self.shards(stream);
        open.retain(|shard| !shard.is_closed());
        open.sort_by_key(Shard::ends);
        let [.., lower, upper] = open.as_slice() else {
            panic!("{stream} has not two open shards");
        };
        let merge = json!({
            "StreamName": stream,
            "ShardToMerge": lower.id,
            "AdjacentShardToMerge": upper.id,
        });
        self.service.ask("Kinesis_20131202.MergeShards", &merge);
        self.wait_until_active(stream);
    }
}
