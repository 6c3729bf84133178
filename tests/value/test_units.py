"""What a formula gives must be what its driver is measured in; where nobody said a unit, nothing is claimed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.value.formula_strategies import TERMS
from valueplatform.value.formula import Formula
from valueplatform.value.formula_tree import Term, walk
from valueplatform.value.units import Unit, parse_unit, unit_fault

STATED = {
    "jobs": "job",
    "minutes": "minutes",
    "hours": "hour",
    "manual": "minute/job",
    "hourly": "USD/hour",
    "share": "ratio",
    "percent": "%",
    "capital": "USD/USD/year",
    "owed": "USD*day",
    "euros": "EUR",
    "unknown": "a / b / ?",
}


def fault(formula: str, wanted: str = "USD") -> str | None:
    unit = parse_unit(wanted)
    assert unit is not None
    return unit_fault(Formula.parse(formula).term, {name: parse_unit(text) for name, text in STATED.items()}, unit)


@pytest.mark.parametrize(
    "formula",
    [
        "(jobs * manual - minutes) / 60 * hourly",
        "(jobs * manual - minutes) * (hourly / 60)",
        "jobs * manual * hourly * share / 60",
        "jobs * manual * hourly / 2 * 3 / 60 / 4",
        "-minutes / 60 * hourly",
        "(jobs * manual / 60 - hours) * hourly",
        "(hours - jobs * manual / 60) * hourly",
        "max(hours, 8) * hourly",
        "case when jobs > 3 then hours else 0 end * hourly",
        "hours * hourly * percent / 100",
        "owed * capital / 365",
        "owed * capital / 360",
        "minutes / (24 * 60) * 24 * hourly",
        "unknown * hourly",
        "jobs * nobody_said",
        "7",
    ],
)
def test_a_formula_that_gives_the_drivers_unit_is_taken(formula: str) -> None:
    assert fault(formula) is None


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("jobs * manual * hourly", "the formula needs a conversion: divide by 60 to have USD"),
        ("minutes * hourly / 24", "the formula needs a conversion: divide by 60 to have USD"),
        ("hours * hourly / 60 * percent", "the formula needs a conversion: divide by 100 to have USD"),
        ("jobs * hourly", "the formula gives USD·job/time, not USD"),
        ("jobs * manual", "the formula gives time, not USD"),
        ("euros * share", "the formula gives EUR, not USD"),
        ("hourly", "the formula gives USD/time, not USD"),
        ("(jobs - minutes) * hourly", "jobs is in job, minutes in time: they do not go together"),
        ("(hours - minutes) * hourly", "hours and minutes are in different units of time"),
        ("max(jobs, minutes) * hourly", "jobs is in job, minutes in time: they do not go together"),
        ("case when jobs > minutes then hours else 0 end * hourly", "jobs is in job, minutes in time: they do"),
        ("case when jobs > 1 then hours else jobs end * hourly", "hours is in time, jobs in job: they do not"),
    ],
)
def test_a_formula_that_gives_something_else_is_told_what(formula: str, message: str) -> None:
    assert (fault(formula) or "").startswith(message)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("jobs", parse_unit("job")),
        ("companies", parse_unit("company")),
        ("minutes per job", parse_unit("min/job")),
        ("USD · hour / year", parse_unit("USD*h/yr")),
        ("1", Unit()),
        ("probability", Unit()),
        ("USD/USD", Unit()),
        ("pull requests", parse_unit("pull request")),
        ("?", None),
        ("", None),
        ("USD//hour", None),
        ("$/h", None),
    ],
)
def test_units_are_read_in_the_singular_and_in_the_plural(text: str, unit: Unit | None) -> None:
    assert parse_unit(text) == unit


def test_a_class_is_not_the_plural_of_clas() -> None:
    assert parse_unit("class") != parse_unit("clas")


@given(TERMS, st.sampled_from(["USD", "hour", "1"]), st.sampled_from([*STATED.values()]))
def test_whatever_the_formula_says_there_is_an_answer(term: Term, wanted: str, stated: str) -> None:
    names = {node.name for node in walk(term) if hasattr(node, "name")}
    unit = parse_unit(wanted)
    assert unit is not None
    found = unit_fault(term, {name: parse_unit(stated) for name in names}, unit)
    assert found is None or found
