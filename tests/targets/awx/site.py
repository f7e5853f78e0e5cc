"""The API about itself: roots, ping, and the settings that change its behaviour."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from tests.targets import options
from tests.targets.awx.base import ApiView
from tests.targets.awx.middleware import NODE, VERSION

PREFIXES = {"ldap": "AUTH_LDAP_"}


class ApiRoot(ApiView):
    public = True

    def get(self, request: Request) -> Response:
        del request
        return Response(
            {
                "description": "Reference AWX",
                "current_version": "/api/v2/",
                "available_versions": {"v2": "/api/v2/"},
                "oauth2": "/api/o/",
                "custom_logo": "",
                "custom_login_info": "",
                "login_redirect_override": "",
            }
        )


class V2Root(ApiView):
    public = True

    def get(self, request: Request) -> Response:
        del request
        names = ("ping", "me", "users", "tokens", "organizations", "teams", "settings", "activity_stream")
        return Response({name: f"/api/v2/{name}/" for name in names})


class Ping(ApiView):
    public = True

    def get(self, request: Request) -> Response:
        del request
        node = {"node": NODE, "node_type": "hybrid", "heartbeat": None, "capacity": 0, "version": VERSION}
        return Response(
            {
                "ha": False,
                "version": VERSION,
                "active_node": NODE,
                "install_uuid": "00000000-0000-4000-8000-000000000000",
                "instances": [node],
                "instance_groups": [],
            }
        )


class Settings(ApiView):
    """Superusers only. PATCH merges; DELETE forgets what belongs to the category."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not request.user.is_superuser:
            raise PermissionDenied

    def get(self, request: Request, category: str) -> Response:
        del request, category
        return Response(options.everything())

    def patch(self, request: Request, category: str) -> Response:
        del category
        options.update(request.data)
        return Response(options.everything())

    def delete(self, request: Request, category: str) -> Response:
        del request
        options.remove(PREFIXES.get(category, f"{category.upper()}_"))
        return Response(status=status.HTTP_204_NO_CONTENT)
