JOIN price_hours h ON h.run_id = %(run_id)s AND h.code = t.first_code
  + (100800000000 + 3 * 1440 + extract(epoch FROM date_trunc('minute', {local}))::bigint / 60) %% 10080
