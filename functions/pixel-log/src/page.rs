//! The page and the referrer of an event: the columns that follow from two addresses.

use bumpalo::Bump;
use pixel_row::Row;
use pixel_row::table::Text;

use crate::decoding::Decoder;
use crate::log_text::LogText;
use crate::pairs::{Pair, Pairs};
use crate::scrubbing;
use crate::web_url::WebUrl;

/// Takes the addresses that the event names apart, the page's and the referrer's; the header `Referer` is the
/// page where the event names none.
pub(crate) fn read<'a>(row: &mut Row<'a>, referer: Text<'a>, decoder: &Decoder<'a>) {
    let named = row.page_url.take();
    let from = row.ref_url.take();
    let source = if named.is_some() {
        "param"
    } else {
        "referer_header"
    };
    if let Some(text) = named.or(referer) {
        match WebUrl::parse(text, decoder.arena) {
            Some(page) => set_page(row, &page, source, decoder),
            None => row.parse_warnings.push("page_url"),
        }
    }
    if from.is_some() && !set_referrer(row, from, decoder.arena) {
        row.parse_warnings.push("ref_url");
    }
}

/// Takes the referrer's address apart, if it is one.
pub(crate) fn set_referrer<'a>(row: &mut Row<'a>, from: Text<'a>, arena: &'a Bump) -> bool {
    let Some(from) = from.and_then(|text| WebUrl::parse(text, arena)) else {
        return false;
    };
    row.ref_url = Some(from.url);
    row.ref_host = from.host;
    row.ref_path = Some(from.path);
    row.ref_is_internal = row.page_host.zip(from.host).map(|(page, from)| page == from);
    true
}

fn set_page<'a>(row: &mut Row<'a>, page: &WebUrl<'a>, source: &'static str, decoder: &Decoder<'a>) {
    row.page_url = Some(page.url);
    row.page_host = page.host;
    row.page_path = Some(page.path);
    row.page_fragment = page.fragment;
    row.page_source = Some(source);
    row.site_id = row.site_id.or(page.host);
    if page.query.is_empty() {
        return;
    }
    for Pair { name, value } in Pairs::of(LogText::Utf8(page.query)) {
        let LogText::Utf8(name) = name.text else { continue };
        if let Some(column) = campaign_column(row, name) {
            if column.is_none() && !value.text.is_empty() {
                let text = decoder.form_text(value.text, value.first_escape);
                *column = Some(scrubbing::segments(text, decoder.arena));
            }
        } else if row.click_id_network.is_none() {
            row.click_id_network = click_id_network(name);
        }
    }
}

/// The column of a query parameter of the page that a row may hold: the campaign's. What a site puts into
/// others may be anything, an address or a token too.
fn campaign_column<'r, 'a>(row: &'r mut Row<'a>, name: &str) -> Option<&'r mut Text<'a>> {
    Some(match name {
        "utm_source" => &mut row.utm_source,
        "utm_medium" => &mut row.utm_medium,
        "utm_campaign" => &mut row.utm_campaign,
        "utm_term" => &mut row.utm_term,
        "utm_content" => &mut row.utm_content,
        "utm_id" => &mut row.utm_id,
        _ => return None,
    })
}

/// The network that appends a click id of this name. The id itself points at a person and is dropped; that
/// there was one is kept.
fn click_id_network(name: &str) -> Text<'static> {
    Some(match name {
        "gclid" | "gbraid" | "wbraid" | "dclid" => "google",
        "msclkid" => "microsoft",
        "fbclid" => "meta",
        "ttclid" => "tiktok",
        "twclid" => "x",
        "li_fat_id" => "linkedin",
        "epik" => "pinterest",
        "ScCid" => "snapchat",
        "rdt_cid" => "reddit",
        "yclid" => "yandex",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a page whose address has this query, and looks at its row.
    fn with_page<T>(query: &str, look: impl FnOnce(&Row<'_>) -> T) -> T {
        let arena = Bump::new();
        let address = format!("https://page.example/?{query}");
        let mut row = Row::default();
        read(&mut row, Some(&address), &Decoder::new(&arena));
        look(&row)
    }

    #[test]
    fn each_campaign_parameter_has_its_column() {
        let all = "utm_id=i&utm_content=c&utm_term=t&utm_campaign=n&utm_medium=m&utm_source=s";
        with_page(all, |row| {
            assert_eq!(row.utm_source, Some("s"));
            assert_eq!(row.utm_medium, Some("m"));
            assert_eq!(row.utm_campaign, Some("n"));
            assert_eq!(row.utm_term, Some("t"));
            assert_eq!(row.utm_content, Some("c"));
            assert_eq!(row.utm_id, Some("i"));
        });
    }

    #[test]
    fn the_first_campaign_that_says_something_counts() {
        for (query, source) in [
            ("utm_source=a&utm_source=b", Some("a")),
            ("utm_source=&utm_source&utm_source=b&utm_source=c", Some("b")),
            ("utm_source=", None),
            ("utm_sources=a&UTM_SOURCE=b", None),
        ] {
            with_page(query, |row| assert_eq!(row.utm_source, source, "{query}"));
        }
    }

    #[test]
    fn each_click_id_tells_its_network_and_the_first_counts() {
        for (query, network) in [
            ("gclid=1", Some("google")),
            ("gbraid=1", Some("google")),
            ("wbraid=1", Some("google")),
            ("dclid=1", Some("google")),
            ("msclkid=1", Some("microsoft")),
            ("fbclid=1", Some("meta")),
            ("ttclid=1", Some("tiktok")),
            ("twclid=1", Some("x")),
            ("li_fat_id=1", Some("linkedin")),
            ("epik=1", Some("pinterest")),
            ("ScCid=1", Some("snapchat")),
            ("rdt_cid=1", Some("reddit")),
            ("yclid=1", Some("yandex")),
            ("clid=1", None),
            ("a=1&fbclid=1&utm_id=1&gclid=1", Some("meta")),
            ("gclid=1&fbclid=1", Some("google")),
        ] {
            with_page(query, |row| assert_eq!(row.click_id_network, network, "{query}"));
        }
    }
}
