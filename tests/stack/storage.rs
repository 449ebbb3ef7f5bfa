//! What holds data: encrypted, private, kept when the stack goes, and never replaced.

use serde_json::{Value, json};

use super::world::{Deployed, Violations, World, items, number, text, texts};

/// Types whose loss is a loss of data, or of the way to it.
const KEPT: [&str; 6] = [
    "AWS::Kinesis::Stream",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::Glue::Database",
    "AWS::Glue::Table",
];

/// Who deletes the stack keeps the data, and so does who replaces a resource. What a first deployment made before
/// it failed holds nothing yet: it goes with it, or it would cost money for nothing and hold the names that the
/// second try needs.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>
///
/// The visitor key is no data: nobody can read a visitor out of it, and forgetting it is how old hashes are
/// made anonymous for good.
pub(crate) fn deletion_keeps_data(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (path, resource) in deployed.stack.resources() {
            let kind = text(&resource["Type"]);
            if !KEPT.contains(&kind.as_str()) {
                continue;
            }
            for (policy, expected) in [
                ("DeletionPolicy", "RetainExceptOnCreate"),
                ("UpdateReplacePolicy", "Retain"),
            ] {
                violations.equal(format!("{path} {policy}"), &resource[policy], expected);
            }
        }
        // What reads and writes for a Firehose that stays has to stay, or the Firehose keeps failing.
        for (path, firehose) in deployed.stack.of_type("AWS::KinesisFirehose::DeliveryStream") {
            let destination = &firehose["Properties"]["ExtendedS3DestinationConfiguration"];
            let mut roles = deployed.stack.of_type("AWS::IAM::Role");
            let role = roles.find(|(role, _)| deployed.arn(role) == destination["RoleARN"]);
            let is_kept = role.is_some_and(|(_, role)| role["DeletionPolicy"] == "RetainExceptOnCreate");
            violations.unless(is_kept, format!("the role of {path} does not outlive the stack"));
        }
    })
}

/// A name forces a replacement by delete and create, which would fail or lose data.
pub(crate) fn no_physical_names(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (kind, name) in [
            ("AWS::Kinesis::Stream", "Name"),
            ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"),
            ("AWS::S3::Bucket", "BucketName"),
            ("AWS::Lambda::Function", "FunctionName"),
            ("AWS::IAM::Role", "RoleName"),
            ("AWS::SecretsManager::Secret", "Name"),
            ("AWS::SNS::Topic", "TopicName"),
        ] {
            for (path, resource) in deployed.stack.of_type(kind) {
                let is_named = resource["Properties"].get(name).is_some();
                violations.unless(!is_named, format!("{path} has a {name} of its own"));
            }
        }
    })
}

/// Nobody reaches a bucket but over TLS, and nobody makes it public.
pub(crate) fn buckets(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (path, bucket) in deployed.stack.of_type("AWS::S3::Bucket") {
            let bucket = &bucket["Properties"];
            violations.equal(
                format!("{path} PublicAccessBlockConfiguration"),
                &bucket["PublicAccessBlockConfiguration"],
                json!({
                    "BlockPublicAcls": true,
                    "BlockPublicPolicy": true,
                    "IgnorePublicAcls": true,
                    "RestrictPublicBuckets": true,
                }),
            );
            violations.equal(
                format!("{path} OwnershipControls"),
                &bucket["OwnershipControls"]["Rules"],
                json!([{"ObjectOwnership": "BucketOwnerEnforced"}]),
            );
            violations.equal(
                format!("{path} VersioningConfiguration"),
                &bucket["VersioningConfiguration"]["Status"],
                "Enabled",
            );
            only_over_tls(deployed, path, violations);
        }
        // The one reader of the pixel's bucket is CloudFront, for one distribution.
        let policy = &deployed.properties("Edge/PixelBucketPolicy")["PolicyDocument"];
        let allowed: Vec<&Value> = items(&policy["Statement"])
            .iter()
            .filter(|statement| statement["Effect"] == "Allow")
            .collect();
        violations.same("allowances of the pixel's bucket", &allowed.len(), &1);
        let distribution = match deployed.parameter("ExistingDistributionId") {
            "" => text(&deployed.name("Edge/Distribution")),
            existing => existing.to_owned(),
        };
        let arn = format!("arn:aws:cloudfront::123456789012:distribution/{distribution}");
        for statement in allowed {
            violations.equal(
                "the pixel's reader",
                &statement["Principal"]["Service"],
                "cloudfront.amazonaws.com",
            );
            violations.equal("what it may do", &statement["Action"], "s3:GetObject");
            violations.equal(
                "for whom",
                &statement["Condition"]["StringEquals"]["aws:SourceArn"],
                arn.as_str(),
            );
        }
    })
}

