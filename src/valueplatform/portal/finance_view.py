"""Finance as the supplier's people see it: a sentence, four numbers, and what they are made of. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from urllib.parse import quote, urlencode

from babel.numbers import get_currency_name

from valueplatform.core.periods import ONE_DAY, Window
from valueplatform.portal.exact import LOCALE, day_text, short_text
from valueplatform.portal.view import finance as view
from valueplatform.portal.view.words import Link
from valueplatform.portal.worth_words import CLASSES
from valueplatform.stewardship.finance import SAYS, Figure
from valueplatform.stewardship.finance_definitions import DEFINITIONS, HORIZON, LEAST_COHORT, Metric, Unit
from valueplatform.stewardship.finance_opened import unit_of
from valueplatform.stewardship.finance_read import (
    BY_SEGMENT,
    CUTS,
    OF_STEP,
    TREND,
    ContributionRow,
    Finance,
    LeftOut,
    NextDollar,
)

PATH: Final = "/finance"
MEASURES_CSV: Final = "/finance/measures.csv"
ACCOUNTS_CSV: Final = "/finance/accounts.csv"
FACTS: Final = (Metric.VALUE_PER_DOLLAR, Metric.OWN_VALUE_PER_DOLLAR, Metric.NRR, Metric.GRR, Metric.LTV_CAC)
REST: Final = tuple(metric for metric in Metric if metric not in {*FACTS, Metric.REVENUE})
_STEPS: Final = {Window.MONTH: "By month", Window.QUARTER: "By quarter"}
_CUTS: Final = {"driver": "By driver", "feature": "By feature", "product": "By product", "provider": "By provider"}
_PER_DOLLAR: Final = frozenset({Metric.VALUE_PER_DOLLAR, Metric.OWN_VALUE_PER_DOLLAR})
_SHORT: Final = {
    Metric.VALUE_PER_DOLLAR: "Customers' dollar",
    Metric.OWN_VALUE_PER_DOLLAR: "Our dollar",
    Metric.NRR: "Net retention",
    Metric.GRR: "Gross retention",
    Metric.LOGO_CHURN: "Account churn",
    Metric.RECURRING: "A month",
    Metric.LTV_CAC: "LTV to CAC",
}
NONE: Final = "none"
NO_ACCOUNTS: Final = "There are no accounts yet. The first event of a customer makes one."
NO_CONTRACTS: Final = (
    "No contract is known in this window, so nothing that was paid. Bring contracts and costs in with "
    "`valueplatform import contracts` and `valueplatform import costs`."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What of finance is asked for; days None are the last twelve whole months."""

    start: date | None = None
    end: date | None = None
    segment: str | None = None
    steps: Window = Window.MONTH
    cut: str = "driver"

    def at(self, path: str, *, fields: Sequence[str] = ("from", "to", "segment", "by", "cut"), **more: str) -> str:
        given = {
            "from": self.start.isoformat() if self.start else None,
            "to": self.end.isoformat() if self.end else None,
            "segment": self.segment,
            "by": self.steps.value if self.steps is not Window.MONTH else None,
            "cut": self.cut if self.cut != CUTS[0] else None,
        }
        query = {name: value for name, value in given.items() if name in fields and value is not None} | more
        return f"{path}?{urlencode(query)}" if query else path

    def opened(self, metric: Metric, **more: str) -> str:
        return self.at(f"{PATH}/{metric.value}", fields=("from", "to", "segment"), **more)

    def of(self, **changes: object) -> "Asked":
        fields = {"start": self.start, "end": self.end, "segment": self.segment, "steps": self.steps, "cut": self.cut}
        return Asked(**{**fields, **changes})  # type: ignore[arg-type]  # the names are the fields'


def measure_text(metric: Metric, value: Decimal, currency: str) -> str:
    """Three figures with the unit: $2.31, 104%, 5.2 to 1, 17.3 months."""
    if metric in _PER_DOLLAR:
        return short_text(value, currency)
    unit = DEFINITIONS[metric].unit
    text = short_text(value, unit_of(unit, currency))
    return text.replace("times", "to 1") if unit is Unit.RATIO else text


def amount(figure: Figure, currency: str, asked: Asked, *, links: bool = True) -> view.Amount:
    if figure.value is None:
        return view.Amount("Not enough data", href=asked.opened(figure.metric) if links else "")
    unit = currency if figure.metric in _PER_DOLLAR else unit_of(DEFINITIONS[figure.metric].unit, currency)
    text = measure_text(figure.metric, figure.value, currency)
    return view.Amount(text, str(figure.value), unit, asked.opened(figure.metric) if links else "")


