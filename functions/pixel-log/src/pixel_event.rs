//! What the page told us through the pixel's query string.

use std::borrow::Cow;

use crate::column::Text;
use crate::decoding;
use crate::error::LineError;
use crate::event_object::EventObject;
use crate::json;
use crate::param_value::{currency, language, micros, pixels, time_zone};
use crate::timestamp::Timestamp;

/// The most parameters that one query, or one object of a batch, is read for; more are counted as dropped.
pub const MAX_PARAMS: usize = 256;
/// The most events that one hit may carry in the parameter `b`.
pub const MAX_BATCH: usize = 100;
/// The most custom properties of one event.
pub const MAX_PROPS: usize = 32;
/// The most bytes of a custom property's name.
pub const MAX_PROP_NAME: usize = 64;
/// The most bytes of a custom property's value; a longer one is dropped and counted.
pub const MAX_PROP_VALUE: usize = 512;
/// The most bytes of all custom properties as JSON; one that does not fit is dropped and counted.
const MAX_PROPS_JSON: usize = 8192;

/// The parameters of the pixel: name, column, meaning.
pub const PARAMETERS: &[(&str, &str, &str)] = &[
    ("e", "event_name", "event; `page_view` without it"),
    ("s", "site_id", "site; the host of the page without it"),
    (
        "u",
        "page_url",
        "address of the page; the `Referer` header without it",
    ),
    ("t", "page_title", "title of the page"),
    ("r", "ref_url", "address that the visitor came from"),
    (
        "ts",
        "ts_client",
        "time of the event by the page's clock, in ms since 1970",
    ),
    (
        "st",
        "ts_client_sent",
        "time of sending by the page's clock, in ms since 1970",
    ),
    ("eid", "client_event_id", "the page's own id of the event"),
    ("pv", "page_view_id", "the page's own id of the page view"),
    (
        "v",
        "value_micros",
        "value, a decimal with up to 6 places: `19.90`",
    ),
    ("cur", "currency", "currency of the value, three letters"),
    ("oid", "order_id", "id of the order"),
    ("l", "page_lang", "language of the page"),
    ("tz", "tz_name", "time zone: `Europe/Zurich`"),
    ("sw", "screen_w", "width of the screen"),
    ("sh", "screen_h", "height of the screen"),
    ("vw", "viewport_w", "width of the viewport"),
    ("vh", "viewport_h", "height of the viewport"),
    ("p.NAME", "event_props", "custom property of that name, up to 32"),
    ("ad.impression", "ad_impression_id", "id of an ad impression"),
    ("ad.click", "ad_click_id", "id of an ad click"),
    ("ad.conversion", "ad_conversion_id", "id of a conversion"),
    ("ad.campaign", "ad_campaign_id", "campaign"),
    ("ad.line", "ad_line_id", "line item"),
    ("ad.creative", "ad_creative_id", "creative"),
    ("ad.placement", "ad_placement_id", "placement"),
    ("ad.advertiser", "ad_advertiser_id", "advertiser"),
    ("ad.publisher", "ad_publisher_id", "publisher"),
    (
        "ad.model",
        "ad_cost_model",
        "what is paid for: `cpm`, `cpc`, `cpa`",
    ),
    (
        "b",
        "batch_index",
        "a JSON array of up to 100 objects with these names, for several events in one hit; the query's own parameters hold for each",
    ),
];

/// One event as the page described it. A parameter that stands twice counts once, the first time.
/// There is no `Debug`: it holds what people typed.
#[derive(Clone, Default, PartialEq)]
pub struct PixelEvent<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) site: Text<'a>,
    pub(crate) page_url: Text<'a>,
    pub(crate) title: Text<'a>,
    pub(crate) referrer: Text<'a>,
    pub(crate) client_event_id: Text<'a>,
    pub(crate) page_view_id: Text<'a>,
    pub(crate) order_id: Text<'a>,
    pub(crate) language: Text<'a>,
    pub(crate) time_zone: Text<'a>,
    pub(crate) currency: Text<'a>,
    pub(crate) ts_client: Option<Timestamp>,
    pub(crate) ts_client_sent: Option<Timestamp>,
    pub(crate) value_micros: Option<i64>,
    pub(crate) screen_w: Option<i32>,
    pub(crate) screen_h: Option<i32>,
    pub(crate) viewport_w: Option<i32>,
    pub(crate) viewport_h: Option<i32>,
    pub(crate) ad_impression: Text<'a>,
    pub(crate) ad_click: Text<'a>,
    pub(crate) ad_conversion: Text<'a>,
    pub(crate) ad_campaign: Text<'a>,
    pub(crate) ad_line: Text<'a>,
    pub(crate) ad_creative: Text<'a>,
    pub(crate) ad_placement: Text<'a>,
    pub(crate) ad_advertiser: Text<'a>,
    pub(crate) ad_publisher: Text<'a>,
    pub(crate) ad_model: Text<'a>,
    /// Name, and the member of the JSON object.
    props: Vec<(Cow<'a, str>, Vec<u8>)>,
    batch: Text<'a>,
    /// Parameters that were not taken over.
    pub(crate) dropped: i32,
    /// Columns whose parameter could not be read.
    pub(crate) warnings: Vec<&'static str>,
    /// Whether all text was UTF-8.
    pub(crate) utf8_ok: bool,
}

