from datetime import date, timedelta

from tests.value.test_values import MODEL, SPRING, d, shown, target
from valueplatform.core.periods import Period
from valueplatform.value.sharing import Combined, combined, offering, rows_of_partner
from valueplatform.value.shown import ShownValue
from valueplatform.value.splits import Part
from valueplatform.value.states import State
from valueplatform.value.values import pledges

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


JOINT = shown(DAY, 50, provider="joint")


def test_what_is_joint_hides_another_partner_as_the_supplier_does() -> None:
    assert together(OWN, JOINT) is not None
    assert together(OWN, JOINT, OTHER) is not None


def test_what_the_partner_can_reckon_from_its_share_hides_nobody() -> None:
    """Its part of 30 at a share of 0.3 tells that the joint driver made 100: of 110, Waypoint's 10 would be left."""
    cut = [OWN, shown(DAY, 20), JOINT]
    assert combined([*cut, OTHER], "tessera", SPRING, "USD", [OTHER]) is None
    assert combined(cut, "tessera", SPRING, "USD", []) is not None
    assert combined([*cut, OTHER, SUPPLIER], "tessera", SPRING, "USD", [OTHER, SUPPLIER]) is not None


def test_what_counts_of_that_is_held_to_the_same_rule() -> None:
    hiding = [OTHER, shown(DAY, 60, state=State.ESTIMATED, counted=False)]
    assert combined([OWN, JOINT, *hiding], "tessera", SPRING, "USD", hiding) is None


def test_an_offering_is_its_joint_drivers_whole_on_the_days_of_the_share() -> None:
    parts = [Part(value, frozenset({"tessera"})) for value in (OWN, shown(DAY, 20, counted=False), JOINT)]
    unknown = Part(shown(DAY, 7), frozenset({"waypoint"}))
    pledged = pledges([target(date(2026, 3, 1), 310)], MODEL, {}, "USD")
    ten_days = Period(date(2026, 3, 1), date(2026, 3, 11))
    found = offering([*parts, unknown], pledged, [("dispatch_time", ten_days)], "tessera", "USD")
    assert found is not None
    assert (found.realized, found.counted, found.committed, str(found.attainment)) == (d(100), d(80), d(100), "0.8000")
    assert offering(parts, pledged, [], "tessera", "USD") is None
    bare = offering(parts, [], [("dispatch_time", ten_days)], "tessera", "USD")
    assert bare is not None
    assert bare.attainment is None


def test_what_does_not_count_yet_of_the_one_other_partner_is_not_told_either() -> None:
    estimated = shown(DAY, 10, provider="waypoint", state=State.ESTIMATED, counted=False)
    assert together(OWN, estimated) is None
