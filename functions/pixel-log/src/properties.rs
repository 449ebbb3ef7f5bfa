//! An event's custom properties: the parameters `p.NAME`.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use pixel_row::table::Text;
use pixel_row::{JsonBuffer, Row};

/// The most custom properties of one event.
pub const MAX_PROPERTIES: usize = 32;
/// The most bytes of a custom property's name.
pub const MAX_PROPERTY_NAME: usize = 64;
/// The most bytes of a custom property's value; a longer one is dropped and counted.
pub const MAX_PROPERTY_VALUE: usize = 512;
/// The most bytes of all custom properties as JSON; one that does not fit is dropped and counted.
pub(crate) const MAX_PROPERTIES_JSON: usize = Row::max_bytes("event_props");

/// Custom properties, in the order in which they came. A name counts once, the first time.
#[derive(Clone)]
pub(crate) struct Properties<'a> {
    arena: &'a Bump,
    members: BumpVec<'a, Member<'a>>,
    /// Bytes of the members as JSON, each with the brace or comma before it.
    written: usize,
}

/// A property as a member of the JSON object.
#[derive(Clone, Copy)]
struct Member<'a> {
    name: &'a str,
    json: &'a [u8],
}

impl<'a> Properties<'a> {
    pub(crate) fn new(arena: &'a Bump) -> Properties<'a> {
        Properties {
            arena,
            members: BumpVec::new_in(arena),
            written: 0,
        }
    }

    pub(crate) fn arena(&self) -> &'a Bump {
        self.arena
    }

    /// Adds a property; false where it is dropped.
    #[must_use]
    pub(crate) fn add(&mut self, name: &'a str, value: &str, scratch: &mut JsonBuffer) -> bool {
        if name.is_empty()
            || name.len() > MAX_PROPERTY_NAME
            || value.len() > MAX_PROPERTY_VALUE
            || self.has(name)
        {
            return false;
        }
        scratch.truncate(0);
        scratch.push_string(name);
        scratch.push(b':');
        scratch.push_string(value);
        if !self.fits(scratch.bytes()) {
            return false;
        }
        let json = self.arena.alloc_slice_copy(scratch.bytes());
        self.push(Member { name, json });
        true
    }

    /// Adds those of the query that carried the event, as far as there is room and no such name; answers with
    /// the number that did not fit.
    #[must_use]
    pub(crate) fn inherit(&mut self, query: &Properties<'a>) -> i32 {
        let mut dropped = 0;
        for member in &query.members {
            if self.has(member.name) {
                continue;
            }
            if self.fits(member.json) {
                self.push(*member);
            } else {
                dropped += 1;
            }
        }
        dropped
    }

    /// The properties as a JSON object of texts; none where there is no property.
    pub(crate) fn json(&self) -> Text<'a> {
        if self.members.is_empty() {
            return None;
        }
        let mut object = BumpVec::with_capacity_in(self.written + 1, self.arena);
        for member in &self.members {
            object.push(if object.is_empty() { b'{' } else { b',' });
            object.extend_from_slice_copy(member.json);
        }
        object.push(b'}');
        std::str::from_utf8(object.into_bump_slice()).ok()
    }

    fn has(&self, name: &str) -> bool {
        self.members.iter().any(|known| known.name == name)
    }

    fn fits(&self, json: &[u8]) -> bool {
        self.members.len() < MAX_PROPERTIES && self.written + json.len() + 2 <= MAX_PROPERTIES_JSON
    }

    fn push(&mut self, member: Member<'a>) {
        self.written += member.json.len() + 1;
        self.members.push(member);
    }
}
