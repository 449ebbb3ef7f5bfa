"""Runs the commands of docs/operations.md, heading by heading, against a prepared stack on emulators, and
looks at what they did. A block that no drill runs fails, unless the page says why it is not tried.
Arguments: the Kinesis emulator, pixlake, a lake, and the headings to try; all, if none."""

import base64
import gzip
import json
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

from page import sections
from world import Emulators, World

DRILLS = {}
ROW = '{"request_id":"a==","ts_server":"2026-11-01T07:00:00.000Z","page_title":"Grüße ✓"}\n'.encode()
MAPPING_PREFIX = "aws/lambda/{mapping}/shardId-000000000000/2026/11/01/2026-11-01T07.00.00-{id}"


def drill(title):
    def add(function):
        DRILLS.setdefault(title, []).append(function)
        return function

    return add


def equal(found, expected):
    assert found == expected, f"found {found!r}, expected {expected!r}"


def contains(text, part):
    assert part in text, f"{part!r} is not in {text!r}"


class Page:
    """One heading of the page for a drill: a stack to try it on, and its blocks."""

    def __init__(self, section, emulators):
        self.section, self.emulators = section, emulators
        self.world, self.ran = None, set()

    def stack(self, **kind):
        """A new stack in the place of the one before."""
        self.close()
        self.world = World(self.emulators, **kind)
        return self.world

    def run(self, number):
        """What the block of that number below the heading prints."""
        block = self.section.blocks[number]
        assert block.not_tried is None, f"block {number} says that it is not tried"
        self.ran.add(number)
        return self.world.shell.run(block.code)

    def close(self):
        if self.world:
            self.world.close()
            self.world = None


# --- The drills.


@drill("Before you begin")
def the_first_block_loads_what_the_outputs_say(page):
    world = page.stack()
    page.run(0)
    equal(
        world.shell.run('echo "$LOG_STREAM $MAPPING"').split(),
        [world.outputs["LogStreamName"], world.outputs["EventSourceMappingId"]],
    )
    equal(world.shell.run('echo "[$DIRECT_FIREHOSE]"'), "[]\n")
    alarm = {
        "MetricName": "m",
        "Namespace": "n",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "Period": 60,
        "Statistic": "Sum",
    }
    for name in ("pixlake-LogStreamLag", "another-LogStreamLag", "pixlake-BadRatio"):
        world.client("cloudwatch").put_metric_alarm(AlarmName=name, **alarm)
    for name in ("pixlake-LogStreamLag", "another-LogStreamLag"):
        world.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="late")
    equal(page.run(1), "pixlake-LogStreamLag\tlate\n")


@drill("R1 Lag")
def lag(page):
    world = page.stack()
    out = world.outputs
    function = world.client("lambda")
    world.metric(
        "AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "StreamName", out["LogStreamName"], 4711
    )
    world.metric("AWS/Lambda", "Throttles", "FunctionName", out["FunctionName"], 12)
    function.update_event_source_mapping(UUID=out["EventSourceMappingId"], Enabled=False)
    function.put_function_concurrency(FunctionName=out["FunctionName"], ReservedConcurrentExecutions=1)
    printed = page.run(0)
    for part in ("\t4711.0\n", "\t12.0\n", "Disabled"):
        contains(printed, part)
    page.run(1)
    summary = world.client("kinesis").describe_stream_summary(StreamName=out["LogStreamName"])
    equal(summary["StreamDescriptionSummary"]["RetentionPeriodHours"], 168)
    # A week: the longest that a mapping takes besides "for ever".
    equal(world.mapping()["MaximumRecordAgeInSeconds"], 604_800)
    page.run(2)
    equal(world.mapping()["State"], "Enabled")
    page.run(3)
    concurrency = function.get_function_concurrency(FunctionName=out["FunctionName"])
    assert not concurrency.get("ReservedConcurrentExecutions"), concurrency
    page.run(4)
    equal(world.mapping()["ParallelizationFactor"], 10)


