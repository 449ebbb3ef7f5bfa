//! Where Kinesis puts a record: the 128-bit number that chooses the shard.

use crate::digest::digest;

/// The hash key of a partition key: the MD5 of its UTF-8 bytes as a big-endian number. The record goes to
/// the shard whose range holds it.
///
/// Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>.
///
/// ```
/// assert_eq!(kpl::hash_key("a"), 16_955_237_001_963_240_173_058_271_559_858_726_497);
/// ```
pub fn hash_key(partition_key: &str) -> u128 {
    u128::from_be_bytes(digest(partition_key.as_bytes()))
}

/// The hash key that counts: the explicit one where there is one, else that of the partition key.
///
/// `None` for an explicit hash key that is not a number in the form that Kinesis takes: decimal digits, no sign,
/// no leading zero, at most 2^128 − 1.
pub fn effective_hash_key(partition_key: &str, explicit_hash_key: Option<&str>) -> Option<u128> {
    let Some(digits) = explicit_hash_key else {
        return Some(hash_key(partition_key));
    };
    // `parse` alone would let a plus sign and leading zeros through.
    let canonical = digits == "0" || digits.starts_with(|first: char| matches!(first, '1'..='9'));
    if canonical { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_key_hashes_as_kinesis_does() {
        assert_eq!(hash_key("a"), 16_955_237_001_963_240_173_058_271_559_858_726_497);
        assert_eq!(hash_key("pk"), 38_317_986_088_707_300_215_492_326_132_921_849_533);
    }

    #[test]
    fn an_explicit_hash_key_overrides_the_partition_key() {
        assert_eq!(effective_hash_key("a", None), Some(hash_key("a")));
        assert_eq!(effective_hash_key("a", Some("0")), Some(0));
        let max = "340282366920938463463374607431768211455";
        assert_eq!(effective_hash_key("a", Some(max)), Some(u128::MAX));
    }

    #[test]
    fn an_explicit_hash_key_that_kinesis_refuses_has_no_hash_key() {
        let above_max = "340282366920938463463374607431768211456";
        for refused in [
            "", "+1", "-1", "00", "01", " 1", "1 ", "1_0", "0x1", "١", above_max,
        ] {
            assert_eq!(effective_hash_key("a", Some(refused)), None, "{refused:?}");
        }
    }
}
