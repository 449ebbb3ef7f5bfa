//! Who may do what, and who may take the role.

use std::collections::BTreeSet;
use std::fs;

use pipeline_tests::stack::ACCOUNT;
use serde_json::{Value, json};

use super::world::{Deployed, EVERYTHING, World, items, repository_file, text, texts};

/// The checked-in list: every role with everything switched on, what it may do, and with what.
const SNAPSHOT: &str = "tests/stack/roles.txt";

/// Actions that name no resource, and tell no more than names.
/// Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html>
const OF_NO_RESOURCE: [&str; 2] = ["athena:ListDataCatalogs", "athena:ListWorkGroups"];

/// A statement of a policy that belongs to a role, a user or a managed policy.
pub(crate) struct Statement<'a> {
    /// The path of the resource that carries it.
    pub(crate) path: &'a str,
    pub(crate) json: &'a Value,
}

fn statements(document: &Value) -> &[Value] {
    match &document["Statement"] {
        Value::Array(statements) => statements,
        Value::Object(_) => std::slice::from_ref(&document["Statement"]),
        _ => &[],
    }
}

/// All statements that give identities rights.
pub(crate) fn granted(deployed: &Deployed) -> Vec<Statement<'_>> {
    let mut granted = Vec::new();
    for (path, resource) in deployed.stack.resources() {
        let properties = &resource["Properties"];
        let documents = match resource["Type"].as_str().unwrap_or_default() {
            "AWS::IAM::Role" => items(&properties["Policies"])
                .iter()
                .map(|policy| &policy["PolicyDocument"])
                .collect(),
            "AWS::IAM::Policy"
            | "AWS::IAM::ManagedPolicy"
            | "AWS::IAM::UserPolicy"
            | "AWS::IAM::RolePolicy" => {
                vec![&properties["PolicyDocument"]]
            }
            _ => Vec::new(),
        };
        for document in documents {
            granted.extend(statements(document).iter().map(|json| Statement { path, json }));
        }
    }
    granted
}

/// No right to do all, no right over all: not in a role, and in a resource's own policy not as an allowance.
pub(crate) fn no_wildcards(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for Statement { path, json } in granted(deployed) {
            for action in texts(&json["Action"]) {
                violations.unless(!action.contains('*'), format!("{path} may do {action}"));
            }
            let only_lists = texts(&json["Action"])
                .iter()
                .all(|action| OF_NO_RESOURCE.contains(&action.as_str()));
            for resource in texts(&json["Resource"]) {
                violations.unless(
                    is_named(&resource) || (only_lists && resource == "*"),
                    format!("{path} may do it with {resource}"),
                );
            }
            for odd in ["NotAction", "NotResource"] {
                violations.unless(json.get(odd).is_none(), format!("{path} has a {odd}"));
            }
        }
        for (path, role) in deployed.stack.of_type("AWS::IAM::Role") {
            let managed = texts(&role["Properties"]["ManagedPolicyArns"]);
            violations.unless(
                managed.is_empty(),
                format!("{path} has rights that AWS may change: {managed:?}"),
            );
        }
        // Policies of resources: buckets, topics, secrets. Keys have to allow `*`, which is the key itself.
        for (path, resource) in deployed.stack.resources() {
            let properties = &resource["Properties"];
            for document in [&properties["PolicyDocument"], &properties["ResourcePolicy"]] {
                for statement in statements(document) {
                    let is_allowance = statement["Effect"] == "Allow";
                    let is_for_all = ["*", ""].contains(&principal(statement).join(",").as_str());
                    let is_resource_policy = statement.get("Principal").is_some();
                    violations.unless(
                        !(is_allowance && is_resource_policy && is_for_all),
                        format!("{path} allows something to everybody"),
                    );
                    let all = texts(&statement["Action"])
                        .iter()
                        .any(|action| action.ends_with('*'));
                    violations.unless(
                        !(is_allowance && all),
                        format!("{path} allows every action of a service"),
                    );
                }
            }
        }
        for (path, key) in deployed.stack.of_type("AWS::KMS::Key") {
            for statement in statements(&key["Properties"]["KeyPolicy"]) {
                let who = principal(statement);
                let is_account = who == [format!("arn:aws:iam::{ACCOUNT}:root")];
                let of_account = statement["Condition"].to_string().contains(ACCOUNT);
                violations.unless(
                    is_account || of_account,
                    format!("{path} may be used by {who:?} for anybody's account"),
                );
            }
        }
    })
}

