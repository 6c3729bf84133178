"""Every page of the portal, as one router."""

from typing import Final

from litestar import Router

from valueplatform.api import events
from valueplatform.api.events import Intake
from valueplatform.portal import (
    accounts,
    assumptions,
    benchmarks,
    catalog,
    collaborations,
    connect,
    connect_key,
    data_quality,
    drivers,
    estimate,
    features,
    finance,
    holds,
    home,
    ideal_customer,
    notices,
    objective_form,
    objectives,
    partners,
    plan,
    portfolio,
    proof,
    proposals,
    settings,
    shared,
    sign_in,
    story,
    tester,
    together,
    why,
)
from valueplatform.portal.failures import page_failures
from valueplatform.portal.packing import PackedPages
from valueplatform.portal.portal import Portal, provided

MODULES: Final = (
    home, sign_in, story, why, proof, together, collaborations, assumptions, objectives, objective_form, plan,
    portfolio, finance, catalog, drivers, features, ideal_customer, proposals, data_quality, connect, tester,
    connect_key, accounts, benchmarks, estimate, partners, shared, holds, notices, settings,
)  # fmt: skip
LARGEST_FORM: Final = 256 * 1024
"""Bytes: the longest message in any script, packed as forms pack it."""


def portal_router(portal: Portal, intake: Intake) -> Router:
    return Router(
        path="/",
        route_handlers=[handler for module in MODULES for handler in module.HANDLERS],
        dependencies={**provided(portal), **events.intake_provided(intake)},
        middleware=[PackedPages()],
        exception_handlers=page_failures(portal.pages),
        request_max_body_size=LARGEST_FORM,
        include_in_schema=False,
    )
