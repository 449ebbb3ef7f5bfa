//! Splits a record into its JSON documents and reads each into cells, in one pass.

use std::fmt;

use crate::Column;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::cell::{Cell, CellSeed};

/// A longer document does not convert. Firehose's limit is about this.
/// Source: <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>
pub const MAX_DOCUMENT_LEN: usize = 32 * 1024 * 1024;

/// The documents of one record, which follow one another with or without white space between.
pub struct Documents<'a> {
    columns: &'static [Column],
    rest: &'a [u8],
    /// The record, if all of it is UTF-8: one look at the whole is cheaper than one at each text.
    text: Option<&'a str>,
    cells: Vec<Cell<'a>>,
}

/// One document. Its `Debug` tells types and lengths: values are what people typed.
#[derive(PartialEq)]
pub enum Document<'a, 'c> {
    /// A row.
    Row {
        /// One cell for each column, in the order of the columns.
        cells: &'c [Cell<'a>],
        /// The document as it stands in the record.
        raw: &'a [u8],
    },
    /// What does not convert.
    Unconvertible {
        /// The document as it stands in the record; where the JSON itself is broken, all the rest of the
        /// record, for no reader can tell where the next document begins.
        raw: &'a [u8],
        /// Why it does not convert.
        error: ConversionError,
    },
}

impl fmt::Debug for Document<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Document::Row { cells, raw } => write!(f, "Row({cells:?}, {} bytes)", raw.len()),
            Document::Unconvertible { raw, error } => {
                write!(f, "Unconvertible({error:?}, {} bytes)", raw.len())
            }
        }
    }
}

/// Why a document does not convert. Names what was expected and where, never what was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversionError {
    /// The value of this column is of another type.
    Column(Column),
    /// The document is JSON, and no object.
    NoObject,
    /// The document is not JSON.
    NoJson {
        /// Where reading stopped, from the start of the document.
        byte: usize,
    },
    /// The document is longer than [`MAX_DOCUMENT_LEN`].
    TooLong,
}

impl<'a> Documents<'a> {
    /// The documents of a record, read as rows of these columns.
    #[must_use]
    pub fn new(columns: &'static [Column], record: &'a [u8]) -> Documents<'a> {
        Documents {
            columns,
            rest: record,
            text: std::str::from_utf8(record).ok(),
            cells: Vec::with_capacity(columns.len()),
        }
    }

    /// The next document; none at the end of the record.
    #[expect(
        clippy::should_implement_trait,
        reason = "the cells are lent until the next call"
    )]
    pub fn next(&mut self) -> Option<Document<'a, '_>> {
        self.rest = self.rest.trim_ascii_start();
        if self.rest.is_empty() {
            return None;
        }
        self.cells.clear();
        self.cells.resize(self.columns.len(), Cell::Null);
        let mut error = None;
        let seed = RowSeed {
            columns: self.columns,
            cells: &mut self.cells,
            error: &mut error,
        };
        let text = self
            .text
            .and_then(|text| text.get(text.len() - self.rest.len()..));
        let read = match text {
            Some(text) => seed.read(serde_json::Deserializer::from_str(text)),
            None => seed.read(serde_json::Deserializer::from_slice(self.rest)),
        };
        let end = read.unwrap_or_else(|byte| {
            error = Some(ConversionError::NoJson { byte });
            self.rest.len()
        });
        let (raw, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        self.rest = rest;
        if raw.len() > MAX_DOCUMENT_LEN {
            error = Some(ConversionError::TooLong);
        }
        Some(match error {
            None => Document::Row {
                cells: &self.cells,
                raw,
            },
            Some(error) => Document::Unconvertible { raw, error },
        })
    }
}

impl fmt::Display for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConversionError::Column(column) => write!(
                f,
                "column {}: {} expected",
                column.name,
                column.column_type.glue()
            ),
            ConversionError::NoObject => f.write_str("a JSON object expected"),
            ConversionError::NoJson { byte } => write!(f, "no valid JSON at byte {byte}"),
            ConversionError::TooLong => write!(f, "longer than {MAX_DOCUMENT_LEN} bytes"),
        }
    }
}

/// Reads an object into the cells of its columns; notes the first value that does not convert.
struct RowSeed<'a, 'c> {
    columns: &'static [Column],
    cells: &'c mut [Cell<'a>],
    error: &'c mut Option<ConversionError>,
}

