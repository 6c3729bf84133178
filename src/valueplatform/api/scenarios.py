"""Scenarios: what an account's value would be if something changed, by the very formulas of its value."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from valueplatform.accounts.accounts import Account
from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import day_of, range_of, text_of
from valueplatform.api.once import Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, KeyPrincipal, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import decimal_text, in_wire_range
from valueplatform.core.pages import Page
from valueplatform.core.periods import local_day, next_month
from valueplatform.telemetry.marks import append_marks
from valueplatform.value.answer import Amount
from valueplatform.value.assumption_record import Author
from valueplatform.value.levers import Adoption, Change, Input, Lever, Seats, Usage, moved_drivers
from valueplatform.value.plans import put_targets, targets_in_force
from valueplatform.value.scenario import Bounds, Outlook, look
from valueplatform.value.scenarios import (
    Draft,
    Saved,
    ground_of,
    keep_scenario,
    propose_inputs,
    remove_scenario,
    restore_scenario,
    scenario_of,
    scenarios_of,
    share_scenario,
    targets_from,
)

MOST_CHANGES = 20


class ChangeIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is moved: exactly one of `meter`, `feature`, `seats` and `slug`.

    Usage of a meter, of a feature, or of everything (`seats`: true) is multiplied by `times`; 0 switches it off. An
    assumption or baseline (`slug`) gets the value `expected`, with `low` and `high` or as one number. It begins with
    the month `since` (the first month where it is left out), and takes `over` months to get there, in equal steps.
    """

    meter: str | None = None
    feature: str | None = None
    seats: bool = False
    slug: Annotated[str | None, Meta(examples=["hourly_cost"])] = None
    times: Annotated[Decimal | None, Meta(examples=["1.2"])] = None
    expected: Annotated[Decimal | None, Meta(examples=["43.50"])] = None
    low: Decimal | None = None
    high: Decimal | None = None
    since: date | None = None
    over: int = 1


class ScenarioIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked. Without a start it begins with the next month of the account's zone."""

    changes: Annotated[list[ChangeIn], Meta(examples=[[{"feature": "auto-dispatch", "times": "1.2"}]])]
    name: Annotated[str, Meta(examples=["All depots dispatch by app"])] = "Scenario"
    start: date | None = None
    months: int = 12


class BoundsOut(msgspec.Struct, frozen=True):
    low: Amount
    expected: Amount
    high: Amount


class MonthOut(msgspec.Struct, frozen=True):
    month: date
    carried_on: BoundsOut
    changed: BoundsOut
    added: BoundsOut


class DriverOut(msgspec.Struct, frozen=True):
    driver: str
    unit: str
    benefit_class: str
    carried_on: BoundsOut
    changed: BoundsOut
    added: BoundsOut


class EffectOut(msgspec.Struct, frozen=True):
    """A change, and what it would add by itself."""

    change: ChangeIn
    alone: Amount


class OutlookOut(msgspec.Struct, frozen=True):
    """All of it is a projection: nothing in it is realized, and no total of value counts it.

    Months and total are monetized value in `currency`; `drivers` have all. `together` is what the changes add beyond
    what each adds alone. `based_on_from` to `based_on_to` (exclusive) are the weeks of usage that are carried on.
    """

    projection: bool
    currency: str
    start: date
    end: date
    based_on_from: date
    based_on_to: date
    total: MonthOut
    months: list[MonthOut]
    drivers: list[DriverOut]
    changes: list[EffectOut]
    together: Amount


class ScenarioOut(msgspec.Struct, frozen=True):
    scenario_id: int
    name: str
    start: date
    months: int
    changes: list[ChangeIn]
    author: str
    side: str
    shared: bool
    created_at: datetime


class OpenedOut(msgspec.Struct, frozen=True):
    """A scenario, and what it comes to by the record as it stands now."""

    scenario: ScenarioOut
    outlook: OutlookOut


class PlannedOut(msgspec.Struct, frozen=True):
    """The plan that came of it, and how many targets say something new."""

    plan: str
    targets: int
    changed: int


class ProposedOut(msgspec.Struct, frozen=True):
    """The entries of the record that wait for a validator now."""

    entries: list[int]


ScenarioId = Annotated[int, PathParameter(description="The scenario.")]

