//! The shapes of what points at a person, found in bytes that hold no escape any more.

use std::ops::Range;

use crate::marks::{Marks, is_any};

/// What can point at a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An address of mail.
    Email,
    /// A token or another secret.
    Token,
    /// A number of a card.
    Card,
    /// A number of a phone.
    Phone,
}

impl Shape {
    /// Every shape.
    pub(crate) const ALL: [Shape; 4] = [Shape::Email, Shape::Token, Shape::Card, Shape::Phone];

    /// What stands in a find's place.
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Shape::Email => "[email]",
            Shape::Token => "[token]",
            Shape::Card => "[card]",
            Shape::Phone => "[phone]",
        }
    }

    /// What has the shape.
    pub(crate) const fn doc(self) -> &'static str {
        match self {
            Shape::Email => {
                "an address of mail: `NAME@HOST`, the last label of the host beginning with a letter and not being the \
                 ending of a file (`png`, `jpg`, `jpeg`, `gif`, `webp`, `avif`, `svg`, `js`, `mjs`, `css`, `json`, \
                 `html`). `/@joe`, `/@scope/name@1.2.3` and `/logo@2x.png` stay; `/@joe@social.example` and \
                 `/name@latest` do not"
            }
            Shape::Token => {
                "a token: a word of 20 bytes or more that begins with `eyJ` and has a dot (JWT); what follows `NAME=`, \
                 and 8 bytes or more that follow `NAME:`, up to a space, `&`, `;`, `,`, `<` or `>`, or the closing \
                 quote, and with the word behind `Bearer` or `Basic`, where the name ends with `token`, `secret`, `password`, `passwd`, `pwd`, `apikey`, \
                 `api_key`, `api-key`, `auth`, `authorization`, `bearer`, `jwt`, `session`, `sessionid`, `session_id`, \
                 `sid`, `credential`, `signature` or `sig`. Under another name, or under none, nothing else is a token"
            }
            Shape::Card => {
                "a number of a card: 13 to 19 digits with a right check digit (Luhn), in one run or in groups of which \
                 the first has four, with a space, `-` or `+` between two; it begins with 3 to 6, 2200 to 2204 or 2221 to \
                 2720. Of other numbers of that size and beginning, a tenth has a right check digit too"
            }
            Shape::Phone => {
                "a number of a phone: `+` and 8 digits or more, the first not 0, with up to two of space, `-`, `.`, `(` \
                 and `)` between two"
            }
        }
    }
}

/// The bytes without one of which a text holds no find, save for [`MIN_CARD`] digits or a space at the start. Behind
/// `%` any other may be.
pub(crate) const SIGNS: [u8; 6] = [b'@', b'+', b'=', b':', b'J', b'%'];
/// The fewest digits of a card's number.
pub(crate) const MIN_CARD: usize = 13;
/// The most digits of a card's number.
const MAX_CARD: usize = 19;
/// The fewest digits of a phone's number. The longest have 15, and what has more is no less personal.
const MIN_PHONE: usize = 8;
/// The fewest bytes of a JWT.
const MIN_JWT: usize = 20;
/// The fewest bytes of a secret behind a colon, where words stand too: `Session:3`.
const MIN_SECRET: usize = 8;

/// The names of secrets, by their ends, in lower case.
const SECRETS: [&[u8]; 19] = [
    b"token",
    b"secret",
    b"password",
    b"passwd",
    b"pwd",
    b"apikey",
    b"api_key",
    b"api-key",
    b"auth",
    b"authorization",
    b"bearer",
    b"jwt",
    b"session",
    b"sessionid",
    b"session_id",
    b"sid",
    b"credential",
    b"signature",
    b"sig",
];

/// The words that stand before a secret in the header `Authorization`, in a query with a plus for the space.
const SCHEMES: [&[u8]; 4] = [b"bearer ", b"bearer+", b"basic ", b"basic+"];

/// Endings of files that stand behind `@2x`; none is a domain of the first level.
const FILES: [&[u8]; 12] = [
    b"png", b"jpg", b"jpeg", b"gif", b"webp", b"avif", b"svg", b"js", b"mjs", b"css", b"json", b"html",
];

/// The finds in a text, in order. However many there are, no part of the text is searched twice: its length belongs
/// to a stranger.
pub(crate) struct Finds<'a> {
    bytes: &'a [u8],
    /// The next find that has a sign; cards that stand before it come first.
    by_sign: Option<(Range<usize>, Shape)>,
}

