"""Pages of authentik: numbers instead of links, 20 by default, 100 at most and silently so."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from tests.targets import options


class Pages(PageNumberPagination):
    """Option `max_page_size`: what an administrator of the server has set instead of 100."""

    page_size = 20
    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int:
        self.max_page_size = int(options.get("max_page_size", 100))
        return min(super().get_page_size(request) or self.page_size, self.max_page_size)

    def get_paginated_response(self, data: Any) -> Response:
        page = self.page
        numbers = {
            "next": page.next_page_number() if page.has_next() else 0,
            "previous": page.previous_page_number() if page.has_previous() else 0,
            "count": page.paginator.count,
            "current": page.number,
            "total_pages": page.paginator.num_pages,
            "start_index": page.start_index(),
            "end_index": page.end_index(),
        }
        return Response({"pagination": numbers, "results": data, "autocomplete": {}})