_BOUNDS = {"low": "8000.0000", "expected": "10000.0000", "high": "12000.0000"}
_AMOUNTS = {"carried_on": _BOUNDS, "changed": _BOUNDS, "added": _BOUNDS}
_MONTH = {"month": "2027-01-01", **_AMOUNTS}
_CHANGE = {"feature": "auto-dispatch", "times": "1.2", "since": "2027-01-01"}
_SCENARIO = {
    "scenario_id": 3,
    "name": "All depots dispatch by app",
    "start": "2027-01-01",
    "months": 12,
    "changes": [_CHANGE],
    "author": "dana@harbor.example",
    "side": "customer",
    "shared": False,
    "created_at": "2026-12-05T09:00:00Z",
}
_OUTLOOK: dict[str, object] = {
    "projection": True,
    "currency": "USD",
    "start": "2027-01-01",
    "end": "2028-01-01",
    "based_on_from": "2026-10-10",
    "based_on_to": "2026-12-05",
    "total": _MONTH,
    "months": [_MONTH],
    "drivers": [{"driver": "dispatch_time", "unit": "USD", "benefit_class": "capacity", **_AMOUNTS}],
    "changes": [{"change": _CHANGE, "alone": "10000.0000"}],
    "together": "0.0000",
}


class ScenariosController(Controller):
    path = "/api/v1/accounts/{key:str}/scenarios"
    tags = ("Scenarios",)

    @post("/preview", summary="What if", status_code=200, responses=answers(OutlookOut, _OUTLOOK, *WRITES))
    async def preview(self, caller: Caller, gate: OpenGate, key: AccountKey, data: JSONBody[ScenarioIn]) -> OutlookOut:
        """Value by month with bounds, carried on and changed; nothing is kept."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.PLAN_SCENARIOS)
            now = gate.clock()
            return await _outlook(tx, account, draft_of(data, local_day(now, account.timezone)), now)

    @get(summary="Kept scenarios", responses=answers(Page[ScenarioOut], Page([_SCENARIO], None), *READS))
    async def kept(
        self, caller: Caller, gate: OpenGate, key: AccountKey, limit: Limit = SHORT, cursor: Cursor = None
    ) -> Page[ScenarioOut]:
        """One's own, and those that others share, the newest first."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.PLAN_SCENARIOS)
            found = [_scenario_out(one) for one in await scenarios_of(tx, account.account_id, caller.author)]
        return page_after(found, limit, cursor, lambda one: str(one.scenario_id))

    @post(summary="Keep a scenario", responses=answers(ScenarioOut, _SCENARIO, *WRITES, status=201))
    async def keep(
        self, sending: Sent, gate: OpenGate, key: AccountKey, data: JSONBody[ScenarioIn]
    ) -> Response[ScenarioOut]:
        """For its author alone, until it is shared. What it comes to is computed whenever it is opened."""
        async with gate.web.transaction(scope_of(sending.caller)) as tx:
            account = await open_account(tx, sending.caller, key, Action.PLAN_SCENARIOS)

            async def write() -> Any:
                now = gate.clock()
                draft = draft_of(data, local_day(now, account.timezone))
                await _outlook(tx, account, draft, now)  # what cannot be computed is not kept
                return _scenario_out(await keep_scenario(tx, account.account_id, draft, _author(sending.caller), now))

            return await once(tx, sending, gate.clock, write)

    @get(
        "/{scenario:int}",
        summary="A scenario, opened",
        responses=answers(OpenedOut, {"scenario": _SCENARIO, "outlook": _OUTLOOK}, *READS),
    )
    async def opened(self, caller: Caller, gate: OpenGate, key: AccountKey, scenario: ScenarioId) -> OpenedOut:
        """What it comes to by the record as it stands now."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.PLAN_SCENARIOS)
            saved = await scenario_of(tx, account.account_id, scenario, caller.author)
            return OpenedOut(_scenario_out(saved), await _outlook(tx, account, saved.draft, gate.clock()))

    @post(
        "/{scenario:int}/share",
        summary="Share a scenario",
        status_code=200,
        responses=answers(ScenarioOut, _SCENARIO, *WRITES),
    )
    async def share(
        self, sending: Sent, gate: OpenGate, key: AccountKey, scenario: ScenarioId
    ) -> Response[ScenarioOut]:
        """With all who may plan for the account, on both sides."""
        async with gate.web.transaction(scope_of(sending.caller)) as tx:
            account = await open_account(tx, sending.caller, key, Action.PLAN_SCENARIOS)

            async def write() -> Any:
                return _scenario_out(await share_scenario(tx, account.account_id, scenario, sending.caller.author))

            return await once(tx, sending, gate.clock, write, status=200)

    @delete(
        "/{scenario:int}",
        summary="Remove a scenario",
        status_code=200,
        responses=answers(ScenarioOut, _SCENARIO, *WRITES),
    )
    async def remove(
        self, sending: Sent, gate: OpenGate, key: AccountKey, scenario: ScenarioId
    ) -> Response[ScenarioOut]:
        """Its author may restore it."""
        async with gate.web.transaction(scope_of(sending.caller)) as tx:
            account = await open_account(tx, sending.caller, key, Action.PLAN_SCENARIOS)

            async def write() -> Any:
                author = sending.caller.author
                return _scenario_out(await remove_scenario(tx, account.account_id, scenario, author, gate.clock()))

            return await once(tx, sending, gate.clock, write, status=200)

    @post(
        "/{scenario:int}/restore",
        summary="Restore a scenario",
        status_code=200,
        responses=answers(ScenarioOut, _SCENARIO, *WRITES),
    )
    async def restore(
        self, sending: Sent, gate: OpenGate, key: AccountKey, scenario: ScenarioId
    ) -> Response[ScenarioOut]:
        """Bring one's own back after it was removed."""
        async with gate.web.transaction(scope_of(sending.caller)) as tx:
            account = await open_account(tx, sending.caller, key, Action.PLAN_SCENARIOS)

            async def write() -> Any:
                return _scenario_out(await restore_scenario(tx, account.account_id, scenario, sending.caller.author))

            return await once(tx, sending, gate.clock, write, status=200)

    @post(
        "/{scenario:int}/plan",
        summary="Make it the plan",
        status_code=200,
        responses=answers(PlannedOut, {"plan": "scenario-3", "targets": 12, "changed": 12}, *WRITES),
    )
    async def plan(self, sending: Sent, gate: OpenGate, key: AccountKey, scenario: ScenarioId) -> Response[PlannedOut]:
        """Commit to it: a target for each driver that it moves and each month, in a plan of its own. Where other plans
        commit to the driver in that month already, only what comes on top."""
        async with gate.web.transaction(scope_of(sending.caller)) as tx:
            account = await open_account(tx, sending.caller, key, Action.PLAN_SCENARIOS, Action.MANAGE_PLAN)

            async def write() -> Any:
                return await plan_scenario(tx, account, scenario, sending.caller.author, gate.clock())

            return await once(tx, sending, gate.clock, write, status=200)

    @post(
        "/{scenario:int}/propose",
        summary="Propose its values",
        status_code=200,
        responses=answers(ProposedOut, {"entries": [7]}, *WRITES),
    )
    async def propose(
        self, sending: Sent, gate: OpenGate, key: AccountKey, scenario: ScenarioId
    ) -> Response[ProposedOut]:
        """Propose the values of assumptions and baselines that it changes; each waits for a validator."""
        async with gate.web.transaction(scope_of(sending.caller)) as tx:
            account = await open_account(tx, sending.caller, key, Action.PLAN_SCENARIOS, Action.PROPOSE_ASSUMPTION)

            async def write() -> Any:
                caller = sending.caller
                saved = await scenario_of(tx, account.account_id, scenario, caller.author)
                entries = await propose_inputs(tx, account.account_id, saved, _author(caller), gate.clock())
                return ProposedOut([entry.entry_id for entry in entries])

            return await once(tx, sending, gate.clock, write, status=200)


