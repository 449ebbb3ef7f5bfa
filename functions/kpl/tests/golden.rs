//! Bytes that other codecs made or read: ours are the same, or a table here says why not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod oracle;

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use kpl::{
    Aggregator, Blob, Blobs, DeaggregateError, KeyTableName, Limits, MAGIC, Payload, Pushed, deaggregate,
    deaggregate_all, effective_hash_key, has_right_digest,
};
use oracle::Owned;
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[test]
fn no_data_is_told_by_debug() {
    let mut aggregator = Aggregator::new(Limits {
        max_bytes: 1_000,
        max_user_records: 10,
        max_record_bytes: 1_000,
    });
    for _ in 0..2 {
        assert_eq!(
            aggregator.push("secret key", Some("1"), b"secret data"),
            Pushed::Added
        );
    }
    let blobs = aggregator.finish();
    let Ok(payload @ Payload::Aggregated(_)) = deaggregate(blobs.get(0).unwrap().bytes) else {
        panic!("a blob of two")
    };
    let told = "Aggregated([UserRecord(11 bytes), UserRecord(11 bytes)])";
    assert_eq!(format!("{payload:?}"), told);
    assert_eq!(format!("{:?}", Payload::Plain(b"secret")), "Plain(6 bytes)");
}

// ---- the files

#[derive(Deserialize)]
struct Case {
    name: String,
    max_size: usize,
    records: Vec<CaseRecord>,
}

#[derive(Deserialize)]
struct CaseRecord {
    pk: String,
    ehk: Option<String>,
    data_b64: Option<String>,
    data_repeat: Option<(u8, usize)>,
}

impl Case {
    fn records(&self) -> Vec<Owned> {
        let owned = |record: &CaseRecord| Owned {
            partition_key: record.pk.clone(),
            explicit_hash_key: record.ehk.clone(),
            data: match (&record.data_b64, record.data_repeat) {
                (Some(text), _) => base64(text),
                (None, Some((byte, count))) => vec![byte; count],
                (None, None) => panic!("{}: a record without data", self.name),
            },
        };
        self.records.iter().map(owned).collect()
    }

    fn blobs(&self) -> Blobs {
        self.blobs_of(&self.records())
    }

    /// User records through one aggregator, with no limit but that of the case and the stream's 10 MiB.
    fn blobs_of(&self, records: &[Owned]) -> Blobs {
        let limits = Limits {
            max_bytes: self.max_size,
            max_user_records: usize::MAX,
            max_record_bytes: 10 * 1024 * 1024,
        };
        let mut aggregator = Aggregator::new(limits);
        for Owned {
            partition_key,
            explicit_hash_key,
            data,
        } in records
        {
            if aggregator.push(partition_key, explicit_hash_key.as_deref(), data) == Pushed::Full {
                assert!(aggregator.close());
                let again = aggregator.push(partition_key, explicit_hash_key.as_deref(), data);
                assert_eq!(again, Pushed::Added);
            }
        }
        aggregator.finish()
    }
}

fn base64(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).unwrap()
}

fn agg_cases() -> Vec<Case> {
    serde_json::from_str(include_str!("vectors/agg_cases.json")).unwrap()
}

#[derive(Deserialize)]
struct Outputs<T> {
    cases: BTreeMap<String, T>,
}

#[derive(Deserialize)]
struct OutputBlobs {
    blobs: Vec<OutputBlob>,
}

/// A blob as another codec made it.
#[derive(Deserialize)]
struct OutputBlob {
    partition_key: Option<String>,
    explicit_hash_key: Option<String>,
    aggregated: Option<bool>,
    user_records: Option<usize>,
    len: usize,
    sha256: String,
    data_b64: Option<String>,
}

