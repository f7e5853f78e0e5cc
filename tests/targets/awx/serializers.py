"""The user as AWX reads and writes it, with its two stages of validation.

First the fields one by one (type, blank, length, taken names, LDAP), all complaints together; only
when none is left the model's own checks. Keys that are no field are dropped without a word.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError as ModelError
from rest_framework import serializers

from tests.targets import meeting, options
from tests.targets.awx import passwords
from tests.targets.awx.errors import SharedFieldError
from tests.targets.awx.models import Profile, note
from tests.targets.awx.representation import represent

SHARED = ("username", "first_name", "last_name", "email", "is_superuser")


class Clearable(serializers.CharField):
    """null, [] and {} clear the text to the empty string."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data if data is serializers.empty else data or "")


class Demotable(serializers.BooleanField):
    """null is false."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(False if data is None else data)


class UserSerializer(serializers.ModelSerializer[User]):
    first_name = Clearable(max_length=150, allow_blank=True, required=False)
    last_name = Clearable(max_length=150, allow_blank=True, required=False)
    email = Clearable(max_length=254, allow_blank=True, required=False)
    is_superuser = Demotable(default=False)
    is_system_auditor = serializers.BooleanField(default=False)
    password = serializers.CharField(default="")

    class Meta:
        model = User
        fields: ClassVar[list[str]] = [*SHARED, "is_system_auditor", "password"]

    def validate_username(self, value: str) -> str:
        return self._managed("username", value)

    def validate_first_name(self, value: str) -> str:
        return self._managed("first_name", value)

    def validate_last_name(self, value: str) -> str:
        return self._managed("last_name", value)

    def validate_email(self, value: str) -> str:
        return self._managed("email", value)

    def validate_is_superuser(self, value: bool) -> bool:
        return self._managed("is_superuser", value)

    def validate_is_system_auditor(self, value: bool) -> bool:
        return self._managed("is_system_auditor", value)

    def validate_password(self, value: str) -> str:
        if not value:
            if self.instance is None:
                raise serializers.ValidationError("A new user needs a password.")
            return value
        if complaint := passwords.problem(value):
            raise serializers.ValidationError(complaint)
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        own = {name: value for name, value in attrs.items() if name in SHARED}
        candidate = User(**{**_state(self.instance), **own})
        candidate._state.adding = self.instance is None
        try:
            candidate.full_clean(exclude=["password"])
        except ModelError as error:
            raise serializers.ValidationError(error.message_dict) from error
        self._refuse_shared(own)
        return {**attrs, **{name: getattr(candidate, name) for name in own}}

    def create(self, validated_data: dict[str, Any]) -> User:
        meeting.wait()
        user = User(**{name: validated_data[name] for name in SHARED if name in validated_data})
        _set_password(user, validated_data["password"])
        user.save(force_insert=True)
        auditor = validated_data["is_system_auditor"]
        user.profile = Profile.objects.create(user=user, is_system_auditor=auditor)
        note(self._actor(), user, "create", {name: getattr(user, name) for name in SHARED})
        return user

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        """The whole row is saved as it was read: a concurrent change of another field is lost."""
        changes = {}
        for name in SHARED:
            before = getattr(instance, name)
            if validated_data.get(name, before) != before:
                setattr(instance, name, validated_data[name])
                changes[name] = [before, validated_data[name]]
        secret = validated_data.get("password")
        if secret not in {None, "", passwords.PLACEHOLDER} and not instance.profile.external_account:
            instance.set_password(secret)
            changes["password"] = ["hidden", "hidden"]
        meeting.wait()
        instance.save(force_update=True)
        note(self._actor(), instance, "update", changes)
        self._set_auditor(instance, validated_data.get("is_system_auditor"))
        return instance

    def to_representation(self, instance: User) -> dict[str, Any]:
        return represent(instance, self._actor(), detail=self.context["detail"])

    def _actor(self) -> User:
        actor: User = self.context["request"].user
        return actor

    def _set_auditor(self, user: User, wanted: bool | None) -> None:
        before = user.profile.is_system_auditor
        if wanted is None or wanted == before:
            return
        user.profile.is_system_auditor = wanted
        user.profile.save(update_fields=["is_system_auditor"])
        note(None, user, "update", {"is_system_auditor": [before, wanted]})

    def _managed(self, name: str, value: Any) -> Any:
        """Refuse to change what LDAP will overwrite; the same value is no change."""
        user = self.instance
        if user is None or not user.profile.ldap_dn or not options.get("AUTH_LDAP_SERVER_URI"):
            return value
        if name in _ldap_fields() and value != _state(user)[name]:
            raise serializers.ValidationError(f"Unable to change {name} on user managed by LDAP.")
        return value

    def _refuse_shared(self, wanted: dict[str, Any]) -> None:
        if self.instance is None or options.get("ALLOW_LOCAL_RESOURCE_MANAGEMENT", True):
            return
        for name, value in wanted.items():
            if value != getattr(self.instance, name):
                raise SharedFieldError(name)


def _state(user: User | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {field.name: getattr(user, field.name) for field in User._meta.concrete_fields}


def _ldap_fields() -> set[str]:
    mapped = set(options.get("AUTH_LDAP_USER_ATTR_MAP", {}))
    return {"username"} | mapped | set(options.get("AUTH_LDAP_USER_FLAGS_BY_GROUP", {}))


def _set_password(user: User, secret: str) -> None:
    if secret == passwords.PLACEHOLDER:
        user.set_unusable_password()
    else:
        user.set_password(secret)