def coin(currency: str) -> str:
    """One unit of the currency, in words: US dollar, euro."""
    return str(get_currency_name(currency, count=1, locale=LOCALE))


def finance_view(found: Finance, asked: Asked) -> view.Finance:
    figures = {one.metric: one for one in found.figures}
    key = figures[Metric.VALUE_PER_DOLLAR]
    pays = any(figures[metric].value for metric in (Metric.REVENUE, Metric.RECURRING))
    told = key.value is not None
    return view.Finance(
        before=f"Every {coin(found.currency)} that customers invested delivered "
        if told
        else f"What a {coin(found.currency)} invested delivered cannot be told for this window",
        key=amount(key, found.currency, asked) if told else None,
        after=" of counted value." if told else ".",
        lead=_lead(found, figures),
        empty="" if pays or told else NO_CONTRACTS if found.accounts else NO_ACCOUNTS,
        facts=tuple(_fact(figures[metric], found, asked) for metric in FACTS),
        segments_shown=_segment_choices(found, asked),
        steps=tuple(view.Choice(text, asked.of(steps=w).at(PATH), w is asked.steps) for w, text in _STEPS.items()),
        cuts=tuple(
            view.Choice(_CUTS[cut], f"{asked.of(cut=cut).at(PATH)}#h-contribution", cut == asked.cut) for cut in CUTS
        ),
        start=found.start.isoformat(),
        last=(found.end - ONE_DAY).isoformat(),
        kept=_kept(asked),
        trend_heads=tuple(_step_text(point.start, asked.steps) for point in found.trend),
        trend=_trend(found, asked),
        trend_note=_trend_note(found),
        measures=tuple(_fact(figures[metric], found, asked) for metric in REST),
        classes=_classes(found),
        segment_heads=tuple(_SHORT[metric] for metric in BY_SEGMENT),
        segments=tuple(
            _segment(row.title, row.segment, row.accounts, row.figures, found, asked) for row in found.segments
        ),
        contribution=_bars(found.revenue[asked.cut], found.currency),
        contribution_total=amount(figures[Metric.REVENUE], found.currency, asked) if pays else None,
        next_dollar=tuple(_next(row, found.currency, asked) for row in found.next_dollar),
        left_out=left_rows(found.left_out),
        downloads=(
            Link("Measures as CSV", asked.at(MEASURES_CSV)),
            Link("Accounts as CSV", asked.at(ACCOUNTS_CSV, fields=("from", "to", "segment"))),
        ),
    )


def window_text(start: date, end: date) -> str:
    """1 Jun 2025 to 31 May 2026."""
    return f"{day_text(start)} to {day_text(end - ONE_DAY)}"


def _lead(found: Finance, figures: Mapping[Metric, Figure]) -> str:
    paid = figures[Metric.VALUE_PER_DOLLAR].parts
    invested = sum((paid[name] for name in paid if name != "value_paid_for"), Decimal(0))
    where = f" of {found.segment_title}" if found.segment_title else ""
    accounts = "1 account" if found.accounts == 1 else f"{found.accounts:,} accounts"
    said = f"{window_text(found.start, found.end)}, {accounts}{where}, in {found.currency}."
    if not invested:
        return said
    value = short_text(paid["value_paid_for"], found.currency)
    effort = "what they paid us and partners, implementation and their own effort as far as it is known"
    put_in = short_text(invested, found.currency)
    return f"{said} Customers put in {put_in}: {effort}. {value} of counted value came of it."


def _classes(found: Finance) -> str:
    """Counted value by benefit class, the most first: the classes are never one thing."""
    ordered = sorted(found.classes.items(), key=lambda item: (-item[1], item[0]))
    said = [f"{CLASSES.get(name, name)} {short_text(value, found.currency)}" for name, value in ordered]
    return f"Counted value by class: {', '.join(said)}." if said else ""


def _fact(figure: Figure, found: Finance, asked: Asked) -> view.Measure:
    note = SAYS[figure.reason] if figure.reason else ""
    if figure.bounded:
        note = f"bounded: a lifetime counts as {HORIZON} months at most"
    elif figure.metric in {Metric.NRR, Metric.GRR} and figure.value is not None:
        note = f"of {short_text(figure.parts['opening'], found.currency)} a month at the start"
    elif figure.metric is Metric.CAC and figure.value is not None:
        note = f"{figure.parts['won']:f} won".replace(".0000", "")
    return view.Measure(DEFINITIONS[figure.metric].title, amount(figure, found.currency, asked), note)


