-- The most frequent user agents.
--
-- The 100 user agents with the most events, as the browsers sent them; null where none was sent.
-- share_percent: their part of all events of the range, of which the list may be a part only.
-- visitor_days: distinct visitor_day_id, so a visitor of two days counts twice.
-- The range of days is in UTC, both ends included.
SELECT
  user_agent,
  events,
  round(100 * CAST(events AS double) / sum(events) OVER (), 2) AS share_percent,
  visitor_days
FROM (
  SELECT
    user_agent,
    count(*) AS events,
    count(DISTINCT visitor_day_id) AS visitor_days
  FROM events
  WHERE dt BETWEEN :from_day AND :to_day
    AND event_name <> 'request'
  GROUP BY user_agent
) AS by_user_agent
ORDER BY events DESC, user_agent
LIMIT 100
