"""What value per use is over, in words."""

from datetime import date
from decimal import Decimal

import pytest

from valueplatform.portal.features_view import Asked, features_view
from valueplatform.value.feature_book import Counted, FeatureBook, FeatureWorth, Hypothesis
from valueplatform.value.feature_measure import Measure
from valueplatform.value.feature_worth import PerUse
from valueplatform.value.model import BenefitClass

EVENTS = Measure(None, "Events", "event", False, "Events.")
VISITS = Measure("visits", "Visits completed", "visit", True, "Visits.")
AMOUNT = Measure("amount", "Amount invoiced", "", True, "Amount.")


def told(use: Measure, expected: str | None, uses: str = "10") -> list[tuple[str, str]]:
    rate = None if expected is None else Decimal(expected)
    worth = FeatureWorth(
        feature="reports", title="Reports", product=None, event_types=("visit.done",),
        hypothesis=Hypothesis(None, None, None, None), missing=(), drivers=("repeats",), accounts=3, eligible=4, uses=7,
        counted_by=Counted.CATALOG, uses_says="", value=(), use=use,
        per_use=(PerUse("USD", BenefitClass.CASHABLE, Decimal(uses), rate, rate),), not_divided=(), unrealized=(),
        releases=(),
    )  # fmt: skip
    book = FeatureBook(date(2026, 3, 1), date(2026, 6, 1), (worth,), ())
    (row,) = features_view(book, Asked(), "USD").rows
    return [(line.text, line.sub) for line in row.per_use]


@pytest.mark.parametrize(
    ("use", "expected", "line"),
    [
        (EVENTS, "1.5", ("$1.50", "cashable, per event")),
        (VISITS, "8.1599", ("$8.16", "cashable, per visit")),
        (AMOUNT, "0.0010", ("$0.0010", "cashable, over amount invoiced")),
        (AMOUNT, None, ("None", "nothing of it is in amount invoiced")),
        (EVENTS, None, ("None", "nobody used it")),
    ],
)
def test_a_line_says_what_value_is_over_and_keeps_the_digits_of_less_than_a_cent(
    use: Measure, expected: str | None, line: tuple[str, str]
) -> None:
    assert told(use, expected) == [line]
