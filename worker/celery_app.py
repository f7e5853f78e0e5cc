"""The Celery application: explicit task names, JSON only, no results, late acknowledgement.

A message names a shard, a run or nothing; the work is in the rows. Losing a message costs a relay
interval, delivering one twice costs a look at the rows. Built by a function: no module-level app.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu import Queue

from config.settings import Settings
from worker.broker import broker_url
from worker.signals import CONTROL_QUEUE, FOLD_QUEUE, sync_queue


def create(settings: Settings) -> Celery:
    """The application for this configuration, without tasks (see `worker.tasks.register`)."""
    app = Celery("hirewire", broker=broker_url(settings), set_as_current=False)
    app.conf.update(_options(settings))
    return app


def queue_names(settings: Settings) -> list[str]:
    return [FOLD_QUEUE, CONTROL_QUEUE, *(sync_queue(n) for n in range(settings.engine.shards))]


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "task_queues": [Queue(name, routing_key=name) for name in queue_names(settings)],
        "task_default_queue": CONTROL_QUEUE,
        "task_routes": {name: {"queue": FOLD_QUEUE} for name in ("hirewire.fold", "hirewire.ingest")},
        "task_create_missing_queues": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "result_backend": "disabled://",
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "enable_utc": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": settings.broker.visibility_timeout_s,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 3,
            "socket_keepalive": True,
        },
    }
