-- Who sells to each customer, and who it is: what documents copy of both. Of several legal entities the default one sells to
-- those that have none of their own.
SELECT
  c.id AS customer_id, e.id AS legal_entity_id, coalesce(e.name, '') AS seller_name, coalesce(e.address, '') AS seller_address,
  coalesce(e.vat_number, '') AS seller_vat_number, coalesce(e.registration, '') AS seller_registration,
  coalesce(e.payment_details, '') AS payment_details, c.name AS customer_name, c.address AS customer_address,
  c.vat_number AS customer_vat_number, c.language
FROM customer c
LEFT JOIN customer_invoicing own ON own.customer_id = c.id
LEFT JOIN legal_entity standard ON standard.is_default
LEFT JOIN legal_entity e ON e.id = coalesce(own.legal_entity_id, standard.id)
