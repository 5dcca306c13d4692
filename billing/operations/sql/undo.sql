-- What is left of a run once its drafts have given back what was on them: its accounts and chunks go.
DELETE FROM run_account WHERE run_id = %(run_id)s;
DELETE FROM run_chunk WHERE run_id = %(run_id)s
