-- Events per hour.
--
-- events: pixel events of all sites whose line is of that UTC hour, each counted once. Hours without any are
-- left out. visitors: distinct daily visitor hashes among them; events without one count for nobody.
-- requests: requests for other paths than the pixel's, which are not events.
-- The range of days is in UTC, both ends included.
SELECT
  dt,
  hour,
  count(CASE WHEN event_name <> 'request' THEN 1 END) AS events,
  count(DISTINCT CASE WHEN event_name <> 'request' THEN visitor_day_id END) AS visitors,
  count(CASE WHEN event_name = 'request' THEN 1 END) AS requests
FROM events
WHERE dt BETWEEN :from_day AND :to_day
GROUP BY dt, hour
ORDER BY dt, hour
