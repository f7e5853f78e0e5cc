"""Chaos: real processes, real faults, real kills, and a checker that trusts none of our own code.

`python -m tests.chaos` runs both set-ups and ends with one JSON line; `python -m tests.chaos.controls` proves
that the checker notices an engine that is broken on purpose. What HR said is read anew from the events file,
what happened from the targets' own logs and rows; the database and the audit are read as plain rows.
"""
