//! What just fits and what just does not: the documented limits of properties, parameters, batches, headers
//! and ids, each at its edge and one past it. The limits are written out here, not taken from the crate.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails, in its helpers too"
)]

use pixel_log::{FieldSet, LineError, RowConfig, RowReader, RowScratch};
use pixel_row::{DeliveryColumns, JsonBuffer, Timestamp};
use serde_json::{Map, Value, json};

/// What a test sets of a line: a hit of the pixel at 2026-10-31T23:00:00.123Z.
struct Line<'t> {
    id: &'t str,
    query: &'t str,
    headers: &'t str,
    asn: &'t str,
}

const PLAIN: Line<'_> = Line {
    id: "id==",
    query: "-",
    headers: "-",
    asn: "-",
};

impl Line<'_> {
    fn text(&self) -> String {
        let Line {
            id,
            query,
            headers,
            asn,
        } = self;
        format!("1793487600.123\t/p.gif\t{id}\t{query}\t{headers}\t{asn}")
    }

    fn rows(&self) -> Vec<Value> {
        self.read().unwrap()
    }

    fn read(&self) -> Result<Vec<Value>, LineError> {
        let now = Timestamp::from_millis(1_793_491_200_000).unwrap();
        let delivery = DeliveryColumns {
            ts_ingested: now,
            ingest_path: "realtime",
            pipeline_version: "9.9.9",
        };
        let fields = "timestamp,cs-uri-stem,x-edge-request-id,cs-uri-query,cs-headers,asn";
        let reader = RowReader::new(RowConfig {
            fields: FieldSet::parse(fields).unwrap(),
            ..RowConfig::default()
        });
        let (text, mut scratch, mut rows) = (self.text(), RowScratch::default(), Vec::new());
        let read = reader.read(
            text.as_bytes(),
            now,
            delivery,
            &mut |_| None,
            &mut scratch,
            |row| {
                let mut json = JsonBuffer::default();
                row.write_json(&mut json);
                rows.push(serde_json::from_slice(json.bytes()).unwrap());
            },
        );
        read.map(|count| {
            assert_eq!(count, rows.len());
            rows
        })
    }

    /// Each row has the members that are named, null where it must have none.
    #[track_caller]
    fn gives(&self, expected: &[Value], what: &str) {
        let rows = self.rows();
        assert_eq!(rows.len(), expected.len(), "{what}: rows");
        for (index, (row, expected)) in rows.iter().zip(expected).enumerate() {
            for (name, value) in expected.as_object().unwrap() {
                let found = row.get(name).unwrap_or(&Value::Null);
                assert_eq!(found, value, "{what}: {name} of row {index}");
            }
        }
    }
}

#[track_caller]
fn query_gives(query: &str, expected: &[Value], what: &str) {
    Line { query, ..PLAIN }.gives(expected, what);
}

/// A parameter as the log holds it: form-encoded by the page, then percent-encoded by the log.
fn pair(name: &str, value: &str) -> String {
    let escapes: Vec<String> = value.bytes().map(|byte| format!("%25{byte:02X}")).collect();
    format!("{name}={}", escapes.concat())
}

fn batch(objects: &Value) -> String {
    pair("b", &objects.to_string())
}

