"""The pages of a failure: views for GET only, so that a failed write is answered with 405.

Nobody meant it so: the error view is a page, a page allows GET, and the method of the failed request is
still the write's. Hence the empty 405 without JSON that stands for 400, 404 and 500 alike.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import View

PAGE = "<!DOCTYPE html><html><head><title>authentik</title></head><body><h1>{}</h1></body></html>"


class ErrorPage(View):
    """`as_view(status=...)`; whatever the handler is given beside the request is not looked at."""

    status = 500

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        del request, args, kwargs
        return HttpResponse(PAGE.format(self.status), status=self.status)


bad_request = ErrorPage.as_view(status=400)
permission_denied = ErrorPage.as_view(status=403)
not_found = ErrorPage.as_view(status=404)
server_error = ErrorPage.as_view(status=500)
