"""The frame around every page: whose product it is, who reads, where they may go, how fresh it is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from valueplatform.core.authorization import Action, PersonRole, UserPrincipal, UserRole
from valueplatform.core.database import Transaction
from valueplatform.portal.answers import NAMELESS
from valueplatform.portal.calling import Caller, Place
from valueplatform.portal.exact import ago_text, machine_time
from valueplatform.portal.notice_view import (
    Found,
    account_bell,
    bad_news_notice,
    portfolio_bell,
    story_news,
    story_notice,
    streamed,
    unread_of,
)
from valueplatform.portal.view.shell import Bell, Freshness, Notice, Person, Shell, Tab
from valueplatform.portal.view.words import Act, Link
from valueplatform.stewardship.digests.choice import READERS
from valueplatform.stewardship.digests.mail import SETTINGS_PATH
from valueplatform.stewardship.threads import waiting_count

LIVE_FOR: Final = timedelta(days=1)
STEWARDSHIP: Final = "Value stewardship"
_SUPPLIER: Final = text("""
    SELECT document->'supplier'->>'name' FROM model_revision ORDER BY revision DESC LIMIT 1
""")
# By the index of events alone, up to the rows of the last day: one probe for each type that the account has sent.
_LAST_EVENT: Final = text("""
    WITH RECURSIVE kind AS (
        (SELECT type FROM event WHERE account_id = :account ORDER BY type LIMIT 1)
        UNION ALL
        SELECT (SELECT e.type FROM event e WHERE e.account_id = :account AND e.type > kind.type
                ORDER BY e.type LIMIT 1)
          FROM kind WHERE kind.type IS NOT NULL
    ), latest AS (
        SELECT kind.type, (SELECT e.utc_day FROM event e WHERE e.account_id = :account AND e.type = kind.type
                           ORDER BY e.utc_day DESC LIMIT 1) AS day
          FROM kind WHERE kind.type IS NOT NULL
    )
    SELECT coalesce(max(least(e.time, :now)), (
        SELECT max(last_time) FROM archived_slice WHERE account_id = :account
    )) FROM latest JOIN event e
        ON e.account_id = :account AND e.type = latest.type AND e.utc_day = latest.day
     WHERE latest.day = (SELECT max(day) FROM latest)