/// Properties as an object with them has them, and the same as a query has them.
fn both_ways(properties: &[(String, String)]) -> [(&'static str, String); 2] {
    let object: Map<String, Value> = properties
        .iter()
        .map(|(name, value)| (format!("p.{name}"), json!(value)))
        .collect();
    let pairs: Vec<String> = properties
        .iter()
        .map(|(name, value)| pair(&format!("p.{name}"), value))
        .collect();
    [
        ("an object", batch(&json!([object]))),
        ("a query", pairs.join("&")),
    ]
}

/// The event's properties, by name, with the bytes of their JSON, and the count of dropped parameters.
fn properties(query: &str) -> (Map<String, Value>, usize, Value) {
    let row = Line { query, ..PLAIN }.rows().remove(0);
    let json = row["event_props"].as_str().unwrap_or("{}");
    let dropped = row.get("params_dropped").unwrap_or(&Value::Null).clone();
    (serde_json::from_str(json).unwrap(), json.len(), dropped)
}

/// Properties of which each has a one-byte value and a name of its own, in order.
fn numbered(count: usize) -> Vec<(String, String)> {
    (0..count).map(|n| (format!("n{n:02}"), "v".to_owned())).collect()
}

#[test]
fn an_event_has_32_properties_of_names_and_values_up_to_their_limits() {
    let one = |name: usize, value: usize| vec![("n".repeat(name), "v".repeat(value))];
    for (given, kept, dropped) in [
        (numbered(32), 32, json!(null)),
        (numbered(33), 32, json!(1)),
        (one(64, 1), 1, json!(null)),
        (one(65, 1), 0, json!(1)),
        (one(1, 512), 1, json!(null)),
        (one(1, 513), 0, json!(1)),
        (one(0, 1), 0, json!(1)),
    ] {
        for (way, query) in both_ways(&given) {
            let (found, _, count) = properties(&query);
            let first: Map<String, Value> = given
                .iter()
                .take(kept)
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect();
            let name = given[0].0.len();
            let value = given[0].1.len();
            let what = format!("{} of {name} and {value} bytes in {way}", given.len());
            assert_eq!((found, count), (first, dropped.clone()), "{what}");
        }
    }
}

/// Fifteen properties with one-byte names and values of 256 quotes, two bytes each as JSON. Each takes 512
/// bytes for the value, 1 for the name, 4 quotes, a colon, and the brace or comma before it: 519, so 7785
/// altogether. Of 8192, 407 are left: 399 for one more value and 7 around it, and the last brace.
fn nearly_full() -> Vec<(String, String)> {
    ('a'..='o')
        .map(|name| (name.to_string(), "\"".repeat(256)))
        .collect()
}

#[test]
fn properties_take_8192_bytes_of_json_and_no_more() {
    for (last, kept, bytes, dropped) in [(399, 16, 8192, json!(null)), (400, 15, 7786, json!(1))] {
        let mut given = nearly_full();
        given.push(("p".to_owned(), "v".repeat(last)));
        for (way, query) in both_ways(&given) {
            let (found, length, count) = properties(&query);
            assert_eq!(
                (found.len(), length, count),
                (kept, bytes, dropped.clone()),
                "{last} in {way}"
            );
        }
    }
}

#[test]
fn properties_of_the_query_are_inherited_as_far_as_they_fit_and_are_new() {
    let value = |length: usize| "v".repeat(length);
    for (own, query_value, kept, dropped, what) in [
        (numbered(31), value(1), 32, json!(null), "the 32nd"),
        (numbered(32), value(1), 32, json!(1), "the 33rd"),
        (nearly_full(), value(399), 16, json!(null), "the last byte"),
        (nearly_full(), value(400), 15, json!(1), "a byte too many"),
    ] {
        let [(_, object), _] = both_ways(&own);
        let query = format!("{}&{object}", pair("p.p", &query_value));
        let (found, _, count) = properties(&query);
        assert_eq!((found.len(), count), (kept, dropped), "{what}");
        assert_eq!(found.contains_key("p"), kept > own.len(), "{what}");
    }
    // Hidden is not dropped; and each event inherits anew.
    let objects = batch(&json!([{ "p.a": "own" }, { "p.c": "own" }]));
    query_gives(
        &format!("p.a=query&p.b=query&{objects}"),
        &[
            json!({ "event_props": r#"{"a":"own","b":"query"}"#, "params_dropped": null }),
            json!({ "event_props": r#"{"c":"own","a":"query","b":"query"}"#, "params_dropped": null }),
        ],
        "a name of both",
    );
}

#[test]
fn the_256th_parameter_is_read_and_the_257th_is_not() {
    // All of the same name but the last: the first counts, the others are dropped as repeated.
    for (before, event, dropped) in [(255, "x", 254), (256, "page_view", 256)] {
        let query = format!("{}e=x", "t=x&".repeat(before));
        let object = format!(r#"[{{{}"e":"x"}}]"#, r#""t":"x","#.repeat(before));
        for (way, query) in [("a query", query), ("an object", pair("b", &object))] {
            let expected = json!({ "event_name": event, "page_title": "x", "params_dropped": dropped });
            query_gives(&query, &[expected], &format!("behind {before} in {way}"));
        }
    }
}

#[test]
fn the_first_list_of_events_counts() {
    let [a, b] = [json!([{ "e": "a" }]), json!([{ "e": "b" }, {}])].map(|events| batch(&events));
    for (query, expected) in [
        (
            format!("{a}&{b}"),
            vec![json!({ "event_name": "a", "params_dropped": 1 })],
        ),
        (
            format!("{b}&{a}"),
            vec![
                json!({ "event_name": "b", "params_dropped": 1 }),
                json!({ "event_name": "page_view", "params_dropped": 1 }),
            ],
        ),
        (
            format!("b=&{a}"), // an empty value says nothing, as an absent one
            vec![json!({ "event_name": "a", "params_dropped": null })],
        ),
        (
            batch(&json!([{ "e": "a", "b": "[{}]" }])),
            vec![json!({ "event_name": "a", "params_dropped": 1 })],
        ),
    ] {
        query_gives(&query, &expected, &query);
    }
}

#[test]
fn what_is_no_list_of_events_is_another_trackers() {
    for foreign in [
        "0",
        "null",
        "{\"e\":\"a\"}",
        "\"[]\"",
        "x[{}]",
        "\u{b}[{}]",
        "",
        "-",
    ] {
        let dropped = if foreign.is_empty() { json!(null) } else { json!(1) };
        query_gives(
            &format!("{}&t=x", pair("b", foreign)),
            &[
                json!({ "event_name": "page_view", "batch_index": 0, "page_title": "x", "params_dropped": dropped }),
            ],
            foreign,
        );
        // The first list counts, wherever it stands.
        let list = batch(&json!([{ "e": "a" }, { "e": "b" }]));
        for query in [
            format!("{}&{list}", pair("b", foreign)),
            format!("{list}&{}", pair("b", foreign)),
        ] {
            let row = |name: &str| json!({ "event_name": name, "params_dropped": dropped });
            query_gives(&query, &[row("a"), row("b")], foreign);
        }
    }
    for broken in ["[", "[0]", "[{}]x", " \t\r\n[{]"] {
        let query = pair("b", broken);
        let read = Line {
            query: &query,
            ..PLAIN
        }
        .read();
        assert_eq!(read, Err(LineError::BatchJson { column: 4 }), "{broken}");
    }
    query_gives(
        &pair("b", " \t\r\n[{}]"),
        &[json!({ "batch_index": 0 })],
        "space before",
    );
}

#[test]
fn what_was_wrong_with_the_query_is_said_of_each_of_its_events() {
    let objects = batch(&json!([{}, { "v": "y", "nope": 1 }, { "sw": "y" }]));
    let asn = "AS1"; // the request's own warning comes first
    Line {
        query: &format!("v=x&nope=1&nor=1&t=%25FF&{objects}"),
        asn,
        ..PLAIN
    }
    .gives(
        &[
            json!({ "params_dropped": 2, "utf8_ok": false, "parse_warnings": ["asn", "value_micros"] }),
            json!({ "params_dropped": 3, "utf8_ok": false, "parse_warnings": ["asn", "value_micros"] }),
            json!({ "params_dropped": 2, "utf8_ok": false, "parse_warnings": ["asn", "screen_w", "value_micros"] }),
        ],
        "a query with faults",
    );
    query_gives(
        "v=x&v=y&sw=z",
        &[json!({ "parse_warnings": ["value_micros", "screen_w"] })],
        "twice unreadable is noted once",
    );
    query_gives(
        "v=x&v=2&v=y&v=3",
        &[json!({ "value_micros": 2_000_000, "params_dropped": 2, "parse_warnings": ["value_micros"] })],
        "the first that can be read counts; what follows is dropped unread",
    );
    query_gives(
        "v=2&v=x",
        &[json!({ "value_micros": 2_000_000, "params_dropped": 1, "parse_warnings": null })],
        "a good one has no warning for one behind it",
    );
}

#[test]
fn a_hit_carries_one_to_a_hundred_events() {
    for found in [0, 1, 100, 101] {
        let query = batch(&json!(vec![json!({}); found]));
        let read = Line {
            query: &query,
            ..PLAIN
        }
        .read()
        .map(|rows| rows.len());
        let expected = if (1..=100).contains(&found) {
            Ok(found)
        } else {
            Err(LineError::BatchSize { found, limit: 100 })
        };
        assert_eq!(read, expected);
    }
}

#[test]
fn one_bad_event_does_not_spoil_its_neighbours() {
    let good = json!({ "e": "good", "u": "https://page.example/" });
    let bad = json!({ "e": "bad", "v": "x", "nope": 1, "u": "https://page.example/?utm_source=%FF" });
    let good_row =
        json!({ "event_name": "good", "utf8_ok": true, "parse_warnings": null, "params_dropped": null });
    let bad_row = json!({
        "event_name": "bad", "utf8_ok": false, "parse_warnings": ["value_micros"], "params_dropped": 1,
        "utm_source": "\u{fffd}",
    });
    for place in 0..3 {
        let mut objects = vec![good.clone(); 3];
        let mut expected = vec![good_row.clone(); 3];
        objects[place] = bad.clone();
        expected[place] = bad_row.clone();
        let what = format!("the bad one at {place}");
        query_gives(&batch(&json!(objects)), &expected, &what);
    }
}

#[test]
fn an_event_was_held_back_between_nothing_and_a_day() {
    let sent = 1_793_487_000_000_i64;
    let day = 86_400_000;
    for (happened, event) in [
        (sent + 1, "2026-10-31T23:00:00.123Z"),
        (sent, "2026-10-31T23:00:00.123Z"),
        (sent - 1, "2026-10-31T23:00:00.122Z"),
        (sent - day + 1, "2026-10-30T23:00:00.124Z"),
        (sent - day, "2026-10-30T23:00:00.123Z"),
        (sent - day - 1, "2026-10-30T23:00:00.123Z"),
    ] {
        // The page's clock is 600.123 seconds behind, whatever it says of the event.
        let expected = json!({ "ts_event": event, "clock_skew_ms": -600_123 });
        query_gives(
            &format!("ts={happened}&st={sent}"),
            &[expected],
            &format!("{happened}"),
        );
    }
}

#[test]
fn headers_are_read_by_their_own_rules() {
    for (headers, column, value) in [
        ("purpose:prefetch%0A", "sec_purpose", json!("prefetch")),
        ("sec-purpose:prefetch%0A", "sec_purpose", json!("prefetch")),
        ("purpose:a%0Asec-purpose:b%0A", "sec_purpose", json!("a")),
        ("sec-purpose:b%0Apurpose:a%0A", "sec_purpose", json!("b")),
        ("sec-purpose:%0A", "sec_purpose", json!(null)),
        (
            "accept-language:de-CH,de;q=0.9%0A",
            "accept_language",
            json!("de-CH"),
        ),
        ("accept-language:de;q=0.9,en%0A", "accept_language", json!("de")),
        ("accept-language:%0A", "accept_language", json!(null)),
        ("accept-language:,de%0A", "accept_language", json!(null)),
        ("sec-fetch-site:%0A", "sec_fetch_site", json!(null)),
        ("sec-fetch-dest: %0A", "sec_fetch_dest", json!(null)),
        ("sec-ch-ua-platform:%0A", "ch_platform", json!(null)),
        ("Sec-CH-UA-Platform:%22Linux%22%0a", "ch_platform", json!("Linux")),
        ("sec-ch-ua-platform:%22%22%0A", "ch_platform", json!(null)),
        ("sec-ch-ua-mobile:?0%0A", "ch_mobile", json!(false)),
        ("sec-ch-ua-mobile:?1%0A", "ch_mobile", json!(true)),
        ("sec-ch-ua-mobile:?2%0A", "ch_mobile", json!(null)),
        ("sec-ch-ua-mobile:1%0A", "ch_mobile", json!(null)),
        ("sec-ch-ua-mobile:?10%0A", "ch_mobile", json!(null)),
        ("sec-ch-ua-mobile:%0A", "ch_mobile", json!(null)),
    ] {
        Line { headers, ..PLAIN }.gives(&[json!({ column: value })], headers);
    }
}

#[test]
fn a_request_id_has_up_to_200_bytes() {
    let [id, longer] = [200, 201].map(|length| "i".repeat(length));
    let key = |text: &str| twox_hash::XxHash64::oneshot(0, format!("{text}:0").as_bytes()).cast_signed();
    let line = Line { id: &id, ..PLAIN };
    line.gives(&[json!({ "request_id": id, "event_key": key(&id) })], "200 bytes");
    let line = Line { id: &longer, ..PLAIN };
    let from_the_line = key(&line.text());
    line.gives(
        &[json!({ "request_id": null, "event_key": from_the_line })],
        "201 bytes",
    );
}
