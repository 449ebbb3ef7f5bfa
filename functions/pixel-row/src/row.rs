//! The columns of `events_landed`. This declaration is the only one: the JSON line, the Parquet schema, the
//! Glue table and the column reference come from it. Changes only add, at the end of a group or of the table.

use crate::table::{Bigint, Boolean, Int, Names, Text, Time, table};

/// The version of this declaration, in the column `schema_version`: goes up when columns are added.
pub const SCHEMA_VERSION: i32 = 1;

table! {
    /// One row of the table: an event of a pixel, or a request for another path.
    ///
    /// It is a function of the log line and the configuration; only the delivery columns, the last group,
    /// are not. There is no `Debug`: rows hold what people typed.
    Row;

    "Keys and processing" {
        request_id: Text<'a>[200], Technical, "", "The edge's id of the request, as logged; may be missing";
        batch_index: Int, Technical, "from 0", "Place of the event in a hit that carries several";
        event_key: Bigint, Technical, "XXH64", "Hash of `request_id`, `:` and `batch_index`; of the raw line in place of a missing id. Rows with one key, `ts_server` and hour are one event";
        line_hash: Bigint, Technical, "XXH64", "Hash of the raw line without its line end. One `event_key` with two of them is a conflict";
        client_event_id: Text<'a>[128], Technical, "", "The page's own id of the event; data, never a key";
        site_id: Text<'a>[255], Commercial, "", "Parameter `s`, else the host of the page";
        schema_version: Int, Technical, "", "Version of this list of columns";
        truncated_fields: Names, Technical, "column names", "Columns whose text was longer than its limit, and `cs_headers` where CloudFront cut the header list";
        parse_warnings: Names, Technical, "column names", "Columns whose value was there but could not be read";
        params_dropped: Int, Technical, "parameters", "Parameters of the pixel that are not on the list, repeated, or too many";
        utf8_ok: Boolean, Technical, "", "False where some text was not UTF-8 and holds replacement characters";
    }
    "Time" {
        ts_server: Time, Technical, "UTC, ms", "When the edge finished the answer: the clock of the lake";
        ts_client: Time, Technical, "UTC, ms", "When the event happened, by the page's clock; of 2010 or later";
        ts_client_sent: Time, Technical, "UTC, ms", "When the page sent it, by the page's clock; of 2010 or later";
        ts_event: Time, Technical, "UTC, ms", "When the event happened, by the server's clock: `ts_server` less the time that the page held it back";
        clock_skew_ms: Bigint, Technical, "ms", "How far the page's clock is ahead of the server's, transit included";
        tz_name: Text<'a>[64], Quasi, "IANA name", "Time zone of the page";
    }
    "Event" {
        event_name: Text<'a>[64], Technical, "", "Parameter `e`; `page_view` without it; `request` for what is not a pixel hit";
        event_props: Text<'a>[8192], Commercial, "JSON object of texts", "Custom properties `p.NAME`, as sent: nothing is scrubbed";
        page_view_id: Text<'a>[128], Technical, "", "The page's own id of the page view";
    }
    "Page" {
        page_url: Text<'a>[2048], Quasi, "URL", "Address of the page: scheme, host, port and path, scrubbed";
        page_host: Text<'a>[255], Quasi, "ASCII", "Host of the page, in lower case and punycode";
        page_path: Text<'a>[1024], Quasi, "", "Path of the page, as sent, scrubbed";
        page_fragment: Text<'a>[256], Quasi, "", "Fragment of the page, where it is a plain anchor and holds nothing that is scrubbed";
        page_title: Text<'a>[512], Quasi, "", "Title of the page, scrubbed";
        page_lang: Text<'a>[35], Technical, "BCP 47", "Language of the page";
        page_source: Text<'a>[16], Technical, "`param` or `referer_header`", "Where the address of the page was found";
    }
    "Referrer and campaign" {
        ref_url: Text<'a>[2048], Quasi, "URL", "Where the visitor came from: scheme, host, port and path, scrubbed";
        ref_host: Text<'a>[255], Quasi, "ASCII", "Host of the referrer";
        ref_path: Text<'a>[1024], Quasi, "", "Path of the referrer, scrubbed";
        ref_is_internal: Boolean, Technical, "", "Whether page and referrer have one host";
        utm_source: Text<'a>[255], Commercial, "", "`utm_source` of the page, scrubbed";
        utm_medium: Text<'a>[255], Commercial, "", "`utm_medium` of the page, scrubbed";
        utm_campaign: Text<'a>[255], Commercial, "", "`utm_campaign` of the page, scrubbed";
        utm_term: Text<'a>[255], Commercial, "", "`utm_term` of the page, scrubbed";
        utm_content: Text<'a>[255], Commercial, "", "`utm_content` of the page, scrubbed";
        utm_id: Text<'a>[255], Commercial, "", "`utm_id` of the page, scrubbed";
        click_id_network: Text<'a>[16], Commercial, "", "Ad network whose click id the page's address carried; the id itself is dropped";
    }
    "Identity and consent" {
        visitor_day_id: Text<'a>[32], Pseudonym, "hex", "Keyed hash of the day's salt over site, address and user agent; another one each day; none under GPC or DNT, nor where one of them may be in the lost part of the header list";
        gpc: Boolean, Technical, "", "Header `Sec-GPC`";
        dnt: Boolean, Technical, "", "Header `DNT`";
    }
    "Network and edge" {
        ip_prefix: Text<'a>[64], Quasi, "CIDR", "Network of the viewer: /24 of IPv4, /48 of IPv6";
        ip_version: Int, Technical, "4 or 6", "Version of the viewer's address";
        asn: Bigint, Quasi, "", "Autonomous system of the viewer";
        country: Text<'a>[2], Quasi, "ISO 3166-1", "Country of the viewer";
        edge_location: Text<'a>[32], Technical, "", "Edge location that answered";
        edge_result: Text<'a>[64], Technical, "", "How the edge judged the answer, after its last byte";
        edge_detail: Text<'a>[64], Technical, "", "The same with the kind of an error; absent where it says no more";
        http_method: Text<'a>[16], Technical, "", "Method of the request";
        http_status: Int, Technical, "", "Status of the answer; 0 where the viewer left before it";
        http_version: Text<'a>[16], Technical, "", "Version of the protocol";
        http_scheme: Text<'a>[16], Technical, "", "`https`, `http` …";
        http_host: Text<'a>[255], Technical, "", "`Host` header, as the viewer sent it";
        request_path: Text<'a>[1024], Technical, "", "Path of the request, without its query, scrubbed";
        bytes_sent: Bigint, Technical, "bytes", "To the viewer, headers included";
        bytes_received: Bigint, Technical, "bytes", "From the viewer, headers included";
        time_taken_ms: Int, Technical, "ms", "From the request to the last byte of the answer";
        ttfb_ms: Int, Technical, "ms", "From the request to the first byte of the answer";
        tls_version: Text<'a>[16], Technical, "", "Version of TLS";
    }
    "User agent and headers" {
        user_agent: Text<'a>[1024], Quasi, "", "`User-Agent` header";
        accept_language: Text<'a>[35], Quasi, "", "First language of `Accept-Language`";
        sec_fetch_site: Text<'a>[16], Technical, "", "Header `Sec-Fetch-Site`";
        sec_fetch_dest: Text<'a>[32], Technical, "", "Header `Sec-Fetch-Dest`";
        sec_purpose: Text<'a>[64], Technical, "", "Header `Sec-Purpose` or `Purpose`: prefetches say so here";
        ch_platform: Text<'a>[64], Quasi, "", "Header `Sec-CH-UA-Platform`";
        ch_mobile: Boolean, Quasi, "", "Header `Sec-CH-UA-Mobile`";
        ch_model: Text<'a>[64], Quasi, "", "Header `Sec-CH-UA-Model`";
    }
    "Screen" {
        screen_w: Int, Quasi, "CSS pixels", "Width of the screen";
        screen_h: Int, Quasi, "CSS pixels", "Height of the screen";
        viewport_w: Int, Quasi, "CSS pixels", "Width of the viewport";
        viewport_h: Int, Quasi, "CSS pixels", "Height of the viewport";
    }
    "Commerce" {
        value_micros: Bigint, Commercial, "millionths", "Parameter `v`, exact; the view `events` has it as the decimal `value`";
        currency: Text<'a>[3], Commercial, "ISO 4217", "Currency of the value";
        order_id: Text<'a>[128], Commercial, "", "Id of the order";
    }
    "Advertising" {
        ad_impression_id: Text<'a>[128], Commercial, "", "Id of the impression";
        ad_click_id: Text<'a>[128], Commercial, "", "Id of the click";
        ad_conversion_id: Text<'a>[128], Commercial, "", "Id of the conversion";
        ad_campaign_id: Text<'a>[128], Commercial, "", "Campaign";
        ad_line_id: Text<'a>[128], Commercial, "", "Line item";
        ad_creative_id: Text<'a>[128], Commercial, "", "Creative";
        ad_placement_id: Text<'a>[128], Commercial, "", "Placement";
        ad_advertiser_id: Text<'a>[128], Commercial, "", "Advertiser";
        ad_publisher_id: Text<'a>[128], Commercial, "", "Publisher";
        ad_cost_model: Text<'a>[16], Commercial, "`cpm`, `cpc`, `cpa`", "What is paid for";
    }
    "Delivery" {
        ts_ingested: Time, Technical, "UTC, ms", "When this delivery was made; the latest of one event counts";
        ingest_path: Text<'a>[16], Technical, "`realtime` or `file`", "The way that the line took";
        pipeline_version: Text<'a>[32], Technical, "", "Version of pixlake that made the row";
    }
}

