"""A partner's home: the accounts shared with it, and each of them with what it brought, reports and agrees to."""

from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import Final

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from valueplatform.accounts.consents import Purpose, ask_consent
from valueplatform.api.contributions import ContributionIn, reported_of
from valueplatform.api.given import LONGEST_TEXT, text_of
from valueplatform.api.splits import SplitIn, proposal_of, speaker_of
from valueplatform.core.authorization import Action, Side
from valueplatform.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnprocessableError,
)
from valueplatform.core.periods import local_day
from valueplatform.narrative.report import Asked, Format, Part, read_report, report_bytes
from valueplatform.portal.answers import see_other, wants_fragment
from valueplatform.portal.calling import Caller, Place, PortalRequest, form_field, shared_place
from valueplatform.portal.frame import partner_shell
from valueplatform.portal.languages import wanted_by
from valueplatform.portal.partners import act_of
from valueplatform.portal.portal import Shared
from valueplatform.portal.shared_page import ASK, PATH, provider_of, shared_account, shared_list
from valueplatform.portal.shares import Typed, typed_share
from valueplatform.stewardship.collaboration_store import look_anew
from valueplatform.value.contribution_record import contribute, withdraw
from valueplatform.value.models import newest_model
from valueplatform.value.split_record import answer_split, propose_split

Write = Callable[[Caller, Place], Awaitable[None]]
_REPORTED: Final = ("id", "driver", "title", "amount", "period", "evidence")


@get(PATH)
async def home(request: PortalRequest, portal: Shared, cursor: FromQuery[str | None] = None) -> Response[str]:
    async with portal.door.entered(request, steady=True) as caller:
        if caller.user.side is not Side.PARTNER:
            raise NotFoundError("There is no such page for you.")
        caller.require(Action.READ_VALUE)
        page = await shared_list(caller, cursor)
        shell = await partner_shell(caller, "")
    return portal.pages.page("shared.html", shell=shell, shared=page)


@get(f"{PATH}/{{key:str}}")
async def account(request: PortalRequest, portal: Shared, key: FromPath[str]) -> Response[str]:
    return await _page(request, portal, key)


async def _page(request: PortalRequest, portal: Shared, key: str, typed: Typed | None = None) -> Response[str]:
    async with portal.door.entered(request) as caller:
        place = await shared_place(caller, key, Action.READ_VALUE)
        page = await shared_account(caller, place, typed, wanted_by(request))
        shell = await partner_shell(caller, place.account.name)
    status = 400 if typed is not None and not wants_fragment(request) else 200
    return portal.pages.page("shared_account.html", status_code=status, shell=shell, shared=page)


@get(f"{PATH}/{{key:str}}/report.csv")
async def report(
    request: PortalRequest, portal: Shared, key: FromPath[str], part: FromQuery[Part] = Part.VALUE
) -> Response[bytes]:
    """The same file as the API gives."""
    async with portal.door.entered(request, steady=True) as caller:
        place = await shared_place(caller, key, Action.READ_REPORT)
        asked = Asked(provider=provider_of(caller), shows_paid=False)
        found = await read_report(caller.tx, place.account, asked, caller.now)
    headers = {"Content-Disposition": 'attachment; filename="value-report.csv"'}
    return Response(report_bytes(found, Format.CSV, part), media_type="text/csv", headers=headers)


async def _carried(
    request: PortalRequest, portal: Shared, key: str, right: Action, write: Write, typed: Typed
) -> Response[str]:
    """Carry out a form's wish; what cannot be is said beside the form, with what was typed."""
    try:
        async with portal.door.entered(request) as caller:
            place = await shared_place(caller, key, right)
            await write(caller, place)
            await look_anew(caller.tx, place.account.account_id, caller.now)
    except (InvalidInputError, UnprocessableError, ConflictError) as error:
        return await _page(request, portal, key, typed.because(error.message))
    return see_other(place.path(f"#{typed.anchor}"))


