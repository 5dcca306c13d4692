-- Each charge of an invoice with the record that it bills: one pass over them, whatever the number of reports. Times are
-- the customer's. Telephone numbers begin with +; who wants them masked gets no last three digits of any with seven or
-- more. `code` is the beginning of a number that no rate names. (OFFSET 0: computed once.)
CREATE TEMPORARY TABLE reported_use ON COMMIT DROP AS
SELECT u.line_id, u.service_id, u.record_id, u.record_number, u.started, u.seconds,
  CASE
    WHEN u.is_number THEN CASE WHEN %(masked)s THEN concat('+', left(u.digits, -3), '***') ELSE '+' || u.digits END
    WHEN %(masked)s THEN regexp_replace(u.destination, '([0-9]{4,})[0-9]{3}(?![0-9])', '\1***', 'g')
    ELSE u.destination
  END AS destination,
  CASE WHEN u.is_number AND u.destination_name = '' THEN left(u.digits, 7) END AS code, u.quantity, u.billed_quantity,
  u.charge
FROM (
  SELECT w.*, length(w.digits) BETWEEN 7 AND 15 AND left(w.digits, 1) <> '0' AND (w.is_plain OR w.digits ~ '^[0-9]+$')
    AS is_number
  FROM (
    SELECT l.id AS line_id, l.destination_name, r.subscription_service_id AS service_id, r.id AS record_id, r.number AS record_number,
      date_trunc('second', r.from_date AT TIME ZONE %(timezone)s) AS started,
      extract(epoch FROM r.to_date - r.from_date) AS seconds,
      c.quantity, coalesce(c.billed_quantity, c.quantity) AS billed_quantity, c.amount AS charge,
      r.destination COLLATE "C" AS destination, p.is_plain,
      ltrim(CASE
        WHEN p.is_plain THEN r.destination COLLATE "C" ELSE translate(r.destination, ' ()./-', '') COLLATE "C"
      END, '+') AS digits
    FROM reported_line l
    JOIN usage_charge c ON c.line_id = l.id
    JOIN usage_data_record r ON r.id = c.record_id
    CROSS JOIN LATERAL (SELECT r.destination COLLATE "C" ~ '^[+]?[0-9]+$' AS is_plain) p
    OFFSET 0
  ) w
  OFFSET 0
) u
