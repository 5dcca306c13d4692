-- Each charge of an invoice with the record that it bills: one pass over them, whatever the number of reports. Times are
-- the customer's. Telephone numbers begin with +; who wants them masked gets no last three digits of any with seven or
-- more, however they are written. `code` is the beginning of a number that no rate names, and how many digits it has:
-- where two digits tell that plans go as far, nine digits of it, else seven. (OFFSET 0: computed once.)
CREATE TEMPORARY TABLE reported_use ON COMMIT DROP AS
SELECT u.line_id, u.service_id, u.record_id, u.record_number, u.started, u.seconds,
  CASE
    WHEN u.is_number THEN CASE WHEN %(masked)s THEN concat('+', left(u.digits, -3), '***') ELSE '+' || u.digits END
    WHEN %(masked)s THEN regexp_replace(
      -- Digits that stand together, each by themselves; then those with signs between them.
      regexp_replace(u.written, '([0-9]{4,})[0-9]{3}(?![0-9])', '\1***', 'g'),
      '([0-9](?:[ ()./_-]*[0-9]){3,})([ ()./_-]*)[0-9]([ ()./_-]*)[0-9]([ ()./_-]*)[0-9](?![ ()./_-]*[0-9*])',
      '\1\2*\3*\4*', 'g'
    )
    ELSE u.destination
  END AS destination,
  CASE WHEN u.is_number AND u.destination_name = '' THEN concat(left(u.digits, CASE
    WHEN left(u.digits, 2) IN ('22', '23', '24', '25', '26', '35', '37', '55', '57', '61', '86', '88', '95', '97', '99') THEN 9
    ELSE 7
  END), ' ', length(u.digits)) END AS code, u.quantity, u.billed_quantity, u.charge
FROM (
  SELECT d.*, length(d.digits) BETWEEN 7 AND 15 AND left(d.digits, 1) <> '0' AND (d.is_plain OR d.digits ~ '^[0-9]+$')
    AS is_number
  FROM (
    SELECT w.*, t.written, ltrim(CASE
        WHEN w.is_plain THEN w.destination
        -- Four groups of at most three digits are an address of the internet. Of +44 (0)20 the 0 is not dialled.
        WHEN t.written ~ '^[0-9]{1,3}([.][0-9]{1,3}){3}$' THEN ''
        ELSE translate(replace(t.written, '(0)', ''), ' ()./-', '')
      END, '+') AS digits
    FROM (
      SELECT l.id AS line_id, l.destination_name, r.subscription_service_id AS service_id, r.id AS record_id,
        r.number AS record_number, date_trunc('second', r.from_date AT TIME ZONE %(timezone)s) AS started,
        extract(epoch FROM r.to_date - r.from_date) AS seconds,
        c.quantity, coalesce(c.billed_quantity, c.quantity) AS billed_quantity, c.amount AS charge,
        r.destination COLLATE "C" AS destination, r.destination COLLATE "C" ~ '^[+]?[0-9]+$' AS is_plain
      FROM reported_line l
      JOIN usage_charge c ON c.line_id = l.id
      JOIN usage_data_record r ON r.id = c.record_id
      OFFSET 0
    ) w
    -- With the digits, the spaces and the hyphens of ASCII, for those of other scripts and of word processors; without the
    -- marks that tell the direction of writing.
    CROSS JOIN LATERAL (
      SELECT CASE WHEN w.is_plain THEN w.destination ELSE translate(
        w.destination,
        E'０１２３４５６７８９٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹\t\u00a0\u2009\u202f\u2010\u2011\u2012\u2013\u2212'
        '\u200e\u200f\u202a\u202c\u202d\ufeff',
        '012345678901234567890123456789    -----'
      ) END AS written
    ) t
    OFFSET 0
  ) d
  OFFSET 0
) u
