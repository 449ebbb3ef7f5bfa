-- One row for each log line or record that could never become an event.
--
-- A failed event that is delivered again has the same failure_key; the first delivery counts, whatever
-- partition it lies in, so that dt says when the failure was first seen. Hence a filter on dt does not
-- spare a reader the other days.
CREATE OR REPLACE VIEW failed_events AS
SELECT
  failure_key,
  source,
  shard,
  sequence_number,
  line_index,
  reason,
  detail,
  raw_base64,
  raw_bytes,
  raw_sha256,
  ts_arrival,
  ts_ingested,
  ingest_path,
  pipeline_version,
  dt
FROM (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY failure_key
      ORDER BY ts_ingested ASC NULLS LAST, dt ASC
    ) AS delivery_rank
  FROM failed_events_landed
) AS ranked
WHERE delivery_rank = 1
