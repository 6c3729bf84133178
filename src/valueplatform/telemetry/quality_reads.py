"""The quality of what comes in as it is read: each source of each account in scope, with its open findings.

What has no source of its own (the shape of events, reconciliation) stands under the account without a source; what has
no account either, or is about all of them, without both. A page costs as much as it shows, however much is kept:
sources are found one by one in the order of their index.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.pages import Page, checked_limit, page_of, text_position
from valueplatform.core.periods import local_day
from valueplatform.telemetry.intake_sums import IntakeDay

RECENT: Final = timedelta(days=7)
WEEKS: Final = 8
MOST_COUNTED: Final = 5_000
_BREAK: Final = "\x1f"

_PLACES: Final = """
    WITH RECURSIVE place AS (
        (SELECT account_id, source FROM intake_day
         WHERE (account_id, source) > (CAST(:account AS bigint), CAST(:source AS text)) {first}
         ORDER BY account_id, source LIMIT 1)
        UNION ALL
        SELECT next.account_id, next.source FROM place, LATERAL (
            SELECT account_id, source FROM intake_day
            WHERE (account_id, source) > (place.account_id, place.source) {first}
            ORDER BY account_id, source LIMIT 1) AS next
    )
"""
_ONE_ACCOUNT: Final = "AND account_id = :chosen"
_LISTED: Final = "SELECT account_id, source FROM place {only} LIMIT :limit"
_COUNTED: Final = "SELECT count(*) FROM (SELECT FROM place LIMIT :limit) AS counted"
_WITH_FINDINGS: Final = text("""
    SELECT DISTINCT account_id, coalesce(source, '') AS source FROM quality_finding
    WHERE ended_at IS NULL AND (account_id, coalesce(source, '')) > (CAST(:account AS bigint), CAST(:source AS text))
      AND (CAST(:chosen AS bigint) IS NULL OR account_id = :chosen)
      AND (CAST(:only AS text) IS NULL OR source = :only) AND (:all_of_them OR source IS NULL)
    ORDER BY 1, 2 LIMIT :limit
""")
_OPEN_PLACES: Final = text("""
    SELECT count(DISTINCT (account_id, coalesce(source, ''))) AS places, count(*) AS findings,
           count(*) FILTER (WHERE severity = 'failure') AS failures,
           count(*) FILTER (WHERE severity = 'notice') AS notices
    FROM quality_finding WHERE ended_at IS NULL
""")
_ACCOUNTS: Final = text("""
    SELECT account_id, key, name, timezone FROM account WHERE account_id = ANY(CAST(:ids AS bigint[]))
""")
_ACCOUNT: Final = text("SELECT account_id FROM account WHERE key = :key")
_FINDINGS: Final = text("""
    SELECT account_id, coalesce(source, '') AS of_source, what, place, severity, stated AS usual, recomputed AS seen,
           since_day AS since, through_day AS through, found_at
    FROM quality_finding JOIN unnest(CAST(:ids AS bigint[]), CAST(:sources AS text[])) AS asked (id, name)
        ON account_id = asked.id AND coalesce(source, '') = asked.name
    WHERE ended_at IS NULL ORDER BY found_at, finding_id
""")
_DAYS: Final = text("""
    SELECT account_id, source, day, happened, stored, duplicates, conflicts, rejected, ahead, lead, behind, last_at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:sources AS text[])) AS asked (id, name)
    JOIN intake_day ON account_id = asked.id AND source = asked.name
    WHERE day >= :since ORDER BY day
""")
_LAST: Final = text("""
    SELECT id AS account_id, name AS source, (
        SELECT last_at FROM intake_day WHERE account_id = id AND source = name AND last_at IS NOT NULL
        ORDER BY day DESC LIMIT 1) AS last_at, (
        SELECT day FROM intake_day WHERE account_id = id AND source = name AND happened > 0
        ORDER BY day DESC LIMIT 1) AS last_day
    FROM unnest(CAST(:ids AS bigint[]), CAST(:sources AS text[])) AS asked (id, name)
