"""One run on one set-up: introduce everybody, storm, calm, converge, look. Nothing is left behind."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from tests.chaos import check_writes, checker
from tests.chaos import scenario as scenes
from tests.chaos.canaries import found_in
from tests.chaos.configuration import write
from tests.chaos.evidence import Entry, Evidence, Violation
from tests.chaos.facts import Open
from tests.chaos.killer import Killer
from tests.chaos.profile import Profile
from tests.chaos.programs import HIREWIRE
from tests.chaos.sender import Sender
from tests.chaos.setups import SetUp
from tests.chaos.town import Town, delivered
from tests.demo.scene import ROOT
from worker.stack.interrupts import Interrupts

Say = Callable[[str], None]
Build = Callable[[Path, Path, Mapping[str, str]], SetUp]

_INTRODUCED_S = 60.0
_LOOK_S = 0.5
_SAY_S = 5.0
_SENDING = 0.8  # of the storm: what comes last meets it too
_VERIFIED = (0, 2)  # right; right as far as it goes, since no key is configured


@dataclass(slots=True)
class Result:
    """What came of one run. `kills` counts those between which something was settled."""

    name: str
    events: int = 0
    requests: int = 0
    patches: int = 0
    repeated: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    idle_kills: Counter[str] = field(default_factory=Counter)
    converged_s: float | None = None
    violations: list[Violation] = field(default_factory=list)
    seconds: float = 0.0


class Run:
    """`early` has the run end at the first violation that shows while it goes on."""

    def __init__(
        self,
        name: str,
        profile: Profile,
        folder: Path,
        say: Say,
        interrupts: Interrupts,
        *,
        early: bool = False,
    ) -> None:
        self._interrupts = interrupts
        self._profile = profile
        self._scenario = scenes.build(profile)
        self._folder = folder
        self._tell_all = say
        self._early = early
        self._said_at = self._looked_at = 0.0
        self._told: Counter[str] = Counter()
        self.result = Result(name)

    def play(self, build: Build) -> Result:
        """Every step; a violation is a result, an exception means that the harness itself failed.

        Raises StopRequested after a signal. Starting and stopping are never torn in the middle.
        """
        began = time.monotonic()
        (self._folder / "logs").mkdir(parents=True)
        with ExitStack() as stack:
            town = stack.enter_context(Town(self._folder, self._scenario))
            config = write(self._folder, self._scenario, town.urls)
            secrets = self._scenario.canaries
            setup = build(
                self._folder, config, {"database": secrets.database, "environment": secrets.environment}
            )
            stack.callback(setup.close)
            before = town.rows()
            setup.start()
            with self._interrupts.raising():
                self._storm(town, setup)
                self._converge(town, setup)
            setup.rest()
            with self._interrupts.raising():
                self._look(town, setup, before)
        self.result.seconds = time.monotonic() - began
        return self.result

    def _storm(self, town: Town, setup: SetUp) -> None:
        first, *rest = self._scenario.portions
        introduction = Sender(setup.environ, self._folder, [first], 0.0)
        introduction.send(-1, first)
        if not self._introduced(setup):
            self.result.violations.append(Violation("lost", "introduction", "never settled: see the logs"))
            return
        if self._profile.weather:
            town.storm()
        killer = Killer(setup, self._profile.kills, self._profile.seed)
        sender = Sender(setup.environ, self._folder, rest, self._profile.faults_s * _SENDING)
        began = time.monotonic()
        try:
            sender.start()
            killer.start()
            while not sender.finished or self._goes_on(town, killer, time.monotonic() - began):
                if self._is_over(town, setup) or killer.error or sender.error:
                    break
                self._tell(town, setup, sender, killer)
                time.sleep(_LOOK_S)
        finally:
            try:
                killer.stop()
            finally:
                sender.stop()
        self.result.kills, self.result.idle_kills = killer.counted, killer.idle
        self._told = introduction.told + sender.told

    def _goes_on(self, town: Town, killer: Killer, seconds: float) -> bool:
        """For its time, and on a slow machine a while longer, until enough has struck."""
        if seconds < self._profile.faults_s:
            return True
        if seconds > self._profile.patience_s:
            return False
        return self._profile.owes(delivered(town.logs()), killer.counted)

    def _introduced(self, setup: SetUp) -> bool:
        """Everybody's account is found before the storm: what is found by need not agree later on."""
        limit = time.monotonic() + _INTRODUCED_S
        while time.monotonic() < limit:
            left = self._open(setup)
            if left.nothing and left.unlinked == 0:
                return True
            time.sleep(_LOOK_S)
        return False

    @staticmethod
    def _open(setup: SetUp) -> Open:
        try:
            return setup.rows.open()
        except DBAPIError:
            return Open(1, 1, 1)

    def _is_over(self, town: Town, setup: SetUp) -> bool:
        """Where a run is to end at the first violation: whether there is one."""
        if not self._early or time.monotonic() < self._looked_at + _LOOK_S * 4:
            return bool(self.result.violations)
        self._looked_at = time.monotonic()
        logs, now = town.logs(), time.time()
        try:
            audit = setup.rows.audit()
        except DBAPIError:
            return False
        self.result.violations = checker.early(logs, audit, self._scenario.cast.returners, now)
        return bool(self.result.violations)

    def _say(self, words: str) -> None:
        self._tell_all(f"{self.result.name}: {words}")

    def _tell(self, town: Town, setup: SetUp, sender: Sender, killer: Killer) -> None:
        if time.monotonic() < self._said_at + _SAY_S:
            return
        self._said_at = time.monotonic()
        requests, faults = town.counts()
        left = self._open(setup)
        kills = ", ".join(f"{count} {kind}" for kind, count in sorted(killer.counted.items()))
        self._say(
            f"{sender.sent} lines sent, {requests} requests, {faults} faults, "
            f"{left.due} accounts due, kills: {kills or 'none'}"
        )

    def _converge(self, town: Town, setup: SetUp) -> None:
        town.calm()
        setup.ensure()
        began = time.monotonic()
        if self.result.violations:
            return
        while not (left := self._open(setup)).nothing:
            if self._is_over(town, setup) or time.monotonic() > began + self._profile.converge_s:
                return
            if time.monotonic() >= self._said_at + _SAY_S:
                self._said_at = time.monotonic()
                self._say(f"calm, {left.unfolded} events to fold, {left.due} accounts due")
            time.sleep(_LOOK_S / 2)
        self.result.converged_s = round(time.monotonic() - began, 1)
        self._say(f"calm, and converged after {self.result.converged_s} s")

    def _look(self, town: Town, setup: SetUp, before: Mapping[str, Mapping[int, Entry]]) -> None:
        """Gather the evidence and judge it."""
        result, logs = self.result, town.logs()
        result.events = len(scenes.accepted_ids(self._scenario))
        result.requests = sum(len(log.entries) for log in logs)
        result.repeated, result.patches = check_writes.repeated(logs)
        result.faults = delivered(logs)
        if result.violations:
            return
        evidence = Evidence(self._scenario, logs, before, town.rows(), setup.rows.facts())
        result.violations += checker.violations(evidence)
        if self._told["refused"] != self._scenario.refused:
            what = f"{self._told['refused']} events were refused, {self._scenario.refused} are bad"
            result.violations.append(Violation("lost", "intake", what))
        if not self._early:
            result.violations += self._secrets(setup)
            result.violations += self._verified(setup)

    def _secrets(self, setup: SetUp) -> list[Violation]:
        canaries = self._scenario.canaries
        dump = self._folder / "database.dump"
        dump.write_text(setup.rows.dump(), encoding="utf-8")
        logs = [path for path in setup.logs.rglob("*") if path.is_file()]
        stored = setup.stored()
        broker = [path for path in stored if "appendonly" in str(path)]
        found = [*found_in([*logs, *stored, dump], canaries.credentials)]
        found += found_in([*logs, *broker], canaries.personal)
        return [Violation("secrets_found", str(path), f"holds {canary}") for canary, path in found]

    def _verified(self, setup: SetUp) -> list[Violation]:
        done = subprocess.run(  # noqa: S603 - our own words
            [*HIREWIRE, "audit", "verify"],
            cwd=ROOT,
            env=dict(setup.environ),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        if done.returncode in _VERIFIED:
            return []
        return [
            Violation("audit", f"exit code {done.returncode}", (done.stdout + done.stderr).strip()[-500:])
        ]
