"""What a reader is told on other pages: what is new in the story since their last visit, messages that wait for them,
and for a steward, bad news they have not read. The first of it stands above the page, all of it behind the bell."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote, urlencode

from valueplatform.accounts.stewards import steward_of
from valueplatform.core.authorization import Action, Side, UserRole
from valueplatform.core.periods import local_day
from valueplatform.narrative.anchors import STAND, anchors
from valueplatform.narrative.news import News
from valueplatform.portal.calling import Caller, Place
from valueplatform.portal.exact import short_day
from valueplatform.portal.view.shell import Bell, Notice
from valueplatform.portal.view.words import Act, Link
from valueplatform.stewardship.notices import Reading, Unread, unread_bad_news, unseen

DISMISS: Final = "Dismiss"
DISMISS_PATH: Final = "/notices/dismiss"
BAD_NEWS_PATH: Final = "/bad-news/dismiss"
LIVE_PATH: Final = "/notices/live"
MOST_LINES: Final = 6
"""Accounts with bad news behind the bell; the portfolio has them all."""

Found = tuple[News, datetime]
"""What is new in a story, and when its reader saw it last."""


async def story_news(caller: Caller, place: Place) -> Found | None:
    """For the customer's own people, and for the account's steward."""
    if not caller.may(Action.READ_STORY) or not (place.is_own or await _is_steward(caller, place)):
        return None
    return await unseen(caller.tx, Reading(place.account, caller.user.user_id, is_customer=place.is_own), caller.now)


def story_notice(found: Found | None, caller: Caller, place: Place, current: str) -> Notice | None:
    if found is None:
        return None
    news, at = found
    zone = place.account.timezone
    seen = short_day(local_day(at, zone), local_day(caller.now, zone))
    return Notice(
        lead=f"{len(news.lines)} new in {'your' if place.is_own else 'its'} story since {seen}.",
        link=_lines(news, place)[0],
        dismiss=_set_aside(news, place, current),
    )


def account_bell(found: Found | None, waiting: int, caller: Caller, place: Place, current: str) -> Bell | None:
    """Behind the bell on pages of one account: what is new in its story, and how many conversations wait. None for
    those who are told of neither."""
    if caller.user.side is not Side.CUSTOMER and caller.user.role is not UserRole.STEWARD:
        return None
    lines = _lines(found[0], place) if found else ()
    if waiting:
        said = "1 conversation waits" if waiting == 1 else f"{waiting} conversations wait"
        lines = (*lines, Link(f"{said} for your answer.", place.path("/together")))
    news = len(found[0].lines) if found else 0
    bell = Bell(
        count=news + waiting,
        lines=lines,
        dismiss=_set_aside(found[0], place, current) if found else None,
        live_href=place.path(LIVE_PATH),
    )
    return _live(bell, current)


def _live(bell: Bell, current: str) -> Bell:
    """Its stream begins where the page stands."""
    return replace(bell, live_href=f"{bell.live_href}?{urlencode({'seen': bell_mark(bell), 'at': current})}")


def streamed(bell: Bell | None) -> Bell | None:
    """As the stream of the page carries it, which needs none of its own."""
    return None if bell is None else replace(bell, live_href="")


def bell_mark(bell: Bell | None) -> str:
    """Another whenever what stands behind it is."""
    said = "\n".join((str(bell.count), *(line.text for line in bell.lines))) if bell else ""
    return sha256(said.encode()).hexdigest()[:16]


def _lines(news: News, place: Place) -> tuple[Link, ...]:
    places, story = anchors(news.stored.document), place.path("/story")
    return tuple(Link(line.text, f"{story}#{places.get(line.insight_id, STAND)}") for line in news.lines)


def _set_aside(news: News, place: Place, current: str) -> Act:
    fields = (("version", str(news.stored.version)), ("back", place.path(current)))
    return Act(DISMISS, place.path(DISMISS_PATH), fields)


async def _is_steward(caller: Caller, place: Place) -> bool:
    if caller.user.role is not UserRole.STEWARD:
        return False
    steward = await steward_of(caller.tx, place.account.account_id)
    return steward is not None and steward.email == caller.user.email


async def unread_of(caller: Caller) -> Sequence[Unread] | None:
    """Bad news that a steward has not read, the latest first; None for everybody else."""
    if caller.user.role is not UserRole.STEWARD:
        return None
    return await unread_bad_news(caller.tx, caller.user.user_id, caller.now)


def bad_news_notice(found: Sequence[Unread] | None, current: str) -> Notice | None:
    """On pages of several accounts."""
    if not found:
        return None
    first, accounts = found[0], len({one.account_id for one in found})
    return Notice(
        lead=f"Bad news in {accounts} of your accounts." if accounts > 1 else f"Bad news from {first.name}.",
        link=Link(f"{first.name}: {first.text}" if accounts > 1 else first.text, _story_of(first)),
        dismiss=_put_aside(first, current),
        risk=True,
    )


def portfolio_bell(found: Sequence[Unread] | None, current: str) -> Bell | None:
    """Behind the bell on pages of several accounts, a line for each; None for whoever has none of their own."""
    if found is None:
        return None
    told = Counter(one.account_id for one in found)
    first = {one.account_id: one for one in reversed(found)}
    lines = tuple(_bad_news_line(first[account_id], told[account_id] - 1) for account_id in list(told)[:MOST_LINES])
    more = len(told) - len(lines)
    bell = Bell(
        count=len(told),
        lines=(*lines, Link(f"{more} more, in the portfolio", "/portfolio")) if more else lines,
        dismiss=_put_aside(found[0], current) if found else None,
        live_href=LIVE_PATH,
    )
    return _live(bell, current)


def _bad_news_line(first: Unread, others: int) -> Link:
    return Link(f"{first.name}: {first.text}{f' And {others} more.' if others else ''}", _story_of(first))


def _story_of(one: Unread) -> str:
    return f"/accounts/{quote(one.key, safe='')}/story"


def _put_aside(newest: Unread, current: str) -> Act:
    return Act(DISMISS, BAD_NEWS_PATH, (("told", newest.told_at.isoformat()), ("back", current)))
