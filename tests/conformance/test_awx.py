from __future__ import annotations

from connectors.sdk.testing import conformance
from tests.conformance.documents import AWX
from tests.conformance.servers import AwxServer

test_conformance = conformance("awx", AwxServer, document=AWX)
