CROSS JOIN LATERAL (
  SELECT * FROM price_range p
  WHERE p.list_id = c.list_id AND p.bucket = left(u.digits, c.bucket_length) AND p.start <= u.digits
  ORDER BY p.start DESC LIMIT 1
) r
