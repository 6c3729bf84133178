"""The driver library: what each driver is worth by, whom it serves, how it is delivered, and who uses it."""

from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, PathParameter, QueryParameter

from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.documentation import READS, answers
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, may, require, scope_of
from valueplatform.core.pages import Page
from valueplatform.value.driver_library import LibraryDriver, Shelf, library
from valueplatform.value.driver_library_read import AccountUse, DriverVersion, UseTotal, opened_driver, uses_of
from valueplatform.value.model import BenefitClass
from valueplatform.value.models import newest_model


class OpenedDriverOut(msgspec.Struct, frozen=True):
    """`months` are the whole months that uses are of, and `as_of` when they were summed up: null before that, and for
    keys that may not read value. `accounts` are empty for keys that may not read the portfolio; then `totals` are told
    of five accounts or more, none of them more than half."""

    driver: LibraryDriver
    versions: list[DriverVersion]
    as_of: datetime | None
    months: list[date]
    totals: list[UseTotal]
    accounts: Page[AccountUse]


_DRIVER: Final[dict[str, Any]] = {
    "slug": "dispatch_time",
    "title": "Dispatch hours saved",
    "description": "Minutes that a dispatcher no longer spends on each job.",
    "version": 2,
    "benefit_class": "capacity",
    "category": "Productivity",
    "objectives": ["Run more jobs with the dispatch desk we have"],
    "stages": ["onboarding", "adoption"],
    "personas": ["Head of operations"],
    "play": "Switch automatic dispatch on at one depot, then at the others.",
    "unit": "USD",
    "formula": "hourly_cost / 60",
    "in_words": "hourly cost / 60",
    "meters": [{"slug": "jobs", "title": "Jobs dispatched", "unit": "job", "version": 1}],
    "baselines": [],
    "assumptions": [
        {
            "slug": "hourly_cost",
            "title": "Hourly cost",
            "unit": "USD/hour",
            "version": 1,
            "low": "37",
            "expected": "41.5",
            "high": "46",
            "segments": {},
            "method": None,
        }
    ],
    "evidence": "measured",
    "provider": "supplier",
    "features": ["auto-dispatch"],
    "pool": "dispatcher_hours",
    "pool_with": ["calls_avoided"],
    "cap": None,
    "counterfactual": None,
    "sunset": None,
    "effective_from": None,
    "effective_to": None,
}
_USE: Final = {
    "unit": "USD",
    "low": "151002.1180",
    "expected": "182377.6512",
    "high": "213884.0031",
    "counted": "96420.5521",
    "evidence": "measured",
    "state": "estimated",
}
_OPENED: Final = {
    "driver": _DRIVER,
    "versions": [
        {
            "revision": 3,
            "version": 2,
            "action": "changed",
            "applied_at": "2026-03-01T08:00:00Z",
            "effective_from": None,
            "effective_to": None,
            "changes": [{"field": "evidence", "before": "benchmark", "after": "measured"}],
        }
    ],
    "as_of": "2026-05-04T16:01:00Z",
    "months": ["2026-02-01", "2026-03-01", "2026-04-01"],
    "totals": [{"driver": "dispatch_time", "accounts": 14, **_USE, "withheld": None}],
    "accounts": Page([{"account": "harbor", "name": "Harbor Logistics", **_USE}], None),
}
Word = Annotated[str | None, QueryParameter(description="As drivers say it.")]


class DriversController(Controller):
    path = "/api/v1/drivers"
    tags = ("Catalog",)

    @get(summary="The driver library", responses=answers(Page[LibraryDriver], Page([_DRIVER], None), *READS))
    async def drivers(
        self,
        caller: Caller,
        gate: OpenGate,
        objective: Word = None,
        benefit_class: FromQuery[BenefitClass | None] = None,
        category: Word = None,
        stage: Word = None,
        persona: Word = None,
        limit: Limit = SHORT,
        cursor: Cursor = None,
    ) -> Page[LibraryDriver]:
        """Every driver of the value model in force, or those that say all of the words asked for: by objective, benefit
        class, category, stage and persona."""
        require(caller, Action.READ_CATALOG)
        shelf = Shelf(objective, benefit_class, category, stage, persona)
        async with gate.web.transaction(scope_of(caller)) as tx:
            found = library(await newest_model(tx), shelf)
        return page_after(found, limit, cursor, lambda one: one.slug)

    @get("/{slug:str}", summary="A driver, opened", responses=answers(OpenedDriverOut, _OPENED, *READS))
    async def opened(
        self,
        caller: Caller,
        gate: OpenGate,
        slug: Annotated[str, PathParameter(description="As the model has it.")],
        limit: Limit = SHORT,
        cursor: Cursor = None,
    ) -> OpenedDriverOut:
        """With every version and what changed in it, and which accounts in reach of the key had how much of it over the
        newest whole months, as computed now; classes and units are never added up."""
        require(caller, Action.READ_CATALOG)
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            driver, versions = await opened_driver(tx, await newest_model(tx), slug)
            uses = None
            if may(caller, Action.READ_VALUE):
                uses = await uses_of(tx, slug, may_open=may(caller, Action.READ_PORTFOLIO))
        return OpenedDriverOut(
            driver=driver,
            versions=versions,
            as_of=uses.as_of if uses else None,
            months=list(uses.months) if uses else [],
            totals=list(uses.totals) if uses else [],
            accounts=page_after(uses.accounts if uses else (), limit, cursor, lambda one: f"{one.account}/{one.unit}"),
        )
