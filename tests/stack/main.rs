//! The contract of the stack: what the transformed templates have to say under every supported set of
//! parameters.
//!
//! A check is a function that lists violations. One test for each finds none in the templates as they are;
//! one test for all changes the templates in ways that would do harm and sees the check find it.
//!
//! `.ci/stack/transform` writes the templates that are read here; `PIXLAKE_TEMPLATES` names another folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod alarms;
mod catalog;
mod change;
mod deliveries;
mod edge;
mod firehose;
mod function;
mod ledger;
mod mutations;
mod needs;
mod operations;
mod outputs;
mod page;
mod parameters;
mod partitions;
mod prefix;
mod roles;
mod storage;
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::LazyLock;

use mutations::{MUTATIONS, Mutation};
use pipeline_tests::stack::Templates;
use world::{Check, World, repository_file};

/// Where the transformed templates lie.
fn folder() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a switch of this test alone")]
    let named = std::env::var_os("PIXLAKE_TEMPLATES");
    named.map_or_else(|| repository_file("target/ci/stack/transformed"), PathBuf::from)
}

fn is_set(switch: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "a switch of this test alone")]
    std::env::var_os(switch).is_some()
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let templates = Templates::read(&folder());
    let world =
        World::of(templates.unwrap_or_else(|error| panic!("{error}; .ci/stack/transform writes them")));
    if is_set("UPDATE_ROLES") {
        roles::update_snapshot(&world);
    }
    world
});

/// Names each check by the test that asks it of the templates.
macro_rules! checks {
    ($($name:ident => $check:path;)*) => {
        const CHECKS: &[(&str, Check)] = &[$((stringify!($name), $check),)*];
        $(
            #[test]
            fn $name() {
                let violations = $check(&WORLD);
                assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
            }
        )*
    };
}

checks! {
    every_set_of_parameters_makes_a_stack => refused;
    the_log_has_the_fields_that_parser_and_function_know => edge::log_fields;
    every_request_is_a_line_of_the_log_stream => edge::real_time_log;
    viewers_come_over_tls_with_get_and_head => edge::distribution;
    the_edge_keeps_the_pixel_and_browsers_do_not => edge::caching;
    the_outputs_say_what_to_set_on_an_existing_distribution => edge::existing_distribution;
    tables_have_the_columns_of_the_declared_rows => catalog::columns;
    athena_counts_partitions_from_the_first_day_to_tomorrow => catalog::projection;
    views_have_the_declared_columns_and_the_sql_of_their_files => catalog::views;
    the_workgroup_limits_and_encrypts_and_has_the_saved_queries => catalog::workgroup;
    the_environment_is_what_the_settings_take => function::settings;
    the_event_source_mapping_loses_no_batch => function::event_source;
    the_function_has_the_runtime_and_the_time_that_it_needs => function::runtime;
    the_visitor_key_is_random => function::visitor_key;
    firehoses_read_and_write_where_they_should => firehose::sources;
    json_becomes_parquet_of_the_table => firehose::conversion;
    rows_find_their_hour_by_themselves => firehose::dynamic_partitioning;
    firehoses_tell_of_their_errors => firehose::logging;
    rows_lie_where_the_lake_writer_puts_them => partitions::rows_lie_where_the_lake_writer_puts_them;
    failed_events_errors_and_archive_lie_by_arrival => partitions::folders_by_arrival;
    nobody_has_a_right_to_everything => roles::no_wildcards;
    services_take_roles_for_this_account_only => roles::trust;
    roles_have_the_rights_of_the_checked_in_list => roles::snapshot;
    every_role_suffices_for_its_holder => needs::roles_suffice;
    no_set_of_parameters_gives_more_rights_than_everything_on => roles::no_more_than_everything;
    eventbridge_uses_the_key_for_the_topic_alone => roles::notices;
    only_the_function_reads_the_visitor_key => roles::visitor_key;
    raw_bytes_have_few_readers => roles::raw_bytes;
    deletion_keeps_data => storage::deletion_keeps_data;
    nothing_has_a_name_that_forces_replacement => storage::no_physical_names;
    buckets_are_private => storage::buckets;
    raw_bytes_are_forgotten_after_30_days => storage::lifecycle;
    everything_is_encrypted_under_its_key => storage::encryption;
    streams_are_as_the_parameters_say => storage::streams;
    each_delivery_has_its_own_parts_and_no_others => deliveries::existence;
    nothing_produces_before_its_firehose_is_there => deliveries::order;
    a_change_of_delivery_drains_and_deletes_nothing => deliveries::changes;
    no_parameter_replaces_what_holds_data => deliveries::no_replacement;
    every_hop_has_its_alarms => alarms::every_hop;
    essential_alarms_are_free_and_see_each_loss => alarms::essential;
    every_bucket_tells_of_odd_objects => alarms::every_bucket;
    every_alarm_reaches_the_topic => alarms::every_alarm_reaches_the_topic;
    freshness_allows_for_the_buffer => alarms::freshness;
    metric_filters_look_for_what_the_function_writes => ledger::metric_filters;
    every_alarm_has_a_runbook => operations::runbooks;
    the_dashboard_has_a_row_for_each_hop => operations::dashboard;
    every_parameter_is_described_and_bounded => parameters::descriptions;
    every_parameter_is_used_and_passed => parameters::every_parameter_is_used_and_passed;
    texts_are_compared_with_texts => parameters::comparisons;
    contradictions_are_refused_in_a_sentence => parameters::contradictions_are_refused;
    outputs_say_what_a_user_needs_next => outputs::outputs;
}

fn refused(world: &World) -> Vec<String> {
    world.refused.clone()
}

#[test]
fn every_mutation_is_caught_by_its_check() {
    let checks: BTreeSet<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    let mutated: BTreeSet<&str> = MUTATIONS.iter().map(|(check, _)| *check).collect();
    assert_eq!(mutated, checks, "each check has to be seen to fail");
    let mutations: Vec<(&str, &Mutation)> = MUTATIONS
        .iter()
        .flat_map(|(check, mutations)| mutations.iter().map(|mutation| (*check, mutation)))
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = mutations
            .chunks(mutations.len().div_ceil(threads))
            .map(|part| scope.spawn(|| part.iter().copied().filter_map(escape).collect::<Vec<_>>()))
            .collect();
        running
            .into_iter()
            .flat_map(|part| part.join().unwrap())
            .collect()
    });
    println!("{} mutations, {} checks", mutations.len(), CHECKS.len());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// How a mutation gets by; not at all where its check sees it.
fn escape((caught_by, (name, change)): (&str, &Mutation)) -> Option<String> {
    let mut templates = WORLD.templates.clone();
    change(&mut templates);
    if templates == WORLD.templates {
        return Some(format!("{name}: changes nothing"));
    }
    let world = World::of(templates);
    if !world.refused.is_empty() && caught_by != "every_set_of_parameters_makes_a_stack" {
        return Some(format!("{name}: makes no stack: {:?}", world.refused));
    }
    let (_, check) = CHECKS.iter().find(|(check, _)| *check == caught_by)?;
    let known: BTreeSet<String> = check(&WORLD).into_iter().collect();
    let is_seen = check(&world).iter().any(|violation| !known.contains(violation));
    (!is_seen).then(|| format!("{name}: {caught_by} does not see it"))
}

#[test]
fn the_page_of_parameters_is_generated() {
    let path = repository_file("docs/parameters.md");
    let page = page::parameters(&WORLD.templates);
    if is_set("UPDATE_DOCS") {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/parameters.md differs; UPDATE_DOCS=1 cargo test --workspace --test stack writes it"
    );
}
