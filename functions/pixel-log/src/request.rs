//! One logged request, and the rows that it makes.

use std::borrow::Cow;

use crate::client_ip::ClientIp;
use crate::decoding;
use crate::edge_columns::{base_row, client_ip};
use crate::error::LineError;
use crate::fields::{Field, FieldSet};
use crate::headers::RequestHeaders;
use crate::keys;
use crate::line::LogLine;
use crate::pixel_event::PixelEvent;
use crate::row::Row;
use crate::timestamp::{Day, Timestamp};
use crate::visitor::DaySalt;
use crate::web_url::WebUrl;

/// How far after its arrival a line's own time may lie: clocks differ, days do not.
const FUTURE_MS: i64 = 86_400_000;
/// The longest time that a page may claim to have held an event back: a day.
const HELD_BACK_MS: i64 = 86_400_000;

/// What, beside the line, decides its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowConfig {
    /// The fields that the lines carry.
    pub fields: FieldSet,
    /// The paths that are pixels. A request for another path becomes a row with the event `request`.
    pub pixel_paths: Vec<String>,
}

impl Default for RowConfig {
    /// All fields, and the pixel `/p.gif`.
    fn default() -> RowConfig {
        RowConfig {
            fields: FieldSet::all(),
            pixel_paths: vec!["/p.gif".to_owned()],
        }
    }
}

/// How a line reached us: the delivery columns, and the arrival against which its time is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// When this delivery is made.
    pub ingested: Timestamp,
    /// `realtime` or `file`.
    pub path: &'static str,
    /// Version of the pipeline.
    pub version: &'static str,
}

/// Reads one line and hands each of its rows to `emit`, in order; says how many there were. On an error no
/// row was handed over.
///
/// `arrival` is when the line's record arrived on the stream. `salt` gives the secret of a UTC day, or none
/// where visitors are not to be counted.
pub fn read_line(
    line: &[u8],
    config: &RowConfig,
    arrival: Timestamp,
    delivery: Delivery,
    salt: &mut impl FnMut(Day) -> Option<DaySalt>,
    mut emit: impl FnMut(&Row<'_>),
) -> Result<usize, LineError> {
    let line = LogLine::parse(line, &config.fields)?;
    let ts_server = time_of(&line, config, arrival)?;
    let mut utf8_ok = true;
    let (path, stem_query) = split_stem(line.bytes(Field::CsUriStem).unwrap_or_default());
    let path = decoding::text(decoding::percent_decode(path), &mut utf8_ok);
    let headers = RequestHeaders::parse(line.bytes(Field::CsHeaders).unwrap_or_default(), &mut utf8_ok);
    let is_pixel = is_pixel_hit(&line, &path, config);
    let base = base_row(&line, path, &headers, ts_server, delivery, &mut utf8_ok);
    let referer = line.text(Field::CsReferer, &mut utf8_ok);
    let visitor = Visitor {
        salt: base
            .gpc
            .or(Some(false))
            .zip(base.dnt.or(Some(false)))
            .and_then(|asked| match asked {
                (false, false) => salt(ts_server.day()),
                _ => None, // the visitor asked not to be followed
            }),
        address: client_ip(&line),
    };
    let finish = |row: &mut Row<'_>, emit: &mut dyn FnMut(&Row<'_>), index: usize| {
        row.batch_index = i32::try_from(index).ok();
        row.event_key = Some(keys::event_key(row.request_id.as_deref(), line.raw(), index));
        row.visitor_day_id = visitor.id(row.site_id.as_deref(), row.user_agent.as_deref());
        row.cut();
        emit(row);
    };

    if !is_pixel {
        let from = referer.as_deref().and_then(WebUrl::parse);
        let mut row = base;
        row.event_name = Some("request".into());
        row.utf8_ok = Some(utf8_ok);
        set_referrer(&mut row, from.as_ref());
        finish(&mut row, &mut emit, 0);
        return Ok(1);
    }

    let query = decoding::percent_decode(line.bytes(Field::CsUriQuery).unwrap_or(stem_query));
    let events = PixelEvent::from_query(&query).into_events(column_of(config, Field::CsUriQuery))?;
    let count = events.len();
    // Nearly every hit is one event: `repeat_n` clones the base for all rows but the last.
    for (index, (mut event, mut row)) in events
        .into_iter()
        .zip(std::iter::repeat_n(base, count))
        .enumerate()
    {
        let (page_url, referrer) = (event.page_url.take(), event.referrer.take());
        let (page_text, source) = match (&page_url, &referer) {
            (Some(url), _) => (Some(url), "param"),
            (None, Some(url)) => (Some(url), "referer_header"),
            (None, None) => (None, ""),
        };
        let page = page_text.and_then(|text| WebUrl::parse(text));
        let from = referrer.as_deref().and_then(WebUrl::parse);
        row.utf8_ok = Some(utf8_ok && event.utf8_ok && !page.as_ref().is_some_and(|page| page.replaced));
        row.parse_warnings.extend_from_slice(&event.warnings);
        if page_text.is_some() && page.is_none() {
            row.parse_warnings.push("page_url");
        }
        if referrer.is_some() && from.is_none() {
            row.parse_warnings.push("ref_url");
        }
        set_event(&mut row, event);
        set_page(&mut row, page.as_ref(), source);
        set_referrer(&mut row, from.as_ref());
        finish(&mut row, &mut emit, index);
    }
    Ok(count)
}

