//! Log lines as `CloudFront` writes them, and events as Lambda hands them over.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pixel_log::Field;

/// The log stream that the events come from.
pub const STREAM_ARN: &str = "arn:aws:kinesis:eu-west-1:123456789012:stream/log-stream";
/// Its shard.
pub const SHARD: &str = "shardId-000000000000";
/// When the records of the events arrived, in seconds since 1970: 2025-11-01T07:00:01.250Z.
pub const ARRIVAL: &str = "1761980401.25";

/// One logged request. What is not said is as a browser on the page <https://shop.example/> would have it.
#[derive(Debug, Clone, Copy)]
pub struct Hit<'a> {
    /// Column `timestamp`.
    pub timestamp: &'a str,
    /// Column `c-ip`.
    pub address: &'a str,
    /// Column `sc-status`.
    pub status: &'a str,
    /// The path, encoded as the log encodes it.
    pub path: &'a str,
    /// The query, encoded as the log encodes it; empty for none.
    pub query: &'a str,
    /// Column `cs-user-agent`, encoded as the log encodes it.
    pub user_agent: &'a str,
}

impl Default for Hit<'_> {
    fn default() -> Self {
        Hit {
            timestamp: "1761980400.123",
            address: "192.0.2.10",
            status: "200",
            path: "/p.gif",
            query: "e=page_view&u=https%253A%252F%252Fshop.example%252Fcart",
            user_agent: "Mozilla/5.0%20(X11;%20Linux%20x86_64;%20rv:140.0)%20Gecko/20100101%20Firefox/140.0",
        }
    }
}

impl Hit<'_> {
    /// The log line with all fields, without a newline.
    pub fn line(&self, request_id: &str) -> String {
        let column = |field: &Field| match field {
            Field::Timestamp => self.timestamp.to_owned(),
            Field::CIp => self.address.to_owned(),
            Field::SIp => "198.51.100.5".to_owned(),
            Field::TimeToFirstByte | Field::TimeTaken => "0.001".to_owned(),
            Field::ScStatus => self.status.to_owned(),
            Field::ScBytes => "473".to_owned(),
            Field::CsMethod => "GET".to_owned(),
            Field::CsProtocol => "https".to_owned(),
            Field::CsHost => "t.shop.example".to_owned(),
            Field::CsUriStem if self.query.is_empty() => self.path.to_owned(),
            Field::CsUriStem => format!("{}?{}", self.path, self.query),
            Field::CsBytes => "295".to_owned(),
            Field::XEdgeLocation => "HAM50-C2".to_owned(),
            Field::XEdgeRequestId => request_id.to_owned(),
            Field::XHostHeader => "d111111abcdef8.cloudfront.net".to_owned(),
            Field::CsProtocolVersion => "HTTP/2.0".to_owned(),
            Field::CIpVersion if self.address.contains(':') => "IPv6".to_owned(),
            Field::CIpVersion => "IPv4".to_owned(),
            Field::CsUserAgent => self.user_agent.to_owned(),
            Field::CsReferer => "https://shop.example/".to_owned(),
            Field::CsUriQuery if !self.query.is_empty() => self.query.to_owned(),
            Field::XEdgeResponseResultType | Field::XEdgeResultType | Field::XEdgeDetailedResultType => {
                "Hit".to_owned()
            }
            Field::SslProtocol => "TLSv1.3".to_owned(),
            Field::SslCipher => "TLS_AES_128_GCM_SHA256".to_owned(),
            Field::ScContentType => "image/gif".to_owned(),
            Field::ScContentLen => "43".to_owned(),
            Field::CPort => "50143".to_owned(),
            Field::CCountry => "DE".to_owned(),
            Field::CsAcceptEncoding => "gzip,%20deflate,%20br".to_owned(),
            Field::CsAccept => "image/avif,image/webp,*/*".to_owned(),
            Field::CacheBehaviorPathPattern => "*".to_owned(),
            Field::CsHeaders => "host:t.shop.example%0Asec-fetch-dest:image%0A".to_owned(),
            Field::CsHeaderNames => "host%0Asec-fetch-dest%0A".to_owned(),
            Field::CsHeadersCount => "2".to_owned(),
            Field::Asn => "64500".to_owned(),
            _ => "-".to_owned(),
        };
        Field::ALL.iter().map(column).collect::<Vec<_>>().join("\t")
    }
}

/// One record of the log stream.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its sequence number.
    pub sequence_number: String,
    /// Its data.
    pub data: Vec<u8>,
}

impl Record {
    /// The record in the event's JSON.
    pub fn json(&self) -> String {
        let members = format!(
            r#""sequenceNumber":"{}","data":"{}","approximateArrivalTimestamp":{ARRIVAL}"#,
            self.sequence_number,
            base64(&self.data)
        );
        record_json(&self.sequence_number, &members)
    }
}

/// Data as the event's JSON holds it.
pub fn base64(data: &[u8]) -> String {
    STANDARD.encode(data)
}

/// A record with these members of `kinesis`, in the event's JSON.
pub fn record_json(sequence_number: &str, kinesis_members: &str) -> String {
    format!(
        concat!(
            r#"{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":"1",{members}}},"#,
            r#""eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"{shard}:{number}","#,
            r#""eventName":"aws:kinesis:record","#,
            r#""invokeIdentityArn":"arn:aws:iam::123456789012:role/aggregate-logs","#,
            r#""awsRegion":"eu-west-1","eventSourceARN":"{arn}"}}"#
        ),
        members = kinesis_members,
        shard = SHARD,
        number = sequence_number,
        arn = STREAM_ARN,
    )
}

/// The sequence number of the record at this position: as long as real ones are.
pub fn sequence_number(position: usize) -> String {
    format!("4959033827149025660855969253836157109592157598913{position:07}")
}

/// An event of records in the event's JSON: one record to a line, so that people can read it.
pub fn event_json(records: &[String]) -> String {
    format!("{{\"Records\":[\n{}\n]}}\n", records.join(",\n"))
}

/// A batch of records of the log stream.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The records in order.
    pub records: Vec<Record>,
}

impl Batch {
    /// A batch of one record for each data.
    pub fn new(data: impl IntoIterator<Item = Vec<u8>>) -> Batch {
        let record = |(position, data)| Record {
            sequence_number: sequence_number(position),
            data,
        };
        Batch {
            records: data.into_iter().enumerate().map(record).collect(),
        }
    }

    /// The records from this position on, as Lambda sends them again.
    #[must_use]
    pub fn from(&self, position: usize) -> Batch {
        Batch {
            records: self.records[position..].to_vec(),
        }
    }

    /// The position of the record with this sequence number.
    pub fn position(&self, sequence_number: &str) -> usize {
        let found = self
            .records
            .iter()
            .position(|record| record.sequence_number == sequence_number);
        found.expect("a sequence number of this batch")
    }

    /// The event.
    pub fn json(&self) -> Vec<u8> {
        let records: Vec<String> = self.records.iter().map(Record::json).collect();
        event_json(&records).into_bytes()
    }
}
