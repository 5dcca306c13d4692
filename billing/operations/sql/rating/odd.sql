-- Of destinations that are not digits only: each of their beginnings.
CROSS JOIN LATERAL (
  SELECT p.*
  FROM unnest(c.list_ids, c.bucket_lengths, c.region_ranks, c.band_ids) AS o (list_id, bucket_length, region_rank, band_id)
  CROSS JOIN generate_series(0, least(15, length(u.digits))) n
  JOIN price_range p ON p.list_id = o.list_id AND p.bucket = left(left(u.digits, n), o.bucket_length)
    AND p.start = left(u.digits, n) AND p.prefix_length = n
  ORDER BY o.region_rank, n DESC, o.band_id = 0, p.start_date DESC, p.rate_id DESC LIMIT 1
) r
