//! One request and its answer as a log line with all fields.

use pixel_log::Field;

use super::answer::Answer;
use super::log_line::{push_cut, push_decimal, push_line, push_logged, push_seconds, push_whole_entries};
use super::request::{PIXEL, Request};
use super::visitor::Visitor;

/// What a line is written from.
pub(super) struct Line<'a> {
    /// `timestamp`, as text because a broken line has another.
    pub(super) timestamp: &'a [u8],
    /// Who asked.
    pub(super) visitor: &'a Visitor,
    /// What for.
    pub(super) request: &'a Request,
    /// What came back.
    pub(super) answer: &'a Answer,
    /// The query as the log encodes it, because it stands in the line twice.
    pub(super) logged_query: &'a [u8],
    /// Port of the viewer.
    pub(super) port: u64,
}

impl Line<'_> {
    /// Appends the line, with these fields and without its newline.
    pub(super) fn write(&self, fields: &[Field], out: &mut Vec<u8>) {
        push_line(out, fields, |field, out| self.push_field(field, out));
    }

    /// Appends a field, or nothing where the log has `-`: a pixel has no video, no origin, no tenant.
    fn push_field(&self, field: Field, out: &mut Vec<u8>) {
        let Line {
            visitor,
            request,
            answer,
            ..
        } = self;
        let client = &visitor.client;
        let tls = |value| if answer.is_plain_http { "" } else { value };
        let text: &str = match field {
            Field::Timestamp => return out.extend_from_slice(self.timestamp),
            Field::CIp => &visitor.address,
            Field::SIp => &visitor.server,
            Field::TimeToFirstByte => return push_seconds(out, answer.first_byte_ms),
            Field::ScStatus => answer.status,
            Field::ScBytes => return push_decimal(out, answer.bytes),
            Field::CsMethod => request.method,
            Field::CsProtocol => {
                if answer.is_plain_http {
                    "http"
                } else {
                    "https"
                }
            }
            Field::CsHost => visitor.site.pixel_host,
            Field::CsUriStem => {
                push_logged(out, request.path.as_bytes());
                if !self.logged_query.is_empty() {
                    out.push(b'?');
                    out.extend_from_slice(self.logged_query);
                }
                return;
            }
            Field::CsBytes => return push_decimal(out, request.size(client.protocol)),
            Field::XEdgeLocation => visitor.edge,
            Field::XEdgeRequestId => return out.extend_from_slice(&request.id),
            Field::XHostHeader => visitor.site.distribution,
            Field::TimeTaken => return push_seconds(out, answer.taken_ms),
            Field::CsProtocolVersion => client.protocol,
            Field::CIpVersion => visitor.address_version,
            Field::CsUserAgent => return push_logged(out, &request.user_agent),
            Field::CsReferer => return push_logged(out, &request.referer),
            Field::CsCookie => return push_cut(out, &visitor.cookie),
            Field::CsUriQuery => return out.extend_from_slice(self.logged_query),
            Field::XEdgeResponseResultType => answer.response_result,
            Field::XForwardedFor => return push_logged(out, &request.forwarded_for),
            Field::SslProtocol => tls("TLSv1.3"),
            Field::SslCipher => tls("TLS_AES_128_GCM_SHA256"),
            Field::XEdgeResultType => answer.result,
            Field::ScContentType => answer.content_type,
            Field::ScContentLen => {
                return answer
                    .content_length
                    .into_iter()
                    .for_each(|len| push_decimal(out, len));
            }
            Field::CPort => return push_decimal(out, self.port),
            Field::XEdgeDetailedResultType => answer.detailed_result,
            Field::CCountry => visitor.place.country,
            Field::CsAcceptEncoding => return push_logged(out, client.accept_encoding.as_bytes()),
            Field::CsAccept => return push_logged(out, client.accept.as_bytes()),
            Field::CacheBehaviorPathPattern => match request.path {
                PIXEL => PIXEL,
                _ => "*",
            },
            Field::CsHeaders => return self.push_header_list(out, &request.headers),
            Field::CsHeaderNames => return self.push_header_list(out, &request.header_names),
            Field::CsHeadersCount => return push_decimal(out, request.header_count),
            Field::OriginFbl => {
                return answer
                    .origin_ms
                    .into_iter()
                    .for_each(|(first, _)| push_seconds(out, first));
            }
            Field::OriginLbl => {
                return answer
                    .origin_ms
                    .into_iter()
                    .for_each(|(_, last)| push_seconds(out, last));
            }
            Field::Asn => return push_decimal(out, visitor.system),
            Field::RHost => match answer.origin_ms {
                Some(_) => "origin.example.com",
                None => "",
            },
            _ => "",
        };
        out.extend_from_slice(text.as_bytes());
    }

    /// Appends `cs-headers` or `cs-header-names`, cut as this line's lists are.
    fn push_header_list(&self, out: &mut Vec<u8>, list: &[u8]) {
        if self.request.is_cut_within {
            push_cut(out, list);
        } else {
            push_whole_entries(out, list);
        }
    }
}
