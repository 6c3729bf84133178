from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from random import Random

import pytest

from tests.value.bridges import VOLUMES, Case, a_case, worth_of
from valueplatform.value.bridge import bridge
from valueplatform.value.bridge_cells import CAP, FORMULA, Cell, Day, Kind, Line, Side
from valueplatform.value.proof_bridge_steps import split

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
DISPATCH = "(jobs * baseline - minutes) / 60 * price"


def exact(*amounts: Decimal) -> Decimal:
    with localcontext(prec=200):
        return sum(amounts, Decimal(0))


def days(
    start: date,
    count: int,
    jobs: int,
    minutes: int = 0,
    *,
    price: int = 60,
    baseline: int = 14,
    formula: str = DISPATCH,
) -> list[Day]:
    inputs = {"baseline": Fraction(baseline), "price": Fraction(price)}
    meters = {"jobs": Fraction(jobs), "minutes": Fraction(minutes)}
    return [Day(start + timedelta(i), formula, inputs, meters) for i in range(count)]


def side(*found: Day, adjusted: int = 0, **members: list[Day]) -> Side:
    held: dict[tuple[str | None, ...], list[Day]] = {(name,): own for name, own in members.items()}
    if found:
        held[()] = list(found)
    formula = next((day.formula for own in held.values() for day in own), "0")
    return Side(worth_of(formula, *held.values()), Decimal(adjusted), held)


def one(before: Side, after: Side, **named: str) -> Line:
    (line,) = bridge([cell(before, after, **named)], VOLUMES)
    return line


def cell(before: Side, after: Side, provider: str = "supplier", unit: str = "USD", driver: str = "d") -> Cell:
    return Cell(driver, provider, unit, "capacity", before, after)


def parts(line: Line) -> dict[str, str]:
    return {f"{p.kind} {p.subject}".strip(): format(p.amount.normalize(), "f") for p in line.parts}


def test_more_of_the_same_is_volume_alone() -> None:
    line = one(side(*days(MAY, 10, 10, 20)), side(*days(JUNE, 10, 15, 30)))
    assert (int(line.before), int(line.after)) == (1200, 1800)
    assert parts(line) == {"volume": "600"}
    assert (line.volume, line.volume_before, line.volume_after) == ("jobs", Fraction(100), Fraction(150))


def test_a_longer_period_is_more_volume_and_says_its_days() -> None:
    line = one(side(*days(MAY, 28, 10)), side(*days(JUNE, 31, 10)))
    assert parts(line) == {"volume": "420"}
    assert (line.days_before, line.days_after) == (28, 31)


def test_fewer_minutes_a_job_are_rate() -> None:
    line = one(side(*days(MAY, 10, 10, 40)), side(*days(JUNE, 10, 10, 20)))
    assert parts(line) == {"rate": "200"}
    assert line.rates == {"minutes": (Fraction(4), Fraction(2))}


def test_a_new_price_is_an_assumption_under_its_name() -> None:
    line = one(side(*days(MAY, 10, 10, 20)), side(*days(JUNE, 10, 10, 20, price=66)))
    assert parts(line) == {"assumption price": "120"}
    assert line.inputs == {"baseline": (Fraction(14), Fraction(14)), "price": (Fraction(60), Fraction(66))}


def test_each_step_is_taken_with_those_before_it_as_now_and_those_after_it_as_before() -> None:
    line = one(side(*days(MAY, 10, 10, 20)), side(*days(JUNE, 10, 20, 80, price=30, baseline=12)))
    # 1200 = 100 * (14 - 2); volume doubles it; 4 minutes instead of 2; 12 instead of 14; half the price
    assert parts(line) == {
        "volume": "1200",
        "rate": "-400",
        "assumption baseline": "-400",
        "assumption price": "-800",
    }
    assert line.change == -400


def test_a_price_that_changes_on_the_way_counts_by_the_volume_that_it_holds_for() -> None:
    before = side(*days(MAY, 10, 10))
    after = side(*days(JUNE, 5, 10), *days(JUNE + timedelta(5), 5, 10, price=120))
    assert parts(one(before, after)) == {"assumption price": "700"}


