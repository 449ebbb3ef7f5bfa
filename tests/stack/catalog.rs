//! The catalog: tables as the rows are declared, projection, views and the workgroup.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pixel_row::{Column, ColumnType, FailedEvent, Row};
use serde_json::{Value, json};

use super::world::{Deployed, Violations, World, items, repository_file, text};

const EVENTS: &str = "Catalog/EventsLanded";
const FAILED_EVENTS: &str = "Catalog/FailedEventsLanded";

/// The saved queries: a file of infra/athena/queries each.
const QUERIES: [&str; 7] = [
    "abnormal_events",
    "aggregate_event_count",
    "events_per_hour",
    "recent_events",
    "referrers",
    "user_agents",
    "visitor_count",
];

fn table<'a>(deployed: &'a Deployed, path: &str) -> &'a Value {
    &deployed.properties(path)["TableInput"]
}

/// A view's column: its name, its type in Hive's words and in those of the engine.
type ViewColumn = (&'static str, &'static str, &'static str);

fn view_column(column: &Column) -> ViewColumn {
    let engine = match column.column_type {
        ColumnType::String => "varchar",
        ColumnType::Int => "integer",
        ColumnType::Bigint => "bigint",
        ColumnType::Boolean => "boolean",
        ColumnType::Timestamp => "timestamp(3)",
        ColumnType::StringArray => "array(varchar)",
    };
    (column.name, column.column_type.glue(), engine)
}

/// Tables have the columns of the declared rows, with their types, in their order.
pub(crate) fn columns(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (path, name, declared, partition_keys) in [
            (EVENTS, "events_landed", Row::COLUMNS, &["dt", "hour"] as &[&str]),
            (
                FAILED_EVENTS,
                "failed_events_landed",
                FailedEvent::COLUMNS,
                &["dt"],
            ),
        ] {
            let table = table(deployed, path);
            violations.equal(format!("{path} Name"), &table["Name"], name);
            violations.equal(format!("{path} TableType"), &table["TableType"], "EXTERNAL_TABLE");
            let expected = declared
                .iter()
                .map(|column| json!({"Name": column.name, "Type": column.column_type.glue()}));
            let found = items(&table["StorageDescriptor"]["Columns"]);
            violations.same(
                format!("the number of columns of {path}"),
                &found.len(),
                &declared.len(),
            );
            for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
                violations.equal(format!("column {place} of {path}"), found, expected);
            }
            let keys: Vec<Value> = partition_keys
                .iter()
                .map(|key| json!({"Name": key, "Type": "string"}))
                .collect();
            violations.equal(format!("{path} PartitionKeys"), &table["PartitionKeys"], keys);
            parquet(path, table, violations);
        }
    })
}

/// Source: <https://docs.aws.amazon.com/athena/latest/ug/parquet-serde.html>
fn parquet(path: &str, table: &Value, violations: &mut Violations) {
    let storage = &table["StorageDescriptor"];
    let serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
    violations.equal(
        format!("{path} SerializationLibrary"),
        &storage["SerdeInfo"]["SerializationLibrary"],
        serde,
    );
    for (property, class) in [
        (
            "InputFormat",
            "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        ),
        (
            "OutputFormat",
            "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        ),
    ] {
        violations.equal(format!("{path} {property}"), &storage[property], class);
    }
    violations.equal(
        format!("{path} classification"),
        &table["Parameters"]["classification"],
        "parquet",
    );
}

/// Athena counts partitions off, from the first day to tomorrow.
pub(crate) fn projection(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (path, bucket, folder, has_hours) in [
            (EVENTS, "Lake/LakeBucket", "events", true),
            (FAILED_EVENTS, "Lake/RawBucket", "failed_events", false),
        ] {
            let table = table(deployed, path);
            let parameters = &table["Parameters"];
            let location = format!("s3://{}/{folder}/", text(&deployed.name(bucket)));
            let hours = if has_hours { "hour=${hour}/" } else { "" };
            let template = format!("{location}dt=${{dt}}/{hours}");
            let range = format!("{},NOW+1DAYS", deployed.parameter("FirstDay"));
            let mut expected = vec![
                ("projection.enabled", "true"),
                ("projection.dt.type", "date"),
                ("projection.dt.format", "yyyy-MM-dd"),
                ("projection.dt.range", &range),
                ("projection.dt.interval", "1"),
                ("projection.dt.interval.unit", "DAYS"),
                ("storage.location.template", &template),
            ];
            if has_hours {
                expected.extend([
                    ("projection.hour.type", "integer"),
                    ("projection.hour.range", "0,23"),
                    ("projection.hour.digits", "2"),
                ]);
            }
            for (name, expected) in expected {
                violations.equal(format!("{path} {name}"), &parameters[name], expected);
            }
            let all = parameters.as_object().into_iter().flatten();
            for (name, value) in all {
                violations.unless(
                    value.is_string(),
                    format!("{path} {name} is not text, as Glue wants it"),
                );
            }
            violations.equal(
                format!("{path} Location"),
                &table["StorageDescriptor"]["Location"],
                location,
            );
        }
    })
}

