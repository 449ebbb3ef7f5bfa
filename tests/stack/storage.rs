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

const ARCHIVE: &str = "Delivering/RawArchiveFirehose";

/// Who deletes the stack keeps the data, and so does who replaces a resource. What a first deployment made before
/// it failed holds nothing yet: it goes with it, or it would cost money for nothing and hold the names that the
/// second try needs.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>
///
/// The visitor key is not data: nobody can read a visitor out of it, and forgetting it is how old hashes are
/// made anonymous for good.
pub(crate) fn deletion_keeps_data(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        for (path, resource) in deployed.stack.resources() {
            let kind = text(&resource["Type"]);
            if !KEPT.contains(&kind.as_str()) {
                continue;
            }
            // An archive that is switched off must not go on writing addresses and cookies.
            let deletion = if path == ARCHIVE {
                "Delete"
            } else {
                "RetainExceptOnCreate"
            };
            for (policy, expected) in [("DeletionPolicy", deletion), ("UpdateReplacePolicy", "Retain")] {
                violations.equal(format!("{path} {policy}"), &resource[policy], expected);
            }
        }
        // What reads and writes for a Firehose that stays has to stay, or the Firehose keeps failing.
        for (path, firehose) in deployed.stack.of_type("AWS::KinesisFirehose::DeliveryStream") {
            if path == ARCHIVE {
                continue;
            }
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

/// For how many days an object below a prefix exists in any version: until it expires, and as a version after
/// that. None where nothing expires.
fn days_in_all(deployed: &Deployed, bucket: &str, prefix: &str) -> Option<f64> {
    let rules = items(&deployed.properties(bucket)["LifecycleConfiguration"]["Rules"]);
    let applying: Vec<&Value> = rules
        .iter()
        .filter(|rule| rule["Status"] == "Enabled" && prefix.starts_with(&text(&rule["Prefix"])))
        .collect();
    // Of rules that overlap, S3 follows the shorter one.
    let least = |days: &dyn Fn(&Value) -> Option<f64>| {
        let days = applying.iter().copied().filter_map(days);
        days.min_by(f64::total_cmp)
    };
    let expires = least(&|rule| rule.get("ExpirationInDays").map(number))?;
    let forgotten = least(&|rule| {
        rule["NoncurrentVersionExpiration"]
            .get("NoncurrentDays")
            .map(number)
    });
    // The end of each is the next midnight, UTC. The object expires just after one, and its version a day and the
    // rest of another later.
    // Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>
    Some(expires + 1.0 + forgotten.unwrap_or(f64::INFINITY) + 1.0)
}

/// Raw bytes are forgotten after 30 days, answers about them within four, answers of queries after nine, rows
/// when the user says so and three days later: the last version, not only the first.
pub(crate) fn lifecycle(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let events = match deployed.parameter("EventRetentionDays") {
            "0" => None,
            days => Some(number(&days.into()) + 3.0),
        };
        for (bucket, prefix, expected) in [
            ("Lake/RawBucket", "failed_events/", Some(30.0)),
            ("Lake/RawBucket", "errors/", Some(30.0)),
            ("Lake/RawBucket", "aws/lambda/", Some(30.0)),
            ("Lake/RawBucket", "raw/", Some(30.0)),
            ("Lake/RawBucket", "athena-results/", Some(4.0)),
            ("Lake/LakeBucket", "errors/", Some(30.0)),
            ("Lake/LakeBucket", "athena-results/", Some(9.0)),
            ("Lake/LakeBucket", "events/", events),
        ] {
            violations.same(
                format!("days of {prefix} in {bucket}, versions included,"),
                &days_in_all(deployed, bucket, prefix),
                &expected,
            );
        }
        // Rows that stay can still be replaced or deleted by hand, and for a while brought back.
        let rules = items(&deployed.properties("Lake/LakeBucket")["LifecycleConfiguration"]["Rules"]);
        let versions = rules.iter().find(|rule| text(&rule["Prefix"]).is_empty());
        let days = versions.map(|rule| number(&rule["NoncurrentVersionExpiration"]["NoncurrentDays"]));
        violations.same("days of rows that were replaced", &days, &Some(30.0));
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
