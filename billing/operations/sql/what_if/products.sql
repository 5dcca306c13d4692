-- By product, the largest change first.
SELECT p.id, p.code, p.name, sum(r.record_count)::bigint, sum(r.now), sum(r."then"), sum(r."then") - sum(r.now)
FROM revenue r
JOIN product p ON p.id = r.product_id
GROUP BY p.id
ORDER BY abs(sum(r."then") - sum(r.now)) DESC, p.code COLLATE "C"
