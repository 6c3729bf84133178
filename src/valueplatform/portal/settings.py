"""A reader's own settings, how they want to be told, and the way out that every e-mail carries."""

from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.authorization import Action, UserRole
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.periods import zone
from valueplatform.core.scope import no_accounts
from valueplatform.portal.answers import is_own, see_other
from valueplatform.portal.calling import Caller, PortalRequest, form_field, own_place
from valueplatform.portal.frame import account_shell, supplier_name, supplier_shell
from valueplatform.portal.languages import SWITCH_PATH, Wanted, wanted_by
from valueplatform.portal.portal import Portal, Shared
from valueplatform.portal.settings_view import Desk, settings_view
from valueplatform.portal.view.settings import Unsubscribe
from valueplatform.portal.view.shell import Shell
from valueplatform.portal.view.words import Act
from valueplatform.stewardship.digests.choice import (
    READERS,
    Channel,
    Choice,
    audience_of,
    choice_of,
    save_choice,
    turn_off,
    unsubscribing,
)
from valueplatform.stewardship.digests.mail import SETTINGS_PATH, UNSUBSCRIBE_PATH
from valueplatform.stewardship.digests.marks import begin_marks, move_marks
from valueplatform.stewardship.digests.outbox import last_of
from valueplatform.value.models import stored_model

_FIELDS: Final = (
    "channel", "cadence", "weekday", "hour", "timezone", "language", "webhook_url", "bad_news", "new_secret",
)  # fmt: skip
_DONE: Final = Unsubscribe("You get no more digests.", "Your story stays open to you. Settings bring digests back.")


@get(SETTINGS_PATH)
async def settings(request: PortalRequest, portal: Shared, saved: FromQuery[str | None] = None) -> Response[str]:
    async with portal.door.entered(request) as caller:
        _require_reader(caller)
        choice = await _chosen(caller, wanted_by(request))
        return await _page(caller, portal, choice, saved=saved is not None)


def _require_reader(caller: Caller) -> None:
    if caller.user.role not in READERS:
        raise NotFoundError("There is no such page for you.")


async def _chosen(caller: Caller, wanted: Wanted) -> Choice:
    """What the reader chose, else what is proposed to them: nothing, in the zone where they are and the language that
    their browser asks for."""
    found = await choice_of(caller.tx, caller.user.user_id)
    if found is not None:
        return found
    ids = caller.user.account_ids
    if ids is not None and len(ids) == 1:
        zone_here = (await account_by_id(caller.tx, next(iter(ids)))).timezone
    else:
        model = await stored_model(caller.tx)
        zone_here = model.supplier.timezone if model else "UTC"
    return Choice(timezone=zone_here, language=wanted.browser)


async def _page(
    caller: Caller, portal: Portal, choice: Choice, *, saved: bool = False, secret: str = "", error: str = ""
) -> Response[str]:
    shell = await _shell(caller)
    desk = Desk(
        role=caller.user.role,
        email=caller.user.email,
        choice=choice,
        ended=await last_of(caller.tx, caller.user.user_id),
        mail=portal.means.smtp is not None,
        private=portal.means.outbound.private,
        saved=saved,
        secret=secret,
        error=error,
    )
    answer = portal.pages.page(
        "settings.html", status_code=400 if error else 200, shell=shell, settings=settings_view(desk)
    )
    if secret:
        answer.headers["Cache-Control"] = "no-store"
    return answer


async def _shell(caller: Caller) -> Shell:
    if caller.user.role is UserRole.CUSTOMER:
        return await account_shell(caller, await own_place(caller, Action.READ_STORY), SETTINGS_PATH)
    return await supplier_shell(caller, SETTINGS_PATH)


@post(SETTINGS_PATH, status_code=200)
async def save(request: PortalRequest, portal: Shared) -> Response[str]:
    """Keeps what was chosen. The secret of a new webhook is shown this once."""
    given = {name: (await form_field(request, name)).strip() for name in _FIELDS}
    async with portal.door.entered(request) as caller:
        _require_reader(caller)
        before = await _chosen(caller, wanted_by(request))
    error, choice = "", before
    try:
        choice = await _checked(portal, given)
    except InvalidInputError as wrong:
        error = wrong.message
        choice = _kept(before, given)
    async with portal.door.entered(request) as caller:
        if error:
            return await _page(caller, portal, choice, error=error)
        secret = await _save(caller, choice, new_secret=bool(given["new_secret"]))
        if secret is not None:
            return await _page(caller, portal, choice, saved=True, secret=secret)
    return see_other(f"{SETTINGS_PATH}?saved=1")


