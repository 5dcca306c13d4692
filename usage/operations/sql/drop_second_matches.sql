-- Keeps one service for a row. Two only match where an identifier changes hands between customers whose days begin at
-- different hours: for some hours both dates hold. The later owner has it then.
DELETE FROM {parsed} earlier
USING {parsed} later, subscription_service earlier_service, subscription_service later_service
WHERE earlier.line_number = later.line_number
  AND earlier_service.id = earlier.service_id AND later_service.id = later.service_id
  AND earlier_service.start_date < later_service.start_date