impl<'a> PixelEvent<'a> {
    /// Reads a query string whose log layer is undone already (RFC 3986 characters, form-encoded values).
    #[must_use]
    pub fn from_query(query: &'a [u8]) -> PixelEvent<'a> {
        let mut event = PixelEvent {
            utf8_ok: true,
            ..PixelEvent::default()
        };
        for (index, pair) in query
            .split(|&byte| byte == b'&')
            .filter(|pair| !pair.is_empty())
            .enumerate()
        {
            let (name, value) = match memchr::memchr(b'=', pair).and_then(|at| pair.split_at_checked(at)) {
                Some((name, value)) => (name, value.get(1..).unwrap_or_default()),
                None => (pair, &b""[..]),
            };
            if index >= MAX_PARAMS {
                event.dropped = event.dropped.saturating_add(1);
                continue;
            }
            let name = decoding::text(decoding::form_decode(name), &mut event.utf8_ok);
            let value = decoding::text(decoding::form_decode(value), &mut event.utf8_ok);
            event.take(name, value);
        }
        event
    }

    /// The events of the hit: one, or those of the parameter `b`, for which the query's own parameters hold
    /// where an object lacks them. The column number is where the query stands in the line.
    pub fn into_events(mut self, column: usize) -> Result<Vec<PixelEvent<'a>>, LineError> {
        let Some(batch) = self.batch.take() else {
            return Ok(vec![self]);
        };
        let objects: Vec<EventObject> =
            serde_json::from_str(&batch).map_err(|_| LineError::BatchJson { column })?;
        if objects.is_empty() || objects.len() > MAX_BATCH {
            return Err(LineError::BatchSize {
                found: objects.len(),
                limit: MAX_BATCH,
            });
        }
        Ok(objects
            .into_iter()
            .map(|EventObject(params)| self.with(params))
            .collect())
    }

