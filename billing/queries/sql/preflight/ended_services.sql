-- Usage that waits of a day on which its service, or the service's subscription, had ended. Only services that have ended
-- before the cutoff are looked at, one by one, and of their records the new ones.
WITH ended AS MATERIALIZED (
  SELECT s.id, s.identifier, c.timezone, least(s.end_date, b.end_date) AS ended_on
  FROM subscription_service s
  JOIN subscription b ON b.id = s.subscription_id
  JOIN preflight_customer c ON c.customer_id = s.customer_id AND c.record_count > 0
  WHERE least(s.end_date, b.end_date) <= %(cutoff_date)s
)
SELECT count(*), count(DISTINCT e.id), (array_agg(DISTINCT e.identifier))[:%(named)s]
FROM ended e
CROSS JOIN LATERAL (
  SELECT r.id
  FROM usage_data_record r
  WHERE r.subscription_service_id = e.id AND r.id BETWEEN %(first_record)s AND %(last_record)s
    AND (r.from_date AT TIME ZONE e.timezone)::date >= e.ended_on
  OFFSET 0
) r
JOIN pending_usage p ON p.record_id = r.id AND p.billing_effective_date < %(cutoff_date)s
