// Reads a stream with the Kinesis Client Library, which is given the hash keys of each blob's shard as it is in a
// consumer: for each shard its blobs, its user records and a digest of them.

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.kinesis.retrieval.AggregatorUtil;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

final class Deaggregate {
    private final AggregatorUtil library = new AggregatorUtil();
    private final MessageDigest digest = MessageDigest.getInstance("MD5");
    private long blobs;
    private long records;

    private Deaggregate() throws Exception {}

    private void read(String[] columns) {
        KinesisClientRecord record = KinesisClientRecord.builder()
                .sequenceNumber(columns[3])
                .approximateArrivalTimestamp(Instant.EPOCH)
                .partitionKey(columns[4])
                .data(ByteBuffer.wrap(Base64.getDecoder().decode(columns[5])))
                .build();
        blobs += 1;
        for (KinesisClientRecord user : library.deaggregate(List.of(record), columns[1], columns[2])) {
            byte[] key = user.partitionKey().getBytes(StandardCharsets.UTF_8);
            byte[] data = new byte[user.data().remaining()];
            user.data().get(data);
            records += 1;
            digest.update((key.length + " " + data.length + "\n").getBytes(StandardCharsets.US_ASCII));
            digest.update(key);
            digest.update(data);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Deaggregate> shards = new LinkedHashMap<>();
        try (var lines = Files.newBufferedReader(Path.of(arguments[0]))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] columns = line.split("\t", -1);
                Deaggregate shard = shards.get(columns[0]);
                if (shard == null) {
                    shard = new Deaggregate();
                    shards.put(columns[0], shard);
                }
                shard.read(columns);
            }
        }
        shards.forEach((name, shard) -> System.out.println(String.join("\t", name, Long.toString(shard.blobs),
                Long.toString(shard.records), HexFormat.of().formatHex(shard.digest.digest()))));
    }
}
