"""Reads blobs with aws_kinesis_agg and holds every user record against what went in."""

import base64
import json
import sys

from aws_kinesis_agg.deaggregator import deaggregate_records

blobs = records = 0
for line in open(sys.argv[1], encoding="ascii"):
    blob = json.loads(line)
    kinesis = {
        "kinesisSchemaVersion": "1.0",
        "sequenceNumber": str(blobs),
        "approximateArrivalTimestamp": 0,
        "partitionKey": blob["partition_key"],
        "data": blob["data_b64"],
    }
    read = deaggregate_records([{"kinesis": kinesis, **dict.fromkeys(
        ("eventSource", "eventVersion", "eventID", "eventName", "invokeIdentityArn", "awsRegion", "eventSourceARN"), ""
    )}])
    found = [(user["kinesis"]["partitionKey"], base64.b64decode(user["kinesis"]["data"])) for user in read]
    expected = [(blob["partition_key"], base64.b64decode(data)) for data in blob["records_b64"]]
    if found != expected:
        sys.exit(f"python: blob {blobs} has {len(found)} other user records than the {len(expected)} that went in")
    blobs += 1
    records += len(found)
if not records:
    sys.exit("python: no record was compared")
print(f"python aws_kinesis_agg: {blobs} blobs, {records} records equal")
