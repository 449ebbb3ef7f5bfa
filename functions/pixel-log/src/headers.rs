//! The request headers of a line, split safely.

use pixel_row::table::{Boolean, Text};
use pixel_row::timestamp::whole_number;

use crate::decoding::Decoder;
use crate::fields::Field;
use crate::line::LogLine;
use crate::log_text::LogText;
use crate::marks::{Marks, is};

/// Bytes of `%0A`, the end of a header in `cs-headers` and of a name in `cs-header-names`. It is looked for
/// *before* decoding: a header value may hold an encoded `%0A` of its own (logged as `%250A`) and must not be
/// able to forge a header.
const END_LEN: usize = "%0A".len();

/// The longest name of a header that a row needs: `sec-ch-ua-platform`.
const MAX_NAME: usize = 18;

/// What a row needs of the request headers. The first header of a name counts.
#[derive(Default)]
pub(crate) struct RequestHeaders<'a> {
    /// `Accept-Language`, its first language.
    pub(crate) accept_language: Text<'a>,
    /// `Sec-Fetch-Site`.
    pub(crate) sec_fetch_site: Text<'a>,
    /// `Sec-Fetch-Dest`.
    pub(crate) sec_fetch_dest: Text<'a>,
    /// `Sec-Purpose`, or its older name `Purpose`.
    pub(crate) sec_purpose: Text<'a>,
    /// `Sec-CH-UA-Platform`, without its quotes.
    pub(crate) ch_platform: Text<'a>,
    /// `Sec-CH-UA-Model`, without its quotes.
    pub(crate) ch_model: Text<'a>,
    /// `Sec-CH-UA-Mobile`.
    pub(crate) ch_mobile: Boolean,
    /// `Sec-GPC`.
    pub(crate) gpc: Switch,
    /// `DNT`.
    pub(crate) dnt: Switch,
    /// What `CloudFront` left out of the list, if anything.
    pub(crate) lost: LostHeaders,
}

/// A header by which a browser refuses to be followed: `1`. It may come twice, and then one refusal counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Switch {
    /// Whether the list has the header, whatever it says.
    listed: bool,
    /// What it says.
    pub(crate) is_on: Boolean,
}

impl Switch {
    fn take(&mut self, value: &str) {
        self.listed = true;
        // Headers that came twice may have been joined by commas on the way (RFC 9110, section 5.3).
        for value in value.split(',') {
            match value.trim() {
                "1" => self.is_on = Some(true),
                "0" => self.is_on = self.is_on.or(Some(false)),
                _ => {}
            }
        }
    }
}

/// What is known of the headers that `CloudFront` left out of `cs-headers`.
///
/// The field ends near 800 decoded bytes, sometimes within a header, mostly between two: then it looks whole.
/// `cs-header-names` and `cs-headers-count` tell what is missing, as far as they are configured; the names
/// end near 800 bytes themselves. Where neither field is configured, a list that was cut between two headers
/// cannot be told from a whole one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LostHeaders {
    /// Some were left out.
    pub(crate) any: bool,
    /// `Sec-GPC` or `DNT` is among them, or cannot be ruled out.
    pub(crate) refusal: bool,
}

impl<'a> RequestHeaders<'a> {
    /// Reads `cs-headers`, and from the two fields beside it what is missing there.
    pub(crate) fn read(line: &LogLine<'a>, decoder: &Decoder<'a>) -> RequestHeaders<'a> {
        let mut headers = RequestHeaders::default();
        let list = line.field(Field::CsHeaders);
        let mut listed = Headers::of(list);
        let mut found = 0;
        for header in &mut listed {
            headers.take(header, decoder);
            found += 1;
        }
        headers.lost = headers.lost(line, found, listed.has_stump());
        headers
    }

    fn lost(&self, line: &LogLine<'a>, found: u64, stump: bool) -> LostHeaders {
        let configured = line.has(Field::CsHeaders);
        let count = line
            .bytes(Field::CsHeadersCount)
            .and_then(whole_number)
            .and_then(|count| u64::try_from(count).ok());
        if configured && !stump && count == Some(found) {
            return LostHeaders::default();
        }
        let names_field = line.field(Field::CsHeaderNames);
        let mut names = Headers::of(names_field);
        let (mut named, mut refusal_named) = (0, false);
        for name in &mut names {
            let is = |known: &[u8]| name.0.bytes().eq_ignore_ascii_case(known);
            refusal_named |= (is(b"sec-gpc") && !self.gpc.listed) || (is(b"dnt") && !self.dnt.listed);
            named += 1;
        }
        let at_least = named + u64::from(names.has_stump());
        let any = configured && (stump || at_least > found || count.is_some_and(|count| count > found));
        let all_named =
            names_field.is_some() && !names.has_stump() && count.is_some_and(|count| count <= named);
        LostHeaders {
            any,
            refusal: refusal_named || (any && !all_named),
        }
    }

    #[inline]
    fn take(&mut self, header: Header<'a>, decoder: &Decoder<'a>) {
        let Some((name, encoded)) = header.wanted() else {
            return;
        };
        // The log encodes the white space around a value too.
        let value = || decoder.text(encoded).trim();
        let text = || Some(value()).filter(|text| !text.is_empty());
        let mut room = [0; MAX_NAME];
        match lower_case(name, &mut room) {
            b"dnt" => self.dnt.take(value()),
            b"sec-gpc" => self.gpc.take(value()),
            b"purpose" | b"sec-purpose" => set(&mut self.sec_purpose, text),
            b"sec-fetch-site" => set(&mut self.sec_fetch_site, text),
            b"sec-fetch-dest" => set(&mut self.sec_fetch_dest, text),
            b"accept-language" => set(&mut self.accept_language, || text().and_then(first_language)),
            b"sec-ch-ua-model" => set(&mut self.ch_model, || text().and_then(unquoted)),
            b"sec-ch-ua-mobile" => set(&mut self.ch_mobile, || match value() {
                "?0" => Some(false),
                "?1" => Some(true),
                _ => None,
            }),
            b"sec-ch-ua-platform" => set(&mut self.ch_platform, || text().and_then(unquoted)),
            _ => {}
        }
    }
}

