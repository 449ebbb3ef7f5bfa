// The full job in Node: Lambda event in, aggregated blobs out, the way a first version would be written. The
// library packs to 1 MB and has no other cap.
"use strict";

const { readFileSync } = require("node:fs");
const { RecordAggregator } = require("aws-kinesis-agg");

const COLUMNS = [
  "ts_server", "c_ip", "s_ip", "ttfb", "http_status", "bytes_sent", "http_method", "http_scheme", "http_host",
  "request_path", "bytes_received", "edge_location", "request_id", "x_host", "time_taken", "http_version",
  "ip_version", "user_agent", "referer", "cookie", "query",
];
const PERSONAL = ["c_ip", "s_ip", "cookie"];

function job(event) {
  const blobs = [];
  const aggregator = new RecordAggregator((error, blob) => {
    if (error) throw error;
    blobs.push(blob);
  });
  const records = JSON.parse(event).Records;
  const rows = records.map((record) => {
    const line = Buffer.from(record.kinesis.data, "base64").toString().replace(/\n$/, "");
    const values = line.split("\t");
    const row = {};
    COLUMNS.forEach((name, index) => {
      if (values[index] !== "-") row[name] = decodeURIComponent(values[index]);
    });
    Object.assign(row, Object.fromEntries(new URLSearchParams(row.query ?? "")));
    delete row.query;
    for (const personal of PERSONAL) delete row[personal];
    row.country = values[34];
    row.asn = values[45];
    row.headers = decodeURIComponent(values[38]);
    return { partitionKey: "k", data: JSON.stringify(row) };
  });
  aggregator.aggregateRecords(rows, true);
  return { rows: rows.length, blobs: blobs.length };
}

const event = readFileSync(process.argv[2], "utf8");
const runs = [];
for (let run = 0; run < 10; run += 1) {
  const begun = process.cpuUsage();
  const { rows, blobs } = job(event);
  if (!rows || !blobs) throw new Error("node made no row or no blob");
  const { user, system } = process.cpuUsage(begun);
  // The first runs are those of a cold compiler.
  if (run >= 3) runs.push(((user + system) * 1000) / rows);
}
runs.sort((a, b) => a - b);
const [node, ours] = [runs[runs.length >> 1], Number(process.argv[3])];
console.log(
  `node with aws-kinesis-agg: ${node.toFixed(0)} ns per line, ours ${ours} ns: 1 to ${(node / ours).toFixed(1)} (medians)`,
);
