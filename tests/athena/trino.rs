//! Trino over its client protocol.
//!
//! Source: <https://trino.io/docs/476/develop/client-protocol.html>

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use pipeline_tests::PATIENCE;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::{Answer, Cell};
use crate::http;

/// A server that answers SQL.
pub(crate) struct Trino {
    /// `http://127.0.0.1:8080`.
    url: String,
}

/// What a query reads of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scan {
    pub(crate) table: String,
    /// The values of `dt`; none where the plan names no bound.
    pub(crate) days: Option<BTreeSet<String>>,
    /// The values of `hour`.
    pub(crate) hours: Option<BTreeSet<String>>,
}

/// A part of an answer. Values stay text until the columns' types are known.
#[derive(Deserialize)]
struct Page {
    #[serde(rename = "nextUri")]
    next_uri: Option<String>,
    columns: Option<Vec<Column>>,
    #[serde(default)]
    data: Vec<Vec<Box<RawValue>>>,
    error: Option<QueryError>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    sql_type: String,
}

#[derive(Deserialize)]
struct QueryError {
    #[serde(rename = "errorName")]
    name: String,
    message: String,
}

impl Trino {
    pub(crate) fn new(url: String) -> Trino {
        Trino { url }
    }

    /// Answers a query in a database of the catalog that Athena calls `awsdatacatalog`.
    pub(crate) fn query(&self, database: &str, sql: &str) -> Result<Answer, String> {
        let start = Instant::now();
        loop {
            match self.attempt(database, sql) {
                // A server that has just started may not know itself yet.
                Err(error) if error.name == "NO_NODES_AVAILABLE" && start.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(500));
                }
                Err(error) => return Err(format!("{}: {}", error.name, error.message)),
                Ok(answer) => return Ok(answer),
            }
        }
    }

    /// The only cell of a query's answer.
    pub(crate) fn cell(&self, database: &str, sql: &str) -> Cell {
        let answer = self.query(database, sql).unwrap();
        assert_eq!((answer.rows.len(), answer.columns.len()), (1, 1), "{sql}");
        answer.rows[0][0].clone()
    }

    /// What a query would read: the plan's tables with the partitions that it leaves.
    pub(crate) fn scans(&self, database: &str, sql: &str) -> Vec<Scan> {
        let Cell::Text(plan) = self.cell(database, &format!("EXPLAIN (TYPE IO, FORMAT JSON)\n{sql}")) else {
            panic!("a plan is a text");
        };
        let plan: Value = serde_json::from_str(&plan).unwrap();
        let tables = plan["inputTableColumnInfos"].as_array().unwrap();
        let scan = |table: &Value| Scan {
            table: table["table"]["schemaTable"]["table"]
                .as_str()
                .unwrap()
                .to_owned(),
            days: partition_values(table, "dt"),
            hours: partition_values(table, "hour"),
        };
        tables.iter().map(scan).collect()
    }

    fn attempt(&self, database: &str, sql: &str) -> Result<Answer, QueryError> {
        let headers = [
            ("X-Trino-User", "athena"),
            ("X-Trino-Catalog", "awsdatacatalog"),
            ("X-Trino-Schema", database),
            // Otherwise it hides how many digits a timestamp has.
            ("X-Trino-Client-Capabilities", "PARAMETRIC_DATETIME"),
        ];
        let mut page = http::request("POST", &format!("{}/v1/statement", self.url), &headers, sql);
        let mut columns: Vec<(String, String)> = Vec::new();
        let mut rows = Vec::new();
        loop {
            let Page {
                next_uri,
                columns: named,
                data,
                error,
            } = serde_json::from_str(&page).unwrap_or_else(|error| panic!("{error} in {page}"));
            if let Some(error) = error {
                return Err(error);
            }
            if let Some(named) = named {
                columns = named
                    .into_iter()
                    .map(|column| (column.name, column.sql_type))
                    .collect();
            }
            rows.extend(data.iter().map(|row| {
                let cells = columns.iter().zip(row);
                cells
                    .map(|((_, sql_type), json)| Cell::read(sql_type, json.get()))
                    .collect()
            }));
            let Some(next_uri) = next_uri else {
                return Ok(Answer { columns, rows });
            };
            page = http::request("GET", &next_uri, &headers, "");
        }
    }
}

/// The values that a plan leaves of a partition column.
fn partition_values(table: &Value, column: &str) -> Option<BTreeSet<String>> {
    let constraints = table["constraint"]["columnConstraints"].as_array()?;
    let constraint = constraints
        .iter()
        .find(|constraint| constraint["columnName"] == column)?;
    let ranges = constraint["domain"]["ranges"].as_array()?.iter().map(|range| {
        let bound = |end: &str| range[end]["value"].as_str().unwrap_or("…").to_owned();
        match (bound("low"), bound("high")) {
            (low, high) if low == high => low,
            (low, high) => format!("{low} to {high}"),
        }
    });
    Some(ranges.collect())
}
