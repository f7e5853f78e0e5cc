"""Proofs by fault: kills at named points, every n-th call failed, every order, every interleaving."""
