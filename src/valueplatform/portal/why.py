"""Why value of one period differs from that of another: asked for in a sentence of two choices, or by days."""

from datetime import date

from litestar import Response, get
from litestar.params import FromQuery

from valueplatform.core.authorization import Action
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.periods import ONE_DAY, Period, local_day
from valueplatform.portal.calling import Key, PortalRequest, both, place_of
from valueplatform.portal.frame import account_shell
from valueplatform.portal.portal import Shared
from valueplatform.portal.why_choices import option_of, period_of
from valueplatform.portal.why_numbers import Found
from valueplatform.portal.why_view import why_view
from valueplatform.value.bridge_answer import money_lines
from valueplatform.value.bridge_cuts import DRIVER, read_cut
from valueplatform.value.bridge_read import BridgeQuestion, periods_asked, read_bridge
from valueplatform.value.postings import closed_months
from valueplatform.value.shown import first_value_day


@get(both("/why"))
async def why_page(
    request: PortalRequest,
    portal: Shared,
    key: Key = None,
    period: FromQuery[str] = "",
    against: FromQuery[str] = "",
    first: FromQuery[str] = "",
    last: FromQuery[str] = "",
    against_first: FromQuery[str] = "",
    against_last: FromQuery[str] = "",
    by: FromQuery[str] = "",
) -> Response[str]:
    """`period` and `against` are months, quarters or years (2026-05, 2026-Q2, 2026); `first` to `last` any days, both
    of them included. Without any, the last whole month against the one before it. `by` cuts the change by provider,
    benefit class or a dimension of the meters; without it, driver by driver."""
    by_days = any((first, last, against_first, against_last))
    after = _days(first, last) if by_days else _named(period)
    before = _days(against_first, against_last) if by_days else _named(against)
    async with portal.door.entered(request, steady=True) as caller:
        place = await place_of(caller, key, Action.READ_VALUE)
        account_id, today = place.account.account_id, local_day(caller.now, place.account.timezone)
        before, after = periods_asked(*_ends(after), *_ends(before), today)
        whole = await read_bridge(caller.tx, place.account, BridgeQuestion(before, after))
        counts = await read_bridge(caller.tx, place.account, BridgeQuestion(before, after, counted=True))
        read = counts if money_lines(counts) else whole
        cut = None
        if by not in {"", DRIVER}:
            cut = await read_cut(caller.tx, place.account, read.question, by)
        found = Found(
            read=read,
            whole=whole,
            place=place,
            today=today,
            closed=frozenset(await closed_months(caller.tx, account_id)),
            first=await first_value_day(caller.tx, account_id),
            asked=(option_of(after), option_of(before)),
            by_days=by_days,
            cut=cut,
        )
        shell = await account_shell(caller, place, "/why")
    return portal.pages.page("why.html", shell=shell, why=why_view(found))


def _ends(period: Period | None) -> tuple[date | None, date | None]:
    return (None, None) if period is None else (period.start, period.end)


def _named(text: str) -> Period | None:
    if not text:
        return None
    found = period_of(text)
    if found is None:
        raise InvalidInputError(f"{text!r} is no period; write it as 2026-05, 2026-Q2 or 2026.")
    return found


def _days(first: str, last: str) -> Period | None:
    if not first and not last:
        return None
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last)
        return Period(start, end + ONE_DAY)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError("Give the first and the last day of a period, as 2026-05-01.") from error


HANDLERS = (why_page,)
