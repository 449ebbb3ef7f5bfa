//! One value on its way from JSON into a column: read straight into the column's type.
//!
//! What converts, and what does not, is the OpenX JSON `SerDe`'s rule: numbers may come as texts and texts as
//! numbers, but nothing is rounded, cut or guessed.

use std::borrow::Cow;
use std::fmt;

use crate::{ColumnType, Timestamp};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::time_text;

/// A value of a column's type. Its `Debug` tells the type alone: values are what people typed.
#[derive(Clone, PartialEq)]
pub enum Cell<'a> {
    /// Missing, or `null`.
    Null,
    /// A `string`.
    Text(Cow<'a, str>),
    /// An `int`.
    Int(i32),
    /// A `bigint`.
    Bigint(i64),
    /// A `boolean`.
    Boolean(bool),
    /// A `timestamp`.
    Timestamp(Timestamp),
    /// An `array<string>`.
    Texts(Vec<Option<Cow<'a, str>>>),
}

impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cell::Null => "Null",
            Cell::Text(_) => "Text",
            Cell::Int(_) => "Int",
            Cell::Bigint(_) => "Bigint",
            Cell::Boolean(_) => "Boolean",
            Cell::Timestamp(_) => "Timestamp",
            Cell::Texts(_) => "Texts",
        })
    }
}

/// Reads one value; `None` is a value that does not convert to the column's type.
///
/// Such a value is read to its end all the same, so that the reader finds the next row.
#[derive(Clone, Copy)]
pub(crate) struct CellSeed(pub(crate) ColumnType);

impl<'a> DeserializeSeed<'a> for CellSeed {
    type Value = Option<Cell<'a>>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> CellSeed {
    fn text(self, text: Cow<'a, str>) -> Option<Cell<'a>> {
        match self.0 {
            ColumnType::String => Some(Cell::Text(text)),
            ColumnType::Int => text.parse().ok().map(Cell::Int),
            ColumnType::Bigint => text.parse().ok().map(Cell::Bigint),
            ColumnType::Boolean if text.eq_ignore_ascii_case("true") => Some(Cell::Boolean(true)),
            ColumnType::Boolean if text.eq_ignore_ascii_case("false") => Some(Cell::Boolean(false)),
            ColumnType::Timestamp => time_text::parse(&text).map(Cell::Timestamp),
            ColumnType::Boolean | ColumnType::StringArray => None,
        }
    }
}

impl<'a> Visitor<'a> for CellSeed {
    type Value = Option<Cell<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.glue())
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Some(Cell::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(match self.0 {
            ColumnType::Boolean => Some(Cell::Boolean(value)),
            ColumnType::String => Some(Cell::Text(Cow::Borrowed(if value { "true" } else { "false" }))),
            _ => None,
        })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(match self.0 {
            ColumnType::Int => i32::try_from(value).ok().map(Cell::Int),
            ColumnType::Bigint => Some(Cell::Bigint(value)),
            ColumnType::Timestamp => time_text::parse_integer(value).map(Cell::Timestamp),
            ColumnType::String => Some(Cell::Text(value.to_string().into())),
            ColumnType::Boolean | ColumnType::StringArray => None,
        })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) if self.0 == ColumnType::String => Ok(Some(Cell::Text(value.to_string().into()))),
            Err(_) => Ok(None),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(match self.0 {
            ColumnType::Timestamp => time_text::parse_float(value).map(Cell::Timestamp),
            ColumnType::String => Some(Cell::Text(value.to_string().into())),
            _ => None,
        })
    }

    fn visit_borrowed_str<E: Error>(self, value: &'a str) -> Result<Self::Value, E> {
        Ok(self.text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(self.text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut items: S) -> Result<Self::Value, S::Error> {
        let mut texts = Vec::new();
        let mut converts = self.0 == ColumnType::StringArray;
        while let Some(item) = items.next_element_seed(CellSeed(ColumnType::String))? {
            match item {
                Some(Cell::Text(text)) if converts => texts.push(Some(text)),
                Some(Cell::Null) if converts => texts.push(None),
                _ => converts = false,
            }
        }
        Ok(converts.then_some(Cell::Texts(texts)))
    }

    fn visit_map<M: MapAccess<'a>>(self, mut members: M) -> Result<Self::Value, M::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(column_type: ColumnType, json: &str) -> Option<Cell<'_>> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let cell = CellSeed(column_type).deserialize(&mut deserializer).unwrap();
        deserializer.end().unwrap(); // whatever it was, it was read to its end
        cell
    }

    fn text(text: &str) -> Cell<'_> {
        Cell::Text(text.into())
    }

    #[test]
    fn values_convert_as_the_openx_serde_converts_them() {
        use ColumnType::{Bigint, Boolean, Int, String, StringArray};
        for (column_type, json, cell) in [
            (String, r#""a""#, Some(text("a"))),
            (String, r#""\u00e9\n""#, Some(text("é\n"))),
            (String, "12", Some(text("12"))),
            (String, "-12", Some(text("-12"))),
            (String, "18446744073709551615", Some(text("18446744073709551615"))),
            (String, "1.5", Some(text("1.5"))),
            (String, "true", Some(text("true"))),
            (String, "null", Some(Cell::Null)),
            (String, r#"["a"]"#, None),
            (String, r#"{"a":{"b":[1]}}"#, None),
            (Int, "2147483647", Some(Cell::Int(i32::MAX))),
            (Int, "2147483648", None),
            (Int, "-2147483648", Some(Cell::Int(i32::MIN))),
            (Int, r#""7""#, Some(Cell::Int(7))),
            (Int, r#"" 7""#, None),
            (Int, r#""""#, None),
            (Int, "7.0", None),
            (Int, "1e3", None),
            (Int, "true", None),
            (Int, "[7]", None),
            (Int, "null", Some(Cell::Null)),
            (Bigint, "9223372036854775807", Some(Cell::Bigint(i64::MAX))),
            (Bigint, "9223372036854775808", None),
            (Bigint, r#""-9223372036854775808""#, Some(Cell::Bigint(i64::MIN))),
            (Boolean, "false", Some(Cell::Boolean(false))),
            (Boolean, r#""TRUE""#, Some(Cell::Boolean(true))),
            (Boolean, r#""False""#, Some(Cell::Boolean(false))),
            (Boolean, r#""yes""#, None),
            (Boolean, "1", None),
            (StringArray, "[]", Some(Cell::Texts(vec![]))),
            (
                StringArray,
                r#"["a",null,1]"#,
                Some(Cell::Texts(vec![Some("a".into()), None, Some("1".into())])),
            ),
            (StringArray, r#"["a",["b"],"c"]"#, None),
            (StringArray, r#""a""#, None),
            (StringArray, "null", Some(Cell::Null)),
        ] {
            assert_eq!(read(column_type, json), cell, "{} {json}", column_type.glue());
        }
    }

    #[test]
    fn times_come_as_text_or_number() {
        let time = Some(Cell::Timestamp(
            Timestamp::from_millis(1_518_033_528_123).unwrap(),
        ));
        for json in [
            r#""2018-02-07T19:58:48.123Z""#,
            r#""2018-2-7 19:58:48.123""#,
            "1518033528123",
            "1518033528.123",
            r#""1518033528.123""#,
        ] {
            assert_eq!(read(ColumnType::Timestamp, json), time, "{json}");
        }
        for json in ["true", r#""soon""#, "1e300", "[]", "18446744073709551615"] {
            assert_eq!(read(ColumnType::Timestamp, json), None, "{json}");
        }
    }
}
