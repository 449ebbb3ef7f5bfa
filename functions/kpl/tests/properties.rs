//! What holds for any input, against prost and against the rules.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod oracle;

use kpl::{
    Aggregator, Blob, Blobs, DIGEST_LEN, FRAME_LEN, Limits, MAGIC, Payload, Pushed, deaggregate,
    effective_hash_key,
};
use oracle::{Owned, Reading};
use proptest::prelude::*;
use proptest::sample::Index;

// ---- writing

/// Few keys, so that they repeat; now and then many, or long ones.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-c]{0,2}",
        2 => (0..400_u32).prop_map(|n| format!("key-{n}")),
        1 => "\\PC{0,40}",
        1 => (1..300_usize).prop_map(|len| "k".repeat(len)),
    ]
}

fn hash_key() -> impl Strategy<Value = String> {
    prop_oneof![3 => (0..4_u128).prop_map(|n| n.to_string()), 1 => any::<u128>().prop_map(|n| n.to_string())]
}

/// Lengths where a varint grows are as likely as all others.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let len =
        prop_oneof![4 => 0..40_usize, 2 => 110..135_usize, 1 => 0..1_500_usize, 1 => 16_360..16_390_usize];
    (len, any::<u8>()).prop_map(|(len, byte)| (byte..=u8::MAX).cycle().take(len).collect())
}

