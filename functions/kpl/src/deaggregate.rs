//! A blob into user records.

use std::fmt;

use crate::digest::digest;
use crate::error::{DeaggregateError, KeyTableName};
use crate::frame::{DIGEST_LEN, MAGIC};
use crate::lanes;
use crate::wire::{Malformed, WireField, WireFields, WireValue};

/// One user record of a blob. Its `Debug` tells lengths: keys and data are whatever a producer put there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UserRecord<'a> {
    /// The partition key with which the user record was given to its producer.
    pub partition_key: &'a str,
    /// The explicit hash key, a decimal number, if the user record names one. Nothing stands in for an
    /// absent one, and the number is not checked.
    pub explicit_hash_key: Option<&'a str>,
    /// The bytes that the producer was given.
    pub data: &'a [u8],
}

/// What the data of a Kinesis record turned out to be.
#[derive(Clone, PartialEq, Eq)]
pub enum Payload<'a> {
    /// No aggregated record: the data is one user record, untouched, and its keys are the Kinesis record's.
    Plain(&'a [u8]),
    /// The user records of an aggregated record, in order. There may be none.
    Aggregated(Vec<UserRecord<'a>>),
}

impl fmt::Debug for UserRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserRecord({} bytes)", self.data.len())
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Payload::Plain(data) => write!(f, "Plain({} bytes)", data.len()),
            Payload::Aggregated(user_records) => f.debug_tuple("Aggregated").field(user_records).finish(),
        }
    }
}

/// Reads the data of a Kinesis record, all or nothing. Nothing is copied.
///
/// Data with another beginning, too short, with a digest that does not match or a protobuf that does not
/// parse (a missing required field included) is [`Payload::Plain`]: other producers share the stream, and
/// the Kinesis Client Library reads it so too
/// (<https://github.com/awslabs/amazon-kinesis-client/blob/master/amazon-kinesis-client/src/main/java/software/amazon/kinesis/retrieval/AggregatorUtil.java>).
/// Unknown fields, tags, any order of fields and duplicate keys are legal. A user record that is itself a
/// blob is not unwrapped.
///
/// # Errors
///
/// A blob that parses but names a key outside its table, or holds a key that is not UTF-8. None of its user
/// records is given out; the caller still has the bytes.
pub fn deaggregate(bytes: &[u8]) -> Result<Payload<'_>, DeaggregateError> {
    payload(bytes, digest)
}

/// Reads the data of many Kinesis records, each as [`deaggregate`] does, in order. Their digests are
/// calculated together, which takes a fraction of the time.
pub fn deaggregate_all(
    records: &[impl AsRef<[u8]>],
) -> impl Iterator<Item = Result<Payload<'_>, DeaggregateError>> {
    let bytes = records.iter().map(AsRef::as_ref);
    let mut digests = vec![[0; DIGEST_LEN]; records.len()];
    let rooms = bytes.clone().zip(&mut digests);
    lanes::digest_all(rooms.filter_map(|(bytes, room)| Some((framed(bytes)?.0, room))));
    bytes
        .zip(digests)
        .map(|(bytes, digest)| payload(bytes, |_| digest))
}

/// Whether the digest at the end of a blob is that of its message; none where the bytes are no frame: they
/// begin otherwise, or are too short. For whoever wants to know why a blob is [`Payload::Plain`].
#[must_use]
pub fn has_right_digest(bytes: &[u8]) -> Option<bool> {
    let (message, expected) = framed(bytes)?;
    Some(digest(message) == *expected)
}

/// The protobuf in the frame and the digest it should have, if the frame is right. An empty protobuf does not
/// count, as with the Kinesis Client Library.
fn framed(bytes: &[u8]) -> Option<(&[u8], &[u8; DIGEST_LEN])> {
    let framed = bytes.strip_prefix(&MAGIC)?.split_last_chunk::<DIGEST_LEN>()?;
    (!framed.0.is_empty()).then_some(framed)
}

/// What the bytes hold, given how the digest of their protobuf comes about.
fn payload(
    bytes: &[u8],
    digest: impl FnOnce(&[u8]) -> [u8; DIGEST_LEN],
) -> Result<Payload<'_>, DeaggregateError> {
    let checked = framed(bytes).filter(|(protobuf, expected)| digest(protobuf) == **expected);
    match checked.map(|(protobuf, _)| AggregatedRecord::parse(protobuf)) {
        Some(Ok(record)) => record.user_records().map(Payload::Aggregated),
        None | Some(Err(Malformed)) => Ok(Payload::Plain(bytes)),
    }
}

