//! The Kinesis Producer Library's aggregated record format: many user records in one Kinesis record.
//!
//! The crate packs and unpacks bytes. It does no I/O, reads no clock and knows nothing of what the
//! records mean.
//!
//! # Bytes
//!
//! ```text
//! blob    = F3 89 9A C2 | protobuf(AggregatedRecord) | MD5(protobuf)
//!           MAGIC, 4      N bytes                      DIGEST_LEN, 16
//!
//! message AggregatedRecord {                        // proto2
//!     repeated string partition_key_table     = 1;  // 0A len key
//!     repeated string explicit_hash_key_table = 2;  // 12 len key, decimal
//!     repeated Record records                 = 3;  // 1A len record
//! }
//! message Record {
//!     required uint64 partition_key_index     = 1;  // 08 index, from 0, into the table above
//!     optional uint64 explicit_hash_key_index = 2;  // 10 index
//!     required bytes  data                    = 3;  // 1A len data
//!     repeated Tag    tags                    = 4;  // never written; read and ignored
//! }
//! message Tag { required string key = 1; optional string value = 2; }
//! ```
//!
//! The digest covers the protobuf alone. *Required* is meant: an index of 0 is written (`08 00`). An
//! encoder by proto3's rules leaves it out, and readers in Java then take the whole blob for a plain
//! record. Format: <https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md>.
//!
//! # Limits
//!
//! The format has none; [`Limits`] are the caller's. Sizes are exact: what
//! [`Aggregator::open_len`] says is what goes out.
//!
//! A blob of **one** user record is its data alone, without the frame, as the producer library sends
//! it. So a reader meets both forms, and [`deaggregate`] answers with either.
//!
//! # One key for each blob
//!
//! The crate packs what it is given, whatever the keys. Yet readers that know their shard's hash key range
//! drop user records that lie outside it, the Kinesis Client Library even the whole blob. A caller that
//! wants none lost gives one blob one partition key, puts the blob with that key and closes it before the
//! next key comes; see [`hash_key`].
//!
//! # Round trip
//!
//! ```
//! use kpl::{Aggregator, Limits, Payload, Pushed, deaggregate};
//!
//! let limits = Limits { max_bytes: 5_120, max_user_records: 500, max_record_bytes: 1_048_576 };
//! let mut aggregator = Aggregator::new(limits);
//! for row in [r#"{"a":1}"#, r#"{"a":2}"#] {
//!     if aggregator.push("pk", None, row.as_bytes()) == Pushed::Full {
//!         aggregator.close();
//!         assert_eq!(aggregator.push("pk", None, row.as_bytes()), Pushed::Added);
//!     }
//! }
//! assert_eq!(aggregator.open_len(), 50);
//!
//! let blobs = aggregator.finish();
//! let blob = blobs.get(0).ok_or("a blob")?;
//! assert_eq!(blob.bytes.len(), 50);
//! assert_eq!((blob.user_records, blob.aggregated, blob.partition_key), (2, true, "pk"));
//!
//! let Payload::Aggregated(user_records) = deaggregate(blob.bytes)? else { return Err("plain".into()) };
//! assert_eq!(user_records[1].partition_key, "pk");
//! assert_eq!(user_records[1].data, br#"{"a":2}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aggregate;
mod blobs;
mod compress;
mod deaggregate;
mod digest;
mod error;
mod frame;
mod hash_key;
mod key_table;
mod lanes;
mod limits;
mod wire;

pub use aggregate::{Aggregator, Pushed};
pub use blobs::{Blob, Blobs};
pub use deaggregate::{Payload, UserRecord, deaggregate, deaggregate_all, has_right_digest};
pub use error::{DeaggregateError, KeyTableName};
pub use frame::{DIGEST_LEN, FRAME_LEN, MAGIC};
pub use hash_key::{effective_hash_key, hash_key};
pub use limits::Limits;
