"""What all of AWX's views share: authentication, parsing, filters, pages, and the words of errors."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.exceptions import NotAuthenticated, PermissionDenied, UnsupportedMediaType
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from tests.targets.awx import errors
from tests.targets.awx.authentication import BasicAuthentication, BearerAuthentication
from tests.targets.awx.filters import LookupFilter, OrderFilter, SearchFilter
from tests.targets.awx.middleware import VERSION
from tests.targets.awx.paging import Pages
from tests.targets.awx.parsing import ObjectParser

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
api_settings.NON_FIELD_ERRORS_KEY = "__all__"


class BrowsableRenderer(BaseRenderer):
    """A page for browsers: asked for HTML, AWX answers HTML."""

    media_type = "text/html"
    format = "api"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        del accepted_media_type
        shown = JSONRenderer().render(data, renderer_context=renderer_context)
        return b"<!DOCTYPE html><html><body><pre>" + shown + b"</pre></body></html>"


class ApiView(GenericAPIView[Any]):
    """Signed in unless `public`; the body is read before anything is looked up."""

    public = False
    authentication_classes: ClassVar[list[type]] = [BearerAuthentication, BasicAuthentication]
    permission_classes: ClassVar[list[type]] = []
    parser_classes: ClassVar[list[type]] = [ObjectParser]
    renderer_classes: ClassVar[list[type]] = [JSONRenderer, BrowsableRenderer]
    filter_backends: ClassVar[list[type]] = [LookupFilter, SearchFilter, OrderFilter]
    pagination_class = Pages

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self.public and not request.user.is_authenticated:
            raise NotAuthenticated(errors.NOT_AUTHENTICATED)
        if request.method in SAFE:
            return
        _ = request.data
        if getattr(request.auth, "scope", "write") != "write":
            raise PermissionDenied

    def handle_exception(self, exc: Exception) -> Response:
        match exc:
            case UnsupportedMediaType():
                exc.detail = errors.MEDIA_TYPE
            case errors.SharedFieldError():
                exc.detail = exc.body
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        if getattr(request, "_user", None) is not None and request.user.is_authenticated:
            final["X-API-Product-Version"] = VERSION
        return final

    def listing(self) -> Response:
        """One page of the filtered queryset, each item through `represent`."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([self.represent(item) for item in page or []])

    def represent(self, item: Any) -> Any:
        return item
