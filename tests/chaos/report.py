"""From the runs' results to the verdict, the result file and the last line. Pure but for the file."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.chaos import profile
from tests.chaos.evidence import Violation
from tests.chaos.run import Result
from tests.demo.scene import ROOT

SHORT = "too_little"


def short_of(
    results: Sequence[Result], floors: Mapping[str, Mapping[str, int]], events: int, minutes: float
) -> list[Violation]:
    """What was not rough enough to prove anything. `floors`: name of the run -> kind -> kills."""
    found: list[Violation] = []
    faults = _sum(result.faults for result in results)
    for kind, least in profile.least_delivered(events, minutes).items():
        if faults[kind] < least:
            found.append(Violation(SHORT, kind, f"{faults[kind]} delivered, {least} are due"))
    requests, due = sum(result.requests for result in results), profile.least_requests(events, minutes)
    if requests < due:
        found.append(Violation(SHORT, "requests", f"{requests} arrived, {due} are due"))
    for result in results:
        for kind, least in floors[result.name].items():
            if result.kills[kind] < least:
                words = f"{result.kills[kind]} counted, {least} are due"
                found.append(Violation(SHORT, f"kills of {kind} ({result.name})", words))
        if result.converged_s is None:
            found.append(Violation("lost", result.name, "did not converge"))
    return found


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def line(results: Sequence[Result], violations: Sequence[Violation]) -> dict[str, Any]:
    """The last line of the command."""
    kinds = Counter(violation.invariant for violation in violations)
    patches = sum(result.patches for result in results)
    times = [result.converged_s for result in results]
    return {
        "events": sum(result.events for result in results),
        "requests": sum(result.requests for result in results),
        "faults": dict(sorted(_sum(result.faults for result in results).items())),
        "kills": dict(sorted(_sum(result.kills for result in results).items())),
        "lost": kinds["lost"] + kinds["foreign"],
        "stale_writes": kinds["stale_writes"],
        "unaudited_requests": kinds["unaudited_requests"],
        "repeated_ratio": round(sum(result.repeated for result in results) / max(1, patches), 4),
        "guard_violations": kinds["guard_violations"],
        "secrets_found": kinds["secrets_found"],
        "converged_s": None if None in times else max(times, default=None),  # type: ignore[type-var]
    }


def write(
    file: Path, seed: int, results: Sequence[Result], violations: Sequence[Violation], seconds: float
) -> None:
    """Seed, commit and counts, for each set-up and together."""
    runs = {
        result.name: {
            **line([result], result.violations),
            "patches": result.patches,
            "idle_kills": dict(result.idle_kills),
            "seconds": round(result.seconds, 1),
        }
        for result in results
    }
    document = {
        "seed": seed,
        "commit": commit(),
        "seconds": round(seconds, 1),
        "ok": not violations,
        "total": line(results, violations),
        "runs": runs,
        "violations": [str(violation) for violation in violations],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def commit() -> str:
    """Of the working tree; `unknown` outside of one."""
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607 - git from the path
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.stdout.strip() or "unknown"
