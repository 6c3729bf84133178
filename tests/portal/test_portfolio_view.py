from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.narrative.document import SeriesPoint, Span, Status
from valueplatform.narrative.insight import Standing
from valueplatform.portal.portfolio_view import Asked, act_view, groups, headline, row_view, spark, stake_view, why_view
from valueplatform.stewardship.portfolio import AtStake, Filter, PortfolioRow, PortfolioSummary
from valueplatform.stewardship.signal import Act, Stake, TargetKind

TODAY = date(2026, 9, 1)
OPEN = Act("Open the story", TargetKind.STORY)


def row(**changes: Any) -> PortfolioRow:
    made = PortfolioRow(
        account="harbor",
        name="Harbor Logistics",
        stage="adopter",
        segment="logistics",
        urgency="today",
        at_stake=Decimal(0),
        unit="USD",
        stake=None,
        kind=None,
        signals=1,
        text="",
        why=(Span("Nothing calls."),),
        insight_id=None,
        act=OPEN,
        status=Status.ON_PLAN,
        reason="",
        realized=None,
        share=None,
        series=(),
        renews_on=None,
        under_review=False,
        no_data=False,
        composed_at=datetime(2026, 9, 1, tzinfo=UTC),
    )
    return msgspec.structs.replace(made, **changes)


def summary(accounts: int, today: int, *at_stake: tuple[str, str], this_week: int = 0) -> PortfolioSummary:
    amounts = tuple(AtStake(unit, 1, Decimal(amount)) for unit, amount in at_stake)
    return PortfolioSummary(accounts, today, this_week, 0, 0, 0, amounts)


@pytest.mark.parametrize(
    ("given_summary", "said"),
    [
        (summary(0, 0), "You have no accounts yet."),
        (summary(41, 0), "None of your 41 accounts needs you today."),
        (summary(1, 1), "One of your 1 account needs you today."),
        (summary(41, 6, ("USD", "1900000")), "Six of your 41 accounts need you today, with $1.90M at stake."),
        (
            summary(1200, 14, ("USD", "426000"), ("DKK", "109000"), ("GBP", "14000")),
            "14 of your 1,200 accounts need you today, with $426K, DKK\N{NO-BREAK SPACE}109K and £14.0K at stake.",
        ),
        (summary(9, 2, ("USD", "0")), "Two of your 9 accounts need you today."),
        (summary(9, 0, this_week=3), "None of your 9 accounts needs you today, and 3 this week."),
        (
            summary(36, 10, ("USD", "1900000"), this_week=19),
            "Ten of your 36 accounts need you today, with $1.90M at stake, and 19 more this week.",
        ),
    ],
)
def test_the_headline_says_who_needs_me_and_how_much_is_at_stake(given_summary: PortfolioSummary, said: str) -> None:
    assert headline(given_summary).text == said


def test_rows_stand_in_the_order_they_came_under_how_much_they_press() -> None:
    found = groups([row(account="a"), row(account="b", urgency="this-week"), row(account="c")], TODAY)

    assert [(group.title, [one.key for one in group.rows]) for group in found] == [
        ("", ["a", "c"]),
        ("This week", ["b"]),
        ("Nothing calls", []),
    ]


@pytest.mark.parametrize(
    ("act", "href"),
    [
        (OPEN, "/accounts/harbor/story"),
        (Act("Settle it", TargetKind.ASSUMPTION, "driver:calls"), "/accounts/harbor/assumptions?open=driver%3Acalls"),
        (Act("Settle it", TargetKind.ASSUMPTION), "/accounts/harbor/assumptions"),
        (Act("Answer Priya", TargetKind.CONVERSATION, "7"), "/accounts/harbor/together/7"),
        (Act("Propose it", TargetKind.SUGGESTION, "sug_1"), "/accounts/harbor/together/new?suggestion=sug_1"),
    ],
)
def test_the_next_act_leads_to_where_it_is_done(act: Act, href: str) -> None:
    assert act_view("/accounts/harbor", act).href == href


def test_an_amount_at_stake_opens_at_its_insight_or_at_the_suggestion() -> None:
    of_insight = Stake(Decimal(620_000), "USD", Standing.TOUCHED, "gap", "ins_1")
    predicted = Stake(Decimal(310_000), "USD", Standing.PREDICTED, "expected")
    shown = stake_view(of_insight, OPEN)
    assert shown is not None
    assert (shown.text, shown.state, shown.href) == ("$620K", "touched", "/proof/ins_1?number=gap")
    about = Act("Propose it", TargetKind.SUGGESTION, "sug_1")
    found = stake_view(predicted, about)
    assert found is not None
    assert found.href == "/proof/sug_1?number=expected"
    assert stake_view(None, OPEN) is None


def test_a_sentence_without_an_insight_has_no_links() -> None:
    spans = (Span("Priya has waited since "), Span("7", "days", "7", "day"))

    assert all(span.number is None for span in why_view(spans, None, OPEN).spans)
    assert why_view(spans, "ins_1", OPEN).spans[1].number is not None


def point(realized: str, expected: str | None, low: str = "0", high: str = "0") -> SeriesPoint:
    amount = None if expected is None else Decimal(expected)
    return SeriesPoint(TODAY, Decimal(realized), Decimal(low), amount, Decimal(high))


def test_a_sparkline_is_the_distance_from_the_commitment() -> None:
    found = spark([point("90", "100", "90", "110"), point("240", "200", "180", "220")], Status.AHEAD)
    assert found is not None

    assert found.distances == pytest.approx((-0.1, 0.2))
    assert found.band == pytest.approx(0.1)
    assert found.text == "120% of what was committed by now"
    assert not found.risk


def test_without_a_commitment_there_is_no_sparkline() -> None:
    assert spark([], Status.INSUFFICIENT) is None
    assert spark([point("90", None), point("90", "0")], Status.INSUFFICIENT) is None


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(1, 10**9)), min_size=1, max_size=13))
def test_any_course_can_be_drawn(course: list[tuple[int, int]]) -> None:
    found = spark([point(str(realized), str(expected)) for realized, expected in course], Status.BEHIND)

    assert found is not None
    assert len(found.distances) == len(course) <= found.periods + 1


def test_a_row_says_stage_and_renewal_in_few_words() -> None:
    shown = row_view(row(stage="value_creator", renews_on=date(2026, 11, 30)), TODAY)

    assert shown.sub == "Value creator, renews 30 Nov"
    assert shown.realized_note == "None counted yet"
    assert row_view(row(account="a b/c"), TODAY).href == "/accounts/a%20b%2Fc/story"


def test_what_is_asked_for_stays_in_every_address() -> None:
    asked = Asked(Filter.ALL, "a&b", "c1")

    assert asked.path() == "/portfolio?show=all&q=a%26b&cursor=c1"
    assert asked.path(cursor=None) == "/portfolio?show=all&q=a%26b"
