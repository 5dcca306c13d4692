"""The rules of prices and documents in pure Python: no Django, no database, no clock, no float.

Runs price in SQL. This engine prices one record and makes one document by the same rules: it explains a charge, and it
is what tests compare the SQL with, to the last digit.
"""
