"""R7: events at the bounds of time, late and out of order, while their accounts' zones change: what is taken, which day
it counts for, and what the story says of a month that was closed.

All moments are told to the code, none is read from the clock. Days are recounted by PostgreSQL's own zones, verdicts by
two comparisons, restatements from postings. Run: `python -m benchmarks.time_bounds [--quick]`, or with the others,
`python -m benchmarks.faults --only R7 [--quick]`.
"""

import argparse
import asyncio
import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import text

from benchmarks.figures import Measured, figure
from valueplatform.commands.context import Databases, connect, upgrade_schema
from valueplatform.commands.verify import FIRST_DAY, verified
from valueplatform.core.authorization import operator_scope
from valueplatform.core.embedded import running
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import month_of
from valueplatform.core.scope import grant_accounts
from valueplatform.core.settings import Settings
from valueplatform.telemetry.cloudevents import parse_json
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.requests import IngestRequest, Sender
from valueplatform.telemetry.rezoning import rezone
from valueplatform.telemetry.storing import Ledger
from valueplatform.value.applying import apply_model
from valueplatform.value.model_file import read_model
from valueplatform.value.postings import close_month
from valueplatform.worker import Worker

MODEL: Final = """
supplier = { name = "Bounds", currency = "USD", timezone = "UTC" }

[[meter]]
slug = "jobs"
event = "job.done"
aggregation = "COUNT"
dimensions = ["team"]

[[meter]]
slug = "minutes"
event = "job.done"
aggregation = "SUM"
property = "minutes"
dimensions = ["team"]

[[assumption]]
slug = "hourly_cost"
unit = "USD/hour"
default = { low = "38", expected = "45", high = "52" }

[[driver]]
slug = "time_saved"
title = "Time saved"
evidence = "measured"
unit = "USD"
formula = "minutes / 60 * hourly_cost"
"""
ZONES: Final = (
    "America/New_York", "Australia/Lord_Howe", "UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Kiritimati",
    "America/St_Johns", "Africa/Cairo", "Pacific/Chatham", "America/Sao_Paulo", "Asia/Tokyo", "Pacific/Pago_Pago",
)  # fmt: skip
"""Hours that are cut and repeated, by an hour and by half of one; at midnight, at 2, at 2:45; the first and the last
place where a day begins; none at all."""
BEFORE: Final = datetime(2026, 4, 30, tzinfo=UTC)
"""When the first half is sent: April is not over anywhere."""
NOW: Final = datetime(2026, 6, 15, 12, tzinfo=UTC)
"""When the rest is sent, and the first half again."""
CLOSED: Final = (date(2025, 1, 1), date(2026, 5, 1))
"""The months between are closed when the rest comes."""
AHEAD: Final = timedelta(hours=24)
EARLIEST: Final = datetime(2, 1, 1, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
AROUND: Final = (-SECOND, -timedelta(microseconds=1), timedelta(), timedelta(microseconds=1), SECOND)
SENDER: Final = Sender("http", "supplier")
BATCH: Final = 200

Moment = tuple[str, datetime]
"""An account, which is called as its zone, and when."""

_ACCOUNTS: Final = text("SELECT account_id, key, timezone FROM account WHERE account_id > 0 ORDER BY account_id")
_DIFFERENT_DAYS: Final = text("""
    SELECT count(*) FROM event WHERE utc_day <> (time AT TIME ZONE 'UTC')::date
""")
_DIFFERENT_ROLLUPS: Final = text("""
    WITH recounted AS (
        SELECT account_id, (time AT TIME ZONE timezone)::date AS day, data ->> 'team' AS team, count(*) AS events,
               sum((data ->> 'minutes')::numeric) AS minutes
        FROM event JOIN account USING (account_id) GROUP BY 1, 2, 3
    ), held AS (
        SELECT account_id, day, dimensions[1] AS team, sum(total) FILTER (WHERE meter = 'jobs' || edition) AS events,
               sum(total) FILTER (WHERE meter = 'minutes' || edition) AS minutes
        FROM rollup JOIN account USING (account_id) GROUP BY 1, 2, 3
    )
    SELECT count(*) FROM recounted FULL JOIN held USING (account_id, day, team)
    WHERE recounted.events IS DISTINCT FROM held.events OR recounted.minutes IS DISTINCT FROM held.minutes
""")
_RESTATED: Final = text("""
    WITH month AS (
        SELECT account_id, driver, date_trunc('month', day)::date AS month,
               coalesce(sum(expected) FILTER (WHERE kind = 'close'), 0) AS said, sum(expected) AS now
        FROM posting GROUP BY 1, 2, 3
    ), told AS (
        SELECT account_id, subject AS driver, period_from AS month, number ->> 'name' AS name,
               (number ->> 'value')::numeric AS value
        FROM insight CROSS JOIN jsonb_array_elements(body -> 'numbers') AS number
        WHERE kind = 'adjustment' AND until IS NULL
    )
    SELECT month.account_id, month.month, month.said, month.now,
           (SELECT value FROM told WHERE name = 'said' AND (told.account_id, told.driver, told.month)
                = (month.account_id, month.driver, month.month)) AS told_said,
           (SELECT value FROM told WHERE name = 'now' AND (told.account_id, told.driver, told.month)
                = (month.account_id, month.driver, month.month)) AS told_now
    FROM month
""")
_SENTENCES: Final = text("""
    SELECT account_id FROM story WHERE audience = 'customer' AND document::text LIKE '%We said %'
    GROUP BY account_id
""")
_ACCOUNT: Final = text("""
    WITH made AS (INSERT INTO account (key, name, timezone) VALUES (:name, :name, :name) RETURNING account_id)
    INSERT INTO account_currency SELECT account_id, DATE '0001-01-01', 'USD' FROM made
""")
_SILENCED: Final = text("""
    UPDATE insight SET until = since WHERE (account_id, insight_id) IN (
        SELECT account_id, insight_id FROM insight WHERE kind = 'adjustment' AND until IS NULL LIMIT 1)
""")
_MOVED: Final = text("""
    UPDATE event SET time = time - interval '1 second' WHERE event_key IN (
        SELECT event_key FROM event JOIN account USING (account_id)
        WHERE (time AT TIME ZONE timezone)::time = '00:00'
            AND (time AT TIME ZONE timezone)::date = '2026-03-01' LIMIT 1)
""")


@dataclass(frozen=True)
class Outcome:
    """How many events were sent and months restated, and what of it was not as it ought to be. The `control_` ones
    must be found: bounds a second off, an event moved over midnight by a second, a restatement that is gone."""

    events: int
    restated: int
    wrong_verdicts: int
    differences: int
    untold: int
    control_verdicts: int
    control_differences: int
    control_untold: int

    @property
    def good(self) -> bool:
        wrong = self.wrong_verdicts + self.differences + self.untold
        return not wrong and all((self.restated, self.control_verdicts, self.control_differences, self.control_untold))


def moments(zone_name: str) -> Iterator[datetime]:
    """Around local midnights of first days, around every change of clocks in two years, and far back."""
    zone = ZoneInfo(zone_name)
    firsts = [datetime(year, month, 1, tzinfo=zone) for year in (2025, 2026) for month in range(1, 13)]
    bounds = [*firsts, *changes_of_clocks(zone), NOW - timedelta(days=400), NOW - timedelta(days=3650), EARLIEST]
    bounds += [received + AHEAD for received in (BEFORE, NOW)]
    for bound in bounds:
        yield from (bound.astimezone(UTC) + offset for offset in AROUND)


def changes_of_clocks(zone: ZoneInfo) -> Iterator[datetime]:
    """Each, and an hour before and after: what is repeated comes in both of its folds."""
    hour = timedelta(hours=1)
    at = datetime(2024, 7, 1, tzinfo=UTC)
    while at < NOW:
        if at.astimezone(zone).utcoffset() != (at + hour).astimezone(zone).utcoffset():
            low, high = at, at + hour
            while high - low > SECOND:
                middle = (low + (high - low) / 2).replace(microsecond=0)
                same = middle.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            yield from (high - hour, high - hour / 2, high, high + hour / 2, high + hour)
        at += hour


def expected(time: datetime, received: datetime) -> str | None:
    """The code that an event is refused with, None where it is taken."""
    if time < EARLIEST:
        return "invalid_time"
    return "time_in_future" if time > received + AHEAD else None


@dataclass(frozen=True)
class Sent:
    """What became of one event of a request; `code` None: it was taken."""

    moment: Moment
    received: datetime
    code: str | None


def event_of(number: int, moment: Moment) -> dict[str, Any]:
    account, time = moment
    data = {"team": f"team-{number % 2}", "minutes": number % 50 + 1}
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "bounds",
        "type": "job.done",
        "account": account,
        "time": _rfc3339(time, number),
        "data": data,
    }


