"""Routes of the staff users style. Each lacks its twin without the slash: that one fails."""

from typing import Any

from django.http import FileResponse, HttpRequest
from django.urls import path
from django.views.static import serve

from tests.targets.staff_users.api import MeView, UserViewSet, slashless
from tests.targets.staff_users.models import media


def uploaded(request: HttpRequest, name: str) -> Any:
    """An avatar, for everybody, as media servers do."""
    answer = serve(request, name, document_root=media().location)
    assert isinstance(answer, FileResponse)
    return answer


urlpatterns = [
    path("api/users/me/", MeView.as_view()),
    path("api/users/", UserViewSet.as_view({"get": "list"})),
    path("api/users/<int:pk>/", UserViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("api/users", slashless),
    path("api/users/me", slashless),
    path("api/users/<int:pk>", slashless),
    path("media/<path:name>", uploaded),
]
