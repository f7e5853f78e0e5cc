"""Which stage of the way from event to PATCH a stack of calls belongs to. Pure.

A stack is a list of (file, function), the outermost first; files are relative to the project's folder, others
are named by their package. The innermost call that says what is done decides, but accepting and folding keep
all that is done below them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Call: TypeAlias = tuple[str, str]

STAGES = (
    "accept",
    "fold",
    "claim",
    "plan",
    "intent",
    "send",
    "verify",
    "settle",
    "audit",
    "commit",
    "sync",
    "signal",
    "relay",
    "celery",
    "rest",
)
_WHOLE = {
    ("worker/engine/accept.py", "accept"): "accept",
    ("worker/engine/fold.py", "run"): "fold",
    ("worker/engine/relay.py", "run"): "relay",
}
_INNER = {
    ("worker/engine/sync.py", "_claim"): "claim",
    ("worker/engine/sync.py", "_start"): "claim",
    ("worker/engine/sync.py", "_suspected"): "claim",
    ("worker/engine/sync.py", "_return_slots"): "claim",
    ("worker/engine/settle.py", "_decide"): "plan",
    ("worker/engine/settle.py", "_intend"): "intent",
    ("worker/engine/settle.py", "_absorb"): "verify",
    ("worker/engine/settle.py", "settle"): "settle",
    ("worker/engine/settle.py", "plan"): "settle",
    ("worker/engine/settle.py", "committed"): "settle",
    ("worker/engine/dispatch.py", "_perform"): "send",
    ("worker/engine/dispatch.py", "send"): "send",
    ("worker/storage/audit.py", "append"): "audit",
    ("worker/storage/store.py", "begin"): "commit",
    ("worker/engine/sync.py", "run"): "sync",
}
_SIGNALS = "worker/signals.py"
_POOL = ("concurrent.futures.thread", "_worker")  # the threads that send, between two requests
_CELERY = ("celery", "kombu", "billiard", "vine")
_ROOMS = ("worker/", "connectors/", "config/")
_FRAME = frozenset(
    {
        "worker/cli/main.py",
        "worker/cli/worker.py",
        "worker/cli/watchdog.py",
        "worker/bootstrap.py",
        "worker/engine/again.py",
        "connectors/sdk/accounts.py",
        "connectors/sdk/style.py",
        "connectors/sdk/retry.py",
        "connectors/awx.py",
    }
)
"""They pass on what others do."""


def stage(stack: Sequence[Call]) -> str:
    """One of STAGES."""
    for call in stack:
        if call in _WHOLE:
            return _WHOLE[call]
    for file, function in reversed(stack):
        if file == _SIGNALS:
            return "signal"
        if (file, function) in _INNER:
            return _INNER[file, function]
    if _POOL in stack:
        return "send"
    return "celery" if any(file.startswith(_CELERY) for file, _ in stack) else "rest"


def ours(stack: Sequence[Call]) -> str:
    """The innermost function of the project: what a change of the code could make cheaper."""
    for file, function in reversed(stack):
        if file.startswith(_ROOMS):
            return f"{file}:{function}"
    return own(stack)


def _called(stack: Sequence[Call]) -> set[str]:
    """Functions of ours on the stack that do something of their own."""
    return {f"{file}:{name}" for file, name in stack if file.startswith(_ROOMS) and file not in _FRAME}


def own(stack: Sequence[Call]) -> str:
    """The function that ran, whoever called it."""
    return f"{stack[-1][0]}:{stack[-1][1]}"


def _none() -> defaultdict[Any, float]:
    return defaultdict(float)


@dataclass(slots=True)
class Costs:
    """Processor seconds by stage, by function of ours in it, by function that ran, and with all it calls."""

    stages: defaultdict[str, float] = field(default_factory=_none)
    functions: defaultdict[tuple[str, str], float] = field(default_factory=_none)
    leaves: defaultdict[str, float] = field(default_factory=_none)
    inclusive: defaultdict[str, float] = field(default_factory=_none)

    def add(self, stack: Sequence[Call], seconds: float) -> None:
        name = stage(stack)
        self.stages[name] += seconds
        self.functions[name, ours(stack)] += seconds
        self.leaves[own(stack)] += seconds
        for name in _called(stack):
            self.inclusive[name] += seconds

    def take(self, part: Mapping[str, Any]) -> None:
        """What another process kept, as its JSON says."""
        for name, seconds in part["stages"].items():
            self.stages[name] += seconds
        for name, function, seconds in part["functions"]:
            self.functions[name, function] += seconds
        for function, seconds in part["leaves"].items():
            self.leaves[function] += seconds
        for function, seconds in part["inclusive"].items():
            self.inclusive[function] += seconds

    def as_json(self) -> dict[str, Any]:
        functions = [[*key, seconds] for key, seconds in self.functions.items()]
        return {
            "stages": self.stages,
            "functions": functions,
            "leaves": self.leaves,
            "inclusive": self.inclusive,
        }
