from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from tests.value.model_strategies import FIXED, MODELS
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.value.model import (
    Assumption,
    BenefitClass,
    Driver,
    EventType,
    Feature,
    Product,
    Release,
    Segment,
    SegmentRate,
    Supplier,
    ValueModel,
)
from valueplatform.value.model_check import errors_in, is_usable_name, warnings_in
from valueplatform.value.model_findings import suggestion
from valueplatform.value.ranges import Range

ONE = Range.point(Decimal(1))


def driver(**fields: Any) -> Driver:
    return Driver(**{"slug": "other", "unit": "USD", "formula": "minutes * cost", "pool": "hours", **fields})


def meter(**fields: Any) -> Meter:
    return Meter(**{"slug": "other", "event_types": ("e",), "aggregation": Aggregation.COUNT, **fields})


def with_driver(**fields: Any) -> ValueModel:
    return replace(FIXED, drivers=(*FIXED.drivers, driver(**fields)))


def errors(model: ValueModel) -> list[str]:
    return [str(finding) for finding in errors_in(model)]


def warnings(model: ValueModel) -> list[str]:
    return [str(finding) for finding in warnings_in(model)]


def test_a_sound_model_has_neither_errors_nor_warnings() -> None:
    assert errors(FIXED) == warnings(FIXED) == []


@given(MODELS)
def test_models_that_pass_can_be_warned_about(model: ValueModel) -> None:
    assert errors(model) == []
    for finding in warnings_in(model):
        assert finding.message
        assert finding.cure


def test_one_slug_names_one_thing_among_meters_baselines_and_assumptions() -> None:
    model = replace(FIXED, assumptions=(*FIXED.assumptions, Assumption(slug="jobs", unit="x")))
    assert errors(model) == ['assumption[2] "jobs".slug: "jobs" is already the slug of meter[1] "jobs"; choose another']


def test_drivers_features_and_the_rest_have_slugs_of_their_own() -> None:
    twice = replace(
        FIXED,
        drivers=FIXED.drivers * 2,
        features=(Feature(slug="time", event_types=("e",)),) * 2,
        products=(Product(slug="time"),) * 2,
        segments=(Segment(slug="large"),) * 2,
        event_types=(EventType(slug="e"),) * 2,
    )
    doubled = [text.partition(" ")[0] for text in errors(twice) if "already the slug" in text]
    assert doubled == ["driver[2]", "feature[2]", "product[2]", "segment[2]", "event_type[2]"]


@pytest.mark.parametrize("slug", ["case", "end", "min", "max", "null", "not", "select"])
def test_words_of_the_formula_grammar_are_no_names(slug: str) -> None:
    assert not is_usable_name(slug)
    (finding, *_) = errors(replace(FIXED, meters=(*FIXED.meters, meter(slug=slug))))
    assert "a word that formulas need" in finding


@pytest.mark.parametrize("slug", ["jobs", "date", "count", "user", "total_2", "value", "year"])
def test_other_words_are(slug: str) -> None:
    assert is_usable_name(slug)


@pytest.mark.parametrize("aggregation", [one for one in Aggregation if one is not Aggregation.COUNT])
def test_every_aggregation_is_taken_with_a_property(aggregation: Aggregation) -> None:
    assert errors(replace(FIXED, meters=(*FIXED.meters, meter(aggregation=aggregation, property="x")))) == []
    (finding,) = errors(replace(FIXED, meters=(*FIXED.meters, meter(aggregation=aggregation))))
    assert finding == (
        f'meter[3] "other".property: {aggregation} needs a property; '
        'name the path in data, such as property = "minutes"'
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"property": "x"}, "COUNT counts events and reads no property"),
        ({"aggregation": Aggregation.SUM}, "SUM needs a property"),
        ({"aggregation": Aggregation.UNIQUE_COUNT}, "UNIQUE_COUNT needs a property"),
        ({"dimensions": ("a", "b", "a")}, '"a" is listed 2 times'),
        ({"filter": "a like 'b'"}, "'like' is not allowed here"),
    ],
)
def test_a_meter_is_held_to_its_aggregation(fields: dict[str, Any], message: str) -> None:
    (finding,) = errors(replace(FIXED, meters=(*FIXED.meters, meter(**fields))))
    assert message in finding


