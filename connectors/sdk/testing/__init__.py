"""The conformance kit: proves any connector against a reference server, check by check.

    from connectors.sdk.testing import conformance
    test_conformance = conformance("acme", AcmeServer, waive={"scan-stable_order": "the API has none"})

Nothing of `connectors.sdk` imports it; it needs pytest and hypothesis, which a running worker does not.
"""

from connectors.sdk.testing.adoption import AdoptionError, conformance
from connectors.sdk.testing.samples import Documented
from connectors.sdk.testing.server import Account, ReferenceServer

__all__ = ["Account", "AdoptionError", "Documented", "ReferenceServer", "conformance"]
