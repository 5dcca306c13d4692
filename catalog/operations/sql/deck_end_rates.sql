UPDATE rate r SET end_date = %(starts_on)s
FROM rate_deck_line l
WHERE l.deck_id = %(deck_id)s AND l.outcome IN ('CHANGED', 'CLOSED') AND r.id = l.rate_id
