-- Drafts become posted: numbers in the order of account numbers, by legal entity and kind, and the digests of what each says,
-- which leave out row ids and times, so that the same run gives the same digests wherever and however often it is produced.
WITH draft AS (
  SELECT i.id, i.kind, i.legal_entity_id, i.invoice_date, row_number() OVER (
      PARTITION BY i.legal_entity_id, i.kind ORDER BY c.account_number COLLATE "C", i.id
    ) AS turn
  FROM invoice i
  JOIN customer c ON c.id = i.customer_id
  WHERE i.id = ANY (%(invoice_ids)s) AND i.state = 'DRAFT'
), wanted AS (
  SELECT legal_entity_id, kind, count(*) AS document_count FROM draft GROUP BY legal_entity_id, kind
), series AS (
  UPDATE number_series s SET next_number = s.next_number + w.document_count
  FROM wanted w
  WHERE s.kind = w.kind AND s.legal_entity_id IS NOT DISTINCT FROM w.legal_entity_id
  RETURNING s.id, s.legal_entity_id, s.kind, s.prefix, s.digits, s.next_number - w.document_count AS first
), numbered AS (
  SELECT d.id, s.id AS series_id, s.first + d.turn - 1 AS sequence_number,
    replace(replace(s.prefix, '{year}', to_char(d.invoice_date, 'YYYY')), '{month}', to_char(d.invoice_date, 'MM'))
      || CASE WHEN length((s.first + d.turn - 1)::text) >= s.digits THEN (s.first + d.turn - 1)::text
                ELSE lpad((s.first + d.turn - 1)::text, s.digits, '0') END AS number
  FROM draft d
  JOIN series s ON s.kind = d.kind AND s.legal_entity_id IS NOT DISTINCT FROM d.legal_entity_id
), said AS MATERIALIZED (
  SELECT n.*, {parts} AS parts
  FROM numbered n
  JOIN invoice i ON i.id = n.id
)
UPDATE invoice i
SET state = 'POSTED', series_id = n.series_id, sequence_number = n.sequence_number, number = n.number, posted_at = %(at)s,
  content_version = %(version)s, content_parts = n.parts, content_sha256 = encode(sha256(convert_to(n.parts, 'UTF8')), 'hex')
FROM said n
WHERE i.id = n.id
