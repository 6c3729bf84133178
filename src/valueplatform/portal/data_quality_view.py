"""The quality of what comes in as the supplier's people see it: a sentence, and a line a source of an account. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import quote, urlencode

from valueplatform.core.pages import Page
from valueplatform.portal.exact import ago_text, count_text, short_day
from valueplatform.portal.view import data_quality as view
from valueplatform.portal.view.steward import Filter
from valueplatform.portal.view.words import Chip, Link
from valueplatform.telemetry.quality import FAILURE, NOTICE, WARNING, duration
from valueplatform.telemetry.quality_reads import Finding, Intake, QualityCounts, Shown, SourceQuality

PATH: Final = "/data-quality"
_FILTERS: Final = {Shown.ALL: "All sources", Shown.OPEN: "Needs a look"}
_EMPTY: Final = {
    Shown.ALL: "Nothing has come in yet. Sources appear here about a minute after their first event.",
    Shown.OPEN: "Nothing needs a look: every source goes on as it did, and all that came in is accounted for.",
}
_NOT_FOUND: Final = "No source is called so."
_CHIPS: Final = {
    FAILURE: Chip("under", "Does not add up"),
    WARNING: Chip("under-review", "Needs a look"),
    NOTICE: Chip("estimated", "Has changed"),
}
_FINE: Final = Chip("on", "As usual")
_GONE: Final = Chip("nodata", "Sends no more")
GONE_AFTER: Final = 28
_WORDS: Final = {
    "freshness": "Silent",
    "volume": "Volume",
    "rejections": "Rejected",
    "conflicts": "In conflict",
    "duplicates": "Sent again",
    "clock": "Clock",
    "schema": "Shape of events",
    "intake": "Intake",
    "rollup": "Meter",
    "accrual": "Amount",
    "posting": "Posting",
}
_ALL: Final = "All {:,} sources go on as usual."
EVERY_SOURCE: Final = "All sources"
NO_ACCOUNT: Final = "No account that could be told"
EVERY_ACCOUNT: Final = "All accounts"


@dataclass(frozen=True, slots=True)
class Asked:
    shown: Shown = Shown.ALL
    account: str | None = None
    source: str | None = None
    cursor: str | None = None

    @property
    def path(self) -> str:
        given = {"show": self.shown.value, "account": self.account, "source": self.source, "cursor": self.cursor}
        return f"{PATH}?{urlencode({name: value for name, value in given.items() if value})}"

    @property
    def narrowed(self) -> str:
        return " and ".join(f"“{name}”" for name in (self.account, self.source) if name)


def quality_view(
    counts: QualityCounts,
    page: Page[SourceQuality],
    asked: Asked,
    now: datetime,
    today: date,
    *,
    opens_accounts: bool,
) -> view.DataQuality:
    held = {Shown.ALL: counts.places, Shown.OPEN: counts.troubled}
    return view.DataQuality(
        headline=headline(counts),
        filters=tuple(
            Filter(text, Asked(shown).path, held[shown], current=shown is asked.shown)
            for shown, text in _FILTERS.items()
        ),
        rows=tuple(_row(one, now, today, opens_accounts=opens_accounts) for one in page.items),
        empty=_NOT_FOUND if asked.narrowed else _EMPTY[asked.shown if counts.places else Shown.ALL],
        narrowed=asked.narrowed,
        all_href=Asked(asked.shown).path if asked.narrowed else "",
        more=Link("Show more", Asked(asked.shown, asked.account, asked.source, page.next_cursor).path)
        if page.next_cursor
        else None,
    )


def headline(counts: QualityCounts) -> str:
    """What does not add up first, else how many sources need a look."""
    if not counts.places:
        return "Nothing has come in yet."
    if counts.failures:
        stated = "One stated number does" if counts.failures == 1 else f"{_many(counts.failures)} stated numbers do"
        return f"{stated} not agree with what came in."
    if not counts.troubled:
        return "The one source goes on as usual." if counts.places == 1 else _ALL.format(counts.places)
    need = "source needs" if counts.places == 1 else "sources needs" if counts.troubled == 1 else "sources need"
    return f"{_many(counts.troubled)} of {counts.places:,} {need} a look."


def _many(count: int) -> str:
    return count_text(count).capitalize()


def _row(one: SourceQuality, now: datetime, today: date, *, opens_accounts: bool) -> view.SourceRow:
    of_account = one.account_name or (NO_ACCOUNT if one.source else EVERY_ACCOUNT)
    volume, volume_note = _volume(one) if one.source else ("", "")
    fresh, fresh_note = _fresh(one, now, today) if one.source else ("", "")
    return view.SourceRow(
        source=one.source or EVERY_SOURCE,
        account=of_account,
        account_href=f"/accounts/{quote(one.account, safe='')}/story" if one.account and opens_accounts else "",
        fresh=fresh,
        fresh_note=fresh_note,
        volume=volume,
        volume_note=volume_note,
        taken=_taken(one.intake) if one.source else "",
        chip=_chip(one),
        findings=tuple(_line(found, today) for found in one.findings),
    )


def _chip(one: SourceQuality) -> Chip:
    severities = {found.severity for found in one.findings}
    gone = (one.freshness.silent_days or 0) > GONE_AFTER
    return next((chip for severity, chip in _CHIPS.items() if severity in severities), _GONE if gone else _FINE)


def _fresh(one: SourceQuality, now: datetime, today: date) -> tuple[str, str]:
    fresh = one.freshness
    came = ago_text(fresh.last_received_at, now) if fresh.last_received_at is not None else "never"
    if fresh.last_event_day is None:
        return came, "no event yet"
    return came, f"last of {short_day(fresh.last_event_day, today)}"


def _volume(one: SourceQuality) -> tuple[str, str]:
    volume = one.volume
    if volume.usual is not None:
        return f"{volume.events:,}", f"usually {volume.usual:,}"
    gone = (one.freshness.silent_days or 0) > GONE_AFTER
    return f"{volume.events:,}", "none for long" if gone else "too new to compare"


def _taken(intake: Intake) -> str:
    """Shares of what came in within seven days."""
    if not intake.received:
        return "Nothing came in"
    named = {"rejected": intake.rejected, "in conflict": intake.conflicts, "sent again": intake.duplicates}
    parts = [f"{_share(count, intake.received)} {name}" for name, count in named.items() if count]
    if intake.clock_ahead_seconds is not None:
        parts.append(f"clock {duration(intake.clock_ahead_seconds)} ahead")
    return ", ".join(parts) or "All taken as new"


def _share(part: int, whole: int) -> str:
    """To a tenth of a percent, and never nothing for something, nor all for less."""
    tenths = min(max(round(part * 1000 / whole), 1), 1000 if part == whole else 999)
    return f"{tenths / 10:g}%"


def _line(found: Finding, today: date) -> view.FindingLine:
    since = found.since or found.found_at.date()
    through = f" to {short_day(found.through, today)}" if found.through is not None and found.through > since else ""
    detail = f"{found.seen}; usual: {found.usual}" if found.severity != FAILURE else f"{found.usual}; {found.seen}"
    named = f"{found.place}: " if found.severity == FAILURE else ""
    return view.FindingLine(
        what=_WORDS.get(found.what, found.what.capitalize()),
        detail=f"{named}{detail}",
        when=f"since {short_day(since, today)}" if not through else f"{short_day(since, today)}{through}",
    )
