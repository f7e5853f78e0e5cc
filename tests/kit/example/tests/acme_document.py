"""The table of Acme's API document, as somebody read it who had not seen the connector."""

from connectors.sdk.fields import FieldType
from connectors.sdk.testing import Documented

TEXT, FLAG, DATE = FieldType.TEXT, FieldType.BOOLEAN, FieldType.DATETIME
DOCUMENT = {
    "id": Documented(FieldType.INTEGER, read_only=True),
    "login": Documented(TEXT, max_length=40),
    "staff_number": Documented(FieldType.INTEGER),
    "given_name": Documented(TEXT, max_length=60),
    "family_name": Documented(TEXT, max_length=60),
    "email": Documented(TEXT, max_length=120),
    "phone": Documented(TEXT, max_length=30),
    "contract": Documented(TEXT, choices=("permanent", "temporary", "external")),
    "hired_at": Documented(DATE),
    "enabled": Documented(FLAG),
    "admin": Documented(FLAG),
    "teams": Documented(FieldType.NAME_SET),
    "password": Documented(TEXT),
    "created_at": Documented(DATE, read_only=True),
}
