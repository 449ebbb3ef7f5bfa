-- What is out of the ordinary.
--
-- what:
--   many events, few events   An hour of a site whose count is more than 3 standard deviations off the mean of
--                             the site's hours. Only hours with events take part, and only sites with 12 or
--                             more of them: a few hours say nothing of what is usual.
--   silent hour               An hour without any event between a site's first and last hour; of sites with
--                             12 or more hours.
--   name in one hour only     An event name that a site sent in a single hour, of sites with 12 or more hours.
--   rows with warnings        A site's day in which more than 5 % of the rows hold values that could not be
--                             read, were cut or are not UTF-8.
-- observed is what was counted: events, or the rows with warnings. expected is the mean of the site's hours, or
-- the day's 5 %; null where nothing is.
-- Rows that name no site are those of the site (none). Requests for other paths are not events.
-- The range of days is in UTC, both ends included.
WITH
  rows_of_range AS (
    SELECT
      dt, hour, coalesce(site_id, '(none)') AS site_id, event_name, parse_warnings, truncated_fields, utf8_ok
    FROM events
    WHERE dt BETWEEN :from_day AND :to_day
      AND event_name <> 'request'
  ),
  hours AS (
    SELECT site_id, dt, hour, count(*) AS events
    FROM rows_of_range
    GROUP BY site_id, dt, hour
  ),
  sites AS (
    SELECT
      site_id,
      avg(CAST(events AS double)) AS mean,
      stddev_pop(CAST(events AS double)) AS deviation,
      min(concat(dt, ' ', hour)) AS first_hour,
      max(concat(dt, ' ', hour)) AS last_hour
    FROM hours
    GROUP BY site_id
    HAVING count(*) >= 12
  ),
  clock AS (
    SELECT CAST(calendar.calendar_day AS varchar) AS dt, clock_hours.hour
    FROM UNNEST(
      sequence(CAST(:from_day AS date), CAST(:to_day AS date), INTERVAL '1' DAY)
    ) AS calendar (calendar_day)
    CROSS JOIN (
      VALUES
        ('00'), ('01'), ('02'), ('03'), ('04'), ('05'), ('06'), ('07'), ('08'), ('09'), ('10'), ('11'),
        ('12'), ('13'), ('14'), ('15'), ('16'), ('17'), ('18'), ('19'), ('20'), ('21'), ('22'), ('23')
    ) AS clock_hours (hour)
  )
SELECT
  CASE WHEN hours.events > sites.mean THEN 'many events' ELSE 'few events' END AS what,
  hours.site_id,
  hours.dt,
  hours.hour,
  CAST(NULL AS varchar) AS event_name,
  hours.events AS observed,
  round(sites.mean, 1) AS expected
FROM hours
JOIN sites ON sites.site_id = hours.site_id
WHERE abs(hours.events - sites.mean) > 3 * sites.deviation

UNION ALL

SELECT 'silent hour', sites.site_id, clock.dt, clock.hour, NULL, 0, round(sites.mean, 1)
FROM sites
JOIN clock
  ON concat(clock.dt, ' ', clock.hour) BETWEEN sites.first_hour AND sites.last_hour
LEFT JOIN hours
  ON hours.site_id = sites.site_id AND hours.dt = clock.dt AND hours.hour = clock.hour
WHERE hours.site_id IS NULL

UNION ALL

SELECT
  'name in one hour only', names.site_id, names.dt, names.hour, names.event_name, names.events, NULL
FROM (
  SELECT
    site_id,
    event_name,
    min(dt) AS dt,
    min(hour) AS hour,
    count(*) AS events
  FROM rows_of_range
  GROUP BY site_id, event_name
  HAVING count(DISTINCT concat(dt, ' ', hour)) = 1
) AS names
JOIN sites ON sites.site_id = names.site_id

UNION ALL

SELECT
  'rows with warnings', site_id, dt, NULL, NULL, warned, round(CAST(rows_of_day AS double) / 20, 1)
FROM (
  SELECT
    site_id,
    dt,
    count(*) AS rows_of_day,
    count(
      CASE
        WHEN parse_warnings IS NOT NULL OR truncated_fields IS NOT NULL OR utf8_ok = false THEN 1
      END
    ) AS warned
  FROM rows_of_range
  GROUP BY site_id, dt
) AS days
WHERE 20 * warned > rows_of_day

ORDER BY dt, hour, site_id, what, event_name
