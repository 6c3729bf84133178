"""Signing in by a one-time link, and signing out.

A link only shows a button, since mail scanners open every link; the button's POST uses it up. Before there is a
session, forms are bound to a cookie of the visit, so that no other site can sign somebody in as somebody else.
"""

import hmac
import re
from hashlib import sha256
from typing import Final

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath, FromQuery

from valueplatform.core.errors import ForbiddenError, InvalidInputError
from valueplatform.core.scope import no_accounts
from valueplatform.core.sessions import LIFETIME, CookieForm, end_session
from valueplatform.core.sign_in import SIGN_IN_PATH, Knock, sign_in
from valueplatform.core.tokens import TOKEN_LENGTH, new_token, token_hash
from valueplatform.core.users import normal_email
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import CSRF_FIELD, PortalRequest, form_field
from valueplatform.portal.frame import supplier_name
from valueplatform.portal.origin import require_own_origin
from valueplatform.portal.portal import Shared
from valueplatform.portal.view.shell import Shell, SignIn
from valueplatform.portal.view.words import Act

SIGN_OUT_PATH: Final = "/sign-out"
VISIT: Final = "visit"
_LAX: Final = "lax"
_TOKEN: Final = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")


def visit_cookie(form: CookieForm) -> str:
    return f"{form.name.removesuffix('session')}{VISIT}"


def visit_token(visit: str) -> str:
    """What forms carry before sign-in: it shows that whoever made them can read the cookie."""
    return sha256(f"{VISIT}:{visit}".encode(errors="replace")).hexdigest()


@get(SIGN_IN_PATH)
async def sign_in_page(request: PortalRequest, portal: Shared, token: FromQuery[str | None] = None) -> Response[str]:
    if token is not None and _TOKEN.fullmatch(token):
        return see_other(f"{SIGN_IN_PATH}/{token}")
    return await _form(request, portal, "sign_in.html", sign_in=SignIn(SIGN_IN_PATH))


@post(SIGN_IN_PATH, status_code=200)
async def ask_for_link(request: PortalRequest, portal: Shared) -> Response[str]:
    """No mail leaves this installation, so the answer says who hands out links; the same for every address."""
    await _require_visit(request, portal)
    email = await form_field(request, "email")
    try:
        asked = SignIn(SIGN_IN_PATH, normal_email(email))
    except InvalidInputError:
        wrong = SignIn(SIGN_IN_PATH, email[:100], "That is not an e-mail address; write it as name@example.com.")
        return await _form(request, portal, "sign_in.html", sign_in=wrong, status_code=400)
    return await _form(request, portal, "sign_in_asked.html", sign_in=asked)


@get(f"{SIGN_IN_PATH}/{{token:str}}")
async def confirm_page(request: PortalRequest, portal: Shared, token: FromPath[str]) -> Response[str]:
    confirm = Act("Sign in", f"{SIGN_IN_PATH}/{token}") if _TOKEN.fullmatch(token) else None
    if confirm is None:
        return await _form(request, portal, "link_expired.html", sign_in=SignIn(SIGN_IN_PATH), status_code=410)
    return await _form(request, portal, "sign_in_confirm.html", confirm=confirm)


@post(f"{SIGN_IN_PATH}/{{token:str}}")
async def use_link(request: PortalRequest, portal: Shared, token: FromPath[str]) -> Response[str]:
    """Opens a session under a new id; the one that the browser came with ends."""
    await _require_visit(request, portal)
    door = portal.door
    address = request.client.host if request.client else ""
    async with door.web.transaction(no_accounts()) as tx:
        opened = await sign_in(tx, Knock(token, address, replaces=door.cookie_of(request)), portal.clock)
    if opened is None:
        return await _form(request, portal, "link_expired.html", sign_in=SignIn(SIGN_IN_PATH), status_code=410)
    signed_in = _cookie(door.cookie, door.cookie.name, opened.cookie, int(LIFETIME.total_seconds()))
    return see_other("/", [signed_in, _cookie(door.cookie, visit_cookie(door.cookie), "", 0)])


@post(SIGN_OUT_PATH)
async def sign_out(request: PortalRequest, portal: Shared) -> Response[str]:
    door = portal.door
    cookie = door.cookie_of(request) or ""
    async with door.entered(request) as caller:
        await end_session(caller.tx, cookie)
    portal.live.end_session(token_hash(cookie))
    return see_other(SIGN_IN_PATH, [_cookie(door.cookie, door.cookie.name, "", 0)])


async def _form(
    request: PortalRequest, portal: Shared, template: str, *, status_code: int = 200, **values: object
) -> Response[str]:
    """A page before sign-in, its forms bound to the visit."""
    name = visit_cookie(portal.door.cookie)
    visit = request.cookies.get(name) or new_token()
    async with portal.door.web.transaction(no_accounts()) as tx:
        shell = Shell(supplier=await supplier_name(tx), csrf=visit_token(visit))
    cookie = _cookie(portal.door.cookie, name, visit, None)
    return portal.pages.page(template, status_code=status_code, cookies=[cookie], shell=shell, **values)


async def _require_visit(request: PortalRequest, portal: Shared) -> None:
    """Raises ForbiddenError for a form that was not made for this very browser."""
    require_own_origin(request.headers, portal.public_url)
    visit = request.cookies.get(visit_cookie(portal.door.cookie), "")
    sent = await form_field(request, CSRF_FIELD)
    if not visit or not hmac.compare_digest(sent.encode(errors="replace"), visit_token(visit).encode()):
        raise ForbiddenError("This form does not come from a page of this browser. Open your link again.")


def _cookie(form: CookieForm, name: str, value: str, max_age: int | None) -> Cookie:
    return Cookie(name, path="/", value=value, max_age=max_age, secure=form.secure, httponly=True, samesite=_LAX)


HANDLERS = (sign_in_page, ask_for_link, confirm_page, use_link, sign_out)