    /// One event of a batch: its own parameters first, then those of the query.
    fn with(&self, params: Vec<(String, String)>) -> PixelEvent<'a> {
        let mut event = PixelEvent {
            utf8_ok: self.utf8_ok,
            ..PixelEvent::default()
        };
        for (index, (name, value)) in params.into_iter().enumerate() {
            // A batch within a batch is not read: that parameter is dropped.
            if index >= MAX_PARAMS || name == "b" {
                event.dropped = event.dropped.saturating_add(1);
            } else {
                event.take(Cow::Owned(name), Cow::Owned(value));
            }
        }
        event.fill_from(self);
        event
    }

    /// Takes one parameter, or counts it as dropped.
    fn take(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        if value.is_empty() {
            return; // says nothing, as an absent one
        }
        let taken = match &*name {
            "e" => put(&mut self.name, value),
            "s" => put(&mut self.site, value),
            "u" => put(&mut self.page_url, value),
            "t" => put(&mut self.title, value),
            "r" => put(&mut self.referrer, value),
            "eid" => put(&mut self.client_event_id, value),
            "pv" => put(&mut self.page_view_id, value),
            "oid" => put(&mut self.order_id, value),
            "b" => put(&mut self.batch, value),
            "l" => self.read("page_lang", |event| &mut event.language, language(value)),
            "tz" => self.read("tz_name", |event| &mut event.time_zone, time_zone(value)),
            "cur" => self.read("currency", |event| &mut event.currency, currency(&value)),
            "ts" => self.read(
                "ts_client",
                |event| &mut event.ts_client,
                Timestamp::parse_millis(&value),
            ),
            "st" => self.read(
                "ts_client_sent",
                |event| &mut event.ts_client_sent,
                Timestamp::parse_millis(&value),
            ),
            "v" => self.read("value_micros", |event| &mut event.value_micros, micros(&value)),
            "sw" => self.read("screen_w", |event| &mut event.screen_w, pixels(&value)),
            "sh" => self.read("screen_h", |event| &mut event.screen_h, pixels(&value)),
            "vw" => self.read("viewport_w", |event| &mut event.viewport_w, pixels(&value)),
            "vh" => self.read("viewport_h", |event| &mut event.viewport_h, pixels(&value)),
            "ad.impression" => put(&mut self.ad_impression, value),
            "ad.click" => put(&mut self.ad_click, value),
            "ad.conversion" => put(&mut self.ad_conversion, value),
            "ad.campaign" => put(&mut self.ad_campaign, value),
            "ad.line" => put(&mut self.ad_line, value),
            "ad.creative" => put(&mut self.ad_creative, value),
            "ad.placement" => put(&mut self.ad_placement, value),
            "ad.advertiser" => put(&mut self.ad_advertiser, value),
            "ad.publisher" => put(&mut self.ad_publisher, value),
            "ad.model" => put(&mut self.ad_model, value),
            _ => match strip_prefix(name, "p.") {
                Some(name) => self.add_prop(name, &value),
                None => false,
            },
        };
        if !taken {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Puts a typed value in its place; notes one that could not be read.
    fn read<T>(
        &mut self,
        column: &'static str,
        slot: impl FnOnce(&mut Self) -> &mut Option<T>,
        value: Option<T>,
    ) -> bool {
        if let Some(value) = value {
            return put(slot(self), value);
        }
        if !self.warnings.contains(&column) {
            self.warnings.push(column);
        }
        true
    }

    fn add_prop(&mut self, name: Cow<'a, str>, value: &str) -> bool {
        let known = self.props.iter().any(|(known, _)| *known == name);
        if name.is_empty() || name.len() > MAX_PROP_NAME || value.len() > MAX_PROP_VALUE || known {
            return false;
        }
        let mut member = Vec::with_capacity(name.len() + value.len() + 5);
        json::write_string(&name, &mut member);
        member.push(b':');
        json::write_string(value, &mut member);
        self.add_member(name, member)
    }

    fn add_member(&mut self, name: Cow<'a, str>, member: Vec<u8>) -> bool {
        let written: usize = self.props.iter().map(|(_, member)| member.len() + 1).sum();
        let fits = self.props.len() < MAX_PROPS && written + member.len() + 2 <= MAX_PROPS_JSON;
        if fits {
            self.props.push((name, member));
        }
        fits
    }

    /// The custom properties as a JSON object of texts, in the order in which they came.
    pub(crate) fn props_json(&self) -> Text<'a> {
        if self.props.is_empty() {
            return None;
        }
        let mut object = Vec::new();
        for (_, member) in &self.props {
            object.push(if object.is_empty() { b'{' } else { b',' });
            object.extend_from_slice(member);
        }
        object.push(b'}');
        String::from_utf8(object).ok().map(Cow::Owned)
    }

    /// Fills what is empty from the query that carried the batch.
    fn fill_from(&mut self, query: &PixelEvent<'a>) {
        macro_rules! fill {
            ($($field:ident)*) => { $(if self.$field.is_none() { self.$field.clone_from(&query.$field); })* };
        }
        fill! {
            name site page_url title referrer client_event_id page_view_id order_id language time_zone currency
            ts_client ts_client_sent value_micros screen_w screen_h viewport_w viewport_h
            ad_impression ad_click ad_conversion ad_campaign ad_line ad_creative ad_placement ad_advertiser
            ad_publisher ad_model
        }
        for (name, member) in &query.props {
            if self.props.iter().all(|(known, _)| known != name)
                && !self.add_member(name.clone(), member.clone())
            {
                self.dropped = self.dropped.saturating_add(1);
            }
        }
        self.dropped = self.dropped.saturating_add(query.dropped);
        for column in &query.warnings {
            if !self.warnings.contains(column) {
                self.warnings.push(column);
            }
        }
    }
}

fn put<T>(slot: &mut Option<T>, value: T) -> bool {
    let empty = slot.is_none();
    if empty {
        *slot = Some(value);
    }
    empty
}

