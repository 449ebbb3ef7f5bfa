//! A value of the engine as JSON.

use std::io::{self, Write as _};

use datafusion::arrow::array::{Array, AsArray as _, cast::as_struct_array};
use datafusion::arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::util::display::array_value_to_string;
use pixel_row::Timestamp;

/// Appends the value in a row of a column.
///
/// Numbers keep all their digits; what JSON has no number for, as infinity, is null. Times are RFC 3339 in
/// UTC with milliseconds. Types that no table of ours has come as the engine's text.
pub(super) fn write_value(out: &mut Vec<u8>, array: &dyn Array, row: usize) -> io::Result<()> {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    macro_rules! integer {
        ($type:ty) => {
            write!(out, "{}", array.as_primitive::<$type>().value(row))
        };
    }
    macro_rules! decimal {
        ($type:ty) => {
            out.write_all(
                array
                    .as_primitive::<$type>()
                    .value_as_string(row)
                    .as_bytes(),
            )
        };
    }
    match array.data_type() {
        DataType::Boolean => write!(out, "{}", array.as_boolean().value(row)),
        DataType::Int8 => integer!(Int8Type),
        DataType::Int16 => integer!(Int16Type),
        DataType::Int32 => integer!(Int32Type),
        DataType::Int64 => integer!(Int64Type),
        DataType::UInt8 => integer!(UInt8Type),
        DataType::UInt16 => integer!(UInt16Type),
        DataType::UInt32 => integer!(UInt32Type),
        DataType::UInt64 => integer!(UInt64Type),
        DataType::Float32 => Ok(serde_json::to_writer(
            out,
            &array.as_primitive::<Float32Type>().value(row),
        )?),
        DataType::Float64 => Ok(serde_json::to_writer(
            out,
            &array.as_primitive::<Float64Type>().value(row),
        )?),
        DataType::Decimal32(..) => decimal!(Decimal32Type),
        DataType::Decimal64(..) => decimal!(Decimal64Type),
        DataType::Decimal128(..) => decimal!(Decimal128Type),
        DataType::Decimal256(..) => decimal!(Decimal256Type),
        DataType::List(_) => write_list(out, &*array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => write_list(out, &*array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => write_list(out, &*array.as_fixed_size_list().value(row)),
        DataType::Struct(_) => {
            let members = as_struct_array(array);
            let members = members.column_names().into_iter().zip(members.columns());
            write_object(out, members.map(|(name, column)| (name, &**column)), row)
        }
        _ => Ok(serde_json::to_writer(out, &text(array, row)?)?),
    }
}

/// Appends an object with a member for each column.
pub(super) fn write_object<'a>(
    out: &mut Vec<u8>,
    members: impl Iterator<Item = (&'a str, &'a dyn Array)>,
    row: usize,
) -> io::Result<()> {
    out.push(b'{');
    for (index, (name, column)) in members.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, name)?;
        out.push(b':');
        write_value(out, column, row)?;
    }
    out.push(b'}');
    Ok(())
}

/// The text of a value that is not null and is a text in JSON, without quotes.
pub(super) fn text(array: &dyn Array, row: usize) -> io::Result<String> {
    Ok(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).to_owned(),
        DataType::Utf8View => array.as_string_view().value(row).to_owned(),
        DataType::Timestamp(unit, _) => match time(array, *unit, row) {
            Some(time) => time.to_string(),
            None => engine_text(array, row)?, // a year that four digits cannot hold
        },
        _ => engine_text(array, row)?,
    })
}

fn write_list(out: &mut Vec<u8>, items: &dyn Array) -> io::Result<()> {
    out.push(b'[');
    for item in 0..items.len() {
        if item > 0 {
            out.push(b',');
        }
        write_value(out, items, item)?;
    }
    out.push(b']');
    Ok(())
}

fn time(array: &dyn Array, unit: TimeUnit, row: usize) -> Option<Timestamp> {
    Timestamp::from_millis(match unit {
        TimeUnit::Second => array
            .as_primitive::<TimestampSecondType>()
            .value(row)
            .checked_mul(1000)?,
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
        TimeUnit::Microsecond => array
            .as_primitive::<TimestampMicrosecondType>()
            .value(row)
            .div_euclid(1000),
        TimeUnit::Nanosecond => array
            .as_primitive::<TimestampNanosecondType>()
            .value(row)
            .div_euclid(1_000_000),
    })
}

fn engine_text(array: &dyn Array, row: usize) -> io::Result<String> {
    array_value_to_string(array, row).map_err(io::Error::other)
}
