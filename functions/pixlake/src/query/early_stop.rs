//! A plan for `SELECT … LIMIT n` that ends with the hour in which it has its rows.
//!
//! The view `events` keeps one delivery of each event, for which rows have to be sorted: by default all of them, before
//! the first one is answered. But the folders of a lake are in the order of day and hour, with which that sort begins.
//! So here one hour is sorted after the other, on one core, and nobody asks for the rest.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::sorts::partial_sort::PartialSortExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _};

/// Whether any rows will do: the statement asks for a number of them, and neither sorts nor combines.
pub(super) fn is_enough(plan: &LogicalPlan) -> Result<bool> {
    let plan = match plan {
        LogicalPlan::Explain(explained) => explained.plan.as_ref(),
        plan => plan,
    };
    let mut combines = false;
    plan.apply_with_subqueries(|plan| {
        combines |= matches!(
            plan,
            LogicalPlan::Sort(_)
                | LogicalPlan::Aggregate(_)
                | LogicalPlan::Distinct(_)
                | LogicalPlan::Join(_)
        );
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(matches!(plan, LogicalPlan::Limit(limit) if limit.fetch.is_some()) && !combines)
}

/// A state that plans so.
pub(super) fn state(state: SessionState) -> SessionState {
    let config = state
        .config()
        .clone()
        .with_target_partitions(1)
        // An empty catalog would take the place of the one with the tables.
        .with_create_default_catalog_and_schema(false)
        // It trades the order of the folders, of which the engine makes nothing, for one within files.
        .set_bool("datafusion.optimizer.enable_sort_pushdown", false);
    SessionStateBuilder::new_from_existing(state)
        .with_config(config)
        .with_physical_optimizer_rule(Arc::new(SortByHour))
        .build()
}

/// Sorts group by group what comes in the order with which the sort begins.
#[derive(Debug)]
struct SortByHour;

impl PhysicalOptimizerRule for SortByHour {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(sort) = plan.downcast_ref::<SortExec>() else {
                return Ok(Transformed::no(plan));
            };
            let order = sort.input().equivalence_properties();
            let mut sorted = 0;
            while sorted < sort.expr().len()
                && order.ordering_satisfy(sort.expr().iter().take(sorted + 1).cloned())?
            {
                sorted += 1;
            }
            if sorted == 0 {
                return Ok(Transformed::no(plan));
            }
            let by_hour = PartialSortExec::new(sort.expr().clone(), Arc::clone(sort.input()), sorted)
                .with_preserve_partitioning(sort.preserve_partitioning())
                .with_fetch(sort.fetch());
            Ok(Transformed::yes(Arc::new(by_hour) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "sort_by_hour"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
