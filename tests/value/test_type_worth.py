"""Types by what would come: an order in which currencies are never compared, and amounts that are never mixed."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.value.worths import MONTHS, the_model
from valueplatform.value.feeds import Paths
from valueplatform.value.model import Evidence
from valueplatform.value.states import State
from valueplatform.value.type_worth import _WHY, WorthBook
from valueplatform.value.worth import Basis, Reach, Reason, Verdict
from valueplatform.value.worth_store import Estimates, PotentialTotal, Stored, Total

PATHS = Paths(the_model())


def realized(driver: str, expected: str, unit: str = "USD", benefit_class: str = "capacity") -> Total:
    amount = Decimal(expected)
    return Total(
        driver=driver,
        unit=unit,
        benefit_class=benefit_class,
        accounts=2,
        low=amount - 3,
        expected=amount,
        high=amount + 3,
        counted=Decimal(0),
        evidence=Evidence.MEASURED,
        state=State.ESTIMATED,
    )


def more(kind: str, expected: str, unit: str = "USD", reach: Reach = Reach.MORE, **changes: str) -> PotentialTotal:
    amount = Decimal(expected)
    return PotentialTotal(
        type=kind,
        path="",
        driver=changes.get("driver", "calls"),
        unit=unit,
        benefit_class=changes.get("benefit_class", "capacity"),
        reach=reach,
        basis=Basis.SIZE,
        accounts=2,
        low=amount - 1,
        expected=amount,
        high=amount + 1,
        needing=0,
    )


def book(
    *totals: Total | PotentialTotal, verdicts: tuple[Verdict, ...] = (), months: tuple[date, ...] = MONTHS
) -> WorthBook:
    stored = Stored(1, datetime(2026, 6, 15, tzinfo=UTC), Estimates(months, (), verdicts, {}))
    sums = [one for one in totals if isinstance(one, Total)]
    return WorthBook(stored, PATHS, "USD", sums, [one for one in totals if isinstance(one, PotentialTotal)])


def test_types_come_by_what_would_come_in_the_suppliers_currency() -> None:
    found = book(
        more("job.done", "-5"),
        more("safety.checked", "900000", "incident", benefit_class="strategic"),
        more("incident.reported", "900000", "JPY"),
        more("list.done", "10"),
        more("tracking.opened", "20"),
        more("tracking.opened", "1", "EUR"),
    )
    first = ["tracking.opened", "list.done", "incident.reported", "safety.checked", "job.done"]
    assert list(found.ranked) == first


def test_money_of_a_strategic_driver_orders_nothing() -> None:
    found = book(more("list.done", "10"), more("tracking.opened", "999", benefit_class="strategic"))
    assert list(found.ranked) == ["list.done", "tracking.opened"]


def test_what_goes_with_a_type_is_not_what_would_come() -> None:
    found = book(more("list.done", "999", reach=Reach.WITHIN), more("tracking.opened", "1"))
    assert list(found.ranked) == ["tracking.opened", "list.done"]


def test_without_an_estimate_types_come_by_what_they_realize() -> None:
    found = book(realized("time", "5"), realized("calls", "90"), realized("safety", "9000", "incident", "strategic"))
    assert list(found.ranked) == ["tracking.opened", "job.done"]


def test_amounts_are_a_month_of_each_unit_and_class_apart() -> None:
    worth = book(realized("calls", "90"), realized("calls", "30", "EUR"), realized("time", "9")).of("tracking.opened")
    assert [(one.unit, str(one.low), str(one.expected), str(one.high)) for one in worth.realized] == [
        ("USD", "29.0000", "30.0000", "31.0000"),
        ("EUR", "9.0000", "10.0000", "11.0000"),
    ]


def test_a_type_that_feeds_no_driver_and_one_that_no_meter_reads_say_so() -> None:
    assert [one.reason for one in book().of("login").not_estimated] == [Reason.NO_DRIVER]
    assert [one.reason for one in book().of("ünfug").not_estimated] == [Reason.NOT_LOOKED_AT]
    assert [one.reason for one in book(months=()).of("ünfug").not_estimated] == [Reason.NO_MONTH]


def test_a_reason_names_the_type_and_the_number() -> None:
    verdict = Verdict("job.begun", "", "time", reason=Reason.NO_NUMBER, like="job.done", lacks="minutes")
    (why,) = book(verdicts=(verdict,)).of("job.begun").not_estimated
    assert why.says == "It goes with job.done, but does not carry minutes, which the meters read."


def test_a_name_that_looks_like_a_placeholder_stays_as_it_is() -> None:
    verdict = Verdict("x", "", "time", reason=Reason.NO_NUMBER, like="{lacks}{0}", lacks="a")
    (why,) = book(verdicts=(verdict,)).of("x").not_estimated
    assert "{0}" in why.says


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason: Reason) -> None:
    assert _WHY[reason].endswith(".")