fn user_record() -> impl Strategy<Value = Owned> {
    (key(), prop::option::weighted(0.3, hash_key()), data()).prop_map(
        |(partition_key, explicit_hash_key, data)| Owned {
            partition_key,
            explicit_hash_key,
            data,
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    let max_bytes = prop_oneof![0..200_usize, 1_000..6_000_usize, Just(usize::MAX)];
    let max_user_records = prop_oneof![0..5_usize, Just(500), Just(usize::MAX)];
    let max_record_bytes = prop_oneof![1 => 0..200_usize, 4 => Just(20_000), 1 => Just(usize::MAX)];
    (max_bytes, max_user_records, max_record_bytes).prop_map(
        |(max_bytes, max_user_records, max_record_bytes)| Limits {
            max_bytes,
            max_user_records,
            max_record_bytes,
        },
    )
}

/// What went in, as the blobs should hold it.
struct Packed {
    blobs: Blobs,
    /// The user records of each blob.
    groups: Vec<Vec<Owned>>,
    /// What [`Aggregator::open_len`] said before each close.
    predicted: Vec<usize>,
    too_large: Vec<Owned>,
}

/// Packs until full, and closes by itself before the records at `cuts`.
fn pack(records: &[Owned], limits: Limits, cuts: &[Index]) -> Packed {
    let cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(records.len().max(1))).collect();
    let mut aggregator = Aggregator::new(limits);
    let (mut groups, mut predicted, mut too_large) = (vec![vec![]], vec![], vec![]);
    for (position, record) in records.iter().enumerate() {
        let mut close = |aggregator: &mut Aggregator, groups: &mut Vec<Vec<Owned>>| {
            let (len, holds_any) = (aggregator.open_len(), aggregator.user_records() > 0);
            assert_eq!(aggregator.close(), holds_any);
            if holds_any {
                predicted.push(len);
                groups.push(vec![]);
            }
            assert_eq!((aggregator.open_len(), aggregator.user_records()), (0, 0));
        };
        if cuts.contains(&position) {
            close(&mut aggregator, &mut groups);
        }
        loop {
            let before = (aggregator.open_len(), aggregator.user_records());
            let hash_key = record.explicit_hash_key.as_deref();
            match aggregator.push(&record.partition_key, hash_key, &record.data) {
                Pushed::Added => {
                    assert_eq!(aggregator.user_records(), before.1 + 1);
                    groups.last_mut().unwrap().push(record.clone());
                    break;
                }
                Pushed::Full => {
                    assert_eq!((aggregator.open_len(), aggregator.user_records()), before);
                    assert!(before.1 > 0, "an empty blob is never full");
                    close(&mut aggregator, &mut groups);
                }
                Pushed::TooLarge => {
                    assert_eq!((aggregator.open_len(), aggregator.user_records()), before);
                    assert!(record.data.len() > limits.max_record_bytes);
                    too_large.push(record.clone());
                    break;
                }
            }
        }
    }
    if aggregator.user_records() > 0 {
        predicted.push(aggregator.open_len());
    } else {
        groups.pop();
    }
    Packed {
        blobs: aggregator.finish(),
        groups,
        predicted,
        too_large,
    }
}

fn unpacked(blob: &Blob<'_>) -> Vec<Owned> {
    match deaggregate(blob.bytes).unwrap() {
        Payload::Aggregated(records) => records.iter().map(Owned::from).collect(),
        Payload::Plain(data) => vec![Owned {
            partition_key: blob.partition_key.into(),
            explicit_hash_key: blob.explicit_hash_key.map(Into::into),
            data: data.into(),
        }],
    }
}

proptest! {
    #[test]
    fn blobs_are_prosts_bytes_at_the_predicted_size_within_the_limits_and_come_back(
        records in prop::collection::vec(user_record(), 0..60),
        limits in limits(),
        cuts in prop::collection::vec(any::<Index>(), 0..4),
    ) {
        let packed = pack(&records, limits, &cuts);
        let blobs: Vec<_> = packed.blobs.iter().collect();
        prop_assert_eq!(packed.blobs.len(), packed.groups.len());
        prop_assert_eq!(packed.blobs.is_empty(), packed.groups.is_empty());
        prop_assert_eq!(packed.blobs.total_bytes(), blobs.iter().map(|blob| blob.bytes.len()).sum::<usize>());
        prop_assert!(packed.blobs.get(blobs.len()).is_none());
        for (position, (blob, group)) in blobs.iter().zip(&packed.groups).enumerate() {
            prop_assert!(packed.blobs.get(position) == Some(*blob));
            prop_assert_eq!(blob.bytes.len(), packed.predicted[position]);
            prop_assert_eq!(blob.user_records, group.len());
            prop_assert_eq!(blob.aggregated, group.len() > 1);
            prop_assert_eq!(blob.partition_key, &group[0].partition_key);
            prop_assert_eq!(blob.explicit_hash_key, group[0].explicit_hash_key.as_deref());
            if blob.aggregated {
                prop_assert!(blob.bytes.len() <= limits.max_bytes);
                prop_assert!(blob.user_records <= limits.max_user_records);
                prop_assert_eq!(blob.bytes, oracle::blob(group));
                let protobuf = &blob.bytes[MAGIC.len()..blob.bytes.len() - DIGEST_LEN];
                prop_assert_eq!(oracle::reading(protobuf), Reading::Records(group.clone()));
            } else {
                prop_assert_eq!(blob.bytes, &group[0].data);
            }
            prop_assert_eq!(&unpacked(blob), group);
        }
        // Each user record has exactly one fate, and order is kept within each.
        let (fits, too_large): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| record.data.len() <= limits.max_record_bytes);
        prop_assert_eq!(packed.groups.concat(), fits);
        prop_assert_eq!(packed.too_large, too_large);
    }

    #[test]
    fn a_blob_is_closed_only_when_the_next_record_does_not_fit(
        records in prop::collection::vec(user_record(), 0..60),
        limits in limits(),
    ) {
        let packed = pack(&records, limits, &[]);
        for pair in packed.groups.windows(2) {
            let with_next = [&pair[0][..], &pair[1][..1]].concat();
            prop_assert!(
                oracle::blob(&with_next).len() > limits.max_bytes || with_next.len() > limits.max_user_records
            );
        }
    }

    #[test]
    fn with_one_key_the_shard_that_holds_the_blob_accepts_every_record_whatever_the_shards(
        keys in prop::collection::vec((key(), prop::option::of(hash_key())), 1..6),
        rows in prop::collection::vec((any::<Index>(), data()), 1..40),
        mut borders in prop::collection::vec(any::<u128>(), 0..6),
    ) {
        // One blob for each key, the caller's rule; the shards lie between the borders.
        let mut records: Vec<_> = rows.iter().map(|(pick, data)| {
            let (partition_key, explicit_hash_key) = pick.get(&keys).clone();
            Owned { partition_key, explicit_hash_key, data: data.clone() }
        }).collect();
        let key_of = |record: &Owned| (record.partition_key.clone(), record.explicit_hash_key.clone());
        records.sort_by_key(key_of);
        let limits = Limits { max_bytes: 5_120, max_user_records: 500, max_record_bytes: 1 << 20 };
        let mut aggregator = Aggregator::new(limits);
        let mut open_key = None;
        for record in &records {
            if open_key.replace(key_of(record)).is_some_and(|open| open != key_of(record)) {
                aggregator.close();
            }
            let hash_key = record.explicit_hash_key.as_deref();
            if aggregator.push(&record.partition_key, hash_key, &record.data) == Pushed::Full {
                aggregator.close();
                prop_assert_eq!(aggregator.push(&record.partition_key, hash_key, &record.data), Pushed::Added);
            }
        }
        borders.sort_unstable();
        let shard_of = |hash_key: u128| borders.partition_point(|border| *border <= hash_key);
        for blob in aggregator.finish().iter() {
            let holder = shard_of(effective_hash_key(blob.partition_key, blob.explicit_hash_key).unwrap());
            for record in unpacked(&blob) {
                let hash_key = record.explicit_hash_key.as_deref();
                prop_assert_eq!(shard_of(effective_hash_key(&record.partition_key, hash_key).unwrap()), holder);
            }
        }
    }
}

