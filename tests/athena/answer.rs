//! Answers to queries, typed, so that those of two engines and of plain loops compare.

use std::collections::BTreeMap;
use std::fmt;

use pixel_row::ColumnType;
use serde_json::Value;
use serde_json::value::RawValue;

/// What a query answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// Names and types of the columns, the types as Trino spells them.
    pub(crate) columns: Vec<(String, String)>,
    /// Its rows, each with a cell for each column.
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A value with its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Text(String),
    /// RFC 3339 with milliseconds.
    Time(String),
    /// All its digits.
    Decimal(String),
    Texts(Vec<String>),
}

/// How far apart two doubles may be that two engines summed up in their own order, relative to them.
const TOLERANCE: f64 = 1e-9;

impl Answer {
    /// An answer in pixlake's JSON, its values read by the types of another answer's columns.
    pub(crate) fn from_pixlake(json: &str, columns: &[(String, String)]) -> Answer {
        let objects: Vec<BTreeMap<&str, &RawValue>> = serde_json::from_str(json).unwrap();
        let rows = objects.iter().map(|object| {
            assert_eq!(object.len(), columns.len(), "columns of {object:?}");
            let cells = columns.iter().map(|(name, sql_type)| {
                let json = object.get(name.as_str());
                let json = json.unwrap_or_else(|| panic!("pixlake's answer has no column {name}"));
                Cell::read(sql_type, json.get())
            });
            cells.collect()
        });
        Answer {
            columns: columns.to_vec(),
            rows: rows.collect(),
        }
    }

    /// The rows in the order of some columns, for a query that asks for none.
    pub(crate) fn sorted_by(mut self, names: &[&str]) -> Answer {
        let place = |name: &&str| {
            self.columns
                .iter()
                .position(|(column, _)| column == name)
                .unwrap()
        };
        let places: Vec<usize> = names.iter().map(place).collect();
        self.rows.sort_by_cached_key(|row| {
            places
                .iter()
                .map(|place| row[*place].to_string())
                .collect::<Vec<_>>()
        });
        self
    }

    /// Where another answer differs from this one; nothing where it does not.
    pub(crate) fn difference(&self, found: &Answer) -> Option<String> {
        let names = |answer: &Answer| -> Vec<String> {
            answer.columns.iter().map(|(name, _)| name.clone()).collect()
        };
        if names(self) != names(found) {
            return Some(format!("columns {:?}, expected {:?}", names(found), names(self)));
        }
        for (index, (expected, found)) in self.rows.iter().zip(&found.rows).enumerate() {
            for (((name, _), expected), found) in self.columns.iter().zip(expected).zip(found) {
                if !expected.agrees(found) {
                    return Some(format!("row {index}, {name}: {found}, expected {expected}"));
                }
            }
        }
        let (expected, found) = (self.rows.len(), found.rows.len());
        (expected != found).then(|| format!("{found} rows, expected {expected}"))
    }
}

impl Cell {
    /// A value in JSON, of a type that Trino names.
    pub(crate) fn read(sql_type: &str, json: &str) -> Cell {
        let value: Value = serde_json::from_str(json).unwrap();
        if value.is_null() {
            return Cell::Null;
        }
        let text = || match &value {
            Value::String(text) => text.clone(),
            other => panic!("{other} is not text, as {sql_type} is"),
        };
        let wrong = || -> Cell { panic!("{json} is no {sql_type}") };
        match sql_type.split('(').next() {
            Some("boolean") => value.as_bool().map_or_else(wrong, Cell::Boolean),
            Some("integer" | "bigint") => value.as_i64().map_or_else(wrong, Cell::Integer),
            Some("double") => value.as_f64().map_or_else(wrong, Cell::Double),
            Some("varchar" | "date") => Cell::Text(text()),
            // Trino writes `2026-11-01 07:59:59.999`.
            Some("timestamp") => Cell::Time(text().replace(' ', "T").trim_end_matches('Z').to_owned() + "Z"),
            // Trino writes a text, pixlake a number.
            Some("decimal") => Cell::Decimal(json.trim_matches('"').to_owned()),
            Some("array") => Cell::Texts(serde_json::from_str(json).unwrap()),
            _ => panic!("no table and no question has a {sql_type}"),
        }
    }

    /// A value of a row in JSON, of a declared type.
    pub(crate) fn of_row(column_type: ColumnType, json: &str) -> Cell {
        Cell::read(sql_type(column_type), json)
    }

    pub(crate) fn text(text: impl Into<Option<String>>) -> Cell {
        text.into().map_or(Cell::Null, Cell::Text)
    }

    pub(crate) fn count(count: usize) -> Cell {
        Cell::Integer(i64::try_from(count).unwrap())
    }

    fn agrees(&self, found: &Cell) -> bool {
        match (self, found) {
            (Cell::Double(a), Cell::Double(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()),
            _ => self == found,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What Trino calls a declared type.
pub(crate) fn sql_type(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::String => "varchar",
        ColumnType::Int => "integer",
        ColumnType::Bigint => "bigint",
        ColumnType::Boolean => "boolean",
        ColumnType::Timestamp => "timestamp(3)",
        ColumnType::StringArray => "array(varchar)",
    }
}
