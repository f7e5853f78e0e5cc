from __future__ import annotations

from connectors.sdk.testing import conformance
from tests.conformance.documents import UPDATE_ME, UPDATE_USER
from tests.conformance.servers import StaffMeServer, StaffUsersServer

test_conformance = conformance("staff_users", StaffUsersServer, document=UPDATE_USER)
test_conformance_me = conformance("staff_users", StaffMeServer, document=UPDATE_ME, name="staff_users_me")
