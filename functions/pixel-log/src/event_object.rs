//! The objects of the parameter `b`: several events in one hit.

use std::fmt;

use serde_json::value::RawValue;

/// One object of the parameter `b`: its members as texts, numbers and booleans as they were written.
pub(crate) struct EventObject(pub(crate) Vec<(String, String)>);

impl<'de> serde::Deserialize<'de> for EventObject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> serde::de::Visitor<'de> for Members {
            type Value = EventObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with text, number or boolean values")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<EventObject, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    match value.get().as_bytes().first() {
                        Some(b'{' | b'[') => return Err(serde::de::Error::custom("nested value")),
                        Some(b'n') => {} // null: absent
                        Some(b'"') => {
                            let text = serde_json::from_str(value.get()).map_err(serde::de::Error::custom)?;
                            members.push((name, text));
                        }
                        _ => members.push((name, value.get().to_owned())),
                    }
                }
                Ok(EventObject(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
