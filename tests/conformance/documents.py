"""The field tables of the documents as they were read, written down apart from the connectors.

What a document shows of other things than the account itself (links, capabilities) is left out.
"""

from __future__ import annotations

from connectors.sdk.fields import FieldType
from connectors.sdk.testing import Documented

TEXT = Documented(FieldType.TEXT)
FLAG = Documented(FieldType.BOOLEAN)
TIME = Documented(FieldType.DATETIME)
NAMES = Documented(FieldType.NAME_SET)
SHOWN_TEXT = Documented(FieldType.TEXT, read_only=True)
SHOWN_FLAG = Documented(FieldType.BOOLEAN, read_only=True)
SHOWN_TIME = Documented(FieldType.DATETIME, read_only=True)
SHOWN_NUMBER = Documented(FieldType.INTEGER, read_only=True)
SHOWN_OBJECT = Documented(FieldType.OBJECT, read_only=True)


def text(max_length: int) -> Documented:
    return Documented(FieldType.TEXT, max_length=max_length)


def one_of(*choices: str) -> Documented:
    return Documented(FieldType.TEXT, choices=choices)


AWX = {
    "username": text(150),
    "first_name": TEXT,
    "last_name": TEXT,
    "email": TEXT,
    "is_superuser": FLAG,
    "is_system_auditor": FLAG,
    "password": TEXT,
    "id": SHOWN_NUMBER,
    "auth": SHOWN_OBJECT,
    "created": SHOWN_TIME,
    "external_account": SHOWN_TEXT,
    "last_login": SHOWN_TIME,
    "ldap_dn": SHOWN_TEXT,
    "modified": SHOWN_TIME,
}
DJANGO_ADMIN = {
    "id": SHOWN_NUMBER,
    "password": text(128),
    "last_login": TIME,
    "is_superuser": FLAG,
    "username": text(150),
    "first_name": text(30),
    "last_name": text(150),
    "email": text(254),
    "is_staff": FLAG,
    "is_active": FLAG,
    "date_joined": TIME,
    "groups": NAMES,
    "user_permissions": NAMES,
}
UPDATE_USER = {
    "username": TEXT,
    "mobile_number": TEXT,
    "email": TEXT,
    "first_name": TEXT,
    "last_name": TEXT,
    "gender": one_of("male", "female", "non-binary"),
    "is_staff": FLAG,
    "is_admin": FLAG,
    "is_active": FLAG,
    "groups": NAMES,
    "avatar": TEXT,
    "id": SHOWN_NUMBER,
    "full_name": SHOWN_TEXT,
    "last_login": SHOWN_TIME,
    "created_at": SHOWN_TIME,
    "updated_at": SHOWN_TIME,
    "is_online": SHOWN_FLAG,
    "groups_data": SHOWN_OBJECT,
}
UPDATE_ME = {
    "first_name": TEXT,
    "last_name": TEXT,
    "username": TEXT,
    "mobile_number": TEXT,
    "email": TEXT,
    "gender": one_of("male", "female", "other"),
    "avatar": TEXT,
    "id": SHOWN_NUMBER,
    "full_name": SHOWN_TEXT,
    "is_profile_completed": SHOWN_FLAG,
    "groups": Documented(FieldType.NAME_SET, read_only=True),
    "last_login": SHOWN_TIME,
    "created_at": SHOWN_TIME,
}
AUTHENTIK = {
    "username": text(150),
    "name": TEXT,
    "is_active": FLAG,
    "last_login": TIME,
    "groups": NAMES,
    "email": text(254),
    "attributes.*": Documented(FieldType.JSON),
    "path": TEXT,
    "type": one_of("internal", "external", "service_account", "internal_service_account"),
    "pk": SHOWN_NUMBER,
    "is_superuser": SHOWN_FLAG,
    "avatar": SHOWN_TEXT,
    "uid": SHOWN_TEXT,
    "uuid": SHOWN_TEXT,
}
