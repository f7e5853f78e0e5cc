"""What a check works with: one connector style, its reference server, and the tap between the two.

How to write a check: a function in `checks/<group>.py`, decorated with `@check(needs=...)`, whose name is
the promise and whose docstring says which fault it catches. It gets a fresh `Bench`: nothing is seeded, no
fault is in force, nothing was asked. Say what is wrong in the message of `assert`; the author sees only
that.

    @check(needs=two_fields)
    def only_named_fields(bench: Bench) -> None:
        \"\"\"A patch changes what it names. Catches a connector that sends the whole account.\"\"\"
        (remote_id,) = bench.seed(1)
        before = bench.row(remote_id)
        bench.connector().patch(remote_id, bench.change())
        assert bench.others(before) == bench.others(bench.row(remote_id)), "a field not named was changed"

`bench.misbehave(faults.html(), writes)` spoils the answers to writes (see `faults`); `bench.writes()` are
the writes that reached the tap. The usual time-outs are ample; `SHORT` is for what must time out. A
connector of an `owner_only` style has one account: ask for more only with `needs=many_accounts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from connectors.sdk.contract import Connector, ConnectorConfig, Credential, Descriptor, Timeouts
from connectors.sdk.fields import Field, FieldType, decode
from connectors.sdk.model import Json, Record
from connectors.sdk.registry import Style
from connectors.sdk.table import FieldTable
from connectors.sdk.testing.exchange import Request
from connectors.sdk.testing.samples import Document, Samples, may_own
from connectors.sdk.testing.server import Account, ReferenceServer
from connectors.sdk.testing.tap import Fault, Tap, Which, everything

PATIENT: Final = Timeouts(connect_s=10.0, read_s=10.0, deadline_s=15.0)  # never reached but on a busy machine
SHORT: Final = Timeouts(connect_s=1.0, read_s=0.2, deadline_s=0.4)  # for what must time out
WRONG_SECRET: Final = "wrong-secret-4c1d"  # noqa: S105  # one that no server knows


@dataclass
class Keys:
    """A source of credentials that counts how often it was asked."""

    credential: Credential
    asked: int = 0

    def __call__(self) -> Credential:
        self.asked += 1
        return self.credential


@dataclass
class Held:
    """What this check told the server to hold: told again only where somebody wrote since."""

    accounts: list[Account] = field(default_factory=list)
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Bench:
    """One check's view. `seed` first, where the check needs accounts."""

    style: Style
    server: ReferenceServer
    tap: Tap
    descriptor: Descriptor
    held: Held
    document: Document | None = None  # what the author read in the API's document
    seeded: dict[str, int] = field(default_factory=dict)  # remote id -> account number

    # building connectors

    def connector(
        self,
        timeouts: Timeouts = PATIENT,
        *,
        base_url: str | None = None,
        keys: Keys | None = None,
        verify: bool | str = True,
    ) -> Connector:
        """A new connector that speaks to the tap."""
        return self.style(self.config(timeouts, base_url=base_url, keys=keys, verify=verify))

    def config(
        self,
        timeouts: Timeouts = PATIENT,
        *,
        base_url: str | None = None,
        keys: Keys | None = None,
        verify: bool | str = True,
    ) -> ConnectorConfig:
        source = keys or Keys(self.server.credential())
        url = base_url or self.tap.url
        return ConnectorConfig("bench", url, source, timeouts, verify=verify, options=self.server.options)

    @property
    def secret(self) -> str:
        return self.server.credential().secret

    def wrong_keys(self) -> Keys:
        """A credential of the right scheme that the server refuses."""
        return Keys(replace(self.server.credential(), secret=WRONG_SECRET))

    # accounts

    def seed(self, count: int = 1) -> list[str]:
        """Have the server hold `count` accounts, numbered from 1; their remote ids in that order."""
        accounts = [Account(f"p{number}", self.person(number)) for number in range(1, count + 1)]
        return self.hold(accounts)

    def hold(self, accounts: list[Account]) -> list[str]:
        """Have the server hold exactly these; their remote ids in that order."""
        if self.tap.wrote or accounts != self.held.accounts:
            self.tap.wrote = False
            self.held.ids = self.server.reset(accounts)
            self.held.accounts = accounts
        ids = self.held.ids
        self.seeded = {ids[account.key]: number for number, account in enumerate(accounts, start=1)}
        return [ids[account.key] for account in accounts]

    def person(self, number: int) -> dict[str, Json]:
        """The encoded values of every writable field, as `seed` gives them to account `number`."""
        return {item.name: self.samples.value(item, number) for item in self.writable}

    def row(self, remote_id: str) -> Mapping[str, Json]:
        """All that the server's store holds of an account; an AssertionError where there is none."""
        rows = self.server.rows()
        assert remote_id in rows, f"the server holds no account {remote_id} any more"  # noqa: S101
        return rows[remote_id]

    def stored(self, remote_id: str) -> Record:
        """The fields of the style in the server's store, normalised."""
        return decode(self.descriptor.fields, self.row(remote_id))

    def foreign(self, row: Mapping[str, Json], *sent: str) -> dict[str, Json]:
        """What of a row nobody may change by sending these fields: all but them and what is read-only."""
        moving = {item.name for item in self.descriptor.fields if item.read_only}
        return {name: value for name, value in row.items() if name not in moving and name not in sent}

    def owner_id(self) -> str | None:
        """The remote id of the account that our credential belongs to; None where the server shows none."""
        strangers = [remote_id for remote_id in self.server.rows() if remote_id not in self.seeded]
        if self.descriptor.owner_only:
            return next(iter(self.seeded), None)
        return strangers[0] if len(strangers) == 1 else None

    # values

    @property
    def samples(self) -> Samples:
        return Samples(self.descriptor, self.server.samples, self.document)

    @property
    def table(self) -> FieldTable:
        return FieldTable(self.descriptor)

    @property
    def writable(self) -> tuple[Field, ...]:
        """The fields that are seeded and can be changed, in the table's order."""
        return self.samples.writable()

    @property
    def texts(self) -> tuple[Field, ...]:
        """Writable fields of free text: the plainest ones first, an unique one only where nothing else is."""
        return plain_texts(self.writable)

    def change(self, count: int = 1, number: int = 1) -> dict[str, Json]:
        """New encoded values for the first `count` plain text fields of account `number`."""
        return {item.name: self.samples.other(item, number) for item in self.texts[:count]}

    def shown(self, name: str) -> bool:
        """Whether an answer may show the field at all."""
        row = self.descriptor.field(name)
        return row is not None and not row.write_only and row.never_mapped is None

    def wanted(self, *numbers: int) -> dict[str, tuple[str, ...]]:
        """What `find` is asked for: the correlation values of these accounts."""
        name = self.descriptor.correlation
        return {name: tuple(str(self.person(number)[name]) for number in numbers)}

    # what happened

    def misbehave(self, fault: Fault, which: Which = everything, times: int | None = None) -> None:
        """Spoil the next `times` requests of this kind (None: all of them)."""
        self.tap.misbehave(fault, which, times)

    def behave(self) -> None:
        self.tap.behave()

    def requests(self) -> list[Request]:
        """Every request since the check began, in order; those to another origin are marked so."""
        return self.tap.requests()

    def writes(self) -> list[Request]:
        return [request for request in self.requests() if request.is_write]

    def reads(self) -> list[Request]:
        return [request for request in self.requests() if not request.is_write]

    def sent(self) -> set[str]:
        """Field names in the body of the last write; empty where it was no JSON object."""
        writes = self.writes()
        body = writes[-1].json() if writes else None
        return set(body) if isinstance(body, dict) else set()


def plain_texts(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Text without choices, first what is neither unique nor an address nor a right."""
    texts = [item for item in fields if item.type is FieldType.TEXT and not item.choices and may_own(item)]
    return tuple(
        sorted(texts, key=lambda item: (item.privileged, item.unique, item.email, item.pattern is not None))
    )
