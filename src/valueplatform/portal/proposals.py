"""What the catalog suggests for the value model: read, tried with edits, accepted, rejected, taken out again."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from valueplatform.core.authorization import Action
from valueplatform.core.errors import ConflictError, InvalidInputError, NotFoundError
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, PortalRequest, form_field
from valueplatform.portal.catalog_view import PATH as CATALOG
from valueplatform.portal.frame import has_catalog, supplier_shell
from valueplatform.portal.portal import Portal, Shared
from valueplatform.portal.proposals_view import PATH, Rights, Shown, opened_view, path_of, proposals_view
from valueplatform.portal.view.proposals import Opened
from valueplatform.value.discovery_accepting import Edits, accept, checked, edited, reject, suggest, withdraw
from valueplatform.value.discovery_store import State, proposal_of, proposals
from valueplatform.value.model_versions import Change
from valueplatform.value.models import newest_model

UTC: Final = "UTC"
EDITED: Final = ("title", "slug", "formula", "low", "expected", "high")
_LONGEST_NUMBER: Final = 40

Show = Annotated[Shown, QueryParameter(name="show")]


def _require(caller: Caller) -> None:
    """Evidence is over all accounts: it is for those who see all of them. Raises NotFoundError for others."""
    if not has_catalog(caller) or caller.user.account_ids is not None:
        raise NotFoundError("There is no such page for you.")


@get(PATH)
async def listed(request: PortalRequest, portal: Shared, show: Show = Shown.OPEN) -> Response[str]:
    async with portal.door.entered(request) as caller:
        _require(caller)
        kept = await proposals(caller.tx)
        shell = await supplier_shell(caller, CATALOG)
        timezone = (await newest_model(caller.tx)).supplier.timezone if kept else UTC
    return portal.pages.page("proposals.html", shell=shell, proposals=proposals_view(kept, show, timezone))


@get(f"{PATH}/{{proposal:str}}")
async def opened(request: PortalRequest, portal: Shared, proposal: FromPath[str]) -> Response[str]:
    """One proposal with its evidence, and what accepting it would change, with the edits that the address names."""
    given = {name: value for name in EDITED if (value := request.query_params.get(name)) is not None}
    async with portal.door.entered(request) as caller:
        _require(caller)
        found = await _read(caller, proposal, given)
        shell = await supplier_shell(caller, CATALOG)
    return portal.pages.page("proposal.html", shell=shell, proposal=found)


@get(f"{PATH}/{{proposal:str}}/state")
async def state(request: PortalRequest, portal: Shared, proposal: FromPath[str]) -> Response[str]:
    """How far it is, for as long as the worker is at it."""
    async with portal.door.entered(request) as caller:
        _require(caller)
        found = await _read(caller, proposal, {})
    return Response(portal.pages.render("_proposal_state.html", proposal=found), media_type="text/html")


async def _read(caller: Caller, proposal: str, given: Mapping[str, str], error: str = "") -> Opened:
    kept, model = await proposal_of(caller.tx, proposal), await newest_model(caller.tx)
    parts, changes = kept.accepted_parts, tuple[Change, ...]()
    if kept.state is State.OPEN:
        parts = kept.proposal.parts
        try:
            parts = edited(kept.proposal, edits_of(given))
            changes = tuple(checked(model, parts).changes)
        except (InvalidInputError, ConflictError) as wrong:
            error = error or str(wrong)
    rights = Rights(caller.may(Action.MANAGE_MODEL), caller.may(Action.WRITE_CATALOG))
    return opened_view(kept, parts, changes, error=error, given=given, rights=rights, timezone=model.supplier.timezone)


def edits_of(given: Mapping[str, str]) -> Edits:
    """What the form says; fields that it has not stay as they are. Raises InvalidInputError."""
    return Edits(
        slug=_text(given, "slug"),
        title=_text(given, "title"),
        formula=_text(given, "formula"),
        low=_number(given, "low"),
        expected=_number(given, "expected"),
        high=_number(given, "high"),
    )


def _text(given: Mapping[str, str], name: str) -> str | None:
    return given[name].strip() if name in given else None


def _number(given: Mapping[str, str], name: str) -> Decimal | None:
    text = given.get(name, "")
    if not text.strip():
        return None
    try:
        number = Decimal(text.strip().replace(",", "")) if len(text) <= _LONGEST_NUMBER else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise InvalidInputError(f"`{name}` is {text[:_LONGEST_NUMBER]!r}; write a number such as 12.5.")
    return number


@post(f"{PATH}/{{proposal:str}}/accept")
async def accepted(request: PortalRequest, portal: Shared, proposal: FromPath[str]) -> Response[str]:
    """As the form has it; back to the proposal, with what was wrong if something was."""
    form = await request.form()
    given = {name: value for name in EDITED if isinstance(value := form.get(name), str)}
    async with portal.door.entered(request) as caller:
        _require(caller)
        caller.require(Action.MANAGE_MODEL)
        try:
            await accept(caller.tx, proposal, edits_of(given), caller.user.author, caller.now)
        except InvalidInputError as wrong:
            found = await _read(caller, proposal, given, str(wrong))
            shell = await supplier_shell(caller, CATALOG)
            return portal.pages.page("proposal.html", status_code=400, shell=shell, proposal=found)
    return see_other(path_of(proposal))


_ANSWERS: Final = {
    "reject": (Action.MANAGE_MODEL, reject),
    "suggest": (Action.WRITE_CATALOG, suggest),
    "withdraw": (Action.MANAGE_MODEL, withdraw),
}


async def _answered(request: PortalRequest, portal: Portal, proposal: str, answer: str) -> Response[str]:
    """With a reason; the right that it takes is the answer's own."""
    right, put = _ANSWERS[answer]
    reason = await form_field(request, "reason")
    async with portal.door.entered(request) as caller:
        _require(caller)
        caller.require(right)
        await put(caller.tx, proposal, reason, caller.user.author, caller.now)
    return see_other(path_of(proposal))


@post(f"{PATH}/{{proposal:str}}/reject")
async def rejected(request: PortalRequest, portal: Shared, proposal: FromPath[str]) -> Response[str]:
    return await _answered(request, portal, proposal, "reject")


@post(f"{PATH}/{{proposal:str}}/suggest")
async def suggested(request: PortalRequest, portal: Shared, proposal: FromPath[str]) -> Response[str]:
    return await _answered(request, portal, proposal, "suggest")


@post(f"{PATH}/{{proposal:str}}/withdraw")
async def withdrawn(request: PortalRequest, portal: Shared, proposal: FromPath[str]) -> Response[str]:
    return await _answered(request, portal, proposal, "withdraw")


HANDLERS: Final = (listed, opened, state, accepted, rejected, suggested, withdrawn)
