"""One timeline of an account, and how long it took until value came."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from valueplatform.accounts.accounts import Account
from valueplatform.api.calling import AccountKey, Caller, OpenGate, groups_of, open_account, partner_of
from valueplatform.api.documentation import READS, answers
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, Principal, may, scope_of
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import decimal_text
from valueplatform.core.pages import Page
from valueplatform.value.answer import Amount
from valueplatform.value.time_to_value import NO_COHORT, NOT_FOR_PARTNERS, Way, read_ways
from valueplatform.value.timeline import (
    ASSUMPTION,
    CONTRACT,
    KINDS,
    MILESTONE,
    OBJECTIVE,
    PLAN,
    Moment,
    read_timeline,
)
from valueplatform.value.ways import Scope, WayFigure
from valueplatform.value.ways_store import StoredWays, newest_ways


class MomentOut(msgspec.Struct, frozen=True):
    """`what` says what of the kind: a milestone's kind; `start`, `renewal`, `expansion`, `churn`, `end` of a contract;
    `drafted`, `changed` or `signed` for a plan, `validate` or `dispute`. `amount` is what an adjustment came to."""

    time: datetime
    kind: str
    what: str
    name: str
    title: str
    author: str | None
    side: str | None
    amount: Amount | None
    unit: str | None


class ComparedOut(msgspec.Struct, frozen=True):
    """How many days comparable accounts took from the step right before: the quartiles of a `cohort`, which is a
    segment, or all accounts where it is empty."""

    cohort: str
    accounts: int
    lower: int
    median: int
    upper: int


class StepOut(msgspec.Struct, frozen=True):
    """`days` counts from the newest step before it that is known, `days_in_all` from the first; `missing` says what is
    missing where `day` is null. `compared` is null where nothing comparable may be told, and for the first step."""

    step: str
    day: date | None
    days: int | None
    days_in_all: int | None
    missing: str | None
    compared: ComparedOut | None


class WayOut(msgspec.Struct, frozen=True):
    """Of one objective, or of the account as a whole where `objective_id` is null."""

    objective_id: int | None
    title: str
    steps: Sequence[StepOut]


class WaysOut(msgspec.Struct, frozen=True):
    """`compared_at` is when accounts were compared, null where nothing is; `comparison_reason` says why a step, or all
    of them, stand alone. Ways of objectives are compared with objectives, one value an account."""

    account: str
    ways: Sequence[WayOut]
    compared_at: datetime | None
    comparison_reason: str | None


_MOMENT: Final = {
    "time": "2026-03-01T08:00:00Z",
    "kind": "milestone",
    "what": "go-live",
    "name": "go-live",
    "title": "Went live in Reno",
    "author": None,
    "side": None,
    "amount": None,
    "unit": None,
}
_WAYS: Final = {
    "account": "harbor-logistics",
    "ways": [
        {
            "objective_id": None,
            "title": "harbor-logistics",
            "steps": [
                {
                    "step": "go-live",
                    "day": "2026-03-01",
                    "days": 59,
                    "days_in_all": 59,
                    "missing": None,
                    "compared": {"cohort": "logistics", "accounts": 14, "lower": 41, "median": 62, "upper": 90},
                },
            ],
        }
    ],
    "compared_at": "2026-03-02T16:00:00Z",
    "comparison_reason": None,
}


class TimelineController(Controller):
    path = "/api/v1/accounts/{key:str}"
    tags = ("Milestones",)

    @get(
        "/timeline",
        summary="One timeline, oldest first",
        responses=answers(Page[MomentOut], Page([_MOMENT], None), *READS),
    )
    async def timeline(
        self,
        caller: Caller,
        gate: OpenGate,
        key: AccountKey,
        kinds: Annotated[str | None, QueryParameter(description=f"Comma list of {', '.join(KINDS)}.")] = None,
        limit: Limit = SHORT,
        cursor: Cursor = None,
    ) -> Page[MomentOut]:
        """Milestones, contracts, plans and who signed them, objectives, closes of months, adjustments, validations and
        disputes, versions of the value model. A partner is shown what tells nothing of contracts, people and disputes,
        and adjustments of its own value."""
        wanted = groups_of(kinds, KINDS)
        unknown = sorted(set(wanted) - set(KINDS))
        if unknown:
            raise InvalidInputError(f"There is no kind {', '.join(unknown)}; use {', '.join(KINDS)}.")
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            account = await open_account(tx, caller, key, Action.READ_MILESTONES)
            chosen = [kind for kind in wanted if shows(caller, kind)]
            found = await read_timeline(tx, account, chosen, partner_of(caller))
        page = page_after(found, limit, cursor, lambda one: one.place)
        return Page([moment_out(one) for one in page.items], page.next_cursor)

    @get("/time-to-value", summary="How long it took until value came", responses=answers(WaysOut, _WAYS, *READS))
    async def time_to_value(self, caller: Caller, gate: OpenGate, key: AccountKey) -> WaysOut:
        """Contract, go-live, first validated outcome, committed run-rate: for the account and each objective, beside
        the days that comparable accounts took. A partner is told of its own part, from go-live on, and of no others."""
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            account = await open_account(tx, caller, key, Action.READ_VALUE, Action.READ_PLAN, Action.READ_MILESTONES)
            ways = await read_ways(tx, account, partner_of(caller), gate.clock())
            stored = await newest_ways(tx) if partner_of(caller) is None else None
        shown = [_way_out(one, account, stored) for one in ways]
        alone = any(step.compared is None for way in shown for step in way.steps[1:])
        reason = NOT_FOR_PARTNERS if partner_of(caller) is not None else NO_COHORT if alone else None
        return WaysOut(account.key, shown, stored.as_of if stored else None, reason)


_NEEDS: Final = {
    MILESTONE: Action.READ_MILESTONES,
    CONTRACT: Action.READ_CONTRACTS,
    PLAN: Action.READ_PLAN,
    OBJECTIVE: Action.READ_PLAN,
    ASSUMPTION: Action.READ_ASSUMPTIONS,
}


def shows(caller: Principal, kind: str) -> bool:
    """Whether the caller may see moments of this kind at all."""
    return kind not in _NEEDS or may(caller, _NEEDS[kind])


def moment_out(one: Moment) -> MomentOut:
    amount = None if one.amount is None else decimal_text(one.amount)
    return MomentOut(one.at, one.kind, one.what, one.name, one.title, one.author, one.side, amount, one.unit)


def _way_out(way: Way, account: Account, stored: StoredWays | None) -> WayOut:
    scope = Scope.ACCOUNT if way.objective is None else Scope.OBJECTIVE
    steps = []
    for one in way.steps:
        compared = _compared(stored.ways.figure(scope, one.step, account.segment)) if stored else None
        steps.append(StepOut(str(one.step), one.day, one.since_before, one.since_first, one.missing, compared))
    return WayOut(
        None if way.objective is None else way.objective.objective_id,
        account.name if way.objective is None else way.objective.title,
        steps,
    )


def _compared(figure: WayFigure) -> ComparedOut | None:
    if figure.accounts is None or figure.lower is None or figure.median is None or figure.upper is None:
        return None
    return ComparedOut(figure.segment, figure.accounts, figure.lower, figure.median, figure.upper)
