//! Lines and the rows that they have to become. The expectations follow from the format of the log and the
//! meaning of the columns; none was made by running the crate.
#![recursion_limit = "512"] // a full row is a long `json!`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

use std::collections::HashMap;

use pixel_log::{DaySalt, Field, FieldSet, LineError, RowConfig, RowReader, RowScratch};
use pixel_row::{ColumnType, DeliveryColumns, JsonBuffer, Row, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// 2026-11-01T00:00:00Z, as `date -u -d 2026-11-01 +%s` gives it.
const NOW: i64 = 1_793_491_200;
const SALT: [u8; 32] = [7; 32];

fn now() -> Timestamp {
    Timestamp::from_millis(NOW * 1_000).unwrap()
}

/// A line of every field: `-` where nothing is set, an hour old, a GET of the pixel that was answered.
fn line(set: &[(Field, &str)]) -> Vec<u8> {
    let mut columns = vec!["-"; Field::ALL.len()];
    columns[Field::Timestamp as usize] = "1793487600.123";
    columns[Field::ScStatus as usize] = "200";
    columns[Field::CsMethod as usize] = "GET";
    columns[Field::CsUriStem as usize] = "/p.gif";
    columns[Field::XEdgeRequestId as usize] = "id==";
    for (field, value) in set {
        columns[*field as usize] = value;
    }
    columns.join("\t").into_bytes()
}

/// A hit whose query stands where CloudFront puts it: behind the path, and in its own field.
fn hit(query: &str) -> Vec<u8> {
    hit_with(query, &[])
}

fn hit_with(query: &str, set: &[(Field, &str)]) -> Vec<u8> {
    let stem = format!("/p.gif?{query}");
    let mut all = vec![(Field::CsUriStem, stem.as_str()), (Field::CsUriQuery, query)];
    all.extend_from_slice(set);
    line(&all)
}

fn read(line: &[u8], config: &RowConfig) -> Result<Vec<Map<String, Value>>, LineError> {
    let delivery = DeliveryColumns {
        ts_ingested: now(),
        ingest_path: "realtime",
        pipeline_version: "9.9.9",
    };
    let mut rows = Vec::new();
    let count = RowReader::new(config.clone()).read(
        line,
        now(),
        delivery,
        &mut |_| Some(DaySalt::new(SALT)),
        &mut RowScratch::default(),
        |row| {
            let mut json = JsonBuffer::default();
            row.write_json(&mut json);
            let json = json.bytes();
            assert!(!json.iter().any(|&byte| byte < b' '), "a row is one line");
            rows.push(checked(json));
        },
    )?;
    assert_eq!(count, rows.len());
    Ok(rows)
}

/// One valid JSON object that holds declared columns only, each of its type and within its limit.
fn checked(json: &[u8]) -> Map<String, Value> {
    let row: Map<String, Value> = serde_json::from_slice(json).expect("a row is one JSON object");
    let columns: HashMap<&str, _> = Row::COLUMNS.iter().map(|column| (column.name, column)).collect();
    for (name, value) in &row {
        let column = columns[name.as_str()];
        let right = match column.column_type {
            ColumnType::String => value.as_str().is_some_and(|text| text.len() <= column.max_bytes),
            ColumnType::Int => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            ColumnType::Bigint => value.as_i64().is_some(),
            ColumnType::Boolean => value.is_boolean(),
            ColumnType::Timestamp => value
                .as_str()
                .is_some_and(|text| text.len() == 24 && text.ends_with('Z')),
            ColumnType::StringArray => value.as_array().is_some_and(|names| {
                !names.is_empty()
                    && names
                        .iter()
                        .all(|name| columns.contains_key(name.as_str().unwrap()) || name == "cs_headers")
            }),
        };
        assert!(right, "{name} is {value}");
    }
    row
}

fn rows(line: &[u8]) -> Vec<Map<String, Value>> {
    read(line, &RowConfig::default()).unwrap()
}

fn one(line: &[u8]) -> Value {
    let rows = rows(line);
    let [row] = rows.as_slice() else {
        panic!("{} rows", rows.len())
    };
    Value::Object(row.clone())
}

/// The members that are named, null where there is none.
fn some(row: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(row.get(name).unwrap_or(&Value::Null), value, "{name}");
    }
}

/// XXH64, seed 0, by the crate of that algorithm.
fn xxh64(bytes: &[u8]) -> i64 {
    twox_hash::XxHash64::oneshot(0, bytes).cast_signed()
}

