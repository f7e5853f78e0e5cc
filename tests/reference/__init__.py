"""Tests of the reference targets themselves: each observed behaviour, each fault, and fidelity."""
