-- The rate of each use at the turn of one card: the exact region before "every region", then the longest prefix, then the
-- time band before none. Hours first, then lists: the other way round each use is looked up in the lists of all hours.
SELECT {columns}, {rate_id} AS rate_id, {terms}
FROM (
  SELECT u.*, t.key_id, {slot} AS slot_id
  FROM {uses} u
  JOIN price_turn t ON t.card_set = u.card_set AND t.product_id = u.product_id AND t.region = u.region
    AND t.used_on = u.used_on AND t.turn = %(turn)s
  {moment}
  WHERE {wanted}
  OFFSET 0
) u
JOIN price_choice c ON c.key_id = u.key_id AND c.slot_id = u.slot_id AND c.turn = %(turn)s
  AND c.kind = %(kind)s AND c.is_direct = %(is_direct)s
{rate}
