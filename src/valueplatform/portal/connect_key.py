"""One key: it waits for its first event, turns green when that is stored, and shows what became of the last ones.

The page's stream looks once a second whether the newest events are others; nothing notifies it, since a notification
in the transactions of ingest would make them commit one after the other. It holds no database connection meanwhile,
and only so many are open at once in a process.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream

from valueplatform.api.events import OpenIntake
from valueplatform.core.authorization import Action
from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.core.pages import number_position, page_of
from valueplatform.portal.answers import nothing, see_other
from valueplatform.portal.calling import Caller, PortalRequest
from valueplatform.portal.connect_view import (
    PATH,
    TRY_PATH,
    Clock,
    about,
    empty_text,
    filters,
    key_path,
    revoke_act,
    state_view,
)
from valueplatform.portal.event_view import Eyes, Model, recent_row
from valueplatform.portal.frame import supplier_shell
from valueplatform.portal.live import UNTOLD
from valueplatform.portal.portal import Portal, Shared
from valueplatform.portal.snippets import snippets
from valueplatform.portal.streams import Feed, Fragment, event_stream
from valueplatform.portal.view import connect as view
from valueplatform.portal.view.steward import Filter
from valueplatform.portal.view.words import Link
from valueplatform.telemetry.meter_book import Reading, readings_by_type
from valueplatform.telemetry.payload import decode
from valueplatform.telemetry.preview import Measured, measured
from valueplatform.telemetry.recent_reads import (
    IngestKey,
    RecentEvent,
    ingest_key,
    recent_counts,
    recent_events,
    recent_mark,
)
from valueplatform.telemetry.rejections import rejected_event_of
from valueplatform.telemetry.replaying import replay
from valueplatform.telemetry.requests import Outcome
from valueplatform.telemetry.tables import rejected_event
from valueplatform.value.feeding import drivers_by_meter
from valueplatform.value.model import ValueModel
from valueplatform.value.models import stored_model

ROWS: Final = 50
EVERY: Final = 1.0
"""Seconds between two looks of an open page."""
MOST_OPEN: Final = 50
"""Streams of such pages in one process; whoever comes later reloads the page."""
FIRST_CLIENT: Final = "curl"

Show = Annotated[Outcome | None, QueryParameter(name="show")]


def model_of(model: ValueModel | None) -> Model:
    types = frozenset(kind for meter in model.meters for kind in meter.event_types) if model else frozenset[str]()
    return Model(drivers_by_meter(model), types)


def eyes_of(caller: Caller) -> Eyes:
    return Eyes(
        subjects=caller.may(Action.READ_EVENTS),
        rejected=caller.may(Action.READ_REJECTED),
        replays=caller.may(Action.REPLAY_REJECTED),
    )


def manages_keys(caller: Caller) -> bool:
    """A key may write for any account: only for whoever manages access to all of them."""
    return caller.may(Action.MANAGE_ACCESS) and caller.user.account_ids is None


def clock_of(caller: Caller, model: ValueModel | None) -> Clock:
    return Clock(caller.now, model.supplier.timezone if model else "UTC")


async def read_key(caller: Caller, key_id: UUID) -> IngestKey:
    """Raises NotFoundError."""
    if not caller.may(Action.READ_INGEST):
        raise NotFoundError("There is no such page for you.")
    return await ingest_key(caller.tx, key_id)


async def read_events(
    caller: Caller,
    key: IngestKey,
    model: ValueModel | None,
    show: Outcome | None,
    cursor: str | None = None,
    client: str | None = None,
) -> tuple[view.State, view.RecentEvents]:
    """How far a key has come, and its last events."""
    clock = clock_of(caller, model)
    counts = await recent_counts(caller.tx, key.key_id)
    before = number_position(cursor)
    found = await recent_events(caller.tx, key.key_id, outcome=show, before=before, limit=ROWS + 1)
    page = page_of(found, ROWS, lambda event: event.recent_id)
    known, eyes = model_of(model), eyes_of(caller)
    readings = readings_by_type(model.meters) if model else {}
    rows = tuple(
        recent_row(event, key, _readings(event, model, readings.get(event.type or "", ())), known, eyes, clock)
        for event in page.items
    )
    more = Link("Show more", key_path(key.key_id, show=show, cursor=page.next_cursor)) if page.next_cursor else None
    note = (
        "" if eyes.subjects else "Subjects and what events hold are hidden: seeing single events is a right of its own."
    )
    listed = view.RecentEvents(filters(key, counts, show, client), rows, empty_text(key, show), note, more)
    return state_view(key, counts, clock), listed


def _readings(event: RecentEvent, model: ValueModel | None, readings: Sequence[Reading]) -> list[Measured]:
    """What the meters in force read in a stored event that is at hand."""
    if model is None or event.outcome is not Outcome.STORED or not event.at_hand:
        return []
    return measured(model.meters, readings, None if event.data is None else decode(event.data))


async def read_key_page(
    caller: Caller,
    portal: Portal,
    key_id: UUID,
    *,
    show: Outcome | None = None,
    cursor: str | None = None,
    client: str | None = None,
    secret: str = "",
) -> view.KeyPage:
    """Raises NotFoundError."""
    key = await read_key(caller, key_id)
    mark = await mark_of(caller.tx, key)
    model = await stored_model(caller.tx)
    state, events = await read_events(caller, key, model, show, cursor, client)
    known = snippets(portal.public_url)
    chosen = client if client in known else FIRST_CLIENT
    live = key_path(key_id, show=show, seen=mark).replace(str(key_id), f"{key_id}/live", 1)
    return view.KeyPage(
        name=key.name,
        about=about(key, clock_of(caller, model)),
        state=state,
        events=events,
        clients=tuple(
            Filter(one.title, f"{key_path(key_id, show=show, client=name)}#snippet", 0, current=name == chosen)
            for name, one in known.items()
        ),
        snippet=None if key.revoked_at else known[chosen],
        snippet_open=client is not None or state.kind != "on",
        address=key_path(key_id),
        live_href="" if cursor or key.revoked_at else live,
        try_href=f"{TRY_PATH}?key={key_id}",
        secret=secret,
        revoke=revoke_act(key) if manages_keys(caller) and key.revoked_at is None else None,
    )


async def mark_of(tx: Transaction, key: IngestKey) -> str:
    said = f"{key.revoked_at} {await recent_mark(tx, key.key_id)}"
    return sha256(said.encode()).hexdigest()[:16]


@get(f"{PATH}/{{key_id:uuid}}")
async def key_page(
    request: PortalRequest,
    portal: Shared,
    key_id: FromPath[UUID],
    show: Show = None,
    cursor: FromQuery[str | None] = None,
    client: FromQuery[str | None] = None,
) -> Response[str]:
    async with portal.door.entered(request) as caller:
        page = await read_key_page(caller, portal, key_id, show=show, cursor=cursor, client=client)
        shell = await supplier_shell(caller, PATH)
    return portal.pages.page("connect_key.html", shell=shell, key=page)


@get(f"{PATH}/{{key_id:uuid}}/live")
async def key_live(
    request: PortalRequest,
    portal: Shared,
    key_id: FromPath[UUID],
    show: Show = None,
    seen: FromQuery[str | None] = None,
) -> Response[str] | Stream:
    cookie = portal.door.cookie_of(request) or ""
    feed = await key_feed(portal, cookie, key_id, show, seen)
    if portal.live.open_of(UNTOLD) >= MOST_OPEN:
        return nothing(204, {})
    return event_stream(portal.live, cookie, feed)


async def key_feed(portal: Portal, cookie: str, key_id: UUID, show: Outcome | None, seen: str | None) -> Feed:
    """The last events of a key, whenever they are others than the page has `seen`. Raises UnauthenticatedError,
    NotFoundError."""
    door = portal.door
    async with door.opened(await door.session(cookie)) as caller:
        await read_key(caller, key_id)

    async def read(mark: str | None) -> Fragment | None:
        async with door.opened(await door.session(cookie)) as caller:
            key = await read_key(caller, key_id)
            now = await mark_of(caller.tx, key)
            if now == mark:
                return None
            state, events = await read_events(caller, key, await stored_model(caller.tx), show)
            csrf = caller.session.csrf_token
        return Fragment(now, portal.pages.render("connect_live.html", state=state, events=events, csrf=csrf))

    return Feed("recent", read, UNTOLD, mark=seen, every=EVERY)


@post(f"{PATH}/{{key_id:uuid}}/replay/{{rejected_id:int}}")
async def replay_event(
    request: PortalRequest, portal: Shared, intake: OpenIntake, key_id: FromPath[UUID], rejected_id: FromPath[int]
) -> Response[str]:
    """Try a rejected event again; what becomes of it is the newest line of the key's page."""
    async with portal.door.entered(request) as caller:
        await read_key(caller, key_id)
        caller.require(Action.REPLAY_REJECTED)
        rejected = await rejected_event_of(caller.tx, rejected_event.c.key_id == key_id, rejected_id)
    await replay(intake.database, intake.committer, rejected, portal.clock())
    return see_other(f"{key_path(key_id)}#events")


HANDLERS = (key_page, key_live, replay_event)
