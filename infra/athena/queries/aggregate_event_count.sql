-- Events per day and name.
--
-- events: events of that name on that day, each counted once. The name request stands for requests of other
-- paths than the pixel's, so that the sum of a day is the number of its rows.
-- visitors: distinct visitor_day_id among them. sites: distinct sites.
-- The range of days is in UTC, both ends included.
SELECT
  dt,
  event_name,
  count(*) AS events,
  count(DISTINCT visitor_day_id) AS visitors,
  count(DISTINCT site_id) AS sites
FROM events
WHERE dt BETWEEN :from_day AND :to_day
GROUP BY dt, event_name
ORDER BY dt, events DESC, event_name