async def plan_scenario(tx: Transaction, account: Account, scenario_id: int, reader: str, now: datetime) -> PlannedOut:
    """Put the targets of a scenario into a plan of its own. Raises NotFoundError, UnprocessableError."""
    saved = await scenario_of(tx, account.account_id, scenario_id, reader)
    ground = await ground_of(tx, account, now)
    outlook = look(ground, saved.draft.changes, saved.draft.start, saved.draft.months)
    moved = moved_drivers(ground.record.model, saved.draft.changes)
    held = await targets_in_force(tx, account.account_id)
    rows = targets_from(account.account_id, saved, outlook, moved, held)
    stored = await put_targets(tx, rows, now)
    await append_marks(tx, stored.marks)
    return PlannedOut(f"scenario-{scenario_id}", len(rows), len(stored.marks))


async def _outlook(tx: Transaction, account: Account, draft: Draft, now: datetime) -> OutlookOut:
    outlook = look(await ground_of(tx, account, now), draft.changes, draft.start, draft.months)
    return _outlook_out(outlook, draft)


def draft_of(data: ScenarioIn, today: date) -> Draft:
    """What was sent as a draft. Raises InvalidInputError."""
    if len(data.changes) > MOST_CHANGES:
        raise InvalidInputError(f"Send at most {MOST_CHANGES} changes at a time, not {len(data.changes)}.")
    start = next_month(today) if data.start is None else day_of(data.start, "start").replace(day=1)
    changes = tuple(_change(one, start) for one in data.changes)
    return Draft(text_of(data.name, "name", empty="Scenario"), start, data.months, changes)


