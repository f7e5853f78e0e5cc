"""The page that lists every check with its promise, written from the checks themselves.

python -m connectors.sdk.testing.checklist >docs/conformance.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from connectors.sdk.testing import checks
from connectors.sdk.testing.check import Check
from connectors.sdk.testing.suite import every_check

HEAD: Final = (
    "# What the conformance kit checks\n\n"
    "{total} checks, each with its promise and with the fault that it catches. Which of them a connector has"
    " to pass follows from its descriptor: one that creates no accounts is not asked how. An id such as"
    " `{example}` stands in the name of the test and in a waiver. How to adopt them:"
    " [Write a connector](write-a-connector.md).\n\n"
    "This page is written by `python -m connectors.sdk.testing.checklist`.\n"
)


def page() -> str:
    """The whole page, group by group."""
    every = every_check()
    head = HEAD.format(total=len(every), example=every[0].id)
    groups = (_section(group, list(members)) for group, members in groupby(every, lambda item: item.group))
    return "\n".join([head, *groups])


def _section(group: str, members: list[Check]) -> str:
    return "\n".join([f"## {group}", "", _about(group), "", *_rows(members), ""])


def _about(group: str) -> str:
    package = sys.modules[f"{checks.__name__}.{group}"]
    return (package.__doc__ or "").strip().splitlines()[0]


def _rows(members: list[Check]) -> Iterator[str]:
    yield "| check | promise |"
    yield "| --- | --- |"
    for item in members:
        promise = " ".join(item.promise.split()).replace("|", "\\|")
        yield f"| `{item.id}` | {promise} |"


if __name__ == "__main__":
    sys.stdout.write(page())
