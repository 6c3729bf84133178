"""What an opened number is made of: each thing that is read from the record with its label, and in words how a number
is made that shows no arithmetic."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import local_day
from valueplatform.narrative.insights.inputs import said_unit
from valueplatform.portal.proof_formula import Leaf, anchor, period_words, read_nodes
from valueplatform.portal.proof_reading import Opened
from valueplatform.value import derivation as d
from valueplatform.value.proof_numbers import leaves_of

_METHODS: Final = {
    "theil-sen-slope": "The median of the slopes between every two of {count} values in a row (Sen, 1968).",
    "median": "The median of {count} values.",
    "mean": "The mean of {count} values.",
    "variation": "The standard deviation of {count} values over their mean.",
    "same-direction": "In how many weeks both drivers moved the same way from the week before.",
}


def today_of(opened: Opened) -> date:
    return local_day(opened.now, opened.place.account.timezone)


def leaves_read(opened: Opened) -> dict[d.Derivation, Leaf]:
    found = {}
    for node in read_nodes(opened.number.derivation):
        value = opened.leaf_value(node)
        if value is not None:
            found[node] = _leaf(opened, node, value)
    return found


def _leaf(opened: Opened, node: d.Derivation, value: Fraction) -> Leaf:
    currency = opened.place.account.currency
    match node:
        case d.Realized():
            return Leaf(value, node.unit, f"realized, {_span(opened, node.start, node.end)}")
        case d.Committed():
            bound = "" if node.bound is d.Bound.EXPECTED else f", {node.bound.value} end"
            return Leaf(value, _committed_unit(opened), f"committed{bound}, {_span(opened, node.start, node.end)}")
        case d.Paid() | d.Effort():
            what = "paid" if isinstance(node, d.Paid) else "known effort"
            return Leaf(value, currency, f"{what}, {_span(opened, node.start, node.end)}")
        case d.Metered():
            meter = next((m for m in opened.proof.meters if m.slug == node.meter), None)
            title = meter.title.lower() if meter else node.meter.replace("_", " ")
            href = f"#{anchor('m', node.meter)}" if meter else ""
            return Leaf(value, "", f"{title}, {_span(opened, node.start, node.end)}", href)
        case d.Sent():
            return Leaf(value, "event", f"of {node.source}, {_span(opened, node.start, node.end)}")
        case d.Input():
            line = next((i for i in (*opened.proof.assumptions, *opened.proof.baselines) if i.slug == node.slug), None)
            unit = said_unit(line.unit).partition("/")[0] if line else ""
            title = line.title.lower() if line else node.slug.replace("_", " ")
            return Leaf(value, unit, title, f"#{anchor('a', node.slug)}" if line else "")
        case d.Adjusted() | d.Closed():
            return Leaf(value, currency, "adjusted later" if isinstance(node, d.Adjusted) else "as it was closed")
    return _other_leaf(opened, node, value)


def _other_leaf(opened: Opened, node: d.Derivation, value: Fraction) -> Leaf:
    match node:
        case d.Days():
            return Leaf(value, "day", _span(opened, node.start, node.end))
        case d.Benchmark():
            return Leaf(value, "", _COMPARED[node.what])
        case d.Forecast() | d.Graded() | d.Part():
            return _inferred(opened, node, value)
    return Leaf(value, "", "")


def _inferred(opened: Opened, node: d.Forecast | d.Graded | d.Part, value: Fraction) -> Leaf:
    match node:
        case d.Forecast():
            bound = "" if node.bound is d.Bound.EXPECTED else f", {node.bound.value} end"
            return Leaf(value, node.past.unit, f"forecast of {node.ahead} weeks{bound}")
        case d.Part():
            return Leaf(value, node.unit, f"of {node.member}, {_span(opened, node.start, node.end)}")
    unit = "company" if node.what == "compared" else opened.place.account.currency
    return Leaf(value, unit, f"{node.what.replace('_', ' ')}, {_span(opened, node.start, node.end)}")


def _span(opened: Opened, start: date, end: date) -> str:
    return period_words(start, end, today_of(opened))


def _committed_unit(opened: Opened) -> str:
    """What a commitment is in: as what it is compared with."""
    for node in leaves_of(opened.number.derivation):
        if isinstance(node, d.Realized):
            return node.unit
    return opened.number.unit if "/" not in opened.number.unit else opened.place.account.currency


_COMPARED: Final = {
    "percentile": "of a hundred others that have less",
    "accounts": "companies compared, this one among them",
    "top": "companies with the highest value",
    "top_using": "of them use it",
    "rest": "other companies",
    "rest_using": "of these use it",
    "uses": "whether this company uses it",
}
_PLAIN_METHODS: Final[Mapping[type, str]] = {
    d.Committed: "What the value plan in force commits for these days; a month that they cut counts by its days.",
    d.Paid: "What the contracts cost on these days.",
    d.Effort: (
        "What implementation and own work cost, as far as it is on record; a month that these days cut counts by its "
        "days."
    ),
    d.Metered: "What the meter below counted on these days.",
    d.Benchmark: "As the newest comparison of accounts has it, which is made anew from the amounts of all of them.",
    d.Graded: (
        "As the newest grade of the suggestion has it, reckoned from the amounts of all accounts that are compared."
    ),
    d.Part: (
        "What the record shows of these days, divided as each day's formula values what its meters read of the member."
    ),
    d.Days: "The calendar days from the first day named to the last.",
    d.Input: "The value in force, as the record of assumptions has it.",
}


def method_words(opened: Opened) -> str:
    """In words, where there is no arithmetic to show."""
    node, proof = opened.number.derivation, opened.proof
    match node:
        case d.Realized():
            days = (proof.period_to - proof.period_from).days
            counted = " Days that rest on a value nobody has validated are left out." if node.counted else ""
            what = "the formula below" if len(proof.drivers) == 1 else "each driver's formula"
            bound = f" This is the {node.bound.value} end." if node.bound is not d.Bound.EXPECTED else ""
            return f"The sum of {days:,} days, each by {what} with the values that held on it.{counted}{bound}"
        case d.Sent():
            return f"How many events of {node.source} are stored of these days."
        case d.Statistic():
            template = _METHODS.get(node.method, "The statistic {method} of {count} values.")
            return template.format(count=len(node.values), method=node.method)
        case d.Tally() if all(isinstance(item, d.Sent) for item in node.items):
            return f"How many of {len(node.items)} days are without an event of that source."
        case d.Tally():
            how = {"above": "more than", "below": "less than"}.get(node.comparison, "other than zero")
            limit = " the value it is compared with" if node.threshold is not None else ""
            return f"How many of {len(node.items)} values were {how}{limit}."
    return _PLAIN_METHODS.get(type(node), "Worked out from the parts that are listed below.")
