"""Scenarios: what an account's value would be if something changed, by the very formulas of its value."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import JSONBody, PathParameter

from valueplatform.accounts.accounts import Account
from valueplatform.api.calling import AccountKey, Caller, Gate, OpenGate, open_account
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.once import Sending, Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.api.scenario_view import OutlookOut, ScenarioIn, ScenarioOut, draft_of, outlook_out, scenario_out
from valueplatform.core.authorization import Action, KeyPrincipal, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.pages import Page
from valueplatform.core.periods import local_day
from valueplatform.value.assumption_record import Author
from valueplatform.value.scenario import look
from valueplatform.value.scenarios import (
    Draft,
    Saved,
    ground_of,
    keep_scenario,
    plan_scenario,
    propose_inputs,
    remove_scenario,
    restore_scenario,
    scenario_of,
    scenarios_of,
    share_scenario,
)


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
            found = [scenario_out(one) for one in await scenarios_of(tx, account.account_id, caller.author)]
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
                return scenario_out(await keep_scenario(tx, account.account_id, draft, _author(sending.caller), now))

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
            return OpenedOut(scenario_out(saved), await _outlook(tx, account, saved.draft, gate.clock()))

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
        return await _change_own(
            sending, gate, key, lambda tx, account_id, author: share_scenario(tx, account_id, scenario, author)
        )

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
        return await _change_own(
            sending,
            gate,
            key,
            lambda tx, account_id, author: remove_scenario(tx, account_id, scenario, author, gate.clock()),
        )

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
        return await _change_own(
            sending, gate, key, lambda tx, account_id, author: restore_scenario(tx, account_id, scenario, author)
        )

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
                planned = await plan_scenario(tx, account, scenario, sending.caller.author, gate.clock())
                return PlannedOut(*planned)

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


async def _change_own(
    sending: Sending,
    gate: Gate,
    key: str,
    change: Callable[[Transaction, int, str], Awaitable[Saved]],
) -> Response[ScenarioOut]:
    """Let its author change a scenario: `change` takes the account's id and the author."""
    async with gate.web.transaction(scope_of(sending.caller)) as tx:
        account = await open_account(tx, sending.caller, key, Action.PLAN_SCENARIOS)

        async def write() -> Any:
            return scenario_out(await change(tx, account.account_id, sending.caller.author))

        return await once(tx, sending, gate.clock, write, status=200)


async def _outlook(tx: Transaction, account: Account, draft: Draft, now: datetime) -> OutlookOut:
    outlook = look(await ground_of(tx, account, now), draft.changes, draft.start, draft.months)
    return outlook_out(outlook, draft)


def _author(caller: KeyPrincipal) -> Author:
    return Author(caller.author, caller.side)