def _segment_choices(found: Finance, asked: Asked) -> tuple[view.Choice, ...]:
    """All accounts, and each segment: of the page that shows one, only the way back."""
    everybody = view.Choice("All accounts", asked.of(segment=None).at(PATH), asked.segment is None)
    if asked.segment is not None:
        return (everybody, view.Choice(found.segment_title, asked.at(PATH), True))
    each = (view.Choice(row.title, asked.of(segment=row.segment).at(PATH)) for row in found.segments)
    return (everybody, *each)


def _kept(asked: Asked) -> tuple[view.Field, ...]:
    """What a form that changes the days keeps."""
    given = {"segment": asked.segment, "by": asked.steps.value, "cut": asked.cut}
    return tuple(view.Field(name, value) for name, value in given.items() if value is not None)


def _step_text(start: date, steps: Window) -> str:
    if steps is Window.QUARTER:
        return f"Q{(start.month + 2) // 3} {start.year}"
    return f"{start:%b %Y}"


def _trend(found: Finance, asked: Asked) -> tuple[view.TrendRow, ...]:
    rows = []
    for metric in TREND:
        figures = [next(one for one in point.figures if one.metric is metric) for point in found.trend]
        if not figures:
            continue
        cells = [NONE if one.value is None else measure_text(metric, one.value, found.currency) for one in figures]
        step = found.trend[-1]
        window = Asked(step.start if metric in OF_STEP else None, step.end, asked.segment)
        last = amount(figures[-1], found.currency, window)
        note = "of the step itself" if metric in OF_STEP else "of the year that ends with it"
        line = _line([one.value for one in figures], f"{DEFINITIONS[metric].title}: {', '.join(cells)}")
        rows.append(view.TrendRow(DEFINITIONS[metric].title, line, last, note, tuple(cells)))
    return tuple(rows)


def _line(values: Sequence[Decimal | None], text: str) -> view.Line | None:
    """Scaled so that the level at which it breaks even is on it. Floats place ink."""
    known = [float(value) for value in values if value is not None]
    if not known:
        return None
    low, high = min(*known, 1.0), max(*known, 1.0)
    span = (high - low) or 1.0
    runs: list[list[tuple[float, float]]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((number / max(len(values) - 1, 1), (float(value) - low) / span))
    return view.Line(tuple(tuple(run) for run in runs if run), (1.0 - low) / span, text)


def _trend_note(found: Finance) -> str:
    most = max((point.left_out for point in found.trend), default=0)
    told = "The dashed line is where it breaks even: 100%, or one for one."
    return f"{told} Up to {most:,} accounts are left out of a step for want of a rate." if most else told


def _segment(
    title: str, segment: str, accounts: int, figures: Iterable[Figure], found: Finance, asked: Asked
) -> view.SegmentRow:
    own = asked.of(segment=segment)
    return view.SegmentRow(
        title=title,
        href=own.at(PATH),
        accounts=f"{accounts:,}",
        cells=tuple(amount(one, found.currency, own) for one in figures),
    )


def _bars(rows: Sequence[ContributionRow], currency: str) -> tuple[view.BarRow, ...]:
    whole = sum((row.revenue for row in rows), Decimal(0))
    found = []
    for row in rows:
        share = row.revenue / whole if whole > 0 else Decimal(0)
        found.append(
            view.BarRow(
                title=row.title,
                amount=short_text(row.revenue, currency),
                share=min(max(float(share), 0.0), 1.0),
                share_text=short_text(share, "share"),
                value=short_text(row.value, currency) if row.attributed else "none counted",
                attributed=row.attributed,
            )
        )
    return tuple(found)


def _next(row: NextDollar, currency: str, asked: Asked) -> view.NextRow:
    own = asked.of(segment=row.segment)
    text = "Not enough data" if row.value_per_dollar is None else short_text(row.value_per_dollar, currency)
    accounts = "1 account" if row.accounts == 1 else f"{row.accounts:,} accounts"
    few = f"fewer than {LEAST_COHORT}, so not ranked" if row.accounts < LEAST_COHORT else "no cost of ours known"
    return view.NextRow(
        rank="" if row.rank is None else str(row.rank),
        title=row.title,
        href=own.at(PATH),
        amount=view.Amount(text, str(row.value_per_dollar or ""), currency, own.opened(Metric.OWN_VALUE_PER_DOLLAR)),
        note=accounts if row.rank is not None else f"{accounts}: {few}",
    )


def left_rows(rows: Iterable[LeftOut]) -> tuple[view.LeftRow, ...]:
    return tuple(
        view.LeftRow(
            name=row.name,
            href=f"/accounts/{quote(row.account, safe='')}" if row.account else "",
            text=f"no rate of {row.currency} is known on {day_text(row.day)}",
        )
        for row in rows
    )
