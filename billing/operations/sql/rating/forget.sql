-- What was prepared for a run is not needed any more, or not enough.
DELETE FROM price_page g USING price_list l WHERE l.id = g.list_id AND l.run_id = %(run_id)s;
DELETE FROM price_terms WHERE run_id = %(run_id)s;
DELETE FROM price_list WHERE run_id = %(run_id)s;
DELETE FROM price_card WHERE run_id = %(run_id)s;
DELETE FROM price_hours WHERE run_id = %(run_id)s;
DELETE FROM price_slot WHERE run_id = %(run_id)s;
DELETE FROM price_window WHERE run_id = %(run_id)s