fn only_over_tls(deployed: &Deployed, path: &str, violations: &mut Violations) {
    let bucket = text(&deployed.name(path));
    let arn = text(&deployed.arn(path));
    let both = [arn.clone(), format!("{arn}/*")];
    let policies = deployed.stack.of_type("AWS::S3::BucketPolicy");
    let statements: Vec<&Value> = policies
        .filter(|(_, policy)| policy["Properties"]["Bucket"] == bucket.as_str())
        .flat_map(|(_, policy)| items(&policy["Properties"]["PolicyDocument"]["Statement"]))
        .collect();
    for (what, condition) in [
        ("TLS", json!({"Bool": {"aws:SecureTransport": "false"}})),
        ("TLS 1.2", json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}})),
    ] {
        let refuses = statements.iter().any(|statement| {
            statement["Effect"] == "Deny"
                && statement["Principal"] == "*"
                && statement["Action"] == "s3:*"
                && texts(&statement["Resource"]) == both
                && statement["Condition"] == condition
        });
        violations.unless(refuses, format!("{path} may be reached without {what}"));
    }
}

/// Raw bytes are forgotten after 30 days, answers of queries sooner, rows when the user says so.
pub(crate) fn lifecycle(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let rules = |path: &str| {
            let rules = items(&deployed.properties(path)["LifecycleConfiguration"]["Rules"]);
            let enabled = rules.iter().filter(|rule| rule["Status"] == "Enabled");
            enabled.cloned().collect::<Vec<Value>>()
        };
        let days = |rules: &[Value], prefix: &str| {
            let mut rules = rules.iter().filter(|rule| text(&rule["Prefix"]) == prefix);
            rules.find_map(|rule| rule.get("ExpirationInDays").map(number))
        };
        let (raw, lake) = (rules("Lake/RawBucket"), rules("Lake/LakeBucket"));
        violations.same("days of all raw bytes", &days(&raw, ""), &Some(30.0));
        violations.same(
            "days of rows that did not convert",
            &days(&lake, "errors/"),
            &Some(30.0),
        );
        let answers = days(&lake, "athena-results/").unwrap_or(f64::NAN);
        violations.unless(
            (1.0..=30.0).contains(&answers),
            format!("answers of queries stay for {answers} days"),
        );
        let events = match deployed.parameter("EventRetentionDays") {
            "0" => None,
            days => days.parse().ok(),
        };
        violations.same("days of rows", &days(&lake, "events/"), &events);
        violations.same("days of all of the lake", &days(&lake, ""), &None);
        for (path, rules) in [("Lake/RawBucket", raw), ("Lake/LakeBucket", lake)] {
            // In a bucket with versions, what is deleted is still there.
            let forgets = rules
                .iter()
                .any(|rule| number(&rule["NoncurrentVersionExpiration"]["NoncurrentDays"]) <= 30.0);
            violations.unless(forgets, format!("{path} keeps what was deleted"));
        }
    })
}

/// Raw bytes lie under one key, rows under another.
pub(crate) fn encryption(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (path, key) in deployed.stack.of_type("AWS::KMS::Key") {
            violations.equal(
                format!("{path} EnableKeyRotation"),
                &key["Properties"]["EnableKeyRotation"],
                true,
            );
        }
        for (path, key) in [
            ("Streams/LogStream", "Keys/RawKey"),
            ("Streams/EventStream", "Keys/LakeKey"),
        ] {
            if let Some(stream) = deployed.stack.find(path) {
                violations.equal(
                    format!("{path} StreamEncryption"),
                    &stream["Properties"]["StreamEncryption"],
                    json!({"EncryptionType": "KMS", "KeyId": deployed.arn(key)}),
                );
            }
        }
        for (path, key) in [
            ("Lake/RawBucket", "Keys/RawKey"),
            ("Lake/LakeBucket", "Keys/LakeKey"),
        ] {
            let rules =
                items(&deployed.properties(path)["BucketEncryption"]["ServerSideEncryptionConfiguration"]);
            let default = json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": deployed.arn(key)});
            let is_default = rules
                .iter()
                .any(|rule| rule["ServerSideEncryptionByDefault"] == default);
            violations.unless(is_default, format!("{path} does not encrypt with {key}"));
        }
        let lake_key = deployed.arn("Keys/LakeKey");
        for (path, log) in deployed.stack.of_type("AWS::Logs::LogGroup") {
            violations.equal(
                format!("{path} KmsKeyId"),
                &log["Properties"]["KmsKeyId"],
                lake_key.clone(),
            );
            let days = &log["Properties"]["RetentionInDays"];
            violations.equal(
                format!("{path} RetentionInDays"),
                days,
                deployed.parameter("LogRetentionDays"),
            );
        }
    })
}

/// Streams are as large, and keep as long, as the parameters say.
pub(crate) fn streams(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let mode = deployed.parameter("StreamMode");
        for (path, shards, hours) in [
            ("Streams/LogStream", "LogStreamShards", "LogStreamRetentionHours"),
            (
                "Streams/EventStream",
                "EventStreamShards",
                "EventStreamRetentionHours",
            ),
        ] {
            let Some(stream) = deployed.stack.find(path) else {
                continue;
            };
            let stream = &stream["Properties"];
            violations.equal(
                format!("{path}: mode"),
                &stream["StreamModeDetails"]["StreamMode"],
                mode,
            );
            let shards = if mode == "PROVISIONED" {
                deployed.parameter(shards)
            } else {
                ""
            };
            violations.same(
                format!("{path} ShardCount"),
                &text(&stream["ShardCount"]).as_str(),
                &shards,
            );
            violations.equal(
                format!("{path} RetentionPeriodHours"),
                &stream["RetentionPeriodHours"],
                deployed.parameter(hours),
            );
        }
    })
}