impl<'a> Finds<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Finds<'a> {
        Finds {
            bytes,
            by_sign: find_by_sign(bytes, 0),
        }
    }

    /// The first find that begins at this place or behind it; the place never goes back.
    pub(crate) fn next_from(&mut self, from: usize) -> Option<(Range<usize>, Shape)> {
        // Whatever begins behind both places is the same from either of them, and where there was none there is none.
        if self.by_sign.as_ref().is_some_and(|(found, _)| found.start < from) {
            self.by_sign = find_by_sign(self.bytes, from);
        }
        let before = self
            .by_sign
            .as_ref()
            .map_or(self.bytes.len(), |(found, _)| found.start);
        let card = self.bytes.get(..before).and_then(|bytes| card(bytes, from));
        card.map(|card| (card, Shape::Card))
            .or_else(|| self.by_sign.clone())
    }
}

/// Whether a text holds a find.
pub(crate) fn holds_find(bytes: &[u8]) -> bool {
    Finds::new(bytes).next_from(0).is_some()
}

fn find_by_sign(bytes: &[u8], from: usize) -> Option<(Range<usize>, Shape)> {
    let rest = bytes.get(from..)?;
    // A plus at the start of a form's text has become a space.
    let at_start = (from == 0 && rest.first() == Some(&b' ')).then_some(0);
    at_start
        .into_iter()
        .chain(Marks::new(rest, is_any(SIGNS)).map(|mark| from + mark))
        .find_map(|at| {
            let found = match bytes.get(at)? {
                b'@' => (email(bytes, from, at)?, Shape::Email),
                b'J' => (jwt(bytes, from, at)?, Shape::Token),
                b'=' | b':' => (secret(bytes, at)?, Shape::Token),
                b'+' | b' ' => (phone(bytes, at)?, Shape::Phone),
                _ => return None,
            };
            Some(found)
        })
}

/// Whether the sign at this place stands between the name of a secret and something.
pub(crate) fn names_secret(bytes: &[u8], sign: usize) -> bool {
    let Some(before) = bytes
        .get(..sign)
        .filter(|before| before.last().is_some_and(u8::is_ascii_alphabetic))
    else {
        return false;
    };
    let ends_with = |name: &&[u8]| {
        before
            .len()
            .checked_sub(name.len())
            .and_then(|start| before.get(start..))
            .is_some_and(|end| end.eq_ignore_ascii_case(name))
    };
    SECRETS.iter().any(ends_with)
}