/// BLAKE3 keyed with the salt, over each part behind its length in eight bytes; 16 bytes as hex.
fn visitor(parts: [&[u8]; 3]) -> String {
    let text: Vec<u8> = parts
        .iter()
        .flat_map(|part| [&[u8::try_from(part.len()).unwrap(), 0][..], part].concat())
        .collect();
    blake3::keyed_hash(&SALT, &text)
        .to_hex()
        .chars()
        .take(32)
        .collect()
}

#[test]
fn a_plain_image_is_a_page_view_and_says_no_more_than_it_knows() {
    let line = line(&[]);
    let expected = json!({
        "request_id": "id==",
        "batch_index": 0,
        "event_key": xxh64(b"id==:0"),
        "line_hash": xxh64(&line),
        "schema_version": 1,
        "utf8_ok": true,
        "ts_server": "2026-10-31T23:00:00.123Z", // an hour before the first of November
        "ts_event": "2026-10-31T23:00:00.123Z",
        "event_name": "page_view",
        "http_method": "GET",
        "http_status": 200,
        "request_path": "/p.gif",
        "ts_ingested": "2026-11-01T00:00:00.000Z",
        "ingest_path": "realtime",
        "pipeline_version": "9.9.9",
    });
    assert_eq!(one(&line), expected);
    // The line end is not part of the line.
    assert_eq!(one(&[&line[..], b"\r\n"].concat()), expected);
}

#[test]
fn a_full_page_view_fills_every_group() {
    let query = concat!(
        "s=shop&e=page_view&u=https%253A%252F%252FShop.example%253A8443%252Fa%252520b%253Fq%253Dsecret",
        "%2526utm_source%253Dnews%252Bletter%2526utm_medium%253Demail%2526gclid%253DCj0K%2523top",
        "&t=Caf%25C3%25A9+%2526+more&r=https%253A%252F%252Fsearch.example%252Ffind%253Fq%253Dx",
        "&ts=1793487590000&st=1793487600100&eid=e1&pv=v1&v=19.90&cur=chf&oid=o-1&l=de-CH&tz=Europe%252FZurich",
        "&sw=1920&sh=1080&vw=1200&vh=800&p.size=XL&p.colour=b%25C3%25B6&ad.campaign=c1&ad.model=cpc&nope=1"
    );
    let headers = concat!(
        "host:t.shop.example%0Aaccept-language:de-CH,de;q=0.9%0Asec-fetch-site:cross-site%0A",
        "sec-fetch-dest:image%0Asec-purpose:prefetch%0Asec-ch-ua-platform:%22macOS%22%0A",
        "sec-ch-ua-mobile:?0%0Asec-ch-ua-model:%22%22%0Asec-gpc:0%0A"
    );
    let line = hit_with(
        query,
        &[
            (Field::CIp, "203.0.113.77"),
            (Field::TimeToFirstByte, "0.001"),
            (Field::ScBytes, "481"),
            (Field::CsProtocol, "https"),
            (Field::CsHost, "t.shop.example"),
            (Field::CsBytes, "156"),
            (Field::XEdgeLocation, "ZRH50-P1"),
            (Field::TimeTaken, "0.0029"),
            (Field::CsProtocolVersion, "HTTP/2.0"),
            (Field::CsUserAgent, "Mozilla/5.0%20(X11)"),
            (Field::CsReferer, "https://other.example/"),
            (Field::SslProtocol, "TLSv1.3"),
            (Field::XEdgeResultType, "Hit"),
            (Field::XEdgeDetailedResultType, "Hit"),
            (Field::CCountry, "CH"),
            (Field::Asn, "13030"),
            (Field::CsHeaders, headers),
        ],
    );
    let expected = json!({
        "request_id": "id==",
        "batch_index": 0,
        "event_key": xxh64(b"id==:0"),
        "line_hash": xxh64(&line),
        "client_event_id": "e1",
        "site_id": "shop",
        "schema_version": 1,
        "params_dropped": 1, // nope
        "utf8_ok": true,
        "ts_server": "2026-10-31T23:00:00.123Z",
        "ts_client": "2026-10-31T22:59:50.000Z",
        "ts_client_sent": "2026-10-31T23:00:00.100Z",
        "ts_event": "2026-10-31T22:59:50.023Z", // held back for 10,100 ms
        "clock_skew_ms": -23,
        "tz_name": "Europe/Zurich",
        "event_name": "page_view",
        "event_props": "{\"size\":\"XL\",\"colour\":\"bö\"}",
        "page_view_id": "v1",
        "page_url": "https://shop.example:8443/a%20b",
        "page_host": "shop.example",
        "page_path": "/a%20b",
        "page_fragment": "top",
        "page_title": "Café & more",
        "page_lang": "de-CH",
        "page_source": "param",
        "ref_url": "https://search.example/find",
        "ref_host": "search.example",
        "ref_path": "/find",
        "ref_is_internal": false,
        "utm_source": "news letter",
        "utm_medium": "email",
        "click_id_network": "google",
        "visitor_day_id": visitor([b"shop", &[203, 0, 113, 77], b"Mozilla/5.0 (X11)"]),
        "gpc": false,
        "ip_prefix": "203.0.113.0/24",
        "ip_version": 4,
        "asn": 13030,
        "country": "CH",
        "edge_location": "ZRH50-P1",
        "edge_result": "Hit",
        "http_method": "GET",
        "http_status": 200,
        "http_version": "HTTP/2.0",
        "http_scheme": "https",
        "http_host": "t.shop.example",
        "request_path": "/p.gif",
        "bytes_sent": 481,
        "bytes_received": 156,
        "time_taken_ms": 2,
        "ttfb_ms": 1,
        "tls_version": "TLSv1.3",
        "user_agent": "Mozilla/5.0 (X11)",
        "accept_language": "de-CH",
        "sec_fetch_site": "cross-site",
        "sec_fetch_dest": "image",
        "sec_purpose": "prefetch",
        "ch_platform": "macOS",
        "ch_mobile": false,
        "screen_w": 1920,
        "screen_h": 1080,
        "viewport_w": 1200,
        "viewport_h": 800,
        "value_micros": 19_900_000,
        "currency": "CHF",
        "order_id": "o-1",
        "ad_campaign_id": "c1",
        "ad_cost_model": "cpc",
        "ts_ingested": "2026-11-01T00:00:00.000Z",
        "ingest_path": "realtime",
        "pipeline_version": "9.9.9",
    });
    assert_eq!(one(&line), expected);
}

