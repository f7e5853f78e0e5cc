"""Changing an account: what leaves, what stays, and what becomes of each value on the way."""
