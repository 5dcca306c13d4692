CROSS JOIN LATERAL (
  SELECT g.rate_ids[width_bucket(u.code, g.starts)] AS rate_id, p.*
  FROM unnest(c.list_ids, c.region_ranks, c.band_ids) AS o (list_id, region_rank, band_id)
  JOIN price_list l ON l.id = o.list_id
  JOIN price_page g ON g.list_id = l.id AND g.number = width_bucket(u.code, l.page_starts)
  JOIN price_terms p ON p.run_id = %(run_id)s AND p.id = g.terms_ids[width_bucket(u.code, g.starts)]
  ORDER BY o.region_rank, p.prefix_length DESC, o.band_id = 0, p.start_date DESC, rate_id DESC LIMIT 1
) r
