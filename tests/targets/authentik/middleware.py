"""What happens to a request around the views: its id, and a database that is down."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponseBase

from tests.targets import options

View = Callable[[HttpRequest], HttpResponseBase]


def request_id(get_response: View) -> View:
    """`x-authentik-id` on each answer, but not on those of a server without its database."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        if options.get("database_down", False):
            raise OperationalError("the connection was refused")
        response = get_response(request)
        response["x-authentik-id"] = uuid.uuid4().hex
        return response

    return handle
