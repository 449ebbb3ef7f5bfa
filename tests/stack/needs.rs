//! What the holders of roles do, and whether their roles let them.
//!
//! The lists follow what each service asks of its role; the resources are such as it would name.
//! Source: <https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>

use pipeline_tests::stack::ACCOUNT;
use regex_lite::Regex;
use serde_json::{Value, json};

use super::firehose::{Firehose, existing};
use super::roles::granted;
use super::world::{Deployed, World, text, texts};

/// An action on a resource.
type Need = (&'static str, String);

const READ_STREAM: [&str; 4] = [
    "kinesis:DescribeStream",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
];
const READ_TABLE: [&str; 3] = ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"];

/// Each role lets its holder do its work.
pub(crate) fn roles_suffice(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let mut all = vec![
            ("Functions/AggregateLogsRole".to_owned(), of_function(deployed)),
            ("Edge/RealtimeLogRole".to_owned(), of_log(deployed)),
            ("Edge/PixelUploadRole".to_owned(), of_upload(deployed)),
            ("Athena/AnalystPolicy".to_owned(), of_analyst(deployed)),
        ];
        for (firehose, _, destination) in existing(deployed) {
            let needs = of_firehose(deployed, firehose, destination);
            all.push((format!("{}Role", firehose.path), needs));
        }
        for (role, needs) in all {
            for (action, resource) in needs {
                violations.unless(
                    may(deployed, &role, action, &resource),
                    format!("{role} lacks {action} on {resource}"),
                );
            }
        }
    })
}

fn of_function(deployed: &Deployed) -> Vec<Need> {
    let arn = |path: &str| text(&deployed.arn(path));
    let mut needs: Vec<Need> = READ_STREAM
        .map(|action| (action, arn("Streams/LogStream")))
        .to_vec();
    needs.extend([
        ("kinesis:DescribeStreamSummary", arn("Streams/LogStream")),
        ("kms:Decrypt", arn("Keys/RawKey")),
        ("firehose:PutRecordBatch", arn("Delivering/FailedEventsFirehose")),
        ("s3:ListBucket", arn("Lake/RawBucket")),
        // Where Lambda leaves a batch that it gave up on.
        (
            "s3:PutObject",
            format!(
                "{}/aws/lambda/uuid/shardId-000000000000/2026/11/01/batch",
                arn("Lake/RawBucket")
            ),
        ),
        ("kms:GenerateDataKey", arn("Keys/RawKey")),
        (
            "secretsmanager:GetSecretValue",
            deployed.stack.reference("Functions/VisitorKey"),
        ),
    ]);
    if deployed.has("Kpl") {
        needs.push(("kinesis:PutRecords", arn("Streams/EventStream")));
        needs.push(("kms:GenerateDataKey", arn("Keys/LakeKey")));
    }
    if deployed.has("DirectPut") {
        needs.push(("firehose:PutRecordBatch", arn("Delivering/DirectEventFirehose")));
    }
    needs.extend(of_log_group(deployed, "Functions/AggregateLogsLogGroup"));
    needs
}

fn of_log(deployed: &Deployed) -> Vec<Need> {
    let stream = text(&deployed.arn("Streams/LogStream"));
    let actions = [
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:PutRecord",
        "kinesis:PutRecords",
    ];
    let mut needs: Vec<Need> = actions.map(|action| (action, stream.clone())).to_vec();
    needs.push(("kms:GenerateDataKey", text(&deployed.arn("Keys/RawKey"))));
    needs
}

fn of_upload(deployed: &Deployed) -> Vec<Need> {
    let bucket = text(&deployed.arn("Edge/PixelBucket"));
    let pixel = format!("{bucket}{}", deployed.parameter("PixelPath"));
    let mut needs = vec![("s3:PutObject", pixel)];
    needs.extend(of_log_group(deployed, "Edge/PixelUploadLogGroup"));
    needs
}

/// A query of the view from Athena's console, whose lists are read before anything can be chosen.
/// Source: <https://docs.aws.amazon.com/athena/latest/ug/managed-policies.html>,
/// <https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html>
fn of_analyst(deployed: &Deployed) -> Vec<Need> {
    let arn = |path: &str| text(&deployed.arn(path));
    let of = |service: &str, resource: &str| format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{resource}");
    let work_group = of(
        "athena",
        &format!("workgroup/{}", text(&deployed.name("Athena/WorkGroup"))),
    );
    let catalog = of("athena", "datacatalog/AwsDataCatalog");
    let database = text(&deployed.name("Catalog/Database"));
    let mut needs = vec![
        ("athena:ListWorkGroups", "*".to_owned()),
        ("athena:ListDataCatalogs", "*".to_owned()),
        ("athena:ListDatabases", catalog.clone()),
        ("athena:ListTableMetadata", catalog.clone()),
        ("athena:GetTableMetadata", catalog),
        ("athena:GetWorkGroup", work_group.clone()),
        ("athena:ListNamedQueries", work_group.clone()),
        ("athena:BatchGetNamedQuery", work_group.clone()),
        ("athena:StartQueryExecution", work_group.clone()),
        ("athena:GetQueryExecution", work_group.clone()),
        ("athena:GetQueryResults", work_group),
        ("kms:Decrypt", arn("Keys/LakeKey")),
        ("kms:GenerateDataKey", arn("Keys/LakeKey")),
        (
            "s3:GetObject",
            format!("{}/events/dt=2026-11-01/hour=07/a", arn("Lake/LakeBucket")),
        ),
        (
            "s3:PutObject",
            format!("{}/athena-results/a.csv", arn("Lake/LakeBucket")),
        ),
        (
            "s3:GetObject",
            format!("{}/athena-results/a.csv", arn("Lake/LakeBucket")),
        ),
        ("s3:GetBucketLocation", arn("Lake/LakeBucket")),
    ];
    for database in ["default", &database] {
        for action in ["glue:GetDatabase", "glue:GetDatabases"] {
            needs.push((action, of("glue", "catalog")));
            needs.push((action, of("glue", &format!("database/{database}"))));
        }
    }
    for table in ["events", "events_landed"] {
        for action in ["glue:GetTable", "glue:GetTables", "glue:GetPartitions"] {
            needs.push((action, of("glue", "catalog")));
            needs.push((action, of("glue", &format!("database/{database}"))));
            needs.push((action, of("glue", &format!("table/{database}/{table}"))));
        }
    }
    needs
}

