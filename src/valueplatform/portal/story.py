"""The customer's home: the story, live, with its suggestion."""

from dataclasses import replace
from uuid import uuid4

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from valueplatform.core.authorization import Action
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import local_day
from valueplatform.narrative.document import Audience, Status
from valueplatform.narrative.forms import story_markdown
from valueplatform.narrative.next_best_store import Decision, decide
from valueplatform.narrative.store import newest_story
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, Key, Place, PortalRequest, both, place_of
from valueplatform.portal.exact import day_text
from valueplatform.portal.frame import last_event, shell_at
from valueplatform.portal.languages import ENGLISH, Wanted, language_for, wanted_by
from valueplatform.portal.open_pages import close_page, keep_open
from valueplatform.portal.portal import Portal, Shared
from valueplatform.portal.projection_view import projection_view
from valueplatform.portal.sentences import CHIPS
from valueplatform.portal.story_view import compare_link, story_view
from valueplatform.portal.streams import Feed, Fragment, event_stream
from valueplatform.portal.telling import read_told, story_mark
from valueplatform.portal.view import story as view
from valueplatform.portal.view import words
from valueplatform.portal.view.shell import Shell
from valueplatform.stewardship.threads import waiting_count
from valueplatform.value.models import stored_model
from valueplatform.value.projection import read_projection


@get("/story")
async def story_page(
    request: PortalRequest, portal: Shared, aside: FromQuery[str | None] = None, lang: FromQuery[str | None] = None
) -> Response[str]:
    wanted = wanted_by(request, lang)
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, None, Action.READ_STORY)
        shell, story = await shell_and_story(caller, place, portal.public_url, aside=aside, wanted=wanted)
    return portal.pages.page("story.html", shell=shell, story=story)


async def shell_and_story(
    caller: Caller, place: Place, public_url: str, *, aside: str | None = None, wanted: Wanted = ENGLISH
) -> tuple[Shell, view.Story]:
    moment = await last_event(caller.tx, place.account.account_id, caller.now)
    shell = await shell_at(caller, place, "/story", moment, notified=False, streams=True)
    told = await read_told(caller, place, public_url, moment, aside=aside, wanted=wanted)
    story = untold(place, caller) if told is None else story_view(told)
    return shell, replace(story, projection=await _projection(caller, place))


async def _projection(caller: Caller, place: Place) -> view.ProjectionView | None:
    """None once the account has value, and before there is a model."""
    model = await stored_model(caller.tx)
    found = await read_projection(caller.tx, place.account, model) if model is not None else None
    return None if found is None else projection_view(found, place)


def untold(place: Place, caller: Caller) -> view.Story:
    """Before the worker has composed the first story, which it does within a minute of the first event."""
    begins = words.Sentence("untold", "insufficient-data", (words.Span("Your story begins with the first event."),))
    return view.Story(
        account_key=place.account.key,
        account_name=place.account.name,
        version="v0.0",
        dateline=day_text(local_day(caller.now, place.account.timezone)),
        chip=CHIPS[Status.INSUFFICIENT],
        headline=begins,
        lead=(),
        chapters=(),
        links=(compare_link(place),),
        live_href=place.path("/story/live"),
    )


@get(both("/story/live"))
async def story_live(
    request: PortalRequest,
    portal: Shared,
    key: Key = None,
    seen: FromQuery[str | None] = None,
    aside: FromQuery[str | None] = None,
    lang: FromQuery[str | None] = None,
) -> Stream:
    cookie = portal.door.cookie_of(request) or ""
    feed = await story_feed(portal, cookie, key, seen, aside=aside, wanted=wanted_by(request, lang))
    return event_stream(portal.live, cookie, feed)


async def story_feed(
    portal: Portal,
    cookie: str,
    key: str | None,
    seen: str | None,
    *,
    aside: str | None = None,
    wanted: Wanted = ENGLISH,
) -> Feed:
    """The story, from what the page has `seen`. Raises UnauthenticatedError, NotFoundError."""
    page_id = uuid4()
    session = await portal.door.session(cookie)
    async with portal.door.opened(session) as caller:
        account_id = (await place_of(caller, key, Action.READ_STORY)).account.account_id
        shown = seen and seen + await _beside(caller, account_id)

    async def read(mark: str | None) -> Fragment | None:
        async with portal.door.opened(await portal.door.session(cookie)) as caller:
            place = await place_of(caller, key, Action.READ_STORY)
            await keep_open(caller.tx, account_id, page_id, caller.now)
            told = await story_mark(caller.tx, account_id)
            now = told and told + await _beside(caller, account_id)
            if now is None or now == mark:
                return None
            shell, story = await shell_and_story(caller, place, portal.public_url, aside=aside, wanted=wanted)
        return Fragment(now, portal.pages.render("story_live.html", shell=shell, story=story))

    async def closed() -> None:
        async with portal.door.opened(session) as caller:
            await close_page(caller.tx, account_id, page_id)

    return Feed("story", read, account_id, mark=shown, closed=closed)


async def _beside(caller: Caller, account_id: int) -> str:
    """What else makes another page of it: conversations that wait for the reader."""
    waiting = await waiting_count(caller.tx, account_id, caller.user) if caller.may(Action.READ_CONVERSATIONS) else 0
    return f"&{waiting}" if waiting else ""


@get(both("/story.md"))
async def story_text(
    request: PortalRequest, portal: Shared, key: Key = None, lang: FromQuery[str | None] = None
) -> Response[str]:
    wanted = wanted_by(request, lang)
    async with portal.door.entered(request) as caller:
        return await downloaded(caller, await place_of(caller, key, Action.READ_STORY), wanted)


async def downloaded(caller: Caller, place: Place, wanted: Wanted) -> Response[str]:
    """The story as Markdown, to keep."""
    language = await language_for(caller, wanted)
    stored = await newest_story(caller.tx, place.account.account_id, Audience.CUSTOMER, language)
    if stored is None:
        raise NotFoundError("There is no story to download yet.")
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in place.account.key)
    headers = {"Content-Disposition": f'attachment; filename="{name}-story.md"'}
    return Response(story_markdown(stored.document), media_type="text/markdown; charset=utf-8", headers=headers)


@post("/suggestions/{suggestion_id:str}/{decision:str}")
async def decide_suggestion(
    request: PortalRequest, portal: Shared, suggestion_id: FromPath[str], decision: FromPath[str]
) -> Response[str]:
    """Accept a suggestion, set it aside, or take it back up."""
    taken = {"accept": Decision.ACCEPT, "dismiss": Decision.DISMISS, "undo": Decision.UNDO}.get(decision)
    if taken is None:
        raise NotFoundError("There is no such decision.")
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, None, Action.DECIDE_SUGGESTIONS)
        account_id = place.account.account_id
        await decide(caller.tx, account_id, suggestion_id, taken, by=caller.user.author, now=caller.now)
    where = {Decision.ACCEPT: "#graded", Decision.DISMISS: f"?aside={suggestion_id}#next"}
    return see_other(f"/story{where.get(taken, '#next')}")


HANDLERS = (story_page, story_live, story_text, decide_suggestion)
