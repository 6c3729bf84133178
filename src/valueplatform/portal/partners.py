"""The page of partners in one account, for the customer and the supplier: who shares in its value, what the customer
lets them do, what they report, and how joint drivers are shared."""

from collections.abc import Awaitable, Callable
from typing import Final

from litestar import Response, get, post
from litestar.params import FromPath

from valueplatform.accounts.consents import Purpose, Wish, say_consent
from valueplatform.api.given import LONGEST_TEXT, text_of
from valueplatform.api.splits import SplitIn, proposal_of, speaker_of
from valueplatform.core.authorization import Action, Side
from valueplatform.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnprocessableError,
)
from valueplatform.portal.answers import see_other, wants_fragment
from valueplatform.portal.calling import Caller, Key, Place, PortalRequest, both, form_field, place_of
from valueplatform.portal.frame import account_shell
from valueplatform.portal.partners_page import partners_page
from valueplatform.portal.portal import Shared
from valueplatform.portal.shares import Typed, typed_share
from valueplatform.stewardship.collaboration_store import look_anew
from valueplatform.value.contribution_record import answer as answer_contribution
from valueplatform.value.contributions import Answer, Answering
from valueplatform.value.models import newest_model
from valueplatform.value.split_record import answer_split, propose_split
from valueplatform.value.splits import Act

PATH: Final = "/partners"
_ANSWERS: Final = {
    Answering.CORROBORATE: Action.VALIDATE_ASSUMPTION,
    Answering.DISPUTE: Action.DISPUTE_ASSUMPTION,
}
Write = Callable[[Caller, Place], Awaitable[None]]


@get(both(PATH))
async def partners(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    return await _page(request, portal, key)


async def _page(request: PortalRequest, portal: Shared, key: str | None, typed: Typed | None = None) -> Response[str]:
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Action.READ_CONSENTS)
        caller.require(Action.READ_VALUE)
        page = await partners_page(caller, place, typed)
        shell = await account_shell(caller, place, PATH)
    # htmx swaps in what is answered with success alone.
    status = 400 if typed is not None and not wants_fragment(request) else 200
    return portal.pages.page("partners.html", status_code=status, shell=shell, partners=page)


async def _carried(
    request: PortalRequest, portal: Shared, key: str | None, right: Action, write: Write, typed: Typed
) -> Response[str]:
    """Carry out a form's wish; what cannot be is said beside the form, with what was typed."""
    try:
        async with portal.door.entered(request) as caller:
            place = await place_of(caller, key, right)
            await write(caller, place)
            await look_anew(caller.tx, place.account.account_id, caller.now)
    except (InvalidInputError, UnprocessableError, ConflictError) as error:
        return await _page(request, portal, key, typed.because(error.message))
    return see_other(place.path(f"{PATH}#{typed.anchor}"))


@post(both(f"{PATH}/consents"))
async def consent(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    provider, what = await form_field(request, "provider"), await form_field(request, "what")
    granted, reason = bool(await form_field(request, "granted")), await form_field(request, "reason")
    granted = granted and await form_field(request, "verb") != "decline"

    async def write(caller: Caller, place: Place) -> None:
        if what not in set(Purpose):
            raise InvalidInputError("Choose what the partner may do: see, or contribute.")
        wish = Wish(text_of(provider, "provider"), Purpose(what), granted, text_of(reason, "reason", LONGEST_TEXT))
        await say_consent(caller.tx, place.account.account_id, wish, caller.user.author, caller.now)

    typed = Typed(f"{provider}-{what}", f"partner-{provider}", {"reason": reason})
    return await _carried(request, portal, key, Action.MANAGE_CONSENTS, write, typed)


@post(both(f"{PATH}/contributions/{{contribution_id:int}}"))
async def contribution(
    request: PortalRequest, portal: Shared, contribution_id: FromPath[int], key: Key = None
) -> Response[str]:
    """Corroborate or dispute what a partner reports: for the customer's side alone."""
    verb, reason = await form_field(request, "verb"), await form_field(request, "reason")
    action = next((one for one in _ANSWERS if one.value == verb), None)

    async def write(caller: Caller, place: Place) -> None:
        if action is None:
            raise NotFoundError("There is no such answer.")
        if caller.user.side is not Side.CUSTOMER:
            raise ForbiddenError("Only the customer answers what a partner reports.")
        why = text_of(reason, "reason", LONGEST_TEXT)
        said = Answer(action, caller.user.author, caller.user.side, why, caller.now)
        await answer_contribution(caller.tx, place.account.account_id, contribution_id, said)

    typed = Typed(f"contribution-{contribution_id}", f"contribution-{contribution_id}", {"reason": reason})
    right = Action.DISPUTE_ASSUMPTION if action is None else _ANSWERS[action]
    return await _carried(request, portal, key, right, write, typed)


@post(both(f"{PATH}/splits"))
async def propose(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    """The proposer's party agrees by it."""
    names = ("driver", "provider", "share", "supplier_share", "reason")
    given = {name: await form_field(request, name) for name in names}

    async def write(caller: Caller, place: Place) -> None:
        data = SplitIn(
            driver=given["driver"],
            provider=given["provider"],
            share=typed_share(given["share"], "Share of the partner"),
            supplier_share=typed_share(given["supplier_share"], "Share of the supplier"),
            reason=given["reason"],
        )
        who = speaker_of(caller.user, place.account, caller.now)
        model = await newest_model(caller.tx)
        await propose_split(caller.tx, place.account.account_id, model, proposal_of(data), who)

    return await _carried(request, portal, key, Action.AGREE_SPLIT, write, Typed("propose", "splits", given))


@post(both(f"{PATH}/splits/{{split_id:int}}"))
async def split(request: PortalRequest, portal: Shared, split_id: FromPath[int], key: Key = None) -> Response[str]:
    """Agree, decline or withdraw, for one's own side."""
    verb, reason = await form_field(request, "verb"), await form_field(request, "reason")

    async def write(caller: Caller, place: Place) -> None:
        who, act = speaker_of(caller.user, place.account, caller.now), act_of(verb)
        why = text_of(reason, "reason", LONGEST_TEXT)
        await answer_split(caller.tx, place.account.account_id, split_id, act, why, who)

    typed = Typed(f"split-{split_id}", f"split-{split_id}", {"reason": reason})
    return await _carried(request, portal, key, Action.AGREE_SPLIT, write, typed)


def act_of(verb: str) -> Act:
    """What a button of a split sends. Raises NotFoundError."""
    act = next((one for one in Act if one.value == verb and one is not Act.PROPOSE), None)
    if act is None:
        raise NotFoundError("There is no such answer.")
    return act


HANDLERS: Final = (partners, consent, contribution, propose, split)
