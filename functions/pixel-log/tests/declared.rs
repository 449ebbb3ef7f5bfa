//! Every parameter of the pixel and every field of the log reaches its columns, and nothing else does.
//!
//! The tables of this test are written by hand from `docs/columns.md` and `docs/pixel.md`;
//! they share nothing with the declarations. A parameter or field that is declared and not in a table here, or
//! the other way round, fails too.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails, in its helpers too"
)]

use std::collections::BTreeSet;

use pixel_log::parameters::PARAMETERS;
use pixel_log::{DaySalt, Field, RowConfig, RowReader, RowScratch};
use pixel_row::{DeliveryColumns, JsonBuffer, Timestamp};
use serde_json::{Map, Value, json};

type Columns = Map<String, Value>;

/// A parameter: its name, a value as JSON, another one, and the columns that the first fills.
fn parameters() -> Vec<(&'static str, Value, Value, Value)> {
    // 2026-10-31T22:59:59.000Z and .500, as `date -u -d @…` gives them; the line is of 23:00:00.000.
    let (happened, sent) = (1_793_487_599_000_i64, 1_793_487_599_500_i64);
    vec![
        ("e", json!("click"), json!("x"), json!({ "event_name": "click" })),
        ("s", json!("shop"), json!("x"), json!({ "site_id": "shop" })),
        (
            "u",
            json!("https://page.example/a"),
            json!("https://x.example/"),
            json!({ "page_url": "https://page.example/a", "page_host": "page.example", "page_path": "/a",
                    "page_source": "param", "site_id": "page.example" }),
        ),
        ("t", json!("Title"), json!("x"), json!({ "page_title": "Title" })),
        (
            "r",
            json!("https://from.example/b"),
            json!("https://x.example/"),
            json!({ "ref_url": "https://from.example/b", "ref_host": "from.example", "ref_path": "/b" }),
        ),
        (
            "ts",
            json!(happened),
            json!(happened - 1),
            json!({ "ts_client": "2026-10-31T22:59:59.000Z" }),
        ),
        (
            "st",
            json!(sent),
            json!(sent - 1),
            json!({ "ts_client_sent": "2026-10-31T22:59:59.500Z", "clock_skew_ms": -500 }),
        ),
        (
            "eid",
            json!("event-1"),
            json!("x"),
            json!({ "client_event_id": "event-1" }),
        ),
        (
            "pv",
            json!("view-1"),
            json!("x"),
            json!({ "page_view_id": "view-1" }),
        ),
        ("v", json!(19.9), json!(1), json!({ "value_micros": 19_900_000 })),
        ("cur", json!("chf"), json!("eur"), json!({ "currency": "CHF" })),
        (
            "oid",
            json!("order-1"),
            json!("x"),
            json!({ "order_id": "order-1" }),
        ),
        ("l", json!("de-CH"), json!("x"), json!({ "page_lang": "de-CH" })),
        (
            "tz",
            json!("Europe/Zurich"),
            json!("x"),
            json!({ "tz_name": "Europe/Zurich" }),
        ),
        ("sw", json!(1920), json!(1), json!({ "screen_w": 1920 })),
        ("sh", json!(1080), json!(1), json!({ "screen_h": 1080 })),
        ("vw", json!(1200), json!(1), json!({ "viewport_w": 1200 })),
        ("vh", json!(800), json!(1), json!({ "viewport_h": 800 })),
        (
            "ad.impression",
            json!("i"),
            json!("x"),
            json!({ "ad_impression_id": "i" }),
        ),
        ("ad.click", json!("k"), json!("x"), json!({ "ad_click_id": "k" })),
        (
            "ad.conversion",
            json!("n"),
            json!("x"),
            json!({ "ad_conversion_id": "n" }),
        ),
        (
            "ad.campaign",
            json!("c"),
            json!("x"),
            json!({ "ad_campaign_id": "c" }),
        ),
        ("ad.line", json!("l"), json!("x"), json!({ "ad_line_id": "l" })),
        (
            "ad.creative",
            json!("r"),
            json!("x"),
            json!({ "ad_creative_id": "r" }),
        ),
        (
            "ad.placement",
            json!("p"),
            json!("x"),
            json!({ "ad_placement_id": "p" }),
        ),
        (
            "ad.advertiser",
            json!("a"),
            json!("x"),
            json!({ "ad_advertiser_id": "a" }),
        ),
        (
            "ad.publisher",
            json!("b"),
            json!("x"),
            json!({ "ad_publisher_id": "b" }),
        ),
        (
            "ad.model",
            json!("cpc"),
            json!("x"),
            json!({ "ad_cost_model": "cpc" }),
        ),
        (
            "p.colour",
            json!("blue"),
            json!("x"),
            json!({ "event_props": r#"{"colour":"blue"}"# }),
        ),
    ]
}

/// Columns that follow from two parameters together: `s` hides the page's host, page and referrer are
/// compared, and both clocks give the event's time.
fn together(columns: &mut Columns) {
    columns.insert("site_id".to_owned(), json!("shop"));
    columns.insert("ref_is_internal".to_owned(), json!(false));
    columns.insert("ts_event".to_owned(), json!("2026-10-31T22:59:59.500Z"));
}

/// A line of every field: `-` where nothing is set; an answered hit of the pixel.
fn line(set: &[(Field, &str)]) -> String {
    let mut columns = vec!["-"; Field::ALL.len()];
    columns[Field::Timestamp as usize] = "1793487600.000";
    columns[Field::CsUriStem as usize] = "/p.gif";
    columns[Field::XEdgeRequestId as usize] = "id==";
    for (field, value) in set {
        columns[*field as usize] = value;
    }
    columns.join("\t")
}

fn rows(line: &str) -> Vec<Columns> {
    let now = Timestamp::from_millis(1_793_491_200_000).unwrap();
    let delivery = DeliveryColumns {
        ts_ingested: now,
        ingest_path: "realtime",
        pipeline_version: "9.9.9",
    };
    let mut rows = Vec::new();
    let reader = RowReader::new(RowConfig::default());
    let salt = &mut |_| Some(DaySalt::new([7; 32]));
    let read = reader.read(
        line.as_bytes(),
        now,
        delivery,
        salt,
        &mut RowScratch::default(),
        |row| {
            let mut json = JsonBuffer::default();
            row.write_json(&mut json);
            rows.push(serde_json::from_slice(json.bytes()).unwrap());
        },
    );
    assert_eq!(read, Ok(rows.len()));
    rows
}

fn hit(query: &str) -> Vec<Columns> {
    rows(&line(&[(Field::CsUriQuery, query)]))
}

/// A parameter as the log holds it: form-encoded by the page, then percent-encoded by the log.
fn pair(name: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let escapes: Vec<String> = text.bytes().map(|byte| format!("%25{byte:02X}")).collect();
    format!("{name}={}", escapes.concat())
}

fn batch(object: &Columns) -> String {
    pair("b", &json!([object]))
}

/// What the row has beside a plain page view's columns; those that no parameter can change must not change.
fn beside_the_plain_view(mut row: Columns) -> Columns {
    let [plain] = &*hit("-") else { panic!("one row") };
    row.remove("line_hash");
    for (name, value) in plain {
        if name != "line_hash" && row.get(name) == Some(value) {
            row.remove(name);
        } else if name != "line_hash" {
            assert!(
                ["event_name", "ts_event"].contains(&name.as_str()),
                "{name} changed"
            );
        }
    }
    row
}

fn columns(value: &Value) -> Columns {
    value.as_object().unwrap().clone()
}

#[track_caller]
fn gives(query: &str, expected: &Columns, what: &str) {
    let rows = hit(query);
    assert_eq!(rows.len(), 1, "{what}");
    assert_eq!(beside_the_plain_view(rows[0].clone()), *expected, "{what}");
}

#[test]
fn the_table_has_every_parameter() {
    let declared: BTreeSet<&str> = PARAMETERS.iter().map(|parameter| parameter.name).collect();
    let mut tested: BTreeSet<&str> = parameters().iter().map(|(name, ..)| *name).collect();
    assert!(tested.remove("p.colour"));
    tested.extend(["p.NAME", "b"]);
    assert_eq!(declared, tested);
    assert_eq!(declared.len(), PARAMETERS.len(), "one of them stands twice");
    for parameter in PARAMETERS {
        assert_eq!(parameter.inherited, parameter.name != "b", "{}", parameter.name);
        if let Some((.., expected)) = parameters().iter().find(|(name, ..)| *name == parameter.name) {
            assert!(expected.get(parameter.column).is_some(), "{}", parameter.name);
        }
    }
}

#[test]
fn every_parameter_alone_reaches_its_columns() {
    for (name, value, _, expected) in parameters() {
        let expected = columns(&expected);
        gives(&pair(name, &value), &expected, &format!("{name} in the query"));
        let object = columns(&json!({ name: value }));
        gives(&batch(&object), &expected, &format!("{name} in an object"));
        let inherited = format!("{}&{}", pair(name, &value), batch(&Columns::new()));
        gives(&inherited, &expected, &format!("{name} inherited"));
    }
}

#[test]
fn an_event_of_its_own_comes_before_the_query() {
    for (name, value, other, expected) in parameters() {
        let object = columns(&json!({ name: value }));
        for query in [
            format!("{}&{}", pair(name, &other), batch(&object)),
            format!("{}&{}", batch(&object), pair(name, &other)),
        ] {
            gives(&query, &columns(&expected), name);
        }
    }
}

#[test]
fn the_first_of_a_name_counts_and_the_second_is_counted() {
    for (name, value, other, expected) in parameters() {
        let mut expected = columns(&expected);
        expected.insert("params_dropped".to_owned(), json!(1));
        gives(
            &format!("{}&{}", pair(name, &value), pair(name, &other)),
            &expected,
            name,
        );
    }
}

#[test]
fn all_parameters_together_reach_their_columns() {
    let (mut all, mut object, mut pairs) = (Columns::new(), Columns::new(), Vec::new());
    for (name, value, _, expected) in parameters() {
        all.extend(columns(&expected));
        pairs.push(pair(name, &value));
        object.insert(name.to_owned(), value);
    }
    together(&mut all);
    let empty = batch(&Columns::new());
    gives(&pairs.join("&"), &all, "in the query");
    gives(&batch(&object), &all, "in an object");
    gives(&format!("{}&{empty}", pairs.join("&")), &all, "inherited");
    pairs.reverse();
    gives(&pairs.join("&"), &all, "in another order");
    // Two events of one batch do not mix.
    let two = hit(&pair("b", &json!([object, {}])));
    assert_eq!(beside_the_plain_view(two[0].clone()), all);
    let mut second = two[1].clone();
    second.retain(|name, value| two[0].get(name) != Some(value));
    let names: BTreeSet<&str> = second.keys().map(String::as_str).collect();
    // Of its own it has its place and its key, and a page view's name and time.
    assert_eq!(
        names,
        ["batch_index", "event_key", "event_name", "ts_event"].into()
    );
    assert!(
        two[1].len() < two[0].len() - 28,
        "every parameter of the first is missing"
    );
}

/// A field, a value as the log holds it, and the columns that it fills beside `line_hash`.
fn fields() -> Vec<(Field, &'static str, Value)> {
    let headers = "accept-language:de-CH,de%0Asec-fetch-site:none%0Asec-fetch-dest:image%0Asec-purpose:prefetch%0Asec-ch-ua-platform:%22Linux%22%0Asec-ch-ua-mobile:?1%0Asec-ch-ua-model:%22Pixel%22%0Asec-gpc:0%0Adnt:0%0A";
    vec![
        (
            Field::Timestamp,
            "1793487601.000",
            json!({ "ts_server": "2026-10-31T23:00:01.000Z", "ts_event": "2026-10-31T23:00:01.000Z" }),
        ),
        (
            Field::CIp,
            "192.0.2.9",
            json!({ "ip_prefix": "192.0.2.0/24", "ip_version": 4 }),
        ),
        (Field::TimeToFirstByte, "0.003", json!({ "ttfb_ms": 3 })),
        (Field::ScStatus, "200", json!({ "http_status": 200 })),
        (Field::ScBytes, "481", json!({ "bytes_sent": 481 })),
        (Field::CsMethod, "HEAD", json!({ "http_method": "HEAD" })),
        (Field::CsProtocol, "https", json!({ "http_scheme": "https" })),
        (Field::CsHost, "t.example", json!({ "http_host": "t.example" })),
        (
            Field::CsUriStem,
            "/p.gif?t=Title",
            json!({ "page_title": "Title" }),
        ),
        (Field::CsBytes, "156", json!({ "bytes_received": 156 })),
        (
            Field::XEdgeLocation,
            "ZRH50-P1",
            json!({ "edge_location": "ZRH50-P1" }),
        ),
        (Field::TimeTaken, "0.004", json!({ "time_taken_ms": 4 })),
        (
            Field::CsProtocolVersion,
            "HTTP/2.0",
            json!({ "http_version": "HTTP/2.0" }),
        ),
        (
            Field::CsUserAgent,
            "agent%201",
            json!({ "user_agent": "agent 1" }),
        ),
        (
            Field::CsReferer,
            "https://page.example/a",
            json!({ "page_url": "https://page.example/a", "page_host": "page.example", "page_path": "/a",
                    "page_source": "referer_header", "site_id": "page.example" }),
        ),
        (Field::CsUriQuery, "t=Title", json!({ "page_title": "Title" })),
        (Field::SslProtocol, "TLSv1.3", json!({ "tls_version": "TLSv1.3" })),
        (Field::XEdgeResultType, "Hit", json!({ "edge_result": "Hit" })),
        (
            Field::XEdgeDetailedResultType,
            "Miss",
            json!({ "edge_detail": "Miss" }),
        ),
        (Field::CCountry, "CH", json!({ "country": "CH" })),
        (
            Field::CsHeaders,
            headers,
            json!({ "accept_language": "de-CH", "sec_fetch_site": "none", "sec_fetch_dest": "image",
                    "sec_purpose": "prefetch", "ch_platform": "Linux", "ch_mobile": true, "ch_model": "Pixel",
                    "gpc": false, "dnt": false }),
        ),
        (Field::Asn, "13030", json!({ "asn": 13_030 })),
    ]
}

#[test]
fn every_field_reaches_its_columns_and_no_other_is_read() {
    // The id decides the key too, and consent reads two fields beside the headers: other tests hold them.
    let others = [Field::XEdgeRequestId, Field::CsHeaderNames, Field::CsHeadersCount];
    let read = fields();
    for (field, value, expected) in &read {
        let mut found = rows(&line(&[(*field, value)])).remove(0);
        let address = found.remove("visitor_day_id");
        assert_eq!(address.is_some(), *field == Field::CIp, "{field}");
        // The time is the one column of a plain view that a field changes.
        let [plain] = &*hit("-") else { panic!("one row") };
        found.remove("line_hash");
        found.retain(|name, value| plain.get(name) != Some(value));
        assert_eq!(found, columns(expected), "{field}");
    }
    let mut known: Vec<Field> = read.iter().map(|(field, ..)| *field).chain(others).collect();
    known.sort_unstable();
    known.dedup();
    assert_eq!(known, Field::READ);
    for field in Field::ALL {
        if known.contains(field) {
            continue;
        }
        let found = rows(&line(&[(*field, "7")])).remove(0);
        assert!(beside_the_plain_view(found).is_empty(), "{field}");
    }
}
