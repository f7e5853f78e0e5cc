"""Acme People: `PATCH /v1/people/{id}/`, as its API document has it."""

from connectors.sdk.contract import Descriptor
from connectors.sdk.declared.api import Api, DeclaredStyle
from connectors.sdk.declared.dialects import NamedIds
from connectors.sdk.declared.listings import Linked
from connectors.sdk.declared.ownership import OwnerAt
from connectors.sdk.fields import Field, FieldType, Null
from connectors.sdk.passwords import unknown_password

DOCUMENT = "Acme People API, PATCH /v1/people/{id}/"
FIELDS = (
    Field("login", FieldType.TEXT, DOCUMENT, min_length=1, max_length=40, pattern=r"[\w.@+-]+", unique=True),
    Field("staff_number", FieldType.INTEGER, DOCUMENT, null_as=Null.NULL),
    Field("given_name", FieldType.TEXT, DOCUMENT, max_length=60, null_as=Null.EMPTY),
    Field("family_name", FieldType.TEXT, DOCUMENT, max_length=60, null_as=Null.EMPTY),
    Field("email", FieldType.TEXT, DOCUMENT, max_length=120, email=True, null_as=Null.EMPTY),
    Field("phone", FieldType.TEXT, DOCUMENT, min_length=1, max_length=30, null_as=Null.NULL, sensitive=True),
    Field("contract", FieldType.TEXT, DOCUMENT, choices=("permanent", "temporary", "external")),
    Field("hired_at", FieldType.DATETIME, DOCUMENT, null_as=Null.NULL),
    Field("enabled", FieldType.BOOLEAN, DOCUMENT),
    Field("admin", FieldType.BOOLEAN, DOCUMENT, privileged=True),
    Field("teams", FieldType.NAME_SET, DOCUMENT, null_as=Null.EMPTY, privileged=True),
    Field("password", FieldType.TEXT, DOCUMENT, write_only=True, never_mapped="HR data holds no passwords"),
    Field("id", FieldType.INTEGER, DOCUMENT, read_only=True),
    Field("created_at", FieldType.DATETIME, DOCUMENT, read_only=True),
)


class AcmeConnector(DeclaredStyle):
    """One Acme server; `base_url` is its root, without `/v1`."""

    descriptor = Descriptor(
        style="acme",
        title="Acme People",
        document=DOCUMENT,
        fields=FIELDS,
        correlation="login",
        default_mapping={
            "login": "user_name",
            "given_name": "given_name",
            "family_name": "family_name",
            "email": "email",
            "phone": "phone_number",
            "enabled": "active",
        },
        active_field="enabled",
        immutable_key="staff_number",
        containers=frozenset({"teams"}),
        superuser_field="admin",
        can_create=True,
        can_demote=True,
        can_delete=True,
    )
    api = Api(
        accounts="/v1/people/",
        account="/v1/people/{id}/",
        listing=Linked(results="people", following="next_page", total="total"),
        filters={"login": "login", "email": "email", "admin": "admin"},
        owner=OwnerAt("/v1/whoami/", rights=("admin",)),
        dialect=NamedIds("teams"),
        demoted={"admin": False},
        secret=lambda: {"password": unknown_password()},
    )
