"""Listing all accounts: everybody once, in a stable order, and no broken page that looks like the end."""