@post(f"{PATH}/{{key:str}}/contributions")
async def send(request: PortalRequest, portal: Shared, key: FromPath[str]) -> Response[str]:
    """Report value of a month or a day, under the customer's consent."""
    given = {name: await form_field(request, name) for name in _REPORTED}

    async def write(caller: Caller, place: Place) -> None:
        data = ContributionIn(
            account=place.account.key,
            id=given["id"],
            amount=_amount(given["amount"]),
            period=given["period"].strip(),
            evidence=given["evidence"],
            driver=given["driver"] or None,
            title=given["title"] or None,
            source="portal",
        )
        today = local_day(caller.now, place.account.timezone)
        reported = await reported_of(caller.tx, place.account, provider_of(caller), data, today)
        await contribute(caller.tx, place.account.account_id, reported, caller.user.author, caller.now)

    return await _carried(request, portal, key, Action.CONTRIBUTE, write, Typed("report", "contributions", given))


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text.strip().replace(",", ""))
    except InvalidOperation as error:
        raise InvalidInputError("`amount` is no number; write it as 1200 or 1200.50.") from error
    if not amount.is_finite():
        raise InvalidInputError("`amount` is no number; write it as 1200 or 1200.50.")
    return amount


@post(f"{PATH}/{{key:str}}/contributions/withdraw")
async def take_back(request: PortalRequest, portal: Shared, key: FromPath[str]) -> Response[str]:
    name, number = await form_field(request, "id"), await form_field(request, "number")
    reason = await form_field(request, "reason")

    async def write(caller: Caller, place: Place) -> None:
        why, wanted = text_of(reason, "reason", LONGEST_TEXT, empty="withdrawn"), text_of(name, "id")
        who = caller.user.author
        await withdraw(caller.tx, place.account.account_id, provider_of(caller), wanted, who, caller.now, why)

    typed = Typed(f"contribution-{number}", "contributions", {"reason": reason})
    return await _carried(request, portal, key, Action.CONTRIBUTE, write, typed)


@post(f"{PATH}/{{key:str}}/consents")
async def ask(request: PortalRequest, portal: Shared, key: FromPath[str]) -> Response[str]:
    """Ask the customer to be let report; it answers on its page of partners."""
    reason = await form_field(request, "reason")

    async def write(caller: Caller, place: Place) -> None:
        why, who = text_of(reason, "reason", LONGEST_TEXT), caller.user.author
        account_id, provider = place.account.account_id, provider_of(caller)
        await ask_consent(caller.tx, account_id, provider, Purpose.CONTRIBUTE, why, who, caller.now)

    return await _carried(request, portal, key, Action.CONTRIBUTE, write, Typed(ASK, "consents", {"reason": reason}))


@post(f"{PATH}/{{key:str}}/splits")
async def propose(request: PortalRequest, portal: Shared, key: FromPath[str]) -> Response[str]:
    """Its own share alone; it agrees by it."""
    given = {name: await form_field(request, name) for name in ("driver", "share", "supplier_share", "reason")}

    async def write(caller: Caller, place: Place) -> None:
        data = SplitIn(
            driver=given["driver"],
            provider=provider_of(caller),
            share=typed_share(given["share"], "Your share"),
            supplier_share=typed_share(given["supplier_share"], "Share of the supplier"),
            reason=given["reason"],
        )
        who = speaker_of(caller.user, place.account, caller.now)
        model = await newest_model(caller.tx)
        await propose_split(caller.tx, place.account.account_id, model, proposal_of(data), who)

    return await _carried(request, portal, key, Action.AGREE_SPLIT, write, Typed("propose", "splits", given))


@post(f"{PATH}/{{key:str}}/splits/{{split_id:int}}")
async def split(request: PortalRequest, portal: Shared, key: FromPath[str], split_id: FromPath[int]) -> Response[str]:
    """Agree, decline or withdraw."""
    verb, reason = await form_field(request, "verb"), await form_field(request, "reason")

    async def write(caller: Caller, place: Place) -> None:
        who, act = speaker_of(caller.user, place.account, caller.now), act_of(verb)
        why = text_of(reason, "reason", LONGEST_TEXT)
        await answer_split(caller.tx, place.account.account_id, split_id, act, why, who)

    typed = Typed(f"split-{split_id}", f"split-{split_id}", {"reason": reason})
    return await _carried(request, portal, key, Action.AGREE_SPLIT, write, typed)


HANDLERS: Final = (home, account, report, send, take_back, ask, propose, split)
