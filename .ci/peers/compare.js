// Reads blobs with aws-kinesis-agg and holds every user record against what went in.
'use strict';
const fs = require('node:fs');
const aggregation = require('aws-kinesis-agg');

let blobs = 0;
let records = 0;
const fail = (why) => {
  console.error(`node: blob ${blobs}: ${why}`);
  process.exit(1);
};
for (const line of fs.readFileSync(process.argv[2], 'ascii').split('\n').filter(Boolean)) {
  const blob = JSON.parse(line);
  const kinesis = {
    kinesisSchemaVersion: '1.0',
    sequenceNumber: String(blobs),
    approximateArrivalTimestamp: 0,
    partitionKey: blob.partition_key,
    data: blob.data_b64,
  };
  aggregation.deaggregateSync(kinesis, true, (error, found) => {
    if (error) fail(error);
    if (found.length !== blob.records_b64.length) fail(`${found.length} of ${blob.records_b64.length} records`);
    found.forEach((user, at) => {
      const data = Buffer.from(user.data, 'base64').toString('base64');
      if (data !== blob.records_b64[at]) fail(`record ${at} has other bytes`);
      if (user.partitionKey !== blob.partition_key) fail(`record ${at} has another key`);
      records += 1;
    });
  });
  blobs += 1;
}
if (records === 0) fail('no record was compared');
console.log(`node aws-kinesis-agg: ${blobs} blobs, ${records} records equal`);
