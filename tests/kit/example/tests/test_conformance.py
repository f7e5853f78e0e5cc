"""Every promise of a connector, checked against the reference server."""

from connectors.sdk.testing import conformance

from acme_document import DOCUMENT
from acme_server import AcmeServer

test_conformance = conformance("acme", AcmeServer, document=DOCUMENT)