@drill("R2 A stream is too small")
def a_stream_is_too_small(page):
    for name in ("EventStreamName", "LogStreamName"):
        world = page.stack()
        stream = world.outputs[name]
        if name == "LogStreamName":
            world.set(STREAM=stream)
        world.metric("AWS/Kinesis", "WriteProvisionedThroughputExceeded", "StreamName", stream, 34)
        contains(page.run(0), "\t34.0\n")
        summary = world.client("kinesis").describe_stream_summary(StreamName=stream)
        equal(summary["StreamDescriptionSummary"]["OpenShardCount"], 2)
        page.run(1)
        summary = world.client("kinesis").describe_stream_summary(StreamName=stream)
        equal(summary["StreamDescriptionSummary"]["StreamModeDetails"]["StreamMode"], "ON_DEMAND")


@drill("R3 Firehose is late or blocked")
def firehose_is_blocked(page):
    world = page.stack()
    out = world.outputs
    dimension = ("DeliveryStreamName", out["EventFirehoseName"])
    world.metric("AWS/Firehose", "DeliveryToS3.DataFreshness", *dimension, 5678)
    logs, group = (
        world.client("logs"),
        {"logGroupName": "/pixlake/pixlake/firehose", "logStreamName": "events"},
    )
    logs.create_log_stream(**group)
    now = int(time.time() * 1000)
    logs.put_log_events(**group, logEvents=[{"timestamp": now, "message": "S3.AccessDenied"}])
    printed = page.run(0)
    for part in ("ACTIVE", "\t5678.0\n", "S3.AccessDenied"):
        contains(printed, part)
    page.run(1)
    equal(world.mapping()["State"], "Disabled")
    equal(world.mapping()["MaximumRecordAgeInSeconds"], 604_800)
    page.run(2)
    summary = world.client("kinesis").describe_stream_summary(StreamName=out["EventStreamName"])
    equal(summary["StreamDescriptionSummary"]["RetentionPeriodHours"], 336)


def error_object(rows, code="DataFormatConversion.ParseError"):
    """As AWS documents it.
    https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion-error-handling.html"""
    lines = (
        {
            "attemptsMade": 1,
            "arrivalTimestamp": 1793516400000,
            "ErrorCode": code,
            "ErrorMessage": f"in {row}",
            "attemptEndingTimestamp": 1793516460000,
            "rawData": base64.b64encode(row).decode(),
            "sequenceNumber": "49",
            "subSequenceNumber": number,
            "dataCatalogTable": {"versionId": "LATEST"},
        }
        for number, row in enumerate(rows)
    )
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def rows(count, first=0):
    return [ROW.replace(b'"a=="', f'"r{number:06}=="'.encode()) for number in range(first, first + count)]


@drill("R4 Error objects")
def error_objects_of_kpl(page):
    replay_error_objects(page, page.stack(kinesis="limits"))


@drill("R4 Error objects")
def error_objects_of_direct_put(page):
    replay_error_objects(page, page.stack(delivery="DirectPut"))


def replay_error_objects(page, world):
    out = world.outputs
    firehose = out["EventFirehoseName"] or out["DirectEventFirehoseName"]
    folder = "errors/format-conversion-failed/dt=2026-11-01"
    world.put(out["LakeBucketName"], f"{folder}/{firehose}-1-2026-11-01-07-00-00-a", error_object(rows(700)))
    world.put(
        out["LakeBucketName"], f"{folder}/{firehose}-1-2026-11-01-07-15-00-b", error_object(rows(5, 700))
    )
    world.put(out["LakeBucketName"], f"{folder}/another-1-2026-11-01-07-00-00-c", error_object(rows(3, 9000)))
    failed = [b'{"failure_key":1}\n', b'{"failure_key":2}\n']
    raw = f"{folder}/{out['FailedEventsFirehoseName']}-1-2026-11-01-07-00-00-d"
    world.put(out["RawBucketName"], raw, error_object(failed))
    printed = page.run(0)
    contains(printed, f"{folder}/{firehose}-1-2026-11-01-07-00-00-a")
    contains(printed, raw)
    world.set(OBJECT=f"{folder}/{firehose}-1-2026-11-01-07-00-00-a", RAW_FOLDER=folder)
    equal(page.run(1).split(), ["700", "DataFormatConversion.ParseError"])
    printed = page.run(2)
    contains(printed, "would replay 705 records from 2 places")
    contains(printed, "\nreplayed 705 records from 2 places")
    if out["EventStreamName"]:
        put_back = [data for _, data in world.records(out["EventStreamName"])]
        equal(sorted(put_back), sorted(rows(705)))
    else:
        equal(world.delivered(firehose, out["LakeBucketName"]), b"".join(rows(705)))
    page.run(3)
    equal(world.delivered(out["FailedEventsFirehoseName"], out["RawBucketName"]), b"".join(failed))
    page.run(4)
    equal(world.keys(out["LakeBucketName"], "errors/"), [])


