//! The request headers of a line, split safely.

use std::borrow::Cow;

use crate::decoding;

/// The end of a header in `cs-headers`. It is looked for *before* decoding: a header value may hold an
/// encoded `%0A` of its own (logged as `%250A`) and must not be able to forge a header.
const END: &[u8] = b"%0A";

/// What a row needs of the request headers. The first header of a name counts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RequestHeaders<'a> {
    /// `Accept-Language`.
    pub accept_language: Option<Cow<'a, str>>,
    /// `Sec-Fetch-Site`.
    pub sec_fetch_site: Option<Cow<'a, str>>,
    /// `Sec-Fetch-Dest`.
    pub sec_fetch_dest: Option<Cow<'a, str>>,
    /// `Sec-Purpose`, or its older name `Purpose`.
    pub sec_purpose: Option<Cow<'a, str>>,
    /// `Sec-CH-UA-Platform`, without its quotes.
    pub ch_platform: Option<Cow<'a, str>>,
    /// `Sec-CH-UA-Model`, without its quotes.
    pub ch_model: Option<Cow<'a, str>>,
    /// `Sec-CH-UA-Mobile`.
    pub ch_mobile: Option<bool>,
    /// `Sec-GPC: 1`.
    pub gpc: Option<bool>,
    /// `DNT: 1`.
    pub dnt: Option<bool>,
    /// The list does not end as a whole one does: `CloudFront` cut it at 800 bytes.
    pub cut: bool,
}

impl<'a> RequestHeaders<'a> {
    /// Reads the field `cs-headers` as it stands in the log: `name:value`, joined and ended by `%0A`.
    pub fn parse(field: &'a [u8], utf8_ok: &mut bool) -> RequestHeaders<'a> {
        let mut headers = RequestHeaders::default();
        let mut rest = field;
        while let Some((line, after)) = split_header(rest) {
            headers.read(line, utf8_ok);
            rest = after;
        }
        // What follows the last end is the stump of a header: its value cannot be trusted.
        headers.cut = !rest.is_empty();
        headers
    }

    fn read(&mut self, line: &'a [u8], utf8_ok: &mut bool) {
        let Some((name, value)) = memchr::memchr(b':', line).and_then(|at| line.split_at_checked(at)) else {
            return;
        };
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let text = |utf8_ok: &mut bool| {
            Some(decoding::text(decoding::percent_decode(value), utf8_ok)).filter(|text| !text.is_empty())
        };
        // Lengths first: most headers of a request are none of these.
        match name.len() {
            3 if name.eq_ignore_ascii_case(b"dnt") => set(&mut self.dnt, switch(value)),
            7 if name.eq_ignore_ascii_case(b"sec-gpc") => set(&mut self.gpc, switch(value)),
            7 if name.eq_ignore_ascii_case(b"purpose") => set(&mut self.sec_purpose, text(utf8_ok)),
            11 if name.eq_ignore_ascii_case(b"sec-purpose") => set(&mut self.sec_purpose, text(utf8_ok)),
            14 if name.eq_ignore_ascii_case(b"sec-fetch-site") => {
                set(&mut self.sec_fetch_site, text(utf8_ok));
            }
            14 if name.eq_ignore_ascii_case(b"sec-fetch-dest") => {
                set(&mut self.sec_fetch_dest, text(utf8_ok));
            }
            15 if name.eq_ignore_ascii_case(b"accept-language") => {
                set(&mut self.accept_language, text(utf8_ok).map(primary_language));
            }
            15 if name.eq_ignore_ascii_case(b"sec-ch-ua-model") => {
                set(
                    &mut self.ch_model,
                    text(utf8_ok).map(unquoted).filter(|text| !text.is_empty()),
                );
            }
            16 if name.eq_ignore_ascii_case(b"sec-ch-ua-mobile") => set(
                &mut self.ch_mobile,
                match value {
                    b"?0" => Some(false),
                    b"?1" => Some(true),
                    _ => None,
                },
            ),
            18 if name.eq_ignore_ascii_case(b"sec-ch-ua-platform") => {
                set(
                    &mut self.ch_platform,
                    text(utf8_ok).map(unquoted).filter(|text| !text.is_empty()),
                );
            }
            _ => {}
        }
    }
}

/// The first header, and what follows its end.
fn split_header(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr(b'%', bytes.get(from..)?)?;
        let (head, tail) = bytes.split_at_checked(at)?;
        if let Some((mark, after)) = tail.split_at_checked(END.len())
            && mark.eq_ignore_ascii_case(END)
        {
            return Some((head, after));
        }
        from = at + 1;
    }
}

fn set<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

fn switch(value: &[u8]) -> Option<bool> {
    match value {
        b"1" => Some(true),
        b"0" => Some(false),
        _ => None,
    }
}

/// `de-CH` of `de-CH,de;q=0.9`: the rest of the list tells browsers apart and is not needed.
fn primary_language(list: Cow<'_, str>) -> Cow<'_, str> {
    fn cut(list: &str) -> &str {
        list.split([',', ';']).next().unwrap_or_default().trim()
    }
    match list {
        Cow::Borrowed(list) => Cow::Borrowed(cut(list)),
        Cow::Owned(list) => Cow::Owned(cut(&list).to_owned()),
    }
}

/// The text of a structured-field string (RFC 8941) without its quotes.
fn unquoted(text: Cow<'_, str>) -> Cow<'_, str> {
    fn cut(text: &str) -> &str {
        text.strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(text)
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text)),
        Cow::Owned(text) => Cow::Owned(cut(&text).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(field: &str) -> RequestHeaders<'_> {
        RequestHeaders::parse(field.as_bytes(), &mut true)
    }

    #[test]
    fn headers_are_read_by_name_in_any_case() {
        let headers = parse(
            "Host:shop.example%0Asec-ch-ua-platform:%22Windows%22%0Asec-ch-ua-mobile:?0%0ASec-GPC:1%0Aaccept-language:de-CH,de;q=0.9%0Asec-fetch-site:cross-site%0A",
        );
        assert_eq!(headers.ch_platform.as_deref(), Some("Windows"));
        assert_eq!(headers.ch_mobile, Some(false));
        assert_eq!(headers.gpc, Some(true));
        assert_eq!(headers.dnt, None);
        assert_eq!(headers.accept_language.as_deref(), Some("de-CH"));
        assert_eq!(headers.sec_fetch_site.as_deref(), Some("cross-site"));
        assert!(!headers.cut);
    }

    #[test]
    fn a_value_cannot_forge_a_header() {
        // The viewer sent `x-a: 1%0Asec-gpc:1`; the log encodes its `%`.
        let headers = parse("x-a:1%250Asec-gpc:1%0Adnt:0%0A");
        assert_eq!(headers.gpc, None);
        assert_eq!(headers.dnt, Some(false));
    }

    #[test]
    fn a_cut_list_keeps_its_whole_headers_only() {
        for cut in [
            "sec-gpc:1%0Asec-ch-ua-platform:%22Win",
            "sec-gpc:1%0Aab%0",
            "sec-gpc:1%0A%",
        ] {
            let headers = parse(cut);
            assert!(headers.cut);
            assert_eq!((headers.gpc, headers.ch_platform), (Some(true), None));
        }
        assert_eq!(parse(""), RequestHeaders::default());
        assert_eq!(parse("%0A%0Anocolon%0A"), RequestHeaders::default());
    }

    #[test]
    fn the_first_header_of_a_name_counts() {
        assert_eq!(parse("dnt:1%0Adnt:0%0A").dnt, Some(true));
    }
}