impl Row<'_> {
    /// Cuts texts to their columns' limits and notes which were cut.
    pub fn cut(&mut self) {
        let mut cut = std::mem::take(&mut self.truncated_fields);
        self.cut_texts(&mut |column| cut.push(column));
        self.truncated_fields = cut;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::column::ColumnType;
    use crate::json::JsonBuffer;
    use crate::{Cell, Document, Documents, Timestamp};

    #[test]
    fn names_are_lower_case_once_and_no_trap() {
        let mut seen = HashSet::new();
        for column in Row::COLUMNS {
            assert!(
                column
                    .name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            );
            assert!(seen.insert(column.name), "{} twice", column.name);
            // Reserved words of Athena and the partition columns of the table.
            assert!(!["timestamp", "date", "dt", "hour"].contains(&column.name));
            assert_eq!(
                column.max_bytes > 0,
                column.column_type == ColumnType::String,
                "{}",
                column.name
            );
            assert!(!column.doc.is_empty());
        }
    }

    #[test]
    fn a_row_is_one_compact_object_without_absent_values() {
        let mut out = JsonBuffer::default();
        out.push(b' ');
        let row = Row {
            request_id: Some("a\"b"),
            batch_index: Some(0),
            truncated_fields: ["page_title"].into_iter().collect(),
            utf8_ok: Some(true),
            ..Row::default()
        };
        row.write_json(&mut out);
        assert_eq!(
            std::str::from_utf8(out.bytes()).unwrap(),
            r#" {"request_id":"a\"b","batch_index":0,"truncated_fields":["page_title"],"utf8_ok":true}"#
        );
        let mut empty = JsonBuffer::default();
        Row::default().write_json(&mut empty);
        assert_eq!(empty.bytes(), b"{}");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let time = Timestamp::from_millis(1_793_491_200_123).unwrap();
        let row = Row {
            request_id: Some("a\"b\n"),
            batch_index: Some(-7),
            event_key: Some(i64::MIN),
            truncated_fields: ["page_title", "user_agent"].into_iter().collect(),
            utf8_ok: Some(false),
            ts_server: Some(time),
            // The same day again, another day, and the first one once more: a day's text is kept.
            ts_client: Some(time.plus_millis(1)),
            ts_client_sent: Some(time.plus_millis(-86_400_000)),
            ts_event: Some(time),
            user_agent: Some("é"),
            ..Row::default()
        };
        let mut json = JsonBuffer::default();
        row.write_json(&mut json);
        let mut documents = Documents::new(Row::COLUMNS, json.bytes());
        let Some(Document::Row { cells, .. }) = documents.next() else {
            panic!("a row")
        };
        let found = Row::COLUMNS
            .iter()
            .zip(cells)
            .filter(|(_, cell)| **cell != Cell::Null);
        let found: Vec<(&str, Cell<'_>)> = found.map(|(column, cell)| (column.name, cell.clone())).collect();
        let texts = |texts: [&'static str; 2]| Cell::Texts(texts.map(|text| Some(text.into())).to_vec());
        let expected = [
            ("request_id", Cell::Text("a\"b\n".into())),
            ("batch_index", Cell::Int(-7)),
            ("event_key", Cell::Bigint(i64::MIN)),
            ("truncated_fields", texts(["page_title", "user_agent"])),
            ("utf8_ok", Cell::Boolean(false)),
            ("ts_server", Cell::Timestamp(time)),
            ("ts_client", Cell::Timestamp(time.plus_millis(1))),
            ("ts_client_sent", Cell::Timestamp(time.plus_millis(-86_400_000))),
            ("ts_event", Cell::Timestamp(time)),
            ("user_agent", Cell::Text("é".into())),
        ];
        assert_eq!(found, expected);
        assert!(documents.next().is_none());
    }

    #[test]
    fn long_texts_are_cut_at_a_character_and_noted() {
        let name = "x".repeat(65);
        let mut row = Row {
            country: Some("D€"),
            event_name: Some(&name),
            currency: Some("CHF"), // as long as it may be
            ..Row::default()
        };
        row.cut();
        assert_eq!(row.currency, Some("CHF"));
        assert_eq!(row.country, Some("D"));
        assert_eq!(row.event_name.map(str::len), Some(64));
        assert_eq!(row.truncated_fields.as_slice(), ["event_name", "country"]);
    }
}