def on_failure_object(event):
    """As AWS documents it. https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html"""
    count = len(event["Records"])
    return json.dumps(
        {
            "requestContext": {
                "requestId": "c9b8fa9f",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 101,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "version": "1.0",
            "timestamp": "2026-11-01T07:00:00.000Z",
            "KinesisBatchInfo": {"shardId": "shardId-000000000000", "batchSize": count},
            "payload": json.dumps(event),
        }
    ).encode()


def as_event(records):
    kinesis = (
        {"partitionKey": key, "data": base64.b64encode(data).decode(), "sequenceNumber": str(number)}
        for number, (key, data) in enumerate(records)
    )
    return {"Records": [{"kinesis": record, "eventSource": "aws:kinesis"} for record in kinesis]}


@drill("R5 Batches that Lambda gave up on")
def batches_go_back_to_the_log_stream(page):
    world = page.stack(kinesis="limits")
    out = world.outputs
    dice = random.Random(5)
    # Lines, and bytes of any kind: what came is what goes back. More than one call takes.
    records = [(f"key-{number}", dice.randbytes(dice.randrange(1, 900))) for number in range(1200)]
    event = json.loads(Path("events/kinesis-mixed-batch.json").read_text())
    captured = [
        (r["kinesis"]["partitionKey"], base64.b64decode(r["kinesis"]["data"])) for r in event["Records"]
    ]
    assert captured, "events/kinesis-mixed-batch.json holds no record"
    key = MAPPING_PREFIX.format(mapping=out["EventSourceMappingId"], id="a")
    world.put(out["RawBucketName"], key, on_failure_object(event))
    other = MAPPING_PREFIX.format(mapping=out["EventSourceMappingId"], id="b")
    world.put(out["RawBucketName"], other, on_failure_object(as_event(records)))
    world.set(OBJECT=key)
    contains(page.run(0), f"RetryAttemptsExhausted\t{len(captured)}\n")
    count = len(captured) + len(records)
    printed = page.run(1)
    contains(printed, f"would replay {count} records from 2 places")
    contains(printed, f"\nreplayed {count} records from 2 places")
    equal(Counter(world.records(out["LogStreamName"])), Counter(captured + records))
    page.run(2)
    equal(world.keys(out["RawBucketName"], "aws/lambda/"), [])


@drill("R5 Batches that Lambda gave up on")
def what_a_shard_refuses_is_put_again_and_nothing_else(page):
    world = page.stack(kinesis="limits")
    out = world.outputs
    records = [(f"key-{number}", b"%06d" % number + bytes(1000)) for number in range(4000)]
    key = MAPPING_PREFIX.format(mapping=out["EventSourceMappingId"], id="c")
    world.put(out["RawBucketName"], key, on_failure_object(as_event(records)))
    # Far more than its one shard takes a second.
    command = page.section.blocks[1].code.splitlines()[-1]
    printed = world.shell.run(f"{command} --shards 1000")
    assert int(printed.split()[-5]) > 0, f"nothing was refused, so this proves nothing: {printed}"
    equal(Counter(world.records(out["LogStreamName"])), Counter(records))


@drill("R6 A key is disabled")
def a_key_is_disabled(page):
    for name in ("LakeBucketName", "RawBucketName"):
        world = page.stack()
        kms = world.client("kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        encryption = {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        }
        world.client("s3").put_bucket_encryption(
            Bucket=world.outputs[name], ServerSideEncryptionConfiguration={"Rules": [encryption]}
        )
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=30)
        if name == "RawBucketName":
            world.set(BUCKET=world.outputs[name])
        equal(page.run(0), "PendingDeletion\n")
        page.run(1)
        equal(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "Disabled")
        page.run(2)
        equal(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "Enabled")


def on_the_lake(sql):
    """What the same question answers on a real lake, in text."""
    answer = subprocess.run(
        [PIXLAKE, "query", "--lake", LAKE, "--format", "json", sql],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, f"{sql}\n{answer.stderr}"
    found = json.loads(answer.stdout)
    return [[str(cell) for cell in row.values()] for row in found]


@drill("R7 Config drift")
def lines_come_back_from_failed_events(page):
    world = page.stack(kinesis="limits")
    equal(page.run(0), "timestamp,c-ip\n")
    world.set(DAY="2020-01-01")
    world.answer_athena([["reason", "lines"], ["field_count", "19"]])
    contains(page.run(2), "field_count\t19\n")
    equal(dict(on_the_lake(world.last_query("OperatorWorkGroup")))["field_count"], "19")
    # The query of the page itself says which lines come back.
    sql = page.section.blocks[3].code.split('"')[1].replace("$DAY", "2020-01-01")
    raw = on_the_lake(sql)
    equal(len(raw), 19)
    world.answer_athena([["raw_base64"], *raw])
    contains(page.run(3), "replayed 19 records")
    equal(world.last_query("OperatorWorkGroup"), sql)
    put_back = [data for _, data in world.records(world.outputs["LogStreamName"])]
    sample = Path("events/sample.log").read_bytes().splitlines()
    equal(sorted(put_back), sorted(base64.b64decode(text) for [text] in raw))
    assert all(line in sample for line in put_back), "a line came back that never was"
    # No answer about raw bytes lies where analysts read.
    asked = world.client("athena").list_query_executions(WorkGroup=world.outputs["WorkGroup"])
    equal(asked["QueryExecutionIds"], [])


@drill("R8 Duplicates")
def conflicts_can_be_asked_for(page):
    world = page.stack()
    world.set(DAY="2026-10-31")
    world.answer_athena([["dt", "hour", "event_key", "lines"], ["2026-11-01", "07", "1", "2"]])
    contains(page.run(0), "2026-11-01\t07\t1\t2\n")
    on_the_lake(world.last_query())


@drill("R9 Spam")
def spam(page):
    world = page.stack()
    world.set(DAY="2026-11-01")
    world.answer_athena([["asn", "events"], ["64496", "9"]])
    contains(page.run(0), "64496\t9\n")
    found = on_the_lake(world.last_query())
    equal(len(found), 20)
    assert int(found[0][-1]) >= int(found[-1][-1]) > 0, found
    deploy = page.section.blocks[1].code.replace("WafAction=Block", "WafAction=Count RequestLimit=777")
    world.shell.run(deploy)
    page.run(1)
    stacks = world.client("cloudformation", "us-east-1").describe_stacks(StackName="pixlake-us-east-1")
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in stacks["Stacks"][0]["Parameters"]}
    equal([parameters["WafAction"], parameters["RequestLimit"]], ["Block", "777"])
    page.run(2)
    held = world.client("lambda").get_function_concurrency(FunctionName=world.outputs["FunctionName"])
    equal(held["ReservedConcurrentExecutions"], 2)


def the_next_second():
    """Waits for it and says it: the emulator's clock has whole seconds."""
    time.sleep(1 - time.time() % 1)
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@drill("R10 Rebuild")
def lines_come_back_from_the_log_stream_and_the_archive(page):
    world = page.stack(kinesis="limits")
    out = world.outputs
    kinesis, stream = world.client("kinesis"), out["LogStreamName"]

    def put(key):
        kinesis.put_record(StreamName=stream, PartitionKey=key, Data=f"line of {key}\n".encode())

    put("before")
    begin = the_next_second()
    put("within")
    put("within as well")
    end = the_next_second()
    put("after")
    world.set(FROM=begin, UNTIL=end)
    contains(page.run(0), "\nreplayed 2 records")
    came = Counter(key for key, _ in world.records(stream))
    equal(came, Counter({"before": 1, "within": 2, "within as well": 2, "after": 1}))
    assert all(data == f"line of {key}\n".encode() for key, data in world.records(stream))

    lines = [f"{number}\t203.0.113.7\t/p.gif?e=%25\n".encode() for number in range(250)]
    for name, part in (("a", lines[:170]), ("b", lines[170:])):
        world.put(out["RawBucketName"], f"raw/dt=2026-11-01/hour=07/{name}.gz", gzip.compress(b"".join(part)))
    world.put(out["RawBucketName"], "raw/dt=2026-11-02/hour=07/c.gz", gzip.compress(b"another day\n"))
    world.set(DAY="2026-11-01")
    contains(page.run(1), "\nreplayed 3 records from 2 places")
    put_back = [data for key, data in world.records(stream) if key not in came]
    equal(sorted(line for data in put_back for line in data.splitlines(True)), sorted(lines))


@drill("R11 New keys")
def new_keys(page):
    world = page.stack()
    secrets, kms = world.client("secretsmanager"), world.client("kms")
    secrets.create_secret(Name="visitors", SecretString="0" * 64)
    page.run(0)
    key = secrets.get_secret_value(SecretId="visitors")["SecretString"]
    assert len(key) == 64 and set(key) <= set("0123456789abcdef") and key != "0" * 64, len(key)
    function = world.client("lambda").get_function_configuration(FunctionName=world.outputs["FunctionName"])
    contains(function["Description"], datetime.now(timezone.utc).strftime("%Y-%m-%d"))
    equal(function["Environment"]["Variables"]["LOG_FIELDS"], "timestamp,c-ip")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    world.set(KEY=key)
    page.run(1)
    equal([r["RotationType"] for r in kms.list_key_rotations(KeyId=key)["Rotations"]], ["ON_DEMAND"])


@drill("R12 Rollback")
def rollback(page):
    world = page.stack()
    logs = world.client("logs")
    group = {"logGroupName": world.outputs["FunctionLogGroupName"], "logStreamName": "a"}
    logs.create_log_stream(**group)
    lines = ['{"level":"ERROR","error_type":"Panic"}', '{"level":"INFO","message":"batch"}']
    now = int(time.time() * 1000)
    logs.put_log_events(**group, logEvents=[{"timestamp": now, "message": line} for line in lines])
    page.run(0)
    equal(world.mapping()["State"], "Disabled")
    printed = page.run(1)
    contains(printed, "Panic")
    page.run(3)
    equal(world.mapping()["State"], "Enabled")


@drill("R13 The pixel is gone")
def the_pixel_is_looked_for(page):
    world = page.stack()
    bucket = world.outputs["PixelBucketName"]
    place = {"LocationConstraint": "eu-west-1"}
    world.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    world.put(bucket, "p.gif", b"GIF89a")
    contains(page.run(0), "p.gif")


@drill("Changing Delivery")
def the_old_way_drains_and_goes(page):
    world = page.stack()
    out = world.outputs
    world.metric("AWS/Kinesis", "IncomingRecords", "StreamName", out["EventStreamName"], 77)
    world.metric(
        "AWS/Firehose", "KinesisMillisBehindLatest", "DeliveryStreamName", out["EventFirehoseName"], 88
    )
    printed = page.run(1)
    contains(printed, "\t77.0\n")
    contains(printed, "\t88.0\n")
    page.run(4)
    equal(
        world.client("firehose").list_delivery_streams()["DeliveryStreamNames"],
        [out["FailedEventsFirehoseName"]],
    )
    equal(world.client("kinesis").list_streams()["StreamNames"], [out["LogStreamName"]])


@drill("Changing Delivery")
def the_other_old_way_drains_and_goes(page):
    world = page.stack(delivery="DirectPut")
    firehose = world.outputs["DirectEventFirehoseName"]
    equal(page.run(2), "")
    world.metric("AWS/Firehose", "IncomingRecords", "DeliveryStreamName", firehose, 99)
    contains(page.run(2), "\t99.0\n")
    page.run(5)
    left = world.client("firehose").list_delivery_streams()["DeliveryStreamNames"]
    equal(left, [world.outputs["FailedEventsFirehoseName"]])


@drill("R14 A first deployment that failed")
def what_failed_is_told(page):
    world = page.stack()
    for name in ("pixlake-Edge-1ABC", "pixlakes"):
        world.stack(name, {})
    equal(page.run(0), "")
    # moto makes no stack that fails and tells of no resource, so the stacks that it made stand for what failed.
    made = page.section.blocks[0].code.replace("_FAILED", "_COMPLETE")
    told = [line.split("\t")[0] for line in world.shell.run(made).splitlines()]
    equal(sorted(told), ["pixlake", "pixlake-Edge-1ABC"])


def tag_as_of(world, stack, streams, buckets):
    """Gives what the world made by hand the tag that the templates give it."""
    tag = {"Key": "pixlake:stack", "Value": stack}
    for name in streams:
        world.client("kinesis").add_tags_to_stream(StreamName=name, Tags={"pixlake:stack": stack})
    for name in buckets:
        world.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": [tag]})


def removed(page, answers="", succeeds=True):
    """What the command of the page prints that deletes, with these answers."""
    block = page.section.blocks[1]
    page.ran.add(1)
    end = "" if succeeds else "|| echo exit code $?"
    return page.world.shell.run(f"{block.code} --drain 0 <<<'{answers}' 2>&1 {end}")


@drill("Removing the stack")
def the_stack_goes_in_one_command(page):
    for delivery, objects in (("Kpl", 1010), ("DirectPut", 2)):
        world = page.stack(delivery=delivery)
        out, s3, kms = world.outputs, world.client("s3"), world.client("kms")
        firehose, glue = world.client("firehose"), world.client("glue")
        iam, kinesis = world.client("iam"), world.client("kinesis")
        # Of another stack, and of none: they stay.
        role = "pixlake-Delivering-RawArchiveFirehoseRole"
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        may = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::any/*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
        iam.put_role_policy(RoleName=role, PolicyName="Write", PolicyDocument=policy)
        for name, stack in (("archive", "pixlake"), ("another", "another")):
            firehose.create_delivery_stream(
                DeliveryStreamName=name,
                ExtendedS3DestinationConfiguration={"RoleARN": arn, "BucketARN": "arn:aws:s3:::any"},
                Tags=[{"Key": "pixlake:stack", "Value": stack}],
            )
        kinesis.create_stream(StreamName="another", ShardCount=1)
        s3.create_bucket(Bucket="another", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        streams = [name for name in (out["LogStreamName"], out["EventStreamName"]) if name]
        lake = out["LakeBucketName"]
        tag_as_of(world, "pixlake", streams, [lake, out["RawBucketName"]])
        tag_as_of(world, "another", ["another"], ["another"])
        tags = ([{"TagKey": "pixlake:stack", "TagValue": value}] for value in ("pixlake", "another"))
        keys = [kms.create_key(Tags=tag)["KeyMetadata"]["KeyId"] for tag in tags]
        for name, bucket in (("pixlake", lake), ("another", "another")):
            glue.create_database(DatabaseInput={"Name": name, "Parameters": {"pixlake:stack": name}})
            table = {"Name": "events_landed", "StorageDescriptor": {"Location": f"s3://{bucket}/events/"}}
            glue.create_table(DatabaseName=name, TableInput=table)
        # What a query of the stack's workgroup made of its own lies in the lake, beside somebody's orders.
        glue.create_database(DatabaseInput={"Name": "default"})
        for name, bucket in (("made", lake), ("orders", "another")):
            table = {"Name": name, "StorageDescriptor": {"Location": f"s3://{bucket}/athena-results/tables/1/"}}
            glue.create_table(DatabaseName="default", TableInput=table)
        # Many a company has a tag of this name.
        s3.create_bucket(Bucket="website", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        company = {"TagSet": [{"Key": "Application", "Value": "pixlake"}]}
        s3.put_bucket_tagging(Bucket="website", Tagging=company)
        s3.put_bucket_versioning(Bucket=lake, VersioningConfiguration={"Status": "Enabled"})
        for number in range(objects):
            world.put(lake, f"events/{number}", b"row")
        world.put(lake, "events/0", b"another row")
        s3.delete_object(Bucket=lake, Key="events/1")

        def there_are():
            return {
                "stacks": [stack["StackName"] for stack in world.client("cloudformation").describe_stacks()["Stacks"]],
                "streams": sorted(kinesis.list_streams()["StreamNames"]),
                "firehoses": sorted(firehose.list_delivery_streams()["DeliveryStreamNames"]),
                "buckets": sorted(found["Name"] for found in s3.list_buckets()["Buckets"]),
                "databases": sorted(found["Name"] for found in glue.get_databases()["DatabaseList"]),
                "keys": [kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in keys],
                "roles": sorted(found["RoleName"] for found in iam.list_roles()["Roles"]),
            }

        before = there_are()
        told = page.run(0)
        equal(there_are(), before)
        # A shard is 10.95 a month, a key 1.00; the rest of an idle stack of this size is nothing.
        contains(told, f"   10.95  stream {out['LogStreamName']}, 24 hours of it")
        contains(told, f"    0.00  bucket {lake}, {objects + 2:,} versions of objects")
        contains(told, "    1.00  key ")
        contains(told, f"{10.95 * len(streams) + 1.0:8.2f}  in all")
        contains(told, "Nothing was changed")
        contains(told, "the data of default.made, a table that itself stays")
        for foreign in ("another", "website", "orders"):
            assert foreign not in told, told

        # Another answer than the name keeps what was asked for; the stack itself is gone.
        contains(removed(page, "yes", succeeds=False), "exit code 1")
        expected = before | {"stacks": []}
        equal(there_are(), expected)
        contains(removed(page, "pixlake\nno", succeeds=False), "data and keys stay")
        expected |= {"streams": ["another"], "firehoses": ["another"], "roles": ["any"]}
        equal(there_are(), expected)
        # It goes on without the stack.
        contains(removed(page, "pixlake"), "pixlake is gone")
        expected |= {"buckets": ["another", "website"], "databases": ["another", "default"], "keys": ["PendingDeletion", "Enabled"]}
        equal(there_are(), expected)
        contains(removed(page), "nothing that one of that name left behind")


@drill("Removing the stack")
def a_distribution_has_to_let_go_first(page):
    world = page.stack()
    cloudfront = world.client("cloudfront")
    origin = {"Id": "pixel", "CustomHeaders": {"Quantity": 0}, "S3OriginConfig": {"OriginAccessIdentity": ""}}
    behaviour = {"TargetOriginId": "pixel", "ViewerProtocolPolicy": "https-only"}

    def config(bucket, **more):
        return {
            "CallerReference": "any",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin | {"DomainName": f"{bucket}.s3.eu-west-1.amazonaws.com"}]},
            "DefaultCacheBehavior": behaviour,
            "CacheBehaviors": {"Quantity": 1, "Items": [behaviour | {"PathPattern": "/p.gif"} | more]},
        }

    # moto makes no log configuration for a stack, so the bucket's name stands for its ARN too.
    log = {"RealtimeLogConfigArn": "pixel-of-the-stack"}
    used = cloudfront.create_distribution(DistributionConfig=config("pixel-of-the-stack", **log))
    id, etag = used["Distribution"]["Id"], used["ETag"]
    world.stack(
        "own",
        {},
        {"PixelBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "pixel-of-the-stack"}}},
        ExistingDistributionId=id,
    )
    world.set(STACK="own")
    told = removed(page, "own", succeeds=False)
    contains(told, f"distribution {id} has to let go first")
    contains(told, "the origin pixel is the pixel's bucket")
    contains(told, "the behaviour /p.gif has the stack's RealtimeLogConfigArn")
    contains(told, "exit code 1")
    world.client("cloudformation").describe_stacks(StackName="own")
    cloudfront.update_distribution(Id=id, IfMatch=etag, DistributionConfig=config("another"))
    contains(page.run(0), "Nothing was changed")


@drill("Removing the stack")
def an_attached_policy_has_to_be_detached_first(page):
    world = page.stack()
    statement = {"Effect": "Allow", "Action": "athena:GetWorkGroup", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
    world.stack("read", {}, {"AnalystPolicy": policy})
    world.set(STACK="read")
    parts = world.client("cloudformation").list_stack_resources(StackName="read")["StackResourceSummaries"]
    [arn] = [part["PhysicalResourceId"] for part in parts if part["ResourceType"] == "AWS::IAM::ManagedPolicy"]
    iam = world.client("iam")
    iam.create_user(UserName="analyst")
    iam.attach_user_policy(UserName="analyst", PolicyArn=arn)
    contains(removed(page, "read", succeeds=False), f"user analyst has {arn}")
    world.client("cloudformation").describe_stacks(StackName="read")
    iam.detach_user_policy(UserName="analyst", PolicyArn=arn)
    contains(page.run(0), "Nothing was changed")


# --- Running them.


def outputs_that_the_page_reads():
    code = "\n".join(block.code for section in sections() for block in section.blocks)
    return {word.rstrip(')"') for word in (part.split()[0] for part in code.split("$(output ")[1:])}


def outputs_of_the_template():
    text = Path("template.yaml").read_text().split("\nOutputs:\n")[1]
    return {line.strip().rstrip(":") for line in text.splitlines() if line[:2] == "  " and line[2:3] != " "}


def try_section(section, emulators):
    """How many drills of a heading passed, and how many failed or are missing."""
    passed = failed = 0
    page = Page(section, emulators)
    for function in DRILLS.get(section.title, []):
        try:
            function(page)
            passed += 1
            print(f"{section.title}: {function.__name__} ... ok")
        except Exception as error:
            failed += 1
            print(f"{section.title}: {function.__name__} ... FAILED\n{error}", file=sys.stderr)
        finally:
            page.close()
    for number, block in enumerate(section.blocks):
        if block.not_tried:
            print(f"{section.title}: not tried, for {block.not_tried}: {block.code}")
        elif number not in page.ran:
            failed += 1
            print(f"{section.title}: block {number} ... FAILED: no drill runs it", file=sys.stderr)
    return passed, failed


def main():
    passed = failed = 0
    missing = outputs_that_the_page_reads() - outputs_of_the_template()
    if missing:
        failed += 1
        print(f"FAILED: template.yaml lacks the outputs {sorted(missing)}", file=sys.stderr)
    with_commands = {section.title: section for section in sections() if section.blocks}
    for title in DRILLS.keys() - with_commands.keys():
        failed += 1
        print(f"{title} ... FAILED: the page has no such commands", file=sys.stderr)
    emulators = Emulators(KINESIS, LOG)
    try:
        for section in [with_commands[title] for title in ONLY or with_commands]:
            one_passed, one_failed = try_section(section, emulators)
            passed += one_passed
            failed += one_failed
    finally:
        emulators.stop()
    print(f"test result: {'FAILED' if failed else 'ok'}. {passed} passed; {failed} failed;")
    sys.exit(bool(failed))


KINESIS, PIXLAKE, LAKE, *ONLY = sys.argv[1:]
LOG = open(Path(LAKE).parent / "emulators.log", "w")
main()
