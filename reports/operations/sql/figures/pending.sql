INSERT INTO pending_age (customer_id, from_days, record_count, oldest, counted_at)
SELECT w.customer_id, w.from_days, w.record_count, w.oldest, %(at)s FROM ({waiting}) w
