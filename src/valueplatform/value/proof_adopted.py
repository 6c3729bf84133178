"""The independent path: how much comparable accounts use features, computed again from raw events, for `verify`.

Shares only the definition with `adopted`: of each meter of a driver that a feature's own events feed, what accounts
that use the feature metered a month, by cohort; quartiles are those of the standard library.
"""

import statistics
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from babel.numbers import list_currencies
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value import proof_expression as expression
from valueplatform.value.proof_record import Source, read_source
from valueplatform.value.proof_tallies import tally_events

_LEAST: Final = 5
_GROWS: Final = {"COUNT", "SUM", "UNIQUE_COUNT"}
_THREE: Final = Context(prec=3, rounding=ROUND_HALF_EVEN)
_LONG: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_STANDING: Final = text("""
    SELECT a.attributes ->> CAST(:scale AS text) AS scale,
           (SELECT currency FROM account_currency c WHERE c.account_id = a.account_id AND c.effective_from < :end
            ORDER BY c.effective_from DESC LIMIT 1) AS currency
    FROM account a WHERE a.account_id = :account
""")

Told = tuple[str | None, int | None, tuple[Decimal | None, ...]]
"""Why a figure is withheld, else of how many accounts, and its quartiles."""


class _Member(NamedTuple):
    account: int
    segment: str
    total: Fraction
    scale: Fraction | None


async def adopted_figures(
    tx: Transaction,
    document: Mapping[str, Any],
    uses: Mapping[int, Mapping[str, Any]],
    settled: Collection[int],
) -> tuple[dict[str, object], dict[str, object]]:
    """What is told, and what is recomputed, by name; without features that accounts which were worked on since use."""
    months = [date.fromisoformat(month) for month in document["months"]]
    using: defaultdict[str, list[int]] = defaultdict(list)
    for account, own in uses.items():
        for feature, use in own.items():
            if use.is_used:
                using[feature].append(account)
    lasting = {feature for feature, own in using.items() if set(own) <= set(settled)}
    stated: dict[str, object] = {
        _place(one["feature"], one["figure"]): (
            one["figure"]["withheld"],
            one["figure"]["accounts"],
            tuple(None if one["figure"][name] is None else Decimal(one["figure"][name]) for name in _QUARTILES),
        )
        for one in document.get("adopted", ())
        if one["feature"] in lasting
    }
    recomputed: dict[str, object] = {}
    for feature in sorted(lasting) if months else ():
        recomputed |= dict(await _of_feature(tx, document, months, feature, using[feature]))
    return stated, recomputed


_QUARTILES: Final = ("lower", "median", "upper")


def _place(feature: str, figure: Mapping[str, Any]) -> str:
    where = [figure[name] for name in ("driver", "unit", "per")]
    return f"use of {feature}, {', '.join(where)}, {figure['segment'] or 'all'}"


async def _of_feature(
    tx: Transaction, document: Mapping[str, Any], months: Sequence[date], feature: str, accounts: Sequence[int]
) -> list[tuple[str, Told]]:
    end = (months[-1] + timedelta(days=31)).replace(day=1)
    members: defaultdict[tuple[str, str], list[_Member]] = defaultdict(list)
    for account in accounts:
        source = await read_source(tx, account)
        if source is None:
            continue
        asked = {"account": account, "scale": document.get("scale"), "end": end}
        standing = await tx.row(_STANDING, asked)
        currency = standing.currency if standing else None
        for meter, total in await _totals(tx, source, feature, months, end):
            unit = meter.get("unit")
            own = unit if unit and unit not in list_currencies() else currency or source.model["supplier"]["currency"]
            scale = _scale(standing.scale if standing else None)
            members[meter["slug"], own].append(_Member(account, source.segment or "", total, scale))
    return [one for (slug, unit), own in members.items() for one in _figures(feature, slug, unit, own, len(months))]


async def _totals(
    tx: Transaction, source: Source, feature: str, months: Sequence[date], end: date
) -> list[tuple[Mapping[str, Any], Fraction]]:
    """Of the meters that had something in every month."""
    model = source.model
    read = {name for driver in model.get("drivers", ()) for name in expression.names(driver["formula"])}
    types = {kind for one in model.get("features", ()) if one["slug"] == feature for kind in one["event_types"]}
    meters = [
        one
        for one in model.get("meters", ())
        if one["slug"] in read and one["aggregation"] in _GROWS and set(one["event_types"]) <= types
    ]
    sums: defaultdict[str, dict[date, Fraction]] = defaultdict(dict)
    together: defaultdict[tuple[str, date], list[Any]] = defaultdict(list)
    for (slug, _, day), tally in (await tally_events(tx, source, meters, months[0], end)).items():
        together[slug, day].append(tally)
    for (slug, day), tallies in together.items():
        members = set().union(*(one.members for one in tallies))
        value = Fraction(len(members)) if members else sum((one.total for one in tallies), Fraction(0))
        kind = next(one["aggregation"] for one in meters if one["slug"] == slug)
        if kind == "COUNT":
            value = Fraction(sum(one.events for one in tallies))
        if any(one.events or one.unmetered for one in tallies):
            month = day.replace(day=1)
            sums[slug][month] = sums[slug].get(month, Fraction(0)) + value
    return [(one, sum(own.values(), Fraction(0))) for one in meters if len(own := sums[one["slug"]]) == len(months)]


def _scale(given: str | None) -> Fraction | None:
    try:
        found = Fraction(given or "0")
    except ValueError:
        return None
    return found if found > 0 else None


def _figures(
    feature: str, meter: str, unit: str, members: Sequence[_Member], months: int
) -> Iterator[tuple[str, Told]]:
    for per in ("account", "scale"):
        for segment in sorted({"", *(one.segment for one in members)}):
            held = [
                (one, one.total / months / (one.scale if per == "scale" and one.scale else 1))
                for one in members
                if segment in {"", one.segment} and (per == "account" or one.scale)
            ]
            if held:
                figure = {"driver": meter, "unit": unit, "per": per, "segment": segment}
                yield _place(feature, figure), _told([value for _, value in held], [one.total for one, _ in held])


def _told(values: Sequence[Fraction], totals: Sequence[Fraction]) -> Told:
    if len(values) < _LEAST:
        return "fewer-than-five", None, (None, None, None)
    if any(2 * abs(one) > sum(map(abs, own)) for own in (values, totals) for one in own):
        return "one-more-than-half", None, (None, None, None)
    cuts = statistics.quantiles(values, n=4, method="inclusive")
    exact = (_LONG.divide(Decimal(cut.numerator), Decimal(cut.denominator)) for cut in cuts)
    return None, len(values), tuple(_THREE.plus(one) for one in exact)
