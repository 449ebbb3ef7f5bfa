//! The declaration of a table: a struct with one field for each column, the list of its columns, and its JSON.

use smallvec::SmallVec;

use crate::column::ColumnType;
use crate::json::Cursor;
use crate::timestamp::Timestamp;

/// A text, absent where there is none.
pub type Text<'a> = Option<&'a str>;
/// An `int`.
pub type Int = Option<i32>;
/// A `bigint`.
pub type Bigint = Option<i64>;
/// A `boolean`.
pub type Boolean = Option<bool>;
/// A `timestamp`.
pub type Time = Option<Timestamp>;
/// An `array<string>` of names of ours; absent where it is empty. Rows name two columns at the most, nearly
/// always, so that many need no memory of their own.
pub type Names = SmallVec<[&'static str; 2]>;

/// What the declaration of a table needs to know of a Rust type.
pub(crate) trait Value {
    const TYPE: ColumnType;

    /// Appends the value, if there is one, behind what stands before it as a text: comma, name, colon and
    /// opening quote.
    fn write_member(&self, head: &[u8], out: &mut Cursor<'_>);

    /// Cuts a text that is longer than this; says whether it was.
    fn cut(&mut self, _max_bytes: usize) -> bool {
        false
    }
}

impl Value for Text<'_> {
    const TYPE: ColumnType = ColumnType::String;

    #[inline]
    fn write_member(&self, head: &[u8], out: &mut Cursor<'_>) {
        if let Some(text) = self {
            out.put(head);
            out.put_string_tail(text);
        }
    }

    #[inline]
    fn cut(&mut self, max_bytes: usize) -> bool {
        match self {
            Some(text) if text.len() > max_bytes => {
                *text = shortened(text, max_bytes);
                true
            }
            _ => false,
        }
    }
}

/// The text's whole characters within a number of bytes. Kept apart: few texts are too long.
#[cold]
#[inline(never)]
fn shortened(text: &str, max_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(max_bytes))
        .unwrap_or_default()
}

impl Value for Int {
    const TYPE: ColumnType = ColumnType::Int;

    #[inline]
    fn write_member(&self, head: &[u8], out: &mut Cursor<'_>) {
        self.map(i64::from).write_member(head, out);
    }
}

impl Value for Bigint {
    const TYPE: ColumnType = ColumnType::Bigint;

    #[inline]
    fn write_member(&self, head: &[u8], out: &mut Cursor<'_>) {
        if let Some(number) = self {
            out.put(unquoted(head));
            out.put(itoa::Buffer::new().format(*number).as_bytes());
        }
    }
}

impl Value for Boolean {
    const TYPE: ColumnType = ColumnType::Boolean;

    #[inline]
    fn write_member(&self, head: &[u8], out: &mut Cursor<'_>) {
        if let Some(value) = self {
            out.put(unquoted(head));
            out.put(if *value { b"true" } else { b"false" });
        }
    }
}

impl Value for Time {
    const TYPE: ColumnType = ColumnType::Timestamp;

    #[inline]
    fn write_member(&self, head: &[u8], out: &mut Cursor<'_>) {
        if let Some(time) = self {
            out.put(head);
            out.put_time_tail(*time);
        }
    }
}

impl Value for Names {
    const TYPE: ColumnType = ColumnType::StringArray;

    #[inline]
    fn write_member(&self, head: &[u8], out: &mut Cursor<'_>) {
        if self.is_empty() {
            return;
        }
        out.put(unquoted(head));
        for (index, name) in self.iter().enumerate() {
            out.put(if index == 0 { b"[\"" } else { b",\"" });
            out.put_string_tail(name);
        }
        out.put(b"]");
    }
}

/// What stands before a value that is not text.
#[inline]
fn unquoted(head: &[u8]) -> &[u8] {
    head.split_last().map_or(head, |(_, head)| head)
}

/// Declares a table: a struct with one field per column, the list of its columns, and its JSON document.
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
                column_type: <$type as $crate::table::Value>::TYPE,
                unit: $unit,
                privacy: $crate::column::Privacy::$privacy,
                max_bytes: 0 $(+ $max)?,
                group: $group,
                doc: $doc,
            },)*)*];

            /// The most bytes of the column of this name, 0 where it is not text. For constants: a name that no
            /// column has does not compile there.
            #[must_use]
            pub const fn max_bytes(column: &str) -> usize {
                $crate::column::max_bytes(Self::COLUMNS, column)
            }

            /// Appends the row as one compact JSON object without a newline; absent values are left out.
            pub fn write_json(&self, out: &mut $crate::json::JsonBuffer) {
                out.append(|cursor| self.write_object(cursor));
            }

            // Apart from the loop that may call it again: else all numbers are made ready before that loop.
            #[inline(never)]
            fn write_object(&self, cursor: &mut $crate::json::Cursor<'_>) {
                let start = cursor.position();
                $($($crate::table::Value::write_member(
                    &self.$column,
                    concat!(",\"", stringify!($column), "\":\"").as_bytes(),
                    cursor,
                );)*)*
                cursor.end_object(start);
            }

            /// Cuts every text to its column's limit and calls `cut` with the name of each that was longer.
            fn cut_texts(&mut self, cut: &mut dyn FnMut(&'static str)) {
                $($(
                    if $crate::table::Value::cut(&mut self.$column, 0 $(+ $max)?) {
                        cut(stringify!($column));
                    }
                )*)*
            }
        }
    };
}
pub(crate) use table;
