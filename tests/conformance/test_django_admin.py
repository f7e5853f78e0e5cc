from __future__ import annotations

from connectors.sdk.testing import conformance
from tests.conformance.documents import DJANGO_ADMIN
from tests.conformance.servers import DjangoAdminServer

test_conformance = conformance(
    "django_admin",
    DjangoAdminServer,
    document=DJANGO_ADMIN,
    waive={"contract-check_names_the_owner": "the document has no way to ask whose token it is"},
)
