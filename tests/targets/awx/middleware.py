"""What happens to a request around the views: the proxy, the API's headers, addresses by name."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

MAX_BODY_BYTES = 1024 * 1024
VERSION = "24.6.1"
NODE = "reference-1"
TOO_LARGE = b"<html><body><h1>413 Request Entity Too Large</h1></body></html>"
USER_ADDRESS = re.compile(r"^/api/v2/users/(?P<name>[^/]+)(?P<rest>/.*)?$")

View = Callable[[HttpRequest], HttpResponseBase]


def proxy(get_response: View) -> View:
    """As nginx: bodies over 1 MiB are refused with a page of its own, doubled slashes are one."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES:
            return HttpResponse(TOO_LARGE, status=413, content_type="text/html")
        _move(request, re.sub("/{2,}", "/", request.path_info))
        return get_response(request)

    return handle


def api_headers(get_response: View) -> View:
    """The `X-API-*` headers. A client's request id is echoed where it is a GUID, else replaced."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        response = get_response(request)
        taken = f"{time.monotonic() - started:.3f}s"
        response["X-API-Request-Id"] = _request_id(request.headers.get("X-API-Request-Id", ""))
        response["X-API-Product-Name"] = "AWX"
        response["X-API-Node"] = NODE
        response["X-API-Time"] = response["X-API-Total-Time"] = taken
        return response

    return handle


def named_urls(get_response: View) -> View:
    """`/users/NAME/` is that user's address; the slash may be missing; a 403 there becomes 404."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        found = USER_ADDRESS.match(request.path_info)
        if found is None:
            return get_response(request)
        name, rest = found["name"], found["rest"] or "/"
        number = User.objects.filter(username=name).values_list("pk", flat=True).first()
        if name.isdigit() and (name != "0" or number is None):
            _move(request, f"/api/v2/users/{name}{rest}")
            return get_response(request)
        if number is None:
            return JsonResponse({"detail": "No User matches the given query."}, status=404)
        _move(request, f"/api/v2/users/{number}{rest}")
        response = get_response(request)
        return JsonResponse({"detail": "Not found."}, status=404) if response.status_code == 403 else response

    return handle


def _move(request: HttpRequest, path: str) -> None:
    request.path_info = path
    request.path = path


def _request_id(given: str) -> str:
    try:
        uuid.UUID(given)
    except ValueError:
        return uuid.uuid4().hex
    return given