#[test]
fn without_u_the_referer_is_the_page_and_gives_the_site() {
    let row = one(&hit_with(
        "e=click",
        &[(Field::CsReferer, "https://Shop.example/cart?token=abc")],
    ));
    some(
        &row,
        &json!({
            "event_name": "click", "site_id": "shop.example", "page_host": "shop.example",
            "page_url": "https://shop.example/cart", "page_source": "referer_header", "ref_url": null,
        }),
    );
    let row = one(&hit_with(
        "u=nonsense",
        &[(Field::CsReferer, "https://shop.example/")],
    ));
    some(
        &row,
        &json!({ "page_url": null, "site_id": null, "parse_warnings": ["page_url"] }),
    );
}

#[test]
fn a_batch_is_one_row_an_event_with_its_own_key() {
    // The page sends b=[{"e":"a","v":1},{"e":"b","t":"x y"}] form-encoded; the log encodes its percent signs.
    let query = "s=shop&b=%255B%257B%2522e%2522%253A%2522a%2522%252C%2522v%2522%253A1%257D%252C%257B%2522e%2522%253A%2522b%2522%252C%2522t%2522%253A%2522x%2520y%2522%257D%255D";
    let rows = rows(&hit(query));
    assert_eq!(rows.len(), 2);
    for (index, (row, expected)) in rows
        .iter()
        .zip([
            json!({ "event_name": "a", "value_micros": 1_000_000, "page_title": null }),
            json!({ "event_name": "b", "value_micros": null, "page_title": "x y" }),
        ])
        .enumerate()
    {
        let row = Value::Object(row.clone());
        some(&row, &expected);
        some(
            &row,
            &json!({
                "site_id": "shop", "batch_index": index, "event_key": xxh64(format!("id==:{index}").as_bytes()),
            }),
        );
    }
    assert_eq!(
        read(&hit("b=%255B%257B"), &RowConfig::default()),
        Err(LineError::BatchJson { column: 21 })
    );
}

