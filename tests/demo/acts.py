"""The steps of the demo while its stack runs, in the order in which they are called.

Nothing here decides what is right: that is `tests.demo.verdict`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.demo import oracle, records
from tests.demo.commands import Hirewire
from tests.demo.remote import Remote
from tests.demo.scene import ROOT, Scene
from tests.demo.screen import Screen
from tests.demo.styles import STYLES
from tests.demo.verdict import Case, Counts, Result, Shown, event_problems, judge

SETTLE_LIMIT_S = 120.0
HEROINE = "E1004"
"""Whose story is told: she married, and the answer to her request got lost."""

_LOOK_S = 0.5
WELL_OR_NOT = (0, 1)
VERIFIED = (0, 1, 2)  # whole, tampered, whole and not anchored


class Acts:
    """`environ` is that of the running stack."""

    def __init__(self, scene: Scene, environ: Mapping[str, str], screen: Screen, result: Result) -> None:
        self._scene = scene
        self._screen = screen
        self._result = result
        self._hirewire = Hirewire(environ, ROOT)
        self._remotes = [
            Remote(name, style, environ[f"HIREWIRE_TARGETS__{name.upper()}__BASE_URL"], scene.starts[name])
            for name, style in STYLES.items()
        ]
        self._before: Mapping[str, Mapping[Any, oracle.Row]] = {}
        self._refusals: dict[int, str] = {}

    def seed(self) -> None:
        """The targets get their starting accounts, are checked, and are told to misbehave."""
        with self._screen.step("seed the targets") as step:
            step.end(", ".join(f"{remote.name} {remote.seed()} accounts" for remote in self._remotes))
            self._before = self._accounts()
        with self._screen.step("hirewire check"):
            answer = self._hirewire("check")
        self._screen.text("What the connections are good for", answer.out)
        with self._screen.step(
            "arm the targets: 500, 429, a 405 that hides success, an answer that gets lost"
        ) as step:
            step.end(", ".join(f"{remote.name} {remote.arm()} faults" for remote in self._remotes))

    def anchor(self) -> None:
        """An operator begins the checkpoints with the key of this demo."""
        self._hirewire("audit", "baseline", "--why", "the demo begins")

    def send(self, events: Path) -> None:
        """The users' own command; exit code 1 tells that some events were refused, as some must be."""
        file = str(events.relative_to(ROOT))
        with self._screen.step(f"hirewire send {file}") as step:
            told = self._hirewire.document("send", file, codes=WELL_OR_NOT)
            self._result.events += Counts(told["accepted"], told["duplicates"], told["refused"])
            step.end(f"{told['accepted']} accepted, {told['duplicates']} again, {told['refused']} refused")
        self._refusals |= {refusal["line"]: refusal["pointer"] for refusal in told["refusals"]}

    def settle(self) -> records.Progress:
        """Until nothing is due and nothing waits to be folded, as `hirewire status` tells."""
        limit = time.monotonic() + SETTLE_LIMIT_S
        with self._screen.step("fold, plan, PATCH, verify, as `hirewire status` tells") as step:
            while not (seen := records.progress(self._hirewire)).settled:
                words = f"{seen.unfolded} events to fold, {seen.open} of {seen.accounts} accounts open"
                step.say("; ".join([words, *seen.alarms]))
                if time.monotonic() > limit:
                    self._result.problems.append(f"not settled after {SETTLE_LIMIT_S:.0f} s: {step.words}")
                    return seen
                time.sleep(_LOOK_S)
            step.end(f"{seen.accounts} accounts settled")
        return seen

    def compare(self, seen: records.Progress) -> None:
        """What became of the events, and what the targets show now against what the events say."""
        self._result.problems += event_problems(self._scene, self._result.events, self._refusals)
        people = self._people()
        with self._screen.step("read every account back over HTTP and compare with the events") as step:
            reports, after = records.reports(self._hirewire, seen), self._accounts()
            for remote in self._remotes:
                shown = self._shown(remote, after[remote.name])
                row, problems = judge(self._case(remote.name, people), shown, reports[remote.name])
                self._result.targets[remote.name] = row
                self._result.problems += problems
            step.end(f"{sum(len(rows) for rows in after.values())} accounts")
        self._screen.targets(self._result)
        self._screen.held([item for report in reports.values() for item in report.held])

    def _people(self) -> dict[str, oracle.Person]:
        lines = [*self._scene.lines, *self._scene.later]
        people = oracle.read_people(lines, self._scene.expected.refused.keys())
        pictures = self._scene.pictures
        return {subject: oracle.with_pictures(person, pictures) for subject, person in people.items()}

    def _accounts(self) -> dict[str, Mapping[Any, oracle.Row]]:
        """By target; the targets answer side by side."""
        with ThreadPoolExecutor(len(self._remotes)) as pool:
            found = pool.map(lambda remote: (remote.name, remote.accounts()), self._remotes)
            return {name: {key: oracle.flat(row) for key, row in rows.items()} for name, rows in found}

    def _shown(self, remote: Remote, after: Mapping[Any, oracle.Row]) -> Shown:
        return Shown(self._before[remote.name], after, remote.writes(), remote.faults_met())

    def tell(self) -> None:
        """One person's way from event to request to answer, from the audit."""
        story = self._hirewire("audit", "story", HEROINE)
        self._screen.text(f"hirewire audit story {HEROINE}", story.out)

    def verify(self) -> None:
        """The audit's chains, record by record, against a checkpoint that covers all of them."""
        self._hirewire("audit", "seal")
        with self._screen.step("hirewire audit verify") as step:
            told = self._hirewire.document("audit", "verify", codes=VERIFIED)
            self._result.records, self._result.verified = told["records"], told["ok"]
            self._result.anchored = told["anchored"]
            step.end(f"{told['records']} records, {told['verdict']}")
            self._result.problems += [f"the audit is broken: {broken}" for broken in told["breaks"]]

    def _case(self, target: str, people: Mapping[str, oracle.Person]) -> Case:
        start, expected = self._scene.starts[target], self._scene.expected
        return Case(
            target=target,
            ids=start.ids,
            faults=len(start.faults),
            once=expected.one_patch,
            people=people,
            held=[item for item in expected.held if item.target == target],
            created=_subjects(expected.created, target),
            unchanged=_subjects(expected.unchanged, target),
        )


def _subjects(places: Collection[tuple[str, str]], target: str) -> list[str]:
    return [subject for name, subject in places if name == target]