/// The name in lower case, as HTTP/2 sends it anyhow.
#[inline]
fn lower_case<'n>(name: &'n [u8], room: &'n mut [u8; MAX_NAME]) -> &'n [u8] {
    match room.get_mut(..name.len()) {
        Some(lower) if name.iter().any(u8::is_ascii_uppercase) => {
            lower.copy_from_slice(name);
            lower.make_ascii_lowercase();
            lower
        }
        _ => name,
    }
}

/// A header of the list, without its end.
#[derive(Clone, Copy)]
struct Header<'a>(LogText<'a>);

impl<'a> Header<'a> {
    /// Name and value, if it may be one that a row needs: most are not, and their first bytes say so.
    ///
    /// [`RequestHeaders::take`] knows the names; another one there needs its start here.
    #[inline]
    fn wanted(self) -> Option<(&'a [u8], LogText<'a>)> {
        let start: [u8; 4] = *self.0.bytes().first_chunk()?;
        if !matches!(
            &start.map(|byte| byte | 0x20),
            b"dnt:" | b"sec-" | b"purp" | b"acce"
        ) {
            return None;
        }
        let (name, value) = self.0.split_once(b':')?;
        Some((name.bytes(), value))
    }
}

/// The headers of a list, or its names, each ended by an encoded newline.
struct Headers<'a, M> {
    list: LogText<'a>,
    /// The same, as bytes.
    bytes: &'a [u8],
    marks: M,
    /// Where the next one begins.
    start: usize,
}

impl<'a> Headers<'a, ()> {
    #[inline]
    fn of(list: Option<LogText<'a>>) -> Headers<'a, impl Iterator<Item = usize>> {
        let list = list.unwrap_or(LogText::Utf8(""));
        Headers {
            list,
            bytes: list.bytes(),
            marks: Marks::new(list.bytes(), is(b'%')),
            start: 0,
        }
    }
}

impl<M> Headers<'_, M> {
    /// Whether something follows the last end: the stump of a header, whose value cannot be trusted.
    fn has_stump(&self) -> bool {
        self.start < self.list.bytes().len()
    }
}

impl<'a, M: Iterator<Item = usize>> Iterator for Headers<'a, M> {
    type Item = Header<'a>;

    #[inline]
    fn next(&mut self) -> Option<Header<'a>> {
        loop {
            let mark = self.marks.next()?;
            if let [b'%', b'0', b'A' | b'a', ..] = self.bytes.get(mark..)? {
                let header = self.list.get(self.start..mark)?;
                self.start = mark + END_LEN;
                return Some(Header(header));
            }
        }
    }
}

/// Takes the first value of a name; a later one is not even read.
fn set<T>(slot: &mut Option<T>, value: impl FnOnce() -> Option<T>) {
    if slot.is_none() {
        *slot = value();
    }
}

/// `de-CH` of `de-CH,de;q=0.9`: the rest of the list tells browsers apart and is not needed.
fn first_language(list: &str) -> Text<'_> {
    let first = list.split([',', ';']).next()?.trim();
    Some(first).filter(|first| !first.is_empty())
}

/// The text of a structured-field string (RFC 8941) without its quotes, if there is any.
fn unquoted(text: &str) -> Text<'_> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    Some(inner.unwrap_or(text)).filter(|text| !text.is_empty())
}
