//! Names of objects, as Firehose makes them.

use pixel_row::Timestamp;
use uuid::Uuid;

/// The version of the stream, which Firehose raises with every change of its settings.
const STREAM_VERSION: u32 = 1;

/// `<stream>-<version>-<Y-m-d-H-M-S>-<uuid><extension>`, of the oldest arrival in the object.
/// Source: <https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html>
pub(super) fn object_name(stream: &str, arrival: Timestamp, extension: &str) -> String {
    let time = arrival.to_string();
    let seconds = time.get(..19).unwrap_or(&time).replace(['T', ':'], "-");
    format!(
        "{stream}-{STREAM_VERSION}-{seconds}-{}{extension}",
        Uuid::new_v4()
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_firehoses_and_differ() {
        let arrival = Timestamp::from_millis(1_767_225_599_999).unwrap();
        let names: HashSet<String> = (0..1000)
            .map(|_| object_name("pixlake-events", arrival, ".parquet"))
            .collect();
        assert_eq!(names.len(), 1000);
        for name in names {
            let uuid = name
                .strip_prefix("pixlake-events-1-2025-12-31-23-59-59-")
                .and_then(|name| name.strip_suffix(".parquet"))
                .unwrap();
            assert_eq!(Uuid::parse_str(uuid).unwrap().get_version_num(), 4, "{name}");
        }
    }
}
