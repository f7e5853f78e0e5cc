"""The socket that the HTTP interface listens on."""

from __future__ import annotations

import socket

from config.settings import Api
from worker.api.server import listening


def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_first_part() -> None:
    with listening(Api(port=0)) as place:
        with socket.create_connection(place.getsockname()[:2]):
            connection, _ = place.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
