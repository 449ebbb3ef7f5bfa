//! What a table's columns are: declared once, and everything else is derived from the declaration.

/// One column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Lower-case name, as in the Glue table.
    pub name: &'static str,
    /// Its type.
    pub column_type: ColumnType,
    /// Unit or format; empty where the type says it all.
    pub unit: &'static str,
    /// Who may see it, and for how long it may be kept.
    pub privacy: Privacy,
    /// The most bytes of UTF-8 that a text may have; 0 for other types. Longer texts are cut, and the
    /// column `truncated_fields` says so.
    pub max_bytes: usize,
    /// The group under which the reference lists it.
    pub group: &'static str,
    /// What it holds, in a sentence.
    pub doc: &'static str,
}

/// The most bytes of the column of this name, for constants.
#[expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a wrong name does not compile"
)]
pub(crate) const fn max_bytes(columns: &[Column], name: &str) -> usize {
    let mut at = 0;
    while at < columns.len() {
        if is_same(columns[at].name.as_bytes(), name.as_bytes()) {
            return columns[at].max_bytes;
        }
        at += 1;
    }
    panic!("no column has this name")
}

const fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([first, rest @ ..], [other_first, other_rest @ ..]) = (one, other) {
        if *first != *other_first {
            return false;
        }
        (one, other) = (rest, other_rest);
    }
    one.is_empty() && other.is_empty()
}

const _: () = assert!(
    is_same(b"ab", b"ab") && !is_same(b"a", b"ab") && !is_same(b"ab", b"a") && !is_same(b"ab", b"ac")
);

/// The type of a column, by its name in Glue and Athena's DDL.
/// Source: <https://docs.aws.amazon.com/athena/latest/ug/data-types.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    String,
    /// 32-bit signed integer.
    Int,
    /// 64-bit signed integer.
    Bigint,
    /// `true` or `false`.
    Boolean,
    /// UTC time with milliseconds; RFC 3339 in JSON.
    Timestamp,
    /// A list of texts.
    StringArray,
}

impl ColumnType {
    /// The type as Glue and Athena's DDL write it.
    #[must_use]
    pub const fn glue(self) -> &'static str {
        match self {
            ColumnType::String => "string",
            ColumnType::Int => "int",
            ColumnType::Bigint => "bigint",
            ColumnType::Boolean => "boolean",
            ColumnType::Timestamp => "timestamp",
            ColumnType::StringArray => "array<string>",
        }
    }
}

/// The privacy class of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privacy {
    /// Technical: says nothing about a person.
    Technical,
    /// Quasi-identifier: coarse, safe in aggregates.
    Quasi,
    /// A pseudonym of a person.
    Pseudonym,
    /// Personal data.
    Personal,
    /// Commercial and confidential.
    Commercial,
}

impl Privacy {
    /// The letter that documents use: T, Q, S, I or C.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Privacy::Technical => 'T',
            Privacy::Quasi => 'Q',
            Privacy::Pseudonym => 'S',
            Privacy::Personal => 'I',
            Privacy::Commercial => 'C',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Row;

    #[test]
    fn a_text_has_the_limit_of_its_declaration() {
        assert_eq!(max_bytes(Row::COLUMNS, "site_id"), 255);
        assert_eq!(max_bytes(Row::COLUMNS, "user_agent"), 1_024);
        assert_eq!(max_bytes(Row::COLUMNS, "batch_index"), 0);
    }

    #[test]
    #[should_panic(expected = "no column has this name")]
    fn a_name_of_no_column_does_not_compile_where_it_counts() {
        max_bytes(Row::COLUMNS, "siteid");
    }
}
