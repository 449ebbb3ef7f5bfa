"""A deployed stack as the commands of a runbook see it, on emulators, and a shell to run them in."""

import json
import os
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
import uuid
from pathlib import Path

import boto3
from page import sections

REGION = "eu-west-1"
PATIENCE = 120
PREAMBLE = next(section for section in sections() if section.title == "Before you begin").blocks[0].code


class Emulators:
    """moto, and the Kinesis with real limits; both end with this process."""

    def __init__(self, kinesis_program, log):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        moto = ["moto_server", "-H", "127.0.0.1", "-p", str(port)]
        self.moto_process = subprocess.Popen(moto, stdout=log, stderr=log)
        self.moto = f"http://127.0.0.1:{port}"
        self.kinesis_process = subprocess.Popen(
            [kinesis_program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        self.kinesis = f"http://{self.kinesis_process.stdout.readline().strip()}"
        until = time.monotonic() + PATIENCE
        while not self.answers():
            if self.moto_process.poll() is not None or time.monotonic() > until:
                raise SystemExit("runbooks: moto did not start")
            time.sleep(0.2)

    def answers(self):
        try:
            return urllib.request.urlopen(f"{self.moto}/moto-api/").status == 200
        except OSError:
            return False

    def tell_moto(self, path, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        request = urllib.request.Request(
            f"{self.moto}/moto-api/{path}", data, {"content-type": "application/json"}
        )
        urllib.request.urlopen(request).read()

    def stop(self):
        self.kinesis_process.stdin.close()
        self.kinesis_process.wait(PATIENCE)
        self.moto_process.terminate()
        self.moto_process.wait(PATIENCE)


class Shell:
    """One bash for all commands of a runbook, as a person has it: what one block sets, the next one sees."""

    def __init__(self, environment):
        self.process = subprocess.Popen(
            ["bash", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        self.run("set -euo pipefail")

    def run(self, code):
        """What the commands print. A command that fails ends the drill."""
        with tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False) as file:
            file.write(code + "\n")
        mark = uuid.uuid4().hex
        printed = ""
        watchdog = threading.Timer(PATIENCE, self.process.kill)
        watchdog.start()
        try:
            self.process.stdin.write(f"source {file.name} </dev/null\necho {mark}\n")
            self.process.stdin.flush()
            while (line := self.process.stdout.readline()) and line.strip() != mark:
                printed += line
            if not line:
                raise AssertionError(
                    f"failed, or took longer than {PATIENCE} s:\n{code}\n--- and printed:\n{printed}"
                )
        finally:
            watchdog.cancel()
            os.unlink(file.name)
        return printed

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class World:
    """A stack named `pixlake`: its outputs, its parts, and the shell after the page's first block."""

    def __init__(self, emulators, *, kinesis="moto", delivery="Kpl"):
        emulators.tell_moto("reset")
        self.emulators = emulators
        self.kinesis_url = emulators.kinesis if kinesis == "limits" else emulators.moto
        own = uuid.uuid4().hex[:8]
        is_kpl = delivery == "Kpl"
        self.outputs = {
            "LogStreamName": f"log-{own}",
            "EventStreamName": f"event-{own}" if is_kpl else "",
            "EventFirehoseName": f"events-{own}" if is_kpl else "",
            "DirectEventFirehoseName": "" if is_kpl else f"direct-{own}",
            "FailedEventsFirehoseName": f"failed-{own}",
            "FunctionName": "aggregate-logs",
            "FunctionLogGroupName": "/pixlake/pixlake/aggregate-logs",
            "LakeBucketName": f"lake-{own}",
            "RawBucketName": f"raw-{own}",
            "PixelBucketName": f"pixel-{own}",
            "PixelUploadFunctionName": "pixel-upload",
            "WorkGroup": "pixlake",
            "OperatorWorkGroup": "pixlake-operators",
            "Database": "pixlake",
            "RealtimeLogArn": f"arn:aws:cloudfront::123456789012:realtime-log-config/{own}",
        }
        self.make_parts()
        self.stack("pixlake", {name: {"Value": value} for name, value in self.outputs.items()})
        path = f"{Path('infra').resolve().parent}:{os.environ['PATH']}"
        self.shell = Shell(
            {
                "PATH": path,
                "HOME": os.environ.get("HOME", "/"),
                "AWS_ENDPOINT_URL": emulators.moto,
                "AWS_ENDPOINT_URL_KINESIS": self.kinesis_url,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": REGION,
                "AWS_PAGER": "",
            }
        )
        self.shell.run(PREAMBLE)

    def client(self, service, region=REGION):
        url = self.kinesis_url if service == "kinesis" else self.emulators.moto
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, region_name=region, endpoint_url=url, **keys)

    def make_parts(self):
        out = self.outputs
        role = self.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        for name in filter(None, (out["LogStreamName"], out["EventStreamName"])):
            self.client("kinesis").create_stream(StreamName=name, ShardCount=1)
            self.client("kinesis").get_waiter("stream_exists").wait(
                StreamName=name, WaiterConfig={"Delay": 1}
            )
        for name in (out["LakeBucketName"], out["RawBucketName"]):
            self.client("s3").create_bucket(
                Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        for name, bucket in (
            (out["EventFirehoseName"], out["LakeBucketName"]),
            (out["DirectEventFirehoseName"], out["LakeBucketName"]),
            (out["FailedEventsFirehoseName"], out["RawBucketName"]),
        ):
            if name:
                self.client("firehose").create_delivery_stream(
                    DeliveryStreamName=name,
                    Tags=[{"Key": "pixlake:stack", "Value": "pixlake"}],
                    ExtendedS3DestinationConfiguration={
                        "RoleARN": role,
                        "BucketARN": f"arn:aws:s3:::{bucket}",
                        "Prefix": f"delivered/{name}/",
                    },
                )
        self.client("logs").create_log_group(logGroupName=out["FunctionLogGroupName"])
        self.client("logs").create_log_group(logGroupName="/pixlake/pixlake/firehose")
        for name in (out["WorkGroup"], out["OperatorWorkGroup"]):
            self.client("athena").create_work_group(Name=name)
        self.make_function(role)

    def make_function(self, role):
        self.client("lambda").create_function(
            FunctionName=self.outputs["FunctionName"],
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=role,
            Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
            Environment={"Variables": {"LOG_FIELDS": "timestamp,c-ip", "VISITOR_KEY_SECRET": "visitors"}},
        )
        # moto's Lambda looks for the stream in moto's own Kinesis.
        kinesis = boto3.client(
            "kinesis",
            region_name=REGION,
            endpoint_url=self.emulators.moto,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        if self.kinesis_url != self.emulators.moto:
            kinesis.create_stream(StreamName=self.outputs["LogStreamName"], ShardCount=1)
        stream = kinesis.describe_stream_summary(StreamName=self.outputs["LogStreamName"])
        mapping = self.client("lambda").create_event_source_mapping(
            FunctionName=self.outputs["FunctionName"],
            StartingPosition="TRIM_HORIZON",
            EventSourceArn=stream["StreamDescriptionSummary"]["StreamARN"],
        )
        self.outputs["EventSourceMappingId"] = mapping["UUID"]

    def stack(self, name, outputs, resources=None, **parameters):
        template = {
            "Parameters": {key: {"Type": "String"} for key in parameters},
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, **(resources or {})},
            "Outputs": outputs,
        }
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        self.client("cloudformation").create_stack(
            StackName=name, TemplateBody=json.dumps(template), Parameters=given
        )

    def set(self, **variables):
        self.shell.run("\n".join(f"{name}='{value}'" for name, value in variables.items()))

    def metric(self, namespace, name, dimension, of, value):
        dimensions = [{"Name": dimension, "Value": of}]
        data = [{"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": time.time() - 60}]
        self.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)

    def mapping(self):
        return self.client("lambda").get_event_source_mapping(UUID=self.outputs["EventSourceMappingId"])

    def put(self, bucket, key, body):
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def keys(self, bucket, prefix):
        found = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def delivered(self, firehose, bucket):
        """All that a Firehose wrote, in one piece."""
        keys = sorted(self.keys(bucket, f"delivered/{firehose}/"))
        bodies = (self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys)
        return b"".join(bodies)

    def records(self, stream):
        """All records of a stream, each with its key."""
        kinesis, found = self.client("kinesis"), []
        for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
            iterator = kinesis.get_shard_iterator(
                StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while True:
                answer = kinesis.get_records(ShardIterator=iterator)
                found += [(record["PartitionKey"], record["Data"]) for record in answer["Records"]]
                iterator = answer.get("NextShardIterator")
                if not answer["Records"] or not iterator:
                    break
        return found

    def answer_athena(self, rows):
        """What the next query answers."""
        data = [{"Data": [{"VarCharValue": cell} for cell in row]} for row in rows]
        body = {"region": REGION, "results": [{"rows": data, "column_info": []}]}
        self.emulators.tell_moto("static/athena/query-results", body)

    def last_query(self, work_group="WorkGroup"):
        """The last question that was asked in a workgroup, by the name of its output."""
        athena = self.client("athena")
        ids = athena.list_query_executions(WorkGroup=self.outputs[work_group])["QueryExecutionIds"]
        queries = [athena.get_query_execution(QueryExecutionId=id)["QueryExecution"] for id in ids]
        return max(queries, key=lambda query: query["Status"]["SubmissionDateTime"])["Query"]

    def close(self):
        self.shell.close()
