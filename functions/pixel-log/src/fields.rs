//! The fields of a real-time log line, as data.
//!
//! `CloudFront` delivers the configured fields in its own order, whatever order the configuration lists
//! them in, and only those that are configured. So a consumer needs the configured *set*, sorted
//! canonically: [`FieldSet`].
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/real-time-logs.html>

use std::fmt;

/// Number of fields that a real-time log configuration can ask for.
pub const FIELD_COUNT: usize = Field::ALL.len();

macro_rules! fields {
    ($($variant:ident = $name:literal, $doc:literal;)*) => {
        /// One field of the real-time log. The variants stand in the order of delivery.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Field {
            $(#[doc = $doc] $variant,)*
        }

        impl Field {
            /// All fields, in the order in which `CloudFront` delivers them.
            pub const ALL: &'static [Field] = &[$(Field::$variant,)*];

            /// `CloudFront`'s name of the field, as a log configuration spells it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Field::$variant => $name,)*
                }
            }

            /// What the field holds, in one sentence.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self {
                    $(Field::$variant => $doc,)*
                }
            }
        }
    };
}

fields! {
    Timestamp = "timestamp", "When the edge finished answering: epoch seconds with 3 decimals";
    CIp = "c-ip", "Address of the viewer, or of the proxy it used";
    SIp = "s-ip", "Address of the CloudFront server";
    TimeToFirstByte = "time-to-first-byte", "Seconds from the request to the first byte of the answer";
    ScStatus = "sc-status", "HTTP status; `000` when the viewer left before the answer";
    ScBytes = "sc-bytes", "Bytes to the viewer, headers included";
    CsMethod = "cs-method", "HTTP method";
    CsProtocol = "cs-protocol", "`http`, `https`, `grpcs`, `ws` or `wss`";
    CsHost = "cs-host", "`Host` header as the viewer sent it";
    CsUriStem = "cs-uri-stem", "Path, and here also `?` and the query";
    CsBytes = "cs-bytes", "Bytes from the viewer, headers included";
    XEdgeLocation = "x-edge-location", "Edge location: airport code and number";
    XEdgeRequestId = "x-edge-request-id", "The edge's opaque id of the request";
    XHostHeader = "x-host-header", "Domain name of the distribution";
    TimeTaken = "time-taken", "Seconds from the request to the last byte of the answer";
    CsProtocolVersion = "cs-protocol-version", "`HTTP/1.1`, `HTTP/2.0`, `HTTP/3.0` …";
    CIpVersion = "c-ip-version", "`IPv4` or `IPv6`";
    CsUserAgent = "cs-user-agent", "`User-Agent` header";
    CsReferer = "cs-referer", "`Referer` header";
    CsCookie = "cs-cookie", "`Cookie` header, cut at 800 bytes";
    CsUriQuery = "cs-uri-query", "Query without `?`";
    XEdgeResponseResultType = "x-edge-response-result-type", "How the edge judged the answer before sending it";
    XForwardedFor = "x-forwarded-for", "`X-Forwarded-For` header, a comma-separated list";
    SslProtocol = "ssl-protocol", "TLS version";
    SslCipher = "ssl-cipher", "TLS cipher";
    XEdgeResultType = "x-edge-result-type", "How the edge judged the answer after its last byte";
    FleEncryptedFields = "fle-encrypted-fields", "Number of fields under field-level encryption";
    FleStatus = "fle-status", "Outcome of field-level encryption";
    ScContentType = "sc-content-type", "`Content-Type` of the answer";
    ScContentLen = "sc-content-len", "`Content-Length` of the answer";
    ScRangeStart = "sc-range-start", "First byte of the answer's range";
    ScRangeEnd = "sc-range-end", "Last byte of the answer's range";
    CPort = "c-port", "Port of the viewer";
    XEdgeDetailedResultType = "x-edge-detailed-result-type", "As `x-edge-result-type`, with the kind of an error";
    CCountry = "c-country", "ISO 3166-1 alpha-2 code of the viewer's country";
    CsAcceptEncoding = "cs-accept-encoding", "`Accept-Encoding` header";
    CsAccept = "cs-accept", "`Accept` header";
    CacheBehaviorPathPattern = "cache-behavior-path-pattern", "Path pattern of the cache behaviour";
    CsHeaders = "cs-headers", "Headers as `name:value`, each ended by an encoded newline, cut at 800 bytes";
    CsHeaderNames = "cs-header-names", "Names of the headers, each ended by an encoded newline, cut at 800 bytes";
    CsHeadersCount = "cs-headers-count", "Number of headers";
    PrimaryDistributionId = "primary-distribution-id", "Primary distribution under continuous deployment";
    PrimaryDistributionDnsName = "primary-distribution-dns-name", "Domain name of that distribution";
    OriginFbl = "origin-fbl", "Seconds to the origin's first byte";
    OriginLbl = "origin-lbl", "Seconds to the origin's last byte";
    Asn = "asn", "Autonomous system number of the viewer";
    CmcdEncodedBitrate = "cmcd-encoded-bitrate", "CMCD: encoded bitrate";
    CmcdBufferLength = "cmcd-buffer-length", "CMCD: buffer length";
    CmcdBufferStarvation = "cmcd-buffer-starvation", "CMCD: buffer starvation";
    CmcdContentId = "cmcd-content-id", "CMCD: content id";
    CmcdObjectDuration = "cmcd-object-duration", "CMCD: object duration";
    CmcdDeadline = "cmcd-deadline", "CMCD: deadline";
    CmcdMeasuredThroughput = "cmcd-measured-throughput", "CMCD: measured throughput";
    CmcdNextObjectRequest = "cmcd-next-object-request", "CMCD: next object request";
    CmcdNextRangeRequest = "cmcd-next-range-request", "CMCD: next range request";
    CmcdObjectType = "cmcd-object-type", "CMCD: object type";
    CmcdPlaybackRate = "cmcd-playback-rate", "CMCD: playback rate";
    CmcdRequestedMaximumThroughput = "cmcd-requested-maximum-throughput", "CMCD: requested maximum throughput";
    CmcdStreamingFormat = "cmcd-streaming-format", "CMCD: streaming format";
    CmcdSessionId = "cmcd-session-id", "CMCD: session id";
    CmcdStreamType = "cmcd-stream-type", "CMCD: stream type";
    CmcdStartup = "cmcd-startup", "CMCD: startup";
    CmcdTopBitrate = "cmcd-top-bitrate", "CMCD: top bitrate";
    CmcdVersion = "cmcd-version", "CMCD: version";
    RHost = "r-host", "Host of the origin that answered";
    SrReason = "sr-reason", "Why an origin was chosen in place of the first";
    XEdgeMqcs = "x-edge-mqcs", "Media quality score, 0 to 100";
    DistributionTenantId = "distribution-tenant-id", "Tenant of a multi-tenant distribution";
    ConnectionId = "connection-id", "Id of a connection with a client certificate";
    ViewerRequestLogData = "viewer-request-log-data", "What the viewer-request function logged, cut at 800 bytes";
    ViewerResponseLogData = "viewer-response-log-data", "What the viewer-response function logged, cut at 800 bytes";
}

