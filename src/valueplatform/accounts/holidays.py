"""Public holidays where an account is, by the `holidays` library: of the whole country, not of its parts.

The country is the attribute `country` of the account, a code of ISO 3166-1 alpha-2, else that of its time zone (CLDR).
A zone of no country (UTC), and a country that the library does not know, have no holidays.
"""

from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

from babel.core import get_global
from holidays import country_holidays, list_supported_countries

from valueplatform.accounts.accounts import Attributes
from valueplatform.core.periods import ONE_DAY, Period

COUNTRY: Final = "country"
NEARBY: Final = timedelta(days=7)
"""Between two holidays that are no further apart little is done, as from Christmas to New Year."""
_THURSDAY: Final = 3
_KNOWN: Final = frozenset(list_supported_countries())
_OF_ZONE: Final = get_global("zone_territories")
_RENAMED: Final = get_global("zone_aliases")


def country_of(attributes: Attributes, timezone: str) -> str | None:
    """None where it is not known."""
    given = attributes.get(COUNTRY)
    code = given.strip().upper() if isinstance(given, str) else _OF_ZONE.get(_RENAMED.get(timezone, timezone))
    return code if code in _KNOWN else None


def public_holidays(country: str | None, period: Period) -> frozenset[date]:
    """Those of the period; none without a country."""
    if country is None:
        return frozenset()
    years = range(period.start.year, period.end.year + 1)
    return frozenset(day for year in years for day in _of_year(country, year) if day in period)


def days_at_rest(country: str | None, period: Period) -> frozenset[date]:
    """Days of the period that say nothing of others, because work rests: a public holiday and the day before it, the
    Friday after one on a Thursday, and what lies between two that are a week apart or less."""
    off = sorted(public_holidays(country, Period(period.start - NEARBY, period.end + NEARBY)))
    found = {day - ahead * ONE_DAY for day in off for ahead in (0, 1)}
    found |= {day + ONE_DAY for day in off if day.weekday() == _THURSDAY}
    for earlier, later in pairwise(off):
        if later - earlier <= NEARBY:
            found |= set(Period(earlier, later))
    return frozenset(day for day in found if day in period)


@lru_cache(maxsize=1024)
def _of_year(country: str, year: int) -> frozenset[date]:
    return frozenset(country_holidays(country, years=year))
