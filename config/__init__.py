"""Configuration: one typed tree, read once at start, never changed later. Imports nothing of `worker`."""
