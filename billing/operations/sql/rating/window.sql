-- Whether the prices of the days wanted are laid out for a run.
SELECT FROM price_window WHERE run_id = %(run_id)s AND from_day <= %(from_day)s AND until_day >= %(until_day)s