fn secret(bytes: &[u8], sign: usize) -> Option<Range<usize>> {
    if !names_secret(bytes, sign) {
        return None;
    }
    let start = sign + 1;
    let rest = bytes.get(start..)?;
    let end = if let quote @ (b'"' | b'\'') = rest.first()? {
        // A text in quotes, spaces and all.
        let mut behind = rest.iter().skip(1);
        let closing = behind.position(|byte| byte == quote);
        closing.map_or(bytes.len(), |closing| start + closing + 2)
    } else {
        let scheme = SCHEMES.iter().find(|scheme| {
            let head = rest.get(..scheme.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        });
        let scheme = scheme.map_or(0, |scheme| scheme.len());
        end_of(bytes, start + scheme, is_secret_byte)
    };
    let is_colon = bytes.get(sign) == Some(&b':');
    (end - start >= if is_colon { MIN_SECRET } else { 1 }).then_some(start..end)
}

/// The byte `J` is the third of `{"` in base64, with which the head of every JWT begins.
fn jwt(bytes: &[u8], from: usize, third: usize) -> Option<Range<usize>> {
    let start = third.checked_sub(2).filter(|start| *start >= from)?;
    // Within a word none begins: so no byte is looked at twice.
    if bytes
        .get(start.wrapping_sub(1))
        .copied()
        .is_some_and(is_base64url)
    {
        return None;
    }
    // Nor is a run searched to its end for each `J` behind a dot.
    if !bytes.get(start..third)?.starts_with(b"ey") {
        return None;
    }
    let end = end_of(bytes, start, |byte| is_base64url(byte) || byte == b'.');
    let jwt = bytes.get(start..end)?;
    (jwt.len() >= MIN_JWT && jwt.contains(&b'.')).then_some(start..end)
}

fn email(bytes: &[u8], from: usize, at: usize) -> Option<Range<usize>> {
    let name = bytes.get(from..at)?;
    let start = at - name.iter().rev().take_while(|byte| is_name(**byte)).count();
    let host_end = end_of(bytes, at + 1, |byte| is_label(byte) || byte == b'.');
    let mut host = bytes.get(at + 1..host_end)?;
    while let [shorter @ .., b'.' | b'-'] = host {
        host = shorter;
    }
    let last = host.rsplit(|byte| *byte == b'.').next()?;
    let is_host = last
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
        && !FILES.iter().any(|file| last.eq_ignore_ascii_case(file));
    (start < at && is_host).then(|| start..at + 1 + host.len())
}

fn phone(bytes: &[u8], plus: usize) -> Option<Range<usize>> {
    if is_alphanumeric_at(bytes, plus.wrapping_sub(1))
        || !matches!(bytes.get(plus + 1), Some(b'1'..=b'9' | b'('))
    {
        return None;
    }
    let (mut digits, mut between, mut end) = (0, 0, plus);
    for (at, byte) in bytes.iter().enumerate().skip(plus + 1) {
        match byte {
            b'0'..=b'9' => (digits, between, end) = (digits + 1, 0, at + 1),
            b' ' | b'-' | b'.' | b'(' | b')' if between < 2 => between += 1,
            _ => break,
        }
    }
    (digits >= MIN_PHONE).then_some(plus..end)
}

/// The first number of a card.
fn card(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    while let Some(digit) = bytes.get(at..)?.iter().position(u8::is_ascii_digit) {
        let start = at + digit;
        at = end_of(bytes, start, |byte| byte.is_ascii_digit());
        if !is_alphanumeric_at(bytes, start.wrapping_sub(1))
            && let Some(end) = card_end(bytes, start, at - start)
        {
            return Some(start..end);
        }
    }
    None
}

/// Where the number of a card ends that begins with this run of digits, if it is one.
fn card_end(bytes: &[u8], start: usize, run: usize) -> Option<usize> {
    if run != 4 && !(MIN_CARD..=MAX_CARD).contains(&run) {
        return None;
    }
    let first = bytes.get(start..start + 4)?.iter();
    let first = first.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    if !matches!(first, 2200..=2204 | 2221..=2720 | 3000..=6999) {
        return None;
    }
    // The digits at even places doubled, and those at odd ones: which of the two counts depends on the length.
    let (mut sums, mut digits, mut was_digit) = ([0, 0], 0_usize, false);
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        if byte.is_ascii_digit() {
            let (digit, doubled) = (u32::from(byte - b'0'), u32::from(byte - b'0') * 2);
            let doubled = doubled / 10 + doubled % 10;
            let [even, odd] = sums;
            sums = if digits.is_multiple_of(2) {
                [even + doubled, odd + digit]
            } else {
                [even + digit, odd + doubled]
            };
            (digits, was_digit) = (digits + 1, true);
        } else {
            if is_card(digits, sums) && !byte.is_ascii_alphabetic() {
                return Some(at);
            }
            if run != 4 || !was_digit || !matches!(byte, b' ' | b'-' | b'+') {
                return None;
            }
            was_digit = false;
        }
        if digits > MAX_CARD {
            return None;
        }
    }
    is_card(digits, sums).then_some(bytes.len())
}

fn is_card(digits: usize, [even, odd]: [u32; 2]) -> bool {
    let sum = if digits.is_multiple_of(2) { even } else { odd };
    (MIN_CARD..=MAX_CARD).contains(&digits) && sum % 10 == 0
}

/// Where the run of such bytes ends that begins here.
fn end_of(bytes: &[u8], start: usize, is_in: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().take_while(|byte| is_in(**byte)).count()
}

fn is_alphanumeric_at(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Whether the byte may be of a secret: all but what parts texts and queries.
fn is_secret_byte(byte: u8) -> bool {
    !byte.is_ascii_control() && !matches!(byte, b' ' | b'&' | b';' | b',' | b'<' | b'>')
}

fn is_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || !byte.is_ascii()
}

