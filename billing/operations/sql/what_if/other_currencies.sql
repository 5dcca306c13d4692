-- How many customers have usage of the days asked about that was billed in another currency.
SELECT count(DISTINCT c.customer_id)
FROM charged_line l
JOIN charged c USING (line_id)
JOIN usage_data_record r ON r.id = c.record_id
WHERE l.currency_id <> %(currency)s
  AND (r.from_date AT TIME ZONE l.timezone)::date >= %(from_day)s AND (r.from_date AT TIME ZONE l.timezone)::date < %(until_day)s