impl Field {
    /// The fields that rows are made of, which the stack asks for unless it is told otherwise. The others make lines
    /// longer and no row richer, and `cs-cookie` and `x-forwarded-for` would keep what nobody has to keep.
    pub const READ: &'static [Field] = &[
        Field::Timestamp,
        Field::CIp,
        Field::TimeToFirstByte,
        Field::ScStatus,
        Field::ScBytes,
        Field::CsMethod,
        Field::CsProtocol,
        Field::CsHost,
        Field::CsUriStem,
        Field::CsBytes,
        Field::XEdgeLocation,
        Field::XEdgeRequestId,
        Field::TimeTaken,
        Field::CsProtocolVersion,
        Field::CsUserAgent,
        Field::CsReferer,
        Field::CsUriQuery,
        Field::SslProtocol,
        Field::XEdgeResultType,
        Field::XEdgeDetailedResultType,
        Field::CCountry,
        Field::CsHeaders,
        Field::CsHeaderNames,
        Field::CsHeadersCount,
        Field::Asn,
    ];

    /// The field of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Field> {
        Field::ALL.iter().copied().find(|field| field.name() == name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The set of fields that a log configuration asks for, in canonical order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSet {
    fields: Vec<Field>,
    /// The column of each field, [`ABSENT`] where the set lacks it.
    columns: [u8; FIELD_COUNT],
}

/// The sign for a field that is not in a set: no column has this number.
const ABSENT: u8 = u8::MAX;
const _: () = assert!(FIELD_COUNT < ABSENT as usize, "a column's number fits");

impl FieldSet {
    /// Every field there is.
    #[must_use]
    pub fn all() -> FieldSet {
        FieldSet::of(Field::ALL.to_vec())
    }

    /// The fields that rows are made of: [`Field::READ`].
    #[must_use]
    pub fn read() -> FieldSet {
        FieldSet::of(Field::READ.to_vec())
    }

    fn of(fields: Vec<Field>) -> FieldSet {
        let mut columns = [ABSENT; FIELD_COUNT];
        for (column, &field) in (0..).zip(&fields) {
            if let Some(slot) = columns.get_mut(field as usize) {
                *slot = column;
            }
        }
        FieldSet { fields, columns }
    }

    /// Reads `all`, `read`, or a comma-separated list of `CloudFront`'s names in any order.
    pub fn parse(list: &str) -> Result<FieldSet, FieldSetError> {
        match list.trim() {
            "all" => return Ok(FieldSet::all()),
            "read" => return Ok(FieldSet::read()),
            _ => {}
        }
        let mut fields = Vec::new();
        for (index, name) in list.split(',').map(str::trim).enumerate() {
            let field = Field::from_name(name).ok_or(FieldSetError::Unknown { position: index + 1 })?;
            if fields.contains(&field) {
                return Err(FieldSetError::Twice { field });
            }
            fields.push(field);
        }
        fields.sort_unstable();
        if !fields.contains(&Field::Timestamp) {
            return Err(FieldSetError::NoTimestamp);
        }
        Ok(FieldSet::of(fields))
    }

    /// Number of columns that a line of this set has.
    #[expect(clippy::len_without_is_empty, reason = "no set lacks the timestamp")]
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// The column of a field, counted from 0; none where the set lacks it.
    #[must_use]
    #[inline]
    pub fn column(&self, field: Field) -> Option<usize> {
        match self.columns.get(field as usize) {
            None | Some(&ABSENT) => None,
            Some(&column) => Some(usize::from(column)),
        }
    }

    /// The fields, column by column.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}

/// Why a list of field names is not a field set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldSetError {
    /// The name at this place of the list, counted from 1, is not a field of the real-time log.
    Unknown {
        /// Place in the list, counted from 1.
        position: usize,
    },
    /// The list names a field twice.
    Twice {
        /// That field.
        field: Field,
    },
    /// The set lacks `timestamp`, without which a row has no place in time.
    NoTimestamp,
}

impl fmt::Display for FieldSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldSetError::Unknown { position } => write!(
                f,
                "name {position} of the field list is not a real-time log field; expected `all`, `read` or names like `timestamp,c-ip,cs-uri-stem`"
            ),
            FieldSetError::Twice { field } => write!(f, "the field list names {field} twice"),
            FieldSetError::NoTimestamp => f.write_str("the field list lacks timestamp; every row needs it"),
        }
    }
}