def _rfc3339(time: datetime, number: int) -> str:
    """In UTC, or with the offset of a zone far from it: the moment is the same."""
    if number % 3 == 0 and time.year > 1000:
        return time.astimezone(ZoneInfo("Pacific/Kiritimati")).isoformat()
    return time.isoformat().replace("+00:00", "Z")


async def send(databases: Databases, numbered: Sequence[tuple[int, Moment]], received: datetime) -> list[Sent]:
    """In requests of up to 200, as if they came at `received`."""
    ledger, found = Ledger(), []
    for start in range(0, len(numbered), BATCH):
        part = numbered[start : start + BATCH]
        parsed = parse_json(msgspec.json.encode([event_of(*one) for one in part]), received)
        request = IngestRequest(SENDER, received, parsed.events, parsed.rejections)
        (report,) = await commit_requests(databases.ingest, [request], ledger)
        codes = {one.index: one.code for one in report.rejections}
        assert report.received == report.stored + report.duplicates + len(codes)
        found += [Sent(moment, received, codes.get(index)) for index, (_, moment) in enumerate(part)]
    return found


def wrong_verdicts(sent: Iterable[Sent], off: timedelta = timedelta()) -> int:
    """`off`: how far the clock that they are judged by is wrong."""
    return sum(one.code != expected(one.moment[1], one.received + off) for one in sent)


