-- The uses that a report singles out: the first so many of each part by length or by what they cost.
CREATE TEMPORARY TABLE {singled} ON COMMIT DROP AS
SELECT record_id
FROM (
  SELECT u.record_id, row_number() OVER (PARTITION BY {partition} ORDER BY {by} DESC, u.started, u.record_id) AS place
  {uses}
) p
WHERE place <= %(top_uses)s
