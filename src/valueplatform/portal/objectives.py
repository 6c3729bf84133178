"""On the plan's page: objectives, plans to sign or withdraw, the timeline; and the page behind their numbers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from litestar import Response, get, post

from valueplatform.api.timeline import shows
from valueplatform.core.authorization import Action as Right
from valueplatform.core.authorization import Side
from valueplatform.core.database import Transaction
from valueplatform.core.periods import local_day
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, Key, Place, PortalRequest, both, form_field, place_of
from valueplatform.portal.frame import account_shell
from valueplatform.portal.names import names_of
from valueplatform.portal.objective_form import NOTED, Forms
from valueplatform.portal.objectives_view import (
    BEHIND,
    PlanRights,
    attainment_page,
    moment_row,
    objective_row,
    plan_row,
)
from valueplatform.portal.portal import Portal, Shared
from valueplatform.portal.view import objectives as view
from valueplatform.portal.ways_view import way_row
from valueplatform.telemetry.marks import append_marks
from valueplatform.value.assumption_record import Author
from valueplatform.value.attainment import Asked, read_attainment
from valueplatform.value.benchmark_read import unit_of
from valueplatform.value.models import newest_model
from valueplatform.value.objectives import objectives_of
from valueplatform.value.plan_terms import Plan, counting, plans_of, without_terms
from valueplatform.value.plans import newest_targets
from valueplatform.value.signing import restore_plan, sign_plan, withdraw_plan
from valueplatform.value.time_to_value import read_ways
from valueplatform.value.timeline import KINDS, Moment, read_timeline
from valueplatform.value.ways_store import newest_ways

PATH: Final = "/plan"
MOMENTS: Final = 12
_SAID: Final = {
    "signed": "Signed by both sides. Its targets are in force.",
    "half": "Signed for your side. It is agreed once the other side signs the same.",
    "withdrawn": "Withdrawn. The record keeps it.",
    "restored": "It is a draft again.",
}


async def agreed(
    caller: Caller, place: Place, *, kind: str = "", before: str = "", said: str = "", undo: str = ""
) -> view.Agreed:
    """`kind` keeps the timeline to one kind, `before` goes on where the newer moments ended, `undo` names the change
    of an objective that can be taken back."""
    tx, account, today = caller.tx, place.account, local_day(caller.now, place.account.timezone)
    found = await read_attainment(tx, account, Asked(), caller.now)
    model = await newest_model(tx)
    targets = await newest_targets(tx, account.account_id)
    plans = {plan.plan_id: plan for plan in await plans_of(tx, account.account_id)}
    counts = counting(plans.values())
    in_force = [target for target in targets if counts(target.plan_id, target.month)]
    chosen = kind if kind in KINDS else ""
    kinds = [one for one in KINDS if shows(caller.user, one)]
    moments = await read_timeline(tx, account, [chosen] if chosen in kinds else kinds)
    newest, earlier = _page(moments, before)
    people = {one.author for one in newest if one.author} | {
        one.signer for plan in plans.values() for one in plan.signatures
    }
    people |= {plan.author for plan in plans.values() if plan.author}
    names = await names_of(tx, account.account_id, people)
    base = place.path(PATH)
    may_sign = caller.may(Right.SIGN_PLAN) and caller.user.side in {Side.CUSTOMER, Side.SUPPLIER}
    rights = PlanRights(
        caller.user.side if may_sign else None,
        caller.may(Right.MANAGE_PLAN),
        {driver.slug: (driver.label, unit_of(driver, account)) for driver in model.drivers},
    )
    rows = []
    for name in sorted({*plans, *(target.plan_id for target in targets)}):
        own = [target for target in targets if target.plan_id == name]
        rows.append(plan_row(plans.get(name) or without_terms(name), own, counts, names, place, rights))
    ways = await read_ways(tx, account, None, caller.now) if caller.may(Right.READ_VALUE) else []
    stored = await newest_ways(tx)
    forms = Forms(place, model.drivers) if caller.may(Right.MANAGE_PLAN) else None
    return view.Agreed(
        objectives=tuple(
            replace(
                objective_row(one, in_force, found.to_date or (), place, today), form=forms.held(one) if forms else None
            )
            for one in await objectives_of(tx, account.account_id)
        ),
        add=forms.new() if forms else None,
        noted=NOTED.get(said, ""),
        undo=forms.undo(undo) if forms else None,
        plans=tuple(rows),
        ways=tuple(way_row(one, stored.ways if stored else None, account.segment, model) for one in ways),
        moments=tuple(moment_row(one, names, account.timezone) for one in newest),
        filters=(
            ("All", f"{base}#timeline", not chosen),
            *((_KIND_WORDS[one], f"{base}?kind={one}#timeline", one == chosen) for one in kinds),
        ),
        earlier=f"{base}?{urlencode({'kind': chosen, 'before': earlier})}#timeline" if earlier else "",
        said=_SAID.get(said, ""),
    )


_KIND_WORDS: Final = {
    "milestone": "Milestones",
    "contract": "Contracts",
    "plan": "Plans",
    "objective": "Objectives",
    "close": "Closes",
    "adjustment": "Adjustments",
    "assumption": "Assumptions",
    "model": "Value model",
}


def _page(moments: Sequence[Moment], before: str) -> tuple[list[Moment], str]:
    """The newest moments before a place, newest first; and the place where older ones begin, '' for none."""
    older = [one for one in moments if not before or one.place < before]
    newest = older[-MOMENTS:][::-1]
    return newest, newest[-1].place if len(older) > len(newest) else ""


@get(both(BEHIND))
async def attainment(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    """The numbers behind attainment, at every month's end as it was known then; `objective` keeps it to one."""
    text = request.query_params.get("objective", "")
    objective = int(text) if text.isdecimal() and len(text) < 16 else None
    async with portal.door.entered(request, steady=True) as caller:
        place = await place_of(caller, key, Right.PLAN_SCENARIOS)
        found = await read_attainment(caller.tx, place.account, Asked(objective=objective), caller.now)
        shell = await account_shell(caller, place, PATH)
    return portal.pages.page("plan_attainment.html", shell=shell, attainment=attainment_page(found, place))


@post(both(f"{PATH}/sign"))
async def sign(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    """Sign what was shown, for one's own side."""
    plan, digest = await form_field(request, "plan"), await form_field(request, "digest")
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Right.SIGN_PLAN)
        author = Author(caller.user.author, caller.user.side)
        signed = await sign_plan(
            caller.tx, place.account.account_id, plan.replace("\0", ""), digest, author, caller.now
        )
        await append_marks(caller.tx, signed.marks)
    return see_other(place.path(f"{PATH}?said={'half' if signed.plan.signed_at is None else 'signed'}#plans"))


@post(both(f"{PATH}/withdraw"))
async def withdraw(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    """Take a draft back."""
    return await _stated(request, portal, key, withdraw_plan, "withdrawn")


@post(both(f"{PATH}/restore"))
async def restore(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    """Make a draft again of what was withdrawn."""
    return await _stated(request, portal, key, restore_plan, "restored")


async def _stated(
    request: PortalRequest,
    portal: Portal,
    key: str | None,
    change: Callable[[Transaction, int, str, Author, datetime], Awaitable[Plan]],
    said: str,
) -> Response[str]:
    plan = (await form_field(request, "plan")).replace("\0", "")
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Right.MANAGE_PLAN)
        author = Author(caller.user.author, caller.user.side)
        await change(caller.tx, place.account.account_id, plan, author, caller.now)
    return see_other(place.path(f"{PATH}?said={said}#plans"))


HANDLERS: Final = (attainment, sign, withdraw, restore)
