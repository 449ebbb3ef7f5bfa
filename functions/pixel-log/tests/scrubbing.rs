//! Planted addresses of mail, tokens, numbers of cards and phones reach no row, whatever address they came in and
//! however often it was encoded; ordinary addresses keep their text.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use pixel_log::{FieldSet, RowConfig, RowReader, RowScratch};
use pixel_row::{DeliveryColumns, JsonBuffer, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// So many of each of the four shapes are planted: 10,000 in all.
const PLANTED: usize = 2_500;

/// The rows of a line of this path, query and `Referer`, each as the log writes it but for its own layer.
fn rows(stem: &str, query: &str, referer: &str) -> Vec<String> {
    let now = Timestamp::from_millis(1_793_491_200_000).unwrap();
    let delivery = DeliveryColumns {
        ts_ingested: now,
        ingest_path: "realtime",
        pipeline_version: "9.9.9",
    };
    let reader = RowReader::new(RowConfig {
        fields: FieldSet::parse("timestamp,cs-uri-stem,cs-referer,cs-uri-query").unwrap(),
        ..RowConfig::default()
    });
    let logged = |text: &str| text.replace('%', "%25").replace(' ', "%20");
    let [stem, query, referer] = [stem, query, referer].map(logged);
    let line = format!("1793487600.123\t{stem}\t{referer}\t{query}");
    let (mut rows, mut scratch) = (Vec::new(), RowScratch::default());
    let read = reader.read(
        line.as_bytes(),
        now,
        delivery,
        &mut |_| None,
        &mut scratch,
        |row| {
            let mut json = JsonBuffer::default();
            row.write_json(&mut json);
            rows.push(String::from_utf8(json.bytes().to_vec()).unwrap());
        },
    );
    assert_eq!(read, Ok(rows.len()));
    rows
}

fn row(query: &str) -> Value {
    serde_json::from_str(&rows("/p.gif", query, "-")[0]).unwrap()
}

fn encoded(text: &str, times: usize) -> String {
    (0..times).fold(text.to_owned(), |text, _| {
        utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
    })
}

/// A parameter as the page encodes it.
fn pair(name: &str, value: &str) -> String {
    format!("{name}={}", encoded(value, 1))
}

/// Rows of hits and requests that hold the text, in turn in each place where personal data travels in a URL and with
/// no, one and two layers of encoding of its own, always in the title and in a path of the request.
fn rows_with(text: &str, turn: usize) -> Vec<String> {
    let times = turn % 3;
    let planted = encoded(text, times);
    // Pages encode what they put into a query; a plus that is not encoded is a space.
    let value = encoded(text, times.max(1));
    let url = match turn % 7 {
        0 => format!("https://shop.example/{planted}"),
        1 => format!("https://Shop.example/a/{planted}/b?q={planted}"),
        2 => format!("https://{planted}@shop.example/@{planted}/1"),
        3 => format!("https://shop.example/Joe%20{planted}#{planted}"),
        4 => format!("https://shop.example/#/user/{planted}"),
        5 => format!("https://shop.example/?utm_campaign={value}&email={planted}"),
        _ => format!("https://shop.example/?utm_term=To%20{value}%20today&token={planted}"),
    };
    // Before the `@` of a user's name and password no slash may stand, as the host would end there.
    let url = if turn % 7 == 2 && planted.contains('/') {
        "https://shop.example/".to_owned() + &planted
    } else {
        url
    };
    let batch = json!([{ "u": url, "t": format!("Mail ({text})"), "r": url }, {}]).to_string();
    let mut found = rows("/p.gif", &format!("{}&{}", pair("u", &url), pair("r", &url)), "-");
    found.extend(rows("/p.gif", &pair("b", &batch), &url));
    for row in &found {
        assert!(row.contains(r#""page_host":"shop.example""#), "{row}");
    }
    found.extend(rows("/other", "-", &url));
    assert!(found[3].contains(r#""ref_host":"shop.example""#));
    let title = encoded(text, times.saturating_sub(1));
    found.extend(rows("/p.gif", &pair("t", &title), "-"));
    found.extend(rows(
        "/p.gif",
        &pair("t", &format!("Contact: {title}, or so")),
        "-",
    ));
    // A path of the log has the log's own encoding, and what the viewer sent.
    found.extend(rows(&format!("/unsubscribe/{planted}/now"), "-", "-"));
    assert_eq!(found.len(), 7);
    found
}

/// Plants texts of a shape, each with what of it must reach no row, and looks through the whole rows.
fn none_reaches_a_row(plants: impl Strategy<Value = (String, Vec<String>)>) {
    let mut runner = TestRunner::deterministic();
    for turn in 0..PLANTED {
        let (text, secrets) = plants.new_tree(&mut runner).unwrap().current();
        for mut row in rows_with(&text, turn) {
            for _ in 0..4 {
                for secret in &secrets {
                    assert!(!row.contains(secret), "{secret} of {text} in {row}");
                }
                row = percent_decode_str(&row).decode_utf8_lossy().into_owned();
            }
        }
    }
}

#[test]
fn addresses_of_mail_reach_no_row() {
    let name = prop_oneof![
        "[a-z]{8,12}",
        "[A-Z][a-z]{3,6}[._+-][a-zA-Z0-9]{5,9}",
        "[a-zéüñ]{9,12}",
        "[a-z]{8}'[a-z]{2}"
    ];
    let host = prop_oneof![
        "[a-z]{3,9}\\.example",
        "[a-z0-9]{2,5}-[a-z]{3}\\.(co\\.uk|com|org|io)",
        "[bü]{4}\\.ch",
        "intra"
    ];
    none_reaches_a_row((name, host).prop_map(|(name, host)| (format!("{name}@{host}"), vec![name])));
}

#[test]
fn tokens_reach_no_row() {
    // {"alg":"HS256","typ":"JWT"} and {"sub":"… in base64url.
    let jwt = "[A-Za-z0-9_-]{20,60}".prop_map(|random| {
        let payload = format!("eyJzdWIiOi{random}");
        (
            format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{payload}.{random}"),
            vec![random],
        )
    });
    let secret = prop_oneof![
        "[0-9a-f]{32,64}",
        "[0-9A-F]{16}",
        "[A-Za-z0-9_-]{22,43}",
        "[A-Za-z0-9]{20}[+/][A-Za-z0-9]{21}=",
        // Whatever can be typed, but for what parts texts and addresses.
        "[!$()*^_`{|}~a-z0-9-]{16,24}"
    ];
    let name = prop_oneof![
        Just("token"),
        Just("access_token"),
        Just("id_token"),
        Just("Refresh-Token"),
        Just("csrfToken"),
        Just("secret"),
        Just("client_secret"),
        Just("password"),
        Just("api_key"),
        Just("apikey"),
        Just("auth"),
        Just(";jsessionid"),
        Just("PHPSESSID"),
        Just("session"),
        Just("signature"),
        Just("jwt")
    ];
    let named = (name, prop_oneof![Just("="), Just(":")], secret).prop_map(|(name, sign, secret)| {
        (
            format!("{name}{sign}{secret}"),
            vec![secret[..14].to_owned(), secret[secret.len() - 14..].to_owned()],
        )
    });
    none_reaches_a_row(prop_oneof![jwt, named]);
}

/// The digits and the check digit that makes them right: from the right, every second one counts double.
fn with_check_digit(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            if place.is_multiple_of(2) {
                digit * 2 / 10 + digit * 2 % 10
            } else {
                digit
            }
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[test]
fn the_check_digits_of_the_test_are_those_of_known_numbers() {
    // Numbers for tests that Visa, Mastercard, American Express and Diners publish.
    for number in [
        "4111111111111111",
        "5555555555554444",
        "378282246310005",
        "30569309025904",
    ] {
        assert_eq!(with_check_digit(&number[..number.len() - 1]), number);
    }
}

#[test]
fn numbers_of_cards_reach_no_row() {
    let digits = prop_oneof![
        "4[0-9]{11}",
        "4[0-9]{14}",
        "4[0-9]{17}",
        "5[1-5][0-9]{13}",
        "222[1-9][0-9]{11}",
        "27[01][0-9]{12}",
        "3[47][0-9]{12}",
        "3[0689][0-9]{11}",
        "220[0-4][0-9]{11}",
        "6[0-9]{14,17}"
    ];
    let written = (digits, prop_oneof![Just(""), Just(" "), Just("-")]).prop_map(|(digits, between)| {
        let number = with_check_digit(&digits);
        let groups: Vec<String> = number
            .as_bytes()
            .chunks(4)
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect();
        let text = groups.join(between);
        // The beginning is the bank's; the rest is the person's.
        (text.clone(), vec![text[5..].to_owned(), number[4..].to_owned()])
    });
    none_reaches_a_row(written);
}

#[test]
fn numbers_of_phones_reach_no_row() {
    let number = prop_oneof![
        "\\+[1-9][0-9]{7,14}",
        "\\+1 \\([2-9][0-9]{2}\\) [0-9]{3}-[0-9]{4}",
        "\\+1[-.][2-9][0-9]{2}[-.][0-9]{3}[-.][0-9]{4}",
        "\\+41 [0-9]{2} [0-9]{3} [0-9]{2} [0-9]{2}",
        "\\+44 \\(0\\)20 [0-9]{4} [0-9]{4}",
        "\\+49-[0-9]{2}-[0-9]{6,8}",
    ];
    none_reaches_a_row(number.prop_map(|number| {
        (
            number.clone(),
            vec![number[1..].to_owned(), number[4..].to_owned()],
        )
    }));
}

#[test]
fn custom_properties_and_ids_are_taken_as_they_are() {
    let row = row("p.mail=joe@mail.example&eid=4111111111111111&oid=%2B41791234567&s=a@b");
    assert_eq!(row["event_props"], r#"{"mail":"joe@mail.example"}"#);
    assert_eq!(
        [&row["client_event_id"], &row["order_id"], &row["site_id"]],
        ["4111111111111111", "+41791234567", "a@b"]
    );
}

#[test]
fn a_mark_takes_the_place_of_what_was_found() {
    for (given, path) in [
        ("/@joe@mail.example/1", "/[email]/1"),
        ("/u/Joe%20Miller%20joe%2540mail.example/x", "/u/[email]/x"),
        ("/a/joe@x/b/ann@x/c", "/a/[email]/b/[email]/c"),
        ("/callback;access_token=ab/cd==/e?x", "/[token]"), // a slash may be the token's
        ("/pay/4111-1111-1111-1111/done", "/pay/[card]/done"),
        ("/tel:%2B41%2079%20123%2045%2067", "/[phone]"),
    ] {
        let row = row(&format!(
            "{}&{}",
            pair("u", &format!("https://x.example{given}")),
            pair("r", &format!("https://y.example{given}"))
        ));
        assert_eq!([&row["page_path"], &row["ref_path"]], [path, path]);
        assert_eq!(row["page_url"], format!("https://x.example{path}"));
        assert_eq!(row["ref_url"], format!("https://y.example{path}"));
    }
    for (given, title) in [
        ("Inbox (joe@mail.example) – Mail", "Inbox ([email]) – Mail"),
        (
            "Call +41 79 123 45 67, or +1 (650) 555-1212!",
            "Call [phone], or [phone]!",
        ),
        ("4111 1111 1111 1111 joe%40x", "[card] [email]"),
        (
            "token=a token:12345678 auth:1",
            "token=[token] token:[token] auth:1",
        ),
    ] {
        assert_eq!(row(&pair("t", given))["page_title"], title);
    }
    for (given, campaign) in [
        ("Joe <joe@mail.example> x", "[email]"),
        ("+41791234567", "[phone]"),
        ("a/joe@x", "a/[email]"),
    ] {
        let row = row(&pair("u", &format!("https://x.example/?utm_campaign={given}")));
        assert_eq!(row["utm_campaign"], campaign);
    }
    for fragment in [
        "/user/joe%2540x",
        "token:ab",
        "access_token%3dabc",
        "a%26b",
        "4111111111111111",
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
    ] {
        let row = row(&pair("u", &format!("https://x.example/#{fragment}")));
        assert_eq!(row.get("page_fragment"), None, "{fragment}");
    }
}

/// Paths of ordinary addresses; with a hint why one might be taken for something else.
const ORDINARY: [&str; 44] = [
    "/",
    "/2026/11/25/ten-pixels-you-need-in-2027",
    "/2026-11-25-10-30-00-123456",
    "/20261125103000/20261125103000123",
    "/p/1042",
    "/p/SKU-12345-67890-12345",
    "/artikel/4000-5000-watt",
    "/p/4006381333931", // EAN, no check digit of a card
    "/isbn/9783161484100",
    "/isbn/978-3-16-148410-0",
    "/event/1793487600123",        // milliseconds
    "/status/1793487600123456789", // a post
    "/status/2011111111111111113", // … with the check digit of a card
    "/order/1234567890123452",     // the same, no card begins with 1
    "/commit/da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "/v/550e8400-e29b-41d4-a716-446655440000",
    "/x4111111111111111y", // a part of a longer word
    "/package/@scope/name",
    "/package/@scope%2fname",
    "/npm/@scope/name@1.2.3/dist",
    "/lodash@4.17.21",
    "/react@19.0.0-rc.1",
    "/@joe",
    "/@joe/1",
    "/%40joe/1",
    "/users/@me",
    "/maps/@47.3768866,8.541694,17z",
    "/img/logo@2x.png",
    "/img/logo@3x.webp",
    "/wiki/C++",
    "/wiki/Talk:Berlin",
    "/wiki/Special:Search/a+b+c",
    "/wiki/Session:3",
    "/tokens:overview",
    "/filter;colour=red",
    "/size=42/colour=b%C3%B6",
    "/author=joe/page=2",
    "/de/gr%C3%B6%C3%9Fe-42",
    "/100%25-wool",
    "/search/+2026",
    "/2026-11-25T10:00:00+01:00",
    "/call/0791234567", // no country: anything may have ten digits
    "/eyJ.min.js",
    "/JavaScript/eyJhbGciOiJIUzI1NiJ9",
];

#[test]
fn ordinary_addresses_keep_their_text() {
    for path in ORDINARY {
        let url = format!("https://shop.example{path}");
        let anchor = path.trim_start_matches('/');
        let row = row(&format!(
            "{}&{}&{}",
            pair("u", &format!("{url}?utm_term={}#{anchor}", encoded(path, 1))),
            pair("r", &url),
            pair("t", path)
        ));
        assert_eq!(row["page_url"], url);
        for column in ["page_path", "ref_path", "page_title", "utm_term"] {
            assert_eq!(row[column], path, "{column}");
        }
        // Fragments with a sign of parameters are none, nor those with the name of a secret before a colon.
        let is_anchor = !anchor.is_empty()
            && !anchor.contains(['=', '@'])
            && !anchor.contains("%40")
            && anchor != "wiki/Session:3";
        assert_eq!(
            row.get("page_fragment"),
            is_anchor.then(|| json!(anchor)).as_ref()
        );
        let request: Value = serde_json::from_str(&rows(path, "-", "-")[0]).unwrap();
        assert_eq!(request["request_path"], path);
    }
}

#[test]
fn uuids_dates_and_slugs_keep_their_text() {
    let text = prop_oneof![
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        "(19|20)[0-9]{2}[-/][01][0-9][-/][0-3][0-9][-/][a-z]{1,9}-[0-9]{1,6}",
        "[a-z]{1,9}(-[a-z0-9]{1,9}){0,6}",
        "[a-z]{2,9}-[0-9]{1,12}\\.html",
        "[0-9a-f]{40}",
        "@[a-z0-9_]{1,15}(/[a-z0-9-]{1,20})?",
        "1[0-9]{12,18}",
    ];
    let mut runner = TestRunner::deterministic();
    for _ in 0..PLANTED {
        let path = format!("/{}", text.new_tree(&mut runner).unwrap().current());
        let row = row(&pair("u", &format!("https://shop.example{path}")));
        assert_eq!(row["page_path"], path);
    }
}