#[test]
fn without_a_user_record_there_is_no_blob() {
    let limits = Limits {
        max_bytes: 5_120,
        max_user_records: 500,
        max_record_bytes: 1 << 20,
    };
    let mut aggregator = Aggregator::new(limits);
    assert!(!aggregator.close());
    let blobs = aggregator.finish();
    assert!(blobs.is_empty());
    assert_eq!((blobs.len(), blobs.total_bytes()), (0, 0));
}

#[test]
fn many_keys_in_one_blob_cost_no_more_than_their_bytes() {
    let records: Vec<_> = (0..200_000_u32)
        .map(|n| Owned {
            partition_key: (n % 100_000).to_string(),
            explicit_hash_key: Some((n % 70_000).to_string()),
            data: vec![],
        })
        .collect();
    let limits = Limits {
        max_bytes: usize::MAX,
        max_user_records: usize::MAX,
        max_record_bytes: 0,
    };
    let packed = pack(&records, limits, &[]);
    let blob = packed.blobs.get(0).unwrap();
    assert_eq!(
        (blob.user_records, blob.bytes.len()),
        (200_000, packed.predicted[0])
    );
    assert_eq!(unpacked(&blob), records);
}

// ---- reading

/// One field as another writer might put it.
fn field(number: u32, wire_type: u32, content: &[u8]) -> Vec<u8> {
    let mut out = varint(u64::from(number << 3 | wire_type), 0);
    if wire_type == 2 {
        out.extend(varint(content.len() as u64, 0));
    }
    out.extend(content);
    if wire_type == 3 {
        out.extend(varint(u64::from(number << 3 | 4), 0));
    }
    out
}

/// A varint with needless bytes, as far as ten bytes allow.
fn varint(mut value: u64, padding: usize) -> Vec<u8> {
    let mut out = vec![];
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
    for _ in 0..padding.min(10 - out.len()) {
        *out.last_mut().unwrap() |= 0x80;
        out.push(0);
    }
    out
}

fn padded_varint_field(number: u32, value: impl Strategy<Value = u64>) -> impl Strategy<Value = Vec<u8>> {
    (value, 0..10_usize).prop_map(move |(value, padding)| field(number, 0, &varint(value, padding)))
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..12)
}

/// A field that the format does not know, groups in groups included.
fn unknown_field() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![5..20_u32, Just((1 << 29) - 1)];
    let leaf =
        (number.clone(), any::<u64>(), bytes(), 0..4_u32).prop_map(
            |(number, value, bytes, kind)| match kind {
                0 => field(number, 0, &varint(value, 0)),
                1 => field(number, 1, &value.to_le_bytes()),
                2 => field(number, 2, &bytes),
                _ => field(number, 5, &value.to_le_bytes()[..4]),
            },
        );
    leaf.prop_recursive(20, 40, 3, move |inner| {
        (number.clone(), prop::collection::vec(inner, 0..3))
            .prop_map(|(number, fields)| field(number, 3, &fields.concat()))
    })
}

/// A message as fields in any order.
fn message(fields: impl Strategy<Value = Vec<Vec<u8>>>) -> impl Strategy<Value = Vec<u8>> {
    fields.prop_shuffle().prop_map(|fields| fields.concat())
}

fn tag_message() -> impl Strategy<Value = Vec<u8>> {
    let key = prop::collection::vec(bytes().prop_map(|key| field(1, 2, &key)), 1..3);
    let value = prop::collection::vec(bytes().prop_map(|value| field(2, 2, &value)), 0..3);
    message((key, value).prop_map(|(key, value)| [key, value].concat()))
}