fn of_log_group(deployed: &Deployed, group: &str) -> [Need; 2] {
    let stream = log_stream(&text(&deployed.name(group)), "2026/11/01/[$LATEST]0a1b2c3d");
    ["logs:CreateLogStream", "logs:PutLogEvents"].map(|action| (action, stream.clone()))
}

/// Rights over events of a log are rights over its stream.
/// Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html>
fn log_stream(group: &str, stream: &str) -> String {
    format!("arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{group}:log-stream:{stream}")
}

fn of_firehose(deployed: &Deployed, firehose: &Firehose, destination: &Value) -> Vec<Need> {
    let arn = |path: &str| text(&deployed.arn(path));
    let bucket = arn(firehose.bucket);
    let mut needs: Vec<Need> = [
        "s3:GetBucketLocation",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
    ]
    .map(|action| (action, bucket.clone()))
    .to_vec();
    for prefix in ["Prefix", "ErrorOutputPrefix"] {
        // Whatever the expressions of the prefix become, the folder in front of them is known.
        let prefix = text(&destination[prefix]);
        let folder = prefix.split("!{").next().unwrap_or_default();
        let object = format!("{bucket}/{folder}2026-11-01/object");
        needs.extend(
            ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"]
                .map(|action| (action, object.clone())),
        );
    }
    needs.push(("kms:GenerateDataKey", arn(firehose.key)));
    needs.push(("kms:Decrypt", arn(firehose.key)));
    if let Some(source) = firehose.source {
        needs.extend(READ_STREAM.map(|action| (action, arn(source))));
    }
    if let Some(table) = firehose.table {
        let database = text(&deployed.name("Catalog/Database"));
        let table = text(&deployed.name(table));
        for resource in [
            "catalog",
            &format!("database/{database}"),
            &format!("table/{database}/{table}"),
        ] {
            let resource = format!("arn:aws:glue:eu-west-1:{ACCOUNT}:{resource}");
            needs.extend(READ_TABLE.map(|action| (action, resource.clone())));
        }
    }
    let options = &destination["CloudWatchLoggingOptions"];
    let log = log_stream(&text(&options["LogGroupName"]), &text(&options["LogStreamName"]));
    needs.push(("logs:PutLogEvents", log));
    needs
}

/// Whether a statement of a role allows an action on a resource of this account.
fn may(deployed: &Deployed, role: &str, action: &str, resource: &str) -> bool {
    let own_account = json!({"StringEquals": {"s3:ResourceAccount": ACCOUNT}});
    granted(deployed).iter().any(|statement| {
        let json = statement.json;
        statement.path == role
            && json["Effect"] == "Allow"
            && json
                .get("Condition")
                .is_none_or(|condition| *condition == own_account)
            && texts(&json["Action"])
                .iter()
                .any(|allowed| is_like(action, allowed))
            && texts(&json["Resource"])
                .iter()
                .any(|allowed| is_like(resource, allowed))
    })
}

/// Whether a name is of a pattern of IAM, in which `*` stands for any characters.
fn is_like(name: &str, pattern: &str) -> bool {
    let pattern = regex_lite::escape(pattern)
        .replace(r"\*", ".*")
        .replace(r"\?", ".");
    Regex::new(&format!("^{pattern}$")).is_ok_and(|pattern| pattern.is_match(name))
}

#[test]
fn a_pattern_of_iam_stands_for_what_it_says() {
    for (name, pattern, expected) in [
        ("arn:aws:s3:::lake/events/a", "arn:aws:s3:::lake/events/*", true),
        ("arn:aws:s3:::lake/errors/a", "arn:aws:s3:::lake/events/*", false),
        ("group:/a:log-stream:b", "group:/a:*", true),
        // What the ARN of a log group ends in, and what is put behind it by mistake.
        ("group:/a:log-stream:b", "group:/a:*:log-stream:b", false),
        ("a.b", "a?b", true),
        ("a+b", "a.b", false),
    ] {
        assert_eq!(is_like(name, pattern), expected, "{name} as {pattern}");
    }
}
