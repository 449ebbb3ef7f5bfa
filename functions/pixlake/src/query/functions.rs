//! Functions that Athena has and the embedded engine lacks, under Athena's names, as far as our SQL calls them.

use std::sync::Arc;

use datafusion::functions_nested::range::gen_series_udf;
use datafusion::prelude::SessionContext;

/// Registers them.
///
/// `sequence(start, stop, step)`: an array from start to stop, both included.
/// Source: <https://trino.io/docs/476/functions/array.html#sequence>
pub(super) fn register(context: &SessionContext) {
    context.register_udf(Arc::unwrap_or_clone(gen_series_udf()).with_aliases(["sequence"]));
}
