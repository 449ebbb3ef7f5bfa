//! Finished blobs, all in one buffer.

use std::ops::Range;

use crate::digest;

/// Finished blobs, in the order in which they were closed. There is no `Debug`: they hold what people typed.
#[derive(Default)]
pub struct Blobs {
    /// The blobs, end to end.
    pub(crate) bytes: Vec<u8>,
    /// The keys that go beside the blobs, end to end.
    keys: String,
    spans: Vec<BlobSpan>,
}

/// Where one blob and its keys lie.
#[derive(Debug)]
pub(crate) struct BlobSpan {
    pub(crate) bytes: Range<usize>,
    pub(crate) user_records: usize,
    pub(crate) aggregated: bool,
    pub(crate) keys: KeySpans,
}

/// Where the keys of a blob's first user record lie.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeySpans {
    partition_key: Range<usize>,
    explicit_hash_key: Option<Range<usize>>,
}

/// What is put on the stream as one Kinesis record. There is no `Debug`, as of [`Blobs`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Blob<'a> {
    /// The Kinesis record's data.
    pub bytes: &'a [u8],
    /// Number of user records inside, at least 1.
    pub user_records: usize,
    /// Whether the bytes have the frame. Without it they are the data of the one user record inside.
    pub aggregated: bool,
    /// Partition key of the first user record.
    pub partition_key: &'a str,
    /// Explicit hash key of the first user record, as it was given.
    pub explicit_hash_key: Option<&'a str>,
}

impl Blobs {
    /// Number of blobs.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no blob.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The blob at a position, from 0.
    pub fn get(&self, position: usize) -> Option<Blob<'_>> {
        self.spans.get(position).map(|span| self.blob(span))
    }

    /// The blobs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Blob<'_>> {
        self.spans.iter().map(|span| self.blob(span))
    }

    /// Bytes of all blobs together, without the keys beside them.
    pub fn total_bytes(&self) -> usize {
        self.bytes.len()
    }

    // The ranges were made from these very buffers, which only grow; the defaults are never met.
    fn blob(&self, span: &BlobSpan) -> Blob<'_> {
        let key = |range: &Range<usize>| self.keys.get(range.clone()).unwrap_or_default();
        Blob {
            bytes: self.bytes.get(span.bytes.clone()).unwrap_or_default(),
            user_records: span.user_records,
            aggregated: span.aggregated,
            partition_key: key(&span.keys.partition_key),
            explicit_hash_key: span.keys.explicit_hash_key.as_ref().map(key),
        }
    }

    /// Keeps the keys of the user record that opens a blob.
    pub(crate) fn keep_keys(&mut self, partition_key: &str, explicit_hash_key: Option<&str>) -> KeySpans {
        KeySpans {
            partition_key: self.keep_key(partition_key),
            explicit_hash_key: explicit_hash_key.map(|key| self.keep_key(key)),
        }
    }

    fn keep_key(&mut self, key: &str) -> Range<usize> {
        let start = self.keys.len();
        self.keys.push_str(key);
        start..self.keys.len()
    }

    pub(crate) fn add(&mut self, span: BlobSpan) {
        self.spans.push(span);
    }

    /// Fills in every digest.
    pub(crate) fn seal(&mut self) {
        let aggregated = self.spans.iter().filter(|span| span.aggregated);
        digest::seal(&mut self.bytes, aggregated.map(|span| span.bytes.clone()));
    }
}
