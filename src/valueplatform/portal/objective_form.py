"""Objectives by form: both sides add one, change what is said of it, close it, open it again, and take that back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final
from urllib.parse import urlencode

import msgspec
from litestar import Response, post
from litestar.params import FromPath

from valueplatform.api.given import text_of
from valueplatform.api.objectives import AimIn, aim_of, known_drivers
from valueplatform.core.authorization import Action as Right
from valueplatform.core.errors import ConflictError, InvalidInputError, NotFoundError
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, Key, Place, PortalRequest, both, form_field, place_of
from valueplatform.portal.portal import Shared
from valueplatform.portal.view.objectives import ObjectiveForm
from valueplatform.portal.view.words import Act
from valueplatform.value.assumption_record import Author
from valueplatform.value.model import Driver
from valueplatform.value.objectives import Aim, Objective, ObjectiveState, objectives_of, put_objective, versions_of
from valueplatform.value.plans import ensure_objectives

PATH: Final = "/plan/objectives"
NOTED: Final = {
    "objective-added": "Added.",
    "objective-changed": "Changed. Every version is kept.",
    "objective-same": "Nothing was changed.",
    "objective-undone": "Taken back.",
}
TAKEN_BACK: Final = "Added by mistake"
ADDED: Final = "added"


class Forms:
    """The forms of an account's objectives, for whoever may change them."""

    def __init__(self, place: Place, drivers: Sequence[Driver]) -> None:
        self._base = place.path(PATH)
        self._drivers = sorted((driver.label, driver.slug) for driver in drivers)

    def new(self) -> ObjectiveForm:
        return self._form("objective-new", self._base, Aim(), "")

    def held(self, one: Objective) -> ObjectiveForm:
        base, version = f"{self._base}/{one.objective_id}", str(one.version)
        form = self._form(f"objective-{one.objective_id}", base, one.aim, version)
        fields = (("version", version),)
        if one.aim.state is ObjectiveState.OPEN:
            acts = (Act(f"Mark {one.title} as reached", f"{base}/reach", fields),)
            return replace(form, drop_action=f"{base}/drop", acts=acts)
        return replace(form, acts=(Act(f"Open {one.title} again", f"{base}/reopen", fields),))

    def undo(self, text: str) -> Act | None:
        """`text` names the objective, the version that it has now, and whether it was added just now."""
        objective, _, rest = text.partition("-")
        version, _, added = rest.partition("-")
        if not (objective.isdecimal() and version.isdecimal() and len(text) < 40):
            return None
        return Act("Undo", f"{self._base}/{objective}/undo", (("version", version), (ADDED, added)))

    def _form(self, name: str, action: str, aim: Aim, version: str) -> ObjectiveForm:
        return ObjectiveForm(
            id=name,
            action=action,
            version=version,
            owner=aim.owner or "",
            customer_sponsor=aim.customer_sponsor or "",
            supplier_sponsor=aim.supplier_sponsor or "",
            tactics="\n".join(aim.tactics),
            due="" if aim.due is None else aim.due.isoformat(),
            drivers=tuple((slug, label, slug in aim.drivers) for label, slug in self._drivers),
        )


@post(both(PATH))
async def add(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    """Add one, in the customer's own words. Raises ConflictError where there is one of these words."""
    title = text_of(await form_field(request, "title"), "title")
    aim = await _aim(request, Aim())
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Right.MANAGE_PLAN)
        account_id = place.account.account_id
        if any(one.title == title for one in await objectives_of(caller.tx, account_id)):
            raise ConflictError(f"There is an objective {title!r} already; change that one.")
        ids = await ensure_objectives(caller.tx, [(account_id, title)])
        one = await _put(caller, place, ids[account_id, title], aim, over=0)
    return _back(place, "objective-added", f"{one.objective_id}-{one.version}-{ADDED}")


@post(both(f"{PATH}/{{objective:int}}"))
async def change(request: PortalRequest, portal: Shared, objective: FromPath[int], key: Key = None) -> Response[str]:
    """Say who answers for it, how and by when; whether it is open stays as it is."""
    over = await _version(request)
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Right.MANAGE_PLAN)
        held = await _held(caller, place, objective)
        one = await _put(caller, place, objective, await _aim(request, held.aim), over=over)
    return _changed(place, held, one)


