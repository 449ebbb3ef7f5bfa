-- Where page views came from.
--
-- referrer: host of the page that led here; (direct) where there was none. Page views that a page of the same
-- host led to are left out. source, medium, campaign: the utm parameters of the page; null where it has none.
-- visitor_days: distinct visitor_day_id, so a visitor of two days counts twice.
-- The 100 with the most page views. The range of days is in UTC, both ends included.
SELECT
  coalesce(ref_host, '(direct)') AS referrer,
  utm_source AS source,
  utm_medium AS medium,
  utm_campaign AS campaign,
  count(*) AS page_views,
  count(DISTINCT visitor_day_id) AS visitor_days
FROM events
WHERE dt BETWEEN :from_day AND :to_day
  AND event_name = 'page_view'
  AND coalesce(ref_is_internal, false) = false
GROUP BY ref_host, utm_source, utm_medium, utm_campaign
ORDER BY page_views DESC, referrer, source, medium, campaign
LIMIT 100
