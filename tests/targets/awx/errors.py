"""The error texts and shapes of AWX that its clients see, in one place."""

from __future__ import annotations

from rest_framework.exceptions import PermissionDenied

NOT_AUTHENTICATED = (
    "Authentication credentials were not provided. To establish a login session, visit /api/login/."
)
CHALLENGE = "Bearer realm=api authorization_url=/api/o/authorize/"
MEDIA_TYPE = "The Content-Type must be application/json"
DUPLICATE = 'duplicate key value violates unique constraint "auth_user_username_key"'


class SharedFieldError(PermissionDenied):
    """403 whose body names the field with a bare string, as under a platform gateway."""

    def __init__(self, field: str) -> None:
        super().__init__()
        self.body = {
            field: f"Cannot change shared field '{field}'. Alter this field via the platform ingress."
        }
