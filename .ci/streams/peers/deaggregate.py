"""Reads a stream with aws_kinesis_agg: for each shard its blobs, its user records and a digest of them."""

import base64
import hashlib
import sys

from aws_kinesis_agg.deaggregator import deaggregate_records

EVENT = dict.fromkeys(
    ("eventSource", "eventVersion", "eventID", "eventName", "invokeIdentityArn", "awsRegion", "eventSourceARN"), ""
)
shards = {}
for line in open(sys.argv[1], encoding="ascii"):
    shard, _start, _end, number, key, data = line.rstrip("\n").split("\t")
    found = shards.setdefault(shard, [0, 0, hashlib.md5()])
    found[0] += 1
    kinesis = {
        "kinesisSchemaVersion": "1.0",
        "sequenceNumber": number,
        "approximateArrivalTimestamp": 0,
        "partitionKey": key,
        "data": data,
    }
    for user in deaggregate_records([{"kinesis": kinesis, **EVENT}]):
        key, data = user["kinesis"]["partitionKey"].encode(), base64.b64decode(user["kinesis"]["data"])
        found[1] += 1
        found[2].update(b"%d %d\n" % (len(key), len(data)) + key + data)
for shard, (blobs, records, digest) in shards.items():
    print(shard, blobs, records, digest.hexdigest(), sep="\t")