def test_currency_and_zone_of_the_supplier_exist() -> None:
    supplier = Supplier(name="F", currency="usd", timezone="../../etc/passwd")
    currency, timezone = errors(replace(FIXED, supplier=supplier))
    assert currency == 'supplier.currency: "usd" is not a currency; did you mean "USD"?'
    assert timezone.startswith('supplier.timezone: "../../etc/passwd" is not an IANA time zone; known are ')


def test_a_formula_s_names_exist() -> None:
    (finding,) = errors(with_driver(formula="minuts * cost"))
    assert finding == 'driver[2] "other".formula: unknown name "minuts"; did you mean "minutes"?'


def test_a_formula_without_a_meter_would_never_have_a_value() -> None:
    (finding,) = errors(with_driver(formula="cost * 2"))
    assert "reads no meter" in finding


def test_a_formula_that_cannot_be_read_is_named_with_the_grammar() -> None:
    (finding,) = errors(with_driver(formula="sum(minutes) * cost"))
    assert "an aggregate sum() is not allowed" in finding
    assert "a formula has names, numbers" in finding


def test_more_ranges_than_can_be_worked_out_are_refused() -> None:
    rates = tuple(Assumption(slug=f"r{number}", unit="x", default=ONE) for number in range(9))
    formula = " + ".join(f"minutes * {rate.slug}" for rate in rates)
    model = replace(FIXED, assumptions=(*FIXED.assumptions, *rates), drivers=(driver(formula=formula),))
    (finding,) = errors(model)
    assert "reads 9 baselines and assumptions, at most 8" in finding


def test_bounds_are_in_ascending_order_in_every_segment() -> None:
    wrong = Range(Decimal(2), Decimal(1), Decimal(3))
    rate = replace(FIXED.assumptions[0], default=wrong, segments=(SegmentRate("large", wrong),))
    first, second = errors(replace(FIXED, assumptions=(rate,)))
    assert first == (
        'assumption[1] "cost".default: low 2, expected 1, high 3 are not in ascending order; '
        "write low <= expected <= high"
    )
    assert second.startswith('assumption[1] "cost".segment.large: low 2')


def test_segments_products_and_features_are_known_where_any_is_declared() -> None:
    feature = Feature(slug="f", event_types=("e",), product="cor", eligible_segments=("larg",))
    model = replace(FIXED, features=(feature,), drivers=(*FIXED.drivers, driver(features=("g",))))
    assert errors(model) == ['driver[2] "other".feature: unknown feature "g"; known are f']
    declared = replace(model, products=(Product(slug="core"),), segments=(Segment(slug="big"),), drivers=FIXED.drivers)
    assert errors(declared) == [
        'assumption[1] "cost".segment.large: unknown segment "large"; known are big',
        'feature[1] "f".product: unknown product "cor"; did you mean "core"?',
        'feature[1] "f".eligible_segments: unknown segment "larg"; known are big',
    ]


def test_a_price_is_positive_and_nothing_included_has_one() -> None:
    feature = Feature(slug="f", event_types=("e",), included=True, price=Decimal(3), effort_cost=Decimal(-1))
    first, second = errors(replace(FIXED, features=(feature,)))
    assert "-1 is negative" in first
    assert "included and yet has a price" in second


def test_two_drivers_of_money_from_one_meter_say_which_pool_they_draw_on() -> None:
    (finding,) = errors(with_driver(pool=None))
    assert finding == (
        'driver[2] "other".pool: it and the driver "time" both draw on the meter "minutes": the benefit may count '
        "twice; give both the same pool, or each a pool of its own if they are different benefits"
    )


def reading(**fields: Any) -> ValueModel:
    """The model whose second driver reads a meter that is the first one's, but for these fields."""
    again = replace(FIXED.meters[1], slug="again", **fields)
    return replace(with_driver(pool=None, formula="again * cost"), meters=(*FIXED.meters, again))