""")


class Shown(StrEnum):
    ALL = "all"
    OPEN = "open"
    """Those with open findings."""


class Finding(msgspec.Struct, frozen=True):
    """What is wrong, since when and through which local day. Reconciliation says what is stated as `usual` and what was
    recomputed as `seen`."""

    what: str
    place: str
    severity: str
    usual: str
    seen: str
    since: date | None
    through: date | None
    found_at: datetime


class Freshness(msgspec.Struct, frozen=True):
    """`silent_days` are whole local days since the last one with events."""

    last_received_at: datetime | None
    last_event_day: date | None
    silent_days: int | None


class Volume(msgspec.Struct, frozen=True):
    """Events of the last seven whole days, and the median of the eight weeks before, as far as they are known."""

    events: int
    usual: int | None


class Intake(msgspec.Struct, frozen=True):
    """What came in within seven days, today included. `clock_ahead_seconds`: how far its sender's clock was ahead at
    most; null where none was by more than a minute."""

    received: int
    duplicates: int
    conflicts: int
    rejected: int
    clock_ahead_seconds: int | None


class SourceQuality(msgspec.Struct, frozen=True):
    """One source of one account. `account` is null where it could not be told, `source` where a finding has none."""

    account: str | None
    account_name: str | None
    source: str | None
    freshness: Freshness
    volume: Volume
    intake: Intake
    findings: Sequence[Finding]


class QualityCounts(msgspec.Struct, frozen=True):
    """Places are sources of accounts; those with open findings, and the findings."""

    places: int
    troubled: int
    findings: int
    failures: int
    notices: int


_Place = tuple[int, str]


async def quality_page(
    tx: Transaction,
    now: datetime,
    *,
    shown: Shown = Shown.ALL,
    account: str | None = None,
    source: str | None = None,
    limit: int,
    cursor: str | None,
) -> Page[SourceQuality]:
    """Sources by account and name. Raises InvalidInputError."""
    asked = checked_limit(limit) + 1
    chosen: int | None = None
    if account is not None:
        chosen = await tx.scalar(_ACCOUNT, {"key": _plain(account, "account")})
        if chosen is None:
            return Page((), None)
    where = {"chosen": chosen, "only": None if source is None else _plain(source, "source"), "limit": asked}
    where |= dict(zip(("account", "source"), _position(cursor), strict=True))
    rows = [*await tx.rows(_WITH_FINDINGS, where | {"all_of_them": shown is Shown.OPEN})]
    if shown is Shown.ALL:
        first = _ONE_ACCOUNT if chosen is not None else ""
        only = "WHERE source = :only" if source is not None else ""
        named = {name: value for name, value in where.items() if value is not None}
        rows += await tx.rows(text(_PLACES.format(first=first) + _LISTED.format(only=only)), named)
    places = {(row.account_id, row.source) for row in rows}
    page = page_of(sorted(places)[:asked], limit, lambda place: f"{place[0]}{_BREAK}{place[1]}")
    return Page(await _described(tx, page.items, now), page.next_cursor)


async def quality_counts(tx: Transaction) -> QualityCounts:
    """Sources up to 5,000 are counted."""
    every = text(_PLACES.format(first="") + _COUNTED)
    places = await tx.scalar(every, {"account": -1, "source": "", "limit": MOST_COUNTED})
    row = await tx.row(_OPEN_PLACES)
    counted = row._asdict() if row is not None else {"places": 0, "findings": 0, "failures": 0, "notices": 0}
    troubled = counted.pop("places")
    return QualityCounts(places=max(int(places or 0), troubled), troubled=troubled, **counted)


def _plain(name: str, parameter: str) -> str:
    if "\0" in name:
        raise InvalidInputError(f"`{parameter}` holds a zero byte, which no name does.")
    return name


def _position(cursor: str | None) -> _Place:
    """Where the page before ended. Raises InvalidInputError."""
    number, _, source = (text_position(cursor) or f"-1{_BREAK}").partition(_BREAK)
    try:
        account_id = int(number)
    except ValueError:
        account_id = -(2**63)
    if not -1 <= account_id < 2**63:
        raise InvalidInputError(f"`cursor` {cursor!r} is not one that this list gave; start again without a cursor.")
    return account_id, source


async def _described(tx: Transaction, places: Sequence[_Place], now: datetime) -> list[SourceQuality]:
    where = {"ids": [account_id for account_id, _ in places], "sources": [source for _, source in places]}
    accounts = {row.account_id: row for row in await tx.rows(_ACCOUNTS, {"ids": where["ids"]})}
    since = (now - RECENT * (WEEKS + 2)).date()
    days: defaultdict[_Place, list[IntakeDay]] = defaultdict(list)
    for row in await tx.rows(_DAYS, where | {"since": since}):
        told = row._asdict()
        days[told.pop("account_id"), told.pop("source")].append(IntakeDay(**told))
    findings: defaultdict[_Place, list[Finding]] = defaultdict(list)
    for row in await tx.rows(_FINDINGS, where):
        told = row._asdict()
        findings[told.pop("account_id"), told.pop("of_source")].append(Finding(**told))
    last = {(row.account_id, row.source): row for row in await tx.rows(_LAST, where)}
    found = []
    for place in places:
        account = accounts.get(place[0])
        today = local_day(now, account.timezone if account is not None else str(UTC))
        last_day = last[place].last_day
        found.append(
            SourceQuality(
                account=account.key if account is not None else None,
                account_name=account.name if account is not None else None,
                source=place[1] or None,
                freshness=Freshness(
                    last[place].last_at,
                    last_day,
                    max((today - last_day).days - 1, 0) if last_day is not None else None,
                ),
                volume=volume_of(days[place], today),
                intake=intake_of(days[place], today),
                findings=findings[place],
            )
        )
    return found


def volume_of(days: Collection[IntakeDay], today: date) -> Volume:
    """Weeks before the first event that is known are no weeks."""

    def within(start: date) -> int:
        return sum(one.happened for one in days if start <= one.day < start + RECENT)

    first = min((one.day for one in days if one.happened > 0), default=today)
    starts = [today - RECENT * (week + 1) for week in range(1, WEEKS + 1)]
    before = [within(start) for start in starts if start >= first]
    return Volume(within(today - RECENT), round(median(before)) if before else None)


def intake_of(days: Collection[IntakeDay], today: date) -> Intake:
    recent = [one for one in days if today - RECENT < one.day <= today]
    duplicates, conflicts, rejected = (
        sum(getattr(one, name) for one in recent) for name in ("duplicates", "conflicts", "rejected")
    )
    lead = max((one.lead for one in recent if one.lead is not None and one.ahead), default=None)
    stored = sum(one.stored for one in recent)
    return Intake(stored + duplicates + conflicts + rejected, duplicates, conflicts, rejected, lead)
