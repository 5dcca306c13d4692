-- How each posted document goes to its customer: by e-mail a row for each address, by another channel one row. Where a row
-- of the same document to the same address waits already, that one has to do.
INSERT INTO invoice_delivery (invoice_id, channel, recipient, state, error, note, asked_by_id)
SELECT i.id, way.channel,
  CASE way.channel WHEN 'EMAIL' THEN coalesce(a.address, '') WHEN 'LETTER' THEN i.customer_name ELSE '' END,
  CASE WHEN way.channel = 'NONE' THEN 'NOT_SENT' WHEN way.channel = 'EMAIL' AND a.address IS NULL THEN 'REFUSED'
    ELSE 'WAITING' END,
  CASE WHEN way.channel = 'EMAIL' AND a.address IS NULL THEN 'Customer ' || c.account_number || ' has no e-mail address. '
    'Send it again to an address, or by letter; give the customer an address, or another channel.' ELSE '' END,
  '', %(asked_by)s
FROM invoice i
JOIN customer c ON c.id = i.customer_id
LEFT JOIN customer_invoicing t ON t.customer_id = c.id
CROSS JOIN LATERAL (SELECT coalesce(t.channel, 'EMAIL') AS channel) way
LEFT JOIN LATERAL (
  -- The same address is written to once, however often and in whatever letters it is given.
  SELECT DISTINCT ON (lower(e.address)) e.address, e.place
  FROM unnest(c.emails) WITH ORDINALITY AS e (address, place)
  WHERE e.address <> ''
  ORDER BY lower(e.address), e.place
) a ON way.channel = 'EMAIL'
WHERE i.id = ANY (%(invoice_ids)s) AND i.state = 'POSTED'
ORDER BY i.id, a.place
ON CONFLICT DO NOTHING
