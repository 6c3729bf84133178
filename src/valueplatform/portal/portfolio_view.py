"""The portfolio as the steward sees it: a sentence, and one line an account with what to do next. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from urllib.parse import quote, urlencode

from valueplatform.narrative.document import SeriesPoint, Span, Status
from valueplatform.portal.exact import count_text, short_day, short_text
from valueplatform.portal.sentences import CHIPS, proof_path, spans_view
from valueplatform.portal.view import steward as view
from valueplatform.portal.view import words
from valueplatform.portal.view.drawings import Spark
from valueplatform.stewardship.portfolio import AtStake, Filter, PortfolioRow, PortfolioSummary
from valueplatform.stewardship.signal import Act, Stake, TargetKind

ORDER: Final = "Ordered by value at stake"
MONTHS: Final = 12
_FILTERS: Final = {
    Filter.NEEDS_YOU: "Needs you",
    Filter.ALL: "All",
    Filter.RENEWING: "Renewing in 90 days",
    Filter.UNDER_REVIEW: "Under review",
    Filter.NO_DATA: "No data",
}
_GROUPS: Final = (("today", ""), ("this-week", "This week"), ("none", "Nothing calls"))
_EMPTY: Final = {
    Filter.NEEDS_YOU: "No account calls for you now. All of them are one click away, under All.",
    Filter.ALL: "There are no accounts yet. The first event of a customer makes one.",
    Filter.RENEWING: "No contract ends within 90 days.",
    Filter.UNDER_REVIEW: "No value is under review.",
    Filter.NO_DATA: "Every account sends data.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the portfolio is asked for."""

    chosen: Filter = Filter.NEEDS_YOU
    search: str = ""
    cursor: str | None = None

    def path(self, start: str = "/portfolio", **changes: str | None) -> str:
        given = {"show": self.chosen.value, "q": self.search or None, "cursor": self.cursor} | changes
        query = urlencode({name: value for name, value in given.items() if value})
        return f"{start}?{query}" if query else start


def portfolio_view(
    summary: PortfolioSummary, rows: Sequence[PortfolioRow], following: str | None, asked: Asked, today: date
) -> view.Portfolio:
    more = words.Link("Show more", asked.path(cursor=following)) if following else None
    if more is None and asked.chosen is Filter.NEEDS_YOU and not asked.search:
        more = words.Link(f"Show all {summary.accounts:,}", asked.path(show=Filter.ALL.value, cursor=None))
    return view.Portfolio(
        headline=headline(summary),
        filters=tuple(
            view.Filter(text, Asked(chosen).path(), summary.count(chosen), current=chosen is asked.chosen)
            for chosen, text in _FILTERS.items()
        ),
        groups=groups(rows, today),
        rows_href=f"/portfolio?show={asked.chosen.value}",
        query=asked.search,
        order=ORDER,
        empty="No account is called that." if asked.search else _EMPTY[asked.chosen],
        more=more,
        live_href=asked.path("/portfolio/live"),
    )


def headline(summary: PortfolioSummary) -> words.Sentence:
    """Who needs me today, how much is at stake, and how many more the list holds."""
    count = count_text(summary.today).capitalize()
    accounts = f"your {summary.accounts:,} account{'s' if summary.accounts != 1 else ''}"
    need = "needs" if summary.today == 1 else "need"
    amounts = _amounts(summary.at_stake)
    stake = f", with {amounts} at stake" if summary.today and amounts else ""
    later = f", and {summary.this_week:,} {'more ' if summary.today else ''}this week" if summary.this_week else ""
    if not summary.accounts:
        said = "You have no accounts yet."
    elif not summary.today:
        said = f"None of {accounts} needs you today{later}."
    else:
        said = f"{count} of {accounts} {need} you today{stake}{later}."
    return words.Sentence("portfolio", "portfolio", (words.Span(said),))


