"""Connectors that are broken on purpose: what the kit is tested with. One module for each group of checks."""
