"""Named moments of the engine: what its ports do, and each commit, seen from outside.

`watch` puts a reporter between the engine and its ports. The names:

- `before commit: STEP` and `after commit: STEP`, where STEP is a call on rows that changed something
  (`accounts.claim`) or an audit record (`audit account:patch:intended`) of that transaction. Before: every
  statement has run, the chain included.
- `before CALL` and `after CALL` for calls on connectors (`connector.patch`) and signals (`signals.sync`).

The reporter runs in the thread that is there: it may die, raise, or wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from worker.bootstrap import Runtime

Report = Callable[[str], None]
_SIGNALS = frozenset({"fold", "sync", "run"})
_CALLS = frozenset({"check", "probe", "find", "fetch", "patch", "create", "demote"})


class Here(threading.local):
    """What the transaction of this thread has done so far; None outside of one."""

    steps: list[str] | None = None


class Watched:
    """Passes everything on; tells `note` of each call and what it gave."""

    def __init__(self, inner: Any, note: Callable[[str, tuple[Any, ...], Any], None], of: str = "") -> None:
        self._inner = inner
        self._note = note
        self._of = of

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if isinstance(value, float):  # the clock
            return value
        if not callable(value):  # the rows of one table
            return Watched(value, self._note, name)

        def call(*args: Any, **named: Any) -> Any:
            result = value(*args, **named)
            self._note(f"{self._of}.{name}" if self._of else name, args, result)
            return result

        return call


class Asked:
    """A connector or signals, with `before` and `after` each of these calls."""

    def __init__(self, inner: Any, of: str, calls: frozenset[str], report: Report) -> None:
        self._inner = inner
        self._of = of
        self._calls = calls
        self._report = report

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if name not in self._calls:
            return value

        def call(*args: Any, **named: Any) -> Any:
            self._report(f"before {self._of}.{name}")
            result = value(*args, **named)
            self._report(f"after {self._of}.{name}")
            return result

        return call


def watch(runtime: Runtime, report: Report) -> None:
    """Report the moments of this runtime, transactions and requests, from now on."""
    here = Here()
    store: Any = runtime.store
    begin = store.begin

    def note(step: str, args: tuple[Any, ...], result: Any) -> None:
        if here.steps is None or (step.startswith("accounts.claim") and not result):
            return
        here.steps.append(f"audit {args[0].action}" if step == "audit" else step)

    @contextmanager
    def watched() -> Iterator[Any]:
        outer, here.steps = here.steps, []
        try:
            with begin() as transaction:
                yield Watched(transaction, note)
            done = here.steps
        finally:
            here.steps = outer
        _tell(done, "after", report)

    def at_commit(_connection: sa.Connection) -> None:
        _tell(here.steps or [], "before", report)

    store.begin = watched
    sa.event.listen(store._engine, "commit", at_commit)
    signals: Any = runtime.signals
    for name in _SIGNALS:
        setattr(signals, name, getattr(Asked(signals, "signals", _SIGNALS, report), name))
    targets: Any = runtime.targets
    for row, target in targets.items():
        asked: Any = Asked(target.connector, "connector", _CALLS, report)
        targets[row] = replace(target, connector=asked)


def _tell(steps: list[str], when: str, report: Report) -> None:
    for step in dict.fromkeys(steps):
        report(f"{when} commit: {step}")
