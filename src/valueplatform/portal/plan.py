"""What if: levers to move, what they add, and the scenarios that are kept, shared, committed to and proposed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath

from valueplatform.api.scenario_view import MOST_CHANGES
from valueplatform.core.authorization import Action as Right
from valueplatform.core.errors import InvalidInputError, NotFoundError, UnprocessableError
from valueplatform.core.periods import local_day
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, Key, Place, PortalRequest, both, place_of
from valueplatform.portal.exact import day_text
from valueplatform.portal.frame import account_shell
from valueplatform.portal.names import names_of
from valueplatform.portal.objectives import agreed
from valueplatform.portal.plan_view import Stand, changes_of, compared_of, levers_of, query_of, result_of, stand_of
from valueplatform.portal.portal import Shared
from valueplatform.portal.view import plan as view
from valueplatform.portal.view.drawings import TableView
from valueplatform.portal.view.words import Act, Fact, Link
from valueplatform.value.assumption_record import Author
from valueplatform.value.levers import Change, Input
from valueplatform.value.scenario import Ground, Outlook, look
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

PATH: Final = "/plan"
MOST_COMPARED: Final = 4
LONGEST_NAME: Final = 100


@get(both(PATH))
async def plan_page(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    """The levers stand as the address says; `compare` names kept scenarios to hold beside each other."""
    query = {name: str(value) for name, value in request.query_params.items()}
    compare = [int(each) for each in request.query_params.getall("compare", []) if each.isdecimal()][:MOST_COMPARED]
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Right.PLAN_SCENARIOS)
        ground = await ground_of(caller.tx, place.account, caller.now)
        page = await _page(caller, place, ground, query, compare)
        said = {name: query.get(name, "") for name in ("kind", "before", "said", "undo")}
        both_sides = await agreed(caller, place, **said)
        shell = await account_shell(caller, place, PATH)
    return portal.pages.page("plan.html", shell=shell, plan=page, agreed=both_sides, moves=False)


@get(both(f"{PATH}/preview"))
async def plan_preview(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    """The part of the page that a moved lever changes."""
    query = {name: str(value) for name, value in request.query_params.items()}
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Right.PLAN_SCENARIOS)
        ground = await ground_of(caller.tx, place.account, caller.now)
        page = _moved(place, ground, stand_of(query, local_day(caller.now, place.account.timezone)))
    return portal.pages.page("_plan_result.html", plan=page, moves=True)


async def _page(
    caller: Caller, place: Place, ground: Ground, query: Mapping[str, str], compare: Sequence[int]
) -> view.PlanPage:
    moved = _moved(place, ground, stand_of(query, local_day(caller.now, place.account.timezone)))
    kept = await scenarios_of(caller.tx, place.account.account_id, caller.user.author)
    names = await names_of(caller.tx, place.account.account_id, {one.author for one in kept})
    compared, not_compared = _compared(ground, [one for one in kept if one.scenario_id in compare])
    return replace(
        moved,
        kept=tuple(_kept(caller, place, one, names, chosen=one.scenario_id in compare) for one in kept),
        compared=compared,
        not_compared=not_compared,
        removed=_removed(place, query.get("removed", "")),
        said=_SAID.get(query.get("said", ""), ""),
    )


def _moved(place: Place, ground: Ground, stand: Stand) -> view.PlanPage:
    """The levers as they stand and what they add, without what is kept."""
    result, outlook, changes = _result(ground, stand)
    alone = {change.lever: added for change, added in zip(changes, outlook.alone, strict=True)} if outlook else {}
    return view.PlanPage(
        levers=tuple(
            replace(lever, place=number)
            for number, lever in enumerate(levers_of(ground, stand, alone, place.account.currency), 1)
        ),
        since=f"{stand.start:%Y-%m}",
        months=stand.months,
        over=stand.over,
        result=result,
        action=place.path(PATH),
        preview=place.path(f"{PATH}/preview"),
        keep_action=place.path(f"{PATH}/keep"),
    )


def _result(ground: Ground, stand: Stand) -> tuple[view.Result, Outlook | None, Sequence[Change]]:
    try:
        changes = changes_of(ground, stand)
        outlook = look(ground, changes, stand.start, stand.months)
    except (InvalidInputError, UnprocessableError) as error:
        return view.Result(problem=error.message), None, ()
    return result_of(ground, outlook, changes), outlook, changes


def _compared(ground: Ground, chosen: Sequence[Saved]) -> tuple[TableView | None, tuple[Fact, ...]]:
    """Those that can be computed, and the others with the reason: a month that is over, a lever that has gone."""
    rows, reasons = [], []
    for one in chosen:
        try:
            rows.append((one.draft.name, look(ground, one.draft.changes, one.draft.start, one.draft.months)))
        except (InvalidInputError, UnprocessableError) as error:
            reasons.append(Fact(one.draft.name, error.message))
    return compared_of(rows) if rows else None, tuple(reasons)


def _kept(caller: Caller, place: Place, one: Saved, names: Mapping[str, str], *, chosen: bool) -> view.Kept:
    own = one.author == caller.user.author
    who = "Yours" if own else names.get(one.author, one.author)
    shared = ", shared" if one.shared else ", only you see it"
    at = day_text(local_day(one.created_at, place.account.timezone))
    query = urlencode(query_of(one.draft.changes, one.draft.start, one.draft.months))
    return view.Kept(
        scenario_id=one.scenario_id,
        name=one.draft.name,
        link=Link(one.draft.name, place.path(f"{PATH}?{query}")),
        about=f"{who}{shared}, {at}",
        acts=tuple(_acts(caller, place, one, own=own)),
        chosen=chosen,
    )


def _acts(caller: Caller, place: Place, one: Saved, *, own: bool) -> list[Act]:
    base = place.path(f"{PATH}/{one.scenario_id}")
    acts = []
    if own and not one.shared:
        acts.append(Act(f"Share {one.draft.name}", f"{base}/share"))
    if caller.may(Right.MANAGE_PLAN):
        acts.append(Act("Commit to it", f"{base}/commit"))
    if caller.may(Right.PROPOSE_ASSUMPTION) and any(isinstance(change.lever, Input) for change in one.draft.changes):
        acts.append(Act("Propose its values", f"{base}/propose"))
    if own:
        acts.append(Act("Remove", f"{base}/remove"))
    return acts


_SAID: Final = {
    "kept": "Kept. Only you see it until you share it.",
    "shared": "Shared with everybody who plans for this account.",
    "committed": "It is part of the plan now.",
    "proposed": "Its values are proposed. A number changes once a validator accepts it.",
    "restored": "It is back.",
    "removed": "Removed.",
}


def _removed(place: Place, text: str) -> Act | None:
    return Act("Undo", place.path(f"{PATH}/{text}/restore")) if text.isdecimal() else None


@post(both(f"{PATH}/keep"))
async def keep(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    """Keep the levers as they stand under a name."""
    form = await request.form()
    query = {name: value for name, value in form.items() if isinstance(value, str)}
    name = query.get("name", "").strip()[:LONGEST_NAME].replace("\0", "")
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Right.PLAN_SCENARIOS)
        ground = await ground_of(caller.tx, place.account, caller.now)
        stand = stand_of(query, local_day(caller.now, place.account.timezone))
        changes = changes_of(ground, stand)
        if len(changes) > MOST_CHANGES:
            raise InvalidInputError(
                f"{len(changes)} levers are moved, and a scenario keeps at most {MOST_CHANGES}; put "
                f"{len(changes) - MOST_CHANGES} of them back to today."
            )
        look(ground, changes, stand.start, stand.months)
        draft = Draft(name or _named(stand.start), stand.start, stand.months, tuple(changes))
        author = Author(caller.user.author, caller.user.side)
        await keep_scenario(caller.tx, place.account.account_id, draft, author, caller.now)
    own = query_of(changes, stand.start, stand.months) | {"said": "kept"}
    return see_other(place.path(f"{PATH}?{urlencode(own)}#kept"))


def _named(start: date) -> str:
    return f"Scenario from {start:%B %Y}"


@post(both(f"{PATH}/{{scenario:int}}/{{verb:str}}"))
async def act(
    request: PortalRequest, portal: Shared, scenario: FromPath[int], verb: FromPath[str], key: Key = None
) -> Response[str]:
    """Share, remove, restore, commit to or propose a kept scenario."""
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Right.PLAN_SCENARIOS)
        said = await _act(caller, place, scenario, verb)
    removed = f"&removed={scenario}" if verb == "remove" else ""
    return see_other(place.path(f"{PATH}?said={said}{removed}#kept"))


async def _act(caller: Caller, place: Place, scenario_id: int, verb: str) -> str:
    tx, account_id, author, now = caller.tx, place.account.account_id, caller.user.author, caller.now
    match verb:
        case "share":
            await share_scenario(tx, account_id, scenario_id, author)
            return "shared"
        case "remove":
            await remove_scenario(tx, account_id, scenario_id, author, now)
            return "removed"
        case "restore":
            await restore_scenario(tx, account_id, scenario_id, author)
            return "restored"
        case "commit":
            caller.require(Right.MANAGE_PLAN)
            await plan_scenario(tx, place.account, scenario_id, author, now)
            return "committed"
        case "propose":
            caller.require(Right.PROPOSE_ASSUMPTION)
            saved = await scenario_of(tx, account_id, scenario_id, author)
            await propose_inputs(tx, account_id, saved, Author(author, caller.user.side), now)
            return "proposed"
    raise NotFoundError("There is no such act.")


HANDLERS: Final = (plan_page, plan_preview, keep, act)
