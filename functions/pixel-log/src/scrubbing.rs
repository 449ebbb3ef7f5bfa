//! What points at a person is taken out of the texts that come from an address, and out of the title: addresses of
//! mail, tokens, numbers of cards and phones, of the shapes in [`SCRUBBED`].
//!
//! A shape is found behind all layers of percent-encoding, so `joe%2540mail.example` is an address too. In paths
//! and queries all from slash to slash gives way to the mark, because a name may stand beside the find; in the title
//! the find alone does; a fragment that holds one is left out. Nearly all texts hold no byte that a find has, and a
//! quick look tells.
//!
//! What a page puts under a name on purpose is taken as it is: ids, the names of event and site, custom properties.

use bumpalo::Bump;
use bumpalo::collections::{String as BumpString, Vec as BumpVec};
use pixel_row::block::{BLOCK, padded};
use wide::u8x16;

use crate::decoding::from_hex;
use crate::marks::is_any;
use crate::shapes::{Finds, MIN_CARD, SIGNS, Shape, holds_find, names_secret};

/// What is scrubbed: the mark that takes a find's place, and what is found.
pub const SCRUBBED: [(&str, &str); Shape::ALL.len()] = {
    let [email, token, card, phone] = Shape::ALL;
    [
        (email.mark(), email.doc()),
        (token.mark(), token.doc()),
        (card.mark(), card.doc()),
        (phone.mark(), phone.doc()),
    ]
};

/// A path or a value of a query, a mark in place of each segment that holds a find.
#[inline]
pub(crate) fn segments<'a>(text: &'a str, arena: &'a Bump) -> &'a str {
    if may_hold(text) {
        replaced(text, Extent::Segment, arena)
    } else {
        text
    }
}

/// A text, a mark in place of each find.
#[inline]
pub(crate) fn finds<'a>(text: &'a str, arena: &'a Bump) -> &'a str {
    if may_hold(text) {
        replaced(text, Extent::Find, arena)
    } else {
        text
    }
}

/// Whether a path holds no find.
#[inline]
pub(crate) fn is_clean(path: &str, arena: &Bump) -> bool {
    !may_hold(path) || !holds_find(Plain::of(path, arena).bytes)
}

/// Whether a fragment names a place in the page and nothing else. Tokens travel there too, as `name=value`.
pub(crate) fn is_plain_anchor(fragment: &str, arena: &Bump) -> bool {
    let bytes = Plain::of(fragment, arena).bytes;
    let is_sign = |(at, byte): (usize, &u8)| match byte {
        b'=' | b'&' | b'@' | b'?' => true,
        b':' => names_secret(bytes, at),
        _ => false,
    };
    !bytes.iter().enumerate().any(is_sign) && !holds_find(bytes)
}

/// The quick look: whether a text may hold a find.
#[inline]
fn may_hold(text: &str) -> bool {
    let has_sign = is_any(SIGNS);
    let (low, high) = (u8x16::splat(b'0'), u8x16::splat(b'9'));
    let (mut rest, mut digits) = (text.as_bytes(), 0);
    loop {
        let block = u8x16::new(rest.first_chunk().map_or_else(|| padded(rest), |block| *block));
        if has_sign(block).to_bitmask() != 0 {
            return true;
        }
        if text.len() >= MIN_CARD {
            digits += block.max(low).min(high).simd_eq(block).to_bitmask().count_ones() as usize;
        }
        match rest.get(BLOCK..) {
            Some(next) if !next.is_empty() => rest = next,
            _ => return digits >= MIN_CARD || text.starts_with(' '),
        }
    }
}

/// How much gives way to a mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The find.
    Find,
    /// All from slash to slash.
    Segment,
}

