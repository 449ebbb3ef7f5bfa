//! Where an event came from, read from its first record alone.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The most bytes of a name that the log repeats.
const MAX_NAME: usize = 512;

/// Stream, shard and sequence number of an event's first record; none where that record does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EventHead {
    /// ARN of the stream.
    pub(crate) stream: Option<String>,
    /// The shard.
    pub(crate) shard: Option<String>,
    /// Sequence number of the first record.
    pub(crate) sequence_number: Option<String>,
}

impl EventHead {
    /// Reads up to the end of the first record, no further.
    pub(crate) fn read(event: &[u8]) -> EventHead {
        let mut head = None;
        let mut json = serde_json::Deserializer::from_slice(event);
        // The error by which reading stops tells nothing: what was found until then is the answer.
        json.deserialize_map(UntilFirstRecord(&mut head)).ok();
        head.map(EventHead::from).unwrap_or_default()
    }
}

impl From<RecordJson<'_>> for EventHead {
    /// Keeps what looks as AWS writes it: the log repeats nothing else.
    fn from(record: RecordJson<'_>) -> EventHead {
        let (shard, _) = record.event_id.split_once(':').unwrap_or_default();
        let number = &record.kinesis.sequence_number;
        EventHead {
            stream: name(&record.source, ":/_.-").filter(|arn| arn.starts_with("arn:")),
            shard: name(shard, "-"),
            sequence_number: Some(number)
                .filter(|number| (1..=129).contains(&number.len()))
                .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
                .map(ToString::to_string),
        }
    }
}

/// The name if it is short and of letters, digits and these marks.
fn name(text: &str, marks: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    ((1..=MAX_NAME).contains(&text.len()) && text.chars().all(is_plain)).then(|| text.to_owned())
}

#[derive(Deserialize)]
struct RecordJson<'a> {
    #[serde(borrow, default)]
    kinesis: KinesisJson<'a>,
    #[serde(borrow, default, rename = "eventID")]
    event_id: Cow<'a, str>,
    #[serde(borrow, default, rename = "eventSourceARN")]
    source: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
struct KinesisJson<'a> {
    #[serde(borrow, default, rename = "sequenceNumber")]
    sequence_number: Cow<'a, str>,
}

struct UntilFirstRecord<'a, 'de>(&'a mut Option<RecordJson<'de>>);

impl<'de> Visitor<'de> for UntilFirstRecord<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event with Records")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == "Records" {
                return map.next_value_seed(self);
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        *self.0 = records.next_element()?;
        Err(A::Error::custom("the first record is enough"))
    }
}

impl<'de> DeserializeSeed<'de> for UntilFirstRecord<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_record_tells_and_the_rest_is_not_read() {
        let event = br#"{"window":{"start":"x"},"Records":[{"eventID":"shardId-000000000006:49","kinesis":
            {"data":"AA==","sequenceNumber":"49"},"eventSourceARN":"arn:aws:kinesis:eu-west-1:1:stream/s"},
            no JSON at all"#;
        let head = EventHead {
            stream: Some("arn:aws:kinesis:eu-west-1:1:stream/s".to_owned()),
            shard: Some("shardId-000000000006".to_owned()),
            sequence_number: Some("49".to_owned()),
        };
        assert_eq!(EventHead::read(event), head);
    }

    #[test]
    fn what_aws_would_not_write_is_left_out() {
        for event in [
            &b""[..],
            b"null",
            b"[]",
            b"{}",
            br#"{"Records":{}}"#,
            br#"{"Records":[]}"#,
            br#"{"Records":[7]}"#,
            br#"{"Records":[{}]}"#,
            br#"{"Records":[{"eventID":"192.0.2.1:1","eventSourceARN":"https://shop.example/?q=1"}]}"#,
            br#"{"Records":[{"kinesis":{"sequenceNumber":"192.0.2.1"},"eventSourceARN":"arn:a b"}]}"#,
        ] {
            assert_eq!(EventHead::read(event), EventHead::default());
        }
    }
}
