WITH part AS (
  SELECT d.destination, sum(d.record_count)::bigint AS record_count, sum(d.amount) AS amount
  FROM revenue_day d
  WHERE d.group_id IS NOT DISTINCT FROM %(group_id)s AND d.currency_id = %(currency)s
    AND d.invoice_date >= %(first)s AND d.invoice_date < %(until)s AND d.kind = 'USAGE'
  GROUP BY 1
), ranked AS (
  SELECT *, row_number() OVER (ORDER BY amount DESC, record_count DESC, destination) AS place FROM part
)
SELECT min(r.destination) FILTER (WHERE r.place <= %(top)s), count(*), sum(r.record_count)::bigint, sum(r.amount)
FROM ranked r
GROUP BY least(r.place, %(top)s + 1)
ORDER BY least(r.place, %(top)s + 1)
