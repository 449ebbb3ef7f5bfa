//! One request as the edge saw it: raw bytes, which the log has not encoded yet.

use super::client::{Client, Header, Role};
use super::dice::Dice;
use super::encoding::push_base64url;
use super::query::Query;
use super::scene;
use super::visitor::Visitor;

/// Path of the pixel.
pub(super) const PIXEL: &str = "/p.gif";

/// Of a thousand requests of browsers, so many pass a proxy that puts a long token before all other headers: their
/// lists are cut, sometimes before a refusal.
const OFFICE_TOKENS: u64 = 40;
/// Of a thousand lists that are cut, so many are cut within an entry.
const CUT_WITHIN: u64 = 300;

/// A request. One value is used again and again, so that a line allocates nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    /// Method.
    pub(super) method: &'static str,
    /// Path.
    pub(super) path: &'static str,
    /// Query without `?`.
    pub(super) query: Query,
    /// Number of events that the query reports.
    pub(super) events: u64,
    /// `Referer`; empty when there is none.
    pub(super) referer: Vec<u8>,
    /// `User-Agent`; empty when there is none.
    pub(super) user_agent: Vec<u8>,
    /// `X-Forwarded-For`; empty when there is none.
    pub(super) forwarded_for: Vec<u8>,
    /// Headers that this one request has besides its client's.
    pub(super) extra_headers: Vec<(&'static str, &'static str)>,
    /// What an office's proxy puts before all other headers; empty for most.
    pub(super) office_token: Vec<u8>,
    /// Whether the log cuts the lists of headers within an entry, where they are too long.
    pub(super) is_cut_within: bool,
    /// Headers, `name:value` and a newline each, before the log cuts them.
    pub(super) headers: Vec<u8>,
    /// Their names, each with a newline.
    pub(super) header_names: Vec<u8>,
    /// Their number.
    pub(super) header_count: u64,
    /// The edge's id of the request; empty when it is missing.
    pub(super) id: Vec<u8>,
}

impl Request {
    /// Draws the visitor's next request at that time, without its headers.
    pub(super) fn draw(&mut self, visitor: &mut Visitor, time_ms: u64, dice: &mut Dice) {
        self.method = "GET";
        self.path = PIXEL;
        self.query.clear();
        self.events = 1;
        self.referer.clear();
        self.extra_headers.clear();
        self.user_agent.clear();
        self.user_agent
            .extend_from_slice(visitor.client.user_agent.as_bytes());
        self.forwarded_for.clear();
        self.forwarded_for
            .extend_from_slice(visitor.forwarded_for.as_bytes());
        self.draw_id(dice);
        match visitor.client.role {
            Role::Browser => scene::browser(self, visitor, time_ms, dice),
            Role::Mail => scene::mail(self, dice),
            Role::App => scene::app(self, visitor, time_ms, dice),
            Role::Bot => scene::bot(self, visitor, time_ms, dice),
        }
    }

    /// Draws what has the lists of headers cut, and how.
    pub(super) fn draw_cut(&mut self, client: &Client, dice: &mut Dice) {
        self.office_token.clear();
        if client.role == Role::Browser && dice.chance(OFFICE_TOKENS) {
            for _ in 0..dice.between(52, 74) {
                push_base64url(&mut self.office_token, dice.bits(), 10);
            }
        }
        self.is_cut_within = dice.chance(CUT_WITHIN);
    }

    /// The id is 40 bytes in URL-safe base64: 53 characters, one of 2 bits, and the padding.
    fn draw_id(&mut self, dice: &mut Dice) {
        self.id.clear();
        for characters in [10, 10, 10, 10, 10, 3] {
            push_base64url(&mut self.id, dice.bits(), characters);
        }
        self.id.push(dice.choice(b"AQgw"));
        self.id.extend_from_slice(b"==");
    }

    /// Bytes of the request; later versions of HTTP compress the headers to about a fifth.
    pub(super) fn size(&self, protocol: &str) -> u64 {
        let first_line = self.method.len() + self.path.len() + self.query.as_bytes().len() + 12;
        let headers = self.headers.len() / if protocol == "HTTP/1.1" { 1 } else { 5 };
        (first_line + headers).try_into().unwrap_or_default()
    }

    /// Writes the lists of headers, whole and in the client's order.
    pub(super) fn write_headers(&mut self, visitor: &Visitor) {
        let Request {
            headers,
            header_names,
            header_count,
            ..
        } = self;
        headers.clear();
        header_names.clear();
        *header_count = 0;
        let client = &visitor.client;
        // Before HTTP/2, names go out as the client spells them.
        let spelled = |lower, title| {
            if client.protocol == "HTTP/1.1" {
                title
            } else {
                lower
            }
        };
        let mut add = |name: &str, value: &[u8]| {
            if value.is_empty() {
                return;
            }
            *header_count += 1;
            header_names.extend_from_slice(name.as_bytes());
            header_names.push(b'\n');
            // In the captured line, `cookie` is among the names and not among the headers.
            if !name.eq_ignore_ascii_case("cookie") {
                headers.extend_from_slice(name.as_bytes());
                headers.push(b':');
                headers.extend_from_slice(value);
                headers.push(b'\n');
            }
        };
        add(spelled("x-office-token", "X-Office-Token"), &self.office_token);
        for header in client.headers {
            match *header {
                Header::Always(name, value) => add(name, value.as_bytes()),
                Header::Host => add(spelled("host", "Host"), visitor.site.pixel_host.as_bytes()),
                Header::UserAgent => add(spelled("user-agent", "User-Agent"), &self.user_agent),
                Header::Accept => add(spelled("accept", "Accept"), client.accept.as_bytes()),
                Header::AcceptEncoding => {
                    add(
                        spelled("accept-encoding", "Accept-Encoding"),
                        client.accept_encoding.as_bytes(),
                    );
                }
                Header::Language => {
                    add(
                        spelled("accept-language", "Accept-Language"),
                        visitor.place.accept_language.as_bytes(),
                    );
                }
                Header::Referer => add(spelled("referer", "Referer"), &self.referer),
                Header::Cookie => add(spelled("cookie", "Cookie"), &visitor.cookie),
                Header::FetchSite => add("sec-fetch-site", visitor.site.relation.as_bytes()),
                Header::Consent => {
                    let (name, value) = visitor.objection.unwrap_or_default();
                    add(name, value.as_bytes());
                }
            }
        }
        if !client
            .headers
            .iter()
            .any(|header| matches!(header, Header::Referer))
        {
            add(spelled("referer", "Referer"), &self.referer);
        }
        add(spelled("x-forwarded-for", "X-Forwarded-For"), &self.forwarded_for);
        for (name, value) in &self.extra_headers {
            add(name, value.as_bytes());
        }
    }
}
