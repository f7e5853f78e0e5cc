"""Who is asking: Bearer tokens with a scope, or Basic. Whatever fails, fails as if nothing was sent.

That is what AWX does: a wrong password, a revoked token and no header at all get one and the same
401, so an authenticator here returns None instead of raising.
"""

from __future__ import annotations

import base64
import binascii

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from tests.targets import options
from tests.targets.awx.errors import CHALLENGE
from tests.targets.tokens.models import Token


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = Token.objects.select_related("user__profile").filter(key=key.strip()).first()
        if token is None or token.is_over() or not token.user.is_active:
            return None
        return token.user, token

    def authenticate_header(self, _request: Request) -> str:
        return CHALLENGE


class BasicAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, None] | None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic" or not options.get("AUTH_BASIC_ENABLED", True):
            return None
        try:
            name, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        user = authenticate(username=name, password=password)
        return None if user is None else (user, None)

    def authenticate_header(self, _request: Request) -> str:
        return CHALLENGE
