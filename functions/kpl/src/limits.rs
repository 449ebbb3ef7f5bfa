//! What bounds an aggregated record.

/// What bounds an aggregated record. All three are the caller's choice; nothing is checked against AWS.
///
/// Kinesis counts the partition key into a record's size
/// (<https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html>). These limits do not:
/// leave room for the key that goes beside the blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a whole blob: magic number, protobuf and digest.
    ///
    /// It decides which user records share a blob. One that does not fit it even alone still goes out, raw,
    /// up to [`max_record_bytes`](Self::max_record_bytes).
    pub max_bytes: usize,
    /// User records in one blob. 0 and 1 both mean that every user record travels alone.
    pub max_user_records: usize,
    /// Bytes of one user record's data, the stream's limit: any user record may have to travel alone, and
    /// alone it is its data and nothing else. Past it, a push answers
    /// [`TooLarge`](crate::Pushed::TooLarge).
    pub max_record_bytes: usize,
}
