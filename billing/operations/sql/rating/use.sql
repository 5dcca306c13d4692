-- A record `r` of the account `i` as it is rated.
  r.product_id, r.region, r.usage_type_id, r.subscription_service_id AS service_id, r.from_date AS moment,
  r.to_date AS ended_at, r.from_date AT TIME ZONE i.timezone AS local,
  tollbook_destination_code(r.destination) AS code,
  CASE r.billing_directive WHEN 'TO_BE_CREDITED' THEN -r.usage_amount ELSE r.usage_amount END AS quantity,
  CASE r.billing_directive WHEN 'TO_BE_CREDITED' THEN -r.total_amount ELSE r.total_amount END AS own_amount,
  (r.from_date AT TIME ZONE i.timezone)::date AS used_on