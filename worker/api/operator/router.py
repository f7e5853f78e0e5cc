"""All routes of operators, behind their tokens."""

from __future__ import annotations

from fastapi import APIRouter

from worker.api.operator.access import guarded
from worker.api.operator.accounts import AccountRoutes
from worker.api.operator.desk import Desk
from worker.api.operator.found import FoundRoutes
from worker.api.operator.held import HeldRoutes
from worker.api.operator.identities import IdentityRoutes
from worker.api.operator.people import PeopleRoutes
from worker.api.operator.plans import PlanRoutes
from worker.api.operator.runs import RunRoutes
from worker.api.operator.targets import TargetRoutes
from worker.api.operator.told import ToldRoutes

_ROOMS = (
    TargetRoutes,
    PeopleRoutes,
    IdentityRoutes,
    AccountRoutes,
    PlanRoutes,
    RunRoutes,
    FoundRoutes,
    HeldRoutes,
    ToldRoutes,
)


def router(desk: Desk) -> APIRouter:
    found = APIRouter(route_class=guarded(desk.access), tags=["operators"])
    for room in _ROOMS:
        room(desk).add_to(found)
    return found
