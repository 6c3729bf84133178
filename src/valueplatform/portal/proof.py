"""A number, opened: beside the page it stands on, or as a page of its own."""

import asyncio
from typing import Final
from uuid import uuid4

import structlog
from litestar import Response, get
from litestar.params import FromPath, FromQuery

from valueplatform.core.authorization import Action, Side
from valueplatform.narrative.proofs import prove_insight, read_insight
from valueplatform.portal.answers import wants_fragment
from valueplatform.portal.bridge_proof import bridge_events, open_bridge
from valueplatform.portal.bridge_ref import BRIDGE
from valueplatform.portal.calling import Caller, Place, PortalRequest, place_of_account
from valueplatform.portal.cut_proof import open_cut
from valueplatform.portal.cut_ref import CUT
from valueplatform.portal.frame import account_shell, partner_shell
from valueplatform.portal.input_proof import REF as INPUT
from valueplatform.portal.input_proof import input_insight
from valueplatform.portal.open_pages import keep_open
from valueplatform.portal.partner_insight import open_own_insight
from valueplatform.portal.party_proof import open_party
from valueplatform.portal.party_ref import PARTY, REPORT
from valueplatform.portal.portal import Shared
from valueplatform.portal.proof_reading import Opened, open_number
from valueplatform.portal.proof_view import events_view, proof_view
from valueplatform.portal.report_proof import open_report
from valueplatform.portal.suggestion_proof import open_suggestion
from valueplatform.portal.view.proof import Proof
from valueplatform.portal.view.shell import Shell

SUGGESTION: Final = "sug_"
TRIES: Final = 8
PAUSE: Final = 0.4  # seconds: the worker serves an open page within this
_log = structlog.get_logger(__name__)


@get("/proof/{ref:str}")
async def proof_page(
    request: PortalRequest,
    portal: Shared,
    ref: FromPath[str],
    number: FromQuery[str | None] = None,
    slug: FromQuery[str | None] = None,
    account: FromQuery[str | None] = None,
) -> Response[str]:
    """`ref` is an insight, a suggestion, a value bridge, a cut of one, an amount of a party or what one reported, or
    `input`, which the account's `slug` names."""
    if ref.startswith(SUGGESTION):
        async with portal.door.entered(request) as caller:
            place, proof = await open_suggestion(caller, ref, number)
            shell = await account_shell(caller, place, "/story")
    elif ref.startswith(BRIDGE):
        async with portal.door.entered(request, steady=True) as caller:
            place, proof = await open_bridge(caller, ref, number)
            shell = await account_shell(caller, place, "/why")
    elif ref.startswith(CUT):
        async with portal.door.entered(request, steady=True) as caller:
            place, proof = await open_cut(caller, ref, number)
            shell = await account_shell(caller, place, "/why")
    elif ref.startswith((PARTY, REPORT)):
        async with portal.door.entered(request, steady=True) as caller:
            place, proof = await (open_party if ref.startswith(PARTY) else open_report)(caller, ref, number)
            shell = await _shell(caller, place)
    elif ref == INPUT:
        async with portal.door.entered(request) as caller:
            place, stored, title = await input_insight(caller, account, slug)
            proof = proof_view(await open_number(caller, place, stored, None, title), f"{INPUT}?{request.url.query}")
            shell = await account_shell(caller, place, "/assumptions")
    else:
        shell, proof = await _insight_proof(request, portal, ref, number)
    template = "proof_drawer.html" if wants_fragment(request) else "proof.html"
    answer = portal.pages.page(template, shell=shell, proof=proof)
    answer.headers["Vary"] = "HX-Request"
    return answer


async def _insight_proof(
    request: PortalRequest, portal: Shared, insight_id: str, number: str | None
) -> tuple[Shell, Proof]:
    """A difference that newer events explain is given a moment to settle: the story is told anew meanwhile.

    Insight, events and what waits to be told are read as of one moment: else a number that was told anew between two
    reads would seem to disagree.
    """
    async with portal.door.entered(request, steady=True) as caller:
        if caller.user.side is Side.PARTNER:
            place, proof = await open_own_insight(caller, insight_id, number)
            return await _shell(caller, place), proof
    page_id = uuid4()
    for left in reversed(range(TRIES)):
        async with portal.door.entered(request, steady=True) as caller:
            opened = await _open(caller, insight_id, number)
            shell = await account_shell(caller, opened.place, "/story")
        settles = opened.waits and opened.stored.holds and not opened.proof.agrees
        if not settles or not left:
            break
        async with portal.door.entered(request) as caller:
            # The account's page counts as open, so that the worker serves it first.
            await keep_open(caller.tx, opened.stored.account_id, page_id, caller.now)
        await asyncio.sleep(PAUSE)
    if not opened.proof.agrees and opened.stored.holds and not opened.waits:
        account = opened.place.account.key
        _log.error("proof does not agree", account=account, insight=insight_id, number=opened.number.name)
    return shell, proof_view(opened, f"{insight_id}?number={opened.number.name}")


async def _shell(caller: Caller, place: Place) -> Shell:
    if caller.user.side is Side.PARTNER:
        return await partner_shell(caller, place.account.name)
    return await account_shell(caller, place, "/partners")


async def _open(caller: Caller, insight_id: str, number: str | None) -> Opened:
    stored = await read_insight(caller.tx, insight_id)
    place = await place_of_account(caller, stored.account_id, Action.READ_STORY)
    return await open_number(caller, place, stored, number)


@get("/proof/{ref:str}/events")
async def more_events(
    request: PortalRequest,
    portal: Shared,
    ref: FromPath[str],
    cursor: FromQuery[str],
    number: FromQuery[str | None] = None,
) -> Response[str]:
    async with portal.door.entered(request) as caller:
        if ref.startswith(BRIDGE):
            events = await bridge_events(caller, ref, number, cursor)
            return portal.pages.page("_proof_events.html", events=events)
        opened = await _open(caller, ref, number)
        proof = await prove_insight(
            caller.tx, opened.stored, number=number, cursor=cursor, shows_subjects=opened.shows_subjects
        )
    return portal.pages.page("_proof_events.html", events=events_view(opened, proof.events))


HANDLERS = (proof_page, more_events)
