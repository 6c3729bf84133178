from datetime import UTC, date, datetime
from decimal import Decimal

from valueplatform.narrative.ideal_profile_read import Declared, Fit, Group, IdealProfile, Match, Observed, Why
from valueplatform.portal.ideal_customer_view import ideal_customer_view
from valueplatform.value.traits import Kind

CREW = Observed(
    attribute="crew_size",
    kind=Kind.NUMBER,
    accounts=36,
    strength=Decimal("-0.702"),
    p_value=Decimal("0.000034"),
    holds=True,
    groups=(
        Group(None, None, Decimal(30), "USD", 12, Decimal(48200)),
        Group(None, Decimal(30), Decimal(90), "USD", None, None),
        Group(None, Decimal(90), None, "USD", 12, Decimal(-300)),
    ),
)
FOUND = IdealProfile(
    as_of=datetime(2026, 5, 4, tzinfo=UTC),
    months=(date(2026, 2, 1), date(2026, 3, 1)),
    accounts=38,
    skill=Decimal("0.412"),
    says="",
    declared=(
        Declared("crew", "Crew", "crew_size", (), Decimal(30), None, 25, 11, 2, observed=True),
        Declared("kind", "Kind", "segment", ("a", "b"), None, None, 1, 2, 0, observed=None),
    ),
    observed=(CREW,),
    not_compared=("crm_id",),
    prospects=(
        Fit("north gate", "Northgate", Decimal(71), "", (Why("crew_size", Decimal("-4.0")), Why("segment", None)), (
            Match("crew", "Crew", met=False), Match("kind", "Kind", met=True),
        )),
        Fit("south", "South", None, "None of it is known.", (), ()),
    ),
)  # fmt: skip


def test_a_number_that_goes_the_other_way_is_said_so() -> None:
    (trait,) = ideal_customer_view(FOUND).traits
    assert trait.says == "Accounts with a higher number of crew size realize less."
    assert [(row.name, row.median, row.share) for row in trait.groups] == [
        ("Up to 30", "$48.2K", 100.0),
        ("Above 30, up to 90", "", 0.0),
        ("Above 90", "\N{MINUS SIGN}$300", 0.0),
    ]


def test_declared_criteria_say_what_they_ask_for_and_who_meets_them() -> None:
    crew, kind = ideal_customer_view(FOUND).declared
    assert (crew.asks, crew.met) == ("Crew size: 30 or more", "25 of 36 accounts; not known of two")
    assert (kind.asks, kind.met, kind.chip.text) == ("Segment: a, b", "one of three accounts", "Not compared")


def test_a_prospect_has_its_score_with_reasons_or_the_reason_why_not() -> None:
    north, south = ideal_customer_view(FOUND).prospects
    assert north.name.href == "/accounts/north%20gate/story"
    assert (north.score, north.why) == ("71", "crew size \N{MINUS SIGN}4.0 points; not known: segment")
    assert north.declared == "1 of 2; not Crew"
    assert (south.score, south.why, south.declared) == ("", "None of it is known.", "Nothing declared")
