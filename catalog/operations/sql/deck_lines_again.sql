-- The lines of a deck as they were read, to compare them once more. What the comparison added to them is left out:
-- rates that a whole price list does not name (line 0), why a line that can be read was refused, and the end that was
-- taken over from the version that held then.
CREATE TEMPORARY TABLE deck_parsed AS
SELECT
  line_number, raw_text, {terms}, CASE WHEN unit_price IS NULL THEN detail END AS fault,
  product_id, region, destination_prefix, time_band_id
FROM rate_deck_line
WHERE deck_id = %(deck_id)s AND (line_number > 0 OR NOT %(is_full)s)