#[test]
fn what_is_no_answered_hit_of_a_pixel_is_a_request() {
    for set in [
        [(Field::CsUriStem, "/robots.txt")],
        [(Field::CsUriStem, "/P.gif")],
        [(Field::CsMethod, "POST")],
        [(Field::CsMethod, "OPTIONS")],
        // Sent on to HTTPS: the same view comes again in a line of its own.
        [(Field::ScStatus, "301")],
        [(Field::ScStatus, "302")],
        [(Field::ScStatus, "307")],
        [(Field::ScStatus, "308")],
        [(Field::ScStatus, "300")],
        [(Field::ScStatus, "303")],
        [(Field::ScStatus, "403")],
        [(Field::ScStatus, "502")],
    ] {
        let mut set = set.to_vec();
        set.push((Field::CsUriQuery, "e=purchase&v=1"));
        let row = one(&line(&set));
        some(&row, &json!({ "event_name": "request", "value_micros": null }));
    }
    // A page cannot make its hit look like one.
    let row = one(&hit("e=request&v=1"));
    some(
        &row,
        &json!({ "event_name": "page_view", "value_micros": 1_000_000, "parse_warnings": ["event_name"] }),
    );
    for set in [
        [(Field::ScStatus, "000")],
        [(Field::ScStatus, "204")],
        [(Field::ScStatus, "304")], // the browser has it already
        [(Field::CsMethod, "HEAD")],
    ] {
        some(&one(&line(&set)), &json!({ "event_name": "page_view" }));
    }
    // 000: the viewer left before the answer.
    some(
        &one(&line(&[(Field::ScStatus, "000")])),
        &json!({ "http_status": 0, "parse_warnings": null }),
    );
}

#[test]
fn who_asks_not_to_be_followed_is_not_counted() {
    let of = |headers: &str| one(&line(&[(Field::CIp, "192.0.2.1"), (Field::CsHeaders, headers)]));
    assert!(of("-").get("visitor_day_id").is_some());
    assert!(of("sec-gpc:0%0Adnt:0%0A").get("visitor_day_id").is_some());
    for headers in [
        "sec-gpc:1%0A",
        "dnt:1%0A",
        "Sec-GPC:1%0Adnt:0%0A",
        "SEC-GPC:%201%0A".replace("%20", " ").as_str(),
    ] {
        some(&of(headers), &json!({ "visitor_day_id": null }));
    }
    some(&of("sec-gpc:1%0A"), &json!({ "gpc": true, "dnt": null }));
    // Neither an address nor a salt: nobody to count.
    some(&one(&line(&[])), &json!({ "visitor_day_id": null }));
}

#[test]
fn addresses_leave_as_networks_only() {
    for (address, prefix, version, hashed) in [
        ("192.0.2.200", "192.0.2.0/24", 4, &[192, 0, 2, 200][..]),
        (
            "2001:db8:2328:7f60::1bef",
            "2001:db8:2328::/48",
            6,
            &[0x20, 1, 0xd, 0xb8, 0x23, 0x28, 0x7f, 0x60],
        ),
        ("::ffff:192.0.2.200", "192.0.2.0/24", 4, &[192, 0, 2, 200]),
    ] {
        let row = one(&line(&[(Field::CIp, address)]));
        let id = visitor([b"", hashed, b""]);
        some(
            &row,
            &json!({ "ip_prefix": prefix, "ip_version": version, "visitor_day_id": id }),
        );
    }
    for odd in [
        "unknown",
        "192.0.2.1,%20192.0.2.2",
        "fe80::1%25eth0",
        "010.0.0.1",
        "192.0.2.256",
        "\u{661}",
    ] {
        let row = one(&line(&[(Field::CIp, odd)]));
        some(
            &row,
            &json!({ "ip_prefix": null, "visitor_day_id": null, "parse_warnings": ["ip_prefix"] }),
        );
    }
}

#[test]
fn hosts_in_other_scripts_are_punycode() {
    // ö is C3 B6; xn--bcher-kva is the RFC 3492 form of bücher.
    let row = one(&hit("u=https%253A%252F%252Fb%25C3%25BCcher.example%252F"));
    some(
        &row,
        &json!({ "page_host": "xn--bcher-kva.example", "site_id": "xn--bcher-kva.example" }),
    );
}

#[test]
fn a_header_list_that_was_cut_says_so() {
    let row = one(&line(&[(Field::CsHeaders, "dnt:0%0Asec-ch-ua-platform:%22Win")]));
    some(
        &row,
        &json!({ "truncated_fields": ["cs_headers"], "dnt": false, "ch_platform": null }),
    );
}

