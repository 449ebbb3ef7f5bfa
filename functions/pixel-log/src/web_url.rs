//! The address of a page or a referrer, split and scrubbed.
//!
//! A URL is where personal data travels unasked: passwords before the host, tokens in the query and behind
//! `#`, e-mail addresses in paths. What leaves here is scheme, host and path; of the query a row takes what
//! is on a list.

use bumpalo::Bump;
use bumpalo::collections::String as BumpString;
use pixel_row::Row;
use pixel_row::table::Text;

use crate::decoding::Decoder;
use crate::log_text::LogText;
use crate::marks::{Marks, is_any};
use crate::scrubbing;

/// A URL in parts.
pub(crate) struct WebUrl<'a> {
    /// The URL that a row may hold: scheme, host, port and path.
    pub(crate) url: &'a str,
    /// Host in lower case and ASCII (RFC 5890); none where the URL has none that is valid.
    pub(crate) host: Text<'a>,
    /// Path as it was sent, scrubbed; `/` where it is empty.
    pub(crate) path: &'a str,
    /// Query, as it was sent: may hold anything.
    pub(crate) query: &'a str,
    /// Fragment, where it is a plain anchor or route.
    pub(crate) fragment: Text<'a>,
}

impl<'a> WebUrl<'a> {
    /// Splits an absolute URL (RFC 3986, appendix B); none where it is not one.
    pub(crate) fn parse(text: &'a str, arena: &'a Bump) -> Option<WebUrl<'a>> {
        let text = text.trim_matches(|c: char| c <= ' ');
        WebUrl::parse_plain(text, arena).or_else(|| WebUrl::parse_any(text, arena))
    }

    /// The usual URL, of which a row may hold the head as it stands: `http` or `https`, a host in lower-case
    /// ASCII without user and port, a path without anything to replace.
    #[inline]
    fn parse_plain(text: &'a str, arena: &'a Bump) -> Option<WebUrl<'a>> {
        let rest = text.strip_prefix("http")?;
        let rest = rest.strip_prefix('s').unwrap_or(rest).strip_prefix("://")?;
        let bytes = rest.as_bytes();
        let host_len = bytes.iter().position(|&byte| !is_plain_host(byte))?;
        let path_end = Marks::new(bytes, is_any([b'?', b'#']))
            .next()
            .unwrap_or(bytes.len());
        let (host, path) = (rest.get(..host_len)?, rest.get(host_len..path_end)?);
        if !path.starts_with('/') || host.is_empty() || host.len() > MAX_HOST {
            return None;
        }
        if !scrubbing::is_clean(path, arena) {
            return None;
        }
        let (query, fragment) = split_tail(rest.get(path_end..)?, arena);
        Some(WebUrl {
            url: text.get(..text.len() - rest.len() + path_end)?,
            host: Some(host),
            path,
            query,
            fragment,
        })
    }

    #[cold]
    fn parse_any(text: &'a str, arena: &'a Bump) -> Option<WebUrl<'a>> {
        let (scheme, rest) = text.split_once(':')?;
        let mut letters = scheme.bytes();
        if !letters.next()?.is_ascii_alphabetic()
            || !letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        {
            return None;
        }
        let rest = rest.strip_prefix("//")?;
        let path_end = rest.find(['?', '#']).unwrap_or(rest.len());
        let (head, tail) = rest.split_at_checked(path_end)?;
        let (query, fragment) = split_tail(tail, arena);
        let (authority, path) = match head.find(['/', '\\']).and_then(|at| head.split_at_checked(at)) {
            Some((authority, path)) => (authority, path),
            None => (head, "/"),
        };
        let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = split_port(host_port);
        let (scheme, host) = (lower(scheme, arena), ascii_host(host, arena));
        let path = scrubbing::segments(path, arena);
        let mut url = BumpString::new_in(arena);
        for part in [scheme, "://", host.unwrap_or_default()] {
            url.push_str(part);
        }
        if let Some(port) = port {
            url.push_str(bumpalo::format!(in arena, ":{}", port).into_bump_str());
        }
        url.push_str(path);
        Some(WebUrl {
            url: url.into_bump_str(),
            host,
            path,
            query,
            fragment,
        })
    }
}

