//! Finished blobs, all in one buffer.

use std::ops::Range;

use crate::digest;

/// Finished blobs, in the order in which they were closed.
#[derive(Debug, Default)]
pub struct Blobs {
    /// The blobs, end to end.
    pub(crate) bytes: Vec<u8>,
    /// The keys that go beside the blobs, end to end.
    keys: String,
    entries: Vec<Entry>,
}

/// Where one blob and its keys lie.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) bytes: Range<usize>,
    pub(crate) user_records: usize,
    pub(crate) aggregated: bool,
    pub(crate) keys: EntryKeys,
}

/// Where the keys of a blob's first user record lie.
#[derive(Debug, Clone, Default)]
pub(crate) struct EntryKeys {
    partition_key: Range<usize>,
    explicit_hash_key: Option<Range<usize>>,
}

/// What is put on the stream as one Kinesis record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob<'a> {
    /// The Kinesis record's data.
    pub bytes: &'a [u8],
    /// Number of user records inside, at least 1.
    pub user_records: usize,
    /// Whether the bytes have the envelope. Without it they are the data of the one user record inside.
    pub aggregated: bool,
    /// Partition key of the first user record.
    pub partition_key: &'a str,
    /// Explicit hash key of the first user record, as it was given.
    pub explicit_hash_key: Option<&'a str>,
}

impl Blobs {
    /// Number of blobs.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no blob.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The blob at a position, from 0.
    pub fn get(&self, position: usize) -> Option<Blob<'_>> {
        self.entries.get(position).map(|entry| self.blob(entry))
    }

    /// The blobs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Blob<'_>> {
        self.entries.iter().map(|entry| self.blob(entry))
    }

    /// Bytes of all blobs together, without the keys beside them.
    pub fn total_bytes(&self) -> usize {
        self.bytes.len()
    }

    // The ranges were made from these very buffers, which only grow; the defaults are never met.
    fn blob(&self, entry: &Entry) -> Blob<'_> {
        let key = |range: &Range<usize>| self.keys.get(range.clone()).unwrap_or_default();
        Blob {
            bytes: self.bytes.get(entry.bytes.clone()).unwrap_or_default(),
            user_records: entry.user_records,
            aggregated: entry.aggregated,
            partition_key: key(&entry.keys.partition_key),
            explicit_hash_key: entry.keys.explicit_hash_key.as_ref().map(key),
        }
    }

    /// Keeps the keys of the user record that opens a blob.
    pub(crate) fn keep_keys(&mut self, partition_key: &str, explicit_hash_key: Option<&str>) -> EntryKeys {
        EntryKeys {
            partition_key: self.keep_key(partition_key),
            explicit_hash_key: explicit_hash_key.map(|key| self.keep_key(key)),
        }
    }

    fn keep_key(&mut self, key: &str) -> Range<usize> {
        let start = self.keys.len();
        self.keys.push_str(key);
        start..self.keys.len()
    }

    pub(crate) fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Fills in every digest.
    pub(crate) fn seal(&mut self) {
        let aggregated = self.entries.iter().filter(|entry| entry.aggregated);
        digest::seal(&mut self.bytes, aggregated.map(|entry| entry.bytes.clone()));
    }
}