/// `EventBridge` may use the key of the topic, for the topic alone: it names no account, but SNS names the topic.
pub(crate) fn notices(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let topic = deployed.stack.reference("Watching/Topic");
        let policy = &deployed.properties("Keys/LakeKey")["KeyPolicy"];
        let of_events: Vec<&Value> = statements(policy)
            .iter()
            .filter(|statement| principal(statement) == ["events.amazonaws.com"])
            .collect();
        violations.same("what the key says of EventBridge", &of_events.len(), &1);
        for statement in of_events {
            let may = texts(&statement["Action"]);
            violations.same(
                "what EventBridge may do with the key",
                &may,
                &vec!["kms:Decrypt".to_owned(), "kms:GenerateDataKey*".to_owned()],
            );
            let pattern = text(&statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:sns:topicArn"]);
            let of_stack = format!(":{ACCOUNT}:{}-*", pipeline_tests::stack::NAME);
            violations.unless(
                pattern.ends_with(&of_stack) && topic.starts_with(pattern.trim_end_matches('*')),
                format!("EventBridge may use the key for {pattern}; the topic is {topic}"),
            );
        }
    })
}

/// Whether a resource is one, or a folder of one bucket, or all of one log group.
fn is_named(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "s3", _, _, bucket] => bucket
            .split('/')
            .next()
            .is_some_and(|bucket| !bucket.contains('*')),
        ["arn", _, "logs", _, _, log] => {
            // `log-group:NAME:*`, and streams of it.
            let name = log
                .strip_prefix("log-group:")
                .and_then(|log| log.split(':').next());
            name.is_some_and(|name| !name.contains('*'))
        }
        ["arn", _, _, _, _, name] => !name.contains('*'),
        _ => false,
    }
}

/// Whom a statement speaks of.
fn principal(statement: &Value) -> Vec<String> {
    match &statement["Principal"] {
        Value::Object(kinds) => kinds.values().flat_map(texts).collect(),
        one => texts(one),
    }
}

/// A service takes a role for this account only. Lambda does so by itself: it takes the role of a function.
pub(crate) fn trust(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (path, role) in deployed.stack.of_type("AWS::IAM::Role") {
            for statement in statements(&role["Properties"]["AssumeRolePolicyDocument"]) {
                let service = principal(statement).join(",");
                violations.equal(format!("{path}: trust"), &statement["Action"], "sts:AssumeRole");
                match service.as_str() {
                    "lambda.amazonaws.com" => {}
                    "cloudfront.amazonaws.com" | "firehose.amazonaws.com" => violations.equal(
                        format!("{path}: aws:SourceAccount"),
                        &statement["Condition"]["StringEquals"]["aws:SourceAccount"],
                        ACCOUNT,
                    ),
                    other => violations.unless(false, format!("{path} trusts {other}")),
                }
            }
        }
    })
}

/// What each role may do: a line for each action and resource.
fn rights(deployed: &Deployed) -> BTreeSet<String> {
    let mut rights = BTreeSet::new();
    for Statement { path, json } in granted(deployed) {
        let denied = if json["Effect"] == "Allow" { "" } else { "not " };
        let condition = match json.get("Condition") {
            None => String::new(),
            Some(condition) => format!(" if {condition}"),
        };
        for action in texts(&json["Action"]) {
            for resource in texts(&json["Resource"]) {
                rights.insert(format!("{path} {denied}{action} {resource}{condition}"));
            }
        }
    }
    rights
}

/// With everything on, each role has the rights of the checked-in list.
pub(crate) fn snapshot(world: &World) -> Vec<String> {
    let Some(everything) = world.set(EVERYTHING) else {
        return vec![format!("{EVERYTHING}: makes no stack")];
    };
    let listed = fs::read_to_string(repository_file(SNAPSHOT)).unwrap_or_default();
    let listed: BTreeSet<String> = listed.lines().map(str::to_owned).collect();
    let found = rights(everything);
    let gone = listed.difference(&found).map(|line| format!("gone: {line}"));
    let new = found.difference(&listed).map(|line| format!("new: {line}"));
    gone.chain(new).collect()
}

