"""The notice above a page: what is new in the story since this reader's last visit, or bad news they have not read."""

from typing import Final
from urllib.parse import quote

from valueplatform.accounts.stewards import steward_of
from valueplatform.core.authorization import Action, UserRole
from valueplatform.core.periods import local_day
from valueplatform.narrative.anchors import STAND, anchors
from valueplatform.portal.calling import Caller, Place
from valueplatform.portal.exact import short_day
from valueplatform.portal.view.shell import Notice
from valueplatform.portal.view.words import Act, Link
from valueplatform.stewardship.notices import Reading, unread_bad_news, unseen

DISMISS: Final = "Dismiss"
DISMISS_PATH: Final = "/notices/dismiss"
BAD_NEWS_PATH: Final = "/bad-news/dismiss"


async def story_notice(caller: Caller, place: Place, current: str) -> Notice | None:
    """For the customer's own people, and for the account's steward."""
    if not caller.may(Action.READ_STORY) or not (place.is_own or await _is_steward(caller, place)):
        return None
    reading = Reading(place.account, caller.user.user_id, is_customer=place.is_own)
    found = await unseen(caller.tx, reading, caller.now)
    if found is None:
        return None
    news, at = found
    first, zone = news.lines[0], place.account.timezone
    anchor = anchors(news.stored.document).get(first.insight_id, STAND)
    seen = short_day(local_day(at, zone), local_day(caller.now, zone))
    fields = (("version", str(news.stored.version)), ("back", place.path(current)))
    return Notice(
        lead=f"{len(news.lines)} new in {'your' if place.is_own else 'its'} story since {seen}.",
        link=Link(first.text, f"{place.path('/story')}#{anchor}"),
        dismiss=Act(DISMISS, place.path(DISMISS_PATH), fields),
    )


async def _is_steward(caller: Caller, place: Place) -> bool:
    if caller.user.role is not UserRole.STEWARD:
        return False
    steward = await steward_of(caller.tx, place.account.account_id)
    return steward is not None and steward.email == caller.user.email


async def bad_news_notice(caller: Caller, current: str) -> Notice | None:
    """For a steward, on pages of several accounts: bad news that is told and that they have not read."""
    if caller.user.role is not UserRole.STEWARD:
        return None
    found = await unread_bad_news(caller.tx, caller.user.user_id, caller.now)
    if not found:
        return None
    first, accounts = found[0], len({one.account_id for one in found})
    return Notice(
        lead=f"Bad news in {accounts} of your accounts." if accounts > 1 else f"Bad news from {first.name}.",
        link=Link(
            f"{first.name}: {first.text}" if accounts > 1 else first.text,
            f"/accounts/{quote(first.key, safe='')}/story",
        ),
        dismiss=Act(DISMISS, BAD_NEWS_PATH, (("told", first.told_at.isoformat()), ("back", current))),
        risk=True,
    )