async def _checked(portal: Portal, given: dict[str, str]) -> Choice:
    """Raises InvalidInputError. A name is looked up here, outside of any transaction."""
    choice = _read(given)
    zone(choice.timezone)
    if choice.channel is Channel.EMAIL and portal.means.smtp is None:
        raise InvalidInputError("This installation sends no e-mail; choose a webhook, or no digests.")
    if choice.channel is not Channel.WEBHOOK:
        return choice
    if choice.webhook_url is None:
        raise InvalidInputError("Give the address that digests are to be sent to.")
    return msgspec.structs.replace(choice, webhook_url=await portal.means.outbound.check(choice.webhook_url))


def _read(given: dict[str, str]) -> Choice:
    said: dict[str, object] = {name: given[name] for name in ("channel", "cadence", "timezone")}
    said |= {"webhook_url": given["webhook_url"] or None, "bad_news": bool(given["bad_news"])}
    said |= {"language": given["language"]} if given["language"] else {}
    try:
        return msgspec.convert({**said, "weekday": given["weekday"], "hour": given["hour"]}, Choice, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInputError("That cannot be chosen; choose from the lists, and save again.") from error


def _kept(before: Choice, given: dict[str, str]) -> Choice:
    """What was given, as far as it can be shown again."""
    try:
        choice = _read(given)
    except InvalidInputError:
        return before
    try:
        zone(choice.timezone)
    except InvalidInputError:
        return msgspec.structs.replace(choice, timezone=before.timezone)
    return choice


async def _save(caller: Caller, choice: Choice, *, new_secret: bool) -> str | None:
    user, now = caller.user, caller.now
    steward = user.role is UserRole.STEWARD
    kept = choice if steward else msgspec.structs.replace(choice, bad_news=False)
    before = await choice_of(caller.tx, user.user_id)
    secret = await save_choice(caller.tx, user.user_id, kept, now, new_secret=new_secret)
    if audience_of(user) is not None and kept.is_on:
        await begin_marks(caller.tx, user, kept, now, anew=before is None or not before.is_on)
        await move_marks(caller.tx, user.user_id, kept, now)
    return secret


@post(SWITCH_PATH, status_code=200)
async def switch_language(request: PortalRequest, portal: Shared) -> Response[str]:
    """From the switch beside a story: remembered with what else the reader chose, by whoever reads stories."""
    wanted, back = wanted_by(request, await form_field(request, "language")), await form_field(request, "back")
    async with portal.door.entered(request) as caller:
        choice = await _chosen(caller, wanted)
        kept = msgspec.structs.replace(choice, language=wanted.asked or choice.language)
        await save_choice(caller.tx, caller.user.user_id, kept, caller.now)
    return see_other(back if is_own(back) else "/")


@get(f"{UNSUBSCRIBE_PATH}/{{token:str}}")
async def leaving(portal: Shared, token: FromPath[str]) -> Response[str]:
    """Only a button, since mail scanners open every link."""
    await _reader(portal, token)
    async with portal.door.web.transaction(no_accounts()) as tx:
        shell = Shell(supplier=await supplier_name(tx), csrf="")
    act = Act("Stop digests", f"{UNSUBSCRIBE_PATH}/{token}")
    asked = Unsubscribe("Stop digests of your value story?", "You can choose them again at any time.", act)
    return portal.pages.page("unsubscribe.html", shell=shell, unsubscribe=asked)


@post(f"{UNSUBSCRIBE_PATH}/{{token:str}}", status_code=200)
async def leave(portal: Shared, token: FromPath[str]) -> Response[str]:
    """From the button, or at once from a mail program (RFC 8058): the token alone says who and what for."""
    user_id = await _reader(portal, token)
    async with portal.door.web.transaction(no_accounts()) as tx:
        await turn_off(tx, user_id)
        shell = Shell(supplier=await supplier_name(tx), csrf="")
    return portal.pages.page("unsubscribe.html", shell=shell, unsubscribe=_DONE)


async def _reader(portal: Portal, token: str) -> int:
    async with portal.door.web.transaction(no_accounts()) as tx:
        user_id = await unsubscribing(tx, token)
    if user_id is None:
        raise NotFoundError("This link was not made here, or is not whole. Your settings turn digests off, too.")
    return user_id


HANDLERS = (settings, save, switch_language, leaving, leave)
