"""Bad news of an account, as its steward sees it: what may be held, what is, and every hold so far."""

from datetime import datetime

from valueplatform.core.authorization import Action
from valueplatform.portal.calling import Caller, Place
from valueplatform.portal.exact import moment_text
from valueplatform.portal.view.steward import NewsHold
from valueplatform.portal.view.words import Act
from valueplatform.stewardship.bad_news import BadNews
from valueplatform.stewardship.holds import Hold, holdable, holds_of, latest

HOLD_PATH = "/hold"


async def read_hold(caller: Caller, place: Place, reason: str = "", error: str = "") -> NewsHold | None:
    """None for whoever may not hold news, and where there is nothing to say."""
    if not caller.may(Action.HOLD_NEWS):
        return None
    holds = await holds_of(caller.tx, place.account.account_id)
    news = await holdable(caller.tx, place.account, caller.now)
    if not (holds or news or error):
        return None
    return hold_view(place, holds, news, caller.now, reason, error)


def hold_view(
    place: Place, holds: tuple[Hold, ...], news: tuple[BadNews, ...], now: datetime, reason: str = "", error: str = ""
) -> NewsHold:
    zone = place.account.timezone
    standing = next((hold for hold in holds if hold.stands(now)), None)
    return NewsHold(
        state=_state(standing, news, zone),
        news=tuple(one.text for one in news),
        place=place.path(HOLD_PATH) if standing is None and (news or error) else "",
        release=Act("Release the news", place.path(f"{HOLD_PATH}/release")) if standing else None,
        record=tuple(_line(hold, zone) for hold in holds),
        reason=reason,
        error=error,
    )


def _state(standing: Hold | None, news: tuple[BadNews, ...], zone: str) -> str:
    if standing is not None:
        return f"Held by {standing.author} until {moment_text(standing.until, zone)}: {standing.reason}"
    if news:
        end = moment_text(latest(news[0].told_at, zone), zone)
        return f"You may hold this back until {end}, two working days from when it was first told."
    return "Nothing new."


def _line(hold: Hold, zone: str) -> str:
    ended = ""
    if hold.released_at is not None:
        ended = f" Released by {hold.released_by} on {moment_text(hold.released_at, zone)}."
    placed, until = moment_text(hold.placed_at, zone), moment_text(hold.until, zone)
    return f"{hold.author}, {placed} until {until}: {hold.reason}{ended}"