fn strip_prefix<'a>(text: Cow<'a, str>, prefix: &str) -> Option<Cow<'a, str>> {
    match text {
        Cow::Borrowed(text) => text.strip_prefix(prefix).map(Cow::Borrowed),
        Cow::Owned(text) => text.strip_prefix(prefix).map(|rest| Cow::Owned(rest.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(query: &str) -> PixelEvent<'_> {
        PixelEvent::from_query(query.as_bytes())
    }

    #[test]
    fn every_listed_parameter_is_taken() {
        for (name, _, _) in PARAMETERS {
            let value = match *name {
                "ts" | "st" => "1668968526477",
                "cur" => "CHF",
                _ => "1",
            };
            let query = format!("{name}={value}");
            let event = one(&query);
            assert_eq!((event.dropped, event.warnings.len()), (0, 0), "{name}");
            assert!(event != one(""), "{name}");
        }
        assert_eq!(one("zz=1&E=x&p.=1&P.a=1").dropped, 4);
    }

    #[test]
    fn the_first_of_a_name_counts_and_the_rest_is_counted() {
        let event = one("e=a&e=b&&=&=x&e&p.c=1&p.c=2");
        assert_eq!(event.name.as_deref(), Some("a"));
        assert_eq!(event.props_json().as_deref(), Some(r#"{"c":"1"}"#));
        assert_eq!(event.dropped, 3); // the second e, the nameless x, the second p.c
    }

    #[test]
    fn values_are_form_decoded_once() {
        let event = one("t=a+b%2Bc%2525&p.k%3D=%22");
        assert_eq!(event.title.as_deref(), Some("a b+c%25"));
        assert_eq!(event.props_json().as_deref(), Some(r#"{"k=":"\""}"#));
    }

    #[test]
    fn money_is_exact() {
        for (text, expected) in [
            ("19.90", Some(19_900_000)),
            ("0.1", Some(100_000)),
            ("-0", Some(0)),
            ("-1.000001", Some(-1_000_001)),
            ("999999999999.999999", Some(999_999_999_999_999_999)),
            ("1000000000000", None),
            ("1.0000001", None),
            ("1e309", None),
            ("NaN", None),
            ("9223372036854775808", None),
            ("%2B1", None),
            ("1.", None),
            (".5", None),
            ("1,50", None),
            ("١٢", None),
            ("-", None),
        ] {
            let query = format!("v={text}");
            let event = one(&query);
            assert_eq!(event.value_micros, expected, "{text}");
            assert_eq!(event.warnings.len(), usize::from(expected.is_none()), "{text}");
        }
    }

    #[test]
    fn sizes_are_capped() {
        let many = |n: usize, pair: &dyn Fn(usize) -> String| (0..n).map(pair).collect::<Vec<_>>().join("&");
        let names = many(5000, &|i| format!("x{i}=1"));
        assert_eq!(one(&names).dropped, 5000);
        let props = many(40, &|i| format!("p.n{i}={}", "v".repeat(20)));
        assert_eq!(one(&props).dropped, 8);
        let long = format!("p.a={}&p.{}=1", "v".repeat(513), "n".repeat(65));
        assert_eq!(one(&long).dropped, 2);
        let wide = many(32, &|i| format!("p.n{i}={}", "%01".repeat(512)));
        assert!(one(&wide).props_json().unwrap().len() <= MAX_PROPS_JSON);
    }

    #[test]
    fn a_batch_is_several_events_with_the_query_as_default() {
        let query = concat!(
            "s=shop&e=view&p.a=1&b=",
            r#"[{"e":"click","v":19.90,"p.a":"2"},{"p.b":true,"t":null,"nope":1},{"b":"[{}]"}]"#
        );
        let events = one(query).into_events(21).unwrap();
        assert_eq!(events.len(), 3);
        assert_eq!(events[0].name.as_deref(), Some("click"));
        assert_eq!(events[0].value_micros, Some(19_900_000));
        assert_eq!(events[0].props_json().as_deref(), Some(r#"{"a":"2"}"#));
        assert_eq!(events[1].name.as_deref(), Some("view"));
        assert_eq!(events[1].props_json().as_deref(), Some(r#"{"b":"true","a":"1"}"#));
        assert_eq!((events[1].dropped, events[2].dropped), (1, 1));
        assert!(events.iter().all(|event| event.site.as_deref() == Some("shop")));
    }

    #[test]
    fn a_bad_batch_says_where_and_gives_nothing() {
        for bad in [
            "x",
            "{}",
            "1",
            "[1]",
            "[{\"a\":{}}]",
            "[{\"a\":[]}]",
            "[{}",
            "[{}]x",
            "\u{1}",
        ] {
            let query = format!("b={bad}");
            assert_eq!(
                one(&query).into_events(21).err(),
                Some(LineError::BatchJson { column: 21 }),
                "{bad}"
            );
        }
        let size = |n: usize| {
            let query = format!("b=[{}]", vec!["{}"; n].join(","));
            one(&query)
                .into_events(21)
                .map(|events| events.len())
                .map_err(LineError::code)
        };
        assert_eq!(
            (size(0), size(1), size(100), size(101)),
            (Err("batch_size"), Ok(1), Ok(100), Err("batch_size"))
        );
        let deep = format!("b={}", "[".repeat(100_000));
        assert_eq!(
            one(&deep).into_events(1).err(),
            Some(LineError::BatchJson { column: 1 })
        );
    }
}
