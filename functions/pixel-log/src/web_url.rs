//! The address of a page or a referrer, split and scrubbed.
//!
//! A URL is where personal data travels unasked: passwords before the host, tokens in the query and behind
//! `#`, e-mail addresses in paths. What leaves here is scheme, host, path and an allow-list of query
//! parameters; the rest is dropped.

use std::borrow::Cow;

use crate::decoding;

/// Query parameters of a page that a row may hold: the campaign's. What a site puts into others may be
/// anything, an address or a token too.
pub const KEPT_QUERY: &[&str] = &[
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
];

/// Click ids and the networks that append them. The id itself points at a person and is dropped; that there
/// was one is kept.
const CLICK_IDS: &[(&str, &str)] = &[
    ("gclid", "google"),
    ("gbraid", "google"),
    ("wbraid", "google"),
    ("dclid", "google"),
    ("msclkid", "microsoft"),
    ("fbclid", "meta"),
    ("ttclid", "tiktok"),
    ("twclid", "x"),
    ("li_fat_id", "linkedin"),
    ("epik", "pinterest"),
    ("ScCid", "snapchat"),
    ("rdt_cid", "reddit"),
    ("yclid", "yandex"),
];

/// A URL in parts, borrowed where it could be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebUrl<'a> {
    /// Scheme in lower case.
    pub scheme: Cow<'a, str>,
    /// Host in lower case and ASCII (RFC 5890); none where the URL has none that is valid.
    pub host: Option<Cow<'a, str>>,
    /// Port, where the URL names one.
    pub port: Option<u16>,
    /// Path as it was sent, e-mail addresses replaced; `/` where it is empty.
    pub path: Cow<'a, str>,
    /// Fragment, where it is a plain anchor or route.
    pub fragment: Option<&'a str>,
    /// Kept query parameters, decoded, the first of each name.
    pub query: Vec<(&'static str, Cow<'a, str>)>,
    /// The network whose click id the query carries.
    pub click_id_network: Option<&'static str>,
    /// Whether a kept parameter was no UTF-8 and holds replacement characters.
    pub replaced: bool,
}

impl<'a> WebUrl<'a> {
    /// Splits an absolute URL (RFC 3986, appendix B); none where it is not one.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<WebUrl<'a>> {
        let (scheme, rest) = text.trim_matches(|c: char| c <= ' ').split_once(':')?;
        let mut letters = scheme.bytes();
        if !letters.next()?.is_ascii_alphabetic()
            || !letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        {
            return None;
        }
        let rest = rest.strip_prefix("//")?;
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (rest, None),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match rest.find(['/', '\\']).and_then(|at| rest.split_at_checked(at)) {
            Some((authority, path)) => (authority, path),
            None => (rest, "/"),
        };
        let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = split_port(host_port);
        let mut url = WebUrl {
            scheme: lower(scheme),
            host: ascii_host(host),
            port,
            path: scrub_path(path),
            fragment: fragment.filter(|fragment| is_plain_anchor(fragment)),
            ..WebUrl::default()
        };
        url.read_query(query);
        Some(url)
    }

    fn read_query(&mut self, query: &'a str) {
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let Some(kept) = KEPT_QUERY.iter().find(|kept| **kept == name) {
                if !value.is_empty() && self.param(kept).is_none() {
                    let mut utf8_ok = true;
                    let value = decoding::text(decoding::form_decode(value.as_bytes()), &mut utf8_ok);
                    self.replaced |= !utf8_ok;
                    self.query.push((kept, value));
                }
            } else if self.click_id_network.is_none() {
                self.click_id_network = CLICK_IDS
                    .iter()
                    .find(|(id, _)| *id == name)
                    .map(|(_, network)| *network);
            }
        }
    }

    /// The value of a kept query parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&Cow<'a, str>> {
        self.query
            .iter()
            .find(|(kept, _)| *kept == name)
            .map(|(_, value)| value)
    }

    /// The URL that a row may hold: scheme, host, port and path.
    #[must_use]
    pub fn scrubbed(&self) -> String {
        let host = self.host.as_deref().unwrap_or_default();
        let mut text = String::with_capacity(self.scheme.len() + host.len() + self.path.len() + 10);
        text.push_str(&self.scheme);
        text.push_str("://");
        text.push_str(host);
        if let Some(port) = self.port {
            text.push(':');
            text.push_str(&port.to_string());
        }
        text.push_str(&self.path);
        text
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
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
fn ascii_host(host: &str) -> Option<Cow<'_, str>> {
    if host.is_empty() || host.len() > 255 {
        return None;
    }
    if host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    {
        return Some(lower(host));
    }
    if host.starts_with('[') {
        let address = host.strip_prefix('[')?.strip_suffix(']')?;
        return address
            .parse::<std::net::Ipv6Addr>()
            .ok()
            .map(|ip| Cow::Owned(format!("[{ip}]")));
    }
    let decoded = decoding::text(decoding::percent_decode(host.as_bytes()), &mut true);
    let ascii = idna::domain_to_ascii_strict(&decoded).ok()?;
    Some(ascii).filter(|ascii| !ascii.is_empty()).map(Cow::Owned)
}

