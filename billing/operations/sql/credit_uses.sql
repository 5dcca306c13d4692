-- How much of each credit the lines of invoiced accounts use.
INSERT INTO credit_use (credit_id, line_id, amount)
SELECT credit_id, id, greatest(-amount, 0) FROM produced_line WHERE credit_id IS NOT NULL ORDER BY id
