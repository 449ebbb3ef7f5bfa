//! The columns that come from the request and the edge, and not from the pixel's query.

use std::borrow::Cow;

use crate::client_ip::ClientIp;
use crate::fields::Field;
use crate::headers::RequestHeaders;
use crate::keys;
use crate::line::LogLine;
use crate::request::Delivery;
use crate::row::{Row, SCHEMA_VERSION};
use crate::timestamp::Timestamp;
use crate::web_url;

/// What every row of the line has: the columns that come from the request and not from the query.
pub(crate) fn base_row<'a>(
    line: &LogLine<'a>,
    path: Cow<'a, str>,
    headers: &RequestHeaders<'a>,
    ts_server: Timestamp,
    delivery: Delivery,
    utf8_ok: &mut bool,
) -> Row<'a> {
    let mut warnings = Vec::new();
    let mut text = |field| line.text(field, utf8_ok);
    let edge_result = text(Field::XEdgeResultType);
    let mut row = Row {
        request_id: keys::request_id(line).map(Cow::Borrowed),
        line_hash: Some(keys::line_hash(line.raw())),
        schema_version: Some(SCHEMA_VERSION),
        ts_server: Some(ts_server),
        ts_event: Some(ts_server),
        edge_detail: text(Field::XEdgeDetailedResultType)
            .filter(|detail| Some(detail) != edge_result.as_ref()),
        edge_result,
        country: text(Field::CCountry),
        edge_location: text(Field::XEdgeLocation),
        http_method: text(Field::CsMethod),
        http_version: text(Field::CsProtocolVersion),
        http_scheme: text(Field::CsProtocol),
        http_host: text(Field::CsHost),
        request_path: Some(scrubbed(path)).filter(|path| !path.is_empty()),
        tls_version: text(Field::SslProtocol),
        user_agent: text(Field::CsUserAgent),
        accept_language: headers.accept_language.clone(),
        sec_fetch_site: headers.sec_fetch_site.clone(),
        sec_fetch_dest: headers.sec_fetch_dest.clone(),
        sec_purpose: headers.sec_purpose.clone(),
        ch_platform: headers.ch_platform.clone(),
        ch_mobile: headers.ch_mobile,
        ch_model: headers.ch_model.clone(),
        gpc: headers.gpc,
        dnt: headers.dnt,
        ts_ingested: Some(delivery.ingested),
        ingest_path: Some(delivery.path.into()),
        pipeline_version: Some(delivery.version.into()),
        ..Row::default()
    };
    if headers.cut {
        row.truncated_fields.push("cs_headers");
    }
    match client_ip(line) {
        Some(ip) => {
            row.ip_prefix = Some(ip.prefix().into());
            row.ip_version = Some(ip.version());
        }
        None if line.bytes(Field::CIp).is_some() => warnings.push("ip_prefix"),
        None => {}
    }
    let mut number = |field, column| match (line.bytes(field), line.bytes(field).and_then(whole_number)) {
        (Some(_), None) => {
            warnings.push(column);
            None
        }
        (_, number) => number,
    };
    row.asn = number(Field::Asn, "asn");
    row.bytes_sent = number(Field::ScBytes, "bytes_sent");
    row.bytes_received = number(Field::CsBytes, "bytes_received");
    let status = number(Field::ScStatus, "http_status");
    row.http_status = status.and_then(|status| i32::try_from(status).ok());
    if row.http_status.is_none() && status.is_some() {
        warnings.push("http_status");
    }
    let mut millis = |field, column| {
        let time = line.bytes(field).and_then(Timestamp::parse_seconds);
        let read = time.and_then(|time| i32::try_from(time.as_millis()).ok());
        if read.is_none() && line.bytes(field).is_some() {
            warnings.push(column);
        }
        read
    };
    row.time_taken_ms = millis(Field::TimeTaken, "time_taken_ms");
    row.ttfb_ms = millis(Field::TimeToFirstByte, "ttfb_ms");
    row.parse_warnings = warnings;
    row
}

/// A path as it may stand in a row: a request's path holds addresses as a page's does.
fn scrubbed(path: Cow<'_, str>) -> Cow<'_, str> {
    match path {
        Cow::Borrowed(path) => web_url::scrub_path(path),
        Cow::Owned(path) => {
            let scrubbed = web_url::scrub_path(&path);
            let changed = matches!(scrubbed, Cow::Owned(_)).then(|| scrubbed.into_owned());
            Cow::Owned(changed.unwrap_or(path))
        }
    }
}

fn whole_number(text: &[u8]) -> Option<i64> {
    let plain = text.len() <= 18 && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| plain)?.parse().ok()
}

/// The viewer's address.
pub(crate) fn client_ip(line: &LogLine<'_>) -> Option<ClientIp> {
    ClientIp::parse(std::str::from_utf8(line.bytes(Field::CIp)?).ok()?)
}
