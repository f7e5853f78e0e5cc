"""The account as authentik reads and writes it: coerced and trimmed, unknown keys dropped without a word.

`groups`, `roles` and `attributes` are replaced whole. Once an account is an internal service account,
nothing about it can be changed any more.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import DataError
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from tests.targets import meeting
from tests.targets.authentik.models import Account, ApiToken, Group, Kind, Role, holds_nul, jsonb

AVATAR = "data:image/svg+xml;base64,PHN2Zy8+"
UNUSED = "2001-01-01T00:00:00Z"  # the date of a token that does not expire
DOOR = "An internal service account stays one, and as it is."


def is_dict(value: Any) -> None:
    if not isinstance(value, dict):
        raise serializers.ValidationError("An object is expected, each key in it once.")


class AccountSerializer(serializers.Serializer[Account]):
    pk = serializers.IntegerField(read_only=True)
    username = serializers.CharField(max_length=150, validators=[UniqueValidator(Account.objects.all())])
    name = serializers.CharField(allow_blank=True)
    is_active = serializers.BooleanField(required=False)
    last_login = serializers.DateTimeField(required=False, allow_null=True)
    groups = serializers.PrimaryKeyRelatedField(many=True, queryset=Group.objects.all(), default=list)
    roles = serializers.PrimaryKeyRelatedField(many=True, queryset=Role.objects.all(), default=list)
    email = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    attributes = serializers.JSONField(validators=[is_dict], required=False)
    path = serializers.CharField(required=False)
    type = serializers.ChoiceField(choices=Kind.choices, required=False)

    def validate_path(self, value: str) -> str:
        if value.startswith("/") or value.endswith("/"):
            raise serializers.ValidationError("A path neither begins nor ends with a slash.")
        if "//" in value:
            raise serializers.ValidationError("Between two slashes of a path stands a name.")
        return value

    def validate_type(self, value: str) -> str:
        if self._is_closed() and value != Kind.INTERNAL_SERVICE_ACCOUNT:
            raise serializers.ValidationError(DOOR)
        if self.instance is None and value == Kind.INTERNAL_SERVICE_ACCOUNT:
            raise serializers.ValidationError("Nobody is made an internal service account.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self._is_closed():
            raise serializers.ValidationError(DOOR)
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Account:
        return self._save(Account(), validated_data)

    def update(self, instance: Account, validated_data: dict[str, Any]) -> Account:
        """The whole row is saved as it was read: a concurrent change of another field is lost."""
        return self._save(instance, validated_data)

    def to_representation(self, instance: Account) -> dict[str, Any]:
        return represent(instance, super().to_representation(instance), self.context["request"].query_params)

    def _is_closed(self) -> bool:
        return self.instance is not None and self.instance.type == Kind.INTERNAL_SERVICE_ACCOUNT

    def _save(self, account: Account, values: dict[str, Any]) -> Account:
        many = {name: values.pop(name) for name in ("groups", "roles") if name in values}
        for name, value in values.items():
            setattr(account, name, jsonb(value) if name == "attributes" else value)
        if holds_nul(account.attributes):
            raise DataError("unsupported Unicode escape sequence")
        meeting.wait()
        account.save()
        for name, members in many.items():
            getattr(account, name).set(members)
        return account


class GroupSerializer(serializers.ModelSerializer[Group]):
    """`users_obj` is null where `include_users=false`; nobody reads the members here."""

    class Meta:
        model = Group
        fields = ("pk", "name", "is_superuser")

    def to_representation(self, instance: Group) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return {**shown, "num_pk": _number(instance), "users": [], "users_obj": None, "attributes": {}}


def represent(account: Account, written: dict[str, Any], query: Any) -> dict[str, Any]:
    """The fields as written, and those that are for reading only."""
    wants_groups = query.get("include_groups", "true").lower() == "true"
    wants_roles = query.get("include_roles", "true").lower() == "true"
    roles = [{"pk": str(role.pk), "name": role.name} for role in account.roles.all()]
    return {
        **written,
        "attributes": jsonb(account.attributes),
        "date_joined": account.date_joined,
        "is_superuser": account.is_superuser,
        "groups_obj": [_brief(group) for group in account.groups.all()] if wants_groups else None,
        "roles_obj": roles if wants_roles else None,
        "avatar": AVATAR,
        "uid": f"{account.uuid.hex}{account.pk:032x}",
        "uuid": str(account.uuid),
        "password_change_date": account.password_change_date,
        "last_updated": account.last_updated,
    }


def _brief(group: Group) -> dict[str, Any]:
    return {
        "pk": str(group.pk),
        "num_pk": _number(group),
        "name": group.name,
        "is_superuser": group.is_superuser,
        "attributes": {},
    }


def _number(group: Group) -> int:
    return group.pk.int % 100_000


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """A token without its key. One that does not expire still shows a date."""

    user = serializers.IntegerField(source="owner_id")
    expiring = serializers.SerializerMethodField()

    class Meta:
        model = ApiToken
        fields: ClassVar[list[str]] = ["pk", "intent", "user", "expires", "expiring"]

    def get_expiring(self, token: ApiToken) -> bool:
        return token.expires is not None

    def to_representation(self, instance: ApiToken) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return shown | {"expires": shown["expires"] or UNUSED}
