"""What the two documents show of an account, and what each of them takes.

Option (reset request) `misspelt`: answer with the key as Update Me's table spells it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from tests.targets import options
from tests.targets.staff_users.models import Group, Member

USER_GENDERS = ("male", "female", "non-binary")
MY_GENDERS = ("male", "female", "other")
MY_NULLS = ("username", "email", "mobile_number", "first_name", "last_name")
WELL_SPELT, MISSPELT = "is_profile_completed", "is_profile_compeleted"


class MyGroupSerializer(serializers.ModelSerializer[Group]):
    users_count = serializers.IntegerField(source="members.count")

    class Meta:
        model = Group
        fields: ClassVar[list[str]] = ["id", "name", "notes", "users_count", "created_at", "updated_at"]


class MemberSerializer(serializers.ModelSerializer[Member]):
    """What both have in common: an uploaded picture is a real one, and null takes it away."""

    avatar = serializers.ImageField(allow_null=True, required=False)
    full_name = serializers.CharField(read_only=True)

    def update(self, instance: Member, validated_data: Any) -> Member:
        if "avatar" in validated_data and instance.avatar:
            instance.avatar.delete(save=False)
        return super().update(instance, validated_data)


class UserSerializer(MemberSerializer):
    """Update User: groups go in as ids and come out as `groups_data`."""

    gender = serializers.ChoiceField(USER_GENDERS, required=False)
    is_online = serializers.SerializerMethodField()
    groups_data = serializers.SerializerMethodField()

    class Meta:
        model = Member
        fields: ClassVar[list[str]] = [
            *("id", "username", "mobile_number", "email", "avatar", "first_name", "last_name", "full_name"),
            *("gender", "is_staff", "is_admin", "is_active", "last_login", "created_at", "updated_at"),
            *("is_online", "groups", "groups_data"),
        ]
        read_only_fields: ClassVar[list[str]] = ["last_login", "created_at", "updated_at"]
        extra_kwargs: ClassVar[dict[str, dict[str, Any]]] = {
            "groups": {"write_only": True},
            **{name: {"allow_null": False} for name in MY_NULLS},
        }

    def get_is_online(self, _member: Member) -> bool:
        return False

    def get_groups_data(self, member: Member) -> list[dict[str, Any]]:
        return [{"id": group.pk, "name": group.name} for group in member.groups.all()]


class MeSerializer(MemberSerializer):
    """Update Me: no flags, no groups to write; a gender of its own set; most may be null."""

    gender = serializers.ChoiceField(MY_GENDERS, required=False)
    is_profile_completed = serializers.BooleanField(read_only=True)
    groups = MyGroupSerializer(many=True, read_only=True)

    class Meta:
        model = Member
        fields: ClassVar[list[str]] = [
            *("id", "username", "mobile_number", "email", "avatar", "first_name", "last_name", "full_name"),
            *("gender", "is_profile_completed", "groups", "last_login", "created_at"),
        ]
        read_only_fields: ClassVar[list[str]] = ["last_login", "created_at"]

    def to_representation(self, instance: Member) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if options.get("misspelt"):
            shown[MISSPELT] = shown.pop(WELL_SPELT)
        return shown
