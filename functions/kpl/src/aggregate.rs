//! User records into blobs.

use crate::blobs::{BlobSpan, Blobs, KeySpans};
use crate::frame::{DIGEST_LEN, FRAME_LEN, MAGIC};
use crate::key_table::{KeyTable, Place};
use crate::limits::Limits;
use crate::wire;

/// Packs user records into blobs and appends all of them to one buffer.
///
/// One blob is open at a time. The caller closes it: when a push answers [`Pushed::Full`], or whenever its
/// own rule says so, such as at a change of the partition key.
///
/// The bytes are those of the Kinesis Producer Library: key tables first and without duplicates, then the
/// user records in the order of their pushes; one user record alone is its data, without the frame. That
/// last rule has a limit that the library shares: data that is itself a blob, when it travels alone, is read
/// as that blob.
///
/// There is no `Debug`: it holds what people typed.
pub struct Aggregator {
    limits: Limits,
    finished: Blobs,
    open: Open,
    partition_keys: KeyTable,
    explicit_hash_keys: KeyTable,
}

/// The open blob. It grows at the end of the buffer of the finished ones:
///
/// ```text
/// MAGIC | first partition key | records ...
///       start + 4             records_at
/// ```
///
/// Only the first key can be written at once; those that come later belong between it and the records, and
/// are moved there when the blob is closed. With one key nothing is moved.
#[derive(Default)]
struct Open {
    user_records: usize,
    /// Length of the protobuf, all keys included.
    protobuf_len: usize,
    start: usize,
    records_at: usize,
    /// Length of the data that was pushed last.
    data_len: usize,
    keys: KeySpans,
}

/// What became of a user record that was pushed.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It is in the open blob.
    Added,
    /// It does not fit beside what the open blob holds: close the blob and push again. The first user record
    /// of a blob never gets this answer.
    Full,
    /// It is larger than [`Limits::max_record_bytes`] and never fits. Nothing has changed.
    TooLarge,
}

