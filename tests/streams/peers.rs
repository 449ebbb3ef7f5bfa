//! Other people's de-aggregators read the event stream and are held against ours, record by record.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kpl::Payload;
use md5::{Digest as _, Md5};

use crate::emulator::kinesis::{HashKeyRange, Shard, StreamRecord};
use crate::tools::Tools;

/// What a reader found in one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Kinesis records.
    pub blobs: u64,
    /// User records in them.
    pub user_records: u64,
    /// MD5 over key and data of each user record, in order.
    pub digest: String,
}

/// What a reader found, shard by shard.
pub type Reading = BTreeMap<String, Found>;

/// The readers that are not ours.
pub const PEERS: [&str; 3] = ["python aws_kinesis_agg", "node aws-kinesis-agg", "java KCL"];

/// The most user records of a blob.
const MAX_USER_RECORDS: usize = 500;

/// Reads with our own crate, and hands each user record on. No blob may be larger than the cap.
pub fn ours(stream: &[(Shard, Vec<StreamRecord>)], cap: usize, mut each: impl FnMut(&[u8])) -> Reading {
    let mut reading = Reading::new();
    for (shard, records) in stream {
        let (mut user_records, mut hasher) = (0, Md5::new());
        let mut read = |key: &str, data: &[u8]| {
            user_records += 1;
            hasher.update(format!("{} {}\n{key}", key.len(), data.len()));
            hasher.update(data);
            each(data);
        };
        for record in records {
            let blob = STANDARD.decode(&record.data).unwrap();
            match kpl::deaggregate(&blob).unwrap() {
                Payload::Plain(data) => read(&record.partition_key, data),
                Payload::Aggregated(found) => {
                    assert!(blob.len() <= cap, "a blob of {} bytes", blob.len());
                    assert!(
                        (2..=MAX_USER_RECORDS).contains(&found.len()),
                        "a blob of {} rows",
                        found.len()
                    );
                    for user_record in found {
                        read(user_record.partition_key, user_record.data);
                    }
                }
            }
        }
        let digest = hex(&hasher.finalize());
        let blobs = records.len() as u64;
        reading.insert(
            shard.id.clone(),
            Found {
                blobs,
                user_records,
                digest,
            },
        );
    }
    reading.retain(|_, found| found.blobs > 0);
    reading
}

/// Writes a stream for the peers: each blob with the hash keys of a shard, which is its own unless the test
/// wants to see that it matters.
pub fn write(file: &Path, stream: &[(Shard, Vec<StreamRecord>)], range_of: impl Fn(&Shard) -> HashKeyRange) {
    let mut out = BufWriter::new(File::create(file).unwrap());
    for (shard, records) in stream {
        let HashKeyRange {
            starting_hash_key: start,
            ending_hash_key: end,
        } = range_of(shard);
        for record in records {
            let StreamRecord {
                sequence_number,
                partition_key,
                data,
                ..
            } = record;
            let shard = &shard.id;
            writeln!(
                out,
                "{shard}\t{start}\t{end}\t{sequence_number}\t{partition_key}\t{data}"
            )
            .unwrap();
        }
    }
    out.flush().unwrap();
}

/// Lets a peer read the file.
pub fn read(peer: &str, tools: &Tools, file: &Path) -> Reading {
    let mut command = match peer.split(' ').next() {
        Some("python") => {
            let mut command = Command::new(tools.python());
            command.arg(Tools::script("peers/deaggregate.py"));
            command
        }
        Some("node") => {
            let mut command = Command::new("node");
            command
                .env("NODE_PATH", tools.node_modules())
                .arg(Tools::script("peers/deaggregate.js"));
            command
        }
        Some("java") => {
            let mut command = Command::new("java");
            command
                .arg("-cp")
                .arg(tools.jars().join("*"))
                .arg("-Xmx2g")
                .arg(Tools::script("peers/Deaggregate.java"));
            command
        }
        _ => panic!("no peer {peer}"),
    };
    let output = command
        .arg(file)
        .output()
        .unwrap_or_else(|error| panic!("{peer}: {error}"));
    let (out, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{peer}: {errors}");
    let found = out.lines().map(|line| {
        let [shard, blobs, user_records, digest] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{peer} says {line}");
        };
        let found = Found {
            blobs: blobs.parse().unwrap(),
            user_records: user_records.parse().unwrap(),
            digest: digest.to_owned(),
        };
        (shard.to_owned(), found)
    });
    found.collect()
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