fn record_message() -> impl Strategy<Value = Vec<u8>> {
    // Mostly inside the tables; 2^32 and more shows an index that is cut.
    let index = || prop_oneof![30 => 0..3_u64, 1 => Just(1 << 32), 1 => any::<u64>()];
    let fields = (
        prop::collection::vec(padded_varint_field(1, index()), 1..3),
        prop::collection::vec(padded_varint_field(2, index()), 0..2),
        prop::collection::vec(bytes().prop_map(|data| field(3, 2, &data)), 1..3),
        prop::collection::vec(tag_message().prop_map(|tag| field(4, 2, &tag)), 0..2),
        prop::collection::vec(unknown_field(), 0..2),
        // Now and then a required field is missing.
        prop::option::weighted(0.03, 0..2_usize),
    );
    message(
        fields.prop_map(|(mut indices, hash_keys, mut data, tags, unknown, missing)| {
            match missing {
                Some(0) => indices.clear(),
                Some(_) => data.clear(),
                None => {}
            }
            [indices, hash_keys, data, tags, unknown].concat()
        }),
    )
}

/// A well-formed protobuf with everything that is legal, in any order.
fn any_protobuf() -> impl Strategy<Value = Vec<u8>> {
    let key = || prop_oneof![20 => "[a-z]{0,5}".prop_map(String::into_bytes), 1 => bytes()];
    let fields = (
        prop::collection::vec(key().prop_map(|key| field(1, 2, &key)), 2..5),
        prop::collection::vec(key().prop_map(|key| field(2, 2, &key)), 2..5),
        prop::collection::vec(record_message().prop_map(|record| field(3, 2, &record)), 0..6),
        prop::collection::vec(unknown_field(), 0..3),
    );
    message(
        fields.prop_map(|(keys, hash_keys, records, unknown)| [keys, hash_keys, records, unknown].concat()),
    )
}

/// Our reading of a protobuf in its frame equals the naive one.
fn assert_read_as_by_prost(protobuf: &[u8]) -> Result<(), TestCaseError> {
    let bytes = oracle::framed(protobuf);
    let read = deaggregate(&bytes);
    match oracle::reading(protobuf) {
        _ if protobuf.is_empty() => prop_assert_eq!(read, Ok(Payload::Plain(&bytes))),
        Reading::Records(expected) => {
            let Ok(Payload::Aggregated(records)) = read else {
                return Err(TestCaseError::fail(format!("{read:?}")));
            };
            prop_assert_eq!(records.iter().map(Owned::from).collect::<Vec<_>>(), expected);
        }
        Reading::Bad(error) => prop_assert_eq!(read, Err(error)),
        Reading::Incomplete => prop_assert_eq!(read, Ok(Payload::Plain(&bytes))),
        // A known number with another wire type is an unknown field to protobuf and an error to prost alone.
        Reading::Unparsed(error) if error.to_string().contains("(expected ") => {}
        Reading::Unparsed(_) => prop_assert_eq!(read, Ok(Payload::Plain(&bytes))),
    }
    Ok(())
}

proptest! {
    // Four times the usual number, which PROPTEST_CASES sets: most of these cases take microseconds.
    #![proptest_config(ProptestConfig::with_cases(4 * ProptestConfig::default().cases))]

    #[test]
    fn whatever_is_legal_is_read_as_by_prost(protobuf in any_protobuf()) {
        assert_read_as_by_prost(&protobuf)?;
    }

    #[test]
    fn damage_under_a_right_digest_is_read_as_by_prost(
        mut protobuf in any_protobuf(),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<Index>()),
    ) {
        for (at, byte) in changes {
            let at = at.index(protobuf.len());
            protobuf[at] = byte;
        }
        if let Some(cut) = cut {
            protobuf.truncate(cut.index(protobuf.len() + 1));
        }
        assert_read_as_by_prost(&protobuf)?;
    }

    #[test]
    fn random_bytes_under_a_right_digest_are_read_as_by_prost(
        protobuf in prop::collection::vec(prop_oneof![any::<u8>(), 0..32_u8], 0..64),
    ) {
        assert_read_as_by_prost(&protobuf)?;
    }

    #[test]
    fn without_magic_number_and_digest_all_bytes_are_plain(
        mut bytes in prop::collection::vec(any::<u8>(), 0..64),
        with_magic in any::<bool>(),
    ) {
        if with_magic {
            bytes.splice(0..0, MAGIC);
        }
        prop_assert_eq!(deaggregate(&bytes), Ok(Payload::Plain(&bytes)));
    }

    #[test]
    fn any_single_damage_to_a_blob_makes_it_plain(
        records in prop::collection::vec(user_record(), 1..5),
        at in any::<Index>(),
        flip in 1..=255_u8,
    ) {
        let mut bytes = oracle::blob(&records);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert_eq!(deaggregate(&bytes), Ok(Payload::Plain(&bytes)));
        bytes[at] ^= flip;
        prop_assert!(matches!(deaggregate(&bytes), Ok(Payload::Aggregated(_))));
        bytes.push(b'\n');
        prop_assert_eq!(deaggregate(&bytes), Ok(Payload::Plain(&bytes)));
    }

    #[test]
    fn one_bad_index_anywhere_and_nothing_is_given_out(
        records in prop::collection::vec(record_message(), 0..5),
        at in any::<Index>(),
        index in 1_u64..,
    ) {
        let bad = [field(1, 0, &varint(index, 0)), field(3, 2, b"bad")].concat();
        let mut records = records;
        records.insert(at.index(records.len() + 1), bad);
        let fields = records.iter().map(|record| field(3, 2, record));
        let protobuf = [field(1, 2, b"the only key")].into_iter().chain(fields).collect::<Vec<_>>().concat();
        let bytes = oracle::framed(&protobuf);
        prop_assert!(!matches!(deaggregate(&bytes), Ok(Payload::Aggregated(_))));
        assert_read_as_by_prost(&protobuf)?;
    }
}