#[test]
fn text_that_is_no_utf8_is_replaced_and_flagged() {
    for line in [
        hit("t=%25FF"),
        hit("p.a=%25C0%25AF"),
        hit("e=%25ED%25A0%2580"),
        line(&[(Field::CsUserAgent, "a%FF")]),
        line(&[(Field::CsUriStem, "/caf%E9")]),
        line(&[(Field::CsReferer, "https://x.example/%FF")]),
        line(&[(Field::CsHeaders, "sec-purpose:%FF%0A")]),
        hit("u=https%253A%252F%252Fx.example%252F%253Futm_source%253D%2525FF"),
    ] {
        let row = one(&line);
        some(&row, &json!({ "utf8_ok": false }));
        assert!(row.to_string().contains('\u{fffd}'));
    }
    let mut raw = line(&[(Field::CsUserAgent, "agent")]);
    let at = raw.windows(5).position(|window| window == b"agent").unwrap();
    raw[at] = 0xff;
    some(
        &one(&raw),
        &json!({ "user_agent": "\u{fffd}gent", "utf8_ok": false }),
    );
    // Cut in the middle of an escape: what stands there stays.
    some(
        &one(&hit("t=ab%25E2%258")),
        &json!({ "page_title": "ab\u{fffd}%8", "utf8_ok": false }),
    );
    some(
        &one(&hit("t=a%252")),
        &json!({ "page_title": "a%2", "utf8_ok": true }),
    );
}

#[test]
fn a_time_outside_the_range_is_refused_and_any_precision_inside_is_read() {
    let refused = Err(LineError::BadTimestamp { column: 1 });
    let config = RowConfig::default();
    let day_ahead = (NOW + 86_400).to_string();
    let past_it = format!("{day_ahead}.001");
    for bad in [
        "-",
        "",
        "0",
        "-1",
        "NaN",
        "1262303999.999",
        "253402300800",
        "1793487600123",
        "1793487600,1",
        "1793487600.",
        "+1793487600",
        "1e9",
        &past_it,
    ] {
        assert_eq!(
            read(&line(&[(Field::Timestamp, bad)]), &config).map(|_| ()),
            refused,
            "{bad}"
        );
    }
    for (good, expected) in [
        ("1793487600", "2026-10-31T23:00:00.000Z"),
        ("1793487600.9", "2026-10-31T23:00:00.900Z"),
        ("1793487600.123456789", "2026-10-31T23:00:00.123Z"),
        ("1262304000", "2010-01-01T00:00:00.000Z"),
        ("1793494800.000", "2026-11-01T01:00:00.000Z"), // an hour ahead: clocks differ
        (&day_ahead, "2026-11-02T00:00:00.000Z"),
    ] {
        some(
            &one(&line(&[(Field::Timestamp, good)])),
            &json!({ "ts_server": expected }),
        );
    }
}

#[test]
fn numbers_are_exact_or_absent_with_a_warning() {
    for (value, expected) in [
        ("0", json!(0)),
        ("007", json!(7)),
        ("4294967295", json!(4_294_967_295_i64)),
        ("999999999999999999", json!(999_999_999_999_999_999_i64)),
    ] {
        some(
            &one(&line(&[(Field::ScBytes, value)])),
            &json!({ "bytes_sent": expected, "parse_warnings": null }),
        );
    }
    for bad in [
        "9223372036854775808",
        "1e309",
        "NaN",
        "-0",
        "+1",
        "1.5",
        "\u{661}",
        "0x10",
        " 1",
        "1%20",
    ] {
        some(
            &one(&line(&[(Field::ScBytes, bad)])),
            &json!({ "bytes_sent": null, "parse_warnings": ["bytes_sent"] }),
        );
    }
    for (field, value, column) in [
        (Field::Asn, "AS1", "asn"),
        (Field::CsBytes, "-1", "bytes_received"),
        (Field::TimeTaken, "9999999.000", "time_taken_ms"), // more than an int of ms holds
        (Field::TimeToFirstByte, "x", "ttfb_ms"),
    ] {
        let row = one(&line(&[(field, value)]));
        assert_eq!(
            (row.get(column), &row["parse_warnings"]),
            (None, &json!([column])),
            "{column}"
        );
    }
    let row = one(&line(&[(Field::ScStatus, "99999999999")]));
    some(
        &row,
        &json!({ "http_status": null, "parse_warnings": ["http_status"], "event_name": "request" }),
    );
    for (query, column) in [
        ("v=1e309", "value_micros"),
        ("v=NaN", "value_micros"),
        ("ts=-1", "ts_client"),
        // Seconds in place of milliseconds, and the last moment of 2009.
        ("ts=1793487600", "ts_client"),
        ("st=1793487600", "ts_client_sent"),
        ("ts=1262303999999", "ts_client"),
        ("st=99999999999999999999", "ts_client_sent"),
        ("sw=-5", "screen_w"),
        ("vh=1.5", "viewport_h"),
        ("cur=EURO", "currency"),
        ("l=%25%25", "page_lang"),
        ("tz=a%2520b", "tz_name"),
    ] {
        let row = one(&hit(query));
        assert_eq!(
            (row.get(column), &row["parse_warnings"]),
            (None, &json!([column])),
            "{query}"
        );
        // No column follows from a time that could not be read.
        some(
            &row,
            &json!({ "ts_event": "2026-10-31T23:00:00.123Z", "clock_skew_ms": null }),
        );
    }
    some(
        &one(&hit("ts=1262304000000")),
        &json!({ "ts_client": "2010-01-01T00:00:00.000Z", "parse_warnings": null }),
    );
}

