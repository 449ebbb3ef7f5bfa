//! `infra/catalog.yaml` and `infra/athena.yaml` say what the code says: columns from the declaration of the rows,
//! views and questions from their SQL.
//!
//! `UPDATE_INFRA=1 cargo test --workspace --test catalog` writes them anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails, in its functions too"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use lake::report::{REPORTS, Report};
use pixel_row::{Column, ColumnType, FailedEvent, Row};
use serde_json::json;

/// The days of a saved question: the last seven, today included, in UTC as Athena's clock is.
const FROM_DAY: &str = "CAST(current_date - INTERVAL '6' DAY AS varchar)";
const TO_DAY: &str = "CAST(current_date AS varchar)";

/// The one column of a view that is not a column of its table, with its types in Glue and in Athena's SQL.
const VALUE: (&str, &str, &str) = ("value", "decimal(20,6)", "decimal(20,6)");

fn infra() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra")
}

/// Compares a template with what it should be, or writes it.
fn hold(name: &str, expected: &str) {
    let path = infra().join(name);
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of this test is not a setting of the program"
    )]
    let update = std::env::var("UPDATE_INFRA").is_ok_and(|value| value == "1");
    if update {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "infra/{name} is out of date: UPDATE_INFRA=1 writes it anew"
    );
}

/// The type as Athena's SQL calls it.
/// Source: <https://docs.aws.amazon.com/athena/latest/ug/data-types.html>
fn sql_type(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::String => "varchar",
        ColumnType::Int => "integer",
        ColumnType::Bigint => "bigint",
        ColumnType::Boolean => "boolean",
        ColumnType::Timestamp => "timestamp(3)",
        ColumnType::StringArray => "array(varchar)",
    }
}

struct View {
    /// The statement without its comments and without `CREATE OR REPLACE VIEW … AS`.
    sql: String,
    /// Name, Glue type and SQL type of each column.
    columns: Vec<(String, &'static str, &'static str)>,
}

impl View {
    fn read(name: &str, table: &[Column]) -> View {
        let text = fs::read_to_string(infra().join(format!("athena/views/{name}.sql"))).unwrap();
        let (_, select) = text
            .split_once(&format!("CREATE OR REPLACE VIEW {name} AS\n"))
            .unwrap();
        let (list, _) = select.split_once("\nFROM (").unwrap();
        let columns = list.strip_prefix("SELECT\n").unwrap().split(",\n").map(|item| {
            let name = item.rsplit(' ').next().unwrap();
            if let Some(column) = table.iter().find(|column| column.name == name) {
                return (
                    name.to_owned(),
                    column.column_type.glue(),
                    sql_type(column.column_type),
                );
            }
            match name {
                "dt" | "hour" => (name.to_owned(), "string", "varchar"),
                _ if name == VALUE.0 => (name.to_owned(), VALUE.1, VALUE.2),
                _ => panic!("{name} is not a column of the table"),
            }
        });
        View {
            columns: columns.collect(),
            sql: select.trim_end().to_owned(),
        }
    }

    /// What Athena keeps of a view, in base64, in the table's `ViewOriginalText`.
    fn definition(&self) -> String {
        let column = |(name, _, sql_type): &(String, _, &str)| json!({"name": name, "type": sql_type});
        let definition = json!({
            "originalSql": self.sql,
            "catalog": "awsdatacatalog",
            "schema": "${DatabaseName}",
            "columns": self.columns.iter().map(column).collect::<Vec<_>>(),
        });
        definition.to_string()
    }
}

