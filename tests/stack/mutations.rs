//! Changes to the templates that would do harm, by the check that has to see them.

use pipeline_tests::stack::Templates;
use serde_json::json;

use super::change::{at, put, remove, replace, set};

/// What a change does, and the change.
pub(crate) type Mutation = (&'static str, fn(&mut Templates));

/// For each check the changes that it has to see.
pub(crate) const MUTATIONS: &[(&str, &[Mutation])] = &[
    (
        "every_set_of_parameters_makes_a_stack",
        &[
            ("a nested stack does not get a parameter", |t| {
                remove(t, "template:Functions/Parameters/RawKeyArn");
            }),
            ("an output asks for a resource that only Kpl has", |t| {
                set(
                    t,
                    "streams:/Outputs/EventStreamArn/Value",
                    json!({"Fn::GetAtt": ["EventStream", "Arn"]}),
                );
            }),
            ("streams wait for Firehoses that wait for streams", |t| {
                put(t, "template:/Resources/Streams", "DependsOn", json!("Delivering"));
            }),
            ("a name is misspelt in a branch that nobody takes", |t| {
                replace(t, "edge:Distribution", "WebAclArn", "WebAclArm");
            }),
        ],
    ),
    (
        "the_log_has_the_fields_that_parser_and_function_know",
        &[
            ("the list of fields lacks one", |t| {
                replace(t, "template:/Parameters/LogFields/Default", ",asn", "");
            }),
            ("the list of fields has one that no row is made of", |t| {
                replace(
                    t,
                    "template:/Parameters/LogFields/Default",
                    ",asn",
                    ",asn,cs-cookie",
                );
            }),
            ("a field of the log is misspelt", |t| {
                set(t, "edge:RealtimeLog/Fields", json!(["timestamp", "cs-uristem"]));
            }),
            ("the log has fewer fields than the function is told", |t| {
                set(
                    t,
                    "edge:RealtimeLog/Fields",
                    json!(["timestamp", "cs-uri-stem", "c-ip"]),
                );
            }),
        ],
    ),
    (
        "every_request_is_a_line_of_the_log_stream",
        &[
            ("sampling of 99 %", |t| {
                set(t, "edge:RealtimeLog/SamplingRate", json!(99));
            }),
            ("the pixel's behaviour has no real-time log", |t| {
                remove(
                    t,
                    "edge:Distribution/DistributionConfig/DefaultCacheBehavior/RealtimeLogConfigArn",
                );
            }),
            ("a second behaviour without a log", |t| {
                put(
                    t,
                    "edge:Distribution/DistributionConfig",
                    "CacheBehaviors",
                    json!([{"PathPattern": "/x"}]),
                );
            }),
        ],
    ),
    (
        "viewers_come_over_tls_with_get_and_head",
        &[
            ("viewers may come without TLS", |t| {
                replace(
                    t,
                    "edge:/Resources/Distribution",
                    "redirect-to-https",
                    "allow-all",
                );
            }),
            ("TLS 1.0 with an own domain", |t| {
                replace(t, "edge:/Resources/Distribution", "TLSv1.2_2021", "TLSv1");
            }),
            ("HTTP/3 is off", |t| {
                replace(t, "edge:/Resources/Distribution", "http2and3", "http2");
            }),
            ("POST is allowed", |t| {
                set(
                    t,
                    "edge:Distribution/DistributionConfig/DefaultCacheBehavior/AllowedMethods",
                    json!(["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]),
                );
            }),
            ("the distribution does not wait for the pixel", |t| {
                remove(t, "edge:/Resources/Distribution/DependsOn");
            }),
        ],
    ),
    (
        "the_edge_keeps_the_pixel_and_browsers_do_not",
        &[
            ("browsers may keep the pixel", |t| {
                replace(t, "edge:/Resources/PixelHeaders", "no-store", "max-age=60");
            }),
            ("the pixel itself may be kept by browsers", |t| {
                replace(
                    t,
                    "edge:PixelUpload/Code/ZipFile",
                    "CACHE_CONTROL = \"no-store\"",
                    "CACHE_CONTROL = \"public, max-age=0\"",
                );
            }),
            ("the edge heeds the no-store that is meant for browsers", |t| {
                set(t, "edge:PixelCachePolicy/CachePolicyConfig/MinTTL", json!(0));
            }),
            ("each query is an object of its own", |t| {
                let key = at(
                    t,
                    "edge:PixelCachePolicy/CachePolicyConfig/ParametersInCacheKeyAndForwardedToOrigin",
                );
                key["QueryStringsConfig"] = json!({"QueryStringBehavior": "all"});
            }),
        ],
    ),
    (
        "the_outputs_say_what_to_set_on_an_existing_distribution",
        &[("the outputs forget the real-time log", |t| {
            replace(t, "edge:/Outputs/BehaviourToSet", "${RealtimeLog.Arn}", "it");
        })],
    ),
    (
        "tables_have_the_columns_of_the_declared_rows",
        &[
            ("two columns change places", |t| {
                at(t, "catalog:EventsLanded/TableInput/StorageDescriptor/Columns")
                    .as_array_mut()
                    .unwrap()
                    .swap(3, 4);
            }),
            ("a bigint is an int", |t| {
                set(
                    t,
                    "catalog:EventsLanded/TableInput/StorageDescriptor/Columns/2/Type",
                    json!("int"),
                );
            }),
            ("a column is missing", |t| {
                remove(t, "catalog:EventsLanded/TableInput/StorageDescriptor/Columns/20");
            }),
            ("events are partitioned by day alone", |t| {
                remove(t, "catalog:EventsLanded/TableInput/PartitionKeys/1");
            }),
        ],
    ),
    (
        "athena_counts_partitions_from_the_first_day_to_tomorrow",
        &[
            ("hours have one digit", |t| {
                set(
                    t,
                    "catalog:EventsLanded/TableInput/Parameters/projection.hour.digits",
                    json!("1"),
                );
            }),
            ("today is not projected", |t| {
                replace(t, "catalog:EventsLanded/TableInput", "NOW+1DAYS", "NOW-1DAYS");
            }),
            ("the hour of eleven at night is not projected", |t| {
                set(
                    t,
                    "catalog:EventsLanded/TableInput/Parameters/projection.hour.range",
                    json!("0,22"),
                );
            }),
        ],
    ),
    (
        "views_have_the_declared_columns_and_the_sql_of_their_files",
        &[
            ("the view keeps every copy of a row", |t| {
                replace(
                    t,
                    "catalog:/Resources/Events",
                    "WHERE delivery_rank = 1",
                    "WHERE delivery_rank > 0",
                );
            }),
            ("the view of failed events lacks a column", |t| {
                remove(t, "catalog:FailedEvents/TableInput/StorageDescriptor/Columns/6");
            }),
        ],
    ),
    (
        "the_workgroup_limits_and_encrypts_and_has_the_saved_queries",
        &[
            ("queries may set their own limits", |t| {
                set(
                    t,
                    "athena:WorkGroup/WorkGroupConfiguration/EnforceWorkGroupConfiguration",
                    json!(false),
                );
            }),
            ("a saved query is missing", |t| {
                remove(t, "athena:/Resources/Referrers");
            }),
            ("answers about raw bytes lie with those about rows", |t| {
                replace(
                    t,
                    "athena:OperatorWorkGroup/WorkGroupConfiguration",
                    "${RawBucketName}",
                    "${LakeBucketName}",
                );
            }),
            ("answers about raw bytes lie under the key of rows", |t| {
                replace(
                    t,
                    "athena:OperatorWorkGroup/WorkGroupConfiguration",
                    "RawKeyArn",
                    "LakeKeyArn",
                );
            }),
            ("results are not encrypted", |t| {
                remove(
                    t,
                    "athena:WorkGroup/WorkGroupConfiguration/ResultConfiguration/EncryptionConfiguration",
                );
            }),
        ],
    ),
    (
        "the_environment_is_what_the_settings_take",
        &[
            ("a variable is misspelt", |t| {
                let variables = at(t, "functions:AggregateLogs/Environment/Variables");
                variables["PIXEL_PATH"] = variables["PIXEL_PATHS"].take();
                variables.as_object_mut().unwrap().remove("PIXEL_PATHS");
            }),
            ("the name of a stream is its ARN", |t| {
                replace(
                    t,
                    "template:Functions/Parameters/EventStreamName",
                    "EventStreamName",
                    "EventStreamArn",
                );
            }),
            ("both outlets are set", |t| {
                set(
                    t,
                    "functions:AggregateLogs/Environment/Variables/EVENT_FIREHOSE_NAME",
                    json!({"Ref": "FailedEventsFirehoseName"}),
                );
            }),
            ("the environment is larger than Lambda takes", |t| {
                replace(
                    t,
                    "template:/Parameters/PixelPath/Default",
                    "/p",
                    &format!("/{}", "p".repeat(190)),
                );
                let fields = at(t, "functions:AggregateLogs/Environment/Variables/LOG_FIELDS").take();
                set(
                    t,
                    "functions:AggregateLogs/Environment/Variables/LOG_FIELDS",
                    json!({"Fn::Join": [" , ,", [fields, "x".repeat(3_000)]]}),
                );
            }),
            ("the function does not know the visitor key", |t| {
                set(
                    t,
                    "functions:AggregateLogs/Environment/Variables/VISITOR_KEY_SECRET",
                    json!(""),
                );
            }),
        ],
    ),
    (
        "the_event_source_mapping_loses_no_batch",
        &[
            ("partial responses count as successes", |t| {
                remove(t, "functions:AggregateLogsLogLines/FunctionResponseTypes");
            }),
            ("the mapping begins at LATEST", |t| {
                set(
                    t,
                    "functions:AggregateLogsLogLines/StartingPosition",
                    json!("LATEST"),
                );
            }),
            ("batches are not bisected", |t| {
                set(
                    t,
                    "functions:AggregateLogsLogLines/BisectBatchOnFunctionError",
                    json!(false),
                );
            }),
            ("a poison record blocks its shard", |t| {
                set(
                    t,
                    "functions:AggregateLogsLogLines/MaximumRetryAttempts",
                    json!(-1),
                );
            }),
            ("batches that failed go nowhere", |t| {
                remove(t, "functions:AggregateLogsLogLines/DestinationConfig");
            }),
            ("a stream of a day has records of six days", |t| {
                set(t, "functions:/Mappings/RecordAge/24/Seconds", json!(518_400));
            }),
            ("a filter drops what is not JSON", |t| {
                put(
                    t,
                    "functions:AggregateLogsLogLines",
                    "FilterCriteria",
                    json!({"Filters": [{"Pattern": "{\"data\": {}}"}]}),
                );
            }),
        ],
    ),
    (
        "the_function_has_the_runtime_and_the_time_that_it_needs",
        &[
            ("the log's format is text", |t| {
                set(
                    t,
                    "functions:AggregateLogs/LoggingConfig/LogFormat",
                    json!("Text"),
                );
            }),
            ("a level of the log drops the lines of batches", |t| {
                put(
                    t,
                    "functions:AggregateLogs/LoggingConfig",
                    "ApplicationLogLevel",
                    json!("WARN"),
                );
            }),
            ("the runtime has an old C library", |t| {
                set(t, "functions:AggregateLogs/Runtime", json!("provided.al2"));
            }),
            ("the timeout leaves hardly more than the margin", |t| {
                set(t, "functions:AggregateLogs/Timeout", json!(3));
            }),
            ("the default processor changes", |t| {
                set(t, "template:/Parameters/Architecture/Default", json!("x86_64"));
            }),
        ],
    ),
    (
        "the_visitor_key_is_random",
        &[
            ("the secret is no hexadecimal number", |t| {
                remove(t, "functions:VisitorKey/GenerateSecretString/ExcludeCharacters");
            }),
            ("the secret is short", |t| {
                set(
                    t,
                    "functions:VisitorKey/GenerateSecretString/PasswordLength",
                    json!(32),
                );
            }),
        ],
    ),
    (
        "firehoses_read_and_write_where_they_should",
        &[
            ("rows are written to the raw bucket", |t| {
                set(
                    t,
                    "delivery:EventFirehose/S3/BucketARN",
                    json!({"Ref": "RawBucketArn"}),
                );
            }),
            ("failed events lie under the key of rows", |t| {
                replace(t, "delivery:FailedEventsFirehose/S3", "RawKeyArn", "LakeKeyArn");
            }),
            ("the archive reads rows", |t| {
                put(
                    t,
                    "delivery:RawArchiveFirehose/KinesisStreamSourceConfiguration",
                    "KinesisStreamARN",
                    json!({"Ref": "EventStreamArn"}),
                );
            }),
        ],
    ),
    (
        "json_becomes_parquet_of_the_table",
        &[
            ("rows are not converted", |t| {
                set(
                    t,
                    "delivery:EventFirehose/S3/DataFormatConversionConfiguration/Enabled",
                    json!(false),
                );
            }),
            ("Parquet is compressed twice", |t| {
                set(t, "delivery:EventFirehose/S3/CompressionFormat", json!("GZIP"));
            }),
            ("names of columns keep their case", |t| {
                set(
                    t,
                    "delivery:DirectEventFirehose/S3/DataFormatConversionConfiguration/InputFormatConfiguration\
                     /Deserializer",
                    json!({"OpenXJsonSerDe": {"CaseInsensitive": false}}),
                );
            }),
            ("failed events have the columns of rows", |t| {
                replace(
                    t,
                    "delivery:FailedEventsFirehose/S3/DataFormatConversionConfiguration",
                    "FailedEventsTable",
                    "EventsTable",
                );
            }),
            ("a buffer that conversion refuses", |t| {
                set(t, "delivery:EventFirehose/S3/BufferingHints/SizeInMBs", json!(32));
            }),
        ],
    ),
    (
        "rows_find_their_hour_by_themselves",
        &[
            ("dynamic partitioning is off", |t| {
                set(
                    t,
                    "delivery:EventFirehose/S3/DynamicPartitioningConfiguration/Enabled",
                    json!(false),
                );
            }),
            ("rows of one record are not taken apart", |t| {
                remove(
                    t,
                    "delivery:DirectEventFirehose/S3/ProcessingConfiguration/Processors/0",
                );
            }),
            ("rows are taken apart after their hour is read", |t| {
                at(
                    t,
                    "delivery:DirectEventFirehose/S3/ProcessingConfiguration/Processors",
                )
                .as_array_mut()
                .unwrap()
                .swap(0, 1);
            }),
        ],
    ),
    (
        "firehoses_tell_of_their_errors",
        &[("a Firehose writes to a log that nobody makes", |t| {
            set(
                t,
                "delivery:EventFirehose/S3/CloudWatchLoggingOptions/LogStreamName",
                json!("rows"),
            );
        })],
    ),
    (
        "rows_lie_where_the_lake_writer_puts_them",
        &[
            ("day and hour change places", |t| {
                replace(
                    t,
                    "delivery:EventFirehose/S3/ProcessingConfiguration",
                    "{dt:.ts_server[0:10],hour:.ts_server[11:13]}",
                    "{hour:.ts_server[0:10],dt:.ts_server[11:13]}",
                );
            }),
            ("rows lie by the page's clock", |t| {
                replace(
                    t,
                    "delivery:DirectEventFirehose/S3/ProcessingConfiguration",
                    ".ts_server",
                    ".ts_client",
                );
            }),
            ("an expression that jq refuses", |t| {
                replace(
                    t,
                    "delivery:EventFirehose/S3/ProcessingConfiguration",
                    "[11:13]}",
                    "[11:13]",
                );
            }),
            ("rows lie by arrival", |t| {
                set(
                    t,
                    "delivery:EventFirehose/S3/Prefix",
                    json!("events/dt=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/"),
                );
            }),
            ("the folder of hours has another name", |t| {
                replace(t, "delivery:DirectEventFirehose/S3/Prefix", "hour=", "h=");
            }),
        ],
    ),
    (
        "failed_events_errors_and_archive_lie_by_arrival",
        &[
            ("the year of the week", |t| {
                replace(t, "delivery:FailedEventsFirehose/S3/Prefix", "yyyy", "YYYY");
            }),
            ("errors do not say their type", |t| {
                replace(
                    t,
                    "delivery:EventFirehose/S3/ErrorOutputPrefix",
                    "!{firehose:error-output-type}/",
                    "",
                );
            }),
            ("minutes stand for hours", |t| {
                replace(
                    t,
                    "delivery:/Resources/RawArchiveFirehose",
                    "!{timestamp:HH}",
                    "!{timestamp:mm}",
                );
            }),
        ],
    ),
    (
        "nobody_has_a_right_to_everything",
        &[
            ("the function may do all with its stream", |t| {
                set(
                    t,
                    "functions:AggregateLogsRole/Policies/0/PolicyDocument/Statement/0/Action",
                    json!("kinesis:*"),
                );
            }),
            ("the function may read every stream", |t| {
                set(
                    t,
                    "functions:AggregateLogsRole/Policies/0/PolicyDocument/Statement/0/Resource",
                    json!("*"),
                );
            }),
            ("a role with a policy of AWS", |t| {
                put(
                    t,
                    "functions:AggregateLogsRole",
                    "ManagedPolicyArns",
                    json!(["arn:aws:iam::aws:policy/service-role/AWSLambdaKinesisExecutionRole"]),
                );
            }),
            ("the function may read every stream of the account", |t| {
                set(
                    t,
                    "functions:AggregateLogsRole/Policies/0/PolicyDocument/Statement/0/Resource",
                    json!({"Fn::Sub": "arn:aws:kinesis:${AWS::Region}:${AWS::AccountId}:stream/*"}),
                );
            }),
            ("an analyst may query in every workgroup", |t| {
                set(
                    t,
                    "athena:AnalystPolicy/PolicyDocument/Statement/0/Resource",
                    json!("*"),
                );
            }),
            ("a bucket is open to all", |t| {
                at(t, "lake:LakeBucketPolicy/PolicyDocument/Statement")
                    .as_array_mut()
                    .unwrap()
                    .push(json!({
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "s3:GetObject",
                        "Resource": {"Fn::Sub": "${LakeBucket.Arn}/*"},
                    }));
            }),
        ],
    ),
    (
        "services_take_roles_for_this_account_only",
        &[
            ("CloudFront writes for any account", |t| {
                remove(
                    t,
                    "edge:RealtimeLogRole/AssumeRolePolicyDocument/Statement/0/Condition",
                );
            }),
            ("Firehose writes for any account", |t| {
                remove(
                    t,
                    "delivery:EventFirehoseRole/AssumeRolePolicyDocument/Statement/0/Condition",
                );
            }),
        ],
    ),
    (
        "roles_have_the_rights_of_the_checked_in_list",
        &[
            ("the function may not put failed events", |t| {
                replace(
                    t,
                    "functions:AggregateLogsRole/Policies",
                    "firehose:PutRecordBatch",
                    "firehose:PutRecord",
                );
            }),
            ("CloudFront may not use the stream's key", |t| {
                remove(t, "edge:RealtimeLogRole/Policies/0/PolicyDocument/Statement/1");
            }),
            ("Firehose may write anywhere in the bucket", |t| {
                replace(
                    t,
                    "delivery:/Resources/EventFirehoseRole",
                    "${LakeBucketArn}/events/*",
                    "${LakeBucketArn}/*",
                );
            }),
        ],
    ),
    (
        "every_role_suffices_for_its_holder",
        &[
            ("batches that Lambda gave up on have nowhere to go", |t| {
                replace(t, "functions:AggregateLogsRole", "/aws/lambda/*", "/lambda/*");
            }),
            ("Firehose may not read the table of its rows", |t| {
                replace(
                    t,
                    "delivery:DirectEventFirehoseRole",
                    "${EventsTable}",
                    "${EventsTable}_view",
                );
            }),
            ("the function may not write to its own log", |t| {
                set(
                    t,
                    "functions:AggregateLogsRole/Policies/4/PolicyDocument/Statement/0/Resource",
                    json!({"Fn::Sub": "${AggregateLogsLogGroup.Arn}:log-stream:*"}),
                );
            }),
            ("an analyst may not ask for the database default", |t| {
                replace(t, "athena:AnalystPolicy", "database/default", "database/other");
            }),
            ("an analyst's console lists no workgroups", |t| {
                replace(
                    t,
                    "athena:AnalystPolicy",
                    "athena:ListWorkGroups",
                    "athena:ListNotebookMetadata",
                );
            }),
            ("the pixel's bucket is for another account", |t| {
                set(
                    t,
                    "edge:PixelUploadRole/Policies/0/PolicyDocument/Statement/0/Condition",
                    json!({"StringEquals": {"s3:ResourceAccount": "210987654321"}}),
                );
            }),
        ],
    ),
    (
        "no_set_of_parameters_gives_more_rights_than_everything_on",
        &[(
            "without Direct PUT, who writes failed events may delete them",
            |t| {
                let actions = at(
                    t,
                    "delivery:FailedEventsFirehoseRole/Policies/0/PolicyDocument/Statement/0/Action",
                );
                let as_they_are = actions.take();
                let mut more = as_they_are.clone();
                more.as_array_mut().unwrap().push(json!("s3:DeleteObject"));
                *actions = json!({"Fn::If": ["HasDirectPut", as_they_are, more]});
            },
        )],
    ),
    (
        "eventbridge_uses_the_key_for_the_topic_alone",
        &[
            ("EventBridge may use the key for any topic", |t| {
                remove(t, "keys:LakeKey/KeyPolicy/Statement/3/Condition");
            }),
            ("EventBridge may use the key for all topics of the account", |t| {
                replace(t, "keys:LakeKey/KeyPolicy/Statement/3", "${Application}-*", "*");
            }),
            ("EventBridge may use the key for another stack's topic", |t| {
                replace(
                    t,
                    "keys:LakeKey/KeyPolicy/Statement/3",
                    "${Application}-",
                    "other-",
                );
            }),
        ],
    ),
    (
        "only_the_function_reads_the_visitor_key",
        &[
            ("no deployment can change the secret", |t| {
                remove(
                    t,
                    "functions:VisitorKeyPolicy/ResourcePolicy/Statement/0/Condition/StringNotEquals",
                );
            }),
            ("any service reads the visitor key for its caller", |t| {
                put(
                    t,
                    "functions:VisitorKeyPolicy/ResourcePolicy/Statement/0/Condition",
                    "StringNotEquals",
                    json!({"aws:CalledViaFirst": "athena.amazonaws.com"}),
                );
            }),
            ("another role reads the visitor key", |t| {
                let policies = at(t, "functions:AggregateLogsRole/Policies").clone();
                put(
                    t,
                    "functions:/Resources",
                    "Reader",
                    json!({
                        "Type": "AWS::IAM::Role",
                        "Properties": {"AssumeRolePolicyDocument": {"Statement": []}, "Policies": policies},
                    }),
                );
            }),
            ("the secret refuses nobody", |t| {
                remove(t, "functions:/Resources/VisitorKeyPolicy");
            }),
        ],
    ),
    (
        "raw_bytes_have_few_readers",
        &[("who writes rows may read raw bytes", |t| {
            replace(
                t,
                "delivery:/Resources/EventFirehoseRole",
                "LakeKeyArn",
                "RawKeyArn",
            );
        })],
    ),
    (
        "deletion_keeps_data",
        &[
            ("the log stream goes with the stack", |t| {
                remove(t, "streams:/Resources/LogStream/DeletionPolicy");
            }),
            ("a bucket of a first deployment that failed stays", |t| {
                set(t, "lake:/Resources/RawBucket/DeletionPolicy", json!("Retain"));
            }),
            (
                "a database of a first deployment that failed keeps its name",
                |t| {
                    set(t, "catalog:/Resources/Database/DeletionPolicy", json!("Retain"));
                },
            ),
            ("a new bucket deletes the old one", |t| {
                set(
                    t,
                    "lake:/Resources/LakeBucket/UpdateReplacePolicy",
                    json!("Delete"),
                );
            }),
            ("the role of a Firehose goes before it has drained", |t| {
                remove(t, "delivery:/Resources/EventFirehoseRole/DeletionPolicy");
            }),
            ("an archive that is switched off goes on", |t| {
                set(
                    t,
                    "delivery:/Resources/RawArchiveFirehose/DeletionPolicy",
                    json!("RetainExceptOnCreate"),
                );
            }),
        ],
    ),
    (
        "nothing_has_a_name_that_forces_replacement",
        &[("a stream with a name", |t| {
            put(
                t,
                "streams:LogStream",
                "Name",
                json!({"Fn::Sub": "${Application}-log"}),
            );
        })],
    ),
    (
        "buckets_are_private",
        &[
            ("a bucket may be made public", |t| {
                set(
                    t,
                    "lake:RawBucket/PublicAccessBlockConfiguration/BlockPublicPolicy",
                    json!(false),
                );
            }),
            ("a bucket may be reached without TLS", |t| {
                remove(t, "lake:LakeBucketPolicy/PolicyDocument/Statement/0");
            }),
            ("any distribution may read the pixel's bucket", |t| {
                remove(t, "edge:PixelBucketPolicy/PolicyDocument/Statement/0/Condition");
            }),
        ],
    ),
    (
        "raw_bytes_are_forgotten_after_30_days",
        &[
            ("raw bytes stay for a year", |t| {
                set(
                    t,
                    "lake:RawBucket/LifecycleConfiguration/Rules/1/ExpirationInDays",
                    json!(365),
                );
            }),
            ("raw bytes live on as versions", |t| {
                set(
                    t,
                    "lake:RawBucket/LifecycleConfiguration/Rules/1/NoncurrentVersionExpiration",
                    json!({"NoncurrentDays": 30}),
                );
            }),
            ("rows that expire live on as versions", |t| {
                remove(
                    t,
                    "lake:LakeBucket/LifecycleConfiguration/Rules/2/Fn::If/1/NoncurrentVersionExpiration",
                );
            }),
            ("answers of operators stay as long as what they are about", |t| {
                remove(t, "lake:RawBucket/LifecycleConfiguration/Rules/0");
            }),
            ("rows expire whatever the parameter says", |t| {
                replace(t, "lake:LakeBucket/LifecycleConfiguration", "errors/", "events/");
            }),
        ],
    ),
    (
        "everything_is_encrypted_under_its_key",
        &[
            ("the log stream is not encrypted", |t| {
                remove(t, "streams:LogStream/StreamEncryption");
            }),
            ("raw bytes lie under the key of rows", |t| {
                replace(t, "lake:RawBucket/BucketEncryption", "RawKeyArn", "LakeKeyArn");
            }),
            ("a key never changes", |t| {
                set(t, "keys:RawKey/EnableKeyRotation", json!(false));
            }),
        ],
    ),
    (
        "streams_are_as_the_parameters_say",
        &[
            ("the event stream keeps a day", |t| {
                set(t, "streams:EventStream/RetentionPeriodHours", json!(23));
            }),
            ("streams on demand have shards", |t| {
                set(
                    t,
                    "streams:LogStream/ShardCount",
                    json!({"Ref": "LogStreamShards"}),
                );
            }),
        ],
    ),
    (
        "each_delivery_has_its_own_parts_and_no_others",
        &[("the event stream goes at the first step of a change", |t| {
            set(
                t,
                "streams:/Conditions/HasKpl",
                json!({"Fn::Equals": [{"Ref": "Delivery"}, "Kpl"]}),
            );
            set(
                t,
                "delivery:/Conditions/HasKpl",
                json!({"Fn::Equals": [{"Ref": "Delivery"}, "Kpl"]}),
            );
            set(
                t,
                "functions:/Conditions/HasKpl",
                json!({"Fn::Equals": [{"Ref": "Delivery"}, "Kpl"]}),
            );
        })],
    ),
    (
        "nothing_produces_before_its_firehose_is_there",
        &[("the edge does not wait for the archive", |t| {
            remove(t, "template:/Resources/Edge/DependsOn");
        })],
    ),
    (
        "a_change_of_delivery_drains_and_deletes_nothing",
        &[("the event stream that is given up goes with its rows", |t| {
            set(
                t,
                "streams:/Resources/EventStream/DeletionPolicy",
                json!("Delete"),
            );
        })],
    ),
    (
        "no_parameter_replaces_what_holds_data",
        &[
            ("the first day names the table", |t| {
                put(
                    t,
                    "catalog:EventsLanded/TableInput",
                    "Name",
                    json!({"Fn::Sub": "events_landed_${FirstDay}"}),
                );
                set(t, "template:/Parameters/DatabaseName/Default", json!("pixlake"));
            }),
            ("the archive changes where rows come from", |t| {
                put(
                    t,
                    "delivery:EventFirehose",
                    "DeliveryStreamType",
                    json!({"Fn::If": ["HasRawArchive", "DirectPut", "KinesisStreamAsSource"]}),
                );
            }),
        ],
    ),
    (
        "every_hop_has_its_alarms",
        &[
            ("nobody watches what CloudFront could not put", |t| {
                remove(t, "alarms:/Resources/LogStreamThrottled");
            }),
            ("nobody watches conversion", |t| {
                remove(t, "firehose-alarms:/Resources/Unconverted");
            }),
            ("an alarm looks at another stream", |t| {
                replace(t, "alarms:EventStreamRefuses", "EventStreamName", "LogStreamName");
            }),
        ],
    ),
    (
        "essential_alarms_are_free_and_see_each_loss",
        &[
            ("an alarm more is essential", |t| {
                remove(t, "firehose-alarms:/Resources/Failing/Condition");
            }),
            ("too many metrics are essential", |t| {
                remove(t, "alarms:/Resources/NoticesFailing/Condition");
            }),
            ("what CloudFront could not put is not essential", |t| {
                put(
                    t,
                    "alarms:/Resources/LogStreamThrottled",
                    "Condition",
                    json!("WatchesAll"),
                );
            }),
            ("rows that wait in Firehose are not essential", |t| {
                put(
                    t,
                    "firehose-alarms:/Resources/NotFresh",
                    "Condition",
                    json!("WatchesAll"),
                );
            }),
            ("a metric of the log that no alarm looks at", |t| {
                remove(t, "alarms:/Resources/DeniedPuts/Condition");
            }),
        ],
    ),
    (
        "every_bucket_tells_of_odd_objects",
        &[
            ("nobody hears of batches that Lambda gave up on", |t| {
                replace(t, "alarms:/Resources/OnFailureObjects", "aws/lambda/", "lambda/");
            }),
            ("a bucket tells nobody", |t| {
                remove(t, "lake:RawBucket/NotificationConfiguration");
            }),
        ],
    ),
    (
        "every_alarm_reaches_the_topic",
        &[
            ("an alarm tells nobody", |t| {
                set(t, "alarms:FunctionErrors/AlarmActions", json!([]));
            }),
            ("an alarm does not say what silence means", |t| {
                remove(t, "alarms:FunctionLag/TreatMissingData");
            }),
        ],
    ),
    (
        "freshness_allows_for_the_buffer",
        &[("freshness does not allow for the buffer", |t| {
            set(
                t,
                "firehose-alarms:NotFresh/Metrics/0/Expression",
                json!("age - 0 * 0"),
            );
        })],
    ),
    (
        "metric_filters_look_for_what_the_function_writes",
        &[
            ("a filter looks for a field that is not written", |t| {
                replace(t, "alarms:FailedLines", "$.failed_lines", "$.failed_rows");
            }),
            ("a filter looks for a word that is not written", |t| {
                replace(
                    t,
                    "alarms:OwnErrors/FilterPattern",
                    "retry_all",
                    "NoSequenceNumber",
                );
            }),
        ],
    ),
    (
        "every_alarm_has_a_runbook",
        &[("an alarm has another name than its runbook", |t| {
            replace(t, "alarms:BadRatio/AlarmName", "BadRatio", "BadLines");
        })],
    ),
    (
        "the_dashboard_has_a_row_for_each_hop",
        &[
            ("the dashboard is not JSON", |t| {
                replace(
                    t,
                    "alarms:Dashboard/DashboardBody",
                    "\"widgets\": [",
                    "\"widgets\": ",
                );
            }),
            ("the dashboard shows an alarm that does not exist", |t| {
                replace(
                    t,
                    "alarms:Dashboard/DashboardBody",
                    "-FunctionLag\"",
                    "-FunctionLate\"",
                );
            }),
        ],
    ),
    (
        "every_parameter_is_described_and_bounded",
        &[
            ("a parameter without a description", |t| {
                remove(t, "template:/Parameters/FirstDay/Description");
            }),
            ("a parameter that takes anything", |t| {
                remove(t, "template:/Parameters/BlobBytes/MinValue");
            }),
            ("a parameter without a default", |t| {
                remove(t, "us-east-1:/Parameters/DomainName/Default");
            }),
            ("a parameter in no group", |t| {
                remove(
                    t,
                    "template:/Metadata/AWS::CloudFormation::Interface/ParameterGroups/0/Parameters/0",
                );
            }),
        ],
    ),
    (
        "every_parameter_is_used_and_passed",
        &[("a parameter that nobody uses", |t| {
            put(
                t,
                "template:/Parameters",
                "Colour",
                json!({"Type": "String", "Default": "red"}),
            );
        })],
    ),
    (
        "texts_are_compared_with_texts",
        &[
            ("a rule compares with a number", |t| {
                set(
                    t,
                    "template:/Rules/ShardsNeedAnEventStream/Assertions/0/Assert",
                    json!({"Fn::Equals": [{"Ref": "EventStreamShards"}, 1]}),
                );
            }),
            ("a condition compares with a number", |t| {
                set(
                    t,
                    "lake:/Conditions/EventsExpire",
                    json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "EventRetentionDays"}, 0]}]}),
                );
            }),
        ],
    ),
    (
        "contradictions_are_refused_in_a_sentence",
        &[
            ("both deliveries may be the same", |t| {
                remove(t, "template:/Rules/AnEarlierDeliveryIsAnotherOne");
            }),
            ("a domain needs no certificate", |t| {
                remove(t, "template:/Rules/ADomainNeedsACertificate");
            }),
            ("a small buffer is refused in the middle of a deployment", |t| {
                set(t, "template:/Parameters/BufferMegabytes/MinValue", json!(1));
            }),
        ],
    ),
    (
        "outputs_say_what_a_user_needs_next",
        &[
            ("the tag is not said", |t| remove(t, "template:/Outputs/PixelTag")),
            ("the real-time log is said to be another", |t| {
                set(
                    t,
                    "template:/Outputs/RealtimeLogArn/Value",
                    json!({"Fn::GetAtt": ["Edge", "Outputs.PixelUrl"]}),
                );
            }),
        ],
    ),
];
