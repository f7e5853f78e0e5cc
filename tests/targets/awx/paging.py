"""Pages of AWX: relative links, 25 by default, 200 at most, and a crash on a page size of letters.

Option (reset request) `MAX_PAGE_SIZE`: what an administrator of the server has set instead of 200.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.paginator import Paginator
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from tests.targets import options

MAX_PAGE_SIZE = 200


class Pages(PageNumberPagination):
    page_size = 25
    page_size_query_param = "page_size"
    last_page_strings: ClassVar[tuple[str, ...]] = ("last",)
    django_paginator_class = Paginator

    def get_page_size(self, request: Request) -> int | None:
        self.max_page_size = int(options.get("MAX_PAGE_SIZE", MAX_PAGE_SIZE))
        return super().get_page_size(request)

    def get_next_link(self) -> str | None:
        return self._link(self.page.next_page_number()) if self.page.has_next() else None

    def get_previous_link(self) -> str | None:
        return self._link(self.page.previous_page_number()) if self.page.has_previous() else None

    def _link(self, number: int) -> str:
        url = self.request.get_full_path()
        # Only here is the parameter read as a number, and nobody catches what it raises: HTTP 500.
        if int(self.request.query_params.get("page_size", 0)) > MAX_PAGE_SIZE:
            url = replace_query_param(url, "page_size", MAX_PAGE_SIZE)
        return replace_query_param(url, "page", number)

    def get_paginated_response(self, data: Any) -> Response:
        if "count_disabled" in self.request.query_params:
            return Response({"results": data})
        return super().get_paginated_response(data)
