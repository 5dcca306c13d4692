-- The rate of each use at the turn of one card: the exact region before "every region", then the longest prefix, then the
-- time band before none.
SELECT {columns}, {terms}
FROM {uses} u
JOIN price_turn t ON t.card_set = u.card_set AND t.product_id = u.product_id AND t.region = u.region
  AND t.used_on = u.used_on AND t.turn = %(turn)s
{moment}
JOIN price_choice c ON c.key_id = t.key_id AND c.slot_id = coalesce({slot}, 0) AND c.turn = %(turn)s
  AND c.kind = %(kind)s AND c.is_direct = %(is_direct)s
{rate}
WHERE {wanted}
