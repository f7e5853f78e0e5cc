"""Ids that look like those of a server and belong to nobody."""

from __future__ import annotations

from connectors.sdk.testing.bench import Bench

HEX = "0123456789abcdef"


def id_of_nobody(bench: Bench) -> str:
    """Of the same shape as the first seeded one: the same letters, other digits."""
    known = set(bench.server.rows())
    found = next(iter(bench.seeded))
    while found in known:
        found = "98765" + found if found.isdigit() else found.translate(_turned)
    return found


_turned = str.maketrans({one: HEX[(place + 1) % len(HEX)] for place, one in enumerate(HEX)})
