//! What a table's columns are: declared once, and everything else is derived from the declaration.

use std::borrow::Cow;

use crate::json;
use crate::timestamp::Timestamp;

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

/// A text, absent where there is none.
pub type Text<'a> = Option<Cow<'a, str>>;
/// An `int`.
pub type Int = Option<i32>;
/// A `bigint`.
pub type Bigint = Option<i64>;
/// A `boolean`.
pub type Boolean = Option<bool>;
/// A `timestamp`.
pub type Time = Option<Timestamp>;
/// An `array<string>` of names of ours; absent where it is empty.
pub type Names = Vec<&'static str>;

/// What the declaration of a table needs to know of a Rust type.
pub(crate) trait Value {
    const TYPE: ColumnType;
    fn is_present(&self) -> bool;
    fn write_json(&self, out: &mut Vec<u8>);
    /// Cuts a text that is longer than this; says whether it was.
    fn cut(&mut self, _max_bytes: usize) -> bool {
        false
    }
}

impl Value for Text<'_> {
    const TYPE: ColumnType = ColumnType::String;

    fn is_present(&self) -> bool {
        self.is_some()
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        json::write_string(self.as_deref().unwrap_or_default(), out);
    }

    fn cut(&mut self, max_bytes: usize) -> bool {
        let Some(text) = self.as_mut().filter(|text| text.len() > max_bytes) else {
            return false;
        };
        let end = text.floor_char_boundary(max_bytes);
        match text {
            Cow::Borrowed(text) => *text = text.get(..end).unwrap_or_default(),
            Cow::Owned(text) => text.truncate(end),
        }
        true
    }
}

impl Value for Int {
    const TYPE: ColumnType = ColumnType::Int;

    fn is_present(&self) -> bool {
        self.is_some()
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        json::write_integer(i64::from(self.unwrap_or_default()), out);
    }
}

impl Value for Bigint {
    const TYPE: ColumnType = ColumnType::Bigint;

    fn is_present(&self) -> bool {
        self.is_some()
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        json::write_integer(self.unwrap_or_default(), out);
    }
}

impl Value for Boolean {
    const TYPE: ColumnType = ColumnType::Boolean;

    fn is_present(&self) -> bool {
        self.is_some()
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.unwrap_or_default() {
            b"true"
        } else {
            b"false"
        });
    }
}

impl Value for Time {
    const TYPE: ColumnType = ColumnType::Timestamp;

    fn is_present(&self) -> bool {
        self.is_some()
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        if let Some(time) = self {
            out.push(b'"');
            out.extend_from_slice(&time.rfc3339());
            out.push(b'"');
        }
    }
}

impl Value for Names {
    const TYPE: ColumnType = ColumnType::StringArray;

    fn is_present(&self) -> bool {
        !self.is_empty()
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        for (index, name) in self.iter().enumerate() {
            out.push(if index == 0 { b'[' } else { b',' });
            json::write_string(name, out);
        }
        out.push(b']');
    }
}

/// Declares a table: a struct with one field per column, the list of its columns, and its JSON line.
macro_rules! table {
    (
        $(#[$meta:meta])*
        $table:ident;
        $($group:literal {
            $($column:ident: $type:ty $([$max:literal])?, $privacy:ident, $unit:literal, $doc:literal;)*
        })*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq)]
        pub struct $table<'a> {
            $($(#[doc = $doc] pub $column: $type,)*)*
        }

        impl<'a> $table<'a> {
            /// The columns, in the order of the table.
            pub const COLUMNS: &'static [$crate::column::Column] = &[$($($crate::column::Column {
                name: stringify!($column),
                column_type: <$type as $crate::column::Value>::TYPE,
                unit: $unit,
                privacy: $crate::column::Privacy::$privacy,
                max_bytes: 0 $(+ $max)?,
                group: $group,
                doc: $doc,
            },)*)*];

            /// Appends the row as one compact JSON object without a newline; absent values are left out.
            pub fn write_json(&self, out: &mut Vec<u8>) {
                let start = out.len();
                $($(
                    if $crate::column::Value::is_present(&self.$column) {
                        out.extend_from_slice(concat!(",\"", stringify!($column), "\":").as_bytes());
                        $crate::column::Value::write_json(&self.$column, out);
                    }
                )*)*
                // The first comma becomes the brace; an object without members needs both.
                match out.get_mut(start) {
                    Some(first) => *first = b'{',
                    None => out.push(b'{'),
                }
                out.push(b'}');
            }

            /// Cuts every text to its column's limit and calls `cut` with the name of each that was longer.
            fn cut_texts(&mut self, mut cut: impl FnMut(&'static str)) {
                $($(
                    if $crate::column::Value::cut(&mut self.$column, 0 $(+ $max)?) {
                        cut(stringify!($column));
                    }
                )*)*
            }
        }
    };
}
pub(crate) use table;
