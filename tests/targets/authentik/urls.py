"""Routes of the authentik style, each with its trailing slash: without it there is nothing."""

from django.urls import path
from django.views.decorators.common import no_append_slash

from tests.targets.authentik import views

urlpatterns = [
    path("api/v3/core/users/", no_append_slash(views.AccountList.as_view())),
    path("api/v3/core/users/me/", no_append_slash(views.Me.as_view())),
    path("api/v3/core/users/<str:pk>/", no_append_slash(views.AccountDetail.as_view())),
    path("api/v3/core/groups/", no_append_slash(views.GroupList.as_view())),
    path("api/v3/core/tokens/", no_append_slash(views.TokenList.as_view())),
    path("api/v3/admin/version/", no_append_slash(views.Version.as_view())),
    path("-/health/live/", views.healthy),
    path("-/health/ready/", views.healthy),
]
handler400 = "tests.targets.authentik.errors.bad_request"
handler403 = "tests.targets.authentik.errors.permission_denied"
handler404 = "tests.targets.authentik.errors.not_found"
handler500 = "tests.targets.authentik.errors.server_error"
