from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.telemetry.meters import Aggregation
from valueplatform.telemetry.otlp_accounts import DEFAULT_SECTION
from valueplatform.value.model import BaselineMethod, BenefitClass, Evidence, SegmentRate, ValueModel
from valueplatform.value.model_file import ModelFileError, Problem, read_model, warnings_of
from valueplatform.value.ranges import Range

SUPPLIER = 'supplier = { name = "F", currency = "USD", timezone = "UTC" }\n'
METER = '[[meter]]\nslug = "jobs"\nevent = "job"\naggregation = "COUNT"\n'
DRIVER = '[[driver]]\nslug = "time"\nunit = "USD"\nformula = "jobs * 2"\n'


def problems_of(text: str) -> list[Problem]:
    with pytest.raises(ModelFileError) as refused:
        read_model(text, "model.toml")
    assert refused.value.message.splitlines() == [str(problem) for problem in refused.value.problems]
    return list(refused.value.problems)


def told(text: str) -> str:
    return "\n".join(map(str, problems_of(text)))


def test_the_contract_s_example_is_a_model_without_a_warning(shared: Path) -> None:
    text = (shared / "design" / "contract.md").read_text().partition("```toml\n")[2].partition("```")[0]
    model = read_model(text, "contract.toml")
    assert [meter.slug for meter in model.meters] == ["jobs_dispatched", "dispatch_minutes"]
    assert model.meters[0].filter == "channel = 'app'"
    assert model.meters[0].dimensions == ("team", "feature")
    assert model.baselines[0].method is BaselineMethod.MEASURED_BEFORE
    assert model.assumptions[0].default == Range(Decimal(38), Decimal(45), Decimal(52))
    assert model.drivers[0].evidence is Evidence.MEASURED
    assert model.drivers[0].monetized
    assert model.features[0].product == "Core"
    assert warnings_of(model, text, "contract.toml") == []


def test_the_attribute_that_names_the_account_may_be_said() -> None:
    assert read_model(SUPPLIER, "x").otlp == DEFAULT_SECTION
    assert read_model(SUPPLIER + '[otlp]\naccount = "shop"\n', "x").otlp.account == ("shop",)
    assert read_model(SUPPLIER + 'otlp = { account = ["shop", "org"] }\n', "x").otlp.account == ("shop", "org")
    assert "model.toml:2: otlp: is not a table" in told(SUPPLIER + "otlp = 7\n")
    assert "model.toml:2: benchmark: is not a table" in told(SUPPLIER + "benchmark = 7\n")
    wrong = told(SUPPLIER + "[otlp]\naccount = []\nacount = 1\n")
    assert "model.toml:3: otlp.account: the list is empty" in wrong
    assert 'did you mean "account"?' in wrong


def test_defaults_are_the_contract_s() -> None:
    driver = read_model(SUPPLIER + METER + DRIVER, "x").drivers[0]
    assert (driver.benefit_class, driver.evidence, driver.provider, driver.pool, driver.version) == (
        BenefitClass.CAPACITY,
        Evidence.VENDOR_ESTIMATE,
        "supplier",
        None,
        1,
    )


@pytest.mark.parametrize(
    ("written", "number"),
    [('"12.50"', "12.5"), ("12.50", "12.5"), ("12", "12"), ("0.1", "0.1"), ("1e3", "1000"), ("-0.000000001", "-1E-9")],
)
def test_a_number_is_read_by_its_digits(written: str, number: str) -> None:
    rate = f'[[assumption]]\nslug = "a"\nunit = "x"\ndefault = {written}\n'
    assert read_model(SUPPLIER + rate, "x").assumptions[0].default == Range.point(Decimal(number))


@pytest.mark.parametrize("written", ["nan", "inf", "1e30", '"12,50"', "true", '"1e-10"', "[1]", "1979-05-27"])
def test_what_is_no_exact_number_is_refused(written: str) -> None:
    rate = f'[[assumption]]\nslug = "a"\nunit = "x"\ndefault = {{ low = {written}, expected = 1, high = 2 }}\n'
    (problem,) = problems_of(SUPPLIER + rate)
    assert problem.path == 'assumption[1] "a".default.low'
    assert problem.line == 5