fn columns(out: &mut String, columns: impl IntoIterator<Item = (String, &'static str)>) {
    for (name, glue) in columns {
        // A type with a comma or brackets would end the mapping.
        let glue = if glue.contains([',', '<']) {
            format!("\"{glue}\"")
        } else {
            glue.to_owned()
        };
        writeln!(out, "            - {{Name: {name}, Type: {glue}}}").unwrap();
    }
}

fn table(out: &mut String, id: &str, name: &str, about: &str, declared: &[Column], place: &str) {
    writeln!(
        out,
        "
  {id}:
    Type: AWS::Glue::Table
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref Database
      TableInput:
        Name: {name}
        Description: {about}
        TableType: EXTERNAL_TABLE
{place}
          InputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat
          OutputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat
          SerdeInfo:
            SerializationLibrary: org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe
            Parameters: {{serialization.format: \"1\"}}
          Columns:"
    )
    .unwrap();
    let declared = declared
        .iter()
        .map(|column| (column.name.to_owned(), column.column_type.glue()));
    columns(out, declared);
}

/// A view has no description in the catalog: the engine would take it for the comment that says it is one.
fn view(out: &mut String, id: &str, name: &str, view: &View) {
    writeln!(
        out,
        "
  {id}:
    Type: AWS::Glue::Table
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref Database
      TableInput:
        Name: {name}
        TableType: VIRTUAL_VIEW
        PartitionKeys: []
        Parameters: {{presto_view: \"true\", comment: Presto View}}
        ViewExpandedText: /* Presto View */
        ViewOriginalText: !Join
          - \"\"
          - - \"/* Presto View: \"
            - Fn::Base64: !Sub '{}'
            - \" */\"
        StorageDescriptor:
          SerdeInfo: {{Name: \"-\", SerializationLibrary: \"-\"}}
          Columns:",
        view.definition().replace('\'', "''")
    )
    .unwrap();
    columns(
        out,
        view.columns.iter().map(|(name, glue, _)| (name.clone(), *glue)),
    );
}

#[test]
fn the_catalog_has_the_columns_of_the_rows_and_the_views_of_the_sql() {
    let mut out = String::from(
        "# Written by `UPDATE_INFRA=1 cargo test --workspace --test catalog`, from the declaration of the rows and \
         from athena/views.
AWSTemplateFormatVersion: \"2010-09-09\"
Description: The tables and views of pixlake in the Glue Data Catalog.

Parameters:
  Application:
    Type: String
    Description: Name of the stack.
  DatabaseName:
    Type: String
    Description: Name of the database.
  FirstDay:
    Type: String
    Description: The first day that queries see, in UTC.
  LakeBucketName:
    Type: String
    Description: Name of the bucket for rows.
  RawBucketName:
    Type: String
    Description: Name of the bucket for raw bytes.

# Firehose makes folders and Athena counts them off: nobody registers partitions.
# https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html
Resources:
  Database:
    Type: AWS::Glue::Database
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseInput:
        Name: !Ref DatabaseName
        Description: Events of the tracking pixel.
        Parameters: {\"pixlake:stack\": !Ref Application} # what infra/remove knows it by
",
    );
    let days = "          projection.enabled: \"true\"
          projection.dt.type: date
          projection.dt.format: yyyy-MM-dd
          projection.dt.range: !Sub ${FirstDay},NOW+1DAYS
          projection.dt.interval: \"1\"
          projection.dt.interval.unit: DAYS";
    table(
        &mut out,
        "EventsLanded",
        "events_landed",
        "Rows as they landed. One event may have several; the view events has one of each.",
        Row::COLUMNS,
        &format!(
            "        PartitionKeys: [{{Name: dt, Type: string}}, {{Name: hour, Type: string}}]
        Parameters:
          EXTERNAL: \"TRUE\"
          classification: parquet
{days}
          projection.hour.type: integer
          projection.hour.range: 0,23
          projection.hour.digits: \"2\"
          storage.location.template: !Sub s3://${{LakeBucketName}}/events/dt=${{!dt}}/hour=${{!hour}}/
        StorageDescriptor:
          Location: !Sub s3://${{LakeBucketName}}/events/"
        ),
    );
    table(
        &mut out,
        "FailedEventsLanded",
        "failed_events_landed",
        "Failed events as they landed. The view failed_events has one of each.",
        FailedEvent::COLUMNS,
        &format!(
            "        PartitionKeys: [{{Name: dt, Type: string}}]
        Parameters:
          EXTERNAL: \"TRUE\"
          classification: parquet
{days}
          storage.location.template: !Sub s3://${{RawBucketName}}/failed_events/dt=${{!dt}}/
        StorageDescriptor:
          Location: !Sub s3://${{RawBucketName}}/failed_events/"
        ),
    );
    view(&mut out, "Events", "events", &View::read("events", Row::COLUMNS));
    view(
        &mut out,
        "FailedEvents",
        "failed_events",
        &View::read("failed_events", FailedEvent::COLUMNS),
    );
    out.push_str(
        "
Outputs:
  DatabaseName:
    Description: Name of the database.
    Value: !Ref Database
  EventsTable:
    Description: Name of the table of rows as they landed.
    Value: !Ref EventsLanded
  FailedEventsTable:
    Description: Name of the table of failed events as they landed.
    Value: !Ref FailedEventsLanded
",
    );
    hold("catalog.yaml", &out);
}

/// `EventsPerHour` of `events_per_hour`.
fn logical_id(report: &Report) -> String {
    let mut out = String::new();
    for word in report.name.split('_') {
        let (first, rest) = word.split_at(1);
        out += &first.to_uppercase();
        out += rest;
    }
    out
}

/// The first comment of the SQL: what the question is.
fn about(report: &Report) -> &str {
    report.sql.lines().next().unwrap().strip_prefix("-- ").unwrap()
}

#[test]
fn the_saved_queries_are_the_questions_over_the_last_seven_days() {
    let mut out = String::from(
        "# Written by `UPDATE_INFRA=1 cargo test --workspace --test catalog`, from athena/queries.
AWSTemplateFormatVersion: \"2010-09-09\"
Description: The Athena workgroup of pixlake and its saved queries.

Parameters:
  Application:
    Type: String
    Description: Name of the pixlake stack that this one belongs to, and of the workgroup.
  DatabaseName:
    Type: String
    Description: Name of the Glue database that holds the views.
  LakeBucketName:
    Type: String
    Description: Name of the bucket for query results.
  LakeKeyArn:
    Type: String
    Description: ARN of the key for query results.
  RawBucketName:
    Type: String
    Description: Name of the bucket for results that hold raw bytes.
  RawKeyArn:
    Type: String
    Description: ARN of the key for results that hold raw bytes.
  ScanLimitBytes:
    Type: Number
    Description: How much a query may read, in bytes.

Resources:
  WorkGroup:
    Type: AWS::Athena::WorkGroup
    Properties:
      Name: !Ref Application
      Description: Queries over events of the tracking pixel, each with a limit on what it reads.
      RecursiveDeleteOption: true # the history of queries is not data
      WorkGroupConfiguration:
        EnforceWorkGroupConfiguration: true
        PublishCloudWatchMetricsEnabled: true
        BytesScannedCutoffPerQuery: !Ref ScanLimitBytes
        EngineVersion: {SelectedEngineVersion: Athena engine version 3}
        ResultConfiguration:
          OutputLocation: !Sub s3://${LakeBucketName}/athena-results/
          ExpectedBucketOwner: !Ref AWS::AccountId
          EncryptionConfiguration: {EncryptionOption: SSE_KMS, KmsKey: !Ref LakeKeyArn}
      Tags:
        - {Key: \"pixlake:stack\", Value: !Ref Application}

  # For runbooks: an answer about failed events may hold raw bytes, so it lies with them, under their key, for a
  # day. Who may use it has rights of their own; AnalystPolicy has none on it.
  OperatorWorkGroup:
    Type: AWS::Athena::WorkGroup
    Properties:
      Name: !Sub ${Application}-operators
      Description: Queries of operators over failed events, whose answers are as raw as what they are about.
      RecursiveDeleteOption: true # the history of queries is not data
      WorkGroupConfiguration:
        EnforceWorkGroupConfiguration: true
        PublishCloudWatchMetricsEnabled: true
        BytesScannedCutoffPerQuery: !Ref ScanLimitBytes
        EngineVersion: {SelectedEngineVersion: Athena engine version 3}
        ResultConfiguration:
          OutputLocation: !Sub s3://${RawBucketName}/athena-results/
          ExpectedBucketOwner: !Ref AWS::AccountId
          EncryptionConfiguration: {EncryptionOption: SSE_KMS, KmsKey: !Ref RawKeyArn}
      Tags:
        - {Key: \"pixlake:stack\", Value: !Ref Application}
",
    );
    for report in REPORTS {
        write!(
            out,
            "
  {}:
    Type: AWS::Athena::NamedQuery
    Properties:
      Name: {}
      Description: {}
      Database: !Ref DatabaseName
      WorkGroup: !Ref WorkGroup
      QueryString: |
",
            logical_id(&report),
            report.title,
            about(&report)
        )
        .unwrap();
        let sql = report
            .sql
            .replace(":from_day", FROM_DAY)
            .replace(":to_day", TO_DAY);
        for line in sql.lines() {
            let line = if line.is_empty() {
                String::new()
            } else {
                format!("        {line}")
            };
            writeln!(out, "{line}").unwrap();
        }
    }
    out.push_str(
        "
  # For people and tools that ask questions: rows, and nothing raw.
  AnalystPolicy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Description: !Sub Queries over the events of ${Application}, without failed events and raw log lines
      PolicyDocument:
        Version: \"2012-10-17\"
        Statement:
          - Effect: Allow
            Action:
              - athena:BatchGetNamedQuery
              - athena:BatchGetQueryExecution
              - athena:GetNamedQuery
              - athena:GetQueryExecution
              - athena:GetQueryResults
              - athena:GetQueryResultsStream
              - athena:GetWorkGroup
              - athena:ListNamedQueries
              - athena:ListQueryExecutions
              - athena:StartQueryExecution
              - athena:StopQueryExecution
            Resource: !Sub arn:${AWS::Partition}:athena:${AWS::Region}:${AWS::AccountId}:workgroup/${WorkGroup}
          # What the console lists to choose from: names, and of no resource that could be named here.
          - Effect: Allow
            Action: [athena:ListDataCatalogs, athena:ListWorkGroups]
            Resource: \"*\"
          - Effect: Allow
            Action:
              - athena:GetDataCatalog
              - athena:GetDatabase
              - athena:GetTableMetadata
              - athena:ListDatabases
              - athena:ListTableMetadata
            Resource: !Sub arn:${AWS::Partition}:athena:${AWS::Region}:${AWS::AccountId}:datacatalog/AwsDataCatalog
          # Athena asks for the database default, whichever a query names.
          # https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
          - Effect: Allow
            Action: [glue:GetDatabase, glue:GetDatabases]
            Resource:
              - !Sub arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:catalog
              - !Sub arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:database/default
              - !Sub arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:database/${DatabaseName}
          - Effect: Allow
            Action: [glue:GetPartition, glue:GetPartitions, glue:GetTable, glue:GetTables]
            Resource:
              - !Sub arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:catalog
              - !Sub arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:database/${DatabaseName}
              - !Sub arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:table/${DatabaseName}/events
              - !Sub arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:table/${DatabaseName}/events_landed
          - Effect: Allow
            Action: [s3:GetBucketLocation, s3:ListBucket]
            Resource: !Sub arn:${AWS::Partition}:s3:::${LakeBucketName}
          - Effect: Allow
            Action: s3:GetObject
            Resource:
              - !Sub arn:${AWS::Partition}:s3:::${LakeBucketName}/events/*
              - !Sub arn:${AWS::Partition}:s3:::${LakeBucketName}/athena-results/*
          - Effect: Allow
            Action: [s3:AbortMultipartUpload, s3:PutObject]
            Resource: !Sub arn:${AWS::Partition}:s3:::${LakeBucketName}/athena-results/*
          - Effect: Allow
            Action: [kms:Decrypt, kms:GenerateDataKey]
            Resource: !Ref LakeKeyArn

Outputs:
  WorkGroup:
    Description: Name of the workgroup.
    Value: !Ref WorkGroup
  OperatorWorkGroup:
    Description: Name of the workgroup for runbooks.
    Value: !Ref OperatorWorkGroup
  AnalystPolicyArn:
    Description: ARN of the policy for who may query.
    Value: !Ref AnalystPolicy
",
    );
    hold("athena.yaml", &out);
}
