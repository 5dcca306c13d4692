SELECT date_trunc(%(unit)s, d.day)::date, sum(d.record_count)::bigint, sum(d.amount)
FROM usage_day d
WHERE d.group_id IS NOT DISTINCT FROM %(group_id)s AND d.currency_id = %(currency)s
  AND d.day >= %(first)s AND d.day < %(until)s
GROUP BY 1 ORDER BY 1