#[test]
fn a_known_number_with_another_wire_type_is_an_unknown_field() {
    let record = [
        field(1, 0, &[0]),
        field(1, 2, b"x"),
        field(3, 2, b"data"),
        field(3, 0, &[7]),
    ]
    .concat();
    let tables = [field(1, 2, b"key"), field(1, 0, &[7]), field(2, 5, &[0; 4])].concat();
    let bytes = oracle::framed(&[tables, field(3, 2, &record), field(3, 0, &[7])].concat());
    let Ok(Payload::Aggregated(records)) = deaggregate(&bytes) else {
        panic!("{:?}", deaggregate(&bytes))
    };
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].partition_key, records[0].data), ("key", &b"data"[..]));
}

#[test]
fn a_tag_without_its_key_does_not_parse() {
    let with_tag = |tag: &[u8]| {
        let record = [field(1, 0, &[0]), field(3, 2, b"data"), field(4, 2, tag)].concat();
        oracle::framed(&[field(1, 2, b"key"), field(3, 2, &record)].concat())
    };
    assert!(matches!(
        deaggregate(&with_tag(&field(1, 2, b"\xff"))),
        Ok(Payload::Aggregated(_))
    ));
    for tag in [
        vec![],
        field(2, 2, b"value"),
        field(1, 0, &[0]),
        b"\x0a\x01".to_vec(),
    ] {
        let bytes = with_tag(&tag);
        assert_eq!(deaggregate(&bytes), Ok(Payload::Plain(&bytes)), "{tag:?}");
    }
}

#[test]
fn groups_nested_as_deep_as_the_input_are_refused_without_exhausting_the_stack() {
    let bytes = oracle::framed(&vec![0x2b; 10 << 20]);
    assert_eq!(deaggregate(&bytes), Ok(Payload::Plain(&bytes)));
}

#[test]
fn a_mebibyte_of_the_smallest_records_is_read_in_full() {
    // 6 bytes each: tag and length, index 0, no data.
    let record = field(3, 2, &[field(1, 0, &[0]), field(3, 2, b"")].concat());
    let count = ((1 << 20) - FRAME_LEN - 2) / record.len();
    assert_eq!(count, 174_759);
    let bytes = oracle::framed(&[field(1, 2, b""), record.repeat(count)].concat());
    let Ok(Payload::Aggregated(records)) = deaggregate(&bytes) else {
        panic!("not a blob")
    };
    assert_eq!(records.len(), count);
    // Borrowed parts only: at most 8 times as many bytes as came in, whatever the input.
    assert!(size_of_val(records.as_slice()) <= 8 * bytes.len());
    assert!(
        records
            .iter()
            .all(|record| record.partition_key.is_empty() && record.data.is_empty())
    );
}

#[test]
fn an_error_says_where_and_never_what() {
    let secret = b"secret\xff";
    let record = |index| {
        field(
            3,
            2,
            &[field(1, 0, &varint(index, 0)), field(3, 2, secret)].concat(),
        )
    };
    let out_of_range = oracle::framed(&[field(1, 2, b"secret"), record(0), record(1 << 32)].concat());
    let not_utf8 = oracle::framed(&[field(1, 2, b"key"), field(2, 2, secret), record(0)].concat());
    for (bytes, message) in [
        (
            out_of_range,
            "user record 1: index 4294967296 is outside the partition key table of 1 keys",
        ),
        (
            not_utf8,
            "key 0 of the explicit hash key table of 1 keys is not UTF-8",
        ),
    ] {
        let error = deaggregate(&bytes).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(!format!("{error:?}").contains("secret"));
    }
}