impl<'a> RowSeed<'a, '_> {
    /// Reads one document. Says where it ends, or where reading stopped because it is not JSON.
    fn read<R: serde_json::de::Read<'a>>(
        self,
        mut deserializer: serde_json::Deserializer<R>,
    ) -> Result<usize, usize> {
        let read = self.deserialize(&mut deserializer);
        let read_to = deserializer.into_iter::<IgnoredAny>().byte_offset();
        read.map(|()| read_to).map_err(|_| read_to)
    }
}

impl<'a> DeserializeSeed<'a> for RowSeed<'a, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for RowSeed<'a, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut members: M) -> Result<(), M::Error> {
        // Rows come in the order of the columns, so the next name is mostly near the last one.
        let mut near = 0;
        while let Some(place) = members.next_key_seed(NameSeed {
            columns: self.columns,
            near,
        })? {
            let Some((column, cell)) = place
                .and_then(|place| Some((place, self.columns.get(place)?, self.cells.get_mut(place)?)))
                .map(|(place, column, cell)| {
                    near = place + 1;
                    (column, cell)
                })
            else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            match members.next_value_seed(CellSeed(column.column_type))? {
                Some(value) => *cell = value,
                None => *self.error = self.error.or(Some(ConversionError::Column(*column))),
            }
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut items: S) -> Result<(), S::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.no_object();
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.no_object();
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.no_object();
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.no_object();
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.no_object();
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.no_object();
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.no_object();
        Ok(())
    }
}

impl RowSeed<'_, '_> {
    fn no_object(self) {
        *self.error = Some(ConversionError::NoObject);
    }
}

/// Reads a member's name and finds its column, whatever the case of its letters.
struct NameSeed {
    columns: &'static [Column],
    near: usize,
}

