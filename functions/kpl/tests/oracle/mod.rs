//! A second implementation of the format, by way of prost: what our bytes are held against.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

use kpl::{DeaggregateError, KeyTableName, MAGIC};
use md5::{Digest, Md5};
use prost::{DecodeError, Message};

/// A user record that owns its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) partition_key: String,
    pub(crate) explicit_hash_key: Option<String>,
    pub(crate) data: Vec<u8>,
}

impl From<&kpl::UserRecord<'_>> for Owned {
    fn from(record: &kpl::UserRecord<'_>) -> Self {
        Self {
            partition_key: record.partition_key.into(),
            explicit_hash_key: record.explicit_hash_key.map(Into::into),
            data: record.data.into(),
        }
    }
}

/// The messages as they are written.
pub(crate) mod written {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct AggregatedRecord {
        #[prost(string, repeated, tag = "1")]
        pub(crate) partition_key_table: Vec<String>,
        #[prost(string, repeated, tag = "2")]
        pub(crate) explicit_hash_key_table: Vec<String>,
        #[prost(message, repeated, tag = "3")]
        pub(crate) records: Vec<Record>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Record {
        #[prost(uint64, required, tag = "1")]
        pub(crate) partition_key_index: u64,
        #[prost(uint64, optional, tag = "2")]
        pub(crate) explicit_hash_key_index: Option<u64>,
        #[prost(bytes = "vec", required, tag = "3")]
        pub(crate) data: Vec<u8>,
        #[prost(message, repeated, tag = "4")]
        pub(crate) tags: Vec<Tag>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Tag {
        #[prost(string, required, tag = "1")]
        pub(crate) key: String,
        #[prost(string, optional, tag = "2")]
        pub(crate) value: Option<String>,
    }
}

/// The same messages as they are read: prost does not miss a required field, so that presence has to show,
/// and proto2 does not look into strings.
pub(crate) mod read {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct AggregatedRecord {
        #[prost(bytes = "vec", repeated, tag = "1")]
        pub(crate) partition_key_table: Vec<Vec<u8>>,
        #[prost(bytes = "vec", repeated, tag = "2")]
        pub(crate) explicit_hash_key_table: Vec<Vec<u8>>,
        #[prost(message, repeated, tag = "3")]
        pub(crate) records: Vec<Record>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Record {
        #[prost(uint64, optional, tag = "1")]
        pub(crate) partition_key_index: Option<u64>,
        #[prost(uint64, optional, tag = "2")]
        pub(crate) explicit_hash_key_index: Option<u64>,
        #[prost(bytes = "vec", optional, tag = "3")]
        pub(crate) data: Option<Vec<u8>>,
        #[prost(message, repeated, tag = "4")]
        pub(crate) tags: Vec<Tag>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Tag {
        #[prost(bytes = "vec", optional, tag = "1")]
        pub(crate) key: Option<Vec<u8>>,
        #[prost(bytes = "vec", optional, tag = "2")]
        pub(crate) value: Option<Vec<u8>>,
    }
}

/// Puts magic number and digest around a protobuf.
pub(crate) fn framed(protobuf: &[u8]) -> Vec<u8> {
    [&MAGIC, protobuf, Md5::digest(protobuf).as_slice()].concat()
}

/// The blob of these user records, wrapped even if it is only one.
pub(crate) fn blob(records: &[Owned]) -> Vec<u8> {
    let mut message = written::AggregatedRecord::default();
    for record in records {
        let partition_key_index = intern(&mut message.partition_key_table, &record.partition_key);
        let explicit = record.explicit_hash_key.as_ref();
        let explicit_hash_key_index = explicit.map(|key| intern(&mut message.explicit_hash_key_table, key));
        let data = record.data.clone();
        message.records.push(written::Record {
            partition_key_index,
            explicit_hash_key_index,
            data,
            tags: vec![],
        });
    }
    framed(&message.encode_to_vec())
}

fn intern(table: &mut Vec<String>, key: &str) -> u64 {
    let index = table.iter().position(|known| known == key).unwrap_or(table.len());
    if index == table.len() {
        table.push(key.into());
    }
    index as u64
}

/// What a blob's protobuf says by the reading rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It does not parse, by prost.
    Unparsed(DecodeError),
    /// A required field is missing.
    Incomplete,
    Bad(DeaggregateError),
    Records(Vec<Owned>),
}

/// The naive reading of a protobuf: parse all, then check all, then copy.
pub(crate) fn reading(protobuf: &[u8]) -> Reading {
    let message = match read::AggregatedRecord::decode(protobuf) {
        Ok(message) => message,
        Err(error) => return Reading::Unparsed(error),
    };
    let complete = message.records.iter().all(|record| {
        let tags_have_keys = record.tags.iter().all(|tag| tag.key.is_some());
        record.partition_key_index.is_some() && record.data.is_some() && tags_have_keys
    });
    if !complete {
        return Reading::Incomplete;
    }
    resolved(&message).map_or_else(Reading::Bad, Reading::Records)
}

fn resolved(message: &read::AggregatedRecord) -> Result<Vec<Owned>, DeaggregateError> {
    let partition_keys = strings(KeyTableName::PartitionKeys, &message.partition_key_table)?;
    let explicit_hash_keys = strings(KeyTableName::ExplicitHashKeys, &message.explicit_hash_key_table)?;
    let mut records = Vec::new();
    for (position, record) in message.records.iter().enumerate() {
        let key = |table, keys: &[String], index: u64| {
            let found = keys
                .iter()
                .zip(0..)
                .find(|(_, at)| *at == index)
                .map(|(key, _)| key.clone());
            let table_len = keys.len();
            found.ok_or(DeaggregateError::IndexOutOfRange {
                record: position,
                table,
                index,
                table_len,
            })
        };
        let explicit = record.explicit_hash_key_index;
        records.push(Owned {
            partition_key: key(
                KeyTableName::PartitionKeys,
                &partition_keys,
                record.partition_key_index.unwrap(),
            )?,
            explicit_hash_key: explicit
                .map(|index| key(KeyTableName::ExplicitHashKeys, &explicit_hash_keys, index))
                .transpose()?,
            data: record.data.clone().unwrap(),
        });
    }
    Ok(records)
}

fn strings(table: KeyTableName, keys: &[Vec<u8>]) -> Result<Vec<String>, DeaggregateError> {
    let mut strings = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        let key = String::from_utf8(key.clone());
        strings.push(key.map_err(|_| DeaggregateError::KeyNotUtf8 {
            table,
            index,
            table_len: keys.len(),
        })?);
    }
    Ok(strings)
}
