-- The lines, in the order of `MonthLine`'s fields.
SELECT description, product_name, product_group, product_line, region, usage_type, quantity, unit_price, unit_size, amount,
  coupon_code
FROM produced_line
ORDER BY line_number