@post(both(f"{PATH}/{{objective:int}}/{{verb:str}}"))
async def act(
    request: PortalRequest, portal: Shared, objective: FromPath[int], verb: FromPath[str], key: Key = None
) -> Response[str]:
    """Close it as reached, drop it with a reason, open it again, or take the last change back."""
    over, reason = await _version(request), await form_field(request, "reason")
    added = await form_field(request, ADDED)
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Right.MANAGE_PLAN)
        held = await _held(caller, place, objective)
        if verb == "undo":
            aim = await _before(caller, place, objective, over, was_added=bool(added))
            one = await _put(caller, place, objective, aim, over=over)
            return _back(place, "objective-undone")
        if verb not in _STATES:
            raise NotFoundError("There is no such act.")
        aim = msgspec.structs.replace(held.aim, state=_STATES[verb], reason=reason)
        one = await _put(caller, place, objective, aim_of(_said(aim)), over=over)
    return _changed(place, held, one)


_STATES: Final = {
    "reach": ObjectiveState.REACHED,
    "drop": ObjectiveState.DROPPED,
    "reopen": ObjectiveState.OPEN,
}


async def _put(caller: Caller, place: Place, objective: int, aim: Aim, *, over: int) -> Objective:
    await known_drivers(caller.tx, aim)
    author = Author(caller.user.author, caller.user.side)
    return await put_objective(caller.tx, place.account.account_id, objective, aim, author, caller.now, over=over)


async def _held(caller: Caller, place: Place, objective: int) -> Objective:
    found = await objectives_of(caller.tx, place.account.account_id)
    held = next((one for one in found if one.objective_id == objective), None)
    if held is None:
        raise NotFoundError(f"There is no objective {objective}.")
    return held


async def _before(caller: Caller, place: Place, objective: int, over: int, *, was_added: bool) -> Aim:
    """What was said before version `over`; what was only just added is dropped, since nothing of the record goes."""
    versions = {one.version: one.aim for one in await versions_of(caller.tx, place.account.account_id, objective)}
    if was_added and over == 1:
        return msgspec.structs.replace(versions.get(1, Aim()), state=ObjectiveState.DROPPED, reason=TAKEN_BACK)
    return versions.get(over - 1, Aim())


async def _aim(request: PortalRequest, held: Aim) -> Aim:
    """What the form says, in the state that the objective has. Raises InvalidInputError."""
    form = await request.form()
    given = AimIn(
        owner=await form_field(request, "owner"),
        customer_sponsor=await form_field(request, "customer_sponsor"),
        supplier_sponsor=await form_field(request, "supplier_sponsor"),
        tactics=[line for line in (await form_field(request, "tactics")).splitlines() if line.strip()],
        drivers=[one for one in form.getall("drivers", []) if isinstance(one, str)],
        due=_day((await form_field(request, "due")).strip()),
        state=held.state,
        reason=held.reason,
    )
    return aim_of(given)


def _said(aim: Aim) -> AimIn:
    return AimIn(
        owner=aim.owner or "",
        customer_sponsor=aim.customer_sponsor or "",
        supplier_sponsor=aim.supplier_sponsor or "",
        tactics=list(aim.tactics),
        drivers=list(aim.drivers),
        due=aim.due,
        state=aim.state,
        reason=aim.reason,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInputError(f"`due` is {text!r}; write the day as 2026-12-31.") from error


async def _version(request: PortalRequest) -> int:
    text = await form_field(request, "version")
    if not (text.isascii() and text.isdecimal() and len(text) < 9):
        raise InvalidInputError(f"`version` is {text!r}; send the version of the objective that was read.")
    return int(text)


def _changed(place: Place, held: Objective, one: Objective) -> Response[str]:
    if one.version == held.version:
        return _back(place, "objective-same")
    return _back(place, "objective-changed", f"{one.objective_id}-{one.version}")


def _back(place: Place, said: str, undo: str = "") -> Response[str]:
    query = {"said": said} | ({"undo": undo} if undo else {})
    return see_other(place.path(f"/plan?{urlencode(query)}#objectives"))


HANDLERS: Final = (add, change, act)
