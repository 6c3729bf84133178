"""Conversations of customer and steward: opened from a sentence, answered on the same page, live on both sides."""

from dataclasses import replace
from urllib.parse import urlencode
from uuid import uuid4

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from valueplatform.accounts.stewards import steward_of
from valueplatform.core.authorization import Action, PersonRole, Side
from valueplatform.core.errors import InvalidInputError, NotFoundError, TooLargeError
from valueplatform.core.periods import local_day
from valueplatform.narrative.document import Audience
from valueplatform.narrative.next_best_store import suggestions_of
from valueplatform.narrative.next_best_words import SuggestionWords
from valueplatform.narrative.store import newest_story
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, Key, Place, PortalRequest, both, form_field, place_of
from valueplatform.portal.collaborations import AT_ONCE, prompt_view, prompts_for
from valueplatform.portal.frame import ROLE_WORDS, account_notices, account_shell, supplier_name
from valueplatform.portal.notice_view import bell_mark, streamed
from valueplatform.portal.open_pages import close_page, keep_open
from valueplatform.portal.portal import Portal, Shared
from valueplatform.portal.sentences import proof_path, sentence_view
from valueplatform.portal.streams import Feed, Fragment, event_stream
from valueplatform.portal.thread_view import Talk, mark_of, thread_view, topics_view
from valueplatform.portal.view import conversation as view
from valueplatform.portal.view import words
from valueplatform.stewardship.attachments import attached
from valueplatform.stewardship.collaboration_store import Prompted, collaboration_for, respond, talk_about
from valueplatform.stewardship.collaboration_store import Response as Answer
from valueplatform.stewardship.conversations import Opening, open_conversation, reply
from valueplatform.stewardship.threads import conversations_of, read_thread
from valueplatform.value.models import stored_model

ABOUT = ("insight", "suggestion", "assumption", "prompt")
_WORDS = SuggestionWords()


@get(both("/together"))
async def conversations(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Action.READ_CONVERSATIONS)
        found = await conversations_of(caller.tx, place.account.account_id, caller.user)
        if found:
            return see_other(place.path(f"/together/{found[0].conversation_id}"))
        shell = await account_shell(caller, place, "/together")
        prompts = await _prompts(caller, place)
        together = view.Together((), None, _empty(place), _start(caller, place), prompts)
    return portal.pages.page("together.html", shell=shell, together=together)


def _empty(place: Place) -> str:
    if place.is_own:
        return "Open any number and ask about it; the sentence comes with your question. Or start here."
    return "Nobody has asked yet. You can begin."


def _start(caller: Caller, place: Place) -> words.Act | None:
    return words.Act("Start a conversation", place.path("/together/new")) if _speaks(caller) else None


async def _prompts(caller: Caller, place: Place) -> tuple[view.Prompt, ...]:
    found = await prompts_for(caller, place, AT_ONCE)
    return tuple(prompt_view(caller, place, one, "together") for one in found)


def _speaks(caller: Caller) -> bool:
    return caller.may(Action.ASK if caller.user.side is Side.CUSTOMER else Action.ANSWER)


async def read_talk(caller: Caller, place: Place, *, live: bool = True) -> Talk:
    tx, account = caller.tx, place.account
    stored = await newest_story(tx, account.account_id, Audience.CUSTOMER)
    model = await stored_model(tx)
    named = (*model.baselines, *model.assumptions, *model.drivers) if model else ()
    return Talk(
        place=place,
        side=caller.user.side,
        today=local_day(caller.now, account.timezone),
        supplier=await supplier_name(tx),
        steward=await steward_of(tx, account.account_id),
        story=stored.document if stored else None,
        titles={one.slug: one.label for one in named},
        answers=_speaks(caller),
        live=live,
    )


@get(both("/together/{conversation_id:int}"))
async def thread_page(
    request: PortalRequest, portal: Shared, conversation_id: FromPath[int], key: Key = None
) -> Response[str]:
    return await _thread_page(request, portal, key, conversation_id)


async def _thread_page(
    request: PortalRequest, portal: Shared, key: str | None, conversation_id: int, text: str = "", error: str = ""
) -> Response[str]:
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Action.READ_CONVERSATIONS)
        account_id = place.account.account_id
        thread = await read_thread(caller.tx, account_id, conversation_id, caller.user)
        talk = await read_talk(caller, place)
        topics = topics_view(talk, await conversations_of(caller.tx, account_id, caller.user), conversation_id)
        prompts = await _prompts(caller, place)
        together = view.Together(topics, thread_view(talk, thread, text, error), "", _start(caller, place), prompts)
        shell = await account_shell(caller, place, "/together", streams=talk.live)
    return portal.pages.page("together.html", status_code=400 if error else 200, shell=shell, together=together)


