-- Drafts take seller and buyer as they are now. A credit note for a posted invoice has the seller of that one.
UPDATE invoice i
SET legal_entity_id = s.legal_entity_id, seller_name = s.seller_name, seller_address = s.seller_address,
  seller_vat_number = s.seller_vat_number, seller_registration = s.seller_registration, payment_details = s.payment_details,
  customer_name = p.customer_name, customer_address = p.customer_address, customer_vat_number = p.customer_vat_number,
  language = p.language
FROM invoice d
JOIN ({party}) p ON p.customer_id = d.customer_id
LEFT JOIN invoice credited ON credited.id = d.credited_invoice_id
LEFT JOIN legal_entity e ON e.id = credited.legal_entity_id
CROSS JOIN LATERAL (
  SELECT p.legal_entity_id, p.seller_name, p.seller_address, p.seller_vat_number, p.seller_registration, p.payment_details
  WHERE credited.id IS NULL
  UNION ALL
  SELECT e.id, coalesce(e.name, ''), coalesce(e.address, ''), coalesce(e.vat_number, ''), coalesce(e.registration, ''),
    coalesce(e.payment_details, '')
  WHERE credited.id IS NOT NULL
) s
WHERE i.id = d.id AND d.id = ANY (%(invoice_ids)s) AND d.state = 'DRAFT'
  AND (
    i.legal_entity_id, i.seller_name, i.seller_address, i.seller_vat_number, i.seller_registration, i.payment_details,
    i.customer_name, i.customer_address, i.customer_vat_number, i.language
  ) IS DISTINCT FROM (
    s.legal_entity_id, s.seller_name, s.seller_address, s.seller_vat_number, s.seller_registration, s.payment_details,
    p.customer_name, p.customer_address, p.customer_vat_number, p.language
  )
