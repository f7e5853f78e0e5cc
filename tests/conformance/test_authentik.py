from __future__ import annotations

from connectors.sdk.testing import conformance
from tests.conformance.documents import AUTHENTIK
from tests.conformance.servers import AuthentikServer

test_conformance = conformance("authentik", AuthentikServer, document=AUTHENTIK)
