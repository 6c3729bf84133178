"""A number, opened: beside the page it stands on, or as a page of its own."""

import asyncio
from typing import Final
from uuid import uuid4

import structlog
from litestar import Response, get
from litestar.params import FromPath, FromQuery

from valueplatform.core.authorization import Action
from valueplatform.narrative.proofs import prove_insight, read_insight
from valueplatform.portal.answers import wants_fragment
from valueplatform.portal.calling import PortalRequest, place_of_account
from valueplatform.portal.frame import account_shell
from valueplatform.portal.open_pages import keep_open
from valueplatform.portal.portal import Shared
from valueplatform.portal.proof_reading import Opened, open_number
from valueplatform.portal.proof_view import events_view, proof_view
from valueplatform.portal.sentences import proof_path
from valueplatform.portal.view.shell import Shell

TRIES: Final = 6
PAUSE: Final = 0.4  # seconds: the worker serves an open page within this
_log = structlog.get_logger(__name__)


@get("/proof/{insight_id:str}")
async def proof_page(
    request: PortalRequest, portal: Shared, insight_id: FromPath[str], number: FromQuery[str | None] = None
) -> Response[str]:
    shell, opened = await _opened(request, portal, insight_id, number)
    for _ in range(TRIES):
        if opened.proof.agrees or not opened.waits or not opened.stored.holds:
            break
        await asyncio.sleep(PAUSE)
        shell, opened = await _opened(request, portal, insight_id, number)
    if not opened.proof.agrees and opened.stored.holds and not opened.waits:
        _log.error(
            "proof does not agree", insight=insight_id, number=opened.number.name, account=opened.place.account.key
        )
    ref = proof_path(insight_id, opened.number.name).removeprefix("/proof/")
    template = "proof_drawer.html" if wants_fragment(request) else "proof.html"
    answer = portal.pages.page(template, shell=shell, proof=proof_view(opened, ref))
    answer.headers["Vary"] = "HX-Request"
    return answer


async def _opened(request: PortalRequest, portal: Shared, insight_id: str, number: str | None) -> tuple[Shell, Opened]:
    """Where newer events wait to be told, the account's page counts as open: the worker then serves it first."""
    async with portal.door.entered(request) as caller:
        stored = await read_insight(caller.tx, insight_id)
        place = await place_of_account(caller, stored.account_id, Action.READ_STORY)
        opened = await open_number(caller, place, stored, number)
        if opened.waits and not opened.proof.agrees:
            await keep_open(caller.tx, stored.account_id, uuid4(), caller.now)
        return await account_shell(caller, place, "/story"), opened


@get("/proof/{insight_id:str}/events")
async def more_events(
    request: PortalRequest,
    portal: Shared,
    insight_id: FromPath[str],
    cursor: FromQuery[str],
    number: FromQuery[str | None] = None,
) -> Response[str]:
    async with portal.door.entered(request) as caller:
        stored = await read_insight(caller.tx, insight_id)
        place = await place_of_account(caller, stored.account_id, Action.READ_STORY)
        opened = await open_number(caller, place, stored, number)
        shows = caller.may(Action.READ_EVENTS)
        proof = await prove_insight(caller.tx, stored, number=number, cursor=cursor, shows_subjects=shows)
    events = events_view(opened, proof.events)
    return portal.pages.page("_proof_events.html", events=events)


HANDLERS = (proof_page, more_events)
