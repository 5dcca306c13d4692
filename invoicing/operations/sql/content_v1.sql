-- Version 1 of what a document says: header, lines and taxes in one text, empty fields left out.
concat_ws(E'\n',
  concat_ws('|', {number}, i.kind, c.account_number, i.customer_name, i.customer_address, i.customer_vat_number,
    i.currency_id, i.period_start, i.period_end, i.invoice_date, i.due_date, i.message, i.net_amount, i.tax_amount,
    i.total_amount),
  (SELECT string_agg(concat_ws('|',
      l.line_number, l.kind, l.product_code, l.region, l.usage_type, l.description, l.late_period, l.quantity, l.unit_price,
      l.unit_size, l.exact_amount, l.amount, l.charge_count), E'\n' ORDER BY l.line_number)
   FROM invoice_line l WHERE l.invoice_id = i.id),
  (SELECT string_agg(concat_ws('|', t.name, t.percent, t.net_amount, t.tax_amount), E'\n' ORDER BY t.name COLLATE "C")
   FROM invoice_tax t WHERE t.invoice_id = i.id))