impl Aggregator {
    /// An aggregator without blobs. It allocates with the first push.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            finished: Blobs::default(),
            open: Open::default(),
            partition_keys: KeyTable::new(wire::PARTITION_KEY_TABLE),
            explicit_hash_keys: KeyTable::new(wire::EXPLICIT_HASH_KEY_TABLE),
        }
    }

    /// Makes room for so many bytes of blobs at once, so that the buffer does not grow piece by piece.
    pub fn reserve(&mut self, bytes: usize) {
        self.finished.bytes.reserve(bytes);
    }

    /// Adds a user record to the open blob if it fits.
    ///
    /// A user record that fits no blob with another goes out alone and raw, up to
    /// [`Limits::max_record_bytes`]. Keys are written as given; neither their length nor the form of an
    /// explicit hash key (a decimal number) is checked.
    pub fn push(&mut self, partition_key: &str, explicit_hash_key: Option<&str>, data: &[u8]) -> Pushed {
        if data.len() > self.limits.max_record_bytes {
            return Pushed::TooLarge;
        }
        let is_first = self.open.user_records == 0;
        if !is_first && self.open.user_records >= self.limits.max_user_records {
            return Pushed::Full;
        }
        let partition = self.partition_keys.place(partition_key);
        let explicit = explicit_hash_key.map(|key| self.explicit_hash_keys.place(key));
        let record_len = record_len(partition, explicit, data);
        let keys_growth = partition.growth + explicit.map_or(0, |place| place.growth);
        let protobuf_len = self.open.protobuf_len + keys_growth + wire::delimited_len(record_len);
        if !is_first && protobuf_len.saturating_add(FRAME_LEN) > self.limits.max_bytes {
            return Pushed::Full;
        }

        if partition.growth > 0 {
            self.partition_keys.add(partition_key);
        }
        if let (Some(key), Some(Place { growth: 1.., .. })) = (explicit_hash_key, explicit) {
            self.explicit_hash_keys.add(key);
        }
        if is_first {
            self.begin(partition_key, explicit_hash_key);
        }
        self.write_record(record_len, partition, explicit, data);
        self.open.user_records += 1;
        self.open.protobuf_len = protobuf_len;
        Pushed::Added
    }

    /// User records in the open blob.
    pub fn user_records(&self) -> usize {
        self.open.user_records
    }

    /// Bytes of the blob that [`close`](Self::close) would make of the open one, exactly. 0 if it holds no
    /// user record. One user record counts with its data alone, two or more with the frame.
    pub fn open_len(&self) -> usize {
        match self.open.user_records {
            0 => 0,
            1 => self.open.data_len,
            _ => FRAME_LEN + self.open.protobuf_len,
        }
    }

    /// Ends the open blob. False if it holds no user record: then nothing has changed.
    pub fn close(&mut self) -> bool {
        let Open {
            user_records, start, ..
        } = self.open;
        match user_records {
            0 => return false,
            1 => self.unwrap_only_record(),
            _ => {
                self.move_later_keys();
                // Room for the digest. All digests are filled in together at the end.
                self.finished.bytes.extend_from_slice(&[0; DIGEST_LEN]);
            }
        }
        self.partition_keys.clear();
        self.explicit_hash_keys.clear();
        let keys = std::mem::take(&mut self.open).keys;
        let bytes = start..self.finished.bytes.len();
        self.finished.add(BlobSpan {
            bytes,
            user_records,
            aggregated: user_records > 1,
            keys,
        });
        true
    }

    /// Ends the open blob, fills in the digests of all blobs and hands them over.
    pub fn finish(mut self) -> Blobs {
        self.close();
        self.finished.seal();
        self.finished
    }

    /// Begins a blob with the first user record's partition key, which its table already holds.
    fn begin(&mut self, partition_key: &str, explicit_hash_key: Option<&str>) {
        self.open.keys = self.finished.keep_keys(partition_key, explicit_hash_key);
        let out = &mut self.finished.bytes;
        self.open.start = out.len();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(self.partition_keys.encoded());
        self.open.records_at = out.len();
    }

    fn write_record(&mut self, record_len: usize, partition: Place, explicit: Option<Place>, data: &[u8]) {
        let out = &mut self.finished.bytes;
        out.push(wire::RECORDS);
        wire::put_varint(out, record_len);
        out.push(wire::PARTITION_KEY_INDEX); // 0 is written too: the field is required
        wire::put_varint(out, partition.index);
        if let Some(place) = explicit {
            out.push(wire::EXPLICIT_HASH_KEY_INDEX);
            wire::put_varint(out, place.index);
        }
        wire::put_delimited(out, wire::DATA, data);
        self.open.data_len = data.len();
    }

    /// Leaves of the open blob only the data of its user record, which stands at the end.
    fn unwrap_only_record(&mut self) {
        let out = &mut self.finished.bytes;
        let data_at = out.len() - self.open.data_len;
        out.copy_within(data_at.., self.open.start);
        out.truncate(self.open.start + self.open.data_len);
    }

    /// Puts the keys that came after the first one where they belong: in front of the records.
    fn move_later_keys(&mut self) {
        let out = &mut self.finished.bytes;
        let records_end = out.len();
        let first_key_len = self.open.records_at - self.open.start - MAGIC.len();
        out.extend_from_slice(
            self.partition_keys
                .encoded()
                .get(first_key_len..)
                .unwrap_or_default(),
        );
        out.extend_from_slice(self.explicit_hash_keys.encoded());
        let later_len = out.len() - records_end;
        if let Some(body) = out.get_mut(self.open.records_at..) {
            body.rotate_right(later_len);
        }
    }
}

/// Bytes of a `Record` message, without its own tag and length.
fn record_len(partition: Place, explicit: Option<Place>, data: &[u8]) -> usize {
    let index_len = |place: Place| 1 + wire::varint_len(place.index);
    index_len(partition) + explicit.map_or(0, index_len) + wire::delimited_len(data.len())
}