def _change(given: ChangeIn, start: date) -> Change:
    since = start if given.since is None else day_of(given.since, "since")
    return Change(_lever(given), since, given.over)


def _lever(given: ChangeIn) -> Lever:
    named = [name for name in ("meter", "feature", "slug") if getattr(given, name) is not None]
    named += ["seats"] if given.seats else []
    if len(named) != 1:
        raise InvalidInputError("A change names exactly one of `meter`, `feature`, `seats` and `slug`.")
    if given.slug is not None:
        if given.expected is None or given.times is not None:
            raise InvalidInputError(f"A change of {given.slug!r} needs `expected`, and no `times`.")
        return Input(given.slug, range_of(given.expected, given.low, given.high, given.slug))
    if given.times is None or given.expected is not None or not in_wire_range(given.times):
        raise InvalidInputError(f"A change of `{named[0]}` needs `times`, such as 1.2, and no `expected`.")
    if given.meter is not None:
        return Usage(given.meter, given.times)
    return Adoption(given.feature, given.times) if given.feature is not None else Seats(given.times)


def _author(caller: KeyPrincipal) -> Author:
    return Author(caller.author, caller.side)


def _scenario_out(saved: Saved) -> ScenarioOut:
    draft = saved.draft
    return ScenarioOut(
        scenario_id=saved.scenario_id,
        name=draft.name,
        start=draft.start,
        months=draft.months,
        changes=[_change_out(change) for change in draft.changes],
        author=saved.author,
        side=saved.side,
        shared=saved.shared,
        created_at=saved.created_at,
    )


def _change_out(change: Change) -> ChangeIn:
    match change.lever:
        case Usage(meter=meter, times=times):
            return ChangeIn(meter=meter, times=times, since=change.since, over=change.over)
        case Adoption(feature=feature, times=times):
            return ChangeIn(feature=feature, times=times, since=change.since, over=change.over)
        case Seats(times=times):
            return ChangeIn(seats=True, times=times, since=change.since, over=change.over)
        case Input(slug=slug, value=value):
            low, expected, high = value.low, value.expected, value.high
            return ChangeIn(slug=slug, expected=expected, low=low, high=high, since=change.since, over=change.over)


def _outlook_out(outlook: Outlook, draft: Draft) -> OutlookOut:
    return OutlookOut(
        projection=True,
        currency=outlook.currency,
        start=outlook.period.start,
        end=outlook.period.end,
        based_on_from=outlook.based_on.start,
        based_on_to=outlook.based_on.end,
        total=_month_out(outlook.total.month, outlook.total.carried_on, outlook.total.changed, outlook.total.added),
        months=[_month_out(one.month, one.carried_on, one.changed, one.added) for one in outlook.months],
        drivers=[
            DriverOut(
                each.driver, each.unit, each.benefit_class, *map(_bounds, (each.carried_on, each.changed, each.added))
            )
            for each in outlook.drivers
        ],
        changes=_effects(draft.changes, outlook.alone),
        together=decimal_text(outlook.together),
    )


def _effects(changes: Sequence[Change], alone: Sequence[Decimal]) -> list[EffectOut]:
    return [EffectOut(_change_out(one), decimal_text(added)) for one, added in zip(changes, alone, strict=True)]


def _month_out(month: date, *amounts: Bounds) -> MonthOut:
    return MonthOut(month, *map(_bounds, amounts))


def _bounds(amounts: Bounds) -> BoundsOut:
    return BoundsOut(*(decimal_text(amount) for amount in amounts))