impl OutputBlob {
    fn assert_same_bytes(&self, bytes: &[u8], name: &str) {
        assert_eq!(bytes.len(), self.len, "{name}");
        assert_eq!(sha256(bytes), self.sha256, "{name}");
        if let Some(text) = &self.data_b64 {
            assert_eq!(bytes, base64(text), "{name}");
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

fn hex(text: &str) -> Vec<u8> {
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(byte).collect()
}

/// The user records of a blob that came with its keys.
fn unpacked(bytes: &[u8], partition_key: &str, explicit_hash_key: Option<&str>) -> Vec<Owned> {
    match deaggregate(bytes).unwrap() {
        Payload::Aggregated(records) => records.iter().map(Owned::from).collect(),
        Payload::Plain(data) => vec![Owned {
            partition_key: partition_key.into(),
            explicit_hash_key: explicit_hash_key.map(Into::into),
            data: data.into(),
        }],
    }
}

fn unpacked_blob(blob: &Blob<'_>) -> Vec<Owned> {
    unpacked(blob.bytes, blob.partition_key, blob.explicit_hash_key)
}

// ---- writing

#[test]
fn check_values_of_the_format_are_written_and_read() {
    let two_rows = "f3899ac20a02706b1a0b08001a077b2261223a317d1a0b08001a077b2261223a327d\
                    a5977f7b430a355405fe482aa0046e99";
    let with_hash_key = "f3899ac20a02706b1201301a07080010001a01781a07080010001a0179\
                         bb50ace8f0598bdbe2673e86ce500326";
    let one_wrapped = "f3899ac20a0d706172746974696f6e5f6b65791a0808001a0464617461\
                       d03699da5a222fa32108ad1bd955a14e";
    let record = |key: &str, hash_key: Option<&str>, data: &str| Owned {
        partition_key: key.into(),
        explicit_hash_key: hash_key.map(Into::into),
        data: data.into(),
    };
    let cases = [
        (
            two_rows,
            vec![record("pk", None, r#"{"a":1}"#), record("pk", None, r#"{"a":2}"#)],
        ),
        (
            with_hash_key,
            vec![record("pk", Some("0"), "x"), record("pk", Some("0"), "y")],
        ),
        (one_wrapped, vec![record("partition_key", None, "data")]),
    ];
    for (bytes, records) in cases {
        let bytes = hex(bytes);
        assert_eq!(unpacked(&bytes, "", None), records);

        let limits = Limits {
            max_bytes: bytes.len(),
            max_user_records: records.len(),
            max_record_bytes: 100,
        };
        let mut aggregator = Aggregator::new(limits);
        for record in &records {
            let hash_key = record.explicit_hash_key.as_deref();
            assert_eq!(
                aggregator.push(&record.partition_key, hash_key, &record.data),
                Pushed::Added
            );
        }
        let blobs = aggregator.finish();
        let blob = blobs.get(0).unwrap();
        if records.len() > 1 {
            assert_eq!(blob.bytes, bytes);
        } else {
            assert_eq!(blob.bytes, b"data", "one user record is written raw");
        }
    }
}

#[test]
fn every_blob_is_the_producer_librarys_byte_for_byte() {
    let outputs: Outputs<OutputBlobs> = serde_json::from_str(include_str!("vectors/agg_kpl.json")).unwrap();
    let mut compared = 0;
    for case in agg_cases() {
        // The library never answers an empty partition key; there is nothing to compare with.
        let Some(output) = outputs.cases.get(&case.name) else {
            assert_eq!(case.name, "empty_partition_key");
            continue;
        };
        let mut records = case.records();
        if case.name == "cap5120_str_key_overcount" {
            // The library packs in the order of arrival between its threads: here the last four came first.
            records.rotate_right(4);
        }
        let blobs = case.blobs_of(&records);
        let mut ours: Vec<_> = blobs.iter().collect();
        let mut theirs: Vec<_> = output.blobs.iter().collect();
        assert_eq!(ours.len(), theirs.len(), "{}", case.name);
        // It sends the blobs of one case in any order.
        ours.sort_by_key(|blob| sha256(blob.bytes));
        theirs.sort_by_key(|blob| blob.sha256.clone());
        for (ours, theirs) in ours.iter().zip(theirs) {
            theirs.assert_same_bytes(ours.bytes, &case.name);
            assert_eq!(Some(ours.user_records), theirs.user_records, "{}", case.name);
            assert_eq!(Some(ours.aggregated), theirs.aggregated, "{}", case.name);
            // It puts each blob with the hash key of its first user record, and aggregates under the key "a".
            let hash_key = effective_hash_key(ours.partition_key, ours.explicit_hash_key).unwrap();
            assert_eq!(
                Some(hash_key.to_string()),
                theirs.explicit_hash_key,
                "{}",
                case.name
            );
            let partition_key = if ours.aggregated { "a" } else { ours.partition_key };
            assert_eq!(
                Some(partition_key),
                theirs.partition_key.as_deref(),
                "{}",
                case.name
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 24);
}

#[test]
fn every_blob_is_aiokpls_byte_for_byte() {
    let outputs: Outputs<OutputBlobs> =
        serde_json::from_str(include_str!("vectors/agg_aiokpl.json")).unwrap();
    let mut compared = 0;
    for case in agg_cases() {
        // aiokpl has no size limit, so it was not run where the limit splits.
        let Some(output) = outputs.cases.get(&case.name) else {
            assert!(case.name.starts_with("cap5120"), "{}", case.name);
            continue;
        };
        let blobs = case.blobs();
        assert_eq!(blobs.len(), output.blobs.len(), "{}", case.name);
        for (ours, theirs) in blobs.iter().zip(&output.blobs) {
            theirs.assert_same_bytes(ours.bytes, &case.name);
        }
        compared += 1;
    }
    assert_eq!(compared, 19);
}

/// Inputs of which the Python package loses a user record without a word.
const PYTHON_LOSES: [&str; 3] = [
    "cap5120_one_over",
    "cap5120_record_5100_to_5120",
    "cap1MiB_one_over",
];

#[derive(Deserialize)]
struct PythonOutput {
    str_keys: OutputBlobs,
    bytes_keys: OutputBlobs,
}

#[test]
fn blobs_of_two_and_more_are_the_python_packages_byte_for_byte() {
    let outputs: Outputs<PythonOutput> =
        serde_json::from_str(include_str!("vectors/agg_python.json")).unwrap();
    let mut compared = 0;
    for case in agg_cases() {
        if PYTHON_LOSES.contains(&case.name.as_str()) {
            continue;
        }
        let blobs = case.blobs();
        let theirs = &outputs.cases[&case.name].bytes_keys.blobs;
        assert_eq!(blobs.len(), theirs.len(), "{}", case.name);
        for (ours, theirs) in blobs.iter().zip(theirs) {
            if ours.aggregated {
                theirs.assert_same_bytes(ours.bytes, &case.name);
            } else {
                // It wraps one user record too. Where only a checksum is kept, prost makes the bytes.
                let records = unpacked_blob(&ours);
                let wrapped = oracle::blob(&records);
                theirs.assert_same_bytes(&wrapped, &case.name);
                assert_eq!(unpacked(&wrapped, "", None), records, "{}", case.name);
            }
        }
        compared += 1;
    }
    assert_eq!(compared, 22);
}

#[test]
fn what_the_python_package_splits_otherwise_is_read_all_the_same() {
    let outputs: Outputs<PythonOutput> =
        serde_json::from_str(include_str!("vectors/agg_python.json")).unwrap();
    let mut compared = 0;
    for case in agg_cases() {
        let theirs = &outputs.cases[&case.name].str_keys.blobs;
        if PYTHON_LOSES.contains(&case.name.as_str()) || theirs.iter().any(|blob| blob.data_b64.is_none()) {
            continue;
        }
        let bytes = theirs
            .iter()
            .filter_map(|blob| blob.data_b64.as_deref())
            .map(base64);
        let read: Vec<_> = bytes.flat_map(|bytes| unpacked(&bytes, "", None)).collect();
        assert_eq!(read, case.records(), "{}", case.name);
        compared += 1;
    }
    assert_eq!(compared, 20);
}

#[test]
fn every_case_comes_back_as_it_went_in() {
    for case in agg_cases() {
        let blobs = case.blobs();
        let read: Vec<_> = blobs.iter().flat_map(|blob| unpacked_blob(&blob)).collect();
        assert_eq!(read, case.records(), "{}", case.name);
    }
}

// ---- reading

#[derive(Deserialize)]
struct DeaggCase {
    name: String,
    data_b64: String,
}

#[derive(Deserialize)]
struct KclOutput {
    records: Vec<KclRecord>,
    raised: Option<String>,
}

#[derive(Deserialize)]
struct KclRecord {
    aggregated: bool,
    pk: String,
    ehk: Option<String>,
    data_b64: String,
}

/// What a payload has to come out as.
enum Expected {
    Plain,
    /// Partition key, explicit hash key, data.
    Records(&'static [(&'static str, Option<&'static str>, &'static [u8])]),
    Error(DeaggregateError),
}

/// Does the Kinesis Client Library read the payload as we do?
enum Kcl {
    Agrees,
    Differs(&'static str),
}

const INNER_BLOB: &[u8] = b"\xf3\x89\x9a\xc2\x0a\x03pk0\x0a\x03pk1\x1a\x09\x08\x01\x1a\x05inner\
                            \xb6\x0777?\xec\x87l:>\xdc\x1f\xd4#\x95\xe6";

/// Every payload, what it has to come out as, why, and whether the Kinesis Client Library agrees.
const READING: &[(&str, Expected, &str, Kcl)] = {
    use Expected::{Error, Plain, Records};
    use Kcl::{Agrees, Differs};
    &[
        ("plain_text", Plain, "no magic number", Agrees),
        ("empty_payload", Plain, "no magic number", Agrees),
        ("magic_only", Plain, "shorter than a frame", Agrees),
        ("magic_plus_15", Plain, "shorter than a frame", Agrees),
        (
            "magic_plus_md5_of_empty",
            Plain,
            "a blob has more than 20 bytes",
            Agrees,
        ),
        (
            "zero_records_with_table",
            Records(&[]),
            "whole and well-formed, and holds nothing",
            Agrees,
        ),
        (
            "ok_two_records",
            Records(&[("pk0", None, b"one"), ("pk1", None, b"two")]),
            "a blob",
            Agrees,
        ),
        ("md5_wrong", Plain, "the digest does not match", Agrees),
        ("payload_byte_flipped", Plain, "the digest does not match", Agrees),
        (
            "truncated_protobuf_good_md5",
            Plain,
            "a length past the end",
            Agrees,
        ),
        ("garbage_good_md5", Plain, "a tag that never ends", Agrees),
        (
            "pk_index_out_of_range",
            Error(DeaggregateError::IndexOutOfRange {
                record: 1,
                table: KeyTableName::PartitionKeys,
                index: 7,
                table_len: 2,
            }),
            "all or nothing: the records before it are not given out",
            Differs("raises an error that is no exception of its own, or keeps the records before it"),
        ),
        (
            "ehk_index_out_of_range",
            Error(DeaggregateError::IndexOutOfRange {
                record: 1,
                table: KeyTableName::ExplicitHashKeys,
                index: 9,
                table_len: 1,
            }),
            "all or nothing: the records before it are not given out",
            Differs("raises an error that is no exception of its own, or keeps the records before it"),
        ),
        (
            "ehk_table_but_record_without_ehk",
            Records(&[("pk0", None, b"no-ehk"), ("pk1", Some("5"), b"ehk")]),
            "an absent explicit hash key is absent, whatever the table holds",
            Agrees,
        ),
        (
            "missing_pk_index",
            Plain,
            "a required field is missing: it does not parse",
            Agrees,
        ),
        (
            "missing_data",
            Plain,
            "a required field is missing: it does not parse",
            Agrees,
        ),
        (
            "empty_data",
            Records(&[("pk0", None, b"")]),
            "present, and empty",
            Agrees,
        ),
        (
            "tags",
            Records(&[("pk0", None, b"one")]),
            "tags are legal and ignored",
            Agrees,
        ),
        (
            "unknown_fields",
            Records(&[("pk0", None, b"one")]),
            "unknown fields are legal",
            Agrees,
        ),
        (
            "records_before_tables",
            Records(&[("pk1", None, b"one")]),
            "fields have no order",
            Agrees,
        ),
        (
            "duplicate_table_keys",
            Records(&[("same", None, b"a"), ("same", None, b"b")]),
            "the format allows duplicates",
            Agrees,
        ),
        (
            "invalid_utf8_key",
            Error(DeaggregateError::KeyNotUtf8 {
                table: KeyTableName::PartitionKeys,
                index: 0,
                table_len: 1,
            }),
            "a key that is changed in reading is another key",
            Differs("puts U+FFFD for what is not UTF-8, and has the hash key of another string"),
        ),
        (
            "last_wins_repeated_scalar",
            Records(&[("pk1", None, b"b")]),
            "protobuf's rule",
            Agrees,
        ),
        (
            "non_minimal_varint",
            Records(&[("pk1", None, b"padded")]),
            "legal in protobuf",
            Agrees,
        ),
        (
            "trailing_bytes",
            Plain,
            "the last 16 bytes are not the digest",
            Agrees,
        ),
        (
            "nested_aggregate",
            Records(&[("pk0", None, INNER_BLOB)]),
            "what a producer was given is given back, not looked into",
            Agrees,
        ),
    ]
};

#[test]
fn every_payload_is_read_by_the_rules() {
    let cases: Vec<DeaggCase> = serde_json::from_str(include_str!("vectors/deagg_cases.json")).unwrap();
    let kcl: Outputs<KclOutput> = serde_json::from_str(include_str!("vectors/deagg_kcl.json")).unwrap();
    let names: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, READING.iter().map(|(name, ..)| *name).collect::<Vec<_>>());

    for (case, (name, expected, why, agreement)) in cases.iter().zip(READING) {
        let bytes = base64(&case.data_b64);
        let read = deaggregate(&bytes);
        match expected {
            Expected::Plain => assert_eq!(read, Ok(Payload::Plain(&bytes)), "{name}: {why}"),
            Expected::Error(error) => assert_eq!(read, Err(*error), "{name}: {why}"),
            Expected::Records(records) => {
                let Ok(Payload::Aggregated(read)) = &read else {
                    panic!("{name}: {why}: {read:?}")
                };
                let read: Vec<_> = read
                    .iter()
                    .map(|r| (r.partition_key, r.explicit_hash_key, r.data))
                    .collect();
                assert_eq!(read, *records, "{name}: {why}");
            }
        }
        let same = as_kcl(&read).is_some_and(|ours| kcl.cases[*name].is(&ours));
        match agreement {
            Kcl::Agrees => assert!(same, "{name}: the client library differs"),
            Kcl::Differs(how) => assert!(!same, "{name}: the client library agrees, though it {how}"),
        }
    }

    // Together they are read as each alone, whatever their neighbours.
    let payloads: Vec<_> = cases.iter().map(|case| base64(&case.data_b64)).collect();
    let alone: Vec<_> = payloads.iter().map(|payload| deaggregate(payload)).collect();
    assert_eq!(deaggregate_all(&payloads).collect::<Vec<_>>(), alone);
}

impl KclOutput {
    fn is(&self, ours: &[(bool, Owned)]) -> bool {
        let theirs = self.records.iter().map(|record| {
            let owned = Owned {
                partition_key: record.pk.clone(),
                explicit_hash_key: record.ehk.clone(),
                data: base64(&record.data_b64),
            };
            (record.aggregated, owned)
        });
        self.raised.is_none() && theirs.eq(ours.iter().cloned())
    }
}

/// Our reading in the client library's terms: it was run with a Kinesis record whose key is `outer`.
fn as_kcl(read: &Result<Payload<'_>, DeaggregateError>) -> Option<Vec<(bool, Owned)>> {
    match read {
        Err(_) => None,
        Ok(Payload::Aggregated(records)) => {
            Some(records.iter().map(|record| (true, Owned::from(record))).collect())
        }
        Ok(Payload::Plain(data)) => {
            let data = data.to_vec();
            Some(vec![(
                false,
                Owned {
                    partition_key: "outer".into(),
                    explicit_hash_key: None,
                    data,
                },
            )])
        }
    }
}

#[test]
fn a_digest_is_right_wrong_or_not_there() {
    // RFC 1321, appendix A.5: the digest of "abc", which is no protobuf.
    let digest = hex("900150983cd24fb0d6963f7d28e17f72");
    let blob = [&MAGIC[..], b"abc", &digest].concat();
    assert_eq!(has_right_digest(&blob), Some(true));
    assert_eq!(
        has_right_digest(&[&MAGIC[..], b"abd", &digest].concat()),
        Some(false)
    );
    assert_eq!(has_right_digest(&[&MAGIC[..], &digest].concat()), None);
    assert_eq!(has_right_digest(&blob[1..]), None);
}
