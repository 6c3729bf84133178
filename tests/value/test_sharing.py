from datetime import date, timedelta

from tests.value.test_values import SPRING, d, shown
from valueplatform.core.periods import Period
from valueplatform.value.sharing import Combined, combined, rows_of_partner
from valueplatform.value.shown import ShownValue
from valueplatform.value.states import State

DAY = date(2026, 3, 2)
OWN = shown(DAY, 30, provider="tessera")
SUPPLIER = shown(DAY, 60)
OTHER = shown(DAY, 10, provider="waypoint")


def together(*values: ShownValue) -> Combined | None:
    return combined(values, "tessera", SPRING, "USD")


def test_a_partner_alone_with_the_supplier_sees_the_combined_total() -> None:
    found = together(OWN, SUPPLIER)
    assert found is not None
    assert (found.realized, found.counted, str(found.share)) == (d(90), d(90), "0.3333")


def test_the_total_is_suppressed_where_subtraction_would_tell_what_the_one_other_partner_brought() -> None:
    assert together(OWN, OTHER) is None


def test_the_supplier_hides_the_other_partner() -> None:
    found = together(OWN, SUPPLIER, OTHER)
    assert found is not None
    assert found.realized == 100


def test_two_other_partners_hide_each_other() -> None:
    found = together(OWN, OTHER, shown(DAY, 5, provider="third"))
    assert found is not None
    assert found.realized == 45


def test_a_single_day_of_the_one_other_partner_suppresses_the_whole_period() -> None:
    later = shown(DAY + timedelta(days=1), 10, provider="waypoint")
    assert together(OWN, SUPPLIER, later) is None
    assert combined([OWN, SUPPLIER, later], "tessera", Period(DAY, DAY + timedelta(days=1)), "USD") is not None


def test_the_counted_part_is_held_to_the_same_rule() -> None:
    estimated = shown(DAY, 60, state=State.ESTIMATED, counted=False)
    assert together(OWN, estimated, OTHER) is None


def test_amounts_that_are_no_money_of_the_account_neither_hide_nor_reveal() -> None:
    assert together(OWN, OTHER, shown(DAY, 60, unit="EUR"), shown(DAY, 60, benefit_class="strategic")) is None
    found = together(OWN, SUPPLIER, shown(DAY + timedelta(days=1), 10, provider="waypoint", unit="EUR"))
    assert found is not None
    assert found.realized == 90


def test_a_row_of_nothing_does_not_hide_anybody() -> None:
    assert together(OWN, shown(DAY, 0), OTHER) is None


def test_without_a_part_in_it_there_is_no_combined_total() -> None:
    assert together() is None
    assert together(SUPPLIER) is None
    assert together(SUPPLIER, shown(DAY, 0, provider="tessera")) is None
    assert together(SUPPLIER, shown(DAY, 30, provider="tessera", unit="EUR")) is None


def test_there_is_no_share_of_nothing_nor_of_a_loss() -> None:
    even, lost = together(OWN, shown(DAY, -30)), together(OWN, shown(DAY, -60))
    own_loss = together(shown(DAY, -5, provider="tessera"), SUPPLIER)
    assert even is not None
    assert lost is not None
    assert own_loss is not None
    assert [(one.realized, one.share) for one in (even, lost, own_loss)] == [
        (d(0), None),
        (d(-30), None),
        (d(55), None),
    ]


def test_own_rows_are_kept_and_do_not_tell_that_they_are_disputed() -> None:
    disputed = shown(DAY, 30, provider="tessera", state=State.UNDER_REVIEW, counted=False)
    (row,) = rows_of_partner([disputed, SUPPLIER, OTHER], "tessera")
    assert (row.expected, row.state, row.counted) == (d(30), State.ESTIMATED, False)