/// The longest host that its column has room for, and DNS too.
const MAX_HOST: usize = Row::max_bytes("page_host");

fn is_plain_host(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
}

/// Query and fragment of what follows the path, each without the sign before it.
fn split_tail<'a>(tail: &'a str, arena: &'a Bump) -> (&'a str, Text<'a>) {
    if tail.is_empty() {
        return ("", None);
    }
    let (query, fragment) = match tail.split_once('#') {
        Some((query, fragment)) => (query, Some(fragment)),
        None => (tail, None),
    };
    let fragment = fragment
        .filter(|fragment| (1..=const { Row::max_bytes("page_fragment") }).contains(&fragment.len()))
        .filter(|fragment| scrubbing::is_plain_anchor(fragment, arena));
    (query.strip_prefix('?').unwrap_or(query), fragment)
}

fn lower<'a>(text: &'a str, arena: &'a Bump) -> &'a str {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let text = arena.alloc_str(text);
        text.make_ascii_lowercase();
        text
    } else {
        text
    }
}

fn split_port(host_port: &str) -> (&str, Option<u16>) {
    match host_port.rsplit_once(':') {
        // The colons of `[2001:db8::1]` belong to the address.
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
        _ => (host_port, None),
    }
}

/// The host in lower-case ASCII. Names in other scripts become punycode, so that a look-alike cannot pass
/// for another name (UTS #46).
fn ascii_host<'a>(host: &'a str, arena: &'a Bump) -> Text<'a> {
    if host.is_empty() || host.len() > MAX_HOST {
        return None;
    }
    if host
        .bytes()
        .all(|byte| is_plain_host(byte) || byte.is_ascii_uppercase())
    {
        return Some(lower(host, arena));
    }
    if host.starts_with('[') {
        let address = host.strip_prefix('[')?.strip_suffix(']')?;
        let ip = address.parse::<std::net::Ipv6Addr>().ok()?;
        return Some(bumpalo::format!(in arena, "[{}]", ip).into_bump_str());
    }
    // A decoder of its own: a host that is not UTF-8 is not a host, and says nothing of the other texts.
    let decoded = Decoder::new(arena).text(LogText::Utf8(host));
    let ascii = idna::domain_to_ascii_strict(decoded).ok()?;
    Some(&*arena.alloc_str(&ascii)).filter(|ascii| !ascii.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// URL, host, path, query and fragment.
    type Parts = (String, Option<String>, String, String, Option<String>);

    fn parts(text: &str) -> Option<Parts> {
        let arena = Bump::new();
        WebUrl::parse(text, &arena).map(|url| owned(&url))
    }

    fn owned(url: &WebUrl<'_>) -> Parts {
        let text = |text: Text<'_>| text.map(str::to_owned);
        (
            url.url.to_owned(),
            text(url.host),
            url.path.to_owned(),
            url.query.to_owned(),
            text(url.fragment),
        )
    }

    fn host(text: &str) -> Option<String> {
        parts(text).unwrap().1
    }

    #[test]
    fn a_url_is_split() {
        let (url, host, path, query, fragment) =
            parts(" HTTPS://Shop.Example:8443/a/b?q=joe&utm_source=x#top\n").unwrap();
        assert_eq!(url, "https://shop.example:8443/a/b");
        assert_eq!(host.as_deref(), Some("shop.example"));
        assert_eq!((path.as_str(), query.as_str()), ("/a/b", "q=joe&utm_source=x"));
        assert_eq!(fragment.as_deref(), Some("top"));
        for (text, url) in [
            ("https://x.example", "https://x.example/"),
            ("https://x.example?a=/b", "https://x.example/"),
            ("https://x.example#/b", "https://x.example/"),
            ("http://x.example:00080/", "http://x.example:80/"),
            ("http://x.example:99999/", "http://x.example/"),
            ("https://x.example\\a/b", "https://x.example\\a/b"),
            ("ftp://x_y.example/a", "ftp://x_y.example/a"),
        ] {
            assert_eq!(parts(text).unwrap().0, url, "{text}");
        }
    }

    #[test]
    fn personal_data_is_dropped() {
        let (url, host, path, _, fragment) =
            parts("https://joe:secret@shop.example/u/joe@mail.example/x?token=abc#access_token=abc").unwrap();
        let everything = format!("{url}{host:?}{path}{fragment:?}");
        for canary in ["joe", "secret", "abc"] {
            assert!(!everything.contains(canary), "{canary}");
        }
        assert_eq!(path, "/u/[email]/x");
        for (given, path) in [
            ("/@joe/1", "/@joe/1"),
            ("/%40joe/1", "/%40joe/1"),
            ("/a@b", "/[email]"),
            ("/a%40b/c", "/[email]/c"),
            ("/x/a%2540b", "/x/[email]"),
            ("/a%20b", "/a%20b"),
        ] {
            let (url, _, found, ..) = parts(&format!("https://x.example{given}")).unwrap();
            assert_eq!((found.as_str(), url), (path, format!("https://x.example{path}")));
        }
        for (fragment, kept) in [
            ("top", true),
            ("/route/2", true),
            ("", false),
            ("a=b", false),
            ("a&b", false),
            ("a@b", false),
            ("a?b", false),
            ("a%40b", false),
            ("a%3Db", false),
            (&"x".repeat(256), true),
            (&"x".repeat(257), false),
        ] {
            let found = parts(&format!("https://x.example/#{fragment}")).unwrap().4;
            assert_eq!(found.is_some(), kept, "{fragment}");
        }
    }

    #[test]
    fn hosts_in_other_scripts_become_punycode() {
        // Punycode values from RFC 3492 tools (`idn`).
        for (text, expected) in [
            ("https://münchen.example/", Some("xn--mnchen-3ya.example")),
            ("https://m%C3%BCnchen.example/", Some("xn--mnchen-3ya.example")),
            ("https://例え.テスト/パス", Some("xn--r8jz45g.xn--zckzah")),
            ("https://[2001:DB8::1]:80/", Some("[2001:db8::1]")),
            ("https://[2001:DB8::1]/", Some("[2001:db8::1]")),
            ("https://[2001:DB8::1/", None),
            ("web+app://com.example/", Some("com.example")),
            ("http:///nohost", None),
            ("https://a b/", None),
            ("android-app://com.example.app/", Some("com.example.app")),
        ] {
            assert_eq!(host(text).as_deref(), expected, "{text}");
        }
        for (len, found) in [(255, true), (256, false)] {
            assert_eq!(host(&format!("https://{}/", "x".repeat(len))).is_some(), found);
            assert_eq!(host(&format!("https://{}/", "X".repeat(len))).is_some(), found);
        }
    }

    #[test]
    fn what_is_no_absolute_url_is_none() {
        for text in [
            "",
            "/path",
            "shop.example/x",
            "javascript:alert(1)",
            "1http://x/",
            "ht_tp://x/",
            "mailto:joe@mail.example",
            "://x",
        ] {
            assert!(parts(text).is_none(), "{text}");
        }
    }

    proptest! {
        /// The short way gives what the long one gives, or leaves the URL to it.
        #[test]
        fn the_usual_url_is_no_special_case(
            text in "https?://([a-z.]{1,5}|[a-zA-Z0-9._:@é-]{0,8})(/|\\\\)?([a-z/@%40 ?#=&.]|%40){0,12}"
        ) {
            let arena = Bump::new();
            if let Some(plain) = WebUrl::parse_plain(&text, &arena) {
                let any = WebUrl::parse_any(&text, &arena).map(|url| owned(&url));
                prop_assert_eq!(Some(owned(&plain)), any);
            }
        }
    }
}
