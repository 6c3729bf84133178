"""Amounts of the catalog in words: of several currencies and classes nothing is ever added up."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from valueplatform.portal.worth_words import opened_path, potential_lines, realized_lines
from valueplatform.value.model import Evidence
from valueplatform.value.states import State
from valueplatform.value.type_worth import NotEstimated, PotentialAmount, RealizedAmount, Worth
from valueplatform.value.worth import Basis, Reach, Reason


def realized(expected: str, unit: str = "USD", benefit_class: str = "capacity", **more: object) -> RealizedAmount:
    amount = Decimal(expected)
    held: dict[str, object] = {"evidence": Evidence.MEASURED, "state": State.VALIDATED, "driver": "time", **more}
    return RealizedAmount(
        unit=unit,
        benefit_class=benefit_class,
        accounts=6,
        low=amount,
        expected=amount,
        high=amount,
        counted=amount,
        **held,  # type: ignore[arg-type]  # of the fields that are named above
    )


def more(
    expected: str, unit: str = "USD", reach: Reach = Reach.MORE, accounts: int = 3, needing: int = 0
) -> PotentialAmount:
    amount = Decimal(expected)
    return PotentialAmount(
        driver="time",
        unit="USD",
        benefit_class="capacity",
        reach=reach,
        basis=Basis.SIZE,
        accounts=accounts,
        needing=needing,
        low=amount / 2,
        expected=amount,
        high=amount * 2,
    )


def worth(*amounts: RealizedAmount | PotentialAmount, reasons: tuple[Reason, ...] = ()) -> Worth:
    return Worth(
        as_of=datetime(2026, 6, 15, tzinfo=UTC),
        months=(date(2026, 5, 1),),
        realized=[one for one in amounts if isinstance(one, RealizedAmount)],
        potential=[one for one in amounts if isinstance(one, PotentialAmount)],
        not_estimated=[NotEstimated("time", one, "…") for one in reasons],
    )


def words(*amounts: RealizedAmount | PotentialAmount) -> list[tuple[str, str]]:
    return [(one.text, one.sub) for one in realized_lines("t", worth(*amounts), "USD")]


def test_classes_of_one_currency_stand_in_lines_of_their_own() -> None:
    found = words(realized("1000"), realized("5000", driver="calls", benefit_class="cashable"))
    assert found == [("$1.00K", "capacity, measured"), ("$5.00K", "cashable, measured")]


def test_drivers_of_one_class_are_added_and_show_the_weakest_of_their_grades_and_states() -> None:
    weak = realized("1", driver="calls", evidence=Evidence.VENDOR_ESTIMATE, state=State.PROPOSED)
    (line,) = realized_lines("t", worth(realized("2"), weak), "USD")
    assert (line.text, line.value, line.sub, line.state) == ("$3", "3", "capacity, vendor estimate", "proposed")


def test_other_currencies_are_counted_and_the_suppliers_own_comes_first() -> None:
    found = words(realized("7", "EUR"), realized("5"), realized("900", "JPY"))
    assert found == [("$5", "capacity, measured"), ("and in two other currencies", "")]
    assert words(realized("7", "EUR"), realized("900", "JPY"))[0] == ("€7", "capacity, measured")


def test_a_unit_that_is_no_money_is_told_in_itself() -> None:
    assert words(realized("9.82", "incident", "strategic")) == [("9.82\xa0incidents", "not priced, measured")]


def test_a_loss_is_told_as_such() -> None:
    assert words(realized("-13900"))[0][0] == "\N{MINUS SIGN}$13.9K"


def test_what_goes_with_a_type_that_no_meter_reads_is_an_estimate() -> None:
    (line,) = realized_lines("t", worth(more("185000", reach=Reach.WITHIN)), "USD")
    assert (line.text, line.sub, line.state) == ("about $185K", "goes with it", "predicted")


@pytest.mark.parametrize(
    ("amount", "sub"),
    [
        (more("4"), "$2 to $8 in 3 accounts"),
        (more("4", accounts=1), "$2 to $8 in 1 account"),
        (more("4", needing=2), "$2 to $8 in 3 accounts, with other types"),
    ],
)
def test_what_could_come_has_its_range_and_how_many_accounts(amount: PotentialAmount, sub: str) -> None:
    (line,) = potential_lines("t", worth(amount), "USD")
    assert (line.text, line.sub, line.state) == ("about $4", sub, "predicted")
    assert line.href == "/catalog/worth?type=t"


@pytest.mark.parametrize("reason", list(Reason))
def test_without_an_estimate_a_word_says_why(reason: Reason) -> None:
    (line,) = potential_lines("t", worth(reasons=(reason,)), "USD")
    assert line.text
    assert not line.href


def test_nothing_at_all_is_no_line() -> None:
    assert potential_lines("t", worth(), "USD") == ()
    assert realized_lines("t", worth(), "USD") == ()


def test_a_type_of_any_name_has_an_address() -> None:
    assert opened_path("a/b c&d=1 📦", "p?") == "/catalog/worth?type=a%2Fb+c%26d%3D1+%F0%9F%93%A6&property=p%3F"
