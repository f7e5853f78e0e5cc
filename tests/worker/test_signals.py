"""Signals on a real Valkey: at most one waiting, and a broker that is away costs next to nothing."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from config.settings import Settings
from tests.fixtures.valkey import ValkeyServer
from worker import broker, celery_app
from worker.bootstrap import open_signals
from worker.signals import CelerySignals, sync_queue

LONG_S = 60.0
AT_MOST_S = 10.0  # about a second, and a very busy machine


def settings_with(url: str) -> Settings:
    return Settings.model_validate({"broker": {"url": url}, "engine": {"signal_ttl_s": LONG_S}})


def build(url: str) -> tuple[Celery, CelerySignals]:
    settings = settings_with(url)
    app = celery_app.create(settings)
    return app, open_signals(settings, app)


@pytest.fixture
def signals(valkey_url: str) -> Iterator[CelerySignals]:
    app, built = build(valkey_url)
    yield built
    app.close()


class Waiting:
    """The messages that wait in the broker."""

    def __init__(self, server: ValkeyServer) -> None:
        self._server = server

    def __call__(self, queue: str) -> list[tuple[str, list[Any]]]:
        """Task and arguments of each, the newest first."""
        with self._server.client() as client:
            messages = [json.loads(raw) for raw in client.lrange(queue, 0, -1)]
        bodies = [json.loads(base64.b64decode(message["body"])) for message in messages]
        return [(message["headers"]["task"], body[0]) for message, body in zip(messages, bodies, strict=True)]


@pytest.fixture
def waiting(valkey_server: ValkeyServer) -> Waiting:
    return Waiting(valkey_server)


def test_at_most_one_fold_waits(signals: CelerySignals, waiting: Waiting) -> None:
    for _ in range(5):
        signals.fold()
    assert waiting("hirewire.fold") == [("hirewire.fold", [])]


def test_after_a_fold_has_looked_the_next_signal_counts_again(
    signals: CelerySignals, waiting: Waiting
) -> None:
    signals.fold()
    signals.fold_seen()
    signals.fold()
    assert len(waiting("hirewire.fold")) == 2


def test_at_most_one_sync_of_a_shard_waits_in_the_queue_of_the_shard(
    signals: CelerySignals, waiting: Waiting
) -> None:
    for shard in (0, 1, 0, 1):
        signals.sync(shard)
    assert [waiting(sync_queue(shard)) for shard in (0, 1)] == [
        [("hirewire.sync", [0])],
        [("hirewire.sync", [1])],
    ]


def test_a_shard_that_is_at_work_needs_no_signal(signals: CelerySignals, waiting: Waiting) -> None:
    signals.sync_runs(0)
    signals.sync(0)
    signals.sync(1)
    assert (waiting(sync_queue(0)), len(waiting(sync_queue(1)))) == ([], 1)


def test_after_a_sync_has_looked_the_next_signal_counts_again(
    signals: CelerySignals, waiting: Waiting
) -> None:
    signals.sync_runs(0)
    signals.sync_seen(0)
    signals.sync(0)
    assert waiting(sync_queue(0)) == [("hirewire.sync", [0])]


def test_a_run_is_named_by_its_row(signals: CelerySignals, waiting: Waiting) -> None:
    for run_id in (7, 7, 8):
        signals.run(run_id)
    assert waiting("hirewire.control") == [("hirewire.run", [8]), ("hirewire.run", [7])]


def test_a_lost_signal_blocks_the_next_one_only_for_a_while(
    valkey_url: str, valkey_server: ValkeyServer, waiting: Waiting
) -> None:
    settings = settings_with(valkey_url)
    app = celery_app.create(settings)
    signals = CelerySignals(app, broker.redis_client(settings), 1.0)
    signals.fold()
    with valkey_server.client() as client:
        assert 0 < client.pttl("hirewire:signal:fold") <= 1000
        client.delete("hirewire.fold")  # the message is lost
    limit = time.monotonic() + 10
    while not waiting("hirewire.fold"):
        assert time.monotonic() < limit
        signals.fold()
    app.close()


Use = Callable[[CelerySignals], None]
USES: dict[str, Use] = {
    "fold": lambda signals: signals.fold(),
    "fold_seen": lambda signals: signals.fold_seen(),
    "sync": lambda signals: signals.sync(0),
    "sync_runs": lambda signals: signals.sync_runs(0),
    "sync_seen": lambda signals: signals.sync_seen(0),
    "run": lambda signals: signals.run(1),
}


@pytest.fixture(params=["closed port", "dead socket", "deaf"])
def away(request: pytest.FixtureRequest, free_port: int, tmp_path: Path) -> Iterator[str]:
    """The address of a broker that is not there, or does not answer."""
    if request.param == "closed port":
        yield f"redis://127.0.0.1:{free_port}/0"
    elif request.param == "dead socket":
        yield f"redis+socket://{tmp_path / 'valkey.sock'}"
    else:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            yield f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_broker_that_is_away_costs_about_a_second_at_most(away: str, use: Use) -> None:
    app, signals = build(away)
    began = time.monotonic()
    use(signals)
    assert time.monotonic() - began < AT_MOST_S
    app.close()


@pytest.mark.parametrize("use", [USES["fold"], USES["sync"], USES["run"]], ids=["fold", "sync", "run"])
def test_a_broker_that_dies_between_mark_and_message_costs_about_a_second_at_most(
    valkey_url: str, away: str, use: Use
) -> None:
    app = celery_app.create(settings_with(away))
    signals = CelerySignals(app, broker.redis_client(settings_with(valkey_url)), LONG_S)
    began = time.monotonic()
    use(signals)
    assert time.monotonic() - began < AT_MOST_S
    app.close()


def test_signals_work_again_when_the_broker_is_back(valkey_server: ValkeyServer, waiting: Waiting) -> None:
    app, signals = build(valkey_server.url)
    signals.sync(0)
    valkey_server.kill()
    signals.sync(1)
    valkey_server.start()
    signals.sync(1)
    assert waiting(sync_queue(1)) == [("hirewire.sync", [1])]
    app.close()
