"""The groups of checks, one module each. Every `Check` in a module of this package belongs to the kit."""