@post(both("/together/{conversation_id:int}"))
async def answer(
    request: PortalRequest, portal: Shared, conversation_id: FromPath[int], key: Key = None
) -> Response[str]:
    text = await form_field(request, "text")
    try:
        async with portal.door.entered(request) as caller:
            place = await place_of(caller, key, Action.READ_CONVERSATIONS)
            await reply(caller.tx, place.account.account_id, conversation_id, caller.user, text, caller.now)
    except (InvalidInputError, TooLargeError) as error:
        return await _thread_page(request, portal, key, conversation_id, text, error.message)
    return see_other(place.path(f"/together/{conversation_id}#reply"))


@get(both("/together/{conversation_id:int}/live"))
async def thread_live(
    request: PortalRequest,
    portal: Shared,
    conversation_id: FromPath[int],
    key: Key = None,
    seen: FromQuery[str | None] = None,
) -> Stream:
    cookie = portal.door.cookie_of(request) or ""
    return event_stream(portal.live, cookie, await thread_feed(portal, cookie, key, conversation_id, seen))


async def thread_feed(portal: Portal, cookie: str, key: str | None, conversation_id: int, seen: str | None) -> Feed:
    """What was said in a conversation, from what the page has `seen`. Raises UnauthenticatedError, NotFoundError."""
    door, page_id = portal.door, uuid4()
    session = await door.session(cookie)
    async with door.opened(session) as caller:
        account_id = (await place_of(caller, key, Action.READ_CONVERSATIONS)).account.account_id

    async def read(mark: str | None) -> Fragment | None:
        async with door.opened(await door.session(cookie)) as caller:
            place = await place_of(caller, key, Action.READ_CONVERSATIONS)
            await keep_open(caller.tx, account_id, page_id, caller.now)
            thread = await read_thread(caller.tx, account_id, conversation_id, caller.user)
            notice, bell = await account_notices(caller, place, "/together")
            now = mark_of(thread) + (f"&{bell_mark(bell)}" if bell and bell.count else "")
            if now == mark:
                return None
            shown = thread_view(await read_talk(caller, place), thread)
            csrf = caller.session.csrf_token
        beside = {"notice": notice, "bell": streamed(bell), "csrf": csrf}
        return Fragment(now, portal.pages.render("thread_live.html", thread=shown, **beside))

    async def closed() -> None:
        async with door.opened(session) as caller:
            await close_page(caller.tx, account_id, page_id)

    return Feed("thread", read, account_id, mark=seen, closed=closed)


@post(both("/together/new"))
async def begin(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    """From a button beside a sentence: the composer opens with it attached."""
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Action.READ_CONVERSATIONS)
    about = {name: said for name in ABOUT if (said := await form_field(request, name))}
    return see_other(place.path("/together/new") + (f"?{urlencode(about)}" if about else ""))


@get(both("/together/new"))
async def composer(
    request: PortalRequest,
    portal: Shared,
    key: Key = None,
    insight: FromQuery[str | None] = None,
    suggestion: FromQuery[str | None] = None,
    assumption: FromQuery[str | None] = None,
    prompt: FromQuery[str | None] = None,
) -> Response[str]:
    about = {"insight": insight, "suggestion": suggestion, "assumption": assumption, "prompt": prompt}
    return await _composer(request, portal, key, {name: said for name, said in about.items() if said})


async def _composer(
    request: PortalRequest,
    portal: Shared,
    key: str | None,
    about: dict[str, str],
    text: str | None = None,
    error: str = "",
) -> Response[str]:
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Action.READ_CONVERSATIONS)
        account_id = place.account.account_id
        talk = await read_talk(caller, place, live=False)
        topics = topics_view(talk, await conversations_of(caller.tx, account_id, caller.user), None)
        prompted = await _prompted(caller, place, about)
        about = about if prompted is None else talk_about(prompted.prompt) | {"prompt": prompted.id}
        subject = await _subject(caller, place, about)
        quote = await _quote(caller, account_id, about.get("insight"))
        action = place.path("/together") + (f"?{urlencode(about)}" if about else "")
        thread = _new_thread(talk, subject, prompted)
        if thread.reply is not None:
            written = prompted.prompt.draft_by(caller.user.name) if prompted else ""
            given = replace(thread.reply, action=action, text=written if text is None else text, error=error)
            thread = replace(thread, reply=given)
        thread = replace(thread, quote=quote)
        shell = await account_shell(caller, place, "/together")
    together = view.Together(topics, thread)
    return portal.pages.page("together.html", status_code=400 if error else 200, shell=shell, together=together)