def _amounts(at_stake: Iterable[AtStake]) -> str:
    """One amount a currency: there are no exchange rates to add them by."""
    shown = [short_text(one.amount, one.unit) for one in at_stake if one.amount]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def groups(rows: Sequence[PortfolioRow], today: date) -> tuple[view.PortfolioGroup, ...]:
    return tuple(
        view.PortfolioGroup(tuple(row_view(row, today) for row in rows if row.urgency == urgency), title)
        for urgency, title in _GROUPS
    )


def row_view(row: PortfolioRow, today: date) -> view.PortfolioRow:
    base = account_path(row.account)
    return view.PortfolioRow(
        key=row.account,
        name=row.name,
        sub=", ".join(_about(row, today)),
        href=f"{base}/story",
        stake=stake_view(row.stake, row.act),
        why=why_view(row.why, row.insight_id, row.act),
        chip=CHIPS[row.status],
        act=act_view(base, row.act),
        spark=spark(row.series, row.status),
        realized=_realized(row),
        realized_note=_note(row),
    )


def account_path(key: str) -> str:
    return f"/accounts/{quote(key, safe='')}"


def _about(row: PortfolioRow, today: date) -> Iterator[str]:
    stage = row.stage or row.segment
    if stage:
        yield stage.replace("_", " ").capitalize()
    if row.renews_on is not None:
        yield f"renews {short_day(row.renews_on, today)}"


def stake_view(stake: Stake | None, act: Act) -> words.NumberView | None:
    if stake is None:
        return None
    return words.NumberView(
        name=stake.number,
        text=short_text(stake.amount, stake.unit),
        value=format(stake.amount, "f"),
        unit=stake.unit,
        state=stake.standing.value,
        href=proof_path(stake.insight_id or act.target, stake.number),
    )


def why_view(why: Sequence[Span], insight_id: str | None, act: Act) -> words.Sentence:
    """Its numbers open at the insight, or at the suggestion that the act is about; without either they are plain."""
    opens_at = insight_id or (act.target if act.about is TargetKind.SUGGESTION else None)
    if opens_at is None:
        return words.Sentence("signal", "signal", tuple(words.Span(span.text) for span in why))
    return words.Sentence(opens_at, "signal", spans_view(why, opens_at))


def act_view(base: str, act: Act) -> words.Link:
    target = quote(act.target, safe="")
    paths = {
        TargetKind.STORY: f"{base}/story",
        TargetKind.ASSUMPTION: f"{base}/assumptions?open={target}" if target else f"{base}/assumptions",
        TargetKind.CONVERSATION: f"{base}/together/{target}" if target else f"{base}/together",
        TargetKind.SUGGESTION: f"{base}/together/new?suggestion={target}",
        TargetKind.COLLABORATION: f"{base}/together/new?prompt={target}",
    }
    return words.Link(act.text, paths[act.about])


def spark(series: Sequence[SeriesPoint], status: Status) -> Spark | None:
    """How far realized value was from the commitment at the end of each month, as a share of the commitment."""
    points = [point for point in series if point.realized is not None and point.expected]
    if not points:
        return None
    distances = tuple(_share(point.realized, point.expected) - 1 for point in points)
    last = points[-1]
    band = 0.0
    if last.low is not None and last.high is not None and last.expected:
        band = float((last.high - last.low) / 2 / last.expected)
    text = f"{distances[-1] + 1:.0%} of what was committed by now"
    return Spark(distances, max(MONTHS, len(points)), band, text, risk=status is Status.BEHIND)


def _share(part: Decimal | None, whole: Decimal | None) -> float:
    return float((part or Decimal(0)) / whole) if whole else 0.0


def _realized(row: PortfolioRow) -> words.NumberView | None:
    shown = row.realized
    if shown is None:
        return None
    return words.NumberView(
        name=shown.number,
        text=short_text(shown.value, shown.unit),
        value=format(shown.value, "f"),
        unit=shown.unit,
        state=shown.standing.value,
        href=proof_path(shown.insight_id, shown.number),
    )


def _note(row: PortfolioRow) -> str:
    if row.share is not None:
        return f"{short_text(row.share.value, row.share.unit)} of commitment"
    return "" if row.realized is not None else "None counted yet"