/// Writes the list afresh, for who has read the difference: `UPDATE_ROLES=1`.
pub(crate) fn update_snapshot(world: &World) {
    let rights: Vec<String> = rights(world.set(EVERYTHING).unwrap()).into_iter().collect();
    let text = format!("{}\n", rights.join("\n"));
    fs::write(repository_file(SNAPSHOT), text).unwrap();
}

/// No set of parameters gives a role what it has not with everything on.
pub(crate) fn no_more_than_everything(world: &World) -> Vec<String> {
    let Some(everything) = world.set(EVERYTHING) else {
        return vec![format!("{EVERYTHING}: makes no stack")];
    };
    let everything = rights(everything);
    world.each(|deployed, violations| {
        // The database's name stands in what roles may read.
        let database = deployed.parameter("DatabaseName");
        for right in rights(deployed) {
            let known = right
                .replace(&format!("database/{database}"), "database/pixlake")
                .replace(&format!("table/{database}/"), "table/pixlake/");
            violations.unless(
                everything.contains(&known),
                format!("a right of this set alone: {right}"),
            );
        }
    })
}

/// The visitor key has one reader.
pub(crate) fn visitor_key(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let secret = deployed.stack.reference("Functions/VisitorKey");
        let mut readers = BTreeSet::new();
        for Statement { path, json } in granted(deployed) {
            let actions = texts(&json["Action"]);
            if actions
                .iter()
                .any(|action| action.starts_with("secretsmanager:") || action.starts_with('*'))
            {
                readers.insert(path);
                let resources = texts(&json["Resource"]);
                violations.same(format!("{path}: secrets"), &resources, &vec![secret.clone()]);
                violations.same(
                    format!("{path}: rights"),
                    &actions,
                    &vec!["secretsmanager:GetSecretValue".to_owned()],
                );
            }
        }
        violations.same(
            "the readers of the visitor key",
            &readers,
            &BTreeSet::from(["Functions/AggregateLogsRole"]),
        );
        // Others of the account, whatever their own policies say, are refused by the secret itself.
        let policies: Vec<&Value> = deployed
            .stack
            .of_type("AWS::SecretsManager::ResourcePolicy")
            .map(|(_, policy)| &policy["Properties"])
            .filter(|policy| policy["SecretId"] == secret.as_str())
            .collect();
        let role = deployed.arn("Functions/AggregateLogsRole");
        let refuses = |statement: &Value| {
            statement["Effect"] == "Deny"
                && principal(statement) == ["*"]
                && texts(&statement["Action"]).contains(&"secretsmanager:GetSecretValue".to_owned())
                && statement["Condition"]
                    == json!({
                        "ArnNotEquals": {"aws:PrincipalArn": role},
                        // Without it no deployment could change the secret.
                        "StringNotEquals": {"aws:CalledViaFirst": "cloudformation.amazonaws.com"},
                    })
        };
        let is_refused = policies.iter().any(|policy| {
            policy["BlockPublicPolicy"] == true && statements(&policy["ResourcePolicy"]).iter().any(refuses)
        });
        violations.unless(is_refused, "the secret does not refuse other readers");
    })
}

/// Whoever may decrypt raw bytes: those who read the log stream, and those who write failed events and the
/// archive. Firehose needs it for what waits in it.
pub(crate) fn raw_bytes(world: &World) -> Vec<String> {
    let may_decrypt = [
        "Functions/AggregateLogsRole",
        "Delivering/FailedEventsFirehoseRole",
        "Delivering/RawArchiveFirehoseRole",
    ];
    world.each(|deployed, violations| {
        let raw_key = text(&deployed.arn("Keys/RawKey"));
        let log_stream = text(&deployed.arn("Streams/LogStream"));
        let raw_bucket = text(&deployed.arn("Lake/RawBucket"));
        for Statement { path, json } in granted(deployed) {
            let (actions, resources) = (texts(&json["Action"]), texts(&json["Resource"]));
            let is_raw = |resource: &String| {
                *resource == raw_key || *resource == log_stream || resource.starts_with(&raw_bucket)
            };
            let reads = ["kms:Decrypt", "kinesis:GetRecords", "s3:GetObject"];
            let is_reader =
                resources.iter().any(is_raw) && actions.iter().any(|action| reads.contains(&action.as_str()));
            violations.unless(
                !is_reader || may_decrypt.contains(&path),
                format!("{path} may read raw bytes: {actions:?} {resources:?}"),
            );
        }
    })
}
