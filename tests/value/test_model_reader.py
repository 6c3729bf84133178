from datetime import date
from decimal import Decimal

import pytest

from valueplatform.value.model import Evidence
from valueplatform.value.model_findings import Finding, Place
from valueplatform.value.model_reader import TableReader
from valueplatform.value.ranges import Range


@pytest.fixture
def found() -> list[Finding]:
    return []


def reader(table: dict[str, object], found: list[Finding]) -> TableReader:
    return TableReader(table, Place("driver", 1, "d"), found.append)


def test_what_is_well_formed_is_read_without_a_finding(found: list[Finding]) -> None:
    table = reader(
        {
            "slug": "d",
            "title": "D",
            "event": "a",
            "paths": ["a", "b"],
            "evidence": "measured",
            "flag": False,
            "day": date(2026, 1, 31),
            "price": "1.50",
            "default": 3,
        },
        found,
    )
    assert (table.slug(), table.text("title"), table.optional_text("none")) == ("d", "D", None)
    assert (table.texts("event"), table.texts("paths"), table.texts("none")) == (("a",), ("a", "b"), ())
    assert table.choice("evidence", Evidence) is Evidence.MEASURED
    assert (table.flag("flag"), table.flag("none"), table.day("day"), table.day("none")) == (
        False,
        None,
        date(2026, 1, 31),
        None,
    )
    assert (table.number("price"), table.number("none")) == (Decimal("1.5"), None)
    assert (table.range("default"), table.range("none"), table.ranges("segment")) == (Range.point(Decimal(3)), None, {})
    table.close()
    assert found == []


def test_a_key_that_was_never_asked_for_is_a_finding(found: list[Finding]) -> None:
    table = reader({"slug": "d", "titel": "x"}, found)
    table.slug()
    table.optional_text("title")
    table.close()
    assert found == [Finding(Place("driver", 1, "d", "titel"), "unknown key", 'did you mean "title"?')]


@pytest.mark.parametrize("slug", ["Jobs", "1st", "a b", "a-b", "ä", "a" * 64, "a.b"])
def test_a_name_for_formulas_is_narrower_than_a_slug(slug: str, found: list[Finding]) -> None:
    table = reader({"slug": slug}, found)
    table.slug(name=True)
    assert [str(finding.place) for finding in found] == ['driver[1] "d".slug']


@pytest.mark.parametrize("slug", ["a-b", "Feature_1", "a.b", "9"])
def test_other_slugs_may_have_dashes_and_capitals(slug: str, found: list[Finding]) -> None:
    assert reader({"slug": slug}, found).slug() == slug
    assert found == []


def test_whatever_is_wrong_something_fit_to_go_on_with_is_returned(found: list[Finding]) -> None:
    table = reader(dict.fromkeys(["a", "b", "c", "d", "e", "f", "g", "h"], object()), found)
    assert table.text("a") == ""
    assert table.texts("b", required=True) == ()
    nothing: list[object] = [table.choice("c", Evidence), table.flag("d"), table.day("e"), table.number("f")]
    assert nothing == [None] * 4
    assert table.range("g") is None
    assert table.ranges("h") == {}
    assert [finding.place.key for finding in found] == ["a", "b", "c", "d", "e", "f", "g", "h"]


def test_a_datetime_is_no_day_and_a_long_value_is_shown_short(found: list[Finding]) -> None:
    table = reader({"day": "x" * 500}, found)
    table.day("day")
    assert len(found[0].message) < 100