/// The message as it is written: indices not yet resolved, since the tables may come after the records.
#[derive(Default)]
struct AggregatedRecord<'a> {
    partition_keys: Vec<&'a [u8]>,
    explicit_hash_keys: Vec<&'a [u8]>,
    records: Vec<Record<'a>>,
}

struct Record<'a> {
    partition_key_index: u64,
    explicit_hash_key_index: Option<u64>,
    data: &'a [u8],
}

impl<'a> AggregatedRecord<'a> {
    fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut this = Self::default();
        for field in WireFields::of(message) {
            // A known number with another wire type falls through: protobuf takes it for an unknown field.
            match field? {
                WireField {
                    number: 1,
                    value: WireValue::Delimited(key),
                } => this.partition_keys.push(key),
                WireField {
                    number: 2,
                    value: WireValue::Delimited(key),
                } => this.explicit_hash_keys.push(key),
                WireField {
                    number: 3,
                    value: WireValue::Delimited(record),
                } => {
                    this.records.push(Record::parse(record)?);
                }
                _ => {}
            }
        }
        Ok(this)
    }

    fn user_records(&self) -> Result<Vec<UserRecord<'a>>, DeaggregateError> {
        let partition_keys = utf8_keys(KeyTableName::PartitionKeys, &self.partition_keys)?;
        let explicit_hash_keys = utf8_keys(KeyTableName::ExplicitHashKeys, &self.explicit_hash_keys)?;
        let resolve = |(position, record): (usize, &Record<'a>)| {
            let in_table = |table, keys: &[&'a str], index| {
                key_at(keys, index).ok_or(DeaggregateError::IndexOutOfRange {
                    record: position,
                    table,
                    index,
                    table_len: keys.len(),
                })
            };
            let explicit = record.explicit_hash_key_index;
            Ok(UserRecord {
                partition_key: in_table(
                    KeyTableName::PartitionKeys,
                    &partition_keys,
                    record.partition_key_index,
                )?,
                explicit_hash_key: explicit
                    .map(|index| in_table(KeyTableName::ExplicitHashKeys, &explicit_hash_keys, index))
                    .transpose()?,
                data: record.data,
            })
        };
        self.records.iter().enumerate().map(resolve).collect()
    }
}

impl<'a> Record<'a> {
    fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let (mut partition_key_index, mut explicit_hash_key_index, mut data) = (None, None, None);
        for field in WireFields::of(message) {
            // A field that may stand once and stands twice: the last one counts.
            match field? {
                WireField {
                    number: 1,
                    value: WireValue::Varint(index),
                } => partition_key_index = Some(index),
                WireField {
                    number: 2,
                    value: WireValue::Varint(index),
                } => explicit_hash_key_index = Some(index),
                WireField {
                    number: 3,
                    value: WireValue::Delimited(bytes),
                } => data = Some(bytes),
                WireField {
                    number: 4,
                    value: WireValue::Delimited(tag),
                } => check_tag(tag)?,
                _ => {}
            }
        }
        Ok(Self {
            partition_key_index: partition_key_index.ok_or(Malformed)?,
            explicit_hash_key_index,
            data: data.ok_or(Malformed)?,
        })
    }
}

/// Tags are not given out, yet a broken one makes the whole message one that does not parse.
fn check_tag(message: &[u8]) -> Result<(), Malformed> {
    let mut has_key = false;
    for field in WireFields::of(message) {
        has_key |= matches!(
            field?,
            WireField {
                number: 1,
                value: WireValue::Delimited(_)
            }
        );
    }
    if has_key { Ok(()) } else { Err(Malformed) }
}

fn utf8_keys<'a>(table: KeyTableName, keys: &[&'a [u8]]) -> Result<Vec<&'a str>, DeaggregateError> {
    let utf8 = |(index, key): (usize, &&'a [u8])| {
        std::str::from_utf8(key).map_err(|_| DeaggregateError::KeyNotUtf8 {
            table,
            index,
            table_len: keys.len(),
        })
    };
    keys.iter().enumerate().map(utf8).collect()
}

/// The index keeps its 64 bits until it is known to be inside: cut to fewer it could name another key.
fn key_at<'a>(keys: &[&'a str], index: u64) -> Option<&'a str> {
    keys.get(usize::try_from(index).ok()?).copied()
}
