-- The latest events.
--
-- The 100 rows with the latest ts_server, the time at which the edge answered, with what pixlake has to say
-- about them: parse_warnings names values that could not be read, truncated_fields what was cut.
-- The range of days is in UTC, both ends included.
SELECT
  ts_server,
  site_id,
  event_name,
  page_host,
  page_path,
  ref_host,
  country,
  http_status,
  user_agent,
  parse_warnings,
  truncated_fields,
  event_key
FROM events
WHERE dt BETWEEN :from_day AND :to_day
ORDER BY ts_server DESC, event_key
LIMIT 100
