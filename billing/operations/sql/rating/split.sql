-- What the parts come to, before fee, rounding and limits of the rate that the use starts with. A part that no rate per
-- unit prices is priced by that rate. Neighbours with one rate are one part; the last part has what the others leave.
CREATE TEMPORARY TABLE parted ON COMMIT DROP AS
WITH priced AS (
  SELECT p.record_id, p.part, p.until - p.moment AS duration, f.quantity, f.billed, f.ended_at - f.moment AS whole,
    CASE WHEN r.rate_id IS NULL OR r.is_counted THEN f.rate_id ELSE r.rate_id END AS rate_id,
    CASE WHEN r.rate_id IS NULL OR r.is_counted THEN f.unit_price ELSE r.unit_price END AS unit_price,
    CASE WHEN r.rate_id IS NULL OR r.is_counted THEN f.unit_size ELSE r.unit_size END AS unit_size
  FROM part p
  JOIN (SELECT f.*, {billed} AS billed FROM found f WHERE is_split AND NOT is_counted) f USING (record_id)
  LEFT JOIN found_part r ON r.record_id = p.record_id AND r.part = p.part
), joined AS (
  SELECT *, sum(is_other) OVER (PARTITION BY record_id ORDER BY part) AS stretch
  FROM (
    SELECT *,
      (rate_id IS DISTINCT FROM lag(rate_id) OVER (PARTITION BY record_id ORDER BY part))::integer AS is_other
    FROM priced
  ) p
), stretch AS (
  SELECT record_id, stretch, max(stretch) OVER (PARTITION BY record_id) AS last_stretch, min(billed) AS billed,
    min(unit_price) AS unit_price, min(unit_size) AS unit_size,
    -- Microseconds of the stretch and of the whole: exact integers.
    (extract(epoch FROM sum(duration)) * 1000000)::numeric AS micros,
    (extract(epoch FROM min(whole)) * 1000000)::numeric AS whole_micros, abs(min(quantity)) AS quantity
  FROM joined GROUP BY record_id, stretch
), measured AS (
  SELECT *, CASE WHEN stretch < last_stretch THEN {part_quantity} END AS part_quantity FROM stretch
), shared AS (
  SELECT *, coalesce(
    part_quantity, billed - coalesce(sum(part_quantity) OVER (PARTITION BY record_id), 0)
  ) AS share
  FROM measured
)
SELECT record_id, sum({exact_share}) AS exact FROM shared GROUP BY record_id
