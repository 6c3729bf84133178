"""Finance as files: every measure of the page, and every part of every account. Nothing is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Iterator

from valueplatform.narrative.report import inert
from valueplatform.stewardship.finance import Figure
from valueplatform.stewardship.finance_definitions import DEFINITIONS, PARTS
from valueplatform.stewardship.finance_opened import unit_of
from valueplatform.stewardship.finance_read import Finance, Stand

MEASURES = ("section", "name", "from", "to", "measure", "value", "unit", "reason", "formula")
OF_ACCOUNTS = tuple(part.name for part in PARTS.values() if not part.shared)


def measures_csv(found: Finance) -> bytes:
    """One row a measure: of the window, of each step, of each segment; then revenue by contribution, and who is left
    out."""
    return _written([MEASURES, *_measures(found)])


def _measures(found: Finance) -> Iterator[list[str]]:
    window = [found.start.isoformat(), found.end.isoformat()]
    yield from _rows("window", found.segment or "", window, found.figures, found.currency)
    for point in found.trend:
        step = [point.start.isoformat(), point.end.isoformat()]
        yield from _rows("trend", found.segment or "", step, point.figures, found.currency)
    for row in found.segments:
        yield from _rows("segment", row.segment, window, row.figures, found.currency)
    for cut, rows in found.revenue.items():
        for one in rows:
            said = "" if one.attributed else "not-attributed"
            yield [
                f"revenue by {cut}",
                inert(one.title),
                *window,
                "revenue",
                str(one.revenue),
                found.currency,
                said,
                "",
            ]
            yield [f"revenue by {cut}", inert(one.title), *window, "value", str(one.value), found.currency, said, ""]
    for left in found.left_out:
        yield [
            "left out",
            inert(left.account),
            left.day.isoformat(),
            "",
            "rate",
            "",
            inert(left.currency),
            "no-rate",
            "",
        ]


def _rows(section: str, name: str, days: list[str], figures: Iterable[Figure], currency: str) -> Iterator[list[str]]:
    for one in figures:
        definition = DEFINITIONS[one.metric]
        value = "" if one.value is None else str(one.value)
        reason = one.reason.value if one.reason else ""
        unit = unit_of(definition.unit, currency)
        yield [section, inert(name), *days, one.metric.value, value, unit, reason, definition.formula]


def accounts_csv(stand: Stand) -> bytes:
    """One row an account, with every part that measures are made of, in the supplier's currency."""
    head = ("account", "name", "segment", "currency", "in_totals", *OF_ACCOUNTS)
    return _written([head, *_accounts(stand)])


def _accounts(stand: Stand) -> Iterator[list[str]]:
    for one in stand.positions:
        account, told = one.account, not one.missing
        parts = [str(one.parts[name]) if told else "" for name in OF_ACCOUNTS]
        named = [inert(account.key), inert(account.name), inert(account.segment)]
        yield [*named, stand.ground.currency, str(told).lower(), *parts]


def _written(rows: Iterable[Iterable[str]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
