"""The keys that products send with: how far each has come, a new one, and the end of one."""

from typing import Final
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from valueplatform.core.authorization import Action, KeyKind
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.keys import KeyGrant, create_key, revoke_key
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, PortalRequest, form_field
from valueplatform.portal.connect_key import clock_of, manages_keys, read_key_page
from valueplatform.portal.connect_view import KEYS_PATH, PATH, key_path, keys_view
from valueplatform.portal.frame import supplier_shell
from valueplatform.portal.portal import Shared
from valueplatform.telemetry.recent_reads import ingest_key, ingest_keys
from valueplatform.value.models import stored_model

LONGEST_NAME: Final = 200


def require_connect(caller: Caller) -> None:
    if not caller.may(Action.READ_INGEST):
        raise NotFoundError("There is no such page for you.")


def require_management(caller: Caller) -> None:
    """Raises NotFoundError, ForbiddenError."""
    require_connect(caller)
    caller.require(Action.MANAGE_ACCESS)
    if not manages_keys(caller):
        raise NotFoundError("There is no such page for you.")


def checked_name(name: str) -> str:
    """Raises InvalidInputError. That a name is there at all, `create_key` checks."""
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInputError(f"A name has at most {LONGEST_NAME} characters, and no control characters.")
    return name


@get(PATH)
async def connect(request: PortalRequest, portal: Shared) -> Response[str]:
    return await _page(request, portal)


async def _page(request: PortalRequest, portal: Shared, name: str = "", error: str = "") -> Response[str]:
    async with portal.door.entered(request) as caller:
        require_connect(caller)
        model = await stored_model(caller.tx)
        clock = clock_of(caller, model)
        keys = await ingest_keys(caller.tx)
        found = keys_view(keys, clock, may_create=manages_keys(caller), name=name, error=error)
        shell = await supplier_shell(caller, PATH)
    return portal.pages.page("connect.html", status_code=400 if error else 200, shell=shell, keys=found)


@post(KEYS_PATH, status_code=200)
async def create(request: PortalRequest, portal: Shared) -> Response[str]:
    """Makes a key, and shows it this once, on the page that waits for its first event."""
    name = (await form_field(request, "name")).strip()
    try:
        async with portal.door.entered(request) as caller:
            require_management(caller)
            made = await create_key(caller.tx, KeyGrant(KeyKind.INGEST, checked_name(name)))
            page = await read_key_page(caller, portal, made.key_id, secret=made.key)
            shell = await supplier_shell(caller, PATH)
    except InvalidInputError as error:
        return await _page(request, portal, name[:LONGEST_NAME], error.message)
    answer = portal.pages.page("connect_key.html", shell=shell, key=page)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@post(f"{PATH}/{{key_id:uuid}}/revoke")
async def revoke(request: PortalRequest, portal: Shared, key_id: FromPath[UUID]) -> Response[str]:
    async with portal.door.entered(request) as caller:
        require_management(caller)
        await ingest_key(caller.tx, key_id)
        await revoke_key(caller.tx, key_id, portal.clock)
    return see_other(key_path(key_id))


HANDLERS = (connect, create, revoke)