impl std::error::Error for FieldSetError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_71_fields_and_the_known_positions_hold() {
        // Positions from the table of the CloudFront page (counted from 1 there).
        for (number, name) in [
            (1, "timestamp"),
            (3, "s-ip"),
            (10, "cs-uri-stem"),
            (13, "x-edge-request-id"),
            (21, "cs-uri-query"),
            (26, "x-edge-result-type"),
            (35, "c-country"),
            (39, "cs-headers"),
            (46, "asn"),
            (47, "cmcd-encoded-bitrate"),
            (64, "cmcd-version"),
            (65, "r-host"),
            (68, "distribution-tenant-id"),
            (71, "viewer-response-log-data"),
        ] {
            assert_eq!(Field::ALL[number - 1].name(), name);
        }
        assert_eq!(FIELD_COUNT, 71);
    }

    #[test]
    fn a_list_in_any_order_is_sorted_canonically() {
        let set = FieldSet::parse("asn, timestamp,c-ip").unwrap();
        assert_eq!(set.fields(), [Field::Timestamp, Field::CIp, Field::Asn]);
        assert_eq!(set.column(Field::Asn), Some(2));
        assert_eq!(set.column(Field::CPort), None);
    }

    #[test]
    fn a_word_stands_for_a_list() {
        assert_eq!(FieldSet::parse(" all").unwrap().fields(), Field::ALL);
        assert_eq!(FieldSet::parse("read").unwrap().fields(), Field::READ);
        assert!(Field::READ.is_sorted());
    }

    #[test]
    fn a_wrong_list_says_where() {
        assert_eq!(
            FieldSet::parse("timestamp,nope"),
            Err(FieldSetError::Unknown { position: 2 })
        );
        assert_eq!(
            FieldSet::parse("timestamp,asn,asn"),
            Err(FieldSetError::Twice { field: Field::Asn })
        );
        assert_eq!(FieldSet::parse("asn"), Err(FieldSetError::NoTimestamp));
        assert_eq!(FieldSet::parse(""), Err(FieldSetError::Unknown { position: 1 }));
        for (list, sentence) in [
            (
                "timestamp,nope",
                "name 2 of the field list is not a real-time log field",
            ),
            ("timestamp,asn,asn", "the field list names asn twice"),
            ("asn", "the field list lacks timestamp"),
        ] {
            assert!(
                FieldSet::parse(list)
                    .unwrap_err()
                    .to_string()
                    .starts_with(sentence)
            );
        }
    }
}