/// The line's own time, if it can be one: see [`LineError::BadTimestamp`].
fn time_of(line: &LogLine<'_>, config: &RowConfig, arrival: Timestamp) -> Result<Timestamp, LineError> {
    let latest = arrival.plus_millis(FUTURE_MS);
    line.bytes(Field::Timestamp)
        .and_then(Timestamp::parse_seconds)
        .filter(|time| (Timestamp::EARLIEST..=latest).contains(time))
        .ok_or(LineError::BadTimestamp {
            column: column_of(config, Field::Timestamp),
        })
}

/// The column of a field, counted from 1; the path's where the query is not configured.
fn column_of(config: &RowConfig, field: Field) -> usize {
    let column = |field| config.fields.fields().iter().position(|&known| known == field);
    column(field)
        .or_else(|| column(Field::CsUriStem))
        .map_or(0, |index| index + 1)
}

/// `cs-uri-stem` of a real-time log is the path and, after `?`, the query.
fn split_stem(stem: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'?', stem).and_then(|at| stem.split_at_checked(at)) {
        Some((path, query)) => (path, query.get(1..).unwrap_or_default()),
        None => (stem, b""),
    }
}

/// A hit is a GET or HEAD of a pixel's path that was answered, if only from the browser's own copy (304), or
/// whose viewer left before the answer (000). A redirect is none: the viewer asks again, on another line.
fn is_pixel_hit(line: &LogLine<'_>, path: &str, config: &RowConfig) -> bool {
    config.pixel_paths.iter().any(|pixel| pixel == path)
        && matches!(line.bytes(Field::CsMethod), None | Some(b"GET" | b"HEAD"))
        && matches!(
            line.bytes(Field::ScStatus),
            None | Some(b"000" | b"304" | [b'2', _, _])
        )
}

struct Visitor {
    salt: Option<DaySalt>,
    address: Option<ClientIp>,
}

impl Visitor {
    fn id<'a>(&self, site: Option<&str>, user_agent: Option<&str>) -> Option<Cow<'a, str>> {
        let id = self.salt?.visitor_id(
            site.unwrap_or_default(),
            self.address?,
            user_agent.unwrap_or_default(),
        );
        Some(Cow::Owned(id))
    }
}

fn set_event<'a>(row: &mut Row<'a>, event: PixelEvent<'a>) {
    row.event_props = event.props_json();
    row.event_name = event.name.or(Some("page_view".into()));
    row.params_dropped = Some(event.dropped).filter(|&dropped| dropped > 0);
    row.site_id = event.site;
    row.page_title = event.title;
    row.client_event_id = event.client_event_id;
    row.page_view_id = event.page_view_id;
    row.page_lang = event.language;
    row.tz_name = event.time_zone;
    row.value_micros = event.value_micros;
    row.currency = event.currency;
    row.order_id = event.order_id;
    row.screen_w = event.screen_w;
    row.screen_h = event.screen_h;
    row.viewport_w = event.viewport_w;
    row.viewport_h = event.viewport_h;
    row.ad_impression_id = event.ad_impression;
    row.ad_click_id = event.ad_click;
    row.ad_conversion_id = event.ad_conversion;
    row.ad_campaign_id = event.ad_campaign;
    row.ad_line_id = event.ad_line;
    row.ad_creative_id = event.ad_creative;
    row.ad_placement_id = event.ad_placement;
    row.ad_advertiser_id = event.ad_advertiser;
    row.ad_publisher_id = event.ad_publisher;
    row.ad_cost_model = event.ad_model;
    row.ts_client = event.ts_client;
    row.ts_client_sent = event.ts_client_sent;
    let (Some(server), Some(sent)) = (row.ts_server, event.ts_client_sent) else {
        return;
    };
    row.clock_skew_ms = Some(sent.as_millis() - server.as_millis());
    if let Some(happened) = event.ts_client {
        // Only the difference of two readings of one clock is trusted, and only if it is sane.
        let held_back = (sent.as_millis() - happened.as_millis()).clamp(0, HELD_BACK_MS);
        row.ts_event = Some(server.plus_millis(-held_back));
    }
}

fn set_page<'a>(row: &mut Row<'a>, page: Option<&WebUrl<'a>>, source: &'static str) {
    let Some(page) = page else { return };
    row.page_url = Some(page.scrubbed().into());
    row.page_host.clone_from(&page.host);
    row.page_path = Some(page.path.clone());
    row.page_fragment = page.fragment.map(Cow::Borrowed);
    row.page_source = Some(source.into());
    if row.site_id.is_none() {
        row.site_id.clone_from(&page.host);
    }
    row.utm_source = page.param("utm_source").cloned();
    row.utm_medium = page.param("utm_medium").cloned();
    row.utm_campaign = page.param("utm_campaign").cloned();
    row.utm_term = page.param("utm_term").cloned();
    row.utm_content = page.param("utm_content").cloned();
    row.utm_id = page.param("utm_id").cloned();
    row.click_id_network = page.click_id_network.map(Cow::Borrowed);
}

fn set_referrer<'a>(row: &mut Row<'a>, from: Option<&WebUrl<'a>>) {
    let Some(from) = from else { return };
    row.ref_url = Some(from.scrubbed().into());
    row.ref_host.clone_from(&from.host);
    row.ref_path = Some(from.path.clone());
    row.ref_is_internal = row
        .page_host
        .as_ref()
        .zip(from.host.as_ref())
        .map(|(page, from)| page == from);
}