def test_moving_work_to_where_it_is_worth_more_is_mix() -> None:
    before = side(north=days(MAY, 10, 10, 20), south=days(MAY, 10, 10, 100))
    after = side(north=days(JUNE, 10, 15, 30), south=days(JUNE, 10, 5, 50))
    north, south = bridge([cell(before, after)], VOLUMES)
    assert (north.member, parts(north)) == (("north",), {"mix": "600"})
    assert (south.member, parts(south)) == (("south",), {"mix": "-200"})


def test_work_that_moves_between_providers_is_mix_too() -> None:
    cells = [
        cell(side(*days(MAY, 10, 10)), side(*days(JUNE, 10, 5)), "tessera"),
        cell(side(*days(MAY, 10, 10)), side(*days(JUNE, 10, 15)), "waypoint"),
    ]
    tessera, waypoint = bridge(cells, VOLUMES)
    assert (parts(tessera), parts(waypoint)) == ({"mix": "-700"}, {"mix": "700"})


def test_what_had_no_value_before_is_new_and_what_has_none_now_is_lost() -> None:
    before = side(north=days(MAY, 10, 10), south=days(MAY, 10, 10))
    after = side(north=days(JUNE, 10, 10), west=days(JUNE, 10, 20))
    assert [parts(line) for line in bridge([cell(before, after)], VOLUMES)] == [
        {},
        {"lost": "-1400"},
        {"new": "2800"},
    ]


def test_a_driver_without_any_value_before_is_new_and_without_any_now_is_lost() -> None:
    own = side(*days(MAY, 10, 10))
    assert parts(one(Side(), own)) == {"new": "1400"}
    assert parts(one(own, Side())) == {"lost": "-1400"}
    assert bridge([cell(Side(), Side())], VOLUMES) == []


def test_adjustments_of_other_periods_stand_apart() -> None:
    line = one(side(*days(MAY, 10, 10), adjusted=-30), side(*days(JUNE, 10, 10), adjusted=12))
    assert (int(line.before), int(line.after), parts(line)) == (1370, 1412, {"adjusted": "42"})
    assert parts(one(Side(adjusted=Decimal(5)), Side())) == {"adjusted": "-5"}


def test_adjustments_are_not_divided_over_members() -> None:
    before = side(north=days(MAY, 10, 10))
    after = side(adjusted=7, north=days(JUNE, 10, 10))
    nowhere, north = bridge([cell(before, after)], VOLUMES)
    assert (nowhere.member, parts(nowhere)) == ((None,), {"adjusted": "7"})
    assert parts(north) == {}


def test_another_currency_is_lost_in_one_and_new_in_the_other() -> None:
    own = side(*days(MAY, 10, 10))
    lines = bridge([cell(own, Side()), cell(Side(), own, unit="EUR")], VOLUMES)
    assert [(line.unit, parts(line)) for line in lines] == [("EUR", {"new": "1400"}), ("USD", {"lost": "-1400"})]


def test_another_formula_is_a_part_of_its_own() -> None:
    line = one(side(*days(MAY, 10, 10, 20)), side(*days(JUNE, 10, 10, 20, formula="jobs * price")))
    assert parts(line) == {f"assumption {FORMULA}": "4800"}


def test_what_the_cap_of_a_pool_takes_is_a_part_of_its_own() -> None:
    jobs = days(MAY, 10, 10)
    before = Side(Decimal(1000), members={(): jobs}, uncapped=Decimal(1400))
    line = one(before, side(*days(JUNE, 10, 20)))
    assert parts(line) == {"volume": "1400", f"assumption {CAP}": "400"}
    assert (line.worth_before, line.capped) == (Decimal(1400), (Decimal(-400), Decimal(0)))
    assert parts(one(before, Side())) == {"lost": "-1000"}


