-- Lines without a product are told apart by their kind. What is behind the first ones is one row without a name.
WITH part AS (
  SELECT d.product_id, CASE WHEN d.product_id IS NULL THEN d.kind ELSE '' END AS kind,
    sum(d.record_count)::bigint AS record_count, sum(d.amount) AS amount
  FROM revenue_day d
  WHERE d.group_id IS NOT DISTINCT FROM %(group_id)s AND d.currency_id = %(currency)s
    AND d.invoice_date >= %(first)s AND d.invoice_date < %(until)s
  GROUP BY 1, 2
), ranked AS (
  SELECT *, row_number() OVER (ORDER BY amount DESC, record_count DESC, product_id, kind) AS place FROM part
)
SELECT min(r.product_id) FILTER (WHERE r.place <= %(top)s), max(p.name) FILTER (WHERE r.place <= %(top)s),
  coalesce(max(r.kind) FILTER (WHERE r.place <= %(top)s), ''), count(*), sum(r.record_count)::bigint, sum(r.amount)
FROM ranked r
LEFT JOIN product p ON p.id = r.product_id
GROUP BY least(r.place, %(top)s + 1)
ORDER BY least(r.place, %(top)s + 1)
