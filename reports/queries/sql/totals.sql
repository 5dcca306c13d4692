-- What a report comes to in each of its files: what its rows show, and what they do not. Quantities of several units have
-- no sum.
SELECT part, is_listed, sum(uses)::bigint, sum(duration), sum(charges), sum(amount),
  CASE WHEN count(DISTINCT unit) = 1 THEN sum(quantity) END, CASE WHEN count(DISTINCT unit) = 1 THEN sum(billed_quantity) END,
  min(unit)
FROM {cells}
GROUP BY part, is_listed
ORDER BY part, is_listed