async def close_months(databases: Databases, accounts: Sequence[Any]) -> int:
    """At the first moment after the month in its zone; how many could be closed a second earlier."""
    early = 0
    for account in accounts:
        month = month_of(CLOSED[0])
        while month.start < CLOSED[1]:
            over = datetime(month.end.year, month.end.month, month.end.day, tzinfo=ZoneInfo(account.timezone))
            for moment in (over.astimezone(UTC) - SECOND, over.astimezone(UTC)):
                async with databases.worker.transaction(grant_accounts([account.account_id])) as tx:
                    try:
                        await close_month(tx, account.account_id, account.timezone, month, moment)
                    except UnprocessableError:
                        early -= 1
            early += 1
            month = month_of(month.end)
    return early


async def untold(databases: Databases) -> tuple[int, int]:
    """Closed months that changed by at least 1 %, and those of them that no insight tells with both numbers, or whose
    account's story is silent."""
    async with databases.admin.transaction(operator_scope()) as tx:
        months, speaking = await tx.rows(_RESTATED), {row.account_id for row in await tx.rows(_SENTENCES)}
    changed = [row for row in months if row.now != row.said and abs(row.now - row.said) * 100 >= abs(row.said)]
    silent = [
        row for row in changed
        if (row.told_said, row.told_now) != (row.said, row.now) or row.account_id not in speaking
    ]  # fmt: skip
    return len(changed), len(silent)


async def differences(databases: Databases) -> int:
    """Days and rollups that PostgreSQL counts otherwise, and what `verify` finds."""
    async with databases.admin.transaction(operator_scope()) as tx:
        days, rollups = await tx.scalar(_DIFFERENT_DAYS), await tx.scalar(_DIFFERENT_ROLLUPS)
    return int(days) + int(rollups) + len((await verified(databases, None, FIRST_DAY)).differences)


async def move_about(databases: Databases, accounts: Sequence[Any]) -> None:
    """Every account to the zone of another, and back."""
    others = dict(zip(ZONES, (*ZONES[1:], ZONES[0]), strict=True))
    for zones in (others, {name: name for name in ZONES}):
        wanted = {account.account_id: zones[account.key] for account in accounts}
        await rezone(databases.worker, operator_scope(), wanted, lambda _done, _total: None, databases.ingest)


async def tried(databases: Databases, zones: Sequence[str] = ZONES) -> Outcome:
    """Send half of all moments, close the months, and send all of them while accounts go to other zones and come back:
    late, out of order, half of them again."""
    await _prepare(databases, zones)
    async with databases.admin.transaction(operator_scope()) as tx:
        accounts = await tx.rows(_ACCOUNTS)
    numbered = list(enumerate((name, time) for name in zones for time in sorted(set(moments(name)))))
    random.Random(7).shuffle(numbered)
    sent = await send(databases, numbered[::2], BEFORE)
    await Worker(databases.worker, lambda: BEFORE).drain()
    early = await close_months(databases, accounts)
    random.Random(8).shuffle(numbered)
    rest, _ = await asyncio.gather(send(databases, numbered, NOW), move_about(databases, accounts))
    sent += rest
    await Worker(databases.worker, lambda: NOW).drain()
    restated, silent = await untold(databases)
    found = await differences(databases)
    async with databases.admin.transaction(operator_scope()) as tx:
        await tx.execute(_MOVED)
        await tx.execute(_SILENCED)
    return Outcome(
        events=len(sent),
        restated=restated,
        wrong_verdicts=wrong_verdicts(sent) + early,
        differences=found,
        untold=silent,
        control_verdicts=wrong_verdicts(sent, SECOND / 2),
        control_differences=await differences(databases),
        control_untold=(await untold(databases))[1],
    )


async def _prepare(databases: Databases, zones: Sequence[str]) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        await apply_model(tx, read_model(MODEL, "model.toml"))
        for name in zones:
            await tx.execute(_ACCOUNT, {"name": name})


async def bounds_of_time(*, quick: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="vp-bounds-") as folder, running(Path(folder) / "data") as server:
        databases = connect(Settings(None, Path(folder)), server.url)
        await upgrade_schema(databases)
        found = await tried(databases, ZONES[:3] if quick else ZONES)
        await databases.dispose()
    lines = {
        "verdicts that the bounds contradict; control: judged by half a second":
            (Measured(found.wrong_verdicts, found.control_verdicts), found.events),
        "days, rollups and amounts that a recount contradicts; control: one event moved by a second":
            (Measured(found.differences, found.control_differences), found.events),
        "closed months that changed and were not restated; control: one taken out":
            (Measured(found.untold, found.control_untold), found.restated),
    }  # fmt: skip
    for name, (measured, count) in lines.items():
        figure("R7", name, measured, target=0, unit="cases", n=count)
    if not found.good:
        raise SystemExit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three zones instead of twelve")
    asyncio.run(bounds_of_time(quick=parser.parse_args().quick))