#[test]
fn parameters_count_once_and_the_rest_is_counted() {
    let many: Vec<String> = (0..5_000).map(|i| format!("x{i}=1")).collect();
    for (query, expected) in [
        ("e=a&e=b&e=c", json!({ "event_name": "a", "params_dropped": 2 })),
        (
            "&&&&=&=x&e&E=x",
            json!({ "event_name": "page_view", "params_dropped": 2 }),
        ), // the nameless x, and E
        (
            "request_id=x&dt=2020&hour=1&event_key=1&Site_Id=x",
            json!({ "request_id": "id==", "site_id": null, "params_dropped": 5 }),
        ),
        ("e=a=b&t==", json!({ "event_name": "a=b", "page_title": "=" })),
        (
            many.join("&").as_str(),
            json!({ "event_name": "page_view", "params_dropped": 5_000 }),
        ),
        (
            "p.A=1&p.a=2&p.a.b=3&p.dt=4",
            json!({ "event_props": r#"{"A":"1","a":"2","a.b":"3","dt":"4"}"# }),
        ),
        ("t=%252527", json!({ "page_title": "%27" })), // each layer once: log, then form
        ("t=a%252Bb+c", json!({ "page_title": "a+b c" })),
        ("t=%25u0041", json!({ "page_title": "%u0041" })),
    ] {
        let short: String = query.chars().take(40).collect();
        let row = one(&hit(query));
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(row.get(name).unwrap_or(&Value::Null), value, "{short}: {name}");
        }
    }
}

#[test]
fn texts_of_attackers_are_texts() {
    for text in [
        "=cmd()",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\",\"x\":\"",
        "\u{0}",
        "</script><script>",
        "${jndi:ldap://x.example/a}",
        "\u{1b}[31m",
        "\u{202e}abc",
        "a\nb",
        "{\"a\":1}",
        "'; DROP TABLE events; --",
        "\\\"",
        "\u{feff}bom",
        "e\u{301}",
    ] {
        // Form-encoded by the page, then the log's own layer.
        let form = text
            .bytes()
            .map(|byte| format!("%25{byte:02X}"))
            .collect::<Vec<_>>()
            .concat();
        let row = one(&hit(&format!("t={form}&p.k={form}&e=x")));
        some(
            &row,
            &json!({ "page_title": text, "event_name": "x", "params_dropped": null }),
        );
        let props: Map<String, Value> = serde_json::from_str(row["event_props"].as_str().unwrap()).unwrap();
        assert_eq!(props["k"], text);
        let once = text
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<Vec<_>>()
            .concat();
        some(
            &one(&line(&[(Field::CsUserAgent, &once)])),
            &json!({ "user_agent": text }),
        );
    }
}

#[test]
fn texts_past_their_limit_are_cut_and_named() {
    let long = "a".repeat(5_000);
    let row = one(&hit_with(
        &format!("e={long}&t={long}"),
        &[(Field::CsUserAgent, &long)],
    ));
    some(
        &row,
        &json!({
            "event_name": "a".repeat(64), "page_title": "a".repeat(512), "user_agent": "a".repeat(1024),
            "truncated_fields": ["event_name", "page_title", "user_agent"],
        }),
    );
    // The visitor is the whole agent's: another end is another visitor.
    let of = |agent: &str| {
        one(&line(&[(Field::CIp, "192.0.2.1"), (Field::CsUserAgent, agent)]))["visitor_day_id"].clone()
    };
    assert_ne!(of(&format!("{long}x")), of(&format!("{long}y")));
}

#[test]
fn an_id_that_is_none_gives_way_to_the_line() {
    for odd in ["-", "", "x".repeat(1_024).as_str()] {
        let line = line(&[(Field::XEdgeRequestId, odd)]);
        let key = xxh64(&[&line[..], b":0"].concat());
        some(
            &one(&line),
            &json!({ "request_id": null, "event_key": key, "line_hash": xxh64(&line) }),
        );
    }
    some(
        &one(&line(&[(Field::XEdgeRequestId, "' OR 1=1 --")])),
        &json!({ "request_id": "' OR 1=1 --" }),
    );
}

#[test]
fn a_header_cannot_be_forged_by_a_value() {
    let row = one(&line(&[(Field::CsHeaders, "x-a:1%250Asec-gpc:1%0Adnt:0%0A")]));
    some(&row, &json!({ "gpc": null, "dnt": false }));
}

#[test]
fn personal_data_reaches_no_row() {
    let url = "https%253A%252F%252Fcanaryuser%253Acanarypass%2540x.example%252Fu%252Fcanary1%2540mail.example%252Fcanary2%252540mail.example%253Ftoken%253Dcanarytoken%2526email%253Dcanary3%252540mail.example%2526gclid%253Dcanaryclick%2523access_token%253Dcanaryfragment";
    let plain = "https://canaryuser:canarypass@x.example/u/canary1@mail.example?token=canarytoken#id_token=canaryfragment";
    let sets: &[&[(Field, &str)]] = &[
        &[],
        &[(
            Field::CsUriStem,
            "/unsubscribe/canary4@mail.example/canary5%2540mail.example?token=canarytoken",
        )],
    ];
    for set in sets {
        let mut all = vec![
            (Field::CIp, "203.0.113.45"),
            (Field::SIp, "198.51.100.46"),
            (Field::CsCookie, "session=canarycookie"),
            (Field::XForwardedFor, "203.0.113.47,%2010.1.2.48"),
            (Field::CsReferer, plain),
            (Field::CPort, "54321"),
            (
                Field::CsHeaders,
                "cookie:session=canarycookie%0Aauthorization:Bearer%20canarybearer%0Areferer:https://x.example/?canaryreferer%0Ax-real-ip:203.0.113.49%0A",
            ),
        ];
        all.extend_from_slice(set);
        for query in [
            format!("u={url}&r={url}&email=canary6%2540mail.example&token=canarytoken"),
            "e=x".to_owned(),
        ] {
            let row = one(&hit_with(&query, &all)).to_string();
            for canary in ["canary", "203.0.113.45", ".46", ".47", ".48", ".49", "54321"] {
                assert!(!row.contains(canary), "{canary} in {row}");
            }
        }
    }
}

#[derive(serde::Deserialize)]
struct Captured {
    source: String,
    fields: Vec<String>,
    line: String,
}

/// What CloudFront itself wrote, under the field set that was configured then.
#[test]
fn captured_lines_become_the_rows_that_they_describe() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/captured-lines.json");
    let captured: Vec<Captured> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    // Times by `date -u -d @SECONDS`.
    let expected = [
        json!({ "ts_server": "2022-11-21T08:57:49.951Z", "request_path": "/go.js", "bytes_received": 37,
                "edge_location": "HAM50-P2", "time_taken_ms": 421, "edge_result": "RefreshHit", "asn": 3320,
                "ip_prefix": "192.0.2.0/24", "ref_url": "http://localhost:3000/", "ref_host": "localhost",
                "user_agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/107.0.0.0 Safari/537.36",
                "event_name": "request", "request_id": null }),
        json!({ "ts_server": "2022-11-21T08:57:52.064Z", "bytes_received": 69, "time_taken_ms": 16, "event_name": "request",
                "request_path": "/versions/hello-142547c1950316450120405bd85ac243eb2ab0bc.js", "edge_result": "Hit" }),
        json!({ "ts_server": "2022-11-20T18:22:06.477Z", "request_path": "/hello.gif", "event_name": "page_view",
                "page_title": "pv", "page_url": "http://localhost:3000/azure", "page_host": "localhost", "page_path": "/azure",
                "ts_client": "2022-11-20T18:22:06.289Z", "page_lang": "de-DE", "tz_name": "Europe/Berlin",
                "params_dropped": 12, // hn pa ua iw ih ti w h d p m c
                "time_taken_ms": 0, "bytes_received": 319, "ref_url": null }),
        json!({ "ts_server": "2023-12-17T22:43:03.380Z", "ip_prefix": "2001:db8:2328::/48", "ip_version": 6,
                "page_host": "mapthe.cloud", "site_id": "mapthe.cloud", "ref_url": "https://cloudsecdocs.com/", "ref_is_internal": false,
                "edge_location": "SFO53-C1", "asn": 7018, "tz_name": "America/Los_Angeles", "page_lang": "en-US" }),
        json!({ "ts_server": "2022-11-20T20:07:55.161Z", "page_path": "/googlecloud", "page_title": "tr", "params_dropped": 4, // hn pa en pr
                "bytes_received": 124 }),
        json!({ "ts_server": "2020-09-13T18:14:25.895Z", "request_id": "eR3FzjDcwV6Pq1BLuTy94PN9BicI_one9B4tC4ECGWrVfX4UsSBq_Q==",
                "event_name": "request", "bytes_sent": 31126, "bytes_received": 82, "ttfb_ms": 168, "time_taken_ms": 237,
                "http_host": "preview.dashcon.io", "http_version": "HTTP/2.0", "tls_version": "TLSv1.3", "country": "US",
                "accept_language": "en-US", "sec_fetch_site": "same-origin", "sec_fetch_dest": "font",
                "truncated_fields": ["cs_headers"], // `cs-header-names` and `cs-headers-count` tell of a 13th, `cookie`
                "edge_result": "Miss", "edge_detail": null, "utf8_ok": true, "parse_warnings": null }),
    ];
    assert_eq!(captured.len(), expected.len());
    for (captured, expected) in captured.iter().zip(expected) {
        let config = RowConfig {
            fields: FieldSet::parse(&captured.fields.join(",")).unwrap(),
            pixel_paths: vec!["/p.gif".to_owned(), "/hello.gif".to_owned()],
        };
        let rows = read(captured.line.as_bytes(), &config).unwrap();
        assert_eq!(rows.len(), 1, "{}", captured.source);
        some(&Value::Object(rows[0].clone()), &expected);
        // Where nothing is configured to be a pixel of that name, it is still one good row.
        let config = RowConfig {
            fields: config.fields,
            ..RowConfig::default()
        };
        assert_eq!(
            read(captured.line.as_bytes(), &config).unwrap()[0]["event_name"],
            "request"
        );
    }
}

