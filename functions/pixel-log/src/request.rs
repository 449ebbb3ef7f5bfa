//! What the edge logged of the request itself: the columns that every row of a line has.

use pixel_row::keys;
use pixel_row::row::SCHEMA_VERSION;
use pixel_row::table::Text;
use pixel_row::timestamp::whole_number;
use pixel_row::{Row, Timestamp};

use crate::client_ip::ClientIp;
use crate::decoding::Decoder;
use crate::error::LineError;
use crate::fields::Field;
use crate::headers::RequestHeaders;
use crate::line::LogLine;
use crate::log_text::LogText;
use crate::scrubbing;

/// How far after its arrival a line's own time may lie: clocks differ, days do not.
const FUTURE_MS: i64 = 86_400_000;
/// Longer ids are none of the edge's: its own have 56 characters.
const MAX_REQUEST_ID: usize = Row::max_bytes("request_id");

/// The request, as far as later stages need it beside the row.
pub(crate) struct Request<'a> {
    /// When the edge finished the answer.
    pub(crate) time: Timestamp,
    /// Path of the request, its log layer undone, nothing scrubbed.
    pub(crate) path: &'a str,
    /// Query, its log layer undone.
    pub(crate) query: LogText<'a>,
    /// The field that the query stands in.
    pub(crate) query_field: Field,
    /// `Referer` header.
    pub(crate) referer: Option<&'a str>,
    /// The viewer's address.
    pub(crate) address: Option<ClientIp>,
    /// The headers.
    pub(crate) headers: RequestHeaders<'a>,
}

impl<'a> Request<'a> {
    /// Reads the request into the row. Fails where the line has no time of its own.
    pub(crate) fn read(
        line: &LogLine<'a>,
        arrival: Timestamp,
        decoder: &Decoder<'a>,
        row: &mut Row<'a>,
    ) -> Result<Request<'a>, LineError> {
        let time = time_of(line, arrival)?;
        let text = |field| line.field(field).map(|value| decoder.text(value));
        // `cs-uri-stem` of a real-time log is the path and, after `?`, the query.
        let stem = line.field(Field::CsUriStem).unwrap_or(LogText::Utf8(""));
        let (path, stem_query) = stem.split_once(b'?').unwrap_or((stem, LogText::Utf8("")));
        let query = line.field(Field::CsUriQuery);
        let request = Request {
            time,
            path: decoder.text(path),
            query: decoder.bytes(query.unwrap_or(stem_query)),
            query_field: if query.is_some() {
                Field::CsUriQuery
            } else {
                Field::CsUriStem
            },
            referer: text(Field::CsReferer),
            address: line.field(Field::CIp).and_then(address),
            headers: RequestHeaders::read(line, decoder),
        };
        row.request_id = line
            .field(Field::XEdgeRequestId)
            .and_then(LogText::utf8)
            .filter(|id| id.len() <= MAX_REQUEST_ID);
        row.line_hash = Some(keys::line_hash(line.raw()));
        row.schema_version = Some(SCHEMA_VERSION);
        row.ts_server = Some(time);
        row.ts_event = Some(time);
        // In one loop, so that the compiler has one place to make fast.
        let texts: [(Field, &mut Text<'a>); 10] = [
            (Field::XEdgeResultType, &mut row.edge_result),
            (Field::XEdgeDetailedResultType, &mut row.edge_detail),
            (Field::CCountry, &mut row.country),
            (Field::XEdgeLocation, &mut row.edge_location),
            (Field::CsMethod, &mut row.http_method),
            (Field::CsProtocolVersion, &mut row.http_version),
            (Field::CsProtocol, &mut row.http_scheme),
            (Field::CsHost, &mut row.http_host),
            (Field::SslProtocol, &mut row.tls_version),
            (Field::CsUserAgent, &mut row.user_agent),
        ];
        for (field, column) in texts {
            *column = text(field);
        }
        row.edge_detail = row.edge_detail.filter(|_| row.edge_detail != row.edge_result);
        // A request's path holds addresses as a page's does.
        row.request_path =
            Some(scrubbing::segments(request.path, decoder.arena)).filter(|path| !path.is_empty());
        request.set_headers(row);
        request.set_numbers(line, decoder, row);
        Ok(request)
    }

    /// Whether the request is an answered hit of a pixel: a GET or HEAD of a pixel's path that was answered,
    /// if only from the browser's own copy (304), or whose viewer left before the answer (000). A redirect is
    /// none: the viewer asks again, on another line.
    pub(crate) fn is_hit(&self, line: &LogLine<'a>, pixel_paths: &[String]) -> bool {
        pixel_paths.iter().any(|pixel| pixel == self.path)
            && matches!(line.bytes(Field::CsMethod), None | Some(b"GET" | b"HEAD"))
            && matches!(
                line.bytes(Field::ScStatus),
                None | Some(b"000" | b"304" | [b'2', _, _])
            )
    }

    fn set_headers(&self, row: &mut Row<'a>) {
        let headers = &self.headers;
        row.accept_language = headers.accept_language;
        row.sec_fetch_site = headers.sec_fetch_site;
        row.sec_fetch_dest = headers.sec_fetch_dest;
        row.sec_purpose = headers.sec_purpose;
        row.ch_platform = headers.ch_platform;
        row.ch_mobile = headers.ch_mobile;
        row.ch_model = headers.ch_model;
        if headers.lost.any {
            row.truncated_fields.push("cs_headers");
        }
    }

    fn set_numbers(&self, line: &LogLine<'a>, decoder: &Decoder<'a>, row: &mut Row<'a>) {
        row.ip_prefix = self.address.map(|address| address.prefix(decoder.arena));
        row.ip_version = self.address.map(ClientIp::version);
        if self.address.is_none() && line.bytes(Field::CIp).is_some() {
            row.parse_warnings.push("ip_prefix");
        }
        let mut number = |field, column| {
            let number = line.bytes(field).map(whole_number);
            if number == Some(None) {
                row.parse_warnings.push(column);
            }
            number.flatten()
        };
        row.asn = number(Field::Asn, "asn");
        row.bytes_sent = number(Field::ScBytes, "bytes_sent");
        row.bytes_received = number(Field::CsBytes, "bytes_received");
        let status = number(Field::ScStatus, "http_status");
        row.http_status = status.and_then(|status| i32::try_from(status).ok());
        if row.http_status.is_none() && status.is_some() {
            row.parse_warnings.push("http_status");
        }
        let mut millis = |field, column| {
            let text = line.bytes(field)?;
            let time = Timestamp::parse_seconds(text).and_then(|time| i32::try_from(time.as_millis()).ok());
            if time.is_none() {
                row.parse_warnings.push(column);
            }
            time
        };
        row.time_taken_ms = millis(Field::TimeTaken, "time_taken_ms");
        row.ttfb_ms = millis(Field::TimeToFirstByte, "ttfb_ms");
    }
}

/// The line's own time, if it can be one: see [`LineError::BadTimestamp`].
fn time_of(line: &LogLine<'_>, arrival: Timestamp) -> Result<Timestamp, LineError> {
    let latest = arrival.plus_millis(FUTURE_MS);
    line.bytes(Field::Timestamp)
        .and_then(Timestamp::parse_seconds)
        .filter(|time| (Timestamp::EARLIEST..=latest).contains(time))
        .ok_or(LineError::BadTimestamp {
            column: line.place(Field::Timestamp),
        })
}

fn address(text: LogText<'_>) -> Option<ClientIp> {
    ClientIp::parse(text.utf8()?)
}
