"""The Celery application: what section 7 of the design settled, and nothing at import."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from celery import Celery

from config.settings import Settings
from worker.broker import broker_url, redis_client
from worker.celery_app import create, queue_names
from worker.problems import BrokerMissingError
from worker.schedule import schedule

BROKER = {"url": "redis+socket:///run/hirewire/valkey.sock", "visibility_timeout_s": 120}
SETTINGS = Settings.model_validate({"broker": BROKER, "engine": {"shards": 3, "relay_every_s": 4}})


@pytest.fixture
def app() -> Celery:
    return create(SETTINGS)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("task_acks_late", True),
        ("task_reject_on_worker_lost", True),
        ("worker_prefetch_multiplier", 1),
        ("task_ignore_result", True),
        ("task_serializer", "json"),
        ("accept_content", ["json"]),
        ("broker_connection_max_retries", None),
        ("broker_connection_retry_on_startup", True),
        ("worker_hijack_root_logger", False),
        ("worker_enable_remote_control", False),
        ("task_create_missing_queues", False),
        ("enable_utc", True),
    ],
)
def test_an_option_is_as_the_design_settled_it(app: Celery, option: str, expected: Any) -> None:
    assert app.conf[option] == expected


def test_the_transport_gives_back_what_a_dead_worker_had(app: Celery) -> None:
    options = app.conf.broker_transport_options
    assert options["visibility_timeout"] == 120
    assert (options["unacked_restore_interval"], options["unacked_restore_throttle"]) == (5, 1)


def test_no_result_is_kept_anywhere(app: Celery) -> None:
    assert type(app.backend).__name__ == "DisabledBackend"


def test_each_shard_has_a_queue_of_its_own_beside_fold_and_control(app: Celery) -> None:
    expected = [
        "hirewire.fold",
        "hirewire.control",
        "hirewire.sync.0",
        "hirewire.sync.1",
        "hirewire.sync.2",
    ]
    assert queue_names(SETTINGS) == expected
    assert list(app.amqp.queues) == expected
    assert app.conf.task_default_queue == "hirewire.control"


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("hirewire.fold", "hirewire.fold"),
        ("hirewire.ingest", "hirewire.fold"),
        ("hirewire.relay", "hirewire.control"),
        ("hirewire.run", "hirewire.control"),
    ],
)
def test_a_task_that_is_sent_by_name_finds_its_queue(app: Celery, task: str, queue: str) -> None:
    assert app.amqp.router.route({}, task)["queue"].name == queue


def test_the_default_visibility_is_five_minutes() -> None:
    app = create(Settings.model_validate({"broker": {"url": BROKER["url"]}}))
    assert app.conf.broker_transport_options["visibility_timeout"] == 300


def test_a_missing_broker_is_told_with_the_way_out() -> None:
    with pytest.raises(BrokerMissingError, match=r"broker\.url is not set .*`hirewire up`"):
        broker_url(Settings())


def test_the_client_of_signals_has_short_timeouts_and_never_tries_again() -> None:
    options = redis_client(SETTINGS).connection_pool.connection_kwargs
    assert options["path"] == "/run/hirewire/valkey.sock"
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (1, 1)
    assert options["retry"].get_retries() == 0


def test_beat_sends_the_relay_and_the_sealer_and_their_messages_expire() -> None:
    sent = schedule(SETTINGS.engine, SETTINGS.audit, SETTINGS.retention)
    assert {name: sent[name] for name in ("relay", "seal")} == {
        "relay": {
            "task": "hirewire.relay",
            "schedule": 4,
            "options": {"queue": "hirewire.control", "expires": 8},
        },
        "seal": {
            "task": "hirewire.seal",
            "schedule": 60,
            "options": {"queue": "hirewire.control", "expires": 120},
        },
    }


def test_pruning_is_poked_each_minute_unless_it_is_done_by_hand_only() -> None:
    """The interval is kept by a row: a beat that is started anew begins nothing anew."""
    by_hand = Settings.model_validate({"retention": {"prune_every_hours": 0}})
    prune = schedule(SETTINGS.engine, SETTINGS.audit, SETTINGS.retention)["prune"]
    assert (prune["task"], prune["schedule"]) == ("hirewire.prune", 60)
    assert "prune" not in schedule(by_hand.engine, by_hand.audit, by_hand.retention)


def test_an_eager_relay_still_gives_its_messages_a_second() -> None:
    settings = Settings.model_validate({"engine": {"relay_every_s": 0.2}})
    assert schedule(settings.engine, settings.audit, settings.retention)["relay"]["options"]["expires"] == 1.0


def test_importing_the_tasks_creates_no_application() -> None:
    code = "import worker.tasks, celery._state as state; assert state._apps is None or not list(state._apps)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own words