/// Kept apart: most texts hold nothing.
#[inline(never)]
fn replaced<'a>(text: &'a str, extent: Extent, arena: &'a Bump) -> &'a str {
    let plain = Plain::of(text, arena);
    let (mut scrubbed, mut copied, mut from) = (BumpString::new_in(arena), 0, 0);
    let mut finds = Finds::new(plain.bytes);
    while let Some((found, shape)) = finds.next_from(from) {
        let mut found = plain.place(found.start)..plain.place(found.end);
        if extent == Extent::Segment {
            let (before, behind) = (text.get(..found.start), text.get(found.end..));
            found.start = before
                .and_then(|text| text.rfind('/'))
                .map_or(0, |slash| slash + 1);
            found.end += behind.map_or(0, |text| text.find('/').unwrap_or(text.len()));
        }
        scrubbed.push_str(text.get(copied..found.start).unwrap_or_default());
        scrubbed.push_str(shape.mark());
        copied = found.end;
        from = plain.first_at(copied);
    }
    if copied == 0 {
        return text;
    }
    scrubbed.push_str(text.get(copied..).unwrap_or_default());
    scrubbed.into_bump_str()
}

/// A text without its escapes, all layers of them undone.
struct Plain<'a> {
    bytes: &'a [u8],
    /// Where each byte stands in the text, and the text's length at last; none where there was no escape.
    places: Option<&'a [usize]>,
}

impl<'a> Plain<'a> {
    fn of(text: &'a str, arena: &'a Bump) -> Plain<'a> {
        let text = text.as_bytes();
        if !text.contains(&b'%') {
            return Plain {
                bytes: text,
                places: None,
            };
        }
        let mut bytes = BumpVec::with_capacity_in(text.len(), arena);
        let mut places = BumpVec::with_capacity_in(text.len() + 1, arena);
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            places.push(at);
            at += 1;
            let mut plain = byte;
            // An escaped `%` may begin another escape: `%2540` is `%40` is `@`.
            while plain == b'%'
                && let Some(&[high, low]) = text.get(at..).and_then(<[u8]>::first_chunk)
                && let Some(byte) = from_hex(high, low)
            {
                (plain, at) = (byte, at + 2);
            }
            bytes.push(plain);
        }
        places.push(at);
        Plain {
            bytes: bytes.into_bump_slice(),
            places: Some(places.into_bump_slice()),
        }
    }

    /// Where a byte stands in the text.
    fn place(&self, at: usize) -> usize {
        self.places.map_or(at, |places| {
            places.get(at).or(places.last()).copied().unwrap_or_default()
        })
    }

    /// The first byte that stands at this place of the text or behind it.
    fn first_at(&self, place: usize) -> usize {
        self.places
            .map_or(place, |places| places.partition_point(|&other| other < place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> String {
        String::from_utf8_lossy(Plain::of(text, &Bump::new()).bytes).into_owned()
    }

    #[test]
    fn all_layers_of_encoding_are_undone() {
        for (text, expected) in [
            ("a%40b", "a@b"),
            ("a%2540b%252540c", "a@b@c"),
            ("%e2%82%ac%25", "€%"),
            ("100%-%4-%zz-%", "100%-%4-%zz-%"),
            ("%254", "%4"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_find_escapes_the_quick_look(
            text in prop_oneof![
                "[a@+=:J%.-]{0,40}",
                "[a-z/]{0,30}(%2B|%252b|\\+| )[0-9 -]{8,16}[a-z/]{0,30}",
                "[a-z/-]{0,30}4[0-9]{12,18}[a-z/-]{0,30}",
                "[a-z/]{0,30}(%65|e)yJ[a-z]{10,20}\\.[a-z]{0,9}",
            ]
        ) {
            let arena = Bump::new();
            let is_found = holds_find(Plain::of(&text, &arena).bytes);
            prop_assert!(!is_found || may_hold(&text), "{text}");
            for scrubbed in [segments(&text, &arena), finds(&text, &arena)] {
                prop_assert_eq!(scrubbed != text, is_found, "{}", text);
            }
        }

        /// What is not found keeps its bytes, wherever the finds stand among them.
        #[test]
        fn the_rest_of_a_text_stays(parts in prop::collection::vec("[ é%C3a-z]{0,20}", 1..5)) {
            let arena = Bump::new();
            let text = |find: &str| parts.join(&format!(" {find} "));
            let given = text("joe%2540x");
            prop_assert_eq!(finds(&given, &arena), text("[email]"));
            let path = |find: &str| parts.join(&format!("/{find}/"));
            let given = path("a joe%2540x");
            prop_assert_eq!(segments(&given, &arena), path("[email]"));
        }
    }
}