/// The path with every segment that looks like an e-mail address replaced. `/@name` is a profile, no address.
pub(crate) fn scrub_path(path: &str) -> Cow<'_, str> {
    let at_sign = |segment: &str| {
        segment
            .find('@')
            .or_else(|| segment.find("%40"))
            .or_else(|| segment.find("%2540")) // encoded once more by a page that did not look
            .is_some_and(|at| at > 0)
    };
    // Most paths hold neither sign, and looking for one byte is quick.
    if memchr::memchr2(b'@', b'%', path.as_bytes()).is_none() || !path.split('/').any(at_sign) {
        return Cow::Borrowed(path);
    }
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| if at_sign(segment) { "[email]" } else { segment })
        .collect();
    Cow::Owned(segments.join("/"))
}

/// Whether a fragment names a place in the page. Tokens travel there too, as `name=value`.
fn is_plain_anchor(fragment: &str) -> bool {
    !fragment.is_empty()
        && fragment.len() <= 256
        && !fragment.contains(['=', '&', '@', '?'])
        && !fragment.contains("%40")
        && !fragment.contains("%3D")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> WebUrl<'_> {
        WebUrl::parse(text).unwrap()
    }

    #[test]
    fn a_url_is_split() {
        let url = parse("HTTPS://Shop.Example:8443/a/b?utm_source=news+letter&q=joe&utm_source=x#top");
        assert_eq!(url.scheme, "https");
        assert_eq!(url.host.as_deref(), Some("shop.example"));
        assert_eq!(url.port, Some(8443));
        assert_eq!(url.path, "/a/b");
        assert_eq!(url.fragment, Some("top"));
        assert_eq!(url.param("utm_source").unwrap(), "news letter");
        assert_eq!(url.scrubbed(), "https://shop.example:8443/a/b");
    }

    #[test]
    fn personal_data_is_dropped() {
        let url = parse(
            "https://joe:secret@shop.example/u/joe@mail.example/x?token=abc&email=joe%40mail.example&gclid=Cj0K#access_token=abc",
        );
        let everything = format!("{url:?}{}", url.scrubbed());
        for canary in ["joe", "secret", "abc", "Cj0K"] {
            assert!(!everything.contains(canary), "{canary}");
        }
        assert_eq!(url.path, "/u/[email]/x");
        assert_eq!(url.click_id_network, Some("google"));
        assert_eq!(parse("https://social.example/@joe/1").path, "/@joe/1");
    }

    #[test]
    fn hosts_in_other_scripts_become_punycode() {
        // Punycode values from RFC 3492 tools (`idn`).
        for (text, host) in [
            ("https://münchen.example/", Some("xn--mnchen-3ya.example")),
            ("https://m%C3%BCnchen.example/", Some("xn--mnchen-3ya.example")),
            ("https://例え.テスト/パス", Some("xn--r8jz45g.xn--zckzah")),
            ("https://[2001:DB8::1]:80/", Some("[2001:db8::1]")),
            ("http:///nohost", None),
            ("https://a b/", None),
            ("android-app://com.example.app/", Some("com.example.app")),
        ] {
            assert_eq!(parse(text).host.as_deref(), host, "{text}");
        }
        assert!(parse(&format!("https://{}/", "x".repeat(300))).host.is_none());
    }

    #[test]
    fn what_is_no_absolute_url_is_none() {
        for text in [
            "",
            "/path",
            "shop.example/x",
            "javascript:alert(1)",
            "1http://x/",
            "mailto:joe@mail.example",
            "://x",
        ] {
            assert!(WebUrl::parse(text).is_none(), "{text}");
        }
        assert_eq!(parse("https://x.example").path, "/");
        assert_eq!(parse("https://x.example?utm_id=1").param("utm_id").unwrap(), "1");
    }
}
