"""What is wrong with what comes in, by source: silence, volume, shares of what was not new, clocks. Pure.

Every rule compares a source with itself: its own rhythm, its own weekdays, its own shares. Times are local days; today
is not over and is never judged for how little came. What a rule looks at, its threshold and the least data that it
needs are in its docstring; volume has a module of its own (`quality_volume`), the shape of events another
(`quality_schema`).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

import msgspec

from valueplatform.core.periods import ONE_DAY
from valueplatform.telemetry.intake_sums import IntakeDay
from valueplatform.telemetry.quality_volume import WINDOW, Run, volume_runs

FAILURE, WARNING, NOTICE = "failure", "warning", "notice"
"""Severities: what is stated is wrong; what is stated may be; something has changed."""
FRESHNESS, VOLUME = "freshness", "volume"
SHARES: Final = ("rejections", "conflicts", "duplicates")
CLOCK: Final = "clock"
OF_SOURCES: Final = (FRESHNESS, VOLUME, *SHARES, CLOCK)

FEWEST_ACTIVE: Final = 8
FEWEST_ARRIVALS: Final = 4
SHORTEST_SPAN: Final = timedelta(days=28)
LONGEST_SILENCE: Final = timedelta(days=120)
RECENT: Final = 3 * ONE_DAY
BEFORE: Final = timedelta(days=56)
_FLOORS: Final = {"rejections": 0.02, "conflicts": 0.01, "duplicates": 0.3}
_FEWEST_RECEIVED: Final = 50
_IMPROBABLE: Final = math.log(1e-6)
_AHEAD_EVENTS, _AHEAD_SHARE = 5, 0.05
_BEHIND_SECONDS, _BEHIND_ALIKE, _BEHIND_DAYS, _BEHIND_EVENTS = 600, 300, 5, 20


class Found(msgspec.Struct, frozen=True):
    """A finding as it stands now. `what` and `place` name it: the same again is the same finding, further on.

    `usual` and `seen` are plain text for people of the supplier; `numbers` are exact. `types` are the event types
    concerned, as far as they are known.
    """

    what: str
    place: str
    usual: str
    seen: str
    severity: str
    source: str | None = None
    since: date | None = None
    through: date | None = None
    numbers: dict[str, int] = {}
    types: tuple[str, ...] = ()


def judge_source(source: str, days: Sequence[IntakeDay], today: date, *, expected: bool) -> list[Found]:
    """What is wrong with a source now; `days` in order, of the last 140 or more. `expected`: its account is to send."""
    judged = [silence(source, days, today) or volume(source, days, today)] if expected else []
    judged += [*shares(source, days, today), clock(source, days, today)]
    return [found for found in judged if found is not None]


def lateness(days: Sequence[IntakeDay], today: date) -> int:
    """Whole days by which a source is usually behind: the median, over the days that it came in on, of how old its
    newest event was by then; nothing for what comes every day, nor before it came in on 4 days."""
    known = [one.behind for one in days if one.behind is not None and today - BEFORE <= one.day <= today]
    return max(int(median(known)) - 1, 0) if len(known) >= FEWEST_ARRIVALS else 0


def pause_allowed(active: Sequence[date]) -> int | None:
    """Days without events that are nothing unusual after such days: twice the longest pause but one, and one more; two
    at least. The longest is left out, since it may have been an outage. None below 8 days over 4 weeks."""
    if len(active) < FEWEST_ACTIVE or active[-1] - active[0] < SHORTEST_SPAN:
        return None
    pauses = sorted((later - earlier).days - 1 for earlier, later in pairwise(active))
    return max(2, 2 * pauses[-2] + 1)


def silence(source: str, days: Sequence[IntakeDay], today: date) -> Found | None:
    """Silent for longer than its own rhythm.

    Statistic: whole days since the last one with events, less the days that the source is usually behind. Threshold:
    `pause_allowed`; or, for sources with enough of a weekly season, a run of `volume_runs` that holds no event at all.
    Minimum data: 8 days with events over 4 weeks. After 120 days it is no finding any more: the source is gone.
    """
    active = [one.day for one in days if one.happened > 0 and one.day <= today]
    if not active or today - active[-1] > LONGEST_SILENCE:
        return None
    late = lateness(days, today)
    silent = (today - active[-1]).days - 1
    allowed = pause_allowed([day for day in active if day >= active[-1] - WINDOW])
    if silent < 1 or ((allowed is None or silent - late <= allowed) and not _empty_run(days, active, today, late)):
        return None
    since = active[-1] + ONE_DAY
    pause = (allowed - 1) // 2 if allowed is not None else 0
    usual = f"no pause of more than {_days(pause)}" if pause else "events every day"
    numbers = {"silent_days": silent, "usually_behind_days": late}
    seen = f"no events for {_days(silent)}"
    return Found(FRESHNESS, source, usual, seen, WARNING, source, since, today - ONE_DAY, numbers)


def _empty_run(days: Sequence[IntakeDay], active: Sequence[date], today: date, late: int) -> bool:
    run = _open_run(days, today, late)
    return run is not None and not run.above and run.events == 0 and active[-1] < run.since


def volume(source: str, days: Sequence[IntakeDay], today: date) -> Found | None:
    """More or less than is usual for the weekday, up to the last whole day: see `quality_volume`."""
    run = _open_run(days, today, lateness(days, today))
    if run is None:
        return None
    usual = round(run.usual)
    numbers = {
        "events": run.events,
        "usual": usual,
        "above": int(run.above),
        "days": (run.through - run.since).days + 1,
    }
    seen = f"{run.events:,} events in {_days(numbers['days'])}"
    severity = NOTICE if run.above else WARNING
    return Found(VOLUME, source, f"about {usual:,}", seen, severity, source, run.since, run.through, numbers)


def _open_run(days: Sequence[IntakeDay], today: date, late: int) -> Run | None:
    last = today - (1 + late) * ONE_DAY
    counts = {one.day: one.happened for one in days if last - WINDOW < one.day <= last}
    seen = [day for day, events in counts.items() if events > 0]
    runs = list(volume_runs(counts, min(seen), last)) if seen else []
    return runs[-1] if runs and runs[-1].is_open else None


def shares(source: str, days: Sequence[IntakeDay], today: date) -> Iterator[Found]:
    """Too much of what came in was rejected, in conflict, or known already.

    Statistic: the share of the last three days, against that of the eight weeks before. Threshold: at least 2 %
    rejected, 1 % in conflict, 30 % known; and so many would come by chance less than once in a million at three times
    the usual share (the bound of Chernoff 1952 on the binomial tail). Minimum data: 50 received.
    """
    recent = [one for one in days if today - RECENT < one.day <= today]
    before = [one for one in days if today - RECENT - BEFORE < one.day <= today - RECENT]
    received = _received(recent)
    for what in SHARES:
        bad, floor = _of(what, recent), _FLOORS[what]
        earlier = _of(what, before) / _received(before) if _received(before) >= _FEWEST_RECEIVED else 0.0
        if received < _FEWEST_RECEIVED or bad < floor * received:
            continue
        if _log_tail(bad, received, max(3 * earlier, floor / 2)) > _IMPROBABLE:
            continue
        since = _since(what, days, today, floor)
        seen = f"{bad:,} of {received:,} received in three days"
        severity = NOTICE if what == "duplicates" else WARNING
        numbers = {"bad": bad, "received": received}
        yield Found(what, source, _percent(earlier), seen, severity, source, since, today, numbers)


def _of(what: str, days: Iterable[IntakeDay]) -> int:
    name = {"rejections": "rejected"}.get(what, what)
    return sum(getattr(one, name) for one in days)


def _received(days: Iterable[IntakeDay]) -> int:
    return sum(one.stored + one.duplicates + one.conflicts + one.rejected for one in days)


def _log_tail(bad: int, received: int, share: float) -> float:
    """The logarithm of a bound on the chance of `bad` or more of `received`."""
    seen = bad / received
    if share >= 1 or seen <= share:
        return 0.0
    rest = (1 - seen) * math.log((1 - seen) / (1 - share)) if seen < 1 else 0.0
    return -received * (seen * math.log(seen / share) + rest)


def _since(what: str, days: Sequence[IntakeDay], today: date, floor: float) -> date:
    """The first of the days in a row, among those on which anything came, that have as large a share."""
    since = today
    for one in reversed([one for one in days if one.day <= today and _received([one])]):
        if _of(what, [one]) < floor * _received([one]):
            break
        since = one.day
    return since


def clock(source: str, days: Sequence[IntakeDay], today: date) -> Found | None:
    """A sender's clock against ours.

    Ahead: in three days 5 new events and 5 % of them were more than a minute ahead of when they came in: nothing comes
    in before it has happened. Behind: on each of the last five days of at least 20 new events (within two weeks) the
    one that came in soonest took over ten minutes, and always the same to within five: delays vary, a clock that is
    behind does not (the lower envelope of one-way delays: Paxson 1998). A zone left out, or a batch at one minute of
    the day, looks alike; so that is a notice.
    """
    recent = [one for one in days if today - RECENT < one.day <= today]
    ahead, stored = sum(one.ahead for one in recent), sum(one.stored for one in recent)
    leads = [(one.day, one.lead) for one in recent if one.lead is not None]
    if ahead >= max(_AHEAD_EVENTS, _AHEAD_SHARE * stored):
        lead = max(seconds for _, seconds in leads)
        seen = f"{ahead:,} of {stored:,} events up to {duration(lead)} before they came in"
        numbers = {"ahead": ahead, "stored": stored, "lead_seconds": lead}
        first = min(one.day for one in recent if one.ahead)
        return Found(CLOCK, source, "times before they come in", seen, WARNING, source, first, today, numbers)
    busy = [one for one in days if today - timedelta(days=14) < one.day <= today and one.stored >= _BEHIND_EVENTS]
    soonest = [-one.lead for one in busy[-_BEHIND_DAYS:] if one.lead is not None]
    if len(soonest) < _BEHIND_DAYS or min(soonest) < _BEHIND_SECONDS or max(soonest) - min(soonest) > _BEHIND_ALIKE:
        return None
    seen = f"every event at least {duration(min(soonest))} old when it comes in"
    numbers = {"behind_seconds": min(soonest)}
    return Found(CLOCK, source, "delays that vary", seen, NOTICE, source, busy[-_BEHIND_DAYS].day, today, numbers)


def duration(seconds: int) -> str:
    """In the largest unit that it fills twice, rounded down: 90 minutes, 3 hours."""
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size:,} {name}"
    return f"{seconds} seconds"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %" if share else "none"