/// Whether the byte may be of the name before `@`: what RFC 5322 allows without quotes, other scripts and quotes,
/// but not what parts texts and queries.
fn is_name(byte: u8) -> bool {
    is_label(byte)
        || matches!(
            byte,
            b'.' | b'+' | b'!' | b'$' | b'%' | b'*' | b'\'' | b'"' | b'^' | b'`' | b'{' | b'|' | b'}' | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&str, Shape)> {
        Finds::new(text.as_bytes())
            .next_from(0)
            .map(|(range, shape)| (text.get(range).unwrap(), shape))
    }

    #[track_caller]
    fn finds(shape: Shape, cases: &[(&str, Option<&str>)]) {
        for (text, expected) in cases {
            assert_eq!(found(text), expected.map(|expected| (expected, shape)), "{text}");
        }
    }

    #[test]
    fn addresses_of_mail_have_a_name_and_a_host_of_letters() {
        finds(
            Shape::Email,
            &[
                (
                    "to joe.o'neil+x%y_z-1@mail.example, or",
                    Some("joe.o'neil+x%y_z-1@mail.example"),
                ),
                ("<jöé@bücher.example>", Some("jöé@bücher.example")),
                ("a/b@c", Some("b@c")),
                ("m=b@c.d.", Some("b@c.d")),
                ("@joe@social.example", Some("joe@social.example")),
                ("a@@b", None),
                ("@b", None),
                (" @b", None),
                ("a@", None),
                ("a@-.", None),
                ("a@1.2", None),
                ("a@b.2", None),
                ("a@1.b2", Some("a@1.b2")),
                ("logo@2x.png", None),
                ("logo@2x.PNG", None),
                ("logo@2x.pngx", Some("logo@2x.pngx")),
            ],
        );
    }

    #[test]
    fn tokens_are_known_by_their_head_or_their_name() {
        finds(
            Shape::Token,
            &[
                ("x eyJhbGciOiJIUzI1.e30 y", Some("eyJhbGciOiJIUzI1.e30")), // 20 bytes
                ("eyJhbGciOiJIUzI1.e3", None),
                ("eyJhbGciOiJIUzI1NiJ9", None), // no dot
                ("xeyJhbGciOiJIUzI1NiJ9.e30", None),
                ("aaJhbGciOiJIUzI1NiJ9.e30.aaaa", None),
                (
                    "/eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
                    Some("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."),
                ),
                ("token=a", Some("a")),
                ("Access_Token=a/b+c== d", Some("a/b+c==")),
                ("token=", None),
                ("token= a", None),
                ("token=&a=b", None),
                (
                    "password=!hunter(2024)[x]{y}|`^~#$%*?@\\ x",
                    Some("!hunter(2024)[x]{y}|`^~#$%*?@\\"),
                ),
                ("password=ümlaut&x", Some("ümlaut")),
                ("secret=:abc; x", Some(":abc")),
                ("connect.sid=s:1a.b/c, x", Some("s:1a.b/c")),
                ("token=\"a b\" c", Some("\"a b\"")),
                ("token='a b' c", Some("'a b'")),
                ("token=\"a b", Some("\"a b")),
                ("auth=Bearer abc def", Some("Bearer abc")),
                ("Authorization:basic+YTpi x", Some("basic+YTpi")),
                ("auth=bearer", Some("bearer")),
                ("tokens=a", None),
                ("oken=a", None),
                ("token:1234567", None),
                ("token:12345678", Some("12345678")),
                ("token: 12345678", None),
                ("https://x", None),
            ],
        );
        for name in SECRETS {
            let text = format!("{}=a", String::from_utf8_lossy(name));
            assert_eq!(found(&text), Some(("a", Shape::Token)), "{text}");
        }
        for ending in FILES {
            let text = format!("a@b.{}", String::from_utf8_lossy(ending));
            assert_eq!(found(&text), None, "{text}");
        }
    }

    /// The words between backquotes, of the part of a documentation that begins here and ends there.
    fn documented(shape: Shape, from: &str, to: &str) -> Vec<&'static str> {
        let (_, part) = shape.doc().split_once(from).unwrap();
        let (part, _) = part.split_once(to).unwrap();
        part.split('`').skip(1).step_by(2).collect()
    }

    #[test]
    fn the_documentation_has_the_names_and_the_endings() {
        let texts = |list: &'static [&'static [u8]]| {
            let texts = list.iter().map(|text| str::from_utf8(text).unwrap());
            texts.collect::<Vec<_>>()
        };
        let names = documented(Shape::Token, "the name ends with", "Under another name");
        assert_eq!(names, texts(&SECRETS));
        // Counted by hand in the documentation of the shape, so that both cannot lose one together.
        assert_eq!(names.len(), 19);
        let endings = documented(Shape::Email, "ending of a file (", ")");
        assert_eq!(endings, texts(&FILES));
        assert_eq!(endings.len(), 12);
    }

    /// The numbers are those that networks publish for tests, or zeros with the check digit of another program.
    #[test]
    fn numbers_of_cards_have_a_size_a_beginning_and_a_check_digit() {
        finds(
            Shape::Card,
            &[
                ("4111111111111111", Some("4111111111111111")),
                ("4111111111111112", None),
                ("no 5555-5555 5555+4444, or", Some("5555-5555 5555+4444")),
                ("3782-822463-10005", Some("3782-822463-10005")),
                ("4222222222222", Some("4222222222222")), // 13
                ("420000000000", None),                   // 12, with a right check digit
                ("6304000000000000000", Some("6304000000000000000")), // 19
                ("6304000000000000001", None),
                ("40000000000000000002", None), // 20, with a right check digit
                ("4111--1111-1111-1111", None),
                ("4111.1111.1111.1111", None),
                ("41111-1111-1111-111", None),
                ("411-1111-1111-1111", None),
                ("a4111111111111111", None),
                ("4111111111111111a", None),
                ("_4111111111111111_", Some("4111111111111111")),
                ("2026-11-25-4111111111111111-1", Some("4111111111111111")),
                ("4111-1111-1111-1111-2026", Some("4111-1111-1111-1111")),
                ("1111-4111-1111-1111-1111", Some("4111-1111-1111-1111")),
            ],
        );
        // All of these check digits are right.
        for (first, last, is_card) in [
            ("2199", 7, false),
            ("2200", 4, true),
            ("2204", 0, true),
            ("2205", 9, false),
            ("2220", 0, false),
            ("2221", 9, true),
            ("2720", 5, true),
            ("2721", 4, false),
            ("2999", 9, false),
            ("3000", 4, true),
            ("6999", 0, true),
            ("7000", 5, false),
        ] {
            let number = format!("{first}00000000000{last}");
            assert_eq!(found(&number).is_some(), is_card, "{number}");
        }
    }

    #[test]
    fn numbers_of_phones_have_a_plus_and_eight_digits() {
        finds(
            Shape::Phone,
            &[
                ("+12345678", Some("+12345678")),
                ("+1234567", None),
                ("tel:+41 79 123 45 67.", Some("+41 79 123 45 67")),
                ("+1 (650) 555-1212", Some("+1 (650) 555-1212")),
                ("+(41) 79.123.45.67", Some("+(41) 79.123.45.67")),
                ("+41   79 123 45 67", None),
                ("+02345678", None),
                ("+ 12345678", None),
                ("a+12345678", None),
                ("1+12345678", None),
                ("-+12345678a", Some("+12345678")),
                (" 41791234567", Some(" 41791234567")), // a form's plus
                ("x 41791234567", None),
            ],
        );
    }

    #[test]
    fn the_first_find_comes_first() {
        let text = b"a@b 4111111111111111 +12345678 c@d";
        let (mut from, mut shapes, mut finds) = (0, Vec::new(), Finds::new(text));
        while let Some((range, shape)) = finds.next_from(from) {
            (from, shapes) = (range.end, [shapes, vec![shape]].concat());
        }
        assert_eq!(shapes, [Shape::Email, Shape::Card, Shape::Phone, Shape::Email]);
    }

    /// Were the signs searched anew for each card, or each run for each `J`, this would take hours.
    #[test]
    fn a_long_text_is_searched_once() {
        for (part, signs, finds_in_all) in [("4111111111111111/", "a:a=", 20_000), ("", "aaJ.", 0)] {
            let text = [part.repeat(20_000), signs.repeat(500_000)].concat();
            let (mut from, mut count, mut finds) = (0, 0, Finds::new(text.as_bytes()));
            while let Some((found, _)) = finds.next_from(from) {
                (from, count) = (found.end, count + 1);
            }
            assert_eq!(count, finds_in_all, "{signs}");
        }
    }
}
