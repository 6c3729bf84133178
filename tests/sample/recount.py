"""Realized value counted again from the events alone: plain Python and `Fraction`, nothing of the platform.

Covers what the sample's model uses: SUM and COUNT meters with an equality filter, and formulas of + - * /.
"""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast
from zoneinfo import ZoneInfo

from valueplatform.sample import SampleSupplier, fieldnote
from valueplatform.sample.agreements import Agreement
from valueplatform.sample.events import Event

Metered = dict[tuple[str, date], dict[str, Fraction]]
Realized = dict[str, dict[str, dict[date, Fraction]]]

_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


def evaluate(node: ast.expr, values: dict[str, Fraction]) -> Fraction:
    match node:
        case ast.BinOp():
            return _OPERATORS[type(node.op)](evaluate(node.left, values), evaluate(node.right, values))
        case ast.UnaryOp(op=ast.USub()):
            return -evaluate(node.operand, values)
        case ast.Name():
            return values[node.id]
        case ast.Constant(value=int()):
            return Fraction(cast("int", node.value))
    raise AssertionError(ast.dump(node))


def metered(sample: SampleSupplier, events: Iterable[Event]) -> Metered:
    """Meter values by account and local day, each event id once."""
    meters = tomllib.loads(sample.model_toml())["meter"]
    zones = {row["key"]: ZoneInfo(row["timezone"]) for row in sample.accounts}
    days: Metered = defaultdict(lambda: defaultdict(Fraction))
    seen = set()
    for event in events:
        if event["id"] in seen:
            continue
        seen.add(event["id"])
        key, data = str(event["account"]), cast("dict[str, Any]", event["data"])
        day = datetime.fromisoformat(str(event["time"])).astimezone(zones[key]).date()
        for meter in meters:
            if meter["event"] != event["type"] or not _passes(meter.get("filter"), data):
                continue
            if meter["aggregation"] == "SUM":
                days[key, day][meter["slug"]] += Fraction(data[meter["property"]])
            elif meter["aggregation"] == "COUNT":
                days[key, day][meter["slug"]] += 1
    return days


def _passes(text: str | None, data: dict[str, Any]) -> bool:
    if text is None:
        return True
    name, _, wanted = text.partition(" = ")
    return bool(data.get(name) == wanted.strip("'"))


def in_force(said: Iterable[Agreement], day: date) -> Decimal | None:
    """The validated, undisputed value with the latest effect; else the newest proposal; None without any."""
    proposals: list[tuple[Agreement, set[str]]] = []
    for line in said:
        if line.action == "propose":
            proposals.append((line, set()))
        else:
            proposals[-1][1].add(line.action)
    begun = [(line, answers) for line, answers in proposals if line.effective_from <= day and "withdraw" not in answers]
    agreed = [line for line, answers in begun if "validate" in answers and "dispute" not in answers]
    if agreed:
        return max(agreed, key=lambda line: line.effective_from).expected
    return begun[-1][0].expected if begun else None


def realized(sample: SampleSupplier, events: Iterable[Event]) -> Realized:
    """Value by account, driver and month, exact, in the driver's unit or the account's currency."""
    model = tomllib.loads(sample.model_toml())
    rates = {rate["slug"]: rate for kind in ("baseline", "assumption") for rate in model[kind]}
    formulas = {slug: ast.parse(text, mode="eval").body for slug, text in fieldnote.formulas().items()}
    names = {d: {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} for d, tree in formulas.items()}
    segments = {row["key"]: row["segment"] for row in sample.accounts}
    said: dict[tuple[str, str], list[Agreement]] = defaultdict(list)
    for line in sample.assumptions:
        said[line.account, line.slug].append(line)
    found: Realized = defaultdict(lambda: defaultdict(lambda: defaultdict(Fraction)))
    for (account, day), values in metered(sample, events).items():
        for driver, tree in formulas.items():
            if not names[driver] & values.keys():
                continue
            known: dict[str, Fraction] = defaultdict(Fraction, values)
            for slug in names[driver] & rates.keys():
                rate = rates[slug]
                default = rate.get("segment", {}).get(segments[account], rate["default"])["expected"]
                known[slug] = Fraction(in_force(said[account, slug], day) or Decimal(default))
            found[account][driver][day.replace(day=1)] += evaluate(tree, known)
    return found


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
