"""The full job in Python: Lambda event in, aggregated blobs out, the way a first version would be written."""

import base64
import json
import statistics
import sys
import time
from urllib.parse import parse_qsl, unquote

from aws_kinesis_agg.aggregator import RecordAggregator

COLUMNS = [
    "ts_server", "c_ip", "s_ip", "ttfb", "http_status", "bytes_sent", "http_method", "http_scheme", "http_host",
    "request_path", "bytes_received", "edge_location", "request_id", "x_host", "time_taken", "http_version",
    "ip_version", "user_agent", "referer", "cookie", "query",
]


def job(event):
    aggregator = RecordAggregator(5_120)
    blobs, rows = [], 0
    for record in json.loads(event)["Records"]:
        line = base64.b64decode(record["kinesis"]["data"]).decode().rstrip("\n")
        values = line.split("\t")
        row = {name: unquote(value) for name, value in zip(COLUMNS, values) if value != "-"}
        row.update(parse_qsl(row.pop("query", "")))
        for personal in ("c_ip", "s_ip", "cookie"):
            row.pop(personal, None)
        row["country"], row["asn"], row["headers"] = values[34], values[45], unquote(values[38])
        full = aggregator.add_user_record("k", json.dumps(row, separators=(",", ":")).encode())
        rows += 1
        if full:
            blobs.append(full.get_contents())
    last = aggregator.clear_and_get()
    if last:
        blobs.append(last.get_contents())
    return rows, blobs


event = open(sys.argv[1], "rb").read()
rows, blobs = job(event)
if not rows or not blobs:
    sys.exit("python made no row or no blob")
runs = []
for _ in range(7):
    begun = time.process_time_ns()
    rows, _ = job(event)
    runs.append((time.process_time_ns() - begun) / rows)
python, ours = statistics.median(runs), float(sys.argv[2])
print(f"python with aws_kinesis_agg: {python:.0f} ns per line, ours {ours:.0f} ns: 1 to {python / ours:.1f} (medians)")
