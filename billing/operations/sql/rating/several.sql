CROSS JOIN LATERAL (
  SELECT p.*
  FROM unnest(c.list_ids, c.bucket_lengths, c.region_ranks, c.band_ids) AS o (list_id, bucket_length, region_rank, band_id)
  CROSS JOIN LATERAL (
    SELECT * FROM price_range s
    WHERE s.list_id = o.list_id AND s.bucket = left(u.digits, o.bucket_length) AND s.start <= u.digits
    ORDER BY s.start DESC LIMIT 1
  ) p
  WHERE p.rate_id IS NOT NULL
  ORDER BY o.region_rank, p.prefix_length DESC, o.band_id = 0, p.start_date DESC, p.rate_id DESC LIMIT 1
) r
