"""Routes of the AWX style."""

from django.urls import path

from tests.targets.awx import extras, site, views

urlpatterns = [
    path("api/", site.ApiRoot.as_view()),
    path("api/v2/", site.V2Root.as_view()),
    path("api/v2/ping/", site.Ping.as_view()),
    path("api/v2/settings/<slug:category>/", site.Settings.as_view()),
    path("api/v2/me/", views.Me.as_view()),
    path("api/v2/users/", views.UserList.as_view()),
    path("api/v2/users/<int:pk>/", views.UserDetail.as_view()),
    path("api/v2/users/<int:pk>/personal_tokens/", extras.TokenList.as_view()),
    path("api/v2/users/<int:pk>/tokens/", extras.TokenList.as_view()),
    path("api/v2/users/<int:pk>/activity_stream/", extras.UserActivity.as_view()),
    path("api/v2/users/<int:pk>/teams/", extras.UserTeams.as_view()),
    path("api/v2/users/<int:pk>/roles/", extras.UserRoles.as_view()),
    path("api/v2/organizations/<int:pk>/users/", extras.OrganizationUsers.as_view()),
    path("api/v2/teams/<int:pk>/users/", extras.TeamUsers.as_view()),
    path("api/v2/tokens/", extras.TokenList.as_view()),
    path("api/v2/tokens/<int:pk>/", extras.TokenDetail.as_view()),
    path("api/v2/activity_stream/", extras.ActivityStream.as_view()),
]
