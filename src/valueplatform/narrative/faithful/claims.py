"""What an insight says beside its numbers: direction, status, standing, names, days. Each claim is checked against the
numbers as the record gives them, and against the record's own names and days."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from valueplatform.narrative.faithful.evaluation import values_beneath
from valueplatform.narrative.faithful.leaves import drivers_in, foretells, hull, leaves, span_of_leaf, subject_span
from valueplatform.narrative.faithful.placing import placing_problems
from valueplatform.narrative.faithful.record import Record
from valueplatform.narrative.insight import Insight, Number, Standing
from valueplatform.value.derivation import (
    Adjusted,
    Benchmark,
    Closed,
    Committed,
    Days,
    Derivation,
    Difference,
    Effort,
    Forecast,
    Graded,
    Input,
    Metered,
    Paid,
    Part,
    Ratio,
    Realized,
    Sent,
    Statistic,
    Total,
)

Numbers = Mapping[str, Fraction]

COUNTED_KINDS: Final = frozenset(
    {
        "realized", "attainment", "committed-range", "plan-standing", "return-on-paid", "go-live", "milestone",
        "renewal-ahead", "streak", "payback", "since-purchase", "pace",
    }
)  # fmt: skip
"""Kinds whose numbers may hold nothing but what value rule 10 counts."""
UNCOUNTED_NUMBERS: Final = frozenset({"waiting", "since_stop"})
"""Numbers of these kinds that speak of what does not count."""
RECORDED_DAYS: Final = frozenset(
    {
        "questioned_day",
        "validated_day",
        "milestone_day",
        "end_day",
        "shown_day",
        "expires_day",
        "contract_day",
        "accepted_day",
    }
)
"""Terms that name a day of the record: a statement, a milestone, the end of a contract."""
STARTS: Final = frozenset({"since_day", "month", "previous_month"})
"""Terms that name where a stretch of its numbers begins."""
_ONE_DAY: Final = timedelta(days=1)


def _attained(n: Numbers, terms: Mapping[str, str]) -> bool:
    stopped = terms["cause"] != "stalled" or n["since_stop"] == 0
    began_late = terms["cause"] != "late-start" or n["later"] == n["realized"]
    return _status(n, terms) and stopped and began_late


def _status(n: Numbers, terms: Mapping[str, str]) -> bool:
    if n["realized"] > n["high"]:
        return terms["status"] == "ahead"
    return terms["status"] == ("behind" if n["realized"] < n["low"] else "on-plan")


def _distance(n: Numbers, terms: Mapping[str, str]) -> bool:
    edge = n["high"] if terms["status"] == "ahead" else n["low"]
    return _status(n, terms) and n["distance"] == n["realized"] - edge


def _on_the_way(n: Numbers, terms: Mapping[str, str]) -> bool:
    """The whole interval lies on the side of what is committed that is told; else what is expected is on plan, or it is
    open."""
    inside = n["committed_low"] <= n["projected"] <= n["committed_high"]
    between = "on-plan" if inside else "open"
    status = "behind" if n["high"] < n["committed_low"] else "ahead" if n["low"] > n["committed_high"] else between
    return (
        terms["status"] == status
        and n["low"] <= n["projected"] <= n["high"]
        and n["gap"] == n["projected"] - n["committed"]
        and n["coverage"] == Fraction(9, 10)
    )


def _standings(n: Numbers, terms: Mapping[str, str]) -> bool:
    return all((value < 0) is (name == "behind") for name, value in n.items()) and terms["shape"] == "-".join(n)


def _in_a_row(n: Numbers, terms: Mapping[str, str]) -> bool:
    """Every week of the stretch lies on the side that is told."""
    side = "above" if n["beyond"] > 0 else "below"
    return n["beyond"] != 0 and terms["side"] == side and n["days"] == n["weeks"] * 7


def _rests_on_few(n: Numbers, _: Mapping[str, str]) -> bool:
    is_named = n["few"] == n["first"] + n.get("second", 0)
    return is_named and n["larger"] == 0 and n["share"] * 2 >= 1 and n["share"] == round(n["few"] / n["whole"], 4)


def _began_to_count(n: Numbers, terms: Mapping[str, str]) -> bool:
    """Nothing counted before, and something did on the day that is named, where one is."""
    return n["earlier"] == 0 and n["days"] > 0 and (n.get("first", 0) > 0) is (terms["step"] == "reached")


def _put_in(n: Numbers, terms: Mapping[str, str]) -> bool:
    """Effort that is on record is in what was put in; else it is said that contracts alone are."""
    if terms.get("cost") == "unknown":
        return True
    known = n["effort"] != 0
    whole = n.get("cost", n.get("put_in", n["paid"]))
    return terms["counts"] == ("contracts-and-effort" if known else "contracts") and whole == n["paid"] + n["effort"]


def _cost_most(n: Numbers) -> bool:
    return n["whole"] < 0 and 5 * n["cost"] <= 4 * n["whole"]


def _stands_apart(n: Numbers, terms: Mapping[str, str]) -> bool:
    """In a cohort of five or more, in the quarter that is told."""
    share, quarter = n["below"], Fraction(1, 4)
    is_told = share >= 1 - quarter if terms["side"] == "high" else share <= quarter
    return is_told and n["others"] >= 4 and n["above"] == 1 - share and _is_counted(n)


def _is_counted(n: Numbers) -> bool:
    """Where companies are counted, the percentage comes of whole ones: it is told to a tenth."""
    passed = n.get("passed")
    if passed is None:
        return "ahead" not in n
    is_whole = passed.denominator == 1 and abs(passed / n["others"] - n["below"]) <= Fraction(1, 2000)
    return is_whole and n["ahead"] == n["others"] - passed


def _is_ahead(n: Numbers, _: Mapping[str, str]) -> bool:
    """Used by a larger share of the top, and not by the account; where companies are counted, the shares are theirs."""
    counted = all(
        n[f"{who}_share"] == round(n[f"{who}_using"] / n[who], 4) for who in ("top", "rest") if f"{who}_using" in n
    )
    return n["uses"] == 0 and n["top_share"] > n["rest_share"] and counted


def _followed_up(n: Numbers, terms: Mapping[str, str]) -> bool:
    """Inside where the measurement lies in its range, else on the side that is told; against a cohort of accounts."""
    side = "below" if n["realized"] < n["range_low"] else "above" if n["realized"] > n["range_high"] else "inside"
    return terms["side"] == side and n["compared"] >= 5 and n["low"] <= n["expected"] <= n["high"]


def _sits_in(n: Numbers, terms: Mapping[str, str]) -> bool:
    """Most of the change, and much more of it than the member had before."""
    apart = n["share"] - n["earlier_share"]
    return _direction("change")(n, terms) and 2 * n["share"] >= 1 and 5 * apart >= 1


def _direction(name: str) -> Callable[[Numbers, Mapping[str, str]], bool]:
    def holds(n: Numbers, terms: Mapping[str, str]) -> bool:
        return n[name] != 0 and terms["direction"] == ("up" if n[name] > 0 else "down")

    return holds


CLAIMS: Final[Mapping[str, Callable[[Numbers, Mapping[str, str]], bool]]] = {
    "attainment": _attained,
    "committed-range": _distance,
    "pace": _on_the_way,
    "steady": lambda n, _: n["weeks"] == 26 and 0 <= n["variation"] <= Fraction(75, 1000) and n["usual"] > 0,
    "plan-standing": _standings,
    "period-over-period": _direction("change"),
    "month-so-far": _direction("change"),
    "trend": _direction("slope"),
    "change-point": lambda n, terms: _direction("change")(n, terms) and n["change"] == n["after"] - n["before"],
    "unusual-day": lambda n, terms: _direction("change")(n, terms) and n["change"] == n["brought"] - n["usual"],
    "record-month": lambda n, _: n["higher_months"] == 0 and n["change"] > 0,
    "stalled-driver": lambda n, _: n["since"] == 0,
    "silent-account": lambda n, _: n["since"] == 0,
    "lost-driver": lambda n, _: n["since"] == 0,
    "streak": _in_a_row,
    "concentration": _rests_on_few,
    "bottom-contributors": lambda n, _: n["smaller"] == 0 and n["first"] <= n["second"],
    "mix-shift": lambda n, terms: _direction("shift")(n, terms) and n["shift"] == n["now"] - n["before"],
    "input-change": lambda n, terms: _direction("change")(n, terms) and n["change"] == n["now"] - n["before"],
    "payback": lambda n, terms: n["short"] < 0 <= n["beyond"] and n["to_date"] >= n["cost"] and _put_in(n, terms),
    "return-on-paid": _put_in,
    "since-purchase": _put_in,
    "renewal-ahead": _put_in,
    "time-to-value": _began_to_count,
    "disruption": lambda n, terms: _cost_most(n) and terms["length"] == ("day" if n["days"] == 1 else "days"),
    "correlated-drivers": lambda n, _: 4 * n["together"] >= 3 * n["steps"],
    "unusual-record": lambda n, _: n["higher"] == 0 and n["change"] > 0,
    "benchmark-standing": _stands_apart,
    "best-practice-gap": _is_ahead,
    "suggestion-outcome": _followed_up,
    "change-sits-in": _sits_in,
    "expiring-input": lambda n, _: n["carried"] != 0,
    "weekly-season": lambda n, _: n["high"] > n["low"],
    "missing-days": lambda n, _: n["missing"] == 0,
    "new-driver": lambda n, _: n["earlier"] == 0,
    "detractor": lambda n, _: n["realized"] < 0,
    "adjustment": lambda n, _: n["change"] != 0,
    "silent-source": lambda n, _: n["sent"] == 0 and n["quiet"] > 0,
    "reduced-source": lambda n, _: 3 * n["sent"] < 2 * n["before"],
    "estimated-beside": lambda n, _: n["estimated"] != 0,
}


def problems(insight: Insight, numbers: Numbers, record: Record) -> Iterator[str]:
    """What the insight says and the record does not bear out."""
    claim = CLAIMS.get(insight.kind)
    if claim is not None and not claim(numbers, insight.terms):
        yield f"what a {insight.kind} insight claims does not follow from its numbers"
    for number in insight.numbers:
        yield from _number_problems(insight, number, record)
    yield from _period_problems(insight)
    yield from placing_problems(insight)
    yield from _term_problems(insight, record)


def _number_problems(insight: Insight, number: Number, record: Record) -> Iterator[str]:
    below = list(leaves(number.derivation))
    realized = [leaf for leaf in below if isinstance(leaf, Realized)]
    expected = _unit(number.derivation, record)
    if expected is not None and number.unit != expected:
        yield f"{number.name} is in {expected}, not in {number.unit}"
    if insight.kind in COUNTED_KINDS and number.name not in UNCOUNTED_NUMBERS and not all(r.counted for r in realized):
        yield f"{number.name} takes in what does not count"
    rests_on_open = any(not value.counted for leaf in realized for value in values_beneath(leaf, record))
    is_inferred = foretells(number.derivation) or any(isinstance(x, Graded) and x.what != "compared" for x in below)
    if (rests_on_open or is_inferred) and number.standing is Standing.VALIDATED:
        yield f"{number.name} is called validated, and rests on what is not"
    if rests_on_open and insight.terms.get("certainty") == "counted":
        yield f"{number.name} is called counted, and takes in what does not count"


def _unit(node: Derivation, record: Record) -> str | None:
    """The unit that the derivation gives; None where it leaves the unit open."""
    match node:
        case Difference():
            return _unit(node.minuend, record)
        case Total():
            return _unit(node.parts[0], record)
        case Ratio() if all(isinstance(leaf, Days) for leaf in _terms(node.denominator)):
            unit = _unit(node.numerator, record)
            return f"{unit}/day" if unit else None
        case Statistic(method="same-direction" | "variation"):
            return "count" if node.method == "same-direction" else "share"
        case Statistic(method="median"):
            return _unit(node.values[0], record)
        case Forecast():
            return node.past.unit
        case Statistic():
            unit = _unit(node.values[0], record)
            return f"{unit}/week" if unit else None
    return _unit_of_leaf(node, record)


def _terms(node: Derivation) -> tuple[Derivation, ...]:
    return node.parts if isinstance(node, Total) else (node,)


def _unit_of_leaf(node: Derivation, record: Record) -> str | None:
    match node:
        case Realized() | Part():
            return node.unit
        case Input():
            return _input_unit(node, record)
        case Paid() | Effort():
            return record.currency
        case Graded():
            return "company" if node.what == "compared" else record.currency
        case Metered() | Sent() | Days():
            return {Metered: "count", Sent: "event", Days: "day"}[type(node)]
        case Committed() | Closed() | Adjusted():
            units = {value.unit for driver in node.drivers for value in record.values_of.get(driver, ())}
            return units.pop() if len(units) == 1 else None
    return None


def _input_unit(node: Input, record: Record) -> str | None:
    """A ratio is said as a share (0.118 is 11.8 %), and so is a unit per itself."""
    held = record.inputs.get((node.slug, node.day))
    return re.sub(r"^(ratio\b|([^/]+)/\2(?=/|$))", "share", held.unit) if held is not None else None


def _period_problems(insight: Insight) -> Iterator[str]:
    spans = [span for number in insight.numbers if (span := subject_span(number.derivation)) is not None]
    told = (insight.period_from, insight.period_to)
    if spans and told not in {spans[0], hull(spans)}:
        yield f"the period {told[0]} to {told[1]} is not that of its numbers"


def _term_problems(insight: Insight, record: Record) -> Iterator[str]:
    spans = [span_of_leaf(leaf) for number in insight.numbers for leaf in leaves(number.derivation)]
    starts = {span[0] for span in spans if span is not None}
    ends = {span[1] - _ONE_DAY for span in spans if span is not None}
    for term, said in insight.terms.items():
        if term.endswith("_name"):
            yield from _name_problems(insight, term, said, record)
        elif term.endswith(("_day", "month")):
            known = record.days if term in RECORDED_DAYS else starts if term in STARTS else starts | ends | record.days
            if date.fromisoformat(said) not in known:
                yield f"{term} {said} is not what its numbers or the record name"


def _name_problems(insight: Insight, term: str, said: str, record: Record) -> Iterator[str]:
    subject = term.removesuffix("_name")
    expected: set[str | None] = set()
    number = next((number for number in insight.numbers if number.name == subject), None)
    if subject == "driver":
        expected = {record.titles.get(f"driver:{slug}") for slug in insight.drivers[:1]}
    elif subject == "input":
        slugs = {leaf.slug for n in insight.numbers for leaf in leaves(n.derivation) if isinstance(leaf, Input)}
        expected = {record.titles.get(f"input:{slug}") for slug in slugs}
    elif subject == "feature":
        below = (leaf for n in insight.numbers for leaf in leaves(n.derivation))
        features = {leaf.feature for leaf in below if isinstance(leaf, Benchmark | Graded)}
        if said not in {record.titles.get(f"feature:{slug}") for slug in features}:
            yield f"{term} says {said!r}, which is not its name in the record"
        return
    elif subject in {"member", "dimension"}:
        parts = [leaf for n in insight.numbers for leaf in leaves(n.derivation) if isinstance(leaf, Part)]
        if said not in {_part_name(subject, part, record) for part in parts}:
            yield f"{term} says {said!r}, which is not its name in the record"
        return
    elif number is not None and insight.kind != "partner-contribution":
        expected = _names_beneath(number.derivation, record)
    if (expected and said not in expected) or said not in record.names:
        yield f"{term} says {said!r}, which is not its name in the record"


def _part_name(subject: str, part: Part, record: Record) -> str:
    """A dimension is called by the end of its path, a feature by its title."""
    if subject == "dimension":
        return part.dimension.split(".")[-1].replace("_", " ")
    feature = record.titles.get(f"feature:{part.member}") if part.dimension == "feature" else None
    return feature or part.member


def _names_beneath(node: Derivation, record: Record) -> set[str | None]:
    meters = {leaf.meter for leaf in leaves(node) if isinstance(leaf, Metered)}
    if meters:
        return {record.titles.get(f"meter:{slug}") for slug in meters}
    return {record.titles.get(f"driver:{slug}") for slug in drivers_in(node)}