def test_the_same_telemetry_under_another_name_is_the_same_meter() -> None:
    (finding,) = errors(reading(dimensions=("team",)))
    assert finding == (
        'driver[2] "other".pool: its meter "again" and the meter "minutes" of the driver "time" count the same events: '
        "the benefit may count twice; give both the same pool, or each a pool of its own if they are different "
        "benefits, or filter the meters so that no event counts in both"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"filter": "channel = 'app'"},
        {"filter": "channel = 'app' or channel is null"},
        {"filter": "minutes > 0"},
        {"event_types": ("job.dispatched", "job.planned")},
        {"aggregation": Aggregation.AVG},
        {"aggregation": Aggregation.LATEST, "filter": "channel = 'app'"},
        {"unit": "hour"},
    ],
    ids=["a subset", "more than a subset", "another path", "one more type", "their mean", "the last", "another unit"],
)
def test_meters_that_read_some_events_in_common_overlap(fields: dict[str, Any]) -> None:
    assert [one for one in errors(reading(**fields)) if "count the same events" in one]


@pytest.mark.parametrize(
    "fields",
    [
        {"event_types": ("job.planned",)},
        {"property": "seconds"},
        {"aggregation": Aggregation.COUNT, "property": None},
        {"aggregation": Aggregation.UNIQUE_COUNT},
    ],
    ids=["another type", "another number", "the events themselves", "distinct ones"],
)
def test_meters_that_read_something_else_of_events_do_not(fields: dict[str, Any]) -> None:
    model = reading(**fields)
    jobs = replace(model.meters[0], event_types=("job.done",))
    assert not [one for one in errors(replace(model, meters=(jobs, *model.meters[1:]))) if "may count twice" in one]


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ("channel = 'app'", "channel = 'web'", False),
        ("channel = 'app'", "channel <> 'app'", False),
        ("minutes < 10", "minutes >= 10", False),
        ("channel = 'app'", "channel = 'app' and minutes < 10", True),
        ("channel = 'app'", "channel in ('app', 'web')", True),
        ("channel = 'app'", "minutes < 10", True),
        ("channel = 'app'", None, True),
        ("channel = 'app'", "channel =", True),
    ],
)
def test_filters_keep_meters_apart_where_no_event_passes_both(first: str, second: str | None, *, overlap: bool) -> None:
    jobs, minutes = FIXED.meters[0], replace(FIXED.meters[1], filter=first)
    again = replace(minutes, slug="again", filter=second)
    model = replace(with_driver(pool=None, formula="again * cost"), meters=(jobs, minutes, again))
    assert bool([one for one in errors(model) if "may count twice" in one]) is overlap


def test_overlapping_meters_of_drivers_in_one_pool_are_accepted_and_those_in_two_pointed_out() -> None:
    model = reading(filter="channel = 'app'")
    first, second = model.drivers
    pooled = replace(model, drivers=(first, replace(second, pool=first.pool)))
    assert not [one for one in (*errors(pooled), *warnings(pooled)) if "same events" in one]
    apart = replace(model, drivers=(first, replace(second, pool="fuel")))
    assert not [one for one in errors(apart) if "same events" in one]
    (warning,) = [one for one in warnings(apart) if "same events" in one]
    assert "their pools are declared as different; make sure that they never overlap" in warning


@pytest.mark.parametrize(
    "fields", [{"unit": "hour"}, {"benefit_class": BenefitClass.STRATEGIC}, {"formula": "calls * cost"}]
)
def test_what_is_not_money_or_reads_other_telemetry_does_not_overlap(fields: dict[str, Any]) -> None:
    calls = meter(slug="calls")
    assert errors(replace(with_driver(pool=None, **fields), meters=(*FIXED.meters, calls))) == []


def test_drivers_in_one_pool_may_overlap_and_those_in_two_are_pointed_out() -> None:
    assert errors(with_driver()) == warnings(with_driver()) == []
    apart = with_driver(pool="fuel")
    assert errors(apart) == []
    (warning,) = warnings(apart)
    assert "their pools are declared as different" in warning


def test_a_period_that_is_the_sum_of_its_days_is_announced() -> None:
    users = meter(slug="users", event_types=("x",), aggregation=Aggregation.UNIQUE_COUNT, property="u")
    calls = meter(slug="calls", event_types=("y",))
    model = replace(
        FIXED,
        meters=(*FIXED.meters, users, calls),
        drivers=(driver(slug="a", formula="users * cost"), driver(slug="b", formula="max(calls - 100, 0) * cost")),
        baselines=(),
    )
    first, second = warnings(model)
    assert first.startswith('driver[1] "a".formula: the formula is evaluated per local day')
    assert "because users (UNIQUE_COUNT) cannot be added up over days; keep it" in first
    assert "because it is not a sum of meters times rates" in second


