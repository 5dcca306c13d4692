-- Documents whose digests are not those of what they say and were made from now, part by part. Terms of rates come first.
INSERT INTO difference
SELECT d.turn, CASE v.place WHEN 'rates' THEN 0 ELSE 7 END, v.place, 'SHA-256', v.stored, v.recomputed
FROM document d
JOIN invoice i ON i.id = d.invoice_id
CROSS JOIN LATERAL (SELECT {parts} AS parts) said
CROSS JOIN LATERAL (
  SELECT substr(n.part, 67) AS place, left(s.part, 64) AS stored, left(n.part, 64) AS recomputed
  FROM string_to_table(said.parts, E'\n') WITH ORDINALITY AS n (part, turn)
  LEFT JOIN string_to_table(i.content_parts, E'\n') WITH ORDINALITY AS s (part, turn) ON s.turn = n.turn
  UNION ALL
  SELECT 'digests of its parts', i.content_sha256, encode(sha256(convert_to(i.content_parts, 'UTF8')), 'hex')
) v
WHERE d.chunk = %(chunk)s AND d.content_version = 2 AND v.stored IS DISTINCT FROM v.recomputed
UNION ALL
SELECT d.turn, 7, 'document, lines and taxes', 'SHA-256', i.content_sha256, encode(sha256(convert_to({version_1}, 'UTF8')), 'hex')
FROM document d
JOIN invoice i ON i.id = d.invoice_id
JOIN customer c ON c.id = i.customer_id
WHERE d.chunk = %(chunk)s AND d.content_version = 1
  AND i.content_sha256 IS DISTINCT FROM encode(sha256(convert_to({version_1}, 'UTF8')), 'hex')
