"""Routes of the Django-admin style, each with its trailing slash as the document writes them."""

from django.urls import path

from tests.targets.django_admin.api import UserViewSet

urlpatterns = [
    path("admin/users/", UserViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "admin/users/<int:pk>/",
        UserViewSet.as_view(
            {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
]
