//! The pairs of a query string, found in one pass.

use crate::log_text::LogText;
use crate::marks::{Marks, is_any};

/// A name or a value, as it stands in the query.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) text: LogText<'a>,
    /// Where the first `%` or `+` stands.
    pub(crate) first_escape: Option<usize>,
}

/// A pair of a query. Without `=` all of it is the name.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) name: Part<'a>,
    pub(crate) value: Part<'a>,
}

/// The pairs of a query, without empty ones.
pub(crate) struct Pairs<'a, M> {
    query: LogText<'a>,
    /// The same, as bytes.
    bytes: &'a [u8],
    marks: M,
    /// Where the next pair begins; past the end when there is none.
    start: usize,
}

impl<'a> Pairs<'a, ()> {
    #[inline]
    pub(crate) fn of(query: LogText<'a>) -> Pairs<'a, impl Iterator<Item = usize>> {
        Pairs {
            query,
            bytes: query.bytes(),
            marks: Marks::new(query.bytes(), is_any([b'&', b'=', b'%', b'+'])),
            start: 0,
        }
    }
}

impl<'a, M: Iterator<Item = usize>> Iterator for Pairs<'a, M> {
    type Item = Pair<'a>;

    #[inline]
    fn next(&mut self) -> Option<Pair<'a>> {
        let bytes = self.bytes;
        while self.start < bytes.len() {
            let (mut equals, mut in_name, mut in_value) = (None, None, None);
            let end = loop {
                let Some(mark) = self.marks.next() else {
                    break bytes.len();
                };
                match bytes.get(mark) {
                    Some(b'&') => break mark,
                    Some(b'=') if equals.is_none() => equals = Some(mark),
                    Some(b'=') => {}
                    _ if equals.is_none() => in_name = in_name.or(Some(mark)),
                    _ => in_value = in_value.or(Some(mark)),
                }
            };
            let start = std::mem::replace(&mut self.start, end + 1);
            if start == end {
                continue;
            }
            let name_end = equals.unwrap_or(end);
            let value_start = equals.map_or(end, |equals| equals + 1);
            return Some(Pair {
                name: self.part(start, name_end, in_name)?,
                value: self.part(value_start, end, in_value)?,
            });
        }
        None
    }
}

impl<'a, M> Pairs<'a, M> {
    #[inline]
    fn part(&self, start: usize, end: usize, first_escape: Option<usize>) -> Option<Part<'a>> {
        Some(Part {
            text: self.query.get(start..end)?,
            first_escape: first_escape.map(|at| at - start),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(query: &str) -> Vec<(String, Option<usize>, String, Option<usize>)> {
        let text = |part: Part<'_>| String::from_utf8(part.text.bytes().to_vec()).unwrap();
        Pairs::of(LogText::new(query.as_bytes()))
            .map(|Pair { name, value }| (text(name), name.first_escape, text(value), value.first_escape))
            .collect()
    }

    proptest! {
        /// Against a split by the standard library.
        #[test]
        fn pairs_are_those_of_a_plain_split(query in "[ab&=%+é]{0,60}") {
            let expected: Vec<_> = query
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| {
                    let escape = |text: &str| text.find(['%', '+']);
                    (name.to_owned(), escape(name), value.to_owned(), escape(value))
                })
                .collect();
            prop_assert_eq!(pairs(&query), expected);
        }
    }
}