@pytest.mark.parametrize("kind", [Aggregation.AVG, Aggregation.MIN, Aggregation.MAX, Aggregation.LATEST])
def test_a_meter_that_may_have_no_value_is_announced_with_what_follows(kind: Aggregation) -> None:
    wait = meter(slug="wait", event_types=("x",), aggregation=kind, property="w")
    model = replace(FIXED, meters=(*FIXED.meters, wait), drivers=(driver(formula="wait * cost"),), baselines=())
    (told,) = warnings(model)
    assert f"because wait ({kind}) cannot be added up over days; where it needs wait, a day without one" in told


def test_avoided_cost_and_risk_state_their_counterfactual_and_their_sunset() -> None:
    found = warnings(with_driver(benefit_class=BenefitClass.RISK))
    assert [text.partition(";")[0] for text in found] == [
        'driver[2] "other".counterfactual: risk value needs a stated counterfactual',
        'driver[2] "other".sunset: risk value needs a stated sunset',
    ]
    stated = with_driver(benefit_class=BenefitClass.RISK, counterfactual="p x impact", sunset=date(2030, 1, 1))
    assert warnings(stated) == []


def test_a_unit_that_looks_like_a_currency_and_is_none_is_pointed_out() -> None:
    (warning,) = warnings(with_driver(unit="UDS", pool=None))
    assert '"UDS" is not a currency, so the driver is not monetized; did you mean' in warning


def test_strategic_value_in_a_currency_enters_no_total_and_says_so() -> None:
    (warning,) = warnings(with_driver(benefit_class=BenefitClass.STRATEGIC, pool=None))
    assert "strategic value is not monetized" in warning


def test_a_rate_that_no_driver_reads_is_pointed_out() -> None:
    (warning,) = warnings(replace(FIXED, assumptions=(*FIXED.assumptions, Assumption(slug="spare", unit="x"))))
    assert warning == 'assumption[2] "spare": no driver reads it; use it in a formula, or remove it'


@pytest.mark.parametrize(
    ("unknown", "known", "cure"),
    [
        ("jobz", ["jobs", "minutes"], 'did you mean "jobs"?'),
        ("count", ["COUNT", "SUM"], 'did you mean "COUNT"?'),
        ("US", ["UZS", "USD", "AUD"], 'did you mean "USD"?'),
        ("x", ["b", "a"], "known are a, b"),
        ("x", [], "none is defined"),
        ("zz", [f"n{number:02}" for number in range(20)], f"known are {', '.join(f'n{n:02}' for n in range(12))}, …"),
    ],
)
def test_a_near_miss_is_offered_else_what_is_known(unknown: str, known: list[str], cure: str) -> None:
    assert suggestion(unknown, known) == cure


def test_what_a_hypothesis_and_a_release_name_is_in_the_model() -> None:
    named = Feature(slug="f", event_types=("job",), driver="othe", meter="job", baseline="befor")
    release = Release(slug="r", day=date(2026, 6, 1), features=("g",))
    sound = with_driver(features=("f",))
    told = "\n".join(errors(replace(sound, features=(named,), releases=(release,))))
    for kind, name, cure in (
        ("driver", "othe", 'did you mean "other"?'),
        ("meter", "job", 'did you mean "jobs"?'),
        ("baseline", "befor", 'did you mean "before"?'),
    ):
        assert f'feature[1] "f".{kind}: unknown {kind} "{name}"; {cure}' in told
    assert 'release[1] "r".feature: unknown feature "g"; known are f' in told


def test_a_hypothesis_is_counted_by_a_driver_that_the_feature_serves() -> None:
    feature = Feature(slug="f", event_types=("job",), driver="other", meter="jobs", baseline="before")
    lonely = errors(replace(with_driver(), features=(feature,)))
    assert any('"f".driver: the driver "other" does not say that this feature serves it' in one for one in lonely)
    assert errors(replace(with_driver(features=("f",)), features=(feature,))) == []