impl<'a> DeserializeSeed<'a> for NameSeed {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        let (before, after) = self
            .columns
            .split_at_checked(self.near)
            .unwrap_or((self.columns, &[]));
        let place = |column: &Column| column.name == name;
        let place = after
            .iter()
            .position(place)
            .map(|place| place + before.len())
            .or_else(|| {
                before.iter().position(place).or_else(|| {
                    self.columns
                        .iter()
                        .position(|column| column.name.eq_ignore_ascii_case(name))
                })
            });
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FailedEvent, Row};

    /// For each document its cells that are not null, or why it does not convert, and its raw text.
    fn read(record: &str) -> Vec<(String, String)> {
        let mut documents = Documents::new(Row::COLUMNS, record.as_bytes());
        let mut found = Vec::new();
        while let Some(document) = documents.next() {
            found.push(match document {
                Document::Row { cells, raw } => {
                    assert_eq!(cells.len(), Row::COLUMNS.len());
                    let cells = Row::COLUMNS
                        .iter()
                        .zip(cells)
                        .filter(|(_, cell)| **cell != Cell::Null);
                    let cells = cells.map(|(column, cell)| format!("{}={}", column.name, shown(cell)));
                    (
                        cells.collect::<Vec<_>>().join(" "),
                        String::from_utf8(raw.to_vec()).unwrap(),
                    )
                }
                Document::Unconvertible { raw, error } => {
                    (error.to_string(), String::from_utf8(raw.to_vec()).unwrap())
                }
            });
        }
        found
    }

    #[test]
    fn a_document_of_more_than_32_mib_does_not_convert() {
        let around = r#"{"x":""}"#.len();
        for (len, converts) in [(33_554_432, true), (33_554_433, false)] {
            let record = format!(r#"{{"x":"{}"}}"#, "x".repeat(len - around));
            let mut documents = Documents::new(Row::COLUMNS, record.as_bytes());
            let is_row = matches!(documents.next(), Some(Document::Row { .. }));
            assert_eq!(is_row, converts, "{len}");
        }
    }

    /// A cell with its value, which its `Debug` does not tell.
    fn shown(cell: &Cell<'_>) -> String {
        match cell {
            Cell::Null => "Null".to_owned(),
            Cell::Text(text) => format!("Text({text:?})"),
            Cell::Int(number) => format!("Int({number})"),
            Cell::Bigint(number) => format!("Bigint({number})"),
            Cell::Boolean(value) => format!("Boolean({value})"),
            Cell::Timestamp(time) => format!("Timestamp({time:?})"),
            Cell::Texts(texts) => format!("Texts({texts:?})"),
        }
    }

    #[test]
    fn no_value_is_told_by_debug() {
        let record = br#"{"user_agent":"secret","tls_version":"secret"}{"http_status":"secret"}"#;
        let mut documents = Documents::new(Row::COLUMNS, record);
        for expected in ["Text", "Unconvertible(Column("] {
            let told = format!("{:?}", documents.next().unwrap());
            assert!(told.contains(expected) && !told.contains("secret"), "{told}");
            assert!(!told.contains("115, 101, 99"), "the same as bytes: {told}");
        }
    }

    fn rows(record: &str) -> Vec<String> {
        read(record).into_iter().map(|(row, _)| row).collect()
    }

    #[test]
    fn documents_follow_one_another_with_or_without_space() {
        let one = r#"{"batch_index":1}"#;
        let two = r#"{"batch_index":2}"#;
        for record in [
            format!("{one}{two}"),
            format!("{one}\n{two}\n"),
            format!(" {one} \r\n\t{two} "),
        ] {
            assert_eq!(
                rows(&record),
                ["batch_index=Int(1)", "batch_index=Int(2)"],
                "{record:?}"
            );
        }
        assert!(rows("").is_empty());
        assert!(rows(" \n ").is_empty());
    }

    #[test]
    fn names_have_any_case_and_order_and_unknown_ones_are_dropped() {
        assert_eq!(
            rows(r#"{"HTTP_Status":200,"nobody":{"a":[1,"x"]},"batch_index":0,"ttfb_ms":null}"#),
            ["batch_index=Int(0) http_status=Int(200)"]
        );
        // An escaped name is the same name; of a name that comes twice the last value counts.
        assert_eq!(rows(r#"{"batch\u005findex":3}"#), ["batch_index=Int(3)"]);
        assert_eq!(
            rows(r#"{"batch_index":3,"BATCH_INDEX":4}"#),
            ["batch_index=Int(4)"]
        );
    }

    #[test]
    fn a_bad_value_spoils_its_own_document_only() {
        let bad = r#"{"batch_index":"secret","http_status":[1,{"a":2}],"utf8_ok":true}"#;
        assert_eq!(
            read(&format!("{{\"batch_index\":1}}{bad}\n{{\"batch_index\":2}}")),
            [
                ("batch_index=Int(1)".to_owned(), "{\"batch_index\":1}".to_owned()),
                ("column batch_index: int expected".to_owned(), bad.to_owned()),
                ("batch_index=Int(2)".to_owned(), "{\"batch_index\":2}".to_owned()),
            ]
        );
    }

    #[test]
    fn what_is_no_object_is_no_row() {
        for record in [
            r#"[{"batch_index":1},{"batch_index":2}]"#,
            "1",
            "-1",
            "1.5",
            "null",
            "true",
            "\"x\"",
        ] {
            assert_eq!(
                read(&format!("{record} {{\"batch_index\":2}}")),
                [
                    ("a JSON object expected".to_owned(), record.to_owned()),
                    ("batch_index=Int(2)".to_owned(), "{\"batch_index\":2}".to_owned()),
                ],
            );
        }
    }

    #[test]
    fn broken_json_takes_the_rest_of_the_record() {
        for broken in [
            "{\"batch_index\":",
            "{\"batch_index\":1",
            "{'a':1}",
            "x",
            "{\"a\":01}",
            "{\"a\":\"\n\"}",
        ] {
            let found = read(&format!("{{\"batch_index\":1}}{broken} {{\"batch_index\":2}}"));
            assert_eq!(found.len(), 2, "{broken:?}");
            assert!(found[1].0.starts_with("no valid JSON at byte "), "{found:?}");
            assert_eq!(found[1].1, format!("{broken} {{\"batch_index\":2}}"));
        }
        // Bytes that are not UTF-8, and brackets deeper than anyone needs.
        let mut documents = Documents::new(FailedEvent::COLUMNS, b"{\"detail\":\"\xff\"}");
        assert!(matches!(
            documents.next(),
            Some(Document::Unconvertible {
                error: ConversionError::NoJson { .. },
                ..
            })
        ));
        assert!(documents.next().is_none());
        assert!(rows(&"[".repeat(100_000))[0].starts_with("no valid JSON"));
    }
}
