//! Opens a lake's tables and views and runs one query at a time over them.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::physical_plan::{SendableRecordBatchStream, execute_stream};
use datafusion::prelude::{SessionConfig, SessionContext, col};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Expr, Visit as _, Visitor};

use super::{QueryError, VIEWS, early_stop, functions};
use lake::{TABLES, Table};

/// The lake's folder under a name without characters that a URL or a pattern would read otherwise.
const LAKE_URL: &str = "lake://local/";

/// So much memory a query has for its sorts and tables; what does not fit goes to temporary files.
const POOL_BYTES: usize = 512 * 1024 * 1024;
/// Rows that are computed at once. A wide row has some kilobytes, and a sort that spills needs several batches.
const BATCH_ROWS: usize = 1_024;

/// An open lake. It reads the folders anew for each query, so that rows that land meanwhile are seen.
pub struct Engine {
    pub(super) context: SessionContext,
}

/// The answer to a query.
pub struct QueryResult {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows, which are computed as they are read.
    pub batches: SendableRecordBatchStream,
}

impl Engine {
    /// Opens the lake in a folder; one without rows answers with none.
    pub async fn open(lake: &Path) -> Result<Engine, QueryError> {
        let files = LocalFileSystem::new_with_prefix(lake).map_err(|_| QueryError::NoLake {
            path: lake.to_path_buf(),
        })?;
        let mut config = SessionConfig::new()
            .with_information_schema(true)
            .with_batch_size(BATCH_ROWS)
            // As Athena reads `1.5`.
            .set_bool("datafusion.sql_parser.parse_float_as_decimal", true);
        // As Athena sorts: nulls last, up and down.
        "nulls_last".clone_into(&mut config.options_mut().sql_parser.default_null_ordering);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(POOL_BYTES)))
            .with_object_list_cache_limit(0) // it would never see a file that lands after the first query
            .build_arc()?;
        let context = SessionContext::new_with_config_rt(config, runtime);
        context.register_object_store(ListingTableUrl::parse(LAKE_URL)?.get_url(), Arc::new(files));
        functions::register(&context);
        for table in TABLES {
            register_table(&context, table)?;
        }
        for view in VIEWS {
            context.sql(view.sql).await?.collect().await?;
        }
        Ok(Engine { context })
    }

    /// Answers one query. Statements that would change something are refused.
    pub async fn sql(&self, sql: &str) -> Result<QueryResult, QueryError> {
        let queries_only = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        let state = self.context.state();
        let statement = state.sql_to_statement(sql, &state.config_options().sql_parser.dialect)?;
        let mut inner = &statement;
        while let Statement::Explain(explain) = inner {
            inner = &explain.statement;
        }
        if let Statement::Statement(statement) = inner
            && let ControlFlow::Break(refusal) = statement.visit(&mut Refusals::default())
        {
            return Err(refusal);
        }
        let plan = state.statement_to_plan(statement).await?;
        queries_only
            .verify_plan(&plan)
            .map_err(|_| QueryError::NotAQuery)?;
        let state = if early_stop::is_enough(&plan)? {
            early_stop::state(state)
        } else {
            state
        };
        let plan = state.create_physical_plan(&plan).await?;
        let batches = execute_stream(plan, state.task_ctx())?;
        Ok(QueryResult {
            schema: batches.schema(),
            batches,
        })
    }
}

/// The most levels of an expression: each takes some of the planning thread's stack, and the engine's time grows with
/// their square.
const MAX_DEPTH: usize = 2_000;

/// What of a statement is refused before the engine sees it.
#[derive(Default)]
struct Refusals {
    depth: usize,
}

impl Visitor for Refusals {
    type Break = QueryError;

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return ControlFlow::Break(QueryError::TooDeep { limit: MAX_DEPTH });
        }
        match expression {
            // It means another moment here than in Athena: an answer would be wrong without a word.
            Expr::AtTimeZone { .. } => ControlFlow::Break(QueryError::TimeZone),
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, _expression: &Expr) -> ControlFlow<QueryError> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// A landing table with the declared columns, whatever its files hold: a column that a file lacks is null.
fn register_table(context: &SessionContext, table: &Table) -> Result<(), QueryError> {
    let partition_columns = table
        .partitioning
        .columns()
        .iter()
        .map(|column| ((*column).to_owned(), DataType::Utf8));
    let order = table
        .partitioning
        .columns()
        .iter()
        .map(|column| col(*column).sort(true, false));
    // Firehose writes times of 96 bits. As nanoseconds since 1970 those of other centuries would wrap around.
    let format = ParquetFormat::default().with_coerce_int96(Some("ms".to_owned()));
    let options = ListingOptions::new(Arc::new(format))
        .with_file_extension(".parquet")
        .with_table_partition_cols(partition_columns.collect())
        // The order of the folders' names.
        .with_file_sort_order(vec![order.collect()]);
    let url = ListingTableUrl::parse(format!("{LAKE_URL}{}/", table.folder))?;
    let config = ListingTableConfig::new(url)
        .with_listing_options(options)
        .with_schema(table.file_schema());
    context.register_table(table.name, Arc::new(ListingTable::try_new(config)?))?;
    Ok(())
}