def test_a_cap_takes_from_members_in_proportion() -> None:
    north, south = days(MAY, 10, 30), days(MAY, 10, 10)
    before = Side(Decimal(2800), members={("north",): north, ("south",): south}, uncapped=Decimal(5600))
    lines = bridge([cell(before, Side())], VOLUMES)
    assert [parts(line) for line in lines] == [{"lost": "-2100"}, {"lost": "-700"}]


def test_days_of_a_formula_that_does_not_add_are_compared_from_least_to_most() -> None:
    formula = "max(jobs - 10, 0) * price"
    quiet, busy = days(MAY, 1, 5, formula=formula), days(MAY + timedelta(1), 1, 15, formula=formula)
    early, late = days(JUNE, 1, 15, formula=formula), days(JUNE + timedelta(1), 1, 5, formula=formula)
    assert parts(one(side(*quiet, *busy), side(*early, *late))) == {}
    flat = days(JUNE, 2, 10, formula=formula)
    assert parts(one(side(*quiet, *busy), side(*flat))) == {"mix": "-300"}
    again = [
        *days(MAY + timedelta(2), 1, 5, formula=formula),
        *days(MAY + timedelta(3), 1, 15, formula=formula),
    ]
    longer = [*quiet, *busy, *again]
    assert parts(one(side(*quiet, *busy), side(*longer))) == {"volume": "300"}


def test_where_the_first_meter_is_not_above_zero_volume_is_told_in_days() -> None:
    line = one(side(*days(MAY, 10, 0, 20)), side(*days(JUNE, 20, 10, 20)))
    assert (line.volume, line.volume_before, line.volume_after) == ("minutes", Fraction(200), Fraction(400))
    formula = "jobs * price + 1"
    line = one(side(*days(MAY, 10, 0, formula=formula)), side(*days(JUNE, 20, 10, formula=formula)))
    assert (line.volume, parts(line)) == (None, {"volume": "10", "rate": "12000"})


def test_a_step_that_leads_to_no_value_is_taken_together_with_the_next() -> None:
    formula = "jobs * price / (baseline - minutes)"
    before = side(*days(MAY, 1, 10, 4, baseline=8, formula=formula))
    after = side(*days(JUNE, 1, 20, 4, baseline=12, formula=formula))  # twice the minutes would divide by zero
    line = one(before, after)
    assert (int(line.before), int(line.after)) == (150, 150)
    assert exact(*(p.amount for p in line.parts)) == 0
    assert line.amount(Kind.VOLUME) == 0


def test_amounts_of_38_digits_keep_every_digit() -> None:
    formula = "jobs * price"
    before = side(*days(MAY, 1, 10**17, price=10**16, formula=formula))
    after = side(*days(JUNE, 1, 10**17 + 1, price=10**16 + 1, formula=formula))
    line = one(before, after)
    assert line.change == exact(after.worth, -before.worth)
    assert exact(*(p.amount for p in line.parts)) == line.change


@pytest.mark.parametrize("seed", range(10))
def test_parts_add_up_to_the_last_unit_and_are_worked_out_again_in_ten_thousand_random_cases(seed: int) -> None:
    random = Random(seed)
    for _ in range(1000):
        case = a_case(random)
        lines = bridge(case.cells, VOLUMES)
        _adds_up(case, lines)
        proved = split(case.proved(), VOLUMES)
        told = {
            (line.provider, line.member): {(str(p.kind), p.subject): p.amount for p in line.parts} for line in lines
        }
        assert told == {key: dict(found.parts) for key, found in proved.items()}
        assert {(line.provider, line.member): (line.before, line.after) for line in lines} == {
            key: (found.before, found.after) for key, found in proved.items()
        }


def _adds_up(case: Case, lines: list[Line]) -> None:
    for line in lines:
        assert exact(*(part.amount for part in line.parts)) == exact(line.after, -line.before)
        assert all(part.amount == part.amount.quantize(Decimal("0.0001")) for part in line.parts)
    for at, end in enumerate(("before", "after")):
        for provider, pair in case.sides.items():
            told = exact(*(getattr(line, end) for line in lines if line.provider == provider))
            assert told == exact(pair[at].worth, pair[at].adjusted)
