INSERT INTO revenue_day AS known (group_id, currency_id, invoice_date, kind, product_id, destination, line_count,
  record_count, amount)
SELECT k.group_id, d.currency_id, d.invoice_date, d.kind, d.product_id, d.destination, sum(k.sign * d.line_count),
  sum(k.sign * d.record_count), sum(k.sign * d.amount)
FROM counting k
JOIN (
  -- Each line once, however many groups it counts for.
  SELECT i.id AS invoice_id, i.currency_id, i.invoice_date, l.kind, l.product_id,
    CASE WHEN l.kind = 'USAGE' THEN coalesce(nullif(r.destination_name, ''), l.region) ELSE '' END AS destination,
    count(*) AS line_count,
    sum(CASE WHEN l.credited_line_id IS NULL THEN l.charge_count ELSE -l.charge_count END) AS record_count,
    sum(l.amount) AS amount
  FROM invoice i
  JOIN invoice_line l ON l.invoice_id = i.id
  LEFT JOIN rate r ON r.id = l.rate_id
  WHERE i.id IN (SELECT invoice_id FROM counting WHERE sign <> 0)
  GROUP BY 1, 2, 3, 4, 5, 6
) d ON d.invoice_id = k.invoice_id
WHERE k.sign <> 0
GROUP BY 1, 2, 3, 4, 5, 6
ON CONFLICT ON CONSTRAINT revenue_day_once DO UPDATE SET
  line_count = known.line_count + EXCLUDED.line_count,
  record_count = known.record_count + EXCLUDED.record_count,
  amount = known.amount + EXCLUDED.amount
