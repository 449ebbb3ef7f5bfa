//! Functions that Athena has and the embedded engine lacks, under Athena's names.

use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef, AsArray as _, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::functions_nested::range::gen_series_udf;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::prelude::SessionContext;

use super::json_path::JsonPath;

/// Registers them.
///
/// `sequence(start, stop, step)`: an array from start to stop, both included.
/// Source: <https://trino.io/docs/476/functions/array.html#sequence>
///
/// `json_extract_scalar(json, path)`: the text, number or truth value at a place of a JSON text, as a text;
/// `json_extract(json, path)`: what stands there, as JSON.
/// Source: <https://trino.io/docs/476/functions/json.html#json-extract-scalar>
pub(super) fn register(context: &SessionContext) {
    context.register_udf(Arc::unwrap_or_clone(gen_series_udf()).with_aliases(["sequence"]));
    context.register_udf(of_json("json_extract_scalar", JsonPath::find_scalar));
    context.register_udf(of_json("json_extract", |path, json| {
        path.find(json).map(str::to_owned)
    }));
}

/// A function of a JSON text and a path.
fn of_json(name: &str, find: fn(&JsonPath, &str) -> Option<String>) -> ScalarUDF {
    let arguments = vec![DataType::Utf8, DataType::Utf8];
    let function = move |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let [documents, paths] = arrays.as_slice() else {
            return exec_err!("expected a JSON text and a path");
        };
        let found = find_all(documents, paths, find)?;
        let is_one = arguments
            .iter()
            .all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        Ok(if is_one {
            ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&found, 0)?)
        } else {
            ColumnarValue::Array(Arc::new(found))
        })
    };
    create_udf(
        name,
        arguments,
        DataType::Utf8,
        Volatility::Immutable,
        Arc::new(function),
    )
}

fn find_all(
    documents: &ArrayRef,
    paths: &ArrayRef,
    find: fn(&JsonPath, &str) -> Option<String>,
) -> Result<StringArray> {
    let (documents, paths) = (documents.as_string::<i32>(), paths.as_string::<i32>());
    // Nearly always one path for all rows.
    let mut last: Option<(&str, JsonPath)> = None;
    let mut found = Vec::with_capacity(documents.len());
    for (json, path) in documents.iter().zip(paths) {
        let (Some(json), Some(path)) = (json, path) else {
            found.push(None);
            continue;
        };
        if last.as_ref().is_none_or(|(text, _)| *text != path) {
            let Some(parsed) = JsonPath::parse(path) else {
                return exec_err!("no JSON path: expected one like $.name, $[\"name\"] or $.list[0]");
            };
            last = Some((path, parsed));
        }
        found.push(last.as_ref().and_then(|(_, path)| find(path, json)));
    }
    Ok(StringArray::from(found))
}
