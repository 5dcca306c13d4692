-- What is wrong with the one row, as a sentence.
SELECT f.field, {sentence} AS sentence
FROM (SELECT split_part(fault, ':', 1) AS reason, split_part(fault, ':', 2) AS field FROM parsed) f
CROSS JOIN (SELECT {from_date} AS from_date, {texts} AS texts FROM given) s
CROSS JOIN LATERAL (SELECT left(coalesce(s.texts ->> f.field, ''), 200) AS value) v