/// A field of what logs, pages and attackers put there.
fn field() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => Just(b"-".to_vec()),
        2 => "([a-zA-Z0-9./:=&%+?#@;,_ -]|%25|%0A|%2|%){0,40}".prop_map(String::into_bytes),
        2 => "(e|s|u|t|r|ts|st|v|b|p\\.a|cur|sw)=(%25[0-9A-F]{2}|[a-z0-9]){0,12}(&(u|r)=https%253A%252F%252F[a-z%@]{0,20})?".prop_map(String::into_bytes),
        1 => "(b=(\\[|\\{|\\}|\\]|,|:|\"e\"|\"x\"|1|null){0,12})".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>().prop_filter("no separator", |&byte| byte != b'\t' && byte != b'\n'), 0..40),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(line in prop::collection::vec(any::<u8>(), 0..400)) {
        // `read` holds every row that comes out against the declared columns.
        drop(read(&line, &RowConfig::default()));
    }

    #[test]
    fn lines_of_any_fields_become_rows_of_declared_columns(
        mut fields in prop::collection::vec(field(), 71),
        hit: bool,
    ) {
        fields[Field::Timestamp as usize] = b"1793487600.123".to_vec();
        if hit {
            let query = fields[Field::CsUriQuery as usize].clone();
            fields[Field::CsUriStem as usize] = [b"/p.gif?", &query[..]].concat();
            fields[Field::CsMethod as usize] = b"GET".to_vec();
            fields[Field::ScStatus as usize] = b"200".to_vec();
        }
        match read(&fields.join(&b'\t'), &RowConfig::default()) {
            Ok(rows) => prop_assert!((1..=100).contains(&rows.len())),
            Err(error) => prop_assert!(hit && error.code().starts_with("batch_"), "{error}"),
        }
    }

    #[test]
    fn a_row_is_a_function_of_its_line(fields in prop::collection::vec(field(), 71)) {
        let line = fields.join(&b'\t');
        prop_assert_eq!(read(&line, &RowConfig::default()), read(&line, &RowConfig::default()));
    }
}
