"""Making accounts: once, with these values, and never where somebody else has the name."""