/// Views have the declared columns and the SQL of infra/athena/views.
pub(crate) fn views(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let dt = ("dt", "string", "varchar");
        let mut events: Vec<ViewColumn> = Vec::new();
        for column in Row::COLUMNS {
            events.push(view_column(column));
            if column.name == "value_micros" {
                events.push(("value", "decimal(20,6)", "decimal(20,6)"));
            }
        }
        events.extend([dt, ("hour", "string", "varchar")]);
        let mut failed_events: Vec<ViewColumn> = FailedEvent::COLUMNS.iter().map(view_column).collect();
        failed_events.push(dt);
        for (path, name, columns) in [
            ("Catalog/Events", "events", events),
            ("Catalog/FailedEvents", "failed_events", failed_events),
        ] {
            let view = table(deployed, path);
            violations.equal(format!("{path} Name"), &view["Name"], name);
            violations.equal(format!("{path} TableType"), &view["TableType"], "VIRTUAL_VIEW");
            violations.equal(
                format!("{path} presto_view"),
                &view["Parameters"]["presto_view"],
                "true",
            );
            let hive = columns
                .iter()
                .map(|(name, hive, _)| json!({"Name": name, "Type": hive}));
            violations.equal(
                format!("{path} Columns"),
                &view["StorageDescriptor"]["Columns"],
                hive.collect::<Vec<_>>(),
            );
            let engine = columns
                .iter()
                .map(|(name, _, engine)| json!({"name": name, "type": engine}));
            let Some(definition) = definition(&text(&view["ViewOriginalText"])) else {
                violations.unless(false, format!("{path} ViewOriginalText is not a Presto view"));
                continue;
            };
            violations.equal(
                format!("{path}: columns of the definition"),
                &definition["columns"],
                engine.collect::<Vec<_>>(),
            );
            violations.equal(
                format!("{path} catalog"),
                &definition["catalog"],
                "awsdatacatalog",
            );
            let database = deployed.parameter("DatabaseName");
            violations.equal(format!("{path} schema"), &definition["schema"], database);
            violations.equal(format!("{path}: SQL"), &definition["originalSql"], view_sql(name));
        }
    })
}

/// A view as the engine reads it: base64 of JSON in a comment.
fn definition(original_text: &str) -> Option<Value> {
    let encoded = original_text
        .strip_prefix("/* Presto View: ")?
        .strip_suffix(" */")?;
    serde_json::from_slice(&STANDARD.decode(encoded).ok()?).ok()
}

/// The query of a view's file: without comments, and without the words that create it.
fn view_sql(name: &str) -> String {
    let file = repository_file(&format!("infra/athena/views/{name}.sql"));
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("--"));
    let statement = lines.collect::<Vec<_>>().join("\n");
    let create = format!("CREATE OR REPLACE VIEW {name} AS\n");
    statement.strip_prefix(&create).unwrap().trim_end().to_owned()
}

/// A workgroup that limits and encrypts, with the seven saved queries.
pub(crate) fn workgroup(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        // What is asked about raw bytes is raw itself.
        for (path, bucket, key) in [
            ("Athena/WorkGroup", "Lake/LakeBucket", "Keys/LakeKey"),
            ("Athena/OperatorWorkGroup", "Lake/RawBucket", "Keys/RawKey"),
        ] {
            let group = &deployed.properties(path)["WorkGroupConfiguration"];
            violations.equal(
                format!("{path} EnforceWorkGroupConfiguration"),
                &group["EnforceWorkGroupConfiguration"],
                true,
            );
            violations.equal(
                format!("{path} BytesScannedCutoffPerQuery"),
                &group["BytesScannedCutoffPerQuery"],
                deployed.parameter("ScanLimitBytes"),
            );
            let results = &group["ResultConfiguration"];
            let location = format!("s3://{}/athena-results/", text(&deployed.name(bucket)));
            violations.equal(
                format!("{path} OutputLocation"),
                &results["OutputLocation"],
                location,
            );
            violations.equal(
                format!("{path} EncryptionConfiguration"),
                &results["EncryptionConfiguration"],
                json!({"EncryptionOption": "SSE_KMS", "KmsKey": deployed.arn(key)}),
            );
        }
        let queries: Vec<&Value> = deployed
            .stack
            .of_type("AWS::Athena::NamedQuery")
            .map(|(_, query)| &query["Properties"])
            .collect();
        let mut names: Vec<String> = queries
            .iter()
            .map(|query| text(&query["Name"]).replace(' ', "_"))
            .collect();
        names.sort();
        violations.same("the saved queries", &names, &QUERIES.map(str::to_owned).to_vec());
        for query in queries {
            let name = text(&query["Name"]);
            violations.equal(
                format!("{name}: WorkGroup"),
                &query["WorkGroup"],
                deployed.name("Athena/WorkGroup"),
            );
            let database = deployed.parameter("DatabaseName");
            violations.equal(format!("{name}: Database"), &query["Database"], database);
            let sql = text(&query["QueryString"]);
            violations.unless(
                sql.contains("dt BETWEEN") && !sql.contains(":from_day"),
                format!("{name} does not say which days it reads"),
            );
        }
    })
}
