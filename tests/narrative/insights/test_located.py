from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from tests.narrative.factories import harbor
from tests.narrative.further_accounts import cuts, opened
from valueplatform.core.periods import Period
from valueplatform.narrative.document import Audience
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights import discover
from valueplatform.narrative.insights.located import MemberCut, Members, dimension_words, located
from valueplatform.narrative.wording import render

FACTS = harbor()
CHANGES = discover(FACTS)
(CUT,) = cuts(FACTS)


def _located(*given: MemberCut) -> list[Insight]:
    return located(FACTS, CHANGES, given)


def _with(**members: Members) -> MemberCut:
    return replace(CUT, members=members)


def _scaled(own: Members, by: str) -> Members:
    return Members(
        own.label, {day: (value * Decimal(by)).quantize(Decimal("0.0001")) for day, value in own.days.items()}
    )


def test_the_member_that_lost_what_the_month_lacks_is_named() -> None:
    (found,) = _located(CUT)
    assert (found.subject, found.terms["member_name"], found.terms["direction"]) == ("repeat_visits", "South", "down")
    assert found.number("share").value > Decimal("0.9")
    _, (admitted,) = opened(FACTS)
    said = render(admitted, Audience.CUSTOMER).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "by which repeat visits avoided fell in July 2026 sits in region “South”. In June 2026 it had 50%" in said


def test_a_change_that_all_members_had_in_proportion_sits_nowhere() -> None:
    whole = {day: sum((own.days.get(day, Decimal(0)) for own in CUT.members.values()), Decimal(0)) for day in CUT.days}
    alike = [Members(name, {day: value / 2 for day, value in whole.items()}) for name in ("North", "South")]
    assert _located(_with(North=alike[0], South=alike[1])) == []


def test_one_member_alone_is_no_place() -> None:
    assert _located(_with(South=CUT.members["South"])) == []


def test_what_carries_no_value_of_the_dimension_is_not_named() -> None:
    assert _located(replace(CUT, members={"North": CUT.members["North"], "": CUT.members["South"]})) == []


def test_negative_parts_are_not_opened() -> None:
    assert _located(_with(North=_scaled(CUT.members["North"], "-1"), South=CUT.members["South"])) == []


def test_a_member_with_a_few_days_is_too_little_to_judge() -> None:
    days = dict(list(CUT.members["South"].days.items())[:7])
    assert _located(_with(North=CUT.members["North"], South=Members("South", days))) == []


def test_many_members_looked_at_ask_for_more_than_chance() -> None:
    """Ten days of June that July has none of are beyond chance for one member of two, and not for one of hundreds."""
    south = CUT.members["South"]
    few = Members("South", {day: value * 3 for day, value in south.days.items() if day.month == 6 and day.day <= 10})
    north = Members("North", {day: Decimal(900) for day in CUT.days})
    many = {f"n{number}": Members(f"n{number}", {CUT.days.start: Decimal(1)}) for number in range(500)}
    assert len(_located(_with(North=north, South=few))) == 1
    assert _located(replace(CUT, members={"North": north, "South": few} | many)) == []


def test_of_several_dimensions_the_one_that_surprises_most_is_told() -> None:
    halves = _with(a=_scaled(CUT.members["South"], "0.5"), b=_scaled(CUT.members["South"], "0.5"))
    (found,) = _located(replace(halves, dimension="team"), CUT)
    assert found.terms["dimension_name"] == "region"


def test_a_cut_of_other_months_says_nothing() -> None:
    assert _located(replace(CUT, days=Period(CUT.days.start, CUT.days.start.replace(month=7)))) == []


@pytest.mark.parametrize(
    "terms",
    [{"member_name": "North"}, {"dimension_name": "team"}, {"direction": "up"}, {"previous_month": "2026-05-01"}],
    ids=lambda terms: next(iter(terms)),
)
def test_a_false_word_about_it_is_refused(terms: dict[str, str]) -> None:
    record, (admitted,) = opened(FACTS)
    faulty = msgspec.structs.replace(admitted.insight, terms=admitted.insight.terms | terms)
    assert admit([faulty], rederive_from(record, [faulty]))[0] == []


def test_a_part_that_the_record_does_not_hold_is_refused() -> None:
    record, (admitted,) = opened(FACTS)
    moved = {leaf: value + Fraction(1, 10_000) * (leaf.member == "South") for leaf, value in record.parts.items()}
    for parts in (moved, {}):
        other = rederive_from(
            replace(record, parts={k: v + (k.start.month == 7) for k, v in parts.items()}), [admitted.insight]
        )
        assert admit([admitted.insight], other)[0] == []


def test_a_path_is_called_by_its_end() -> None:
    assert dimension_words("site.region_code") == "region code"
