LEFT JOIN public_holiday d ON d.country = t.holiday_country AND d.day = ({local})::date
  AND tollbook_seen(d.created_in, %(snapshot)s::pg_snapshot)
JOIN price_hours h ON h.run_id = %(run_id)s AND h.code = t.first_code + CASE WHEN d.id IS NULL
  THEN (100800000000 + 3 * 1440 + extract(epoch FROM date_trunc('minute', {local}))::bigint / 60) %% 10080
  ELSE 7 * 1440 + (1440000000 + extract(epoch FROM date_trunc('minute', {local}))::bigint / 60) %% 1440
END