""")
_LAST_TAKEN: Final = text("SELECT at FROM ingest_tally ORDER BY tally_id DESC LIMIT 1")
ROLE_WORDS: Final = {
    PersonRole.SPONSOR: "Executive sponsor",
    PersonRole.ECONOMIC_BUYER: "Economic buyer",
    PersonRole.CHAMPION: "Champion",
    PersonRole.VALIDATOR: "Validator",
    PersonRole.ADMIN: "Administrator",
    PersonRole.USER: "User",
}
USER_WORDS: Final = {
    UserRole.STEWARD: "Value steward",
    UserRole.ADMIN: "Administrator",
    UserRole.PARTNER: "Partner",
    UserRole.CUSTOMER: "Customer",
}

CATALOG_ROLES: Final = frozenset({UserRole.STEWARD, UserRole.PRODUCT, UserRole.ADMIN})
"""Whose work the catalog is; others who may read it have the API."""


QUALITY_ROLES: Final = frozenset({UserRole.STEWARD, UserRole.OPERATIONS, UserRole.ADMIN})
"""Who looks after what comes in."""


def has_quality(caller: Caller) -> bool:
    return caller.user.role in QUALITY_ROLES and caller.may(Action.READ_QUALITY)


FINANCE_ROLES: Final = frozenset({UserRole.STEWARD, UserRole.FINANCE, UserRole.LEADERSHIP, UserRole.ADMIN})
"""Who answers for what was invested; only those of them who see every account, since part of them makes no total."""


def has_finance(caller: Caller) -> bool:
    user = caller.user
    return user.role in FINANCE_ROLES and caller.may(Action.READ_FINANCE) and user.account_ids is None


def has_catalog(caller: Caller) -> bool:
    return caller.user.role in CATALOG_ROLES and caller.may(Action.READ_CATALOG)


async def supplier_name(tx: Transaction) -> str:
    return str(await tx.scalar(_SUPPLIER) or NAMELESS)


async def last_event(tx: Transaction, account_id: int, now: datetime) -> datetime | None:
    """When the newest event of the account happened; None before the first."""
    moment: datetime | None = await tx.scalar(_LAST_EVENT, {"account": account_id, "now": now})
    return moment


def freshness(moment: datetime | None, now: datetime) -> Freshness | None:
    if moment is None:
        return None
    return Freshness(ago_text(moment, now), machine_time(moment), live=now - moment < LIVE_FOR)


async def account_shell(caller: Caller, place: Place, current: str, *, streams: bool = False) -> Shell:
    """Around a page of one account; `current` is the path of its tab, from the account's own root. `streams`: the page
    has a stream that brings the bell along."""
    moment = await last_event(caller.tx, place.account.account_id, caller.now)
    return await shell_at(caller, place, current, moment, streams=streams)


async def shell_at(
    caller: Caller,
    place: Place,
    current: str,
    moment: datetime | None,
    *,
    notified: bool = True,
    streams: bool = False,
) -> Shell:
    """The same, where it is known already when the newest event happened. `notified`: what is new in the story is told
    above the page; the story's own page tells it itself.
    """
    tx, account = caller.tx, place.account
    waiting = 0
    tabs = [Tab("Story", place.path("/story"))]
    if caller.may(Action.READ_VALUE):
        tabs.append(Tab("Why", place.path("/why")))
    tabs.append(Tab("Assumptions", place.path("/assumptions")))
    if caller.may(Action.READ_CONVERSATIONS):
        waiting = await waiting_count(tx, account.account_id, caller.user)
        tabs.append(Tab("Together", place.path("/together"), count=waiting))
    if caller.may(Action.PLAN_SCENARIOS):
        tabs.insert(2, Tab("Plan", place.path("/plan")))
    if not place.is_own:
        tabs.insert(0, Tab("Portfolio", "/portfolio"))
    fresh = freshness(moment, caller.now)
    links = (Link("Partners", place.path("/partners")),) if caller.may(Action.READ_CONSENTS) else ()
    notice, bell = _notices(await story_news(caller, place) if notified else None, waiting, caller, place, current)
    supplier, shown = await supplier_name(tx), _marked(tabs, place.path(current))
    bell = streamed(bell) if streams else bell
    return _shell(supplier, caller, account.name, shown, fresh, links=links, notice=notice, bell=bell)


def _notices(
    news: Found | None, waiting: int, caller: Caller, place: Place, current: str
) -> tuple[Notice | None, Bell | None]:
    return story_notice(news, caller, place, current), account_bell(news, waiting, caller, place, current)


async def account_notices(caller: Caller, place: Place, current: str) -> tuple[Notice | None, Bell | None]:
    """What a reader has to be told on a page of one account: the first above it, all of it behind the bell."""
    speaks = caller.may(Action.READ_CONVERSATIONS)
    waiting = await waiting_count(caller.tx, place.account.account_id, caller.user) if speaks else 0
    return _notices(await story_news(caller, place), waiting, caller, place, current)


async def supplier_notices(caller: Caller, current: str) -> tuple[Notice | None, Bell | None]:
    """The same, on a page of several accounts."""
    unread = await unread_of(caller)
    return bad_news_notice(unread, current), portfolio_bell(unread, current)


async def supplier_shell(caller: Caller, current: str, *, streams: bool = False) -> Shell:
    """Around a page of several accounts; `streams` as for those of one."""
    tabs = [Tab("Portfolio", "/portfolio")] if caller.may(Action.READ_PORTFOLIO) else []
    if has_finance(caller):
        tabs.append(Tab("Finance", "/finance"))
    if has_catalog(caller):
        tabs.append(Tab("Catalog", "/catalog"))
    if has_quality(caller):
        tabs.append(Tab("Data quality", "/data-quality"))
    if caller.may(Action.READ_INGEST):
        tabs.append(Tab("Connect", "/connect"))
    taken: datetime | None = await caller.tx.scalar(_LAST_TAKEN)
    fresh = freshness(taken, caller.now)
    notice, bell = await supplier_notices(caller, current)
    shown, bell = _marked(tabs, current), streamed(bell) if streams else bell
    return _shell(await supplier_name(caller.tx), caller, STEWARDSHIP, shown, fresh, notice=notice, bell=bell)


async def partner_shell(caller: Caller, place: str) -> Shell:
    """Around a partner's pages; `place` is the account that is looked at, '' for their list."""
    tabs = (Tab("Shared accounts", "/shared", current=not place),)
    return _shell(await supplier_name(caller.tx), caller, place, tabs, None)


def _marked(tabs: Sequence[Tab], current: str) -> tuple[Tab, ...]:
    return tuple(Tab(tab.text, tab.href, current=tab.href == current, count=tab.count) for tab in tabs)


def _shell(
    supplier: str,
    caller: Caller,
    place: str,
    tabs: tuple[Tab, ...],
    fresh: Freshness | None,
    *,
    links: tuple[Link, ...] = (),
    notice: Notice | None = None,
    bell: Bell | None = None,
) -> Shell:
    return Shell(
        supplier=supplier,
        csrf=caller.session.csrf_token,
        home="/",
        place=place,
        tabs=tabs,
        person=_person(caller.user),
        sign_out=Act("Sign out", "/sign-out"),
        freshness=fresh,
        links=links,
        notice=notice,
        bell=bell,
        settings=Link("Settings", SETTINGS_PATH) if caller.user.role in READERS else None,
    )


def _person(user: UserPrincipal) -> Person:
    words = ROLE_WORDS.get(user.person_role) if user.person_role is not None else None
    return Person(user.name, initials(user.name), words or USER_WORDS.get(user.role) or user.role.capitalize())


def initials(name: str) -> str:
    """Of first and last name; two letters at most."""
    parts = [part for part in name.split() if part[:1].isalnum()]
    return "".join(part[0].upper() for part in (parts[:1] + parts[1:][-1:])) or "?"