def test_one_meter_may_read_several_event_types() -> None:
    meter = '[[meter]]\nslug = "n"\nevent = ["a", "b"]\naggregation = "UNIQUE_COUNT"\nproperty = "user.id"\n'
    (read,) = read_model(SUPPLIER + meter, "x").meters
    assert read.event_types == ("a", "b")
    assert read.aggregation is Aggregation.UNIQUE_COUNT
    assert read.property == "user.id"


def test_a_segment_may_have_a_rate_of_its_own() -> None:
    rate = '[[assumption]]\nslug = "a"\nunit = "x"\ndefault = 1\n'
    rate += '[assumption.segment."big one"]\nlow = 1\nexpected = 2\nhigh = 3\n'
    (read,) = read_model(SUPPLIER + rate, "x").assumptions
    assert read.segments == (SegmentRate("big one", Range(Decimal(1), Decimal(2), Decimal(3))),)


def test_a_feature_tells_its_price_and_its_effort() -> None:
    feature = (
        '[[feature]]\nslug = "auto"\nevent = "a"\nincluded = false\nprice = "400"\neffort = "two hours"\n'
        'effort_cost = 90.5\nhypothesis = "fewer calls"\neligible_segments = ["small"]\nfilter = "name = \'auto\'"\n'
    )
    (read,) = read_model(SUPPLIER + feature, "x").features
    assert (read.included, read.price, read.effort, read.effort_cost) == (
        False,
        Decimal(400),
        "two hours",
        Decimal("90.5"),
    )
    assert (read.hypothesis, read.eligible_segments, read.filter) == ("fewer calls", ("small",), "name = 'auto'")


WRONG = """\
supplier = { name = "F", currency = "US", timezone = "America/New_Yrk" }
titel = 1
[[meter]]
slug = "jobs"
event = "job"
aggregation = "count"
[[meter]]
slug = "Case"
event = []
aggregation = "AVG"
[[driver]]
slug = "d"
unit = "USD"
formula = "jobz * 2"
benefit_clas = "risk"
evidence = "measurd"
"""
TOLD = """\
model.toml:1: supplier.currency: "US" is not a currency; did you mean "USD"?
model.toml:1: supplier.timezone: "America/New_Yrk" is not an IANA time zone; did you mean "America/New_York"?
model.toml:2: titel: unknown key; known are assumption, baseline, benchmark, criterion, driver, event_type, feature, \
meter, otlp, pool, product, release, …
model.toml:6: meter[1] "jobs".aggregation: "count" is not one of COUNT, SUM, UNIQUE_COUNT, MIN, MAX, AVG, LATEST; \
did you mean "COUNT"?
model.toml:7: meter[2] "Case".property: AVG needs a property; name the path in data, such as property = "minutes"
model.toml:8: meter[2] "Case".slug: "Case" cannot be a slug; start with a small letter, then small letters, digits \
and _ (at most 63)
model.toml:9: meter[2] "Case".event: the list is empty; name at least one
model.toml:14: driver[1] "d".formula: unknown name "jobz"; did you mean "jobs"?
model.toml:15: driver[1] "d".benefit_clas: unknown key; did you mean "benefit_class"?
model.toml:16: driver[1] "d".evidence: "measurd" is not one of measured, customer-validated, benchmark, \
vendor-estimate; did you mean "measured"?"""


