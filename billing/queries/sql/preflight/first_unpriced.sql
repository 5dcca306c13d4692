-- The first record without a rate, and how much of which products has none, most first.
SELECT r.number, p.code, r.region, r.destination, (r.from_date AT TIME ZONE c.timezone)::date,
  (SELECT array_agg(code ORDER BY record_count DESC, code)
   FROM (SELECT product_id, count(*) AS record_count FROM preflight_unpriced GROUP BY product_id) u
   JOIN product ON product.id = u.product_id)
FROM usage_data_record r
JOIN preflight_customer c ON c.customer_id = r.customer_id
JOIN product p ON p.id = r.product_id
WHERE r.id = (SELECT min(record_id) FROM preflight_unpriced)
