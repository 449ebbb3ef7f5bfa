-- Visitors per day and site.
--
-- visitors: distinct visitor_day_id, a hash of the day's salt, site, address and user agent. It is another one
-- each day, so daily counts cannot be added up to a week's or a month's visitors.
-- events_without_visitor: events that have no such hash (Global Privacy Control, Do Not Track, no salt, no
-- address); who sent them is not known, and they are in no count of visitors.
-- The range of days is in UTC, both ends included.
SELECT
  dt,
  site_id,
  count(DISTINCT visitor_day_id) AS visitors,
  count(*) AS events,
  count(*) - count(visitor_day_id) AS events_without_visitor
FROM events
WHERE dt BETWEEN :from_day AND :to_day
  AND event_name <> 'request'
GROUP BY dt, site_id
ORDER BY dt, visitors DESC, events DESC, site_id