def test_everything_that_is_wrong_is_told_at_once_each_with_its_line_and_cure() -> None:
    assert told(WRONG) == TOLD


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a = [", 1, "not TOML"),
        ("a = [ }\n", 1, "not TOML"),
        ("x = 1\nx = 2", 2, "not TOML"),
        ("x = " + "[" * 5000, None, "nested too deeply"),
        ("#" * (4 * 1024 * 1024 + 1), None, "more than"),
        ("", None, "is missing"),
        ("supplier = 1", 1, "is missing"),
        (SUPPLIER + "meter = 3", 2, "not a list of tables"),
        (SUPPLIER + "[meter]\nslug = 'a'", 2, "not a list of tables"),
        (SUPPLIER + "meter = [1]", 2, "not a list of tables"),
    ],
)
def test_a_file_that_is_no_model_says_so(text: str, line: int | None, message: str) -> None:
    (problem, *_) = problems_of(text)
    assert message in problem.message
    assert problem.line == line
    assert problem.cure


@pytest.mark.parametrize(
    ("table", "path", "message"),
    [
        ("[[driver]]\nslug = 'd'\nunit = 'USD'\n", 'driver[1] "d".formula', "is missing"),
        ("[[driver]]\nunit = 'USD'\nformula = '1'\n", 'driver[1] "".slug', "is missing"),
        ("[[driver]]\nslug = 3\nunit = 'USD'\nformula = 'jobs'\n", 'driver[1] "".slug', "is not a text"),
        ("[[feature]]\nslug = 'f'\nevent = 'e'\nincluded = 'yes'\n", 'feature[1] "f".included', "true or false"),
        ("[[feature]]\nslug = 'f'\nevent = ['e', 3]\n", 'feature[1] "f".event', "list of texts"),
        ("[[feature]]\nslug = 'f'\n", 'feature[1] "f".event', "is missing"),
        ("[[driver]]\nslug = 'd'\nunit = ' '\nformula = 'jobs'\n", 'driver[1] "d".unit', "is not a text"),
        ("[[baseline]]\nslug = 'b'\nunit = 'h'\nmeasured_on = 'soon'\n", 'baseline[1] "b".measured_on', "not a day"),
        ("[[assumption]]\nslug = 'a'\nunit = 'x'\ndefault = { low = 1 }\n", 'assumption[1] "a".default.high', "miss"),
        ("[[assumption]]\nslug = 'a'\nunit = 'x'\nsegment = 3\n", 'assumption[1] "a".segment', "tables such as"),
        ("[[assumption]]\nslug = 'a'\nunit = 'x'\n[assumption.segment.s]\nlow = 1\nexpected = 1\nhigh = 'x'\n",
         'assumption[1] "a".segment.s.high', "is not a decimal number"),
        ("[[baseline]]\nslug = 'b'\nunit = 'x'\n", 'baseline[1] "b".method', "is missing"),
        ("[[event_type]]\ntitle = 'b'\n", 'event_type[1] "".type', "is missing"),
    ],
)  # fmt: skip
def test_each_key_is_held_to_its_form(table: str, path: str, message: str) -> None:
    found = {problem.path: problem.message for problem in problems_of(SUPPLIER + METER + table)}
    assert message in found[path]


def test_what_could_not_be_read_is_reported_once_and_blamed_for_nothing_else() -> None:
    text = SUPPLIER + '[[meter]]\nslug = "jobs"\nevent = "job"\naggregation = "CUONT"\n' + DRIVER
    (problem,) = problems_of(text)
    assert problem.path == 'meter[1] "jobs".aggregation'


def test_a_day_may_be_written_as_a_day_or_as_text() -> None:
    for written in ("2026-01-31", '"2026-01-31"'):
        driver = read_model(f"{SUPPLIER}{METER}{DRIVER}sunset = {written}\n", "x").drivers[0]
        assert str(driver.sunset) == "2026-01-31"


@given(st.text(alphabet="[]={}\"'\n.,#abdeglmnorstuv01 ", max_size=120))
def test_any_text_is_either_a_model_or_told_what_is_wrong(text: str) -> None:
    with suppress(ModelFileError):
        assert isinstance(read_model(text, "model.toml"), ValueModel)
    with suppress(ModelFileError):
        assert isinstance(read_model(SUPPLIER + text, "model.toml"), ValueModel)