async def _prompted(caller: Caller, place: Place, about: dict[str, str]) -> Prompted | None:
    """None where no prompt is answered, and where it is answered already: what is written stays welcome."""
    wanted = about.pop("prompt", None)
    if wanted is None:
        return None
    try:
        return await collaboration_for(caller.tx, place.account.account_id, caller.user, wanted)
    except NotFoundError:
        return None


def _new_thread(talk: Talk, subject: str, prompted: Prompted | None) -> view.Thread:
    """Addressed to the other side, or to whom the prompt names."""
    place = talk.place
    if prompted is None:
        whom = talk.steward.name if place.is_own and talk.steward else place.account.name
        title, hint = f"Ask about {subject}" if subject else f"A conversation with {whom}", ""
        role = talk.supplier if place.is_own else ""
    else:
        receiver = prompted.prompt.receiver
        whom, title = receiver.name, prompted.prompt.title
        role = talk.supplier if receiver.side is Side.SUPPLIER else ROLE_WORDS[PersonRole(receiver.role)]
        others = talk.supplier if place.is_own else place.account.name
        hint = f"A draft: change what you like. Everybody in this account, and {others}, can read it."
    people = (words.Fact(whom, role),)
    answer = view.Reply("", f"Write to {whom}", hint=hint) if talk.answers else None
    return view.Thread(title=title, items=(), people=people, reply=answer)


async def _quote(caller: Caller, account_id: int, insight_id: str | None) -> view.Quote | None:
    if insight_id is None:
        return None
    told = await attached(caller.tx, account_id, insight_id)
    return view.Quote(sentence_view(told.sentence), ("Goes with your message",), proof_path(insight_id))


async def _subject(caller: Caller, place: Place, about: dict[str, str]) -> str:
    """What the conversation is about, where no sentence says it."""
    if "suggestion" in about:
        for stored in await suggestions_of(caller.tx, place.account.account_id):
            if stored.suggestion.id == about["suggestion"]:
                return f"“{_WORDS.what(stored.suggestion).removesuffix('.')}”"
        raise NotFoundError("There is no such suggestion.")
    if "assumption" in about:
        model = await stored_model(caller.tx)
        rate = model.rate(about["assumption"]) if model else None
        if rate is None:
            raise NotFoundError("There is no such assumption.")
        return rate.label.lower()
    return "this" if "insight" in about else ""


@post(both("/together"))
async def open_(
    request: PortalRequest,
    portal: Shared,
    key: Key = None,
    insight: FromQuery[str | None] = None,
    suggestion: FromQuery[str | None] = None,
    assumption: FromQuery[str | None] = None,
    prompt: FromQuery[str | None] = None,
) -> Response[str]:
    given = {"insight": insight, "suggestion": suggestion, "assumption": assumption, "prompt": prompt}
    about = {name: said for name, said in given.items() if said}
    text = await form_field(request, "text")
    try:
        async with portal.door.entered(request) as caller:
            place = await place_of(caller, key, Action.READ_CONVERSATIONS)
            prompted = await _prompted(caller, place, dict(about))
            subject = await _subject(caller, place, about) if insight is None else ""
            named = subject or (prompted.prompt.title if prompted and insight is None else "")
            title = named[:1].upper() + named[1:] if named else None
            opening = Opening(text, insight_id=insight, title=title, assumption=assumption)
            to = prompted.prompt.receiver.side if prompted else None
            account_id = place.account.account_id
            number = await open_conversation(caller.tx, account_id, caller.user, opening, caller.now, to=to)
            if prompted is not None:
                await respond(
                    caller.tx, account_id, caller.user, prompted, Answer.ACTED, caller.now, conversation_id=number
                )
    except (InvalidInputError, TooLargeError) as error:
        return await _composer(request, portal, key, about, text, error.message)
    return see_other(place.path(f"/together/{number}"))


HANDLERS = (conversations, thread_page, answer, thread_live, begin, composer, open_)
