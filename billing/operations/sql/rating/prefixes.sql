JOIN price_list l ON l.id = c.list_id
JOIN price_page g ON g.list_id = l.id AND g.list_id = ANY (%(list_ids)s) AND g.number = width_bucket(u.code, l.page_starts)
JOIN price_terms r ON r.run_id = %(run_id)s AND r.id = g.terms_ids[width_bucket(u.code, g.starts)]
