"""People who leave: deactivated, demoted or deleted, for certain, and nobody else with them."""
