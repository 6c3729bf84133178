"""Features that are not in use yet, as levers: which there are, whose use is taken, and why some cannot be moved."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.value.factories import MODEL
from tests.value.test_scenario import a_ground
from valueplatform.portal.plan_view import changes_of, levers_of, query_of, stand_of
from valueplatform.portal.switch_view import switched_words
from valueplatform.portal.view.plan import Lever
from valueplatform.value.adopted import Adopted, Prospect
from valueplatform.value.benchmark import Figure, Per, Withheld
from valueplatform.value.levers import Change, SwitchOn
from valueplatform.value.scenario import Ground, look

TODAY = date(2026, 6, 15)
JULY = date(2026, 7, 1)
FEATURES = """
[[segment]]
slug = "ports"
title = "Ports and terminals"

[benchmark]
scale = "technicians"

[[meter]]
slug = "opens"
event = "tracking.opened"
aggregation = "COUNT"

[[assumption]]
slug = "call_cost"
unit = "USD"
default = "2"

[[driver]]
slug = "calls_avoided"
title = "Calls avoided"
benefit_class = "cashable"
evidence = "measured"
unit = "USD"
formula = "opens * call_cost"

[[feature]]
slug = "dispatching"
event = "job.dispatched"

[[feature]]
slug = "tracking"
title = "Arrival tracking"
event = "tracking.opened"

[[feature]]
slug = "reading"
title = "Reading"
event = "page.read"
"""


def figure(**changes: Any) -> Figure:
    told = Figure("", "opens", "USD", "", Per.ACCOUNT, 6, Decimal(100), Decimal(150), Decimal(400))
    return msgspec.structs.replace(told, **changes)


def ground(*figures: Figure, scale: str | None = None, segment: str | None = "ports", text: str = FEATURES) -> Ground:
    prospect = Prospect(segment, "USD", Decimal(scale) if scale else None)
    adopted = [Adopted("tracking", one) for one in figures]
    return replace(a_ground(text=MODEL + text), adopted=adopted, prospect=prospect)


def switches(of: Ground, **query: str) -> list[Lever]:
    stand = stand_of(query, TODAY)
    return [lever for lever in levers_of(of, stand, {}, "USD") if lever.kind == "switch"]


def test_a_feature_that_is_not_in_use_and_feeds_a_driver_can_be_switched_on() -> None:
    (one,) = switches(ground(figure()))
    assert (one.name, one.label, one.on, one.value) == ("o.tracking", "Arrival tracking", False, "100")
    assert one.now == "As 6 companies use it"
    assert (one.lacks, one.kept) == ("", "0")


def test_it_stands_as_the_address_says_and_as_much_as_it_says() -> None:
    (one,) = switches(ground(figure(segment="ports")), **{"o.tracking": "150"})
    assert (one.on, one.value, one.kept) == (True, "150", "150")
    assert one.now == "As 6 companies in Ports and terminals use it, times 150%"


@pytest.mark.parametrize(
    ("withheld", "says"),
    [
        (Withheld.FEW, "Fewer than five comparable companies use it, so it cannot be told."),
        (Withheld.DOMINATED, "One company would be more than half of what comparable ones use, so it cannot be told."),
    ],
)
def test_where_it_cannot_be_told_the_lever_says_why_and_cannot_be_on(withheld: Withheld, says: str) -> None:
    told = figure(accounts=None, lower=None, median=None, upper=None, withheld=withheld)
    (one,) = switches(ground(told), **{"o.tracking": "100"})
    assert (one.lacks, one.on) == (says, False)


def test_before_the_first_comparison_it_says_that_there_are_too_few() -> None:
    (one,) = switches(ground())
    assert one.lacks.startswith("Fewer than five")


def test_what_is_in_use_or_not_offered_or_feeds_no_driver_is_no_switch() -> None:
    assert [one.name for one in switches(ground(figure()))] == ["o.tracking"]
    offered = FEATURES.replace(
        'event = "tracking.opened"\n\n[[feature]]',
        'event = "tracking.opened"\neligible_segments = ["ports"]\n\n[[feature]]',
    )
    assert switches(ground(figure(), text=offered))
    assert not switches(ground(figure(), text=offered, segment=None))
    assert not switches(replace(ground(figure()), prospect=None))


def test_those_that_can_be_moved_come_first() -> None:
    more = FEATURES.replace("tracking.opened", "a.b").replace("opens", "a_b").replace("calls_avoided", "a_calls")
    more = (
        more[more.index("[[meter]]") : more.index("[[assumption]]")]
        + more[more.index("[[driver]]") : more.index("[[feature]]")]
    )
    text = FEATURES + more + '\n[[feature]]\nslug = "able"\ntitle = "Able"\nevent = "a.b"\n'
    assert [(one.label, bool(one.lacks)) for one in switches(ground(figure(), text=text))] == [
        ("Arrival tracking", False),
        ("Able", True),
    ]


def test_a_switch_makes_a_change_and_a_kept_change_stands_as_the_switch() -> None:
    of = ground(figure())
    stand = stand_of({"o.tracking": "50", "over": "3", "o.nothing": "0"}, TODAY)
    changes = changes_of(of, stand)
    assert changes == [Change(SwitchOn("tracking", Decimal("0.5")), JULY, 3)]
    assert query_of(changes, JULY, 12) == {"since": "2026-07", "months": "12", "o.tracking": "50", "over": "3"}


def test_whose_use_is_taken_is_told_with_its_scale_and_method() -> None:
    of = ground(figure(per=Per.SCALE), scale="20")
    says, method = switched_words(of, look(of, [Change(SwitchOn("tracking"), JULY)], JULY, 2))
    assert says == (
        "Arrival tracking, as 6 companies use it: opens, 3,000 a month (2,000 to 8,000), 150 a technician times 20."
    )
    assert method.startswith("Quartiles of what comparable accounts")
    assert switched_words(of, look(of, [], JULY, 2)) == ()
