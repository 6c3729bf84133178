"""The tester: paste what would be sent, and see what it would become. Nothing of it is kept."""

from typing import Final
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromQuery

from valueplatform.api.events import OpenIntake
from valueplatform.core.authorization import Action
from valueplatform.core.errors import InvalidInputError, NotFoundError, OverloadedError, TooLargeError
from valueplatform.portal.calling import Caller, PortalRequest, form_field
from valueplatform.portal.connect_key import clock_of, model_of
from valueplatform.portal.connect_view import PATH, TRY_PATH
from valueplatform.portal.event_view import preview_row, preview_sentence
from valueplatform.portal.frame import supplier_shell
from valueplatform.portal.portal import Shared
from valueplatform.portal.view import connect as view
from valueplatform.telemetry.dialects import Spoken, parsed_as
from valueplatform.telemetry.otlp_accounts import section_in_force
from valueplatform.telemetry.preview import Preview
from valueplatform.telemetry.recent_reads import IngestKey, ingest_keys
from valueplatform.telemetry.requests import IngestRequest, Sender
from valueplatform.value.models import stored_model

SHOWN: Final = 50
"""Events that are shown one by one; the sentence counts all."""
_DIALECTS: Final = {
    Spoken.CLOUDEVENTS: "CloudEvents, one or an array",
    Spoken.SEGMENT: "Segment, a call or a batch",
    Spoken.POSTHOG: "PostHog, an event or a batch",
    Spoken.OTLP_METRICS: "OpenTelemetry metrics in JSON",
    Spoken.OTLP_LOGS: "OpenTelemetry logs in JSON",
}
_ANY_KEY: Final = "Any key, without limits"


class Asked:
    """What is to be tried: the dialect, the id of the key ('' = none in particular), the body."""

    def __init__(self, dialect: str = "", key: str = "", body: str = "") -> None:
        self.dialect = Spoken(dialect) if dialect in set(Spoken) else Spoken.CLOUDEVENTS
        self.key = key
        self.body = body


def sender_of(caller: Caller, spoken: Spoken, key: IngestKey | None) -> Sender:
    """As the key would send, within what the reader may see."""
    within = caller.user.account_ids
    if key is None:
        return Sender(spoken.origin, "supplier", None, within, None)
    limits = None if key.account_ids is None else frozenset(key.account_ids)
    both = limits if within is None else within if limits is None else limits & within
    sources = None if key.sources is None else frozenset(key.sources)
    return Sender(spoken.origin, key.provider, key.key_id, both, sources)


def _chosen(keys: list[IngestKey], key: str) -> IngestKey | None:
    """Raises NotFoundError for a key that is not among them."""
    if not key:
        return None
    try:
        wanted = UUID(key)
    except ValueError as error:
        raise NotFoundError("There is no such key.") from error
    found = next((one for one in keys if one.key_id == wanted), None)
    if found is None:
        raise NotFoundError("There is no such key.")
    return found


@get(TRY_PATH)
async def try_page(
    request: PortalRequest, portal: Shared, key: FromQuery[str] = "", dialect: FromQuery[str] = ""
) -> Response[str]:
    return await _page(request, portal, Asked(dialect, key))


@post(TRY_PATH, status_code=200)
async def try_events(request: PortalRequest, portal: Shared, intake: OpenIntake) -> Response[str]:
    asked = Asked(
        await form_field(request, "dialect"), await form_field(request, "key"), await form_field(request, "body")
    )
    async with portal.door.entered(request) as caller:
        _require(caller)
        keys = [key for key in await ingest_keys(caller.tx) if key.revoked_at is None]
        sender = sender_of(caller, asked.dialect, _chosen(keys, asked.key))
        section = await section_in_force(caller.tx)
    if not asked.body.strip():
        return await _page(request, portal, asked, error="Paste the body of a request first.", status=400)
    try:
        received_at = portal.clock()
        parsed = parsed_as(asked.dialect, asked.body.encode(errors="replace"), received_at, section)
        tried = IngestRequest(sender, received_at, parsed.events, parsed.rejections, size=len(asked.body))
        found = await intake.previewer.preview(tried)
    except (InvalidInputError, TooLargeError) as error:
        return await _page(request, portal, asked, error=error.message.replace("; nothing was stored", ""), status=400)
    except OverloadedError as error:
        answer = await _page(request, portal, asked, error=error.message, status=429)
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    return await _page(request, portal, asked, found)


def _require(caller: Caller) -> None:
    if not caller.may(Action.READ_INGEST):
        raise NotFoundError("There is no such page for you.")


async def _page(
    request: PortalRequest,
    portal: Shared,
    asked: Asked,
    found: list[Preview] | None = None,
    error: str = "",
    status: int = 200,
) -> Response[str]:
    async with portal.door.entered(request) as caller:
        _require(caller)
        model = await stored_model(caller.tx)
        clock = clock_of(caller, model)
        keys = [key for key in await ingest_keys(caller.tx) if key.revoked_at is None]
        _chosen(keys, asked.key)
        known = model_of(model)
        shown = view.Tester(
            action=TRY_PATH,
            dialects=tuple(view.Option(one.value, text, one is asked.dialect) for one, text in _DIALECTS.items()),
            keys=(
                view.Option("", _ANY_KEY, not asked.key),
                *(view.Option(str(key.key_id), key.name, str(key.key_id) == asked.key) for key in keys),
            ),
            body=asked.body,
            error=error,
            said="" if found is None else preview_sentence(found),
            rows=tuple(preview_row(one, known, clock) for one in (found or ())[:SHOWN]),
            note=f"The first {SHOWN} are shown." if len(found or ()) > SHOWN else "",
        )
        shell = await supplier_shell(caller, PATH)
    return portal.pages.page("connect_try.html", status_code=status, shell=shell, tester=shown)


HANDLERS = (try_page, try_events)
