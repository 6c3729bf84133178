"""Prompts to talk to somebody, as their reader sees them: on the story, in Together and on the steward's pages. A click
opens the composer with the draft; nothing is ever sent by itself."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from litestar import Response, post
from litestar.params import FromPath

from valueplatform.core.authorization import Action, Side
from valueplatform.core.periods import local_day
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, Key, Place, PortalRequest, both, form_field, place_of
from valueplatform.portal.exact import short_day, short_text
from valueplatform.portal.portal import Shared
from valueplatform.portal.sentences import proof_path, spans_view
from valueplatform.portal.view import words
from valueplatform.portal.view.conversation import Prompt
from valueplatform.stewardship.collaboration_store import (
    Prompted,
    collaboration_for,
    collaborations_for,
    respond,
    show,
)
from valueplatform.stewardship.collaboration_store import (
    Response as Answer,
)

AT_ONCE: Final = 3
"""Prompts that begin a conversation; the rest has time."""
_BACK: Final = {"story": "/story", "together": "/together"}


async def prompts_for(caller: Caller, place: Place, most: int) -> Sequence[Prompted]:
    """The reader's own prompts, noted as shown; none for whoever may not read conversations."""
    if not caller.may(Action.READ_CONVERSATIONS) or caller.user.side is Side.PARTNER:
        return ()
    account_id = place.account.account_id
    found = (await collaborations_for(caller.tx, account_id, caller.user))[:most]
    await show(caller.tx, account_id, caller.user, found, caller.now)
    return found


def prompt_view(caller: Caller, place: Place, prompted: Prompted, back: str) -> Prompt:
    prompt, stake = prompted.prompt, prompted.prompt.stake
    opens_at = prompt.insight_id or ""
    spans = spans_view(prompt.why, opens_at) if opens_at else tuple(words.Span(span.text) for span in prompt.why)
    number = None
    if stake is not None:
        number = words.NumberView(
            name=stake.number,
            text=short_text(stake.amount, stake.unit),
            value=format(stake.amount, "f"),
            unit=stake.unit,
            state=stake.standing.value,
            href=proof_path(stake.insight_id or prompt.about.id, stake.number),
        )
    today = local_day(caller.now, place.account.timezone)
    return Prompt(
        title=prompt.title,
        why=words.Sentence(opens_at, "prompt", spans),
        act=words.Link(f"Write to {prompt.receiver.name}", prompt_path(place, prompted.id)),
        stake=number,
        by=f"by {short_day(prompt.due, today)}",
        dismiss=words.Act("Not now", place.path(f"/together/prompts/{prompted.id}/dismiss"), (("back", back),)),
    )


def prompt_path(place: Place, prompt_id: str) -> str:
    return place.path(f"/together/new?prompt={quote(prompt_id, safe='')}")


@post(both("/together/prompts/{prompt_id:str}/dismiss"))
async def dismiss_prompt(
    request: PortalRequest, portal: Shared, prompt_id: FromPath[str], key: Key = None
) -> Response[str]:
    """It stays away until the matter changes."""
    back = _BACK.get(await form_field(request, "back") or "", "/together")
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Action.READ_CONVERSATIONS)
        account_id = place.account.account_id
        prompted = await collaboration_for(caller.tx, account_id, caller.user, prompt_id)
        await respond(caller.tx, account_id, caller.user, prompted, Answer.DISMISSED, caller.now)
    return see_other(place.path(back))


HANDLERS = (dismiss_prompt,)
