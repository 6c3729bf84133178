"""What becomes of a number, a code, an identifier, a contract; pure, nasty things first."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.value.worths import the_model
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.value.agreed_values import Validated as Agreement
from valueplatform.value.agreed_values import agreed_values
from valueplatform.value.discovery import (
    Cohort,
    Coverage,
    Evidence,
    Finding,
    Outcome,
    Parts,
    Proposal,
    Proposed,
    Worth,
    changed_much,
    ranked,
)
from valueplatform.value.discovery_drivers import Like, driver_for, extended_with
from valueplatform.value.discovery_evidence import Deal, Turn, coverage, relations, stability, turns
from valueplatform.value.discovery_meters import Field, Kind, aggregation_of, is_dimension, is_member, meters_for
from valueplatform.value.discovery_proposals import Ground, Sent, propose
from valueplatform.value.discovery_values import Measured, Ratio, agreed_proposals, measured_baseline, ratios
from valueplatform.value.model import BaselineMethod, BenefitClass
from valueplatform.value.model import Evidence as Grade
from valueplatform.value.model_check import errors_in, is_usable_name
from valueplatform.value.model_file import read_model

TODAY = date(2026, 6, 15)
SINCE = date(2025, 6, 15)


def a_field(path: str, *numbers: str, kinds: tuple[str, ...] = ("number",), values: tuple[str, ...] = ()) -> Field:
    """The numbers are those of one account, four times over where they are few."""
    own = tuple(Decimal(one) for one in numbers)
    return Field(path, frozenset(kinds), 6, 100, frozenset(values) if values else None, (own,) * 4 if own else ())


def count_meter(kind: str, slug: str = "seen", **more: object) -> Meter:
    return replace(Meter(slug=slug, event_types=(kind,), aggregation=Aggregation.COUNT), **more)


@pytest.mark.parametrize(
    ("path", "numbers", "wanted"),
    [
        ("pages", ("3", "1", "0", "7", "2"), Aggregation.SUM),
        ("amount", ("3.5", "1.25", "0", "7", "2"), Aggregation.SUM),
        ("success_rate", ("30", "10", "0", "70", "2"), Aggregation.AVG),
        ("fill", ("0.3", "0.1", "0", "1", "0.2"), Aggregation.AVG),
        ("drift", ("3", "-1", "0", "7", "2"), Aggregation.AVG),
        ("seats", ("3", "3", "4", "7", "7"), Aggregation.MAX),
        ("flags", ("1", "0", "1", "1", "0"), Aggregation.SUM),
        ("pages", ("5", "5", "5", "5", "5"), Aggregation.SUM),
        ("order_id", ("3", "1", "0", "7", "2"), None),
        ("phone", ("3", "1", "0", "7", "2"), None),
        ("a@b", ("3", "1", "0", "7", "2"), None),
        ("few", ("3",), None),
    ],
)
def test_numbers_are_summed_up_as_they_behave(path: str, numbers: tuple[str, ...], wanted: Aggregation | None) -> None:
    assert aggregation_of(a_field(path, *numbers)) is wanted


@pytest.mark.parametrize("kinds", [("number", "text"), ("boolean",), ("list",), ("object", "number"), ("null",)])
def test_what_is_a_number_in_some_events_only_is_no_number(kinds: tuple[str, ...]) -> None:
    assert aggregation_of(a_field("pages", "3", "1", "0", "7", "2", kinds=kinds)) is None


@pytest.mark.parametrize(
    ("path", "values", "wanted"),
    [
        ("mode", ("fast", "full"), True),
        ("mode", ("fast",), False),
        ("mode", tuple(f"m{n}" for n in range(13)), False),
        ("userName", ("ann", "bob"), False),
        ("assignee", ("ann", "bob"), False),
        ("employee.team", ("north", "south"), False),
        ("…", ("north", "south"), False),
    ],
)
def test_dimensions_are_few_codes_and_never_persons(path: str, values: tuple[str, ...], *, wanted: bool) -> None:
    assert is_dimension(a_field(path, kinds=("text",), values=values)) is wanted


def test_values_that_may_not_be_shown_in_one_account_make_no_dimension() -> None:
    assert not is_dimension(Field("mode", frozenset({"text"}), 9, 9, None))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [("user_id", True), ("technicianId", True), ("user_email", False), ("id", False), ("user", False)],
)
def test_members_are_identifiers_and_nothing_that_reaches_a_person(path: str, *, wanted: bool) -> None:
    assert is_member(a_field(path, kinds=("text",))) is wanted


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_types_and_paths_are_called_meters_pass_the_model_check(kind: str, path: str) -> None:
    model = the_model()
    field = a_field(path or "x", "3", "1", "0", "7", "2")
    taken = {one.slug for one in model.meters}
    for found in meters_for(Kind(kind or "x", 5, 5, (field,)), model, taken):
        assert is_usable_name(found.meter.slug)
        assert not errors_in(replace(model, meters=(*model.meters, found.meter)))


def test_what_a_meter_reads_already_is_not_proposed() -> None:
    model = the_model()
    kind = Kind("job.done", 9, 9, (a_field("minutes", "3", "1", "0", "7", "2"), a_field("km", "3", "1", "0", "7", "2")))
    assert [found.path for found in meters_for(kind, model, ())] == ["km"]


def test_a_driver_is_made_after_one_that_is_alike_and_never_claims_more_than_a_vendor_s_estimate() -> None:
    model = the_model()
    meter = Meter(slug="views", event_types=("map.opened",), aggregation=Aggregation.SUM, property="opens")
    made = driver_for(meter, model, Like("tracking.opened", Decimal("0.8")))
    assert made is not None
    assert made.driver.formula == "views * per_open"
    assert (made.driver.evidence, made.driver.benefit_class) == (Grade.VENDOR_ESTIMATE, BenefitClass.CAPACITY)
    assert made.likeness is not None
    assert made.likeness.type == "tracking.opened"
    assert not errors_in(extended_with(model, meter, made.driver))


def test_a_price_for_one_of_them_is_taken_and_where_there_is_none_nothing_is_priced() -> None:
    model = the_model()
    minutes = Meter(slug="calls_m", event_types=("x",), aggregation=Aggregation.SUM, property="m", unit="minute")
    made = driver_for(minutes, model, None)
    assert made is not None
    assert made.driver.formula == "calls_m * per_minute"
    counted = driver_for(count_meter("x.y", unit="x"), model, None)
    assert counted is not None
    assert not counted.driver.monetized
    assert "no money until somebody states what one x is worth" in counted.why
    assert driver_for(replace(minutes, aggregation=Aggregation.AVG), model, None) is None


def test_an_account_that_renewed_after_it_had_left_renewed_and_one_that_runs_on_has_no_turn() -> None:
    deals = [
        Deal(1, "new", date(2024, 1, 1), date(2025, 9, 1)),
        Deal(1, "renewal", date(2025, 9, 1), None),
        Deal(2, "new", date(2024, 1, 1), date(2025, 9, 1)),
        Deal(3, "new", date(2024, 1, 1), None),
        Deal(4, "churn", date(2026, 1, 1), None),
        Deal(5, "renewal", date(2025, 9, 1), date(2026, 3, 1)),
        Deal(6, "renewal", date(2020, 9, 1), None),
        Deal(7, "renewal", date(2026, 9, 1), None),
        Deal(8, "new", date(2024, 1, 1), date(2026, 9, 1)),
        Deal(8, "expansion", date(2026, 2, 1), date(2026, 9, 1)),
    ]
    made = [one for one in turns(deals, SINCE, TODAY) if one.outcome is Outcome.RENEWAL]
    assert {one.account_id: (one.happened, one.day) for one in made} == {
        1: (True, date(2025, 9, 1)),
        2: (False, date(2025, 9, 1)),
        4: (False, date(2026, 1, 1)),
        5: (False, date(2026, 3, 1)),
    }
    grown = {one.account_id: one for one in turns(deals, SINCE, TODAY) if one.outcome is Outcome.EXPANSION}
    assert grown[8].happened
    assert not grown[3].happened
    assert grown[3].day == grown[8].day


def a_family(
    having: list[int], lacking: list[int], kind: str = "k"
) -> tuple[list[Turn], dict[tuple[int, Outcome, str], int]]:
    made = [Turn(n, Outcome.RENEWAL, TODAY, n < len(having)) for n in range(len(having) + len(lacking))]
    uses = {(n, Outcome.RENEWAL, kind): events for n, events in enumerate([*having, *lacking])}
    return made, uses | {(one.account_id, Outcome.RENEWAL, ""): 1000 for one in made}


@pytest.mark.parametrize(
    ("having", "lacking", "finding"),
    [
        ([30] * 12, [2] * 12, Finding.MORE),
        ([2] * 12, [30] * 12, Finding.LESS),
        ([5] * 12, [5] * 12, Finding.NOT_CLEAR),
        ([0] * 12, [0] * 12, Finding.NOT_CLEAR),
        ([30] * 7, [2] * 12, Finding.TOO_FEW),
        ([], [], Finding.TOO_FEW),
        ([9, 4, 7, 2, 8, 5, 6, 3], [5, 8, 3, 6, 4, 9, 2, 7], Finding.NOT_CLEAR),
    ],
)
def test_a_relation_is_told_where_it_is_beyond_chance(having: list[int], lacking: list[int], finding: Finding) -> None:
    made, uses = a_family(having, lacking)
    told = relations(["k"], made, uses)["k"]
    assert [one.finding for one in told] == [finding, Finding.TOO_FEW]


def test_accounts_that_sent_nothing_in_their_weeks_are_left_out() -> None:
    made, uses = a_family([30] * 12, [2] * 12)
    for n in range(5):
        del uses[n, Outcome.RENEWAL, ""]
    (renewal, _) = relations(["k"], made, uses)["k"]
    assert (renewal.finding, renewal.having) == (Finding.TOO_FEW, 7)


def test_among_many_types_what_chance_explains_is_not_told() -> None:
    """A p-value of about 0.03 holds alone, and not among fifty."""
    having, lacking = [9, 8, 7, 9, 6, 8, 7, 5], [6, 5, 7, 4, 6, 5, 8, 3]
    made, uses = a_family(having, lacking)
    (alone, _) = relations(["k"], made, uses)["k"]
    assert alone.finding is Finding.MORE
    kinds = ["k", *(f"noise-{n}" for n in range(50))]
    (among, _) = relations(kinds, made, uses)["k"]
    assert (among.finding, among.p_value) == (Finding.NOT_CLEAR, alone.p_value)


def test_stability_is_robust_and_asks_for_eight_weeks() -> None:
    assert stability([]).variation is None
    assert stability([4] * 7).variation is None
    assert stability([0] * 9).variation is None
    assert stability([4] * 9).variation == 0
    assert stability([10] * 12 + [900]).variation == 0
    assert stability([8, 12] * 6).variation == Decimal("0.2965")


def test_coverage_of_nobody_is_nothing() -> None:
    assert coverage([], 0, 0).share == 0
    assert coverage([91, 1, 46], 400, 6) == Coverage(3, 6, Decimal("0.5055"), 400)


def test_an_empty_catalog_proposes_nothing() -> None:
    nothing = Sent({}, {}, {}, set())
    assert propose(Ground(the_model(), (), nothing, {}, {}, (), (), ())) == []


BASED = """
supplier = { name = "F", currency = "USD", timezone = "UTC" }
[[feature]]
slug = "lists"
event = "list.done"
[[meter]]
slug = "jobs"
event = "job.done"
aggregation = "COUNT"
[[meter]]
slug = "minutes"
event = "job.done"
aggregation = "SUM"
property = "minutes"
[[baseline]]
slug = "by_hand"
unit = "minute"
method = "customer-statement"
default = { low = "1", expected = "2", high = "3" }
[[assumption]]
slug = "rate"
unit = "USD"
default = { low = "1", expected = "2", high = "3" }
[[driver]]
slug = "time"
unit = "USD"
feature = ["lists"]
[driver.against_baseline]
volume = "jobs"
baseline = "by_hand"
actual = "minutes"
worth = "rate"
"""


def measured(account: int, ratio: int, *, before: bool, weeks: int = 4) -> Measured:
    return Measured(account, before, ((Fraction(10 * ratio), Fraction(10)),) * weeks)


def test_a_baseline_is_measured_before_use_else_in_accounts_without_it() -> None:
    model = read_model(BASED, "m.toml")
    (ratio,) = ratios(model)
    assert ratio == Ratio("by_hand", "time", "minutes", "jobs", ("list.done",))
    before = [measured(n, 10 + n, before=True) for n in range(1, 7)]
    found = measured_baseline(model, ratio, before)
    assert found is not None
    assert found.evidence.cohort is not None
    assert found.evidence.cohort.accounts == 6
    (baseline,) = found.parts.baselines
    assert baseline.method is BaselineMethod.MEASURED_BEFORE
    assert baseline.sample == "6 accounts"
    assert baseline.default is not None
    assert baseline.default.expected == Decimal("13.5")
    control = measured_baseline(model, ratio, [replace(one, before=False) for one in before])
    assert control is not None
    assert control.parts.baselines[0].method is BaselineMethod.CONTROL_GROUP


def test_too_few_accounts_short_stretches_and_the_same_value_make_no_baseline() -> None:
    model = read_model(BASED, "m.toml")
    (ratio,) = ratios(model)
    assert measured_baseline(model, ratio, []) is None
    assert measured_baseline(model, ratio, [measured(n, 12, before=True) for n in range(4)]) is None
    assert measured_baseline(model, ratio, [measured(n, 12, before=True, weeks=3) for n in range(9)]) is None
    assert measured_baseline(model, ratio, [measured(n, 2, before=True) for n in range(9)]) is None
    assert (
        measured_baseline(
            model, ratio, [measured(0, 900, before=True)] + [measured(n, 1, before=True) for n in range(5)]
        )
        is None
    )
    empty = Measured(1, before=True, weeks=((Fraction(0), Fraction(0)),) * 9)
    assert measured_baseline(model, ratio, [empty] * 9) is None


def test_what_a_cohort_validated_is_proposed_where_the_model_says_otherwise() -> None:
    model = the_model()
    own = [Agreement(n, "per_open", "USD/open", "big", Decimal(5 + n % 3)) for n in range(6)]
    found = agreed_proposals(model, agreed_values(own))
    assert {(one.kind, one.slug, one.evidence.cohort.segment if one.evidence.cohort else None) for one in found} == {
        (Proposed.ASSUMPTION, "per_open", ""),
        (Proposed.ASSUMPTION, "per_open", "big"),
    }
    assert len({one.id for one in found}) == 2
    assert agreed_proposals(model, agreed_values(own[:4])) == []
    assert agreed_proposals(model, agreed_values([replace(one, unit="EUR/open") for one in own])) == []
    same = [replace(one, value=Decimal(2)) for one in own]
    assert agreed_proposals(model, agreed_values(same)) == []


def a_proposal(slug: str, evidence: Evidence) -> Proposal:
    parts = Parts(meters=(count_meter(slug, slug),))
    return Proposal(Proposed.METER, slug, slug, "", "", parts, evidence)


def test_potential_comes_before_evidence_and_another_currency_before_neither() -> None:
    worth = Worth("d", "USD", 5, Decimal(1), Decimal(2), Decimal(3))
    seen = Evidence(coverage=Coverage(9, 9, Decimal(1), 99))
    made = [
        a_proposal("euro", Evidence(worth=replace(worth, unit="EUR", expected=Decimal(900)))),
        a_proposal("seen", seen),
        a_proposal("worth", Evidence(worth=worth)),
    ]
    assert [one.slug for one in ranked(made, "USD")] == ["worth", "seen", "euro"]


@pytest.mark.parametrize(
    ("after", "much"),
    [
        (Evidence(coverage=Coverage(5, 10, Decimal(1), 1)), False),
        (Evidence(coverage=Coverage(6, 10, Decimal(1), 1)), False),
        (Evidence(coverage=Coverage(7, 10, Decimal(1), 1)), True),
        (Evidence(coverage=Coverage(5, 10, Decimal(1), 1), cohort=Cohort("", 5, Decimal(1), "")), False),
        (
            Evidence(
                coverage=Coverage(5, 10, Decimal(1), 1),
                worth=Worth("d", "USD", 5, Decimal(1), Decimal(2), Decimal(3)),
            ),
            True,
        ),
    ],
)
def test_evidence_changed_much_where_it_says_something_else(after: Evidence, *, much: bool) -> None:
    assert changed_much(Evidence(coverage=Coverage(5, 10, Decimal(1), 1)), after) is much
