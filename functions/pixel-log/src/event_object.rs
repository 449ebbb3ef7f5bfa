//! The objects of the parameter `b`: several events in one hit.

use std::fmt;

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The members of one object, in order: numbers and booleans as they were written, `null` left out.
pub(crate) type Members<'a> = BumpVec<'a, (&'a str, &'a str)>;

/// Reads a JSON array of objects whose values are texts, numbers, booleans or `null`; none for anything else.
pub(crate) fn objects<'a>(json: &'a str, arena: &'a Bump) -> Option<BumpVec<'a, Members<'a>>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let objects = Objects { arena }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(objects)
}

struct Objects<'a> {
    arena: &'a Bump,
}

impl<'a> DeserializeSeed<'a> for Objects<'a> {
    type Value = BumpVec<'a, Members<'a>>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for Objects<'a> {
    type Value = BumpVec<'a, Members<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut items: S) -> Result<Self::Value, S::Error> {
        let mut objects = BumpVec::new_in(self.arena);
        while let Some(object) = items.next_element_seed(Object { arena: self.arena })? {
            objects.push(object);
        }
        Ok(objects)
    }
}

struct Object<'a> {
    arena: &'a Bump,
}

impl<'a> DeserializeSeed<'a> for Object<'a> {
    type Value = Members<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Object<'a> {
    type Value = Members<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with text, number or boolean values")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut members = BumpVec::new_in(self.arena);
        while let Some(name) = map.next_key_seed(Text { arena: self.arena })? {
            let json = map.next_value::<&RawValue>()?.get();
            match json.as_bytes().first() {
                Some(b'{' | b'[') => return Err(Error::custom("nested value")),
                Some(b'n') => {} // null: absent
                Some(b'"') => {
                    let mut deserializer = serde_json::Deserializer::from_str(json);
                    let text = Text { arena: self.arena }.deserialize(&mut deserializer);
                    members.push((name, text.map_err(Error::custom)?));
                }
                _ => members.push((name, json)),
            }
        }
        Ok(members)
    }
}

/// A text, borrowed where it holds no escape.
struct Text<'a> {
    arena: &'a Bump,
}

impl<'a> DeserializeSeed<'a> for Text<'a> {
    type Value = &'a str;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Text<'a> {
    type Value = &'a str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(text)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.arena.alloc_str(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_texts_as_they_were_written() {
        let arena = Bump::new();
        let json = r#"[{"a":"x\"y","b":1.50,"c":true,"d":null,"\u0065":"é"},{}]"#;
        let objects = objects(json, &arena).unwrap();
        assert_eq!(
            objects[0].as_slice(),
            [("a", "x\"y"), ("b", "1.50"), ("c", "true"), ("e", "é")]
        );
        assert!(objects[1].is_empty());
    }

    #[test]
    fn what_is_no_array_of_plain_objects_is_none() {
        for json in [
            "",
            "x",
            "{}",
            "1",
            "[1]",
            "[{\"a\":{}}]",
            "[{\"a\":[]}]",
            "[{}",
            "[{}]x",
            "\u{1}",
            "[null]",
            "[{\"a\":01}]",
            "[{\"a\":\"\\x\"}]",
        ] {
            assert!(objects(json, &Bump::new()).is_none(), "{json}");
        }
        assert!(objects(&"[".repeat(100_000), &Bump::new()).is_none());
    }
}
