"""Rules of documents in pure Python: no Django, no database, no clock, no float."""
