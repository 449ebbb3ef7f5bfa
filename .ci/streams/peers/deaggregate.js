// Reads a stream with aws-kinesis-agg: for each shard its blobs, its user records and a digest of them.
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const readline = require('node:readline');
const aggregation = require('aws-kinesis-agg');

const shards = new Map();

const read = (line) => {
  const [shard, , , sequenceNumber, partitionKey, data] = line.split('\t');
  if (!shards.has(shard)) shards.set(shard, { blobs: 0, records: 0, digest: crypto.createHash('md5') });
  const found = shards.get(shard);
  found.blobs += 1;
  const kinesis = {
    kinesisSchemaVersion: '1.0', sequenceNumber, approximateArrivalTimestamp: 0, partitionKey, data,
  };
  aggregation.deaggregateSync(kinesis, true, (error, users) => {
    if (error) throw new Error(error);
    for (const user of users) {
      const key = Buffer.from(user.partitionKey);
      const bytes = Buffer.from(user.data, 'base64');
      found.records += 1;
      found.digest.update(`${key.length} ${bytes.length}\n`).update(key).update(bytes);
    }
  });
};

readline.createInterface({ input: fs.createReadStream(process.argv[2]) })
  .on('line', read)
  .on('close', () => {
    for (const [shard, { blobs, records, digest }] of shards) {
      console.log([shard, blobs, records, digest.digest('hex')].join('\t'));
    }
  });
