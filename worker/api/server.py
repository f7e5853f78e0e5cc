"""uvicorn as we run it: one process, our logs, an orderly end.

On SIGTERM it takes no new connection, finishes the requests that are under way, and ends with exit code 0.
"""

from __future__ import annotations

import signal
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from config.settings import Api
from worker.stack.errors import StackError

_BACKLOG = 2048


def serve(app: FastAPI, settings: Api) -> None:
    """Until SIGTERM or SIGINT, which end it by SystemExit. Raises StackError where it cannot listen."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)  # uvicorn hands the signal on when it is done
    with listening(settings) as place:
        uvicorn.Server(configured(app, settings)).run(sockets=[place])


def listening(settings: Api) -> socket.socket:
    """A socket whose connections send at once. Raises StackError where it cannot be opened.

    An answer is written in two parts. The second would wait until the client acknowledges the first, which
    clients delay by 40 ms; asyncio prevents that only on sockets that were made with TCP's number.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        place = socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        where = f"port {settings.port} of {settings.host}"
        raise StackError(f"{where} cannot be used: {error.strerror}") from None
    place.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return place


def _end(_: int, __: FrameType | None) -> None:
    sys.exit(0)


def configured(app: FastAPI, settings: Api) -> uvicorn.Config:
    """What uvicorn is told."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.stop_s,
    )
